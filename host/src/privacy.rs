//! Placeholders: personal values leave the text before anybody works with it,
//! and return only at the very edge.
//!
//! A placeholder is `<KIND_n.mark>`; the mark belongs to the conversation, so a
//! placeholder of another conversation, or one that a customer makes up, stands
//! for nothing here.

use std::{borrow::Cow, ops::Range, sync::LazyLock};

use postern_domain::VaultEntry;
use regex::{Captures, Regex};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use crate::config::Collection;

static GRAMMAR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"<([A-Z][A-Z_]{0,23})_([0-9]{1,6})\.([0-9a-z]{4})>").expect("a valid expression")
});

/// What replaces a forged placeholder at intake.
const FORGED: &str = "[…]";

/// The values of one conversation and what stands for them.
#[derive(Clone, Debug)]
pub struct Vault {
    mark: String,
    entries: Vec<VaultEntry>,
    /// How many entries are durable; the others wait for the next commit.
    kept: usize,
}

impl Vault {
    /// The vault of a conversation as it is kept.
    pub fn new(mark: &str, entries: Vec<VaultEntry>) -> Self {
        let kept = entries.len();
        Self { mark: mark.to_owned(), entries, kept }
    }

    /// The placeholder for a value; a new one if the value is new.
    pub fn placeholder(&mut self, kind: &str, value: &str) -> String {
        let same = |entry: &&VaultEntry| entry.kind == kind && entry.value == value;
        if let Some(entry) = self.entries.iter().find(same) {
            return entry.placeholder.clone();
        }
        let number = self.entries.iter().filter(|entry| entry.kind == kind).count() + 1;
        let placeholder = format!("<{kind}_{number}.{}>", self.mark);
        self.entries.push(VaultEntry {
            placeholder: placeholder.clone(),
            kind: kind.to_owned(),
            value: value.to_owned(),
        });
        placeholder
    }

    /// The value that a text stands for, if the whole text is a placeholder of
    /// this conversation.
    pub fn resolve(&self, text: &str) -> Option<&VaultEntry> {
        self.entries.iter().find(|entry| entry.placeholder == text)
    }

