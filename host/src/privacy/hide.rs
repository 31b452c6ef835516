//! Puts placeholders for values in texts that nobody declared personal.

use std::{borrow::Cow, ops::Range};

use postern_policy::personal::{Action, DataKind, Detector, Purpose};
use serde_json::Value;

use super::{
    GRAMMAR, Vault, Whose,
    json::{self, Part},
};
use crate::redaction;

/// Bytes of the shortest text that is looked through.
const SHORTEST: usize = 4;
/// Bytes of the longest name of a member that says what its value is.
const LONGEST_NAME: usize = 64;

/// Looks through texts with a detector, and keeps what it finds in a vault.
pub(crate) struct Hider<'a> {
    detector: &'a Detector,
    vault: &'a mut Vault,
    whose: Whose,
    /// Whether a member's name can make a name or an address of its value.
    names: bool,
}

impl<'a> Hider<'a> {
    /// Hides values of which nobody knows whose they are.
    pub(crate) fn new(detector: &'a Detector, vault: &'a mut Vault) -> Self {
        Self { detector, vault, whose: Whose::Unknown, names: true }
    }

    /// For what somebody says who calls a tool.
    #[must_use]
    pub(crate) fn said(self) -> Self {
        Self { whose: Whose::Said, ..self }
    }

    /// For a record: its names and addresses are where the operator declares them, and
    /// its values are this one's.
    #[must_use]
    pub(crate) fn of_record(self, whose: Whose) -> Self {
        Self { whose, names: false, ..self }
    }

    /// A text of an answer; `None` if there is nothing to hide in it.
    pub(crate) fn text(&mut self, text: &str) -> Option<String> {
        self.member("", text)
    }

    /// A document of an answer: the texts and numbers of JSON where they stand, anything
    /// else as text. `None` if there is nothing to hide in it.
    pub(crate) fn document(&mut self, text: &str) -> Option<String> {
        if json::is_json(text) { self.json(text) } else { self.text(text) }
    }

