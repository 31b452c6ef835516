//! What rules ask for and what an allowed call takes with it.

use postern_domain::{Decision, Obligation, RecordStep, Take};
use serde_json::json;

use super::*;

const ALL: &str = "@id(\"all\") permit (principal, action, resource);\n";

fn call() -> HostCall {
    HostCall::KvGet { key: "k".into() }
}

fn tokens(verdict: &Verdict) -> Vec<String> {
    verdict.obligations.iter().map(Obligation::token).collect()
}

fn check(rules: &str, facts: &Facts, decision: Decision, duties: &[&str]) -> Verdict {
    let set = load(&format!("{ALL}{rules}")).unwrap_or_else(|e| panic!("{rules}\n{e:?}"));
    let verdict = judge(&set, "order-status", "t", &call(), facts);
    assert_eq!(
        (verdict.decision, tokens(&verdict)),
        (decision, duties.iter().map(|d| (*d).to_owned()).collect()),
        "{rules}: {}",
        verdict.reason
    );
    verdict
}

/// A forbid rule that one of these tokens lifts.
fn forbid(annotations: &str, tokens: &[&str]) -> String {
    let conditions: Vec<String> =
        tokens.iter().map(|token| format!("context.satisfied.contains(\"{token}\")")).collect();
    let unless = conditions.join(" || ");
    format!(
        "@id(\"f\") {annotations} forbid (principal, action, resource) unless {{ {unless} }};\n"
    )
}

fn approved(route: &str) -> Facts {
    Facts { approvals: [route.to_owned()].into(), ..facts() }
}

#[test]
fn an_approval_is_required_and_lifts_only_its_own_route() {
    let rule = forbid("@approval(\"managers\")", &["approval:managers"]);
    let verdict = check(&rule, &facts(), Decision::RequireApproval, &["approval:managers"]);
    assert_eq!(verdict.reason, "the people of managers must approve this first (f)");
    check(&rule, &approved("managers"), Decision::Allow, &[]);
    for other in ["others", "nobody"] {
        check(&rule, &approved(other), Decision::RequireApproval, &["approval:managers"]);
    }
    let both = format!(
        "{rule}@id(\"g\") @confirm forbid (principal, action, resource) unless {{ context.satisfied.contains(\"confirm\") }};"
    );
    check(&both, &facts(), Decision::RequireApproval, &["confirm", "approval:managers"]);
    check(&both, &approved("managers"), Decision::Deny, &["confirm"]);
    let firm = format!("{rule}@id(\"g\") forbid (principal, action, resource);");
    check(&firm, &facts(), Decision::Deny, &[]);
}

#[test]
fn a_limit_goes_with_the_allowed_call_and_is_never_asked_for() {
    let rule = forbid("@limit(\"few\")", &["limit:few"]);
    check(&rule, &facts(), Decision::Allow, &["limit:few"]);
    check(&forbid("@limit(\"one\")", &["limit:one"]), &facts(), Decision::Allow, &["limit:one"]);
    let when = rule.replace("unless", "when { context.tool == \"other\" } unless");
    check(&when, &facts(), Decision::Allow, &[]);
    let with_yes = forbid("@limit(\"few\") @confirm", &["limit:few"])
        .replace("limit:few\")", "limit:few\") && context.satisfied.contains(\"confirm\")");
    check(&with_yes, &facts(), Decision::Deny, &["confirm"]);
    check(&with_yes, &Facts { confirmed: true, ..facts() }, Decision::Allow, &["limit:few"]);
}

/// A write of one refund that moves this much.
fn refund(rules: &str, amount: Option<i64>, facts: &Facts) -> Verdict {
    let set = load(&format!("{ALL}{rules}")).unwrap_or_else(|e| panic!("{rules}\n{e:?}"));
    let step = RecordStep::Put {
        collection: "refunds".into(),
        key: "r".into(),
        body: json!({}),
        expected: postern_domain::Expected::Absent,
    };
    let record = RecordFacts {
        collection: "refunds".into(),
        key: Some("r".into()),
        amount,
        ..RecordFacts::default()
    };
    let call = HostCall::RecordsWrite { steps: vec![step] };
    judge(&set, "order-status", "t", &call, &Facts { records: vec![record], ..facts.clone() })
}

