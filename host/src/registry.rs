//! Installed skills: components by digest, and generations that say which of
//! them are active with which grants.
//!
//! Nothing is changed in place. A component is staged, synced and renamed to its
//! digest; a generation is a new file; one rename of `current` activates it.

mod assets;
mod compile;
mod files;
mod generation;
mod load;

use std::{collections::BTreeSet, path::Path, sync::Mutex};

use postern_domain::{Digest, Interface, Manifest, SkillId, Timestamp, manifest::ManifestError};
use postern_runtime::{
    AssetError, Assets, Bounds, ComponentInfo, InspectError, Limits, LoadError, Runtime,
};
use serde::{Deserialize, Serialize};

pub use assets::read_assets;
pub use compile::{CompileError, CompileLimits, Compiler, answer_if_asked};
pub use generation::{Canary, CanaryRules, Generation, Installed, Made, SignedBy, Source};
pub use load::{ActiveSkill, Skills, check_usable};

use crate::{
    config::{Config, bounded, located},
    keys::MasterKey,
};

/// Bytes of a manifest.
pub(crate) const MOST_MANIFEST_BYTES: usize = 256 * 1024;

/// The stored form of a generation.
#[derive(Serialize, Deserialize)]
#[serde(tag = "version")]
enum GenerationFile {
    #[serde(rename = "1")]
    V1 { generation: Generation },
}

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
    Unlearnable(#[source] crate::brain::BrainError),
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
}

/// The registry of a data folder.
#[derive(Debug)]
pub struct Registry {
    files: files::Files,
    key: MasterKey,
    compiler: Compiler,
    /// Held while missing code is made, so that it is made once.
    compiling: Mutex<()>,
}

/// A component and its manifest, checked and ready to be installed.
pub struct Candidate {
    /// The manifest.
    pub manifest: Manifest,
    /// What the component imports and exports.
    pub info: ComponentInfo,
    bytes: Vec<u8>,
    assets: Assets,
}

impl Candidate {
    /// Checks a component, within these bounds, and its manifest against each other.
    ///
    /// # Errors
    /// The first thing that is wrong; the error names the file and the field.
    pub fn check(
        bounds: &Bounds,
        component_file: &str,
        bytes: Vec<u8>,
        manifest_file: &str,
        manifest: &str,
    ) -> Result<Self, RegistryError> {
        let manifest = parse_manifest(manifest_file, manifest)?;
        let info = Runtime::inspect_within(&bytes, bounds).map_err(|source| {
            RegistryError::Component { file: component_file.to_owned(), source }
        })?;
        let requested = manifest.requested();
        let skill = manifest.skill.id.clone();
        if let Some(interface) = info.imports.keys().find(|i| !requested.contains(i)) {
            return Err(RegistryError::Unrequested { skill, interface: *interface });
        }
        Ok(Self { manifest, info, bytes, assets: Assets::default() })
    }

    /// The same candidate with files of its own.
    #[must_use]
    pub fn with_assets(mut self, assets: Assets) -> Self {
        self.assets = assets;
        self
    }

    /// Digest of the component.
    pub fn digest(&self) -> Digest {
        Digest::of_bytes(&self.bytes)
    }
}

/// Reads and checks a manifest.
///
/// # Errors
/// It is too large, is not TOML of the known shape, or makes no sense.
pub fn parse_manifest(file: &str, text: &str) -> Result<Manifest, RegistryError> {
    if text.len() > MOST_MANIFEST_BYTES {
        let message = format!("{} bytes; at most {MOST_MANIFEST_BYTES}", text.len());
        return Err(RegistryError::ManifestSyntax { file: file.to_owned(), message });
    }
    let manifest: Manifest = toml::from_str(text).map_err(|error| {
        RegistryError::ManifestSyntax { file: file.to_owned(), message: located(text, &error) }
    })?;
    manifest.check().map_err(|ManifestError { field, reason }| {
        let source = ManifestError { field: bounded(&field), reason: bounded(&reason) };
        RegistryError::Manifest { file: file.to_owned(), source }
    })?;
    Ok(manifest)
}

impl Registry {
    /// Opens the registry in a data folder, making its folders if needed.
    ///
    /// # Errors
    /// The folders cannot be made.
    pub fn open(data: &Path, key: MasterKey, compiler: Compiler) -> Result<Self, RegistryError> {
        let files = files::Files::open(data)?;
        Ok(Self { files, key, compiler, compiling: Mutex::default() })
    }

