//! The manifest of a skill, `skill.toml`.

mod capability;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use self::capability::Capability;
use crate::{HostCall, IdentityLevel, Interface, SkillId};

/// A whole manifest. [`Manifest::check`] holds what types cannot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// What the skill is.
    pub skill: About,
    /// What it can do.
    pub tools: Vec<Tool>,
    /// What it answers.
    #[serde(default)]
    pub intents: Vec<Intent>,
    /// What it recognises in messages.
    #[serde(default)]
    pub entities: Vec<Entity>,
    /// What it asks for.
    #[serde(default)]
    pub capabilities: Vec<Capability>,
    /// What the operator may set.
    #[serde(default)]
    pub settings: Vec<Setting>,
    /// What it needs of the machine.
    #[serde(default)]
    pub limits: RequestedLimits,
}

/// What the skill is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Its name.
    pub id: SkillId,
    /// Its version.
    pub version: semver::Version,
    /// One sentence for operators.
    pub description: String,
    /// Who answers for it.
    pub publisher: String,
}

/// One thing that a skill can do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its name: lower-case letters, digits and underscores.
    pub name: String,
    /// One sentence for operators and planners.
    pub description: String,
    /// Whether it changes nothing.
    pub read_only: bool,
    /// Whether calling it twice does no more than once.
    pub idempotent: bool,
    /// Whether what it does can be undone.
    pub reversible: bool,
    /// The tool that undoes it.
    #[serde(default)]
    pub undone_by: Option<String>,
    /// How well the customer must be known before it is called.
    #[serde(default)]
    pub identity: IdentityLevel,
    /// Whether a successful call identifies the customer.
    #[serde(default)]
    pub identifies: bool,
    /// What the customer is asked before a call of this tool does something that
    /// needs their yes, with `{name}` for arguments and `{amount}` for the money
    /// that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
    /// JSON Schema of its arguments: an object.
    pub arguments: serde_json::Value,
}

/// Something that customers want.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// Its name: lower-case letters, digits and underscores.
    pub name: String,
    /// The tool that serves it.
    pub tool: String,
    /// Entities without which the tool cannot be called; each is an argument.
    #[serde(default)]
    pub required: Vec<String>,
    /// Entities that are passed on when the customer mentions them.
    #[serde(default)]
    pub optional: Vec<String>,
    /// Sentences as customers write them.
    pub examples: Vec<String>,
}

/// Something that a skill recognises in messages by its shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entity {
    /// Its name.
    pub name: String,
    /// A regular expression (the `regex` crate's syntax), matched without
    /// regard to case.
    pub pattern: String,
    /// The normal form, with `$1` … for groups; upper case.
    #[serde(default = "whole_match")]
    pub normal: String,
    /// The question when it is missing.
    pub ask: String,
}

fn whole_match() -> String {
    "$0".to_owned()
}

/// A value that the operator may set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// The value when nothing is set; without one, the operator must set it.
    #[serde(default)]
    pub default: Option<String>,
}

/// Limits that a skill asks for. They only lower what the operator allows.
///
/// Those that were added later are left out when they are not set, so that the
/// digest of a generation that was installed before stays the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct RequestedLimits {
    /// Bytes of all linear memories together, in MiB.
    pub memory_mib: Option<u32>,
    /// Elements of all tables together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_elements: Option<u64>,
    /// Stack of the guest's own code, in KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_kib: Option<u32>,
    /// Guest CPU time in milliseconds.
    pub cpu_ms: Option<u32>,
    /// Time for a whole call in milliseconds.
    pub wall_ms: Option<u32>,
    /// Units of fuel, about one an instruction, on hosts that count it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
    /// Number of host calls.
    pub host_calls: Option<u32>,
    /// Number of host calls of single interfaces.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub interface_calls: BTreeMap<Interface, u32>,
    /// What the guest gives to the host, in KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_kib: Option<u32>,
    /// What the guest gets from the host, in KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received_kib: Option<u32>,
    /// Number of log lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_lines: Option<u32>,
    /// All log lines together, in KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_kib: Option<u32>,
    /// The texts of an outcome, in KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_kib: Option<u32>,
    /// Calls of the skill that run at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skill_calls: Option<u32>,
}

/// Entities that the host recognises by itself.
pub const BUILT_IN_ENTITIES: [&str; 5] =
    ["email", "first_name", "last_name", "postcode", "confirmed"];

/// Something that is wrong with a manifest.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{field}: {reason}")]
pub struct ManifestError {
    /// Where: `intents[2].tool`.
    pub field: String,
    /// What is wrong, and what would be right.
    pub reason: String,
}

fn wrong(field: impl Into<String>, reason: impl Into<String>) -> ManifestError {
    ManifestError { field: field.into(), reason: reason.into() }
}

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

