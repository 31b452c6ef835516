use std::sync::Arc;

use postern_domain::{
    Approval, ApprovalId, ApprovalState, Approver, Counting, Digest, Escalate, InboundMessage,
    OperatorId, Vote,
};
use postern_store::{Change, InvocationRow, Lease, Page, Store, StoreError};
use serde_json::json;

use super::{Engine, data::*};

/// An approval of call `seq` of `call`, about which people must decide before
/// time 1,000.
fn approval(message: &InboundMessage, call: &InvocationRow, seq: u32) -> Approval {
    Approval {
        id: ApprovalId::derive(&[call.id.as_str(), &seq.to_string()]),
        version: 1,
        approver: Approver::Route { route: "managers".into(), quorum: 2, escalate: None },
        state: ApprovalState::Pending,
        binding: Digest::of_bytes(b"binding"),
        conversation: message.conversation_id(),
        message: message.id(),
        turn: call.turn.clone(),
        invocation: call.id.clone(),
        seq,
        skill: call.skill.clone(),
        skill_version: call.version.clone(),
        skill_digest: call.digest,
        tool: call.tool.clone(),
        action: "records:put".into(),
        resource: "refunds/#W1".into(),
        arguments: json!({"amount": 12.5}),
        rules: vec!["refund-large".into()],
        duty: "approval:managers".into(),
        duties: vec!["approval:managers".into()],
        amount: Some(1_250),
        reason: "more than 10".into(),
        customer: Some("anna_1".into()),
        customer_words: "I want my money back".into(),
        requester: None,
        policy: Digest::of_bytes(b"policy"),
        votes: vec![],
        created_at: at(i64::from(seq)),
        expires_at: at(1_000),
        remind_at: None,
        settled_at: None,
        detail: String::new(),
    }
}

fn vote(operator: &str, ms: i64) -> Vote {
    let operator: OperatorId = operator.parse().unwrap();
    Vote { operator, approve: true, reason: "looks right".into(), at: at(ms) }
}

/// A leased conversation whose message has a turn with one invocation.
async fn called_once(store: &impl Store) -> (Lease, InboundMessage, InvocationRow) {
    let (lease, message) = leased(store, "a").await;
    let turn = turn(&message);
    let call = invocation(&turn, 0);
    let commit = under(&lease, [Change::Turn(turn), Change::Invocation(call.clone())]);
    store.commit(commit).await.unwrap();
    (lease, message, call)
}

#[track_caller]
fn stale(error: &StoreError, of: &Approval) {
    let expected = format!("approval {} is not as expected any more", of.id);
    assert!(matches!(error, StoreError::Stale { what: "approval", .. }), "{error}");
    assert!(error.to_string().starts_with(&expected), "{error}");
}

pub(crate) async fn an_approval_grows_version_by_version(engine: &impl Engine) {
    let store = engine.open().await;
    let (_, message, call) = called_once(&store).await;
    let first = approval(&message, &call, 0);
    let second = first.vote(vote("ann", 5), &Counting::default()).unwrap();
    let third = second.vote(vote("bob", 6), &Counting::default()).unwrap();
    assert_eq!(third.state, ApprovalState::Approved);

    let error = store.commit(changes([Change::Approval(second.clone())])).await.unwrap_err();
    stale(&error, &first);
    assert_eq!(store.approval(&first.id).await.unwrap(), None);
    for (next, skipped) in [(&first, Some(&third)), (&second, None), (&third, None)] {
        store.commit(changes([Change::Approval(next.clone())])).await.unwrap();
        assert_eq!(store.approval(&first.id).await.unwrap().as_ref(), Some(next));
        for wrong in [Some(&first), Some(next), skipped].into_iter().flatten() {
            let commit = changes([Change::Approval(wrong.clone())]);
            stale(&store.commit(commit).await.unwrap_err(), wrong);
        }
    }
    drop(store);
    let store = engine.open().await;
    assert_eq!(store.approval(&first.id).await.unwrap(), Some(third.clone()));
    assert_eq!(store.approvals_of(&call.id).await.unwrap(), [third]);
}

pub(crate) async fn of_two_votes_at_once_one_is_refused(engine: &impl Engine) {
    let store = Arc::new(engine.open().await);
    let (_, message, call) = called_once(&*store).await;
    let pending = approval(&message, &call, 0);
    store.commit(changes([Change::Approval(pending.clone())])).await.unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let next = pending.vote(vote(&format!("person-{n}"), 5), &Counting::default()).unwrap();
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut commit = changes([Change::Approval(next)]);
                commit.audit.push(noted("voted", None));
                store.commit(commit).await
            })
        })
        .collect();
    let mut counted = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => counted += 1,
            Err(error) => stale(&error, &pending),
        }
    }
    let kept = store.approval(&pending.id).await.unwrap().unwrap();
    assert_eq!((counted, kept.version, kept.votes.len()), (1, 2, 1));
    assert_eq!(store.audit_tail(99, None).await.unwrap().len(), 1, "with its audit row only");
}

