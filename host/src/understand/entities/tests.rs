use proptest::prelude::*;

use super::*;

fn entity(name: &str, pattern: &str, normal: &str) -> Entity {
    Entity {
        name: name.into(),
        pattern: pattern.into(),
        normal: normal.into(),
        ask: "Which one?".into(),
    }
}

fn skill(name: &str) -> SkillId {
    name.parse().unwrap()
}

fn shop() -> Extractor {
    Extractor::new(&[
        (skill("order-status"), entity("order_id", r"#?\bW(\d{7})\b", "#W$1")),
        (skill("refund-check"), entity("order_id", r"#?\bW(\d{7})\b", "#W$1")),
        (skill("stranger"), entity("order_id", r".+", "$0")),
    ])
    .unwrap()
}

#[track_caller]
fn check(text: &str, expected: &[(&str, &str, &str)]) {
    let found = shop().extract(text);
    let seen: Vec<(&str, &str, &str)> = found
        .iter()
        .filter(|found| found.is_for(&skill("order-status")))
        .map(|found| (found.name.as_str(), &text[found.start..found.end], found.value.as_str()))
        .collect();
    assert_eq!(seen, expected, "{text}");
}

#[test]
fn order_numbers_are_found_in_any_spelling() {
    let id = "#W1234567";
    check("where is #W1234567?", &[("order_id", "#W1234567", id)]);
    check("where is w1234567", &[("order_id", "w1234567", id)]);
    check("我的订单W1234567到哪了", &[("order_id", "W1234567", id)]);
    check("订单＃Ｗ１２３４５６７。", &[("order_id", "＃Ｗ１２３４５６７", id)]);
    check("XW1234567 W12345678", &[]);
}

#[test]
fn addresses_are_found_in_lower_case_and_no_entity_within_them() {
    check("I'm W1234567@Example.COM", &[("email", "W1234567@Example.COM", "w1234567@example.com")]);
    check("邮箱h.liu88@qq.example收不到", &[("email", "h.liu88@qq.example", "h.liu88@qq.example")]);
}

#[test]
fn a_plain_answer_is_a_confirmation_of_the_whole_message() {
    check("yes please", &[("confirmed", "yes please", "true")]);
    check("不用了", &[("confirmed", "不用了", "false")]);
    check("yes, #W1234567", &[("order_id", "#W1234567", "#W1234567")]);
}

#[test]
fn one_skills_pattern_does_not_speak_for_another() {
    let found = shop().extract("hello W1234567");
    let of = |name: &str| -> Vec<&str> {
        let id = skill(name);
        found.iter().filter(|f| f.is_for(&id)).map(|f| f.value.as_str()).collect()
    };
    assert_eq!(of("refund-check"), ["#W1234567"]);
    assert_eq!(of("stranger"), ["HELLO W1234567"]);
    assert_eq!(of("escalation"), [""; 0]);
}

#[test]
fn wrong_patterns_are_refused_with_skill_and_entity() {
    for (pattern, normal, reason) in [
        ("(", "$0", "unclosed group"),
        (r"\w{1000}{1000}", "$0", "size limit"),
        ("a*", "$0", "matches empty text"),
        ("a", "$2", "refers to group \"2\""),
    ] {
        let error =
            Extractor::new(&[(skill("bad"), entity("thing", pattern, normal))]).unwrap_err();
        let text = error.to_string();
        assert_eq!(error.skill(), Some(&skill("bad")));
        assert!(text.contains("bad") && text.contains("thing") && text.contains(reason), "{text}");
    }
    let many: Vec<_> =
        (0..=MAX_PATTERNS).map(|i| (skill("bad"), entity(&format!("e{i}"), "x", "$0"))).collect();
    assert!(matches!(Extractor::new(&many), Err(EntityError::TooMany { count: 1_001 })));
}

#[test]
fn values_do_not_show_in_debug_output() {
    let found = shop().extract("ava@example.com");
    assert!(!format!("{found:?}").contains("ava"));
}

proptest! {
    #[test]
    fn spans_are_ordered_and_on_character_boundaries(text in "[#ＷW0-7０-９@a. \u{200b}订]{0,40}|\\PC{0,60}") {
        static SHOP: std::sync::LazyLock<Extractor> = std::sync::LazyLock::new(shop);
        let found = SHOP.extract(&text);
        prop_assert_eq!(&found, &SHOP.extract(&text));
        prop_assert!(found.is_sorted_by_key(|found| found.start));
        for found in found {
            prop_assert!(found.start < found.end && text.get(found.start..found.end).is_some());
        }
    }
}