impl Manifest {
    /// The tool of this name.
    pub fn tool(&self, name: &str) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.name == name)
    }

    /// The interfaces it asks for.
    pub fn requested(&self) -> BTreeSet<Interface> {
        self.capabilities.iter().map(|capability| capability.interface).collect()
    }

    /// Whether it asks for so much that this call is in it. `host` is the host of the URL
    /// of an HTTP request.
    pub fn asks_for(&self, call: &HostCall, host: Option<&str>) -> bool {
        self.capabilities.iter().any(|capability| capability.covers(call, host))
    }

    /// Holds what the types cannot: names, references, numbers.
    ///
    /// # Errors
    /// The first thing that is wrong, with its field.
    pub fn check(&self) -> Result<(), ManifestError> {
        if self.tools.is_empty() {
            return Err(wrong("tools", "a skill needs at least one tool"));
        }
        for (field, text) in [
            ("skill.description", &self.skill.description),
            ("skill.publisher", &self.skill.publisher),
        ] {
            check_text(field, text, 400)?;
        }
        self.check_tools()?;
        self.check_entities()?;
        self.check_intents()?;
        let mut seen = BTreeSet::new();
        for (i, capability) in self.capabilities.iter().enumerate() {
            capability.check(&format!("capabilities[{i}]"))?;
            if !seen.insert(capability.interface) {
                let reason = format!("{} is requested twice", capability.interface);
                return Err(wrong(format!("capabilities[{i}].interface"), reason));
            }
        }
        let mut seen = BTreeSet::new();
        for (i, setting) in self.settings.iter().enumerate() {
            check_name(&format!("settings[{i}].name"), &setting.name, &mut seen)?;
            check_text(&format!("settings[{i}].description"), &setting.description, 400)?;
        }
        Ok(())
    }

    fn check_tools(&self) -> Result<(), ManifestError> {
        let mut seen = BTreeSet::new();
        for (i, tool) in self.tools.iter().enumerate() {
            check_name(&format!("tools[{i}].name"), &tool.name, &mut seen)?;
            check_text(&format!("tools[{i}].description"), &tool.description, 400)?;
            if tool.arguments.get("type").and_then(|t| t.as_str()) != Some("object") {
                let field = format!("tools[{i}].arguments.type");
                return Err(wrong(field, "the schema of arguments must have type \"object\""));
            }
            if let Some(confirm) = &tool.confirm {
                check_text(&format!("tools[{i}].confirm"), confirm, 400)?;
            }
            if let Some(undo) = &tool.undone_by
                && self.tool(undo).is_none()
            {
                return Err(wrong(format!("tools[{i}].undone_by"), format!("no tool {undo:?}")));
            }
        }
        Ok(())
    }

    fn check_entities(&self) -> Result<(), ManifestError> {
        let mut seen = BTreeSet::new();
        for (i, entity) in self.entities.iter().enumerate() {
            check_name(&format!("entities[{i}].name"), &entity.name, &mut seen)?;
            check_text(&format!("entities[{i}].ask"), &entity.ask, 400)?;
            check_text(&format!("entities[{i}].pattern"), &entity.pattern, 400)?;
            if BUILT_IN_ENTITIES.contains(&entity.name.as_str()) {
                let reason = format!("{:?} is recognised by the host itself", entity.name);
                return Err(wrong(format!("entities[{i}].name"), reason));
            }
        }
        Ok(())
    }

    fn check_intents(&self) -> Result<(), ManifestError> {
        let own: BTreeMap<_, _> = self.entities.iter().map(|e| (e.name.as_str(), e)).collect();
        let mut seen = BTreeSet::new();
        for (i, intent) in self.intents.iter().enumerate() {
            check_name(&format!("intents[{i}].name"), &intent.name, &mut seen)?;
            let Some(tool) = self.tool(&intent.tool) else {
                return Err(wrong(
                    format!("intents[{i}].tool"),
                    format!("no tool {:?}", intent.tool),
                ));
            };
            for (list, names) in [("required", &intent.required), ("optional", &intent.optional)] {
                for name in names {
                    let field = format!("intents[{i}].{list}");
                    if !own.contains_key(name.as_str())
                        && !BUILT_IN_ENTITIES.contains(&name.as_str())
                    {
                        let reason = format!(
                            "no entity {name:?}; declare it under [[entities]], or use one of {}",
                            BUILT_IN_ENTITIES.join(", ")
                        );
                        return Err(wrong(field, reason));
                    }
                    if tool.arguments.pointer(&format!("/properties/{name}")).is_none() {
                        let reason = format!("tool {:?} has no argument {name:?}", tool.name);
                        return Err(wrong(field, reason));
                    }
                }
            }
            if intent.examples.len() < 5 {
                let reason = format!(
                    "{} examples; at least 5 are needed and 15 or more make a difference",
                    intent.examples.len()
                );
                return Err(wrong(format!("intents[{i}].examples"), reason));
            }
            for (n, example) in intent.examples.iter().enumerate() {
                check_text(&format!("intents[{i}].examples[{n}]"), example, 400)?;
            }
        }
        Ok(())
    }
}

/// Whether a text can be shown to people as it is: on a terminal, control characters
/// could hide or fake what stands around it.
fn check_text(field: &str, text: &str, most: usize) -> Result<(), ManifestError> {
    if text.trim().is_empty() {
        return Err(wrong(field, "must not be empty"));
    }
    if text.len() > most {
        return Err(wrong(field, format!("{} bytes; at most {most}", text.len())));
    }
    if let Some(c) = text.chars().find(|c| c.is_control()) {
        return Err(wrong(field, format!("has the control character {c:?}; leave it out")));
    }
    Ok(())
}

fn check_name<'a>(
    field: &str,
    name: &'a str,
    seen: &mut BTreeSet<&'a str>,
) -> Result<(), ManifestError> {
    if !is_name(name) {
        let reason =
            format!("{name:?}: use lower-case letters, digits and underscores, a letter first");
        return Err(wrong(field, reason));
    }
    if !seen.insert(name) {
        return Err(wrong(field, format!("{name:?} stands here twice")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