#[test]
fn above_a_bound_or_without_an_amount_people_must_approve() {
    for (bound, taken) in [("small", vec![]), ("month", vec!["max_amount:month".to_owned()])] {
        let token = format!("max_amount:{bound}");
        let rule = forbid(
            &format!("@max_amount(\"{bound}\") @approval(\"managers\")"),
            &[&token, "approval:managers"],
        );
        for amount in [Some(0), Some(9_999), Some(10_000)] {
            let verdict = refund(&rule, amount, &facts());
            assert_eq!((verdict.decision, tokens(&verdict)), (Decision::Allow, taken.clone()));
        }
        for amount in [None, Some(10_001), Some(i64::MAX), Some(-1)] {
            let verdict = refund(&rule, amount, &facts());
            assert_eq!(verdict.decision, Decision::RequireApproval, "{amount:?}");
            assert_eq!(tokens(&verdict), ["approval:managers"], "{amount:?}");
            let verdict = refund(&rule, amount, &approved("managers"));
            assert_eq!((verdict.decision, tokens(&verdict)), (Decision::Allow, vec![]));
        }
    }
}

#[test]
fn a_bound_alone_refuses_what_exceeds_it() {
    let rule = forbid("@max_amount(\"small\")", &["max_amount:small"]);
    assert_eq!(refund(&rule, Some(10_000), &facts()).decision, Decision::Allow);
    let verdict = refund(&rule, Some(10_001), &facts());
    assert_eq!((verdict.decision, tokens(&verdict)), (Decision::Deny, vec![]));
    // A call that moves no money has no known amount.
    check(&rule, &facts(), Decision::Deny, &[]);
}

#[test]
fn rules_read_the_amount_and_what_changes_access() {
    let rule = "@id(\"f\") forbid (principal, action == Action::\"records:put\", resource)
        when { context.arguments has amount && context.arguments.amount > 5 || context.arguments.changes_access };";
    assert_eq!(refund(rule, Some(5), &facts()).decision, Decision::Allow);
    assert_eq!(refund(rule, Some(6), &facts()).decision, Decision::Deny);
    assert_eq!(refund(rule, None, &facts()).decision, Decision::Allow);
}

#[test]
fn marks_come_from_the_rules_that_decided_and_from_those_that_were_lifted() {
    let permit = "@id(\"p\") @redact(\"EMAIL, PHONE\") @notify(\"others\") permit (principal, action, resource);\n";
    check(permit, &facts(), Decision::Allow, &["redact:EMAIL,PHONE", "notify:others"]);
    let own = "@id(\"o\") @redact(\"MEMBER_NO\") permit (principal, action, resource);";
    check(own, &facts(), Decision::Allow, &["redact:MEMBER_NO"]);
    let lifted = forbid("@confirm @redact(\"NAME\") @notify(\"managers\")", &["confirm"]);
    let both = format!("{permit}{lifted}");
    let yes = Facts { confirmed: true, ..facts() };
    let all = ["redact:EMAIL,NAME,PHONE", "notify:managers", "notify:others"];
    check(&both, &yes, Decision::Allow, &all);
    let asked = ["confirm", "redact:NAME", "notify:managers"];
    check(&both, &facts(), Decision::Deny, &asked);
    let never = permit.replace("resource)", "resource) when { context.tool == \"other\" }");
    check(&never, &facts(), Decision::Allow, &[]);
    let firm =
        "@id(\"f\") @redact(\"NAME\") @notify(\"managers\") forbid (principal, action, resource);";
    check(firm, &facts(), Decision::Deny, &["notify:managers"]);
}

#[test]
fn limits_and_routes_are_read_as_they_were_meant() {
    let set = load("").unwrap();
    let rate = set.rate("few").unwrap();
    assert_eq!(rate.take(), Take::Rate { interval_ms: 10_000, burst: 6 });
    let month = set.amount("month").unwrap();
    assert_eq!(
        month.take(5),
        Some(Take::Sum { amount: 5, most: 30_000, window_ms: 2_592_000_000 })
    );
    assert_eq!(set.amount("small").unwrap().take(5), None);
    assert_eq!(set.concurrency("one").unwrap().most, 1);
    assert_eq!((set.rate("one"), set.concurrency("few")), (None, None));
    let route = set.route("managers").unwrap();
    assert_eq!((route.quorum, route.expires_ms, route.remind_ms), (2, 86_400_000, None));
    assert_eq!(set.routes().map(|(name, _)| name).collect::<Vec<_>>(), ["managers", "others"]);
}
