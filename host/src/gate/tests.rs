//! The gate between a real policy, a real store and a real server.

mod approvals;
mod bounds;
mod facts;
mod fixture;
mod hiding;

use std::sync::atomic::Ordering;

use postern_domain::{
    CallFailure, CallRecord, CallState, Condition, Decision, Expected, FailureKind, HostCall,
    HostReply, HttpMethod, HttpRequest, RecordStep, TicketChange,
};
use postern_runtime::{Answered, HostPort as _, PortError};
use serde_json::json;

use fixture::{Fixture, Mode};

use crate::clock::Clock as _;

fn get(key: &str) -> HostCall {
    HostCall::RecordsGet { collection: "orders".into(), key: key.into() }
}

fn refund(expected: Expected) -> HostCall {
    HostCall::RecordsWrite {
        steps: vec![RecordStep::Put {
            collection: "refunds".into(),
            key: "#W1".into(),
            body: json!({"user_id": "ann", "state": "requested"}),
            expected,
        }],
    }
}

fn post(fixture: &Fixture, idempotent: bool) -> HostCall {
    HostCall::HttpSend {
        request: HttpRequest {
            method: HttpMethod::Post,
            url: format!("{}pay", fixture.server.url),
            headers: vec![],
            body: b"{}".to_vec(),
            secrets: vec!["token".into()],
            idempotent,
        },
    }
}

fn refused(answer: Result<Answered, PortError>) -> (FailureKind, String) {
    match answer {
        Ok(Answered { answer: Err(failure), .. }) => (failure.kind, failure.message),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[tokio::test]
async fn an_allowed_read_answers_and_is_recorded_with_its_rule() {
    let fixture = Fixture::new(Mode::Answers).await;
    let reply = fixture.gate(vec![]).call(get("#W1")).await.unwrap().answer.unwrap();
    let HostReply::Document { document } = reply else { panic!("{reply:?}") };
    assert_eq!(document.body["status"], "pending");
    assert_eq!(document.body["address"]["zip"], format!("<POSTCODE_1.{}>", fixture.mark()));
    fixture.commit().await;
    let [entry] = &fixture.journal().await[..] else { panic!("one entry") };
    assert_eq!(entry.record.decision, Decision::Allow);
    assert_eq!(entry.record.rules, ["test-read"]);
    let rows = fixture.store.audit_tail(1, None).await.unwrap();
    assert_eq!(rows[0].entry.action, "records:get");
    assert_eq!(rows[0].entry.resource, "orders/#W1");
}

#[tokio::test]
async fn what_no_rule_permits_or_a_rule_forbids_does_not_happen() {
    let fixture = Fixture::new(Mode::Answers).await;
    let (kind, message) = refused(fixture.gate(vec![]).call(get("#W2")).await);
    assert_eq!(kind, FailureKind::Denied);
    assert!(message.contains("test-owner-only"), "{message}");
    let kv = HostCall::KvSet { key: "a".into(), value: vec![1], ttl_s: 60 };
    assert_eq!(refused(fixture.gate(vec![]).call(kv).await).0, FailureKind::Denied);
    let query = HostCall::RecordsQuery {
        collection: "users".into(),
        conditions: vec![Condition { field: "email".into(), value: "eve@shop.example".into() }],
        limit: 10,
    };
    let (kind, message) = refused(fixture.gate(vec![]).call(query).await);
    assert_eq!((kind, message.contains("placeholder")), (FailureKind::Invalid, true));
    fixture.commit().await;
    assert_eq!(
        fixture.store.kv_usage(&fixture.caller().skill, "customer:ann").await.unwrap(),
        (0, 0)
    );
}

#[tokio::test]
async fn a_ticket_of_another_conversation_is_out_of_reach() {
    let fixture = Fixture::new(Mode::Answers).await;
    let call = HostCall::TicketUpdate {
        id: postern_domain::TicketId::derive(&["somebody else's"]),
        change: TicketChange::default(),
    };
    assert_eq!(refused(fixture.gate(vec![]).call(call).await).0, FailureKind::Denied);
}

#[tokio::test]
async fn a_write_is_durable_with_its_journal_before_the_skill_hears_of_it() {
    let fixture = Fixture::new(Mode::Answers).await;
    let reply = fixture.gate(vec![]).call(refund(Expected::Absent)).await.unwrap().answer.unwrap();
    assert_eq!(reply, HostReply::Versions { versions: vec![1] });
    // Nothing was committed by the test: the write carried its own journal.
    let [entry] = &fixture.journal().await[..] else { panic!("one entry") };
    assert!(matches!(entry.record.state, CallState::Done { .. }));
    assert_eq!(fixture.store.record("refunds", "#W1").await.unwrap().unwrap().version, 1);
    // Run again after a crash, it is answered from the journal.
    let journal = vec![entry.record.clone()];
    let again = fixture.gate(journal).call(refund(Expected::Absent)).await.unwrap().answer.unwrap();
    assert_eq!(again, HostReply::Versions { versions: vec![1] });
    assert_eq!(fixture.store.record("refunds", "#W1").await.unwrap().unwrap().version, 1);
}

#[tokio::test]
async fn a_write_against_expectation_changes_nothing() {
    let fixture = Fixture::new(Mode::Answers).await;
    let answer = fixture.gate(vec![]).call(refund(Expected::Version(7))).await;
    assert_eq!(refused(answer).0, FailureKind::Conflict);
    assert!(fixture.store.record("refunds", "#W1").await.unwrap().is_none());
    fixture.commit().await;
    assert_eq!(fixture.journal().await.len(), 1, "the refusal is recorded with the turn");
}

#[tokio::test]
async fn a_run_that_differs_from_its_journal_is_stopped() {
    let fixture = Fixture::new(Mode::Answers).await;
    fixture.gate(vec![]).call(get("#W1")).await.unwrap();
    fixture.commit().await;
    let journal: Vec<_> = fixture.journal().await.into_iter().map(|entry| entry.record).collect();
    let answer = fixture.gate(journal).call(get("#W3")).await;
    assert!(matches!(answer, Err(PortError(_))), "{answer:?}");
}

#[tokio::test]
async fn the_intent_is_durable_before_the_server_is_asked() {
    let fixture = Fixture::new(Mode::Answers).await;
    let reply = fixture.gate(vec![]).call(post(&fixture, true)).await.unwrap().answer.unwrap();
    assert!(matches!(reply, HostReply::Http { .. }));
    let seen = fixture.server.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].journal, 1, "the server was asked before the intent was durable");
    assert_eq!(seen[0].authorization, "Bearer tok-1234");
    assert!(matches!(fixture.journal().await[0].record.state, CallState::Done { .. }));
}