    /// The active generation.
    ///
    /// # Errors
    /// Its file cannot be read or is damaged.
    pub fn current(&self) -> Result<Generation, RegistryError> {
        match self.files.current()? {
            None => Ok(Generation::default()),
            Some(number) => self.generation(number),
        }
    }

    /// The number of the active generation, which is cheap to ask for.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn current_number(&self) -> Result<u64, RegistryError> {
        Ok(self.files.current()?.unwrap_or_default())
    }

    /// A generation by its number.
    ///
    /// # Errors
    /// There is none, or its file is damaged.
    pub fn generation(&self, number: u64) -> Result<Generation, RegistryError> {
        if number == 0 {
            return Ok(Generation::default());
        }
        let (path, bytes) = self.files.read_generation(number)?;
        let GenerationFile::V1 { generation } = serde_json::from_slice(&bytes)
            .map_err(|error| RegistryError::Damaged { path, reason: error.to_string() })?;
        Ok(generation)
    }

    /// What a component of this registry imports and exports.
    ///
    /// # Errors
    /// Its file is missing or damaged, or this host cannot run it any more.
    pub fn inspect(&self, component: Digest) -> Result<ComponentInfo, RegistryError> {
        let bytes = self.files.component(component)?;
        // Whether it is too large was decided when it was installed.
        let bounds = Bounds {
            component_bytes: u64::MAX,
            memory_bytes: u64::MAX,
            table_elements: u64::MAX,
            ..Bounds::default()
        };
        Runtime::inspect_within(&bytes, &bounds)
            .map_err(|source| RegistryError::Component { file: component.to_string(), source })
    }

    /// Puts a candidate with these grants into the store of components and
    /// answers the generation in which it is active, to be activated. The
    /// component is compiled here, so serving never has to.
    ///
    /// # Errors
    /// An import was not granted, the skill cannot be compiled or used, or an
    /// intent is taken.
    pub fn install(
        &self,
        runtime: &Runtime,
        config: &Config,
        candidate: &Candidate,
        grants: BTreeSet<Interface>,
        now: Timestamp,
    ) -> Result<Generation, RegistryError> {
        let id = &candidate.manifest.skill.id;
        let mut generation = self.current()?;
        for intent in &candidate.manifest.intents {
            let taken = generation.skills.iter().find(|(other, installed)| {
                *other != id && installed.manifest.intents.iter().any(|i| i.name == intent.name)
            });
            if let Some((other, _)) = taken {
                return Err(RegistryError::IntentTaken {
                    skill: id.clone(),
                    intent: intent.name.clone(),
                    other: other.clone(),
                });
            }
        }
        load::check_usable(&candidate.manifest)?;
        let digest = candidate.digest();
        let engine = runtime.engine_fingerprint();
        let compiled = self
            .compiler
            .compile(&engine, &candidate.bytes, &config.compile)
            .map_err(|source| RegistryError::Compile { skill: id.clone(), source })?;
        let limits = Limits::for_manifest(&candidate.manifest.limits, &config.ceilings);
        // Linking proves that every import is granted, before anything is kept.
        runtime.load_bytes(id, &compiled, &grants, &limits).map_err(RegistryError::Ungranted)?;
        self.files.keep_component(digest, &candidate.bytes)?;
        self.files.keep_compiled(&self.key, digest, &engine, compiled)?;
        let assets = self.files.keep_assets(&candidate.assets)?;
        let manifest = candidate.manifest.clone();
        let installed = Installed {
            manifest,
            digest,
            assets,
            grants,
            installed_at: now,
            source: None,
            signed_by: None,
        };
        generation.skills.insert(id.clone(), installed);
        generation.number += 1;
        Ok(generation)
    }

    /// The generation without a skill, to be activated. The component stays, for
    /// replay.
    ///
    /// # Errors
    /// There is no such skill.
    pub fn remove(&self, id: &SkillId) -> Result<Generation, RegistryError> {
        let mut generation = self.current()?;
        if generation.skills.remove(id).is_none() {
            return Err(RegistryError::Unknown(id.clone()));
        }
        generation.number += 1;
        Ok(generation)
    }

    /// Makes a generation the active one, by one rename.
    ///
    /// # Errors
    /// Its file cannot be written; the last one stays active.
    pub fn activate(&self, generation: &Generation) -> Result<(), RegistryError> {
        let file = GenerationFile::V1 { generation: generation.clone() };
        let bytes = serde_json::to_vec_pretty(&file).expect("a generation serializes to JSON");
        self.files.activate(generation.number, &bytes)
    }
}

#[cfg(test)]
mod tests;
