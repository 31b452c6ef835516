//! The values of a conversation, each behind its placeholder.

use std::{borrow::Cow, ops::Range};

use postern_domain::VaultEntry;
use regex::Captures;
use serde_json::Value;

use super::{FORGED, GRAMMAR, MASK, redacted};
use crate::config::Collection;

/// Values that one session can have; more are masked, not kept.
pub(super) const MOST_ENTRIES: usize = 1_000;
/// Values after which those that nobody knows whose they are, are taken out for good: a
/// long list of a server leaves room for what the customer says.
pub(super) const MOST_FOUND: usize = 600;

/// Whose a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The customer's: they said it.
    Said,
    /// The customer's: it stands in a record of theirs.
    Customer,
    /// Nobody knows: a server had it, or a record that is not the customer's.
    Unknown,
}

/// The values of one conversation and what stands for them.
#[derive(Clone, Debug)]
pub struct Vault {
    /// How placeholders of the current session end.
    ending: String,
    entries: Vec<VaultEntry>,
    /// How many entries are durable; the others wait for the next commit.
    kept: usize,
    /// Kinds and values that are the customer's, since they were last taken.
    own: Vec<(String, String)>,
    /// Those of them that stand in a record of the customer.
    recorded: Vec<(String, String)>,
}

impl Vault {
    /// The vault of a conversation as it is kept, in the session with this mark.
    pub fn new(mark: &str, entries: Vec<VaultEntry>) -> Self {
        let kept = entries.len();
        Self { ending: format!(".{mark}>"), entries, kept, own: Vec::new(), recorded: Vec::new() }
    }

    /// The entries of the current session.
    fn current(&self) -> impl Iterator<Item = &VaultEntry> {
        self.entries.iter().filter(|entry| entry.placeholder.ends_with(&self.ending))
    }

    /// The placeholder for a value that the customer said; a new one if the value is
    /// new.
    pub fn placeholder(&mut self, kind: &str, value: &str) -> String {
        self.stand_for(kind, value, Whose::Said)
    }

    /// The placeholder for a value; a new one if the value is new.
    pub fn stand_for(&mut self, kind: &str, value: &str, whose: Whose) -> String {
        let note = |noted: &mut Vec<(String, String)>| {
            if !noted.iter().any(|(k, v)| k == kind && v == value) {
                noted.push((kind.to_owned(), value.to_owned()));
            }
        };
        match whose {
            Whose::Said => note(&mut self.own),
            Whose::Customer => {
                note(&mut self.own);
                note(&mut self.recorded);
            }
            Whose::Unknown => {}
        }
        let same = |entry: &&VaultEntry| entry.kind == kind && entry.value == value;
        if let Some(entry) = self.current().find(same) {
            return entry.placeholder.clone();
        }
        let known = self.current().count();
        if known >= MOST_FOUND && whose == Whose::Unknown {
            return redacted(kind);
        }
        if known >= MOST_ENTRIES {
            return FORGED.to_owned();
        }
        let number = self.current().filter(|entry| entry.kind == kind).count() + 1;
        let placeholder = format!("<{kind}_{number}{}", self.ending);
        self.entries.push(VaultEntry {
            placeholder: placeholder.clone(),
            kind: kind.to_owned(),
            value: value.to_owned(),
        });
        placeholder
    }

    /// The value that a text stands for, if the whole text is a placeholder of
    /// the current session.
    pub fn resolve(&self, text: &str) -> Option<&VaultEntry> {
        self.current().find(|entry| entry.placeholder == text)
    }