#[tokio::test]
async fn an_interrupted_call_is_repeated_only_if_that_does_no_harm() {
    for idempotent in [true, false] {
        let fixture = Fixture::new(Mode::Answers).await;
        fixture.gate(vec![]).call(post(&fixture, idempotent)).await.unwrap();
        let mut record = fixture.journal().await[0].record.clone();
        record.state = CallState::Intended;
        let again = fixture.gate(vec![record]).call(post(&fixture, idempotent)).await;
        let seen = fixture.server.seen();
        if idempotent {
            assert!(again.is_ok_and(|again| again.answer.is_ok()));
            assert_eq!(seen.len(), 2);
            assert_eq!(seen[0].idempotency_key, seen[1].idempotency_key);
        } else {
            assert_eq!(refused(again).0, FailureKind::Uncertain);
            assert_eq!(seen.len(), 1, "a payment was made twice");
            assert!(fixture.ledger.lock().await.uncertain.is_some(), "no person was told");
        }
    }
}

#[tokio::test]
async fn a_lost_answer_is_reported_as_uncertain() {
    let fixture = Fixture::new(Mode::Drops).await;
    let answer = fixture.gate(vec![]).call(post(&fixture, false)).await;
    assert_eq!(refused(answer).0, FailureKind::Uncertain);
    assert_eq!(fixture.server.seen().len(), 1);
    assert!(matches!(fixture.journal().await[0].record.state, CallState::Failed { .. }));
}