    /// The parts of a value for which `leaves` does not say that they stay as they are.
    pub(crate) fn value(
        &mut self,
        value: &mut Value,
        path: &mut Vec<String>,
        leaves: &dyn Fn(&[String]) -> bool,
    ) {
        if leaves(path) {
            return;
        }
        let name = path.iter().rfind(|name| !is_place(name)).map_or("", String::as_str);
        match value {
            Value::String(text) => {
                if let Some(hidden) = self.member(name, text) {
                    *text = hidden;
                }
            }
            Value::Number(number) => {
                if let Some(hidden) = self.number(name, &number.to_string()) {
                    *value = Value::String(hidden);
                }
            }
            Value::Array(parts) => {
                for (place, part) in parts.iter_mut().enumerate() {
                    path.push(place.to_string());
                    self.value(part, path, leaves);
                    path.pop();
                }
            }
            Value::Object(members) => {
                for (name, part) in members {
                    path.push(name.clone());
                    self.value(part, path, leaves);
                    path.pop();
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// JSON with its texts, names and whole numbers looked through; everything else
    /// stays as it is written.
    fn json(&mut self, text: &str) -> Option<String> {
        json::changed(text, &mut |Part { name, text, is_number }| {
            if is_number { self.number(name, text) } else { self.member(name, text) }
        })
    }

    /// A whole number, if all of it is a value.
    fn number(&mut self, name: &str, digits: &str) -> Option<String> {
        if digits.len() < SHORTEST || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let found = self.found(name, digits);
        let [(span, kind)] = &found[..] else { return None };
        (*span == (0..digits.len())).then(|| self.instead(*kind, digits))
    }

    /// The text of a member of this name.
    fn member(&mut self, name: &str, text: &str) -> Option<String> {
        if text.len() < SHORTEST {
            return None;
        }
        let found = self.found(name, text);
        if found.is_empty() {
            return None;
        }
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for (span, kind) in found {
            out.push_str(&text[at..span.start]);
            out.push_str(&self.instead(kind, &text[span.clone()]));
            at = span.end;
        }
        out.push_str(&text[at..]);
        Some(out)
    }

    /// What stands in the place of a value.
    fn instead(&mut self, kind: DataKind, value: &str) -> String {
        match self.detector.action(kind) {
            Action::Redact => self.detector.replacement(kind).into_owned(),
            Action::Placeholder | Action::Report => {
                self.vault.stand_for(self.detector.name(kind), value, self.whose)
            }
        }
    }

    /// What is found in the text of a member, whose name says what it is about.
    fn found(&self, name: &str, text: &str) -> Vec<(Range<usize>, DataKind)> {
        let said: Cow<'_, str> = match spoken(name) {
            Some(name) => Cow::Owned(format!("{name}: {text}")),
            None => Cow::Borrowed(text),
        };
        let before = said.len() - text.len();
        // Both are in order, so that each is looked at once.
        let mut kept = GRAMMAR.find_iter(text).map(|it| it.range()).peekable();
        let mut is_free = |span: &Range<usize>| {
            while kept.next_if(|kept| kept.end <= span.start).is_some() {}
            kept.peek().is_none_or(|kept| span.end <= kept.start)
        };
        let by_name = |kind| matches!(kind, DataKind::Name | DataKind::Address);
        redaction::find(&said, self.detector, Purpose::Placeholders)
            .into_iter()
            .filter(|one| one.span.start >= before && (self.names || !by_name(one.kind)))
            .filter(|one| !redaction::is_nobodys(one.kind, &said[one.span.clone()]))
            .map(|one| (one.span.start - before..one.span.end - before, one.kind))
            .filter(|(span, _)| is_free(span))
            .collect()
    }
}

/// The name of a member in words. A bare `name` says nothing: things have names, too.
fn spoken(name: &str) -> Option<String> {
    if name.is_empty() || name.len() > LONGEST_NAME || name.eq_ignore_ascii_case("name") {
        return None;
    }
    let mut out = String::with_capacity(name.len() + 4);
    let mut small = false;
    for c in name.chars() {
        if small && c.is_ascii_uppercase() {
            out.push(' ');
        }
        out.push(if matches!(c, '_' | '-') { ' ' } else { c });
        small = c.is_ascii_lowercase();
    }
    Some(out)
}

/// Whether a part of a path is a place in a list.
fn is_place(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use postern_policy::{PolicySource, personal::PrivacyRules};
    use serde_json::json;

    use super::*;

    fn hidden(text: &str) -> String {
        let (detector, mut vault) = (Detector::standard(), Vault::new("k3f9", vec![]));
        let hidden = Hider::new(&detector, &mut vault).document(text);
        if let Some(hidden) = &hidden {
            assert_eq!(Hider::new(&detector, &mut vault).document(hidden), None, "{hidden}");
        }
        hidden.unwrap_or_else(|| text.to_owned())
    }

    #[test]
    fn texts_numbers_and_names_of_json_are_hidden_where_they_stand() {
        let body = r#"{ "a":[1.50,1e9, "ann@shop.example\n"],
            "phone" : 13800138000, "bob\u0040shop.example": {"card":"4111 1111 1111 1111"} }"#;
        let wanted = r#"{ "a":[1.50,1e9, "<EMAIL_1.k3f9>\n"],
            "phone" : "<PHONE_1.k3f9>", "<EMAIL_2.k3f9>": {"card":"<CARD_1.k3f9>"} }"#;
        assert_eq!(hidden(body), wanted);
        let inner = r#"{"location":"http://127.0.0.1:8080/x"}"#;
        assert_eq!(hidden(inner), inner, "a skill may follow it, if rules let it");
        assert_eq!(hidden("write to ann@shop.example"), "write to <EMAIL_1.k3f9>");
        // Both as they are written somewhere else.
        assert_eq!(hidden("?to=ann%40shop.example&x=1"), "?to=<EMAIL_1.k3f9>&x=1");
        assert_eq!(hidden("is YW5uQHNob3AuZXhhbXBsZQ== it?"), "is <EMAIL_1.k3f9> it?");
        assert_eq!(hidden("{\"broken\": \"ann@shop.example"), "{\"broken\": \"<EMAIL_1.k3f9>");
        // Half of a surrogate pair is JSON that no decoder reads.
        let half =
            r#"{"note":"\ud800 \"write\" ann@shop.example \"!\"","phone\udfff":"13800138000"}"#;
        let wanted =
            r#"{"note":"\ud800 \"write\" <EMAIL_1.k3f9> \"!\"","phone\udfff":"<PHONE_1.k3f9>"}"#;
        assert_eq!(hidden(half), wanted);
    }

    /// What is hidden is in order with what stands there and with placeholders: a
    /// comparison of each with each takes minutes for this.
    #[test]
    fn a_megabyte_of_values_is_hidden_in_time() {
        let many = |unit: &str| unit.repeat((1 << 20) / unit.len());
        for text in [many("a%40b.co "), many("<EMAIL_1.k3f9> a@b.co ")] {
            let begun = std::time::Instant::now();
            let hidden = hidden(&text);
            assert!(!hidden.contains("b.co"));
            assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
        }
    }

    #[test]
    fn keys_amounts_and_times_stay() {
        for body in [
            r##"{"order_id":"#W1204518","total":12999,"at":1700000000,"tracking_id":"810400260333"}"##,
            r#"{"item_id":"1008292230","sku":"SKU-20240501-77","code":"123456","zip":"10001"}"#,
            r#"{"name":"Desk Lamp","price":153.23,"since":"2024-05-01T10:00:00Z","version":"1.2.3"}"#,
            r#"{"id":"550e8400-e29b-41d4-a716-446655440000","millis":1700000000000,"etag":"W/\"5f3a\""}"#,
            "#W1204518 is delivered; parcel 810400260333, 2024-05-01",
        ] {
            assert_eq!(hidden(body), body);
        }
    }

    #[test]
    fn a_record_keeps_what_rules_and_searches_need() {
        let (detector, mut vault) = (Detector::standard(), Vault::new("k3f9", vec![]));
        let mut body = json!({"contact": "ann@shop.example", "note": "call 13800138000", "n": 7});
        let leaves = |path: &[String]| path == ["contact"];
        Hider::new(&detector, &mut vault).of_record(Whose::Customer).value(
            &mut body,
            &mut Vec::new(),
            &leaves,
        );
        let wanted = json!({"contact": "ann@shop.example", "note": "call <PHONE_1.k3f9>", "n": 7});
        assert_eq!(body, wanted);
        assert_eq!(vault.take_own(), [("PHONE".to_owned(), "13800138000".to_owned())]);
    }

    #[test]
    fn an_operators_own_types_are_replaced_or_taken_out_for_good() {
        let rules = "[[pattern]]\ntype = \"MEMBER_NO\"\nregex = \"VIP[0-9]{7}\"\n\
                     [[pattern]]\ntype = \"VOUCHER\"\nregex = \"GIFT-[0-9]{4}\"\naction = \"redact\"\n\
                     replacement = \"[voucher]\"\n[allow]\nvalues = [\"help@shop.example\"]\n";
        let file = PolicySource { file: "privacy.toml".into(), text: rules.into() };
        let detector = Detector::new(&PrivacyRules::read(&file).unwrap());
        let mut vault = Vault::new("k3f9", vec![]);
        let text = "VIP1234567 has GIFT-2024, help@shop.example";
        let hidden = Hider::new(&detector, &mut vault).text(text).unwrap();
        assert_eq!(hidden, "<MEMBER_NO_1.k3f9> has [voucher], help@shop.example");
        assert_eq!(vault.take_new().len(), 1, "what is taken out for good is not kept");
    }

    /// Beyond what is declared personal, a thousand orders and their products have
    /// nothing that a skill must not see, nor anything that looks so.
    #[test]
    fn a_real_shop_is_left_as_it_is() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let file = root.join("../shared/data/tau2-retail/db.json");
        let Ok(text) = std::fs::read_to_string(file) else {
            assert!(std::env::var_os("CI").is_none(), "../shared/data/tau2-retail is missing");
            return println!("skipped: ../shared/data/tau2-retail is missing");
        };
        let shop: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("secrets")).unwrap();
        std::fs::write(folder.path().join("secrets/operator-token"), "0123456789abcdef").unwrap();
        let config = crate::config::DEFAULT;
        let config = crate::config::Config::parse(folder.path(), "postern.toml", config).unwrap();
        let detector = Detector::standard();
        for (name, records) in &shop {
            let rules = config.collections.get(name).unwrap();
            for (key, record) in records.as_object().unwrap() {
                let mut vault = Vault::new("k3f9", vec![]);
                let declared = vault.hide(rules, record.clone(), Whose::Customer);
                let mut seen = declared.clone();
                Hider::new(&detector, &mut vault).of_record(Whose::Customer).value(
                    &mut seen,
                    &mut Vec::new(),
                    &|path| rules.is_plain(path),
                );
                assert_eq!(seen, declared, "{name}/{key}");
                // The same from a server of the shop.
                let text = declared.to_string();
                assert_eq!(Hider::new(&detector, &mut vault).document(&text), None, "{text}");
            }
        }
    }

    proptest::proptest! {
        /// Whatever comes, JSON stays JSON, and nothing is hidden twice.
        #[test]
        fn json_stays_json(text in r#"[ -~é张]{0,30}"#, n in proptest::num::u64::ANY) {
            let body = json!({"a": text, "phone": n, "b": [text, {"c": format!("{text} ann@shop.example")}]});
            let hidden = hidden(&body.to_string());
            let hidden: Value = serde_json::from_str(&hidden).unwrap();
            proptest::prop_assert!(!hidden.to_string().contains("ann@shop.example"));
        }
    }
}
