//! What a manifest says of tools, intents and entities.

use std::collections::{BTreeMap, BTreeSet};

use postern_domain::{Manifest, manifest::Tool};
use serde_json::Value;

use super::Finding;
use crate::brain::Brain;

/// Examples with which an intent is told from others reliably.
const ENOUGH_EXAMPLES: usize = 15;

/// Tools whose schemas cannot be used, that do something unasked, or that nobody reaches.
pub(super) fn tools(manifest: &Manifest, findings: &mut Vec<Finding>) {
    let undoing: BTreeSet<_> =
        manifest.tools.iter().filter_map(|tool| tool.undone_by.as_deref()).collect();
    for (i, tool) in manifest.tools.iter().enumerate() {
        let field = format!("tools[{i}]");
        if let Err(error) = jsonschema::validator_for(&tool.arguments) {
            findings.push(Finding::error(
                format!("{field}.arguments{}", error.instance_path()),
                format!("tool {:?}: not a JSON Schema: {error}", tool.name),
                "write it as https://json-schema.org says (draft 2020-12)",
            ));
        }
        for name in required(tool) {
            if property(tool, name).is_none() {
                findings.push(Finding::error(
                    format!("{field}.arguments.required"),
                    format!(
                        "argument {name:?} of tool {:?} is required and not declared",
                        tool.name
                    ),
                    format!("declare it under arguments.properties.{name}, or do not require it"),
                ));
            }
        }
        if tool.arguments.get("additionalProperties") != Some(&Value::Bool(false)) {
            findings.push(Finding::warning(
                format!("{field}.arguments.additionalProperties"),
                format!("tool {:?} takes arguments that it does not declare", tool.name),
                "set additionalProperties = false, so that a misspelt one is refused",
            ));
        }
        if !tool.read_only && tool.confirm.is_none() {
            let more = if tool.reversible { "" } else { " that cannot be undone" };
            findings.push(Finding::warning(
                format!("{field}.confirm"),
                format!("tool {:?} changes something{more}, and has no question for the \
                         customer if a rule wants their yes", tool.name),
                "write confirm = \"Shall I … {argument}?\", so that the question says what will be done",
            ));
        }
        let is_served = manifest.intents.iter().any(|intent| intent.tool == tool.name);
        if !is_served && !tool.identifies && !undoing.contains(tool.name.as_str()) {
            findings.push(Finding::warning(
                field,
                format!("no intent serves tool {:?}, so no customer gets to it", tool.name),
                "add [[intents]] with its examples, or leave the tool out",
            ));
        }
    }
}

/// Intents that are learnt badly, or whose tool would refuse what they give.
pub(super) fn intents(manifest: &Manifest, findings: &mut Vec<Finding>) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for (i, intent) in manifest.intents.iter().enumerate() {
        let field = format!("intents[{i}]");
        let count = intent.examples.len();
        if count < ENOUGH_EXAMPLES {
            findings.push(Finding::warning(
                format!("{field}.examples"),
                format!(
                    "intent {:?} has {count} examples, too few to be told from others",
                    intent.name
                ),
                format!(
                    "add {} sentences as customers write them, with their mistakes",
                    ENOUGH_EXAMPLES - count
                ),
            ));
        }
        for (n, example) in intent.examples.iter().enumerate() {
            let words = example.to_lowercase();
            match seen.insert(words, &intent.name) {
                Some(other) if other != intent.name => findings.push(Finding::error(
                    format!("{field}.examples[{n}]"),
                    format!(
                        "{example:?} is an example of {other:?}, too: neither can be reached by it"
                    ),
                    "keep it where it belongs",
                )),
                Some(_) => findings.push(Finding::warning(
                    format!("{field}.examples[{n}]"),
                    format!("{example:?} stands here twice and teaches nothing new"),
                    "say it in other words",
                )),
                None => {}
            }
        }
        // That the tool is there is known: the manifest was checked.
        let Some(tool) = manifest.tool(&intent.tool) else { continue };
        for name in required(tool) {
            if intent.required.iter().any(|given| given == name) {
                continue;
            }
            let (missing, next) = (
                format!("tool {:?} requires argument {name:?}", tool.name),
                format!("add {name:?} to {field}.required"),
            );
            findings.push(if intent.optional.iter().any(|given| given == name) {
                let reason =
                    format!("{missing}, which customers need not give: calls without it fail");
                Finding::warning(format!("{field}.optional"), reason, next)
            } else {
                let reason = format!(
                    "{missing}, which intent {:?} never gives: every call fails",
                    intent.name
                );
                Finding::error(format!("{field}.required"), reason, next)
            });
        }
        for (list, names) in [("required", &intent.required), ("optional", &intent.optional)] {
            for name in names {
                let wanted = if name == "confirmed" { "boolean" } else { "string" };
                if property(tool, name).is_some_and(|schema| !takes(schema, wanted)) {
                    findings.push(Finding::error(
                        format!("{field}.{list}"),
                        format!(
                            "entity {name:?} is given as a {wanted}, which argument {name:?} of \
                                 tool {:?} does not take",
                            tool.name
                        ),
                        format!("give the argument type = {wanted:?}"),
                    ));
                }
            }
        }
    }
}

/// Entities that cannot be recognised, or that nobody asks for.
pub(super) fn entities(manifest: &Manifest, findings: &mut Vec<Finding>) {
    if let Err(error) = Brain::check(manifest) {
        findings.push(Finding::error(
            "entities",
            error.to_string(),
            "use the syntax of the regex crate, without look-around and back-references",
        ));
    }
    for (i, entity) in manifest.entities.iter().enumerate() {
        let used = |names: &[String]| names.contains(&entity.name);
        if !manifest.intents.iter().any(|intent| used(&intent.required) || used(&intent.optional)) {
            findings.push(Finding::warning(
                format!("entities[{i}]"),
                format!("no intent uses entity {:?}", entity.name),
                "name it in `required` or `optional` of an intent, or leave it out",
            ));
        }
    }
}

fn required(tool: &Tool) -> impl Iterator<Item = &str> {
    let list = tool.arguments.get("required").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}

/// The schema of an argument. Names have no characters that a pointer would escape.
fn property<'a>(tool: &'a Tool, name: &str) -> Option<&'a Value> {
    tool.arguments.get("properties")?.get(name)
}

/// Whether a schema takes values of this type, as far as it says.
fn takes(schema: &Value, wanted: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(one)) => one == wanted,
        Some(Value::Array(several)) => several.iter().any(|one| one == wanted),
        _ => true,
    }
}
