//! Generations that are ready to serve.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use postern_domain::{ConversationId, Digest, Interface, Manifest, SkillId};
use postern_runtime::{Limits, LoadedSkill};

use super::{Canary, Installed, SignedBy};
use crate::{brain::Brain, canary, keys::MasterKey};

/// A skill that can be called.
pub struct ActiveSkill {
    /// Its manifest.
    pub manifest: Manifest,
    /// Digest of its component.
    pub digest: Digest,
    /// Digest of its own files, if it has any.
    pub assets: Option<Digest>,
    /// Who signed it, if somebody did.
    pub signed_by: Option<SignedBy>,
    /// What it was granted.
    pub grants: BTreeSet<Interface>,
    /// The component, ready to run.
    pub component: LoadedSkill,
    /// What it gets at most.
    pub limits: Limits,
    /// What the operator set, or the manifest's defaults.
    pub settings: Vec<(String, String)>,
    /// Checks of arguments, by tool.
    pub schemas: BTreeMap<String, jsonschema::Validator>,
}

/// The skills of one generation with what was learnt from their examples.
pub struct Skills {
    /// Number of the generation.
    pub number: u64,
    /// Digest of the generation.
    pub digest: Digest,
    /// The skills.
    pub active: BTreeMap<SkillId, Arc<ActiveSkill>>,
    /// Skills that are installed and do not run.
    pub left_out: BTreeMap<SkillId, LeftOut>,
    /// What understands messages.
    pub brain: Arc<Brain>,
}

/// A skill that is installed and does not run.
#[derive(Clone, Debug)]
pub struct LeftOut {
    /// What is installed.
    pub installed: Installed,
    /// Why it does not run.
    pub why: Why,
}

/// Why a skill that is installed does not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The operator has disabled it.
    Disabled,
    /// Its component or who signed it is revoked; the text says by what.
    Revoked(String),
    /// Its files are not what they were; the text says which.
    Damaged(String),
}

impl Why {
    /// Every name for machines.
    pub const NAMES: [&str; 3] = ["disabled", "revoked", "damaged"];

    /// A name for machines.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Revoked(_) => "revoked",
            Self::Damaged(_) => "damaged",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disabled => f.write_str("disabled by the operator"),
            Self::Revoked(why) | Self::Damaged(why) => f.write_str(why),
        }
    }
}

/// A generation, ready to serve: the skills of most conversations, and those of the
/// conversations that get a version on trial.
pub struct Loaded {
    /// What most conversations get.
    pub stable: Arc<Skills>,
    /// The version on trial, if there is one.
    pub trial: Option<Trial>,
}

/// A new version that some conversations get.
pub struct Trial {
    /// The skill.
    pub skill: SkillId,
    /// What the generation says of it.
    pub canary: Canary,
    /// All skills of the generation, with the new version in place of the old one; or
    /// why the new version does not run.
    pub skills: Result<Arc<Skills>, Why>,
}

impl Loaded {
    /// The skills that a conversation gets: always the same ones of a generation.
    pub fn skills_for(&self, key: &MasterKey, conversation: &ConversationId) -> &Arc<Skills> {
        match &self.trial {
            Some(Trial { canary, skills: Ok(skills), .. })
                if canary::is_chosen(key, conversation, canary) =>
            {
                skills
            }
            Some(_) | None => &self.stable,
        }
    }

    /// The skills with which a turn that began under this generation goes on. If the
    /// conversation got a version on trial that does not run any more, that skill is left
    /// out: what one version began, another one must not end.
    pub fn skills_begun(&self, key: &MasterKey, conversation: &ConversationId) -> Arc<Skills> {
        match &self.trial {
            Some(Trial { skill, canary, skills: Err(why) })
                if canary::is_chosen(key, conversation, canary) =>
            {
                let Skills { number, digest, active, left_out, brain } = &*self.stable;
                let (mut active, mut left_out) = (active.clone(), left_out.clone());
                active.remove(skill);
                let installed = canary.installed.clone();
                left_out.insert(skill.clone(), LeftOut { installed, why: why.clone() });
                let (number, digest, brain) = (*number, *digest, Arc::clone(brain));
                Arc::new(Skills { number, digest, active, left_out, brain })
            }
            Some(_) | None => Arc::clone(self.skills_for(key, conversation)),
        }
    }

    /// The component of a skill that most conversations get, whether it runs or not.
    pub fn stable_digest(&self, skill: &SkillId) -> Option<Digest> {
        let Skills { active, left_out, .. } = &*self.stable;
        let running = active.get(skill).map(|skill| skill.digest);
        running.or_else(|| left_out.get(skill).map(|it| it.installed.digest))
    }

    /// Every component that may run, by skill.
    pub fn running(&self) -> impl Iterator<Item = (&SkillId, &Arc<ActiveSkill>)> {
        let trial = self.trial.iter().filter_map(|trial| trial.skills.as_ref().ok());
        let on_trial = trial.flat_map(|skills| &skills.active);
        self.stable.active.iter().chain(on_trial)
    }
}
