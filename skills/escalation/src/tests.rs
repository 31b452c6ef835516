use postern_sdk::{
    Failure, HostError, HostErrorKind,
    fake::{Call, Host},
};

use super::*;

fn context() -> Context {
    Context::example()
        .with_setting("answer_low", "within three days")
        .with_setting("answer_normal", "within one day")
        .with_setting("answer_high", "within four hours")
        .with_setting("answer_critical", "within one hour")
}

fn check(tool: &str, arguments: &str, reason: &str, severity: Severity, promise: &str) {
    let host = Host::new();
    let outcome = call_tool(tool, arguments, &context()).unwrap();
    let Outcome::Reply(text) = outcome else { panic!("{outcome:?}") };
    assert!(text.contains(&format!("A person will answer you here {promise}.")), "{text}");
    let calls = host.calls();
    let [Call::HandOver { reason: asked, severity: level, summary }] = calls.as_slice() else {
        panic!("{calls:?}")
    };
    assert_eq!((asked.as_str(), *level), (reason, severity), "{arguments}");
    assert!(summary.ends_with(&format!("promised an answer {promise}.")), "{summary}");
}

#[test]
fn reason_and_severity_choose_the_template() {
    let normal = (Severity::Normal, "within one day");
    let high = (Severity::High, "within four hours");
    check("escalate", "{}", "asked-for-person", normal.0, normal.1);
    check("escalate", r#"{"reason":"lost-parcel"}"#, "lost-parcel", high.0, high.1);
    check("escalate", r#"{"reason":"other"}"#, "other", Severity::Low, "within three days");
    check("escalate", r#"{"severity":"high"}"#, "asked-for-person", high.0, high.1);
    check("take_complaint", "{}", "complaint", high.0, high.1);
}

#[test]
fn a_call_cannot_lower_the_severity_of_its_reason() {
    let arguments = r#"{"reason":"safety","severity":"low"}"#;
    check("escalate", arguments, "safety", Severity::Critical, "within one hour");
}

#[test]
fn the_person_learns_the_order() {
    let host = Host::new();
    call_tool("take_complaint", r##"{"order_id":"#W1000001"}"##, &context()).unwrap();
    let Some(Call::HandOver { summary, .. }) = host.calls().pop() else { panic!("no hand-over") };
    assert!(summary.contains("It is about order #W1000001."), "{summary}");
}

#[test]
fn every_reason_has_a_name_that_arguments_can_use() {
    for reason in Reason::ALL {
        let read: Reason = serde_json::from_str(&format!("{:?}", reason.name())).unwrap();
        assert_eq!(read, reason);
    }
}

#[test]
fn nothing_is_promised_when_the_hand_over_fails() {
    let host = Host::new();
    host.fail_when(|_| true, HostError::new(HostErrorKind::Unavailable, "no queue"));
    let failure = call_tool("escalate", "{}", &context()).unwrap_err();
    assert_eq!(failure, Failure::Unavailable("no queue".into()));
}

#[test]
fn an_unknown_reason_is_refused() {
    let _host = Host::new();
    let failure = call_tool("escalate", r#"{"reason":"boredom"}"#, &context()).unwrap_err();
    assert!(matches!(failure, Failure::InvalidArguments(text) if text.starts_with("`reason`")));
}

#[test]
fn its_scenarios_hold_natively() {
    let report = postern_sdk::scenario::run(call_tool, "scenarios");
    assert!(report.ran > 0);
}
