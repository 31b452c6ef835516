//! Calls that wait for somebody's word, and limits.

use postern_domain::{Approval, ApprovalState, Approver};
use postern_runtime::PortError;
use postern_store::{Change, Commit};
use serde_json::Value;

use super::{fixture::policy, *};
use crate::policies::Policies;

const TWO_WORDS: &str = r#"
@id("test-confirm")
@confirm
@reason("the customer must say yes")
forbid (principal, action == Action::"records:put", resource)
unless { context.satisfied.contains("confirm") };
@id("test-approve")
@approval("managers")
@reason("managers must approve")
forbid (principal, action == Action::"records:put", resource)
unless { context.satisfied.contains("approval:managers") };
"#;

const LARGE: &str = r#"
@id("test-large")
@max_amount("small")
@approval("managers")
forbid (principal, action == Action::"records:put", resource)
unless {
    context.satisfied.contains("max_amount:small") ||
    context.satisfied.contains("approval:managers")
};
"#;

const ONCE: &str = r#"
@id("test-once")
@limit("once")
forbid (principal, action in [Action::"http:send", Action::"records:get"], resource)
unless { context.satisfied.contains("limit:once") };
"#;

const REDACTED: &str = r#"
@id("test-redacted")
@redact("POSTCODE")
permit (principal, action == Action::"records:get", resource);
"#;

/// Why the invocation ended here.
fn suspended(answer: Result<Answered, PortError>) -> String {
    answer.expect_err("it was not suspended").to_string()
}

/// What the invocation waits for; what led to it is durable.
async fn waits(fixture: &Fixture, call: &HostCall) -> Approval {
    let journal = fixture.records().await;
    let approvals = fixture.approvals().await;
    let gate = fixture.gate(journal).with_approvals(approvals);
    let mut gate = gate;
    let told = suspended(gate.call(call.clone()).await);
    let suspension = fixture.ledger.lock().await.suspended.take().expect("nothing waits");
    assert!(told.contains(suspension.approval.id.as_str()), "{told}");
    fixture.commit().await;
    suspension.approval
}

async fn decide(fixture: &Fixture, approval: &Approval, state: ApprovalState) -> Approval {
    let next = approval.settled(state, fixture.clock.now(), "decided").unwrap();
    let changes = vec![Change::Approval(next.clone())];
    fixture.store.commit(Commit { changes, ..Commit::default() }).await.unwrap();
    next
}

async fn again(fixture: &Fixture, call: HostCall) -> Result<Answered, PortError> {
    let (journal, approvals) = (fixture.records().await, fixture.approvals().await);
    fixture.gate(journal).with_approvals(approvals).call(call).await
}

fn amount(cents: i64) -> HostCall {
    let HostCall::RecordsWrite { mut steps } = refund(Expected::Absent) else { panic!() };
    let RecordStep::Put { body, .. } = &mut steps[0] else { panic!() };
    body["amount_cents"] = cents.into();
    HostCall::RecordsWrite { steps }
}

#[tokio::test]
async fn the_customer_is_asked_before_people_and_then_it_happens_once() {
    let fixture = Fixture::with_rules(Mode::Answers, TWO_WORDS).await;
    let call = refund(Expected::Absent);
    let first = waits(&fixture, &call).await;
    assert_eq!(first.approver, Approver::Customer);
    assert_eq!(first.duties, ["confirm", "approval:managers"]);
    assert!(matches!(fixture.records().await[0].state, CallState::Waiting { .. }));

    // Woken too early, it waits on and asks nobody again.
    suspended(again(&fixture, call.clone()).await);
    assert!(!fixture.ledger.lock().await.suspended.take().unwrap().is_new);

    decide(&fixture, &first, ApprovalState::Approved).await;
    let second = waits(&fixture, &call).await;
    assert_eq!(second.approver.route(), Some("managers"));
    assert_eq!(second.binding, first.binding);
    decide(&fixture, &second, ApprovalState::Approved).await;
    again(&fixture, call.clone()).await.unwrap().answer.unwrap();
    let states: Vec<_> = fixture.approvals().await.iter().map(|it| it.state).collect();
    assert_eq!(states, [ApprovalState::Executed; 2]);
    assert!(fixture.store.record("refunds", "#W1").await.unwrap().is_some());

    // The journal answers from now on.
    again(&fixture, call).await.unwrap().answer.unwrap();
}

