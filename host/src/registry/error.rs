//! Why the registry did not do what it was asked.

use postern_domain::{Digest, Interface, SkillId, manifest::ManifestError};
use postern_runtime::{AssetError, InspectError, LoadError};

use super::CompileError;
use crate::{brain::BrainError, package::PackageError};

/// Why the registry did not do what it was asked. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The file system failed.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A manifest is not TOML of the known shape.
    #[error("{file}: {message}")]
    ManifestSyntax {
        /// The file.
        file: String,
        /// Where and what.
        message: String,
    },
    /// A manifest makes no sense.
    #[error("{file}: {source}")]
    Manifest {
        /// The file.
        file: String,
        /// Field and reason.
        source: ManifestError,
    },
    /// The bytes are not a skill.
    #[error("{file}: {source}")]
    Component {
        /// The file.
        file: String,
        /// What is wrong.
        source: InspectError,
    },
    /// The files beside the manifest cannot be a skill's assets.
    #[error("{path}: {source}")]
    Assets {
        /// The folder.
        path: String,
        /// Which file, and why.
        source: AssetError,
    },
    /// Something among the assets is no file.
    #[error("{path} {reason}")]
    AssetFile {
        /// Where it is.
        path: String,
        /// What it must be.
        reason: &'static str,
    },
    /// The component imports what it was not granted.
    #[error(transparent)]
    Ungranted(LoadError),
    /// The component imports what its manifest does not request.
    #[error(
        "skill {skill} imports postern:{interface}, which its manifest does not request; \
         add it under [[capabilities]] with a reason"
    )]
    Unrequested {
        /// The skill.
        skill: SkillId,
        /// The interface.
        interface: Interface,
    },
    /// The component's regular expressions or schemas cannot be used.
    #[error("skill {skill}: {reason}")]
    Unusable {
        /// The skill.
        skill: SkillId,
        /// What is wrong.
        reason: String,
    },
    /// The active skills together teach nothing usable.
    #[error("the active skills cannot be learnt from")]
    Unlearnable(#[source] BrainError),
    /// Another installed skill has this intent.
    #[error(
        "intent {intent:?} of skill {skill} is already served by skill {other}; rename one of them, or remove {other} first"
    )]
    IntentTaken {
        /// The new skill.
        skill: SkillId,
        /// The intent.
        intent: String,
        /// The skill that has it.
        other: SkillId,
    },
    /// There is no such skill.
    #[error("skill {0} is not installed; `postern skill list` shows what is")]
    Unknown(SkillId),
    /// A setting is missing or unknown.
    #[error("postern.toml: skills.{skill}.settings.{setting}: {reason}")]
    Setting {
        /// The skill.
        skill: SkillId,
        /// The setting.
        setting: String,
        /// What is wrong.
        reason: String,
    },
    /// A stored file is not what it was when it was written.
    #[error("{path} is damaged: {reason}; restore it from a backup or install the skill again")]
    Damaged {
        /// The file.
        path: String,
        /// What does not fit.
        reason: String,
    },
    /// There is no code for the component.
    #[error("skill {skill} cannot be compiled: {source}")]
    Compile {
        /// The skill.
        skill: SkillId,
        /// Why.
        source: CompileError,
    },
    /// A file is larger than any of its kind may be.
    #[error("{file}: more than {most} bytes")]
    TooLarge {
        /// The file.
        file: String,
        /// How large it may be.
        most: u64,
    },
    /// Manifest, component and files cannot be put into one file, or taken out of it.
    #[error("{file}: {source}")]
    Package {
        /// The file.
        file: String,
        /// What is wrong.
        source: PackageError,
    },
    /// A component says nothing of itself, and no manifest lies beside it.
    #[error(
        "{file} carries no manifest, and there is no {beside}; name the manifest with \
         --manifest, or make one file of both with `postern skill pack`"
    )]
    NoManifest {
        /// The component.
        file: String,
        /// Where the manifest could be.
        beside: String,
    },
    /// A skill's folder has no component.
    #[error("there is no {component}; build it with `postern skill build {folder}`")]
    NotBuilt {
        /// The folder.
        folder: String,
        /// Where the component would be.
        component: String,
    },
    /// Other commands hold the lock for too long.
    #[error("another command changes the skills now; try again when it has ended")]
    Busy,
    /// Another generation became active while this one was made.
    #[error(
        "generation {current} became active while this was made of generation {expected}, so \
         nothing was changed; look at it with `postern skill history`, then try again"
    )]
    Moved {
        /// From which this was made.
        expected: u64,
        /// The active one.
        current: u64,
    },
    /// A component that is to run is not kept.
    #[error(
        "what skill {skill} consists of ({digest}) is not kept any more; install it again, or \
         choose another generation"
    )]
    Gone {
        /// The skill.
        skill: SkillId,
        /// Of its component or its files.
        digest: Digest,
    },
    /// There is no generation of this number.
    #[error("generation {0} is not kept; `postern skill history` shows which are")]
    NoGeneration(u64),
    /// There is nothing to go back to.
    #[error("there is no generation before {0} to go back to")]
    First(u64),
    /// The skill may not be replaced.
    #[error("skill {0} is pinned; `postern skill unpin {0}` lets it be replaced")]
    Pinned(SkillId),
    /// A newer version was active.
    #[error(
        "skill {skill} {version} is older than {highest}, which was active here; an old version \
         can bring back an old weakness, so it takes --allow-older (`postern skill rollback` \
         goes back to what ran before)"
    )]
    Older {
        /// The skill.
        skill: SkillId,
        /// What was offered.
        version: semver::Version,
        /// What was active.
        highest: semver::Version,
    },
    /// The version was active with other content.
    #[error(
        "skill {skill} {version} was active here as {seen}, and this is {offered}: a version \
         must not change what it is; raise the version, or take it with --allow-older"
    )]
    SameVersion {
        /// The skill.
        skill: SkillId,
        /// The version.
        version: semver::Version,
        /// What was active.
        seen: Box<Digest>,
        /// What was offered.
        offered: Box<Digest>,
    },
    /// A new version is on trial already.
    #[error(
        "skill {0} has a new version on trial; end that first with \
         `postern skill upgrade {0} --promote` or `--abort`"
    )]
    OnTrial(SkillId),
    /// No new version is on trial.
    #[error("skill {0} has no new version on trial; `postern skill list` shows which have")]
    NotOnTrial(SkillId),
    /// It is so already.
    #[error("skill {skill} is {state} already")]
    Already {
        /// The skill.
        skill: SkillId,
        /// What it is.
        state: &'static str,
    },
    /// It must not run any more.
    #[error("skill {skill} {version} must not run: {reason}")]
    Revoked {
        /// The skill.
        skill: SkillId,
        /// Its version.
        version: semver::Version,
        /// Who revoked what, and why.
        reason: String,
    },
}