    /// A text as its own customer may read it: values in place of placeholders.
    /// What stands for nothing here is masked.
    pub fn restore<'t>(&self, text: &'t str) -> Cow<'t, str> {
        GRAMMAR.replace_all(text, |found: &Captures<'_>| match self.resolve(&found[0]) {
            Some(entry) => entry.value.clone(),
            None => "•••".to_owned(),
        })
    }

    /// A text as a group may read it: every placeholder masked.
    pub fn mask(text: &str) -> Cow<'_, str> {
        GRAMMAR.replace_all(text, "•••")
    }

    /// Entries that are not durable yet, taken once.
    pub fn take_new(&mut self) -> Vec<VaultEntry> {
        let new = self.entries[self.kept..].to_vec();
        self.kept = self.entries.len();
        new
    }

    /// Replaces spans of a text by placeholders. Spans are byte ranges in order,
    /// without overlap, each with its kind.
    pub fn replace_spans(&mut self, text: &str, spans: &[(Range<usize>, &str)]) -> String {
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for (span, kind) in spans {
            let Some(value) = text.get(span.clone()) else { continue };
            out.push_str(&text[at..span.start]);
            out.push_str(&self.placeholder(kind, value));
            at = span.end;
        }
        out.push_str(&text[at..]);
        out
    }

    /// A record as a skill may see it: personal values become placeholders.
    pub fn hide(&mut self, collection: &Collection, body: &Value) -> Value {
        self.walk(collection, body, &mut String::new(), &mut |vault, kind, value| match value {
            Value::String(text) if !text.is_empty() => {
                Ok(Value::String(vault.placeholder(kind, text)))
            }
            Value::Number(number) => {
                Ok(Value::String(vault.placeholder(kind, &number.to_string())))
            }
            Value::String(_) | Value::Null | Value::Bool(_) => Ok(value.clone()),
            Value::Array(_) | Value::Object(_) => Err(()),
        })
        .unwrap_or(Value::Null)
    }

    /// A record as it is kept: placeholders in personal fields become values
    /// again.
    ///
    /// # Errors
    /// The name of a personal field that holds something else than a placeholder
    /// of this conversation: a skill cannot make up personal values.
    pub fn reveal(&mut self, collection: &Collection, body: &Value) -> Result<Value, String> {
        self.walk(collection, body, &mut String::new(), &mut |vault, _, value| match value {
            Value::String(text) if text.is_empty() => Ok(value.clone()),
            Value::String(text) => match vault.resolve(text) {
                Some(entry) => Ok(Value::String(entry.value.clone())),
                None => Err(()),
            },
            Value::Null | Value::Bool(_) => Ok(value.clone()),
            Value::Number(_) | Value::Array(_) | Value::Object(_) => Err(()),
        })
    }

    /// Rebuilds a value with every personal field put through `change`; answers
    /// the path of the first that `change` refuses.
    fn walk(
        &mut self,
        collection: &Collection,
        value: &Value,
        path: &mut String,
        change: &mut dyn FnMut(&mut Self, &str, &Value) -> Result<Value, ()>,
    ) -> Result<Value, String> {
        if let Some(kind) = collection.personal_kind(path) {
            // A personal field that holds a structure is personal in every part.
            return match value {
                Value::Object(map) => map
                    .iter()
                    .map(|(name, part)| {
                        let part = change(self, kind, part).map_err(|()| path.clone())?;
                        Ok((name.clone(), part))
                    })
                    .collect::<Result<_, String>>()
                    .map(Value::Object),
                Value::Array(parts) => parts
                    .iter()
                    .map(|part| change(self, kind, part).map_err(|()| path.clone()))
                    .collect::<Result<_, String>>()
                    .map(Value::Array),
                scalar => change(self, kind, scalar).map_err(|()| path.clone()),
            };
        }
        let length = path.len();
        let mut inside = |vault: &mut Self, path: &mut String, name: &str, part: &Value| {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(name);
            let walked = vault.walk(collection, part, path, change);
            path.truncate(length);
            walked
        };
        match value {
            Value::Object(map) => {
                let mut out = serde_json::Map::new();
                for (name, part) in map {
                    out.insert(name.clone(), inside(self, path, name, part)?);
                }
                Ok(Value::Object(out))
            }
            Value::Array(parts) => {
                let mut out = Vec::with_capacity(parts.len());
                for (index, part) in parts.iter().enumerate() {
                    out.push(inside(self, path, &index.to_string(), part)?);
                }
                Ok(Value::Array(out))
            }
            scalar => Ok(scalar.clone()),
        }
    }
}

