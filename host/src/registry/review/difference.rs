//! What a new version of a skill has that the old one had not.

use std::collections::{BTreeMap, BTreeSet};

use postern_domain::{
    Digest, Interface, Manifest,
    manifest::{Capability, Tool},
};
use serde::Serialize;

use super::means;
use crate::registry::{Installed, SignedBy};

/// How a new version differs from what is installed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The version before, and the new one.
    pub version: (String, String),
    /// Whether the content is the same.
    pub same_content: bool,
    /// Wishes that go beyond those of the old version, and guards of its tools that are
    /// weaker: they need a grant.
    pub wider: Vec<String>,
    /// Wishes that it has not any more, or less of.
    pub narrower: Vec<String>,
    /// Changes of who publishes or signs it: they need a grant, too.
    pub signer: Vec<String>,
    /// Everything else that an operator may want to know.
    pub other: Vec<String>,
    /// The grants of the old version that stay without asking.
    pub stay: BTreeSet<Interface>,
}

impl Difference {
    /// Whether somebody has to say yes to it.
    pub fn needs_grant(&self) -> bool {
        !self.wider.is_empty() || !self.signer.is_empty()
    }
}

/// Compares a new manifest and digest, and who signed them, with what is installed.
pub fn difference(
    old: &Installed,
    is: &Manifest,
    digest: Digest,
    signed_by: Option<&SignedBy>,
) -> Difference {
    let was = &old.manifest;
    let mut found = Difference {
        version: (was.skill.version.to_string(), is.skill.version.to_string()),
        same_content: old.digest == digest,
        ..Difference::default()
    };
    let requested = is.requested();
    found.stay = old.grants.intersection(&requested).copied().collect();
    for interface in was.requested().union(&requested) {
        wishes(&mut found, *interface, was, is);
    }
    if was.skill.publisher != is.skill.publisher {
        let (was, is) = (&was.skill.publisher, &is.skill.publisher);
        found.signer.push(format!("publisher: {was:?} before, now {is:?}"));
    }
    if old.signed_by.as_ref() != signed_by {
        let named = |signer: Option<&SignedBy>| {
            signer.map_or("nobody".to_owned(), |by| format!("key {} of {}", by.key, by.publisher))
        };
        let (was, is) = (named(old.signed_by.as_ref()), named(signed_by));
        // Who signs what nobody signed takes nothing away.
        let line = format!("signed by {was} before, now by {is}");
        if old.signed_by.is_some() { found.signer.push(line) } else { found.other.push(line) }
    }
    tools(&mut found, was, is);
    intents(&mut found.other, was, is);
    let (before, after) = (&was.limits, &is.limits);
    if before != after {
        let values = |limits| match serde_json::to_value(limits) {
            Ok(serde_json::Value::Object(values)) => values,
            _ => serde_json::Map::new(),
        };
        let (before, after) = (values(before), values(after));
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for name in names {
            let (was, is) = (before.get(name), after.get(name));
            if was != is {
                let shown = |value: Option<&serde_json::Value>| {
                    value
                        .filter(|it| !it.is_null())
                        .map_or("nothing".to_owned(), ToString::to_string)
                };
                found.other.push(format!(
                    "limits.{name}: asked for {} before, now {}",
                    shown(was),
                    shown(is)
                ));
            }
        }
    }
    let settings = |manifest: &Manifest| -> BTreeSet<String> {
        manifest.settings.iter().map(|setting| setting.name.clone()).collect()
    };
    for name in settings(is).difference(&settings(was)) {
        found.other.push(format!("setting {name} is new"));
    }
    found
}

fn of(manifest: &Manifest, interface: Interface) -> Vec<&Capability> {
    manifest.capabilities.iter().filter(|capability| capability.interface == interface).collect()
}

