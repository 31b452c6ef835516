use std::path::Path;

use super::*;
use crate::Scenario;

fn expect(text: &str) -> Expect {
    let text = format!("[scenario]\nname = \"x\"\n[[step]]\ncall = \"t\"\n[step.expect]\n{text}\n");
    Scenario::parse(Path::new("x.toml"), &text).unwrap().steps.remove(0).expect
}

fn call(action: &str, resource: &str, decision: Decision) -> HostCallSeen {
    HostCallSeen {
        action: action.into(),
        resource: resource.into(),
        decision,
        rules: vec!["a-rule".into()],
        fails: (decision == Decision::Deny).then(|| "denied".into()),
        message: None,
        awaited: false,
    }
}

fn seen() -> Seen {
    Seen {
        outcome: Some(OutcomeKind::Reply),
        text: "Order #W1 is pending.".into(),
        tool: Some("order_status".into()),
        calls: vec![
            call("records:get", "orders/#W1", Decision::Allow),
            call("kv:get", "last", Decision::Allow),
            call("records:get", "orders/#W2", Decision::Deny),
        ],
        ticket: Some(TicketSeen {
            status: "open".into(),
            priority: "P2".into(),
            tags: vec!["a".into()],
            ..TicketSeen::default()
        }),
        records: [(("orders".into(), "#W1".into()), serde_json::json!({"status": "pending"}))]
            .into(),
        judged: true,
        ..Seen::default()
    }
}

fn told(text: &str, seen: &Seen) -> Vec<String> {
    let line = |it: Difference| {
        let hint = it.hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}: {} ≠ {}{hint}", it.what, it.expected, it.got)
    };
    check(&expect(text), seen).into_iter().map(line).collect()
}

#[test]
fn what_is_as_expected_has_no_differences() {
    let text = r##"
outcome = "reply"
text = "Order #W1 is pending."
contains = ["#W1", "pending"]
excludes = ["shipped"]
tool = "order_status"
calls = ["records:get", "kv:get", { action = "records:get", resource = "orders/#W2", decision = "deny", rule = "a-rule", fails = "denied" }]
ticket = { status = "open", priority = "P2", tags = ["a"] }
gone = ["orders/#W3"]
[step.expect.records.orders."#W1"]
status = "pending"
"##;
    assert_eq!(told(text, &seen()), [""; 0]);
}

#[test]
fn each_difference_is_told() {
    let text = r##"
outcome = "ask"
contains = ["shipped"]
excludes = ["pending"]
asks = "order_id"
other_calls = true
ticket = { queue = "support" }
gone = ["orders/#W1"]
[step.expect.records.orders."#W9"]
a = 1
"##;
    let expected = [
        "outcome: ask ≠ reply: Order #W1 is pending.",
        "text: … shipped … ≠ Order #W1 is pending.",
        "text: without pending ≠ Order #W1 is pending.",
        "asks: order_id ≠ nothing",
        "ticket.queue: support ≠ none",
        "record orders/#W9: {\"a\":1} ≠ no such record",
        "record orders/#W1: gone ≠ {\"status\":\"pending\"}",
    ];
    assert_eq!(told(text, &seen()), expected);
}

#[test]
fn a_refused_call_that_nobody_expects_fails_a_step() {
    let refused = "unexpected refusal: no refused call ≠ records:get orders/#W2 → deny by a-rule; \
                   the skill got denied (if it should be refused, list it in `calls` with \
                   decision = \"deny\")";
    assert_eq!(told("outcome = \"reply\"", &seen()), [refused]);
    assert_eq!(told("other_calls = true", &seen()), [""; 0]);
}

#[test]
fn calls_are_compared_in_their_order() {
    let wrong =
        told(r#"calls = ["records:get", { action = "records:get", decision = "allow" }]"#, &seen());
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(
        wrong[0].starts_with("call 2: records:get → allow ≠ records:get orders/#W2"),
        "{wrong:?}"
    );
    assert!(wrong[0].ends_with("(nearest call: the decision is deny)"), "{wrong:?}");
    assert!(wrong[1].starts_with("unexpected call: "), "{wrong:?}");
    assert_eq!(told(r#"calls = ["kv:get", "records:get"]"#, &seen()).len(), 1);
    let any = r#"any_order = true
calls = ["records:get", "kv:get", { action = "records:get", resource = "orders/#W1" }]"#;
    assert_eq!(told(any, &seen()), [""; 0]);
    assert_eq!(told("calls = [\"records:get\"]\nother_calls = true", &seen()), [""; 0]);
    let missing = told("calls = [\"http:send\"]\nother_calls = true", &seen());
    assert_eq!(missing.len(), 1, "{missing:?}");
}

#[test]
fn without_rules_their_words_do_not_count() {
    let mut native = seen();
    native.judged = false;
    let text = r#"calls = [{ action = "records:get", rule = "other" }, "kv:get", "records:get"]
ticket = { status = "closed" }
waits_for = "confirm""#;
    assert_eq!(told(text, &native), [""; 0]);
    assert_eq!(told(text, &seen()).len(), 3);
}

#[test]
fn requests_are_compared_one_by_one() {
    let mut seen = Seen { judged: true, ..Seen::default() };
    seen.requests.push(Request {
        method: "POST".into(),
        host: "a.example".into(),
        path: "/v1/pay".into(),
        query: vec![],
        headers: vec![],
        body: br#"{"cents":5}"#.to_vec(),
    });
    let right = r#"requests = [{ method = "POST", host = "a.example", path = "/v1/*", body = { cents = 5 } }]"#;
    assert_eq!(told(right, &seen), [""; 0]);
    let wrong = told(r#"requests = [{ body = { cents = 6 } }, {}]"#, &seen);
    assert_eq!(
        wrong,
        [
            "request 1: * * with {\"cents\":6} ≠ POST a.example/v1/pay (the body is {\"cents\":5})",
            "request 2: * * ≠ no such request"
        ]
    );
    assert_eq!(
        told("requests = []", &seen),
        ["unexpected request: no such request ≠ POST a.example/v1/pay"]
    );
}

#[test]
fn limits_are_exact_or_upper_bounds() {
    let used = Usage { fuel: 100, memory_kib: 1088, host_calls: 3 };
    let exact = Limits { fuel: Some(100), memory_kib: Some(1088), ..Limits::default() };
    let most = Limits {
        most_fuel: Some(100),
        most_memory_kib: Some(1088),
        most_host_calls: Some(3),
        ..Limits::default()
    };
    assert_eq!(check_limits(&exact, &used), []);
    assert_eq!(check_limits(&most, &used), []);
    let more = Usage { fuel: 101, memory_kib: 1152, host_calls: 4 };
    assert_eq!(check_limits(&exact, &more).len(), 2);
    let told: Vec<String> = check_limits(&most, &more).iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3);
    assert_eq!(told[0], "limits.most_fuel\n  expected: at most 100\n  got:      101");
}