#[tokio::test]
async fn a_deadline_cannot_cut_an_effect_in_two() {
    let fixture = Fixture::new(Mode::Waits).await;
    let mut gate = fixture.gate(vec![]);
    let mut call = Box::pin(gate.call(post(&fixture, true)));
    // The invocation's deadline drops the call while the server works on it.
    tokio::select! {
        answer = &mut call => panic!("answered before the server did: {answer:?}"),
        () = fixture.server.asked.notified() => {}
    }
    drop(call);
    fixture.server.go_on.notify_one();
    // The effect holds the ledger until its outcome is recorded.
    drop(fixture.ledger.lock().await);
    assert!(matches!(fixture.journal().await[0].record.state, CallState::Done { .. }));
    assert_eq!(fixture.server.count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_question_to_a_server_is_recorded_also_if_nobody_waits_for_the_answer() {
    let fixture = Fixture::new(Mode::Waits).await;
    let HostCall::HttpSend { mut request } = post(&fixture, true) else { panic!() };
    request.method = HttpMethod::Get;
    request.body.clear();
    let mut gate = fixture.gate(vec![]);
    let mut call = Box::pin(gate.call(HostCall::HttpSend { request }));
    tokio::select! {
        answer = &mut call => panic!("answered before the server did: {answer:?}"),
        () = fixture.server.asked.notified() => {}
    }
    drop(call);
    fixture.server.go_on.notify_one();
    fixture.commit().await;
    assert!(matches!(fixture.journal().await[0].record.state, CallState::Done { .. }));
    let rows = fixture.store.audit_tail(1, None).await.unwrap();
    assert_eq!(rows[0].entry.action, "http:send");
}

#[tokio::test]
async fn a_gate_tells_how_far_its_invocation_came() {
    let fixture = Fixture::new(Mode::Answers).await;
    fixture.gate(vec![]).call(get("#W1")).await.unwrap();
    fixture.commit().await;
    let mut gate = fixture.gate(vec![fixture.journal().await[0].record.clone()]);
    let reached = gate.reached();
    // A call that is given up while it waits was not made.
    let held = fixture.ledger.lock().await;
    tokio::select! {
        biased;
        answer = gate.call(get("#W1")) => panic!("it did not wait: {answer:?}"),
        () = std::future::ready(()) => {}
    }
    assert_eq!(reached.next(), 0);
    drop(held);
    gate.call(get("#W1")).await.unwrap();
    assert_eq!(reached.next(), 1);
    gate.call(get("#W1")).await.unwrap();
    drop(gate);
    assert_eq!(reached.next(), 2);
}

#[tokio::test]
async fn what_a_recorded_call_left_in_memory_comes_back() {
    let fixture = Fixture::new(Mode::Answers).await;
    fixture.gate(vec![]).call(get("#W1")).await.unwrap();
    fixture.commit().await;
    let read = fixture.journal().await[0].record.clone();
    let CallState::Done { reply: HostReply::Document { document } } = &read.state else { panic!() };
    let reply = HostReply::Identity { key: "bob".into(), document: document.clone() };
    let identified = CallRecord { state: CallState::Done { reply }, ..read.clone() };
    fixture.gate(vec![identified]).call(get("#W1")).await.unwrap();
    assert_eq!(fixture.ledger.lock().await.conversation.customer.key.as_deref(), Some("bob"));

    let failure = CallFailure::new(FailureKind::Uncertain, "lost");
    let lost = CallRecord { state: CallState::Failed { failure }, ..read };
    assert_eq!(refused(fixture.gate(vec![lost]).call(get("#W1")).await).0, FailureKind::Uncertain);
    assert!(fixture.ledger.lock().await.uncertain.is_some(), "no person was told");
}

#[tokio::test]
async fn a_refusal_after_an_interruption_does_not_hide_the_first_try() {
    let fixture = Fixture::new(Mode::Answers).await;
    let HostCall::HttpSend { mut request } = post(&fixture, true) else { panic!() };
    request.url = "https://unlisted.example/pay".into();
    let call = HostCall::HttpSend { request };
    assert_eq!(refused(fixture.gate(vec![]).call(call.clone()).await).0, FailureKind::Denied);
    let mut record = fixture.journal().await[0].record.clone();
    record.state = CallState::Intended;
    assert_eq!(refused(fixture.gate(vec![record]).call(call).await).0, FailureKind::Uncertain);
}

#[tokio::test]
async fn a_failure_after_an_interruption_does_not_hide_the_first_try() {
    let fixture = Fixture::new(Mode::Drops).await;
    let first = fixture.gate(vec![]).call(post(&fixture, true)).await;
    assert_eq!(refused(first).0, FailureKind::Unavailable);
    let mut record = fixture.journal().await[0].record.clone();
    record.state = CallState::Intended;
    let again = fixture.gate(vec![record]).call(post(&fixture, true)).await;
    assert_eq!(refused(again).0, FailureKind::Uncertain);
    assert_eq!(fixture.server.seen().len(), 2);
    let uncertain = fixture.ledger.lock().await.uncertain.clone();
    let origin = fixture.server.url.trim_end_matches('/');
    assert_eq!(uncertain, Some(format!("http:send on POST {origin}")), "no person was told");
}

#[tokio::test]
async fn audit_shows_the_operators_words_for_a_request() {
    let fixture = Fixture::new(Mode::Answers).await;
    fixture.gate(vec![]).call(post(&fixture, true)).await.unwrap();
    let rows = fixture.store.audit_tail(1, None).await.unwrap();
    assert_eq!(rows[0].entry.resource, "POST bank *");
    let HostCall::HttpSend { mut request } = post(&fixture, true) else { panic!() };
    request.url = "https://ann-lee.example/ann-lee".into();
    let call = HostCall::HttpSend { request };
    assert_eq!(refused(fixture.gate(vec![]).call(call).await).0, FailureKind::Denied);
    let row = &fixture.store.audit_tail(1, None).await.unwrap()[0].entry;
    assert_eq!(row.resource, "POST (no endpoint)");
    assert!(!format!("{row:?}").contains("ann-lee"), "{row:?}");
}

#[tokio::test]
async fn a_secret_that_a_skill_came_by_is_neither_sent_nor_written_down() {
    let fixture = Fixture::new(Mode::Answers).await;
    let HostCall::HttpSend { mut request } = post(&fixture, true) else { panic!() };
    request.url += "/tok-1234?again=tok%2D1234";
    request.body = b"{\"key\": \"dG9rLTEyMzQ=\"}".to_vec();
    request.headers = vec![("accept".into(), "tok-1234".into())];
    let call = HostCall::HttpSend { request };
    let (kind, message) = refused(fixture.gate(vec![]).call(call).await);
    assert_eq!(kind, FailureKind::Denied);
    assert!(message.contains("name the secret instead"), "{message}");
    assert!(fixture.server.seen().is_empty());
    let rows = fixture.store.audit_tail(1, None).await.unwrap();
    let kept = format!("{:?} {:?}", fixture.journal().await[0].record, rows[0].entry);
    assert!(kept.contains("not-granted") && kept.contains("[redacted]"), "{kept}");
    for writing in ["tok-1234", "tok%2D1234", "dG9rLTEyMzQ", "[116, 111, 107"] {
        assert!(!kept.contains(writing), "{writing} in {kept}");
    }
}

#[tokio::test]
async fn audit_does_not_name_the_keys_of_customers() {
    let fixture = Fixture::new(Mode::Answers).await;
    let call = HostCall::RecordsGet { collection: "users".into(), key: "ann_lee_1".into() };
    assert_eq!(refused(fixture.gate(vec![]).call(call).await).0, FailureKind::Denied);
    fixture.commit().await;
    let rows = fixture.store.audit_tail(1, None).await.unwrap();
    assert_eq!(rows[0].entry.resource, "users/(customer)");
}

#[tokio::test]
async fn a_forbidden_write_does_not_tell_whether_the_record_has_changed() {
    let fixture = Fixture::new(Mode::Answers).await;
    let call = |version| HostCall::RecordsWrite {
        steps: vec![RecordStep::Delete {
            collection: "refunds".into(),
            key: "#W1".into(),
            version,
        }],
    };
    assert_eq!(refused(fixture.gate(vec![]).call(call(3)).await).0, FailureKind::Denied);
}

#[tokio::test]
async fn each_outcome_has_the_time_at_which_it_was_known_in_every_run() {
    let fixture = Fixture::new(Mode::Answers).await;
    let calls = [get("#W1"), get("#W2"), refund(Expected::Absent), post(&fixture, true)];
    let mut gate = fixture.gate(vec![]);
    let mut first = Vec::new();
    for call in calls.clone() {
        fixture.clock.advance_ms(1_000);
        let answered = gate.call(call).await.unwrap();
        assert_eq!(answered.at, fixture.clock.now());
        first.push(answered);
    }
    fixture.commit().await;
    let journal: Vec<_> = fixture.journal().await.into_iter().map(|entry| entry.record).collect();
    assert_eq!(journal.len(), calls.len());
    fixture.clock.advance_ms(3_600_000);
    let mut again = fixture.gate(journal);
    for (call, first) in calls.into_iter().zip(first) {
        assert_eq!(again.call(call).await.unwrap(), first);
    }
}