pub(crate) async fn a_stale_approval_undoes_the_whole_commit(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, message, call) = called_once(&store).await;
    let first = approval(&message, &call, 0);
    let late = approval(&message, &call, 1).vote(vote("ann", 5), &Counting::default()).unwrap();
    let commit = under(
        &lease,
        [Change::Approval(first.clone()), Change::Park(message.id()), Change::Approval(late)],
    );
    store.commit(commit).await.unwrap_err();
    assert_eq!(store.approval(&first.id).await.unwrap(), None);
    assert_eq!(store.work(&lease, at(0)).await.unwrap().unwrap().message, message);
}

pub(crate) async fn approvals_are_listed_newest_first(engine: &impl Engine) {
    let store = engine.open().await;
    let (_, message, call) = called_once(&store).await;
    let all: Vec<_> = (0..4).map(|seq| approval(&message, &call, seq)).collect();
    let void = all[2].settled(ApprovalState::Void, at(9), "the rules changed").unwrap();
    for one in all.iter().chain([&void]) {
        store.commit(changes([Change::Approval(one.clone())])).await.unwrap();
    }
    let list = async |state, limit, offset| {
        let found = store.approvals(state, Page { limit, offset }).await.unwrap();
        found.iter().map(|one| one.seq).collect::<Vec<_>>()
    };
    assert_eq!(list(None, 9, 0).await, [3, 2, 1, 0]);
    assert_eq!(list(None, 2, 1).await, [2, 1]);
    assert_eq!(list(Some(ApprovalState::Pending), 9, 0).await, [3, 1, 0]);
    assert_eq!(list(Some(ApprovalState::Pending), 1, 1).await, [1]);
    assert_eq!(list(Some(ApprovalState::Void), 9, 0).await, [2]);
    assert_eq!(list(Some(ApprovalState::Expired), 9, 0).await, [0; 0]);
    let of_call = store.approvals_of(&call.id).await.unwrap();
    assert_eq!(of_call, [all[0].clone(), all[1].clone(), void, all[3].clone()]);
}

pub(crate) async fn pending_approvals_come_due(engine: &impl Engine) {
    let store = engine.open().await;
    let (_, message, call) = called_once(&store).await;
    let expiring = approval(&message, &call, 0);
    let reminding = Approval { remind_at: Some(at(300)), ..approval(&message, &call, 1) };
    let escalate = Some(Escalate { to: "heads".into(), at: at(200) });
    let approver = Approver::Route { route: "managers".into(), quorum: 1, escalate };
    let escalating =
        Approval { approver, remind_at: Some(at(400)), ..approval(&message, &call, 2) };
    let customer = Approval {
        approver: Approver::Customer,
        expires_at: at(500),
        ..approval(&message, &call, 3)
    };
    for one in [&expiring, &reminding, &escalating, &customer] {
        store.commit(changes([Change::Approval(one.clone())])).await.unwrap();
    }
    let due = async |ms, limit| {
        let found = store.approvals_due(at(ms), limit).await.unwrap();
        found.iter().map(|one| one.seq).collect::<Vec<_>>()
    };
    assert_eq!(due(199, 9).await, [0; 0]);
    assert_eq!(due(200, 9).await, [2]);
    assert_eq!(due(999, 9).await, [2, 1, 3]);
    assert_eq!(due(1_000, 9).await, [2, 1, 3, 0]);
    assert_eq!(due(1_000, 2).await, [2, 1]);

    // People were reminded, the other route was taken, the customer has answered.
    let reminded = Approval { version: 2, remind_at: None, ..reminding };
    let approver = Approver::Route { route: "heads".into(), quorum: 1, escalate: None };
    let escalated = Approval { version: 2, approver, ..escalating };
    let answered = customer.settled(ApprovalState::Approved, at(250), "yes").unwrap();
    for one in [reminded, escalated, answered] {
        store.commit(changes([Change::Approval(one)])).await.unwrap();
    }
    assert_eq!(due(399, 9).await, [0; 0]);
    assert_eq!(due(400, 9).await, [2]);
    assert_eq!(due(1_000, 9).await, [2, 0, 1]);
}

pub(crate) async fn work_has_the_approvals_of_the_turn(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, message, call) = called_once(&store).await;
    let later = invocation(&turn(&message), 1);
    let [one, two, three] =
        [approval(&message, &later, 0), approval(&message, &call, 1), approval(&message, &call, 2)];
    let commit = under(
        &lease,
        [
            Change::Approval(one.clone()),
            Change::Approval(two.clone()),
            Change::Approval(three.clone()),
            Change::Invocation(later),
        ],
    );
    store.commit(commit).await.unwrap();
    let work = store.work(&lease, at(0)).await.unwrap().unwrap();
    assert_eq!(work.approvals, [two, three, one]);
}
