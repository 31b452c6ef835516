//! What holds for placeholders, whatever is put in.

use serde_json::json;

use super::{vault::MOST_ENTRIES, *};
use crate::config::{Collection, PersonalField};

/// Kinds of detectors, of collections and of an operator.
const KINDS: [&str; 10] = [
    "EMAIL",
    "PHONE",
    "CARD",
    "ID_CARD",
    "US_SSN",
    "SECRET",
    "NAME",
    "FIRST_NAME",
    "POSTCODE",
    "MEMBER_NO",
];

fn people() -> Collection {
    let personal = |path: &str, kind: &str| PersonalField { path: path.into(), kind: kind.into() };
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
    let hidden = vault.hide(&people(), body.clone(), Whose::Customer);
    assert_eq!(hidden["email"], "<EMAIL_1.k3f9>");
    assert_eq!(hidden["cards"][0], json!({"end": "<CARD_END_1.k3f9>", "kind": "visa"}));
    assert_eq!(hidden["status"], "pending");
    assert!(!hidden.to_string().contains("Ann"));
    assert_eq!(vault.reveal(&people(), None, &hidden), Ok(body.clone()));
    assert_eq!(
        vault.hide(&people(), body.clone(), Whose::Customer),
        hidden,
        "the same value keeps its placeholder"
    );
}

#[test]
fn a_skill_cannot_make_up_personal_values() {
    let mut vault = Vault::new("k3f9", vec![]);
    vault.placeholder("EMAIL", "ann@shop.example");
    let refused = |vault: &mut Vault, email: &str| {
        vault.reveal(&people(), None, &json!({ "email": email })).unwrap_err()
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
    let hidden = vault.hide(&people(), json!({"cards": {"a.b": {"end": "1234"}}}), Whose::Customer);
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
        let hidden = vault.replace_spans(&text, &[(span, "EMAIL", None)]);
        proptest::prop_assert!(!hidden.contains(&value));
        proptest::prop_assert_eq!(vault.restore(&hidden), text);
        proptest::prop_assert!(!Vault::new("aaaa", vec![]).restore(&hidden).contains(&value));
    }

        /// A value keeps its placeholder for the whole session, whatever comes between,
        /// each value has its own, and only a whole placeholder is the value.
        #[test]
        fn placeholders_are_stable_and_one_to_one(
            values in proptest::collection::vec((0..KINDS.len(), "[a-c]{1,2}"), 1..30),
            around in "[a-z <>.]{1,5}",
        ) {
            let mut vault = Vault::new("k3f9", vec![]);
            let mut known = std::collections::BTreeMap::new();
            for (kind, value) in &values {
                let kind = KINDS[*kind];
                let placeholder = vault.placeholder(kind, value);
                proptest::prop_assert_eq!(kind_of(&placeholder), Some(kind));
                let before = known.insert((kind, value.clone()), placeholder.clone());
                proptest::prop_assert!(before.is_none_or(|before| before == placeholder));
            }
            let mut all: Vec<_> = known.values().collect();
            all.sort();
            all.dedup();
            proptest::prop_assert_eq!(all.len(), known.len());
            for ((_, value), placeholder) in &known {
                proptest::prop_assert_eq!(&vault.resolve(placeholder).unwrap().value, value);
                for part in [
                    format!("{around}{placeholder}"),
                    format!("{placeholder}{around}"),
                    placeholder[..placeholder.len() - 1].to_owned(),
                    placeholder.to_lowercase(),
                ] {
                    proptest::prop_assert!(vault.resolve(&part).is_none(), "{} resolves", part);
                }
            }
            // Kept and read again, nothing is another.
            let mut again = Vault::new("k3f9", vault.take_new());
            for ((kind, value), placeholder) in &known {
                proptest::prop_assert_eq!(&again.placeholder(kind, value), placeholder);
            }
        }

        /// What a customer types is no placeholder, of whatever kind.
        #[test]
        fn nobody_types_a_placeholder(kind in 0..KINDS.len(), n in 1..12_u32, text in "[a-z ]{0,9}") {
            let kind = KINDS[kind];
            let mut vault = Vault::new("k3f9", vec![]);
            (0..n).for_each(|n| drop(vault.placeholder(kind, &n.to_string())));
            let typed = format!("{text}<{kind}_{n}.k3f9>{text}");
            let clean = without_forged_placeholders(&typed).into_owned();
            proptest::prop_assert_eq!(vault.restore(&clean).into_owned(), clean.clone());
            proptest::prop_assert!(vault.resolve(clean.trim()).is_none());
        }

        /// No detector finds anything in a placeholder or in what stands for a value
        /// that was taken out.
        #[test]
        fn placeholders_are_no_findings(kind in 0..KINDS.len(), n in 1..1_000_u32, mark in "[0-9a-z]{4}") {
            let kind = KINDS[kind];
            let detector = postern_policy::personal::Detector::standard();
            for text in [format!("<{kind}_{n}.{mark}>"), redacted(kind), format!("id: <{kind}_{n}.{mark}>, {}", redacted(kind))] {
                proptest::prop_assert_eq!(detector.find_for(&text, postern_policy::personal::Purpose::Placeholders), vec![], "{}", text);
            }
        }
}
