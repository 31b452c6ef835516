//! What a turn that has waited leaves alone.

use std::sync::Arc;

use postern_domain::{
    Channel, Customer, Digest, IdentityLevel, InboundKind, InboundMessage, InvocationId, TurnId,
};
use postern_store::{InvocationRow, Lease, TurnRow, Work};
use serde_json::json;

use super::*;
use crate::{http::fixture::TestHost, pipeline::meanwhile::has_changed_hands, privacy::Vault};

fn inbound() -> InboundMessage {
    InboundMessage {
        channel: Channel::Web,
        account: "main".into(),
        dedupe_key: "1".into(),
        chat: "ann".into(),
        sender: "ann".into(),
        external_id: "1".into(),
        private: true,
        kind: InboundKind::Text,
        text: "please refund my order".into(),
        language: None,
        received_at: Timestamp::from_millis(1),
    }
}

/// A turn of ann's that waits, in a chat in which others write now.
struct Scene {
    host: TestHost,
    lease: Lease,
    work: Work,
}

impl Scene {
    async fn new() -> Self {
        let host = TestHost::new().await;
        let now = host.app.clock.now();
        host.app.store.accept(&[inbound()], &["k3f9".into()]).await.unwrap();
        let lease = host.app.store.lease_next("test", now, 60_000).await.unwrap().unwrap();
        let mut work = host.app.store.work(&lease, now).await.unwrap().unwrap();
        let turn = TurnRow {
            id: TurnId::derive(&["test"]),
            conversation: work.conversation.id.clone(),
            message: work.message.id(),
            plan: json!({"version": "1", "plan": {"session": 0}}),
            generation: "1".into(),
            summary: None,
            started_at: now,
            completed_at: None,
        };
        work.approvals = vec![approval(&work, &turn)];
        work.turn = Some(turn);
        work.conversation.state.session = 1;
        work.conversation.state.identify_failures = 2;
        Self { host, lease, work }
    }

    /// A ledger of the turn at its own time, when ann wrote.
    fn ledger(&self) -> Ledger {
        let mut conversation = self.work.conversation.clone();
        conversation.state.session = 0;
        conversation.customer = ann();
        let turn = self.work.turn.clone().unwrap();
        let store = Arc::clone(&self.host.app.store);
        let vault = Vault::new("k3f9", vec![]);
        Ledger::new(store, self.lease.clone(), turn, conversation, vault, None)
    }

    fn meanwhile(&self) -> Meanwhile {
        Meanwhile::of(&self.host.app, &self.host.app.skills(), &self.work).unwrap()
    }
}

fn ann() -> Customer {
    Customer { key: Some("ann".into()), level: IdentityLevel::Verified }
}

fn approval(work: &Work, turn: &TurnRow) -> Approval {
    Approval {
        id: ApprovalId::derive(&["test"]),
        version: 1,
        approver: Approver::Customer,
        state: ApprovalState::Approved,
        binding: Digest::ZERO,
        conversation: work.conversation.id.clone(),
        message: work.message.id(),
        turn: turn.id.clone(),
        invocation: InvocationId::derive(&["test"]),
        seq: 0,
        skill: "tester".parse().unwrap(),
        skill_version: "1.0.0".into(),
        skill_digest: Digest::ZERO,
        tool: "test".into(),
        action: "records:write".into(),
        resource: "refunds/#W1".into(),
        arguments: json!({}),
        rules: vec![],
        duty: "confirm".into(),
        duties: vec!["confirm".into()],
        amount: None,
        reason: String::new(),
        customer: Some("ann".into()),
        customer_words: String::new(),
        requester: None,
        policy: Digest::ZERO,
        votes: vec![],
        created_at: turn.started_at,
        expires_at: turn.started_at.plus_millis(1_000),
        remind_at: None,
        settled_at: None,
        detail: String::new(),
    }
}