#[tokio::test]
async fn a_refusal_reaches_the_skill_as_such() {
    for (state, words) in [
        (ApprovalState::Rejected, "the customer does not want this"),
        (ApprovalState::Expired, "nobody decided in time"),
        (ApprovalState::Void, "circumstances have changed"),
    ] {
        let fixture = Fixture::with_rules(Mode::Answers, TWO_WORDS).await;
        let call = refund(Expected::Absent);
        let approval = waits(&fixture, &call).await;
        decide(&fixture, &approval, state).await;
        let (kind, message) = refused(again(&fixture, call).await);
        assert_eq!(kind, FailureKind::Denied);
        assert!(message.contains(words), "{message}");
        assert!(fixture.store.record("refunds", "#W1").await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_yes_is_to_exactly_this_component_and_these_arguments() {
    let fixture = Fixture::with_rules(Mode::Answers, TWO_WORDS).await;
    let approval = waits(&fixture, &amount(1_000)).await;
    decide(&fixture, &approval, ApprovalState::Approved).await;
    // As if the component were not the same: the journal would say so first.
    let approvals = fixture.approvals().await;
    let mut gate = fixture.gate(vec![]).with_approvals(approvals);
    suspended(gate.call(amount(2_000)).await);
    let other = fixture.ledger.lock().await.suspended.take().unwrap().approval;
    assert_ne!((&other.id, other.binding), (&approval.id, approval.binding));
    assert_eq!(other.approver, Approver::Customer);
}

#[tokio::test]
async fn a_yes_that_people_overrule_is_void_and_was_not_tried() {
    let fixture = Fixture::with_rules(Mode::Answers, TWO_WORDS).await;
    let call = refund(Expected::Absent);
    let first = waits(&fixture, &call).await;
    decide(&fixture, &first, ApprovalState::Approved).await;
    let second = waits(&fixture, &call).await;
    decide(&fixture, &second, ApprovalState::Rejected).await;
    assert_eq!(refused(again(&fixture, call).await).0, FailureKind::Denied);
    fixture.commit().await;
    let states: Vec<_> = fixture.approvals().await.iter().map(|it| it.state).collect();
    assert_eq!(states, [ApprovalState::Void, ApprovalState::Rejected]);
}

#[tokio::test]
async fn stricter_rules_make_an_approval_void() {
    let fixture = Fixture::with_rules(Mode::Answers, LARGE).await;
    let call = amount(20_000);
    let approval = waits(&fixture, &call).await;
    decide(&fixture, &approval, ApprovalState::Approved).await;
    let collections = &fixture.shared.collections;
    let rules = format!("{}{LARGE}{TWO_WORDS}", fixture::RULES);
    let shared = fixture.shared_with(Policies::new(2, policy(collections, &rules)));
    let (journal, approvals) = (fixture.records().await, fixture.approvals().await);
    let mut gate = fixture.gate_of(shared, journal).with_approvals(approvals);
    assert_eq!(refused(gate.call(call).await).0, FailureKind::Denied);
    fixture.commit().await;
    let approvals = fixture.approvals().await;
    assert_eq!(approvals[0].state, ApprovalState::Void);
    assert!(fixture.store.record("refunds", "#W1").await.unwrap().is_none());
}

#[tokio::test]
async fn what_was_approved_for_one_customer_is_not_done_for_the_next() {
    let fixture = Fixture::with_rules(Mode::Answers, TWO_WORDS).await;
    let call = refund(Expected::Absent);
    let approval = waits(&fixture, &call).await;
    decide(&fixture, &approval, ApprovalState::Approved).await;
    fixture.ledger.lock().await.void = Some("somebody else");
    assert_eq!(refused(again(&fixture, call).await).0, FailureKind::Denied);
    fixture.commit().await;
    assert_eq!(fixture.approvals().await[0].state, ApprovalState::Void);
}

#[tokio::test]
async fn an_amount_above_the_bound_waits_for_people_and_below_it_does_not() {
    let fixture = Fixture::with_rules(Mode::Answers, LARGE).await;
    again(&fixture, amount(10_000)).await.unwrap().answer.unwrap();
    for call in [amount(10_001), amount(-1), refund(Expected::Absent)] {
        let fixture = Fixture::with_rules(Mode::Answers, LARGE).await;
        let approval = waits(&fixture, &call).await;
        assert_eq!(approval.approver.route(), Some("managers"), "{call:?}");
    }
}

#[tokio::test]
async fn a_large_amount_is_no_smaller_in_parts() {
    let fixture = Fixture::with_rules(Mode::Answers, LARGE).await;
    let HostCall::RecordsWrite { mut steps } = amount(6_000) else { panic!() };
    let mut second = steps[0].clone();
    let RecordStep::Put { key, .. } = &mut second else { panic!() };
    "#W2".clone_into(key);
    steps.push(second);
    let approval = waits(&fixture, &HostCall::RecordsWrite { steps }).await;
    assert_eq!(approval.amount, Some(12_000));
}

#[tokio::test]
async fn small_amounts_that_add_up_wait_for_people_too() {
    let fixture = Fixture::with_rules(Mode::Answers, LARGE).await;
    let mut gate = fixture.gate(vec![]);
    gate.call(amount(9_000)).await.unwrap().answer.unwrap();
    let HostCall::RecordsWrite { mut steps } = amount(9_000) else { panic!() };
    let RecordStep::Put { key, .. } = &mut steps[0] else { panic!() };
    "#W2".clone_into(key);
    suspended(gate.call(HostCall::RecordsWrite { steps }).await);
    let approval = fixture.ledger.lock().await.suspended.take().unwrap().approval;
    assert_eq!(approval.approver.route(), Some("managers"));
    assert!(fixture.store.record("refunds", "#W2").await.unwrap().is_none());
}

#[tokio::test]
async fn a_limit_is_counted_in_the_store_and_once_for_each_call() {
    let fixture = Fixture::with_rules(Mode::Answers, ONCE).await;
    let mut gate = fixture.gate(vec![]);
    gate.call(post(&fixture, true)).await.unwrap().answer.unwrap();
    let (kind, message) = refused(gate.call(post(&fixture, true)).await);
    assert_eq!(kind, FailureKind::Limited);
    assert!(message.contains("once"), "{message}");
    assert_eq!(refused(gate.call(get("#W1")).await).0, FailureKind::Limited);
    assert_eq!(fixture.server.seen().len(), 1);
    // The same call, tried again after a crash, has been counted.
    let mut first = fixture.records().await[0].clone();
    first.state = CallState::Intended;
    let mut gate = fixture.gate(vec![first]);
    gate.call(post(&fixture, true)).await.unwrap().answer.unwrap();
    fixture.clock.advance_ms(3_600_000);
    again(&fixture, post(&fixture, true)).await.unwrap().answer.unwrap();
}

#[tokio::test]
async fn types_of_data_are_taken_out_where_a_rule_says_so() {
    let fixture = Fixture::with_rules(Mode::Answers, REDACTED).await;
    let reply = fixture.gate(vec![]).call(get("#W1")).await.unwrap().answer.unwrap();
    let HostReply::Document { document } = reply else { panic!("{reply:?}") };
    assert_eq!(document.body["address"]["zip"], "[POSTCODE]");
}

const REVEALED: &str = r#"
@id("test-reveal")
permit (principal == Skill::"tester", action == Action::"data:reveal", resource == Datum::"EMAIL")
when { context.arguments.field == "to.address" };
"#;

#[tokio::test]
async fn a_value_goes_only_into_the_field_for_which_a_rule_reveals_it() {
    let fixture = Fixture::with_rules(Mode::Answers, REVEALED).await;
    let placeholder = {
        let mut ledger = fixture.ledger.lock().await;
        ledger.vault.placeholder("EMAIL", "ann@example.com")
    };
    let HostCall::HttpSend { mut request } = post(&fixture, true) else { panic!() };
    let body = json!({"to": {"address": placeholder}, "note": placeholder});
    request.body = body.to_string().into_bytes();
    let call = HostCall::HttpSend { request };
    let answer = fixture.gate(vec![]).call(call).await.unwrap().answer.unwrap();
    let sent: Value = serde_json::from_slice(&fixture.server.seen()[0].body).unwrap();
    assert_eq!(sent, json!({"to": {"address": "ann@example.com"}, "note": placeholder}));
    let rows = fixture.store.audit_tail(1, None).await.unwrap();
    assert!(rows[0].entry.duties.contains(&"reveal:EMAIL".to_owned()), "{:?}", rows[0].entry);
    let kept = format!("{:?} {:?} {answer:?}", fixture.records().await, rows);
    assert!(!kept.contains("ann@example.com"), "{kept}");
}

#[tokio::test]
async fn what_policy_was_told_is_kept() {
    let fixture = Fixture::new(Mode::Answers).await;
    fixture.gate(vec![]).call(get("#W1")).await.unwrap().answer.unwrap();
    fixture.commit().await;
    let facts = fixture.records().await[0].facts.clone().unwrap();
    assert_eq!(facts["records"][0]["owner"], "ann");
}
