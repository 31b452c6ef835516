//! What limits and routes are refused for, and what the shorthands stand for.

use super::*;

/// Other limits and routes than those of the tests, and one rule.
pub(super) fn loaded(
    limits: &str,
    approvals: &str,
    rule: &str,
) -> Result<PolicySet, Vec<PolicyError>> {
    let source = |file: &str, text: &str| PolicySource { file: file.into(), text: text.into() };
    let sources = PolicySources {
        limits: Some(source("limits.toml", limits)),
        approvals: Some(source("approvals.toml", approvals)),
        privacy: None,
        ..only(vec![source("test.cedar", rule)])
    };
    PolicySet::load(&sources, &shop())
}

#[test]
fn limits_are_refused_with_their_place() {
    let check = |text: &str, line: u32, message: &str| {
        let errors = loaded(text, "", "").unwrap_err();
        let fits = |e: &PolicyError| {
            (e.file.as_str(), e.line) == ("limits.toml", line) && e.message.contains(message)
        };
        assert!(errors.iter().any(fits), "{text}\n{errors:?}");
    };
    let rate = |more: &str| format!("\n[rate.few]\nper = \"skill\"\n{more}\n");
    assert!(loaded(&rate("count = 1\nwindow = \"1m\""), "", "").is_ok());
    check("[rate", 1, "");
    check(&rate("count = 1\nwindow = \"1m\"\nbrust = 2"), 6, "unknown field `brust`");
    check(&rate("count = 1"), 2, "missing field `window`");
    check(&rate("count = -1\nwindow = \"1m\""), 4, "");
    check("\n[rate.few]\nper = \"planet\"\ncount = 1\nwindow = \"1m\"", 3, "unknown variant");
    check(&rate("count = 0\nwindow = \"1m\""), 2, "at least 1");
    check(&rate("count = 1\nburst = 2\nwindow = \"1m\""), 2, "at most `count`");
    check(&rate("count = 1\nwindow = \"1 minute\""), 2, "write 90s, 10m");
    check("[rate.\"A b\"]\nper = \"skill\"\ncount = 1\nwindow = \"1m\"", 1, "the name is not one");
    let amount = |more: &str| format!("\n\n[amount.small]\nper = \"customer\"\n{more}\n");
    check(&amount(""), 3, "bounds nothing");
    check(&amount("max = \"100\""), 3, "a point and two digits");
    check(&amount("max = 100"), 5, "invalid type");
    check(&amount("sum = \"1.00\""), 3, "belong together");
    check("[concurrency.one]\nper = \"global\"\nmost = 0", 1, "at least 1");
    let twice = format!(
        "{}[concurrency.few]\nper = \"global\"\nmost = 1",
        rate("count = 1\nwindow = \"1m\"")
    );
    check(&twice, 6, "a rate has this name already");
    let twice = format!(
        "{}[amount.few]\nper = \"customer\"\nmax = \"1.00\"",
        rate("count = 1\nwindow = \"1m\"")
    );
    check(&twice, 6, "amount \"few\": a rate has this name already");
    check("[size.body]\nmost = 1", 1, "unknown field `size`");
    check(&" ".repeat(256 * 1024 + 1), 0, "at most 262144");
}

#[test]
fn routes_are_refused_with_their_place() {
    let check = |text: &str, line: u32, message: &str| {
        let errors = loaded("", text, "").unwrap_err();
        let fits = |e: &PolicyError| {
            (e.file.as_str(), e.line) == ("approvals.toml", line) && e.message.contains(message)
        };
        assert!(errors.iter().any(fits), "{text}\n{errors:?}");
    };
    let route = |more: &str| {
        format!("[route.one]\nquorum = 1\nexpires = \"24h\"\nrole = \"approver\"\n{more}\n")
    };
    assert!(loaded("", &route(""), "").is_ok());
    check(&route("[route.two]\nquorum = 0\nexpires = \"1h\"\nrole = \"admin\""), 5, "at least 1");
    check(&route("remind = \"24h\""), 1, "shorter than `expires`");
    check(&route("escalate_to = \"two\""), 1, "belong together");
    check(&route("escalate_to = \"two\"\nescalate_after = \"1h\""), 1, "no route \"two\"");
    check(&route("escalate_to = \"one\"\nescalate_after = \"1h\""), 1, "another route");
    check(&route("[require_approval_for]\nmass_sent = \"one\""), 6, "unknown field `mass_sent`");
    check(&route("[require_approval_for]\n\nmass_send = \"on\""), 7, "no route \"on\"");
}

#[test]
fn shorthands_are_rules_with_the_place_where_they_stand() {
    let text = format!(
        "{}\n[require_approval_for]\nbulk_delete = \"others\"\nmass_send = \"managers\"\n",
        super::ROUTES
    );
    let set = loaded("", &text, "@id(\"all\") permit (principal, action, resource);").unwrap();
    let rules: Vec<_> = set.rules().filter(|rule| rule.file == "approvals.toml").collect();
    let lines: Vec<&str> = text.lines().collect();
    for (rule, (id, line)) in rules.iter().zip([
        ("shorthand-bulk-delete", "bulk_delete = \"others\""),
        ("shorthand-mass-send", "mass_send = \"managers\""),
    ]) {
        assert_eq!((rule.id.as_str(), lines[rule.line as usize - 1]), (id, line));
    }
    assert_eq!(rules.len(), 2);
    let send = |keys: &[&str]| {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        let audience = postern_domain::Audience::Customers { keys };
        let call = HostCall::MessageSend { audience, text: "x".into() };
        judge(&set, "any", "t", &call, &facts())
    };
    assert_eq!(send(&["a"]).rules, ["all"]);
    let verdict = send(&["a", "b"]);
    assert_eq!(verdict.decision, postern_domain::Decision::RequireApproval);
    assert_eq!(verdict.rules, ["shorthand-mass-send"]);
}