#[tokio::test]
async fn a_commit_on_the_way_does_not_bring_an_ended_session_back() {
    let scene = Scene::new().await;
    let mut ledger = scene.ledger();
    scene.meanwhile().begin(&mut ledger);
    ledger.commit(vec![], vec![]).await.unwrap();
    let id = &scene.work.conversation.id;
    let kept = scene.host.app.store.conversation_row(id).await.unwrap().unwrap();
    assert_eq!((kept.state.session, kept.customer), (1, Customer::default()));
    // A run after a crash finds the same.
    assert_eq!(ledger.conversation.customer, ann());
}

#[tokio::test]
async fn the_conversation_is_given_back_as_others_left_it() {
    let scene = Scene::new().await;
    let mut ledger = scene.ledger();
    let meanwhile = scene.meanwhile();
    meanwhile.begin(&mut ledger);
    ledger.conversation.state.identify_failures = 0;
    assert_eq!(meanwhile.end(&mut ledger), None);
    assert_eq!(ledger.conversation, scene.work.conversation);
    assert!(ledger.kept.is_none());
}

#[tokio::test]
async fn a_skill_that_is_not_active_any_more_has_no_approvals_left() {
    let scene = Scene::new().await;
    assert_eq!(scene.meanwhile().void, Some("the skill has been replaced or removed"));
}

#[tokio::test]
async fn another_customer_in_the_chat_is_told_nothing() {
    let mut scene = Scene::new().await;
    scene.work.conversation.customer = Customer { key: Some("bob".into()), ..Customer::default() };
    let mut ledger = scene.ledger();
    scene.meanwhile().begin(&mut ledger);
    assert!(has_changed_hands(&ledger));
}

#[tokio::test]
async fn an_open_question_of_another_call_stays_unless_the_turn_asks_itself() {
    let mut scene = Scene::new().await;
    let asked = |id: &str| Awaiting {
        stack: vec![],
        entity: "confirmed".into(),
        question: "Shall I?".into(),
        asked: 1,
        approval: Some(ApprovalId::derive(&[id])),
    };
    scene.work.conversation.state.awaiting = Some(asked("other"));
    let mut ledger = scene.ledger();
    assert_eq!(scene.meanwhile().end(&mut ledger), Some(asked("other")));
    // One about what is decided is over.
    scene.work.conversation.state.awaiting = Some(asked("test"));
    let mut ledger = scene.ledger();
    assert_eq!(scene.meanwhile().end(&mut ledger), None);
    assert_eq!(ledger.conversation.state.awaiting, None);
}

#[tokio::test]
async fn a_yes_from_before_the_question_gets_the_question_again() {
    let scene = Scene::new().await;
    let mut ledger = scene.ledger();
    let mut waits = scene.work.approvals[0].clone();
    waits.state = ApprovalState::Pending;
    waits.created_at = Timestamp::from_millis(10_000);
    waits.expires_at = scene.host.app.clock.now().plus_millis(60_000);
    let invocation = InvocationRow {
        id: waits.invocation.clone(),
        turn: waits.turn.clone(),
        step: 0,
        skill: waits.skill.clone(),
        version: waits.skill_version.clone(),
        digest: waits.skill_digest,
        tool: waits.tool.clone(),
        arguments: json!({}),
        result: None,
        at: waits.created_at,
        took_us: 0,
        cpu_us: 0,
        memory_bytes: 0,
        host_calls: 0,
    };
    let changes = vec![Change::Invocation(invocation), Change::Approval(waits.clone())];
    ledger.commit(changes, vec![]).await.unwrap();
    let awaiting = Awaiting {
        stack: vec![],
        entity: "confirmed".into(),
        question: "Shall I?".into(),
        asked: 1,
        approval: Some(waits.id.clone()),
    };
    for (received, decided) in [(9_999, false), (10_001, true)] {
        let when = (Some(&awaiting), Timestamp::from_millis(received));
        let response =
            decide(&scene.host.app, &mut ledger, &waits.id, &Word::Yes, when).await.unwrap();
        assert_eq!(response.decided, decided, "received at {received}");
        assert_eq!(response.answers.is_empty(), decided);
    }
}