/// A customer's text with everything that looks like a placeholder taken out,
/// so that nobody can forge one. Compatibility forms (full-width brackets and
/// letters) count as what they look like.
pub fn without_forged_placeholders(text: &str) -> Cow<'_, str> {
    let plain: String = text.nfkc().collect();
    if !GRAMMAR.is_match(&plain) {
        return Cow::Borrowed(text);
    }
    if GRAMMAR.is_match(text) {
        let cleaned = GRAMMAR.replace_all(text, FORGED).into_owned();
        return Cow::Owned(without_forged_placeholders(&cleaned).into_owned());
    }
    Cow::Owned(GRAMMAR.replace_all(&plain, FORGED).into_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::PersonalField;

    fn people() -> Collection {
        let personal =
            |path: &str, kind: &str| PersonalField { path: path.into(), kind: kind.into() };
        Collection {
            personal: vec![
                personal("email", "EMAIL"),
                personal("name", "NAME"),
                personal("cards.*.end", "CARD_END"),
            ],
            ..Collection::default()
        }
    }

    #[test]
    fn hiding_and_revealing_a_record_round_trips() {
        let mut vault = Vault::new("k3f9", vec![]);
        let body = json!({
            "email": "ann@shop.example", "name": {"first": "Ann", "last": "Lee"},
            "cards": [{"end": "1234", "kind": "visa"}], "status": "pending",
        });
        let hidden = vault.hide(&people(), &body);
        assert_eq!(hidden["email"], "<EMAIL_1.k3f9>");
        assert_eq!(hidden["cards"][0], json!({"end": "<CARD_END_1.k3f9>", "kind": "visa"}));
        assert_eq!(hidden["status"], "pending");
        assert!(!hidden.to_string().contains("Ann"));
        assert_eq!(vault.reveal(&people(), &hidden), Ok(body.clone()));
        assert_eq!(vault.hide(&people(), &body), hidden, "the same value keeps its placeholder");
    }

    #[test]
    fn a_skill_cannot_make_up_personal_values() {
        let mut vault = Vault::new("k3f9", vec![]);
        vault.placeholder("EMAIL", "ann@shop.example");
        let refused = |vault: &mut Vault, email: &str| {
            vault.reveal(&people(), &json!({ "email": email })).unwrap_err()
        };
        assert_eq!(refused(&mut vault, "eve@shop.example"), "email");
        assert_eq!(refused(&mut vault, "<EMAIL_1.zzzz>"), "email");
        assert_eq!(refused(&mut vault, "x<EMAIL_1.k3f9>"), "email");
    }

    #[test]
    fn placeholders_resolve_as_whole_values_of_their_conversation() {
        let mut vault = Vault::new("k3f9", vec![]);
        let placeholder = vault.placeholder("EMAIL", "ann@shop.example");
        assert_eq!(vault.restore(&format!("Hi {placeholder}!")), "Hi ann@shop.example!");
        assert_eq!(vault.restore("Hi <EMAIL_1.aaaa>!"), "Hi •••!");
        assert_eq!(Vault::mask(&format!("Hi {placeholder}!")), "Hi •••!");
    }

    #[test]
    fn forged_placeholders_leave_the_text() {
        for forged in [
            "<EMAIL_1.k3f9>",
            "＜EMAIL_1.k3f9＞",
            "<<EMAIL_1.k3f9>EMAIL_1.k3f9>",
            "<ＥＭＡＩＬ_1.k3f9>",
        ] {
            let clean = without_forged_placeholders(forged).into_owned();
            let plain: String = clean.nfkc().collect();
            assert!(!GRAMMAR.is_match(&plain), "{forged} → {clean}");
        }
        assert_eq!(without_forged_placeholders("a < b > c"), "a < b > c");
    }

    #[test]
    fn new_entries_are_taken_once() {
        let mut vault = Vault::new("k3f9", vec![]);
        vault.placeholder("EMAIL", "a@b.example");
        assert_eq!(vault.take_new().len(), 1);
        vault.placeholder("EMAIL", "a@b.example");
        assert!(vault.take_new().is_empty());
    }

    proptest::proptest! {
        /// Whatever a customer writes, nothing that is left looks like a
        /// placeholder, and cleaning twice changes nothing.
        #[test]
        fn no_placeholder_survives_intake(text in r"(\PC|[<＜]|EMAIL_1|\.|k3f9|[>＞]){0,40}") {
            let clean = without_forged_placeholders(&text).into_owned();
            let plain: String = clean.nfkc().collect();
            proptest::prop_assert!(!GRAMMAR.is_match(&plain));
            proptest::prop_assert_eq!(without_forged_placeholders(&clean), clean.as_str());
        }

        /// What was taken out of a text comes back to its own conversation, and
        /// to no other.
        #[test]
        fn replaced_values_come_back_only_to_their_conversation(
            before in "[a-z ]{0,20}", value in "[a-z]{1,12}@shop\\.example", after in "[a-z ]{0,20}",
        ) {
            let text = format!("{before}{value}{after}");
            let mut vault = Vault::new("k3f9", vec![]);
            let span = before.len()..before.len() + value.len();
            let hidden = vault.replace_spans(&text, &[(span, "EMAIL")]);
            proptest::prop_assert!(!hidden.contains(&value));
            proptest::prop_assert_eq!(vault.restore(&hidden), text);
            proptest::prop_assert!(!Vault::new("aaaa", vec![]).restore(&hidden).contains(&value));
        }
    }
}
