//! Calls beyond what a manifest asks for, whatever rules would say of them.

use std::collections::BTreeSet;

use postern_domain::{Decision, Expected, FailureKind, HostCall, Interface, manifest::Capability};
use postern_runtime::HostPort as _;

use super::{
    fixture::{Fixture, Mode},
    get, post, refund, refused,
};
use crate::{
    clock::Clock as _,
    gate::{Caller, Gate},
    registry::SignedBy,
    trust::{Edit, Revoked},
};

fn list(names: &[&str]) -> Option<BTreeSet<String>> {
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

/// A gate of a skill that asks for just this.
fn gate(fixture: &Fixture, asks_for: Vec<Capability>) -> Gate {
    let caller = Caller { asks_for, ..fixture.caller() };
    Gate::new(fixture.shared.clone(), fixture.ledger.clone(), caller, vec![])
}

fn records(reads: &[&str], writes: &[&str]) -> Capability {
    let records = Capability::new(Interface::Records, "tests");
    Capability { reads: list(reads), writes: list(writes), ..records }
}

async fn is_recorded_as(fixture: &Fixture, rule: &str) {
    fixture.commit().await;
    let record = fixture.records().await.pop().unwrap();
    assert_eq!((record.decision, record.rules), (Decision::Deny, vec![rule.to_owned()]));
    let rows = fixture.store.audit_tail(1, None).await.unwrap();
    let verdict = rows[0].entry.verdict.as_ref().unwrap();
    assert_eq!((verdict.decision, &verdict.rules[..]), (Decision::Deny, &[rule.to_owned()][..]));
}

#[tokio::test]
async fn what_a_manifest_lists_is_judged_by_rules_and_the_rest_is_refused() {
    let fixture = Fixture::new(Mode::Answers).await;
    let asked = vec![records(&["orders"], &[])];
    let mut gate = gate(&fixture, asked);
    gate.call(get("#W1")).await.unwrap().answer.unwrap();
    // Rules permit it, but nobody asked for it.
    let (kind, message) = refused(gate.call(refund(Expected::Absent)).await);
    assert_eq!(kind, FailureKind::Denied);
    assert_eq!(
        message,
        "records:write is more than the manifest of tester 1.0.0 asks for: under records it lists \
         reads: orders; writes: nothing; its author adds to [[capabilities]] what is missing, and \
         an upgrade that is granted brings it"
    );
    is_recorded_as(&fixture, "not-requested").await;
    let call = HostCall::KvGet { key: "a".into() };
    let (_, message) = refused(gate.call(call).await);
    assert!(message.contains("it does not ask for kv at all"), "{message}");
}

#[tokio::test]
async fn a_host_that_is_not_listed_is_not_asked() {
    let fixture = Fixture::new(Mode::Answers).await;
    let http = |hosts: &[&str]| Capability {
        hosts: list(hosts),
        ..Capability::new(Interface::Http, "tests")
    };
    let (kind, message) =
        refused(gate(&fixture, vec![http(&["bank.example"])]).call(post(&fixture, true)).await);
    assert_eq!(kind, FailureKind::Denied);
    assert!(message.contains("hosts: bank.example"), "{message}");
    assert!(!message.contains("127.0.0.1"), "{message}");
    assert!(fixture.server.seen().is_empty());
    is_recorded_as(&fixture, "not-requested").await;

    let fixture = Fixture::new(Mode::Answers).await;
    let mut gate = gate(&fixture, vec![http(&["bank.example", "127.0.0.1"])]);
    gate.call(post(&fixture, true)).await.unwrap().answer.unwrap();
    assert_eq!(fixture.server.seen().len(), 1);
}

/// Lets everything know that a key and a component are revoked.
fn revoke(fixture: &Fixture, what: Revoked) {
    let folder = tempfile::tempdir().unwrap();
    let mut edit = Edit::begin(folder.path()).unwrap();
    edit.revoke(what, Some("it leaks".to_owned()), fixture.clock.now()).unwrap();
    fixture.shared.revoked.follow(edit.trust().clone());
}

#[tokio::test]
async fn a_call_that_has_begun_can_do_nothing_more_once_its_skill_is_revoked() {
    let fixture = Fixture::new(Mode::Answers).await;
    let mut gate = fixture.gate(vec![]);
    gate.call(get("#W1")).await.unwrap().answer.unwrap();
    revoke(&fixture, Revoked::Digest(fixture.caller().digest));
    let (kind, message) = refused(gate.call(post(&fixture, true)).await);
    assert_eq!(kind, FailureKind::Denied);
    let told = "skill tester is revoked and can do nothing any more; `postern trust list` says why";
    assert_eq!(message, told);
    assert!(fixture.server.seen().is_empty());
    is_recorded_as(&fixture, "revoked").await;
    // What was answered before the revocation is answered again when the turn runs again.
    let mut again = fixture.gate(fixture.records().await);
    again.call(get("#W1")).await.unwrap().answer.unwrap();
}

#[tokio::test]
async fn a_revoked_key_stops_what_it_signed_and_nothing_else() {
    let fixture = Fixture::new(Mode::Answers).await;
    let key = "00112233445566AA";
    revoke(&fixture, Revoked::Key(key.parse().unwrap()));
    let signed_by =
        |key: &str| Some(SignedBy { publisher: "tests".to_owned(), key: key.to_owned() });
    for (signed_by, may) in
        [(None, true), (signed_by("00112233445566AB"), true), (signed_by(key), false)]
    {
        let caller = fixture.caller().signed_by(signed_by);
        let (shared, ledger) = (fixture.shared.clone(), fixture.ledger.clone());
        let answer = Gate::new(shared, ledger, caller, vec![]).call(get("#W1")).await.unwrap();
        assert_eq!(answer.answer.is_ok(), may, "{answer:?}");
    }
}
