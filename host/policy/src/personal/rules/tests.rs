use super::*;
use crate::personal::{DataKind, Detector, Purpose};

fn source(text: &str) -> PolicySource {
    PolicySource { file: "privacy.toml".into(), text: text.into() }
}

fn detector(text: &str) -> Detector {
    Detector::new(&PrivacyRules::read(&source(text)).unwrap())
}

#[track_caller]
fn check(detector: &Detector, text: &str, placeholders: &str, logs: &str) {
    assert_eq!(detector.redact(text, Purpose::Placeholders), placeholders, "{text}");
    assert_eq!(detector.redact(text, Purpose::Logs), logs, "{text}");
    for purpose in [Purpose::Placeholders, Purpose::Logs] {
        let once = detector.redact(text, purpose).into_owned();
        assert_eq!(detector.redact(&once, purpose), once, "{text}");
    }
}

const MEMBER: &str = r#"
[[pattern]]
type = "MEMBER_NO"
regex = "VIP[0-9]{7}"
context = ["member", "会员"]
not_context = ["order"]
"#;

#[test]
fn what_comes_with_postern_says_nothing() {
    let shipped = include_str!("../../../../../policies/privacy.toml");
    let plain = detector("");
    let text = "mail ann@example.com on 2024-01-02";
    for shipped in [&detector(shipped), &*Detector::standard()] {
        assert_eq!(shipped.find(text), plain.find(text));
        check(shipped, text, "mail [EMAIL] on 2024-01-02", "mail [EMAIL] on 2024-01-02");
    }
}

/// What is commented out in the shipped file loads when it is not.
#[test]
fn the_examples_of_the_shipped_file_load() {
    let shipped = include_str!("../../../../../policies/privacy.toml");
    let is_example = |line: &str| {
        let line = line.trim_start_matches("# ");
        line.starts_with('[') || line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '))
    };
    let lines = shipped.lines().filter(|line| is_example(line));
    let text: Vec<&str> = lines.map(|line| line.trim_start_matches("# ")).collect();
    let own = detector(&text.join("\n"));
    check(
        &own,
        "会员VIP1234567, GIFT-AB12-CD34, help@shop.example, Project Bluebird, 2024-01-02",
        "会员[MEMBER_NO], [voucher], help@shop.example, [PROJECT], 2024-01-02",
        "会员[MEMBER_NO], [voucher], help@shop.example, [PROJECT], [DATE_TIME]",
    );
}

#[test]
fn the_examples_of_the_documentation_load() {
    let text = include_str!("../../../../../docs/privacy.md");
    let blocks = text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let own = detector(&blocks.collect::<Vec<&str>>().join("\n"));
    check(
        &own,
        "member VIP1234567 王小明 GIFT-AB12-CD34 no-reply@x.example 2024-01-02",
        "member [MEMBER_NO] [NAME] [voucher] no-reply@x.example 2024-01-02",
        "member [MEMBER_NO] [NAME] [voucher] no-reply@x.example [DATE_TIME]",
    );
}

#[test]
fn own_types_are_found_by_the_words_around_them() {
    let own = detector(MEMBER);
    let kind = own.named("MEMBER_NO").unwrap();
    assert_eq!((own.name(kind), own.action(kind)), ("MEMBER_NO", Action::Placeholder));
    check(&own, "member VIP1234567", "member [MEMBER_NO]", "member [MEMBER_NO]");
    check(&own, "会员号ＶＩＰ１２３４５６７", "会员号[MEMBER_NO]", "会员号[MEMBER_NO]");
    check(&own, "VIP1234567", "VIP1234567", "VIP1234567");
    check(&own, "member, order VIP1234567", "member, order VIP1234567", "member, order VIP1234567");
    let unsure = own.find("VIP1234567");
    assert!(unsure.iter().any(|one| (one.kind, one.confidence) == (kind, 30)), "{unsure:?}");
}

