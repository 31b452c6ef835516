use postern_domain::Timestamp;

use super::*;
use crate::registry::parse_manifest;

const MANIFEST: &str = r#"
[skill]
id = "greeter"
version = "1.0.0"
description = "Says hello."
publisher = "tests"

[[tools]]
name = "greet"
description = "Says hello."
read_only = true
idempotent = true
reversible = true
arguments = { type = "object" }

[[intents]]
name = "greet"
tool = "greet"
examples = ["hello you", "hi there you", "good day to you", "greet me", "say hello"]

[[capabilities]]
interface = "records"
reason = "Reads orders."
reads = ["orders", "users"]
writes = []
"#;

fn key(id: &str) -> SignedBy {
    SignedBy { publisher: "tests".to_owned(), key: id.to_owned() }
}

fn check(
    change: impl Fn(&str) -> String,
    old_signer: Option<&str>,
    signer: Option<&str>,
) -> Difference {
    compare(MANIFEST, &change(MANIFEST), old_signer, signer)
}

fn between(was: &str, is: &str) -> Difference {
    compare(was, is, None, None)
}

fn compare(was: &str, is: &str, old_signer: Option<&str>, signer: Option<&str>) -> Difference {
    let manifest = parse_manifest("skill.toml", was).unwrap();
    let old = Installed {
        grants: manifest.requested(),
        manifest,
        digest: Digest::of_bytes(b"old"),
        assets: None,
        installed_at: Timestamp::default(),
        source: None,
        signed_by: old_signer.map(key),
    };
    let new = parse_manifest("skill.toml", is).unwrap();
    difference(&old, &new, Digest::of_bytes(b"new"), signer.map(key).as_ref())
}

#[test]
fn equal_and_narrower_wishes_keep_their_grants() {
    let same = check(str::to_owned, None, None);
    assert!(!same.needs_grant() && same.other.is_empty(), "{same:?}");
    assert_eq!(same.stay, BTreeSet::from([Interface::Records]));
    let narrower = check(|m| m.replace(r#", "users"]"#, "]"), None, None);
    assert!(!narrower.needs_grant(), "{narrower:?}");
    assert_eq!(narrower.narrower.len(), 1, "{narrower:?}");
    let gone = check(|m| m[..m.find("[[capabilities]]").unwrap()].to_owned(), None, None);
    assert!(!gone.needs_grant() && gone.stay.is_empty(), "{gone:?}");
}

#[test]
fn wider_wishes_need_a_grant_whatever_shape_they_have() {
    type Change = fn(&str) -> String;
    let wider: [(Change, &str); 4] = [
        (|m| m.replace(r#""users"]"#, r#""users", "payments"]"#), "orders, payments, users"),
        (|m| m.replace("reads = [\"orders\", \"users\"]\n", ""), "every collection"),
        (|m| m.replace("writes = []", r#"writes = ["orders"]"#), "writes records of: orders"),
        (
            |m| format!("{m}\n[[capabilities]]\ninterface = \"http\"\nreason = \"Calls.\"\n"),
            "every server that rules let it (before: not at all)",
        ),
    ];
    for (change, words) in wider {
        let found = check(change, None, None);
        assert!(found.needs_grant(), "{found:?}");
        assert!(found.wider.iter().any(|line| line.contains(words)), "{words}: {found:?}");
    }
}

#[test]
fn another_signer_or_publisher_needs_a_grant() {
    assert!(!check(str::to_owned, Some("a"), Some("a")).needs_grant());
    assert!(check(str::to_owned, Some("a"), Some("b")).needs_grant());
    assert!(check(str::to_owned, Some("a"), None).needs_grant());
    // A signature where there was none takes nothing away.
    let first = check(str::to_owned, None, Some("a"));
    assert!(!first.needs_grant() && first.other.len() == 1, "{first:?}");
    assert!(check(|m| m.replace(r#"r = "tests""#, r#"r = "others""#), None, None).needs_grant());
}

#[test]
fn what_changes_in_tools_intents_and_limits_is_told() {
    let changed = |m: &str| {
        let text = m
            .replace("idempotent = true", "idempotent = false")
            .replace("\"greet me\", ", "")
            .replace("\"say hello\"]", "\"say hello\", \"hey\", \"ahoy\"]");
        format!("{text}\n[limits]\nmemory_mib = 32\n")
    };
    let found = check(changed, None, None);
    assert!(!found.needs_grant());
    let want = [
        "tool greet: idempotent was true, is false",
        "intent greet had 5 examples, has 6",
        "limits.memory_mib: asked for nothing before, now 32",
    ];
    assert_eq!(found.other, want);
}

#[test]
fn a_tool_that_is_guarded_less_needs_a_grant() {
    let guarded = MANIFEST
        .replace("idempotent = true", "idempotent = false\nidentity = \"identified\"")
        .replace("reversible = true", "reversible = true\nconfirm = \"Shall I greet?\"");
    let cases = [
        ("read_only = true", "read_only = false", "read_only was true, is false"),
        ("idempotent = false", "idempotent = true", "idempotent was false, is true"),
        ("reversible = true", "reversible = false", "reversible was true, is false"),
        ("reversible = true", "reversible = true\nidentifies = true", "identifies was false"),
        ("identity = \"identified\"\n", "", "had to be identified, now unknown"),
        ("confirm = \"Shall I greet?\"\n", "", "\"Shall I greet?\", now nothing of its own"),
        ("Shall I greet?", "Yes?", "\"Shall I greet?\", now \"Yes?\""),
    ];
    for (from, to, words) in cases {
        let weaker = guarded.replace(from, to);
        assert_ne!(weaker, guarded, "{from}");
        let found = between(&guarded, &weaker);
        assert!(found.needs_grant(), "{found:?}");
        assert!(found.wider.iter().any(|line| line.contains(words)), "{words}: {found:?}");
    }
    let found = between(MANIFEST, &MANIFEST.replace("idempotent = true", "idempotent = false"));
    assert!(!found.needs_grant(), "{found:?}");
}
