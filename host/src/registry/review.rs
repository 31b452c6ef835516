//! What an operator is shown before a skill is installed, in words.

mod difference;
mod probe;

use std::collections::BTreeSet;

use postern_domain::{
    Digest, IdentityLevel, Interface, Manifest,
    manifest::{Capability, Tool},
};
use postern_policy::PolicySet;
use serde::Serialize;

pub use difference::{Difference, difference};
pub use probe::{Answer, Judged};

use super::{Candidate, Origin, SignedBy, Source};
use crate::{
    config::{Config, bounded},
    profile::{self, LimitRow},
};

/// Everything that matters for the question whether to install a skill.
#[derive(Clone, Debug, Serialize)]
pub struct Review {
    /// The skill.
    pub skill: String,
    /// Its version.
    pub version: String,
    /// What it says of itself.
    pub description: String,
    /// Who answers for it, as it says itself.
    pub publisher: String,
    /// Who signed it; none: nobody whom you trust.
    pub signed_by: Option<SignedBy>,
    /// Where it came from.
    pub source: Option<Source>,
    /// Digest of what would be installed.
    pub digest: Digest,
    /// Bytes of it.
    pub bytes: usize,
    /// Files that it brings.
    pub files: usize,
    /// What it can do.
    pub tools: Vec<ToolLine>,
    /// What it asks for.
    pub wishes: Vec<Wish>,
    /// What about it is money, or cannot be undone.
    pub warnings: Vec<String>,
    /// Limits of which it asks for another than it would get.
    pub limits: Vec<LimitRow>,
    /// What the rules in force say to what it would do.
    pub judged: Vec<Judged>,
}

/// What a skill can do.
#[derive(Clone, Debug, Serialize)]
pub struct ToolLine {
    /// The tool.
    pub name: String,
    /// What it says of itself.
    pub description: String,
    /// What it does to things.
    pub effect: &'static str,
    /// How well the customer must be known.
    pub identity: IdentityLevel,
}

/// What a skill asks for.
#[derive(Clone, Debug, Serialize)]
pub struct Wish {
    /// The capability.
    pub interface: Interface,
    /// Why, in its author's words.
    pub reason: String,
    /// What it means.
    pub means: Vec<String>,
}

impl Review {
    /// Reviews a candidate under a configuration and the rules in force.
    pub fn of(candidate: &Candidate, origin: &Origin, config: &Config, rules: &PolicySet) -> Self {
        let manifest = &candidate.manifest;
        let skill = &manifest.skill;
        let mut limits = profile::limits(&manifest.limits, &config.ceilings);
        limits.retain(|row| {
            row.asked.as_ref().is_some_and(|asked| Some(asked) != row.default.as_ref())
        });
        Self {
            skill: skill.id.to_string(),
            version: skill.version.to_string(),
            description: bounded(&skill.description),
            publisher: bounded(&skill.publisher),
            signed_by: origin.signed_by.clone(),
            source: origin.source.clone(),
            digest: candidate.digest(),
            bytes: candidate.bytes().len(),
            files: candidate.assets().files().count(),
            tools: manifest.tools.iter().map(ToolLine::of).collect(),
            wishes: manifest.capabilities.iter().map(Wish::of).collect(),
            warnings: warnings(manifest, config),
            limits,
            judged: probe::judge(manifest, config, rules),
        }
    }
}

impl ToolLine {
    fn of(tool: &Tool) -> Self {
        let effect = match (tool.read_only, tool.reversible) {
            (true, _) => "reads",
            (false, true) => "changes things",
            (false, false) => "changes things for good",
        };
        Self {
            name: tool.name.clone(),
            description: bounded(&tool.description),
            effect,
            identity: tool.identity,
        }
    }
}

impl Wish {
    fn of(capability: &Capability) -> Self {
        let Capability { interface, reason, .. } = capability;
        Self { interface: *interface, reason: bounded(reason), means: means(capability) }
    }
}

/// What a capability means, each line a thing that a skill with it can do.
pub fn means(capability: &Capability) -> Vec<String> {
    let list = |names: &Option<BTreeSet<String>>, all: &str| match names {
        None => all.to_owned(),
        Some(names) if names.is_empty() => "nothing".to_owned(),
        Some(names) => names.iter().map(|name| bounded(name)).collect::<Vec<_>>().join(", "),
    };
    let Capability { reads, writes, hosts, audiences, .. } = capability;
    let every = "every collection that rules let it";
    match capability.interface {
        Interface::Log => vec!["writes lines into the host's log".to_owned()],
        Interface::Records => vec![
            format!("reads records of: {}", list(reads, every)),
            format!("writes records of: {}", list(writes, every)),
        ],
        Interface::Knowledge => vec![format!("searches in: {}", list(reads, every))],
        Interface::Http => {
            vec![format!("sends requests to: {}", list(hosts, "every server that rules let it"))]
        }
        Interface::Message => {
            vec![format!("writes messages to: {}", list(audiences, "whomever rules let it"))]
        }
        Interface::Kv => vec!["keeps values of its own between calls".to_owned()],
        Interface::Ticket => vec!["opens and changes tickets, reads earlier ones".to_owned()],
        Interface::Handover => vec!["hands conversations over to people".to_owned()],
        Interface::Model => vec!["sends text to the language model".to_owned()],
        Interface::Schedule => vec!["has its tools run later, without a customer".to_owned()],
    }
}

/// Money, and what cannot be undone.
fn warnings(manifest: &Manifest, config: &Config) -> Vec<String> {
    let mut found = Vec::new();
    for tool in manifest.tools.iter().filter(|tool| !tool.read_only && !tool.reversible) {
        found.push(format!("what {} does cannot be undone", tool.name));
    }
    for capability in &manifest.capabilities {
        let within = |list: &Option<BTreeSet<String>>, name: &str| {
            list.as_ref().is_none_or(|list| list.contains(name))
        };
        match capability.interface {
            Interface::Records => {
                for (name, collection) in config.collections.iter() {
                    if collection.amount.is_some() && within(&capability.writes, name) {
                        found.push(format!("it can move money: records of {name} have an amount"));
                    }
                }
            }
            Interface::Http => {
                for (name, endpoint) in &config.endpoints {
                    let host = endpoint.url.host_str().unwrap_or_default();
                    let grant = endpoint.grants.get(&manifest.skill.id);
                    let Some(grant) = grant.filter(|_| within(&capability.hosts, host)) else {
                        continue;
                    };
                    if grant.amount.is_some() {
                        found.push(format!(
                            "it can move money: its requests to {name} have an amount"
                        ));
                    }
                    if grant.irreversible {
                        found.push(format!("what it does at {name} cannot be undone"));
                    }
                }
            }
            Interface::Message if within(&capability.audiences, "customers") => {
                found.push("it can write to customers who did not ask".to_owned());
            }
            Interface::Log
            | Interface::Kv
            | Interface::Knowledge
            | Interface::Model
            | Interface::Ticket
            | Interface::Message
            | Interface::Handover
            | Interface::Schedule => {}
        }
    }
    found
}
