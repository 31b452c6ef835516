//! Placeholders: personal values leave the text before anybody works with it,
//! and return only at the very edge.
//!
//! A placeholder is `<KIND_n.mark>`; the mark belongs to one session of one
//! conversation, so a placeholder of another conversation, of an earlier session
//! (in which somebody else may have written), or one that a customer makes up,
//! stands for nothing here.

use std::{borrow::Cow, ops::Range, sync::LazyLock};

use postern_domain::{Conversation, VaultEntry, stable_id};
use regex::{Captures, Regex};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use crate::config::Collection;

static GRAMMAR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"<([A-Z][A-Z_]{0,23})_([0-9]{1,6})\.([0-9a-z]{4})>").expect("a valid expression")
});

/// What replaces a forged placeholder at intake.
const FORGED: &str = "[…]";

/// What replaces a placeholder whose value is not for the reader.
const MASK: &str = "•••";

/// Values that one session can have; more are masked, not kept.
const MOST_ENTRIES: usize = 1_000;

/// What stands where a value of this kind was taken out.
pub fn redacted(kind: &str) -> String {
    format!("[{kind}]")
}

/// A text without the placeholders of some kinds.
pub fn without_kinds<'t>(text: &'t str, is_unwanted: impl Fn(&str) -> bool) -> Cow<'t, str> {
    GRAMMAR.replace_all(text, |found: &Captures<'_>| {
        if is_unwanted(&found[1]) { redacted(&found[1]) } else { found[0].to_owned() }
    })
}

/// The mark of a conversation's current session.
pub fn mark_of(conversation: &Conversation) -> String {
    mark_in(conversation, conversation.state.session)
}

/// The mark of one of a conversation's sessions.
pub fn mark_in(conversation: &Conversation, session: u32) -> String {
    match session {
        0 => conversation.nonce.clone(),
        session => {
            let mut mark = stable_id(&[&conversation.nonce, &session.to_string()]);
            mark.truncate(4);
            mark
        }
    }
}

/// The values of one conversation and what stands for them.
#[derive(Clone, Debug)]
pub struct Vault {
    /// How placeholders of the current session end.
    ending: String,
    entries: Vec<VaultEntry>,
    /// How many entries are durable; the others wait for the next commit.
    kept: usize,
}

impl Vault {
    /// The vault of a conversation as it is kept, in the session with this mark.
    pub fn new(mark: &str, entries: Vec<VaultEntry>) -> Self {
        let kept = entries.len();
        Self { ending: format!(".{mark}>"), entries, kept }
    }

    /// The entries of the current session.
    fn current(&self) -> impl Iterator<Item = &VaultEntry> {
        self.entries.iter().filter(|entry| entry.placeholder.ends_with(&self.ending))
    }

    /// The placeholder for a value; a new one if the value is new.
    pub fn placeholder(&mut self, kind: &str, value: &str) -> String {
        let same = |entry: &&VaultEntry| entry.kind == kind && entry.value == value;
        if let Some(entry) = self.current().find(same) {
            return entry.placeholder.clone();
        }
        if self.current().count() >= MOST_ENTRIES {
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
    pub fn hide(&mut self, collection: &Collection, mut body: Value) -> Value {
        let mut change = |vault: &mut Self, kind: &str, value: &mut Value| match value {
            Value::String(text) if !text.is_empty() => {
                *text = vault.placeholder(kind, text);
                Ok(())
            }
            Value::Number(number) => {
                *value = Value::String(vault.placeholder(kind, &number.to_string()));
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
    /// again.
    ///
    /// # Errors
    /// The name of a personal field that holds something else than a placeholder
    /// of this conversation: a skill cannot make up personal values.
    pub fn reveal(&mut self, collection: &Collection, body: &Value) -> Result<Value, String> {
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
        Ok(body)
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
        let hidden = vault.hide(&people(), body.clone());
        assert_eq!(hidden["email"], "<EMAIL_1.k3f9>");
        assert_eq!(hidden["cards"][0], json!({"end": "<CARD_END_1.k3f9>", "kind": "visa"}));
        assert_eq!(hidden["status"], "pending");
        assert!(!hidden.to_string().contains("Ann"));
        assert_eq!(vault.reveal(&people(), &hidden), Ok(body.clone()));
        assert_eq!(
            vault.hide(&people(), body.clone()),
            hidden,
            "the same value keeps its placeholder"
        );
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
    fn an_earlier_session_cannot_be_brought_up_again() {
        let mut earlier = Vault::new("k3f9", vec![]);
        let old = earlier.placeholder("EMAIL", "ann@shop.example");
        let mut later = Vault::new("aaaa", earlier.take_new());
        assert_eq!(later.resolve(&old), None, "a skill must not use it");
        assert_eq!(later.admit(&old), "•••", "nor tell it");
        assert_eq!(later.restore(&old), "ann@shop.example", "old messages stay readable");
        let new = later.placeholder("EMAIL", "ann@shop.example");
        assert_ne!(new, old);
        assert_eq!(later.admit(&new), new);
    }

    #[test]
    fn a_dot_in_a_key_hides_nothing() {
        let mut vault = Vault::new("k3f9", vec![]);
        let hidden = vault.hide(&people(), json!({"cards": {"a.b": {"end": "1234"}}}));
        assert!(!hidden.to_string().contains("1234"), "{hidden}");
    }

    #[test]
    fn a_session_keeps_a_bounded_number_of_values() {
        let mut vault = Vault::new("k3f9", vec![]);
        for number in 0..MOST_ENTRIES {
            vault.placeholder("EMAIL", &number.to_string());
        }
        assert_eq!(vault.placeholder("EMAIL", "one more"), FORGED);
        assert_eq!(vault.take_new().len(), MOST_ENTRIES);
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