#[test]
fn each_action_does_what_it_says() {
    let own = |action: &str| {
        detector(&format!("[[pattern]]\ntype = \"X\"\nregex = \"q[0-9]+\"\n{action}"))
    };
    let redacted = own("action = \"redact\"\nreplacement = \"[gone]\"");
    check(&redacted, "a q12 b", "a [gone] b", "a [gone] b");
    assert_eq!(redacted.action(DataKind::Custom(0)), Action::Redact);
    assert_eq!(redacted.strike("a q12 b@x.example"), "a [gone] b@x.example");
    assert_eq!(own("").strike("a q12 b"), "a q12 b");
    let reported = own("action = \"report\"");
    check(&reported, "a q12 b", "a q12 b", "a q12 b");
    assert_eq!(reported.report("a q12 b")[0].kind, DataKind::Custom(0));
}

#[test]
fn uses_and_thresholds_are_the_operators() {
    let text = "ann@example.com 2024-01-02";
    let own = detector("[types.EMAIL]\nplaceholders = false\n[types.DATE_TIME]\nlogs = true");
    check(&own, text, text, "[EMAIL] [DATE_TIME]");
    check(&detector("[types.EMAIL]\nlogs_at = 100"), text, "[EMAIL] 2024-01-02", text);
    let own = detector(&format!("{MEMBER}\n[types.MEMBER_NO]\nlogs_at = 20"));
    check(&own, "VIP1234567", "VIP1234567", "[MEMBER_NO]");
}

#[test]
fn lists_deny_and_allow() {
    let own = detector(
        "[[deny]]\ntype = \"NAME\"\nwords = [\"Ann Lee\", \"王小明\"]\n\
         [allow]\nvalues = [\"help@shop.example\", \"+44 20 7946 0000\"]\npatterns = [\"no-.*@x\\\\.example\"]",
    );
    check(&own, "ann lee and 王小明来了", "[NAME] and [NAME]来了", "[NAME] and [NAME]来了");
    check(&own, "Joann Leeds", "Joann Leeds", "Joann Leeds");
    let public = "help@shop.example, no-reply@x.example, +44 (20) 7946-0000";
    check(&own, public, public, public);
    check(&own, "help@shop2.example", "[EMAIL]", "[EMAIL]");
    let part = "<NAME_1.k3f9> [NAME] <ANN_LEE_1.k3f9>";
    check(&own, part, part, part);
}

#[test]
fn a_denied_word_is_found_where_a_longer_one_only_begins() {
    let own = detector("[[deny]]\ntype = \"NAME\"\nwords = [\"Ann\", \"Ann Lee\"]");
    check(
        &own,
        "Ann Leeds, ann lee, Anna",
        "[NAME] Leeds, [NAME], Anna",
        "[NAME] Leeds, [NAME], Anna",
    );
}

#[test]
fn allowed_numbers_are_known_in_any_grouping() {
    let own = detector("[allow]\nvalues = [\"+44 20 7946 0000\"]");
    for number in ["+44 (0)20 7946 0000", "0044 20 7946 0000", "+442079460000", "+44-20-7946-0000"]
    {
        check(&own, number, number, number);
    }
    check(&own, "+44 20 7946 0001", "[PHONE]", "[PHONE]");
}

#[test]
fn long_texts_are_read_in_windows() {
    let own = detector("[[pattern]]\ntype = \"CODE\"\nregex = 'q[0-9]{6}\\b'");
    for before in [0, 1017, 1018, 1024, 2043, 2048, 5000] {
        let text = format!("{}é q123456 q1234567", "x ".repeat(before / 2));
        let found = own.find(&text);
        let spans: Vec<&str> = found.iter().map(|one| &text[one.span.clone()]).collect();
        assert_eq!(spans, ["q123456"], "{before}");
    }
    let runs = detector("[[pattern]]\ntype = \"CODE\"\nregex = 'q+'");
    let found = runs.find(&"q".repeat(5000));
    assert!(found.len() > 1 && found.iter().all(|one| one.span.len() <= 2048), "{found:?}");
    let covered: usize = found.iter().map(|one| one.span.len()).sum();
    assert_eq!(covered, 5000);
}

