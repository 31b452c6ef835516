//! What a generation says: which skills are active, from where, and under which grants.

use std::collections::{BTreeMap, BTreeSet};

use postern_domain::{Digest, Interface, Manifest, SkillId, Timestamp, digest_of};
use semver::Version;
use serde::{Deserialize, Serialize};

/// A skill as a generation lists it.
///
/// What was added later is left out when it is not set, so that the digest of a
/// generation that was written before stays the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Installed {
    /// The manifest.
    pub manifest: Manifest,
    /// Digest of the component.
    pub digest: Digest,
    /// Digest of the skill's own files, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assets: Option<Digest>,
    /// Interfaces that the operator granted to this digest.
    pub grants: BTreeSet<Interface>,
    /// When it was installed.
    pub installed_at: Timestamp,
    /// Where it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Who signed it; nothing if the operator took it unsigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<SignedBy>,
}

/// Where a component came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Source {
    /// A file or folder.
    Path {
        /// As the operator gave it.
        path: String,
    },
    /// A web server.
    Https {
        /// Its address, without credentials.
        url: String,
    },
    /// An OCI registry.
    Oci {
        /// `oci://registry/repository:tag` as the operator gave it.
        reference: String,
        /// Digest of the manifest to which it resolved.
        manifest: Digest,
    },
}

/// A signature that was verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedBy {
    /// The publisher whose key it is.
    pub publisher: String,
    /// The id of the key, 16 hexadecimal digits.
    pub key: String,
}

/// A new version that some conversations get, until it is promoted or aborted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Canary {
    /// The new version.
    pub installed: Installed,
    /// Of 1,000 conversations so many get it.
    pub permille: u16,
    /// Since when.
    pub since: Timestamp,
    /// When it is promoted or aborted.
    pub rules: CanaryRules,
}

/// When a canary is promoted or aborted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CanaryRules {
    /// Calls of the new version before anything is decided.
    pub calls: u32,
    /// Seconds after which it is promoted at the earliest.
    pub seconds: u32,
    /// It is aborted when its share of failed calls is so many percentage points
    /// above that of the old version.
    pub more_errors_percent: f64,
    /// It is aborted when its p95 is so many times that of the old version.
    pub slower: f64,
}

impl Default for CanaryRules {
    fn default() -> Self {
        Self { calls: 50, seconds: 600, more_errors_percent: 2.0, slower: 1.5 }
    }
}

/// What made a generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// When.
    pub at: Timestamp,
    /// Who, as the audit log names them.
    pub by: String,
    /// What was done, for people: `upgrade order-status 1.0.0 → 1.1.0`.
    pub what: String,
    /// The generation that was active before.
    pub before: u64,
    /// The generation whose skills are active again in this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restores: Option<u64>,
}

/// The highest version of a skill that was active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The version.
    pub version: Version,
    /// What it was.
    pub digest: Digest,
}

/// Which skills are active. Immutable once written.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Generation {
    /// Its number, from 1; 0 is the empty one before the first.
    pub number: u64,
    /// The skills.
    pub skills: BTreeMap<SkillId, Installed>,
    /// Skills that are installed and do not run.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub disabled: BTreeSet<SkillId>,
    /// Skills that are not upgraded.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub pinned: BTreeSet<SkillId>,
    /// New versions on trial, at most one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub canaries: BTreeMap<SkillId, Canary>,
    /// The highest version of each skill that was active in this generation or one
    /// before, also if the skill was removed since.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub seen: BTreeMap<SkillId, Seen>,
    /// What made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<Made>,
}

impl Generation {
    /// A name for exactly this set of skills and grants.
    pub fn digest(&self) -> Digest {
        digest_of(self)
    }

    /// Who published a skill of it.
    pub fn publisher_of(&self, skill: &SkillId) -> Option<String> {
        Some(self.skills.get(skill)?.manifest.skill.publisher.clone())
    }
}
