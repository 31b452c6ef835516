//! Values for tests.

use postern_domain::*;
use postern_store::*;
use serde_json::json;

pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

/// Delivery `key` in `chat`, received at `ms`.
pub(crate) fn inbound(chat: &str, key: &str, ms: i64) -> InboundMessage {
    InboundMessage {
        channel: Channel::Telegram,
        account: "shop".into(),
        dedupe_key: key.into(),
        chat: chat.into(),
        sender: format!("{chat}-person"),
        external_id: format!("{key}-id"),
        private: true,
        kind: InboundKind::Text,
        text: format!("words of {key}"),
        language: Some("de".into()),
        received_at: at(ms),
    }
}

pub(crate) async fn accept(store: &impl Store, messages: &[InboundMessage]) -> Vec<Accepted> {
    let nonces: Vec<_> = messages.iter().map(|message| format!("n-{}", message.chat)).collect();
    store.accept(messages, &nonces).await.unwrap()
}

/// Accepts one message and leases its conversation for a second.
pub(crate) async fn leased(store: &impl Store, chat: &str) -> (Lease, InboundMessage) {
    let message = inbound(chat, &format!("{chat}-1"), 0);
    assert_eq!(accept(store, std::slice::from_ref(&message)).await, [Accepted::New]);
    let lease = store.lease_next("worker", at(0), 1_000).await.unwrap().expect("work is waiting");
    assert_eq!(lease.conversation, message.conversation_id());
    (lease, message)
}

pub(crate) fn changes<const N: usize>(changes: [Change; N]) -> Commit {
    Commit { changes: changes.into(), ..Commit::default() }
}

pub(crate) fn under<const N: usize>(lease: &Lease, changes: [Change; N]) -> Commit {
    Commit { lease: Some(lease.clone()), changes: changes.into(), audit: vec![] }
}

pub(crate) fn stored(conversation: &ConversationId, name: &str, ms: i64) -> StoredMessage {
    StoredMessage {
        id: MessageId::derive(&[conversation.as_str(), name]),
        conversation: conversation.clone(),
        author: Author::Bot,
        text: name.into(),
        at: at(ms),
    }
}

pub(crate) fn outgoing(conversation: &ConversationId, name: &str, ms: i64) -> OutboxItem {
    OutboxItem {
        id: OutboxId::derive(&[conversation.as_str(), name]),
        conversation: conversation.clone(),
        channel: Channel::Telegram,
        account: "shop".into(),
        chat: "chat".into(),
        text: name.into(),
        state: OutboxState::Pending,
        attempts: 0,
        next_at: at(ms),
        possible_duplicate: false,
        last_error: None,
        created_at: at(ms),
    }
}

pub(crate) fn turn(message: &InboundMessage) -> TurnRow {
    TurnRow {
        id: TurnId::derive(&[message.id().as_str()]),
        conversation: message.conversation_id(),
        message: message.id(),
        plan: json!({"v": 1, "intent": "order_status", "confidence": 0.93}),
        generation: "sha256:g".into(),
        summary: None,
        started_at: at(1),
        completed_at: None,
    }
}

pub(crate) fn invocation(turn: &TurnRow, step: u32) -> InvocationRow {
    InvocationRow {
        id: InvocationId::derive(&[turn.id.as_str(), &step.to_string()]),
        turn: turn.id.clone(),
        step,
        skill: "order-status".parse().unwrap(),
        version: "0.1.0".into(),
        digest: Digest::of_bytes(b"component"),
        tool: "status".into(),
        arguments: json!({"order": "#W1"}),
        result: None,
        at: at(1),
        took_us: 0,
        cpu_us: 0,
        memory_bytes: 0,
        host_calls: 0,
    }
}

pub(crate) fn called(invocation: &InvocationRow, seq: u32, state: CallState) -> JournalEntry {
    let call = HostCall::RecordsGet { collection: "orders".into(), key: "#W1".into() };
    JournalEntry {
        invocation: invocation.id.clone(),
        record: CallRecord {
            seq,
            digest: digest_of(&call),
            call,
            decision: Decision::Allow,
            rules: vec!["order-status-reads".into()],
            state,
            at: at(1_000),
            facts: None,
        },
    }
}

pub(crate) fn ticket(conversation: &ConversationId, name: &str, ms: i64) -> Ticket {
    Ticket {
        id: TicketId::derive(&[name]),
        conversation: conversation.clone(),
        customer: Some("anna_1".into()),
        subject: name.into(),
        status: TicketStatus::New,
        priority: Priority::P3,
        queue: None,
        reason: None,
        tags: vec!["order".into()],
        follows: None,
        created_at: at(ms),
        updated_at: at(ms),
    }
}

pub(crate) fn happened(kind: TicketEventKind, ms: i64) -> TicketEvent {
    TicketEvent { at: at(ms), actor: "host".into(), kind }
}

pub(crate) fn noted(resource: &str, conversation: Option<&ConversationId>) -> AuditEntry {
    let mut entry = AuditEntry::new(at(0), AuditKind::Turn, "host", "turn:complete", resource);
    entry.conversation = conversation.cloned();
    entry.verdict = Some(AuditVerdict { decision: Decision::Allow, rules: vec!["rule-1".into()] });
    entry
}

pub(crate) fn document(key: &str, index: &[(&str, &str)]) -> IndexedDocument {
    IndexedDocument { key: key.into(), body: json!({"key": key}), index: pairs(index) }
}

pub(crate) fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