/// Looked for in one piece, each match would read the text to its end.
#[test]
fn own_patterns_find_everything_in_a_long_text() {
    let own = detector("[[pattern]]\ntype = \"CODE\"\nregex = 'x[^y]*y|x'");
    assert_eq!(own.find(&"x".repeat(32_000)).len(), 32_000);
}

#[test]
fn a_pattern_adds_to_a_type_that_comes_with_postern() {
    let own = detector("[[pattern]]\ntype = \"PHONE\"\nregex = \"ext [0-9]{4}\"");
    check(&own, "ask for ext 4711", "ask for [PHONE]", "ask for [PHONE]");
}

#[test]
fn own_patterns_leave_placeholders_whole() {
    let own = detector("[[pattern]]\ntype = \"CODE\"\nregex = \"[0-9]{4}\"");
    check(&own, "<EMAIL_1.1234> 1234", "<EMAIL_1.1234> [CODE]", "<EMAIL_1.1234> [CODE]");
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let check = |text: &str, line: u32, message: &str| {
        let errors = PrivacyRules::read(&source(text)).unwrap_err();
        let fits = |e: &PolicyError| e.line == line && e.to_string().contains(message);
        assert!(errors.iter().any(fits), "{text}\n{errors:?}");
    };
    let pattern =
        |more: &str| format!("\n[[pattern]]\ntype = \"X\"\nregex = \"q[0-9]+\"\n{more}\n");
    assert!(PrivacyRules::read(&source(&pattern(""))).is_ok());
    check("[types", 1, "");
    check("[typos.EMAIL]\nlogs = true", 1, "unknown field `typos`");
    check(&pattern("acton = \"report\""), 5, "unknown field `acton`");
    check(&pattern("action = \"hide\""), 5, "unknown variant `hide`");
    check(&pattern("confidence = 0"), 2, "a percentage");
    check(&pattern("replacement = \"<x>\""), 2, "without `<` and `>`");
    check(&pattern("context = [\"\"]"), 2, "word 1 is empty");
    let regex = |regex: &str| format!("\n[[pattern]]\ntype = \"X\"\nregex = '{regex}'");
    check(&regex("q["), 2, "the expression is none");
    check(&regex("q*"), 2, "matches the empty text");
    check(&regex("(?:q{1000}){1000}"), 2, "bound its repetitions");
    check(&regex("[A-Z]{4,}"), 2, "it matches [EMAIL]");
    check(&regex(&"q".repeat(2_001)), 2, "at most 2000 bytes");
    let named = |name: &str| format!("\n\n[[pattern]]\ntype = \"{name}\"\nregex = \"q\"");
    for name in ["", "x", "A1", "_X", "X_", &"X".repeat(25)] {
        check(&named(name), 3, "as in MEMBER_NO");
    }
    check(&format!("{}\naction = \"redact\"", named("EMAIL")), 3, "stands in [types.EMAIL]");
    let twice = format!("{}{}", pattern(""), pattern("action = \"redact\""));
    check(&twice, 7, "write the same in all its entries");
    check("\n[types.EMIAL]\nlogs = true", 2, "did you mean `EMAIL`?");
    check("[types.EMAIL]\nlogs = false\nlogs_at = 30", 1, "write `logs = true`");
    check("[types.URL]\nlogs_at = 30", 1, "URL stays in");
    check("[types.EMAIL]\nlogs_at = 101", 1, "a percentage");
    check("\n[allow]\npatterns = [\"(\"]", 2, "allow: the expression is none");
    check("\n[restricted.health]\nphrases = [\"\"]", 2, "restricted \"health\"");
    check(&"#".repeat(256 * 1024 + 1), 0, "at most 262144");
    let many = pattern("").repeat(129);
    check(&many, 0, "at most 128");
}
