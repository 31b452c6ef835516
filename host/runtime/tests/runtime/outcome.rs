//! What goes into a tool and what comes out of it.

use postern_domain::{Customer, IdentityLevel, Outcome, Severity, SkillFailure};
use serde_json::{Value, json};

use crate::support::{empty, failure, invocation, reply, skill};

async fn outcome(tool: &str, arguments: &Value) -> Outcome {
    let report = skill("echo").invoke(invocation(tool, arguments), empty().0).await;
    report.result.unwrap_or_else(|error| panic!("{error}"))
}

#[tokio::test]
async fn every_outcome_arrives() {
    let reply = Outcome::Reply { text: "grüß dich".into() };
    assert_eq!(outcome("echo", &json!({"text": "grüß dich"})).await, reply);
    let ask = Outcome::Ask { entity: "order_id".into(), text: "Which?".into() };
    assert_eq!(outcome("ask", &json!({})).await, ask);
    let hand_over = Outcome::HandOver {
        reason: "no-longer-eligible".into(),
        severity: Severity::High,
        text: "A colleague goes on.".into(),
    };
    let arguments = json!({"reason": "no-longer-eligible"});
    assert_eq!(outcome("hand_over", &arguments).await, hand_over);
    assert_eq!(outcome("done", &json!({})).await, Outcome::Done);
}

#[tokio::test]
async fn every_failure_arrives() {
    for (tool, wanted) in [
        ("deny", SkillFailure::Denied { message: "because".into() }),
        ("unavailable", SkillFailure::Unavailable { message: "because".into() }),
        ("internal", SkillFailure::Internal { message: "because".into() }),
        ("nonsense", SkillFailure::InvalidArguments { message: "no tool nonsense".into() }),
    ] {
        let call = invocation(tool, &json!({"text": "because"}));
        assert_eq!(failure(skill("echo").invoke(call, empty().0).await), wanted);
    }
    let call = invocation("hand_over", &json!({"reason": "Because I say so!"}));
    let found = failure(skill("echo").invoke(call, empty().0).await);
    assert_eq!(found.code(), "internal");
}

#[tokio::test]
async fn the_context_is_what_the_host_says() {
    let mut call = invocation("context", &json!({}));
    call.language = "de-CH".into();
    call.customer = Customer { key: Some("u1".into()), level: IdentityLevel::Verified };
    call.settings = vec![("carrier".into(), "swift".into())];
    let id = call.id.to_string();
    let text = reply(skill("echo").invoke(call, empty().0).await);
    for part in [&id, "1700000000123", "de-CH", "u1", "Verified", "swift"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[tokio::test]
async fn usage_is_told() {
    let call = invocation("echo", &json!({"text": "hi"}));
    let usage = skill("echo").invoke(call, empty().0).await.usage;
    assert!(usage.memory_bytes >= 64 << 10, "{usage:?}");
    assert!(!usage.cpu.is_zero() && usage.cpu <= usage.wall, "{usage:?}");
    assert_eq!((usage.host_calls, usage.log_lines_dropped), (0, 0));
}

#[test]
fn arguments_and_seed_do_not_appear_in_debug_output() {
    let call = invocation("echo", &json!({"text": "jane@example.com"}));
    let debug = format!("{call:?}");
    assert!(!debug.contains("jane") && !debug.contains("7, 7"), "{debug}");
}