    /// A kept text as its own customer may read it: values in place of
    /// placeholders, whichever session it is from. What stands for nothing here is
    /// masked.
    pub fn restore<'t>(&self, text: &'t str) -> Cow<'t, str> {
        GRAMMAR.replace_all(text, |found: &Captures<'_>| {
            match self.entries.iter().find(|entry| entry.placeholder == found[0]) {
                Some(entry) => entry.value.clone(),
                None => MASK.to_owned(),
            }
        })
    }

    /// A new text before it is kept: every placeholder that does not belong to
    /// the current session is masked, so that a skill cannot bring up what it
    /// remembers of an earlier one.
    pub fn admit<'t>(&self, text: &'t str) -> Cow<'t, str> {
        GRAMMAR.replace_all(text, |found: &Captures<'_>| match self.resolve(&found[0]) {
            Some(_) => found[0].to_owned(),
            None => MASK.to_owned(),
        })
    }

    /// A text as a group may read it: every placeholder masked.
    pub fn mask(text: &str) -> Cow<'_, str> {
        GRAMMAR.replace_all(text, MASK)
    }

    /// Entries that are not durable yet, taken once.
    pub fn take_new(&mut self) -> Vec<VaultEntry> {
        let new = self.entries[self.kept..].to_vec();
        self.kept = self.entries.len();
        new
    }

    /// Values that are the customer's, by kind, which were not taken yet.
    pub fn own(&self) -> &[(String, String)] {
        &self.own
    }

    /// Values that are the customer's, by kind, each once since they were last taken.
    pub fn take_own(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.own)
    }

    /// Those of them that stand in a record of the customer, since they were last taken.
    pub fn take_recorded(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.recorded)
    }

    /// Replaces spans of a customer's text by placeholders. Spans are byte ranges in
    /// order, without overlap, each with its kind and, if it is encoded, its value.
    pub fn replace_spans(
        &mut self,
        text: &str,
        spans: &[(Range<usize>, &str, Option<String>)],
    ) -> String {
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for (span, kind, decoded) in spans {
            let Some(value) = text.get(span.clone()) else { continue };
            out.push_str(&text[at..span.start]);
            out.push_str(&self.placeholder(kind, decoded.as_deref().unwrap_or(value)));
            at = span.end;
        }
        out.push_str(&text[at..]);
        out
    }

    /// A record as a skill may see it: personal values become placeholders.
    pub fn hide(&mut self, collection: &Collection, mut body: Value, whose: Whose) -> Value {
        let mut change = |vault: &mut Self, kind: &str, value: &mut Value| match value {
            Value::String(text) if !text.is_empty() => {
                *text = vault.stand_for(kind, text, whose);
                Ok(())
            }
            Value::Number(number) => {
                *value = Value::String(vault.stand_for(kind, &number.to_string(), whose));
                Ok(())
            }
            Value::String(_) | Value::Null | Value::Bool(_) => Ok(()),
            Value::Array(_) | Value::Object(_) => Err(()),
        };
        match self.walk(collection, &mut body, &mut Vec::new(), &mut change) {
            Ok(()) => body,
            Err(_) => Value::Null,
        }
    }

    /// A record as it is kept: placeholders in personal fields become values
    /// again, and so does every other text that stood in the record `before` and
    /// comes back as the skill has seen it.
    ///
    /// # Errors
    /// The name of a personal field that holds something else than a placeholder
    /// of this conversation: a skill cannot make up personal values.
    pub fn reveal(
        &mut self,
        collection: &Collection,
        before: Option<&Value>,
        body: &Value,
    ) -> Result<Value, String> {
        let mut body = body.clone();
        let mut change = |vault: &mut Self, _: &str, value: &mut Value| match value {
            Value::String(text) if text.is_empty() => Ok(()),
            Value::String(text) => match vault.resolve(text) {
                Some(entry) => {
                    entry.value.clone_into(text);
                    Ok(())
                }
                None => Err(()),
            },
            Value::Null | Value::Bool(_) => Ok(()),
            Value::Number(_) | Value::Array(_) | Value::Object(_) => Err(()),
        };
        self.walk(collection, &mut body, &mut Vec::new(), &mut change)?;
        if let Some(before) = before {
            self.bring_back(before, before, &mut body);
        }
        Ok(body)
    }

    /// Puts what a record held in place of what the skill has seen of it: at the same
    /// place first, and otherwise wherever else in the record it stood.
    fn bring_back(&self, record: &Value, before: &Value, value: &mut Value) {
        match value {
            Value::String(text) if GRAMMAR.is_match(text) => {
                let held = self.restore(text);
                let same = Some(before).filter(|it| is_written(it, &held));
                if let Some(found) = same.or_else(|| find(record, &held)) {
                    *value = found.clone();
                }
            }
            Value::Array(parts) => {
                for (place, part) in parts.iter_mut().enumerate() {
                    self.bring_back(record, before.get(place).unwrap_or(&Value::Null), part);
                }
            }
            Value::Object(members) => {
                for (name, part) in members {
                    self.bring_back(record, before.get(name).unwrap_or(&Value::Null), part);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Puts every personal field through `change`; answers the path of the first
    /// that `change` refuses.
    fn walk(
        &mut self,
        collection: &Collection,
        value: &mut Value,
        path: &mut Vec<String>,
        change: &mut dyn FnMut(&mut Self, &str, &mut Value) -> Result<(), ()>,
    ) -> Result<(), String> {
        if let Some(kind) = collection.personal_kind_at(path) {
            // A personal field that holds a structure is personal in every part.
            let mut part = |part: &mut Value| change(self, kind, part).map_err(|()| path.join("."));
            return match value {
                Value::Object(map) => map.values_mut().try_for_each(part),
                Value::Array(parts) => parts.iter_mut().try_for_each(part),
                scalar => part(scalar),
            };
        }
        if !collection.is_personal_below(path) {
            return Ok(());
        }
        let mut inside = |vault: &mut Self, name: String, part: &mut Value| {
            path.push(name);
            let walked = vault.walk(collection, part, path, change);
            path.pop();
            walked
        };
        match value {
            Value::Object(map) => {
                map.iter_mut().try_for_each(|(name, part)| inside(self, name.clone(), part))
            }
            Value::Array(parts) => parts
                .iter_mut()
                .enumerate()
                .try_for_each(|(index, part)| inside(self, index.to_string(), part)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }
}

/// Whether a value is this text, or a number that is written so.
fn is_written(value: &Value, text: &str) -> bool {
    match value {
        Value::String(held) => held == text,
        Value::Number(number) => number.to_string() == text,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

/// The first value inside of a record that is written like this.
fn find<'v>(value: &'v Value, text: &str) -> Option<&'v Value> {
    match value {
        Value::Array(parts) => parts.iter().find_map(|part| find(part, text)),
        Value::Object(members) => members.values().find_map(|part| find(part, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Some(value).filter(|value| is_written(value, text))
        }
    }
}