fn wishes(found: &mut Difference, interface: Interface, was: &Manifest, is: &Manifest) {
    let (before, after) = (of(was, interface), of(is, interface));
    let wider = after.iter().filter(|new| !before.iter().any(|old| new.is_within(old)));
    for wish in wider {
        let lines = means(wish).join("; ");
        let before: Vec<_> = before.iter().flat_map(|old| means(old)).collect();
        let before = if before.is_empty() { "not at all".to_owned() } else { before.join("; ") };
        found.wider.push(format!("{interface}: {lines} (before: {before})"));
    }
    let narrower = before.iter().filter(|old| !after.iter().any(|new| old.is_within(new)));
    for wish in narrower {
        let lines = means(wish).join("; ");
        let now: Vec<_> = after.iter().flat_map(|new| means(new)).collect();
        let now = if now.is_empty() { "not at all".to_owned() } else { now.join("; ") };
        found.narrower.push(format!("{interface}: {now} (before: {lines})"));
    }
}

fn tools(found: &mut Difference, was: &Manifest, is: &Manifest) {
    for tool in &is.tools {
        match was.tool(&tool.name) {
            None => found.other.push(format!("tool {} is new: {}", tool.name, tool.description)),
            Some(old) if old != tool => {
                let (weaker, mut parts) = guards(old, tool);
                if old.arguments != tool.arguments {
                    parts.push("other arguments".to_owned());
                }
                if weaker.is_empty() && parts.is_empty() {
                    parts.push("other words".to_owned());
                }
                for (list, parts) in [(&mut found.wider, weaker), (&mut found.other, parts)] {
                    if !parts.is_empty() {
                        list.push(format!("tool {}: {}", tool.name, parts.join("; ")));
                    }
                }
            }
            Some(_) => {}
        }
    }
    for tool in was.tools.iter().filter(|old| is.tool(&old.name).is_none()) {
        found.other.push(format!("tool {} is gone", tool.name));
    }
}

/// What a tool says of itself, by which it is guarded: what makes it weaker, and what
/// else is changed. Who granted the old version relied on its word.
fn guards(old: &Tool, new: &Tool) -> (Vec<String>, Vec<String>) {
    let (mut weaker, mut other) = (Vec::new(), Vec::new());
    // With the value that is guarded less.
    let flags = [
        ("read_only", old.read_only, new.read_only, false),
        ("idempotent", old.idempotent, new.idempotent, true),
        ("reversible", old.reversible, new.reversible, false),
        ("identifies", old.identifies, new.identifies, true),
    ];
    for (name, was, is, weak) in flags {
        if was != is {
            let list = if is == weak { &mut weaker } else { &mut other };
            list.push(format!("{name} was {was}, is {is}"));
        }
    }
    if old.identity != new.identity {
        let list = if new.identity < old.identity { &mut weaker } else { &mut other };
        let (was, is) = (old.identity.as_str(), new.identity.as_str());
        list.push(format!("the customer had to be {was}, now {is}"));
    }
    if old.confirm != new.confirm {
        let asked = |text: Option<&String>| {
            text.map_or("nothing of its own".to_owned(), |text| format!("{text:?}"))
        };
        let (was, is) = (asked(old.confirm.as_ref()), asked(new.confirm.as_ref()));
        let list = if old.confirm.is_some() { &mut weaker } else { &mut other };
        list.push(format!("the customer was asked {was}, now {is}"));
    }
    (weaker, other)
}

fn intents(other: &mut Vec<String>, was: &Manifest, is: &Manifest) {
    let by_name = |manifest: &Manifest| -> BTreeMap<String, (String, usize)> {
        let intents = manifest.intents.iter();
        intents.map(|it| (it.name.clone(), (it.tool.clone(), it.examples.len()))).collect()
    };
    let (before, after) = (by_name(was), by_name(is));
    for (name, (tool, examples)) in &after {
        match before.get(name) {
            None => other.push(format!("intent {name} is new, served by {tool}")),
            Some((old, _)) if old != tool => {
                other.push(format!("intent {name} was served by {old}, is by {tool}"));
            }
            Some((_, old)) if old != examples => {
                other.push(format!("intent {name} had {old} examples, has {examples}"));
            }
            Some(_) => {}
        }
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        other.push(format!("intent {name} is gone"));
    }
}

#[cfg(test)]
mod tests;
