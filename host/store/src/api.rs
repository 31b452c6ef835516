//! What a store can do.

use std::collections::BTreeMap;

use async_trait::async_trait;
use postern_domain::{
    AuditEntry, AuditHead, AuditRow, Checkpoint, Conversation, ConversationId, Digest, Expected,
    InboundMessage, InvocationId, JournalEntry, MessageId, OutboxId, OutboxItem, Outcome,
    ScannedRow, SkillFailure, SkillId, StoredMessage, Ticket, TicketEvent, TicketId, Timestamp,
    TurnId, VaultEntry,
};
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It is durable and will be processed.
    New,
    /// It was accepted before; nothing more happens.
    Duplicate,
}

/// The exclusive right to work on a conversation. Every commit under it checks
/// `fence`, so a worker that lost its lease can change nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The conversation.
    pub conversation: ConversationId,
    /// Grows with each lease of the conversation.
    pub fence: i64,
}

/// What the pipeline did about a message (or is doing).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TurnRow {
    /// Its id.
    pub id: TurnId,
    /// The conversation.
    pub conversation: ConversationId,
    /// The inbound message.
    pub message: MessageId,
    /// What was understood and decided, as the pipeline's own versioned JSON.
    pub plan: serde_json::Value,
    /// Digest of the generation of skills and policy under which it runs.
    pub generation: String,
    /// What happened in each stage, once complete, as the pipeline's JSON.
    pub summary: Option<serde_json::Value>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was complete.
    pub completed_at: Option<Timestamp>,
}

/// One call of one tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvocationRow {
    /// Its id.
    pub id: InvocationId,
    /// The turn.
    pub turn: TurnId,
    /// Its place in the turn, from 0.
    pub step: u32,
    /// The skill.
    pub skill: SkillId,
    /// Its version.
    pub version: String,
    /// Digest of the component.
    pub digest: Digest,
    /// The tool.
    pub tool: String,
    /// The arguments, in placeholders.
    pub arguments: serde_json::Value,
    /// What it came to; none while it runs.
    pub result: Option<Result<Outcome, SkillFailure>>,
    /// The context's time.
    pub at: Timestamp,
    /// Microseconds from start to end, host calls included; 0 if the component
    /// did not run.
    pub took_us: u64,
    /// Microseconds of guest CPU time.
    pub cpu_us: u64,
    /// Most bytes of linear memory in use.
    pub memory_bytes: u64,
    /// Host calls, without log lines.
    pub host_calls: u32,
}

/// What one run of a component used, and how it failed if it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UseRow {
    /// Microseconds from start to end, host calls included.
    pub took_us: u64,
    /// Microseconds of guest CPU time.
    pub cpu_us: u64,
    /// Most bytes of linear memory in use.
    pub memory_bytes: u64,
    /// Host calls, without log lines.
    pub host_calls: u32,
    /// Why it gave no outcome.
    pub failure: Option<SkillFailure>,
}

/// A record with what it is found by.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexedDocument {
    /// The key.
    pub key: String,
    /// The object.
    pub body: serde_json::Value,
    /// Field names and normalised values under which a query finds it.
    pub index: Vec<(String, String)>,
}

/// A record as kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredRecord {
    /// The collection.
    pub collection: String,
    /// The key.
    pub key: String,
    /// From 1, growing by one with each change.
    pub version: u64,
    /// The object, with real values.
    pub body: serde_json::Value,
}

/// One step of an atomic write of records.
#[derive(Clone, Debug, PartialEq)]
pub enum RecordWrite {
    /// Write a record if the expectation holds.
    Put {
        /// The collection.
        collection: String,
        /// The record.
        document: IndexedDocument,
        /// What must be true.
        expected: Expected,
    },
    /// Delete a record if it has this version.
    Delete {
        /// The collection.
        collection: String,
        /// The key.
        key: String,
        /// The version.
        version: u64,
    },
}

/// One change within a [`Commit`].
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Insert or replace a turn.
    Turn(TurnRow),
    /// Insert or replace an invocation.
    Invocation(InvocationRow),
    /// Insert or replace a journal entry, by invocation and sequence number.
    Journal(JournalEntry),
    /// Write records; a wrong expectation fails the whole commit.
    Records(Vec<RecordWrite>),
    /// Keep a value of a skill for a customer (or conversation) `scope`.
    KvSet {
        /// The skill.
        skill: SkillId,
        /// Whose.
        scope: String,
        /// The key.
        key: String,
        /// The value.
        value: Vec<u8>,
        /// Until when.
        expires_at: Timestamp,
    },
    /// Forget a value.
    KvDelete {
        /// The skill.
        skill: SkillId,
        /// Whose.
        scope: String,
        /// The key.
        key: String,
    },
    /// Insert or replace a ticket and append its events.
    Ticket {
        /// The ticket after the events.
        ticket: Ticket,
        /// What happened to it.
        events: Vec<TicketEvent>,
    },
    /// Replace what is known and remembered of a conversation.
    Conversation(Conversation),
    /// Append vault entries; an entry that exists stays as it is.
    Vault {
        /// The conversation.
        conversation: ConversationId,
        /// The entries.
        entries: Vec<VaultEntry>,
    },
    /// Append a message; one that exists stays as it is.
    Message(StoredMessage),
    /// Append a message to the outbox; one that exists stays as it is.
    Outbox(OutboxItem),
    /// The inbound message is processed; its raw content is dropped.
    InboxDone(MessageId),
    /// The inbound message is given up as a dead letter, its content kept.
    InboxDead {
        /// The message.
        message: MessageId,
        /// Why, without personal data.
        reason: String,
    },
    /// Try the inbound message again, no earlier than `at`; counts an attempt.
    InboxRetry {
        /// The message.
        message: MessageId,
        /// When.
        at: Timestamp,
        /// Why, without personal data.
        reason: String,
    },
    /// Replace state, attempts, time, duplicate mark and error of an outbox row.
    OutboxUpdate(OutboxItem),
}

/// Changes that become durable together.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// The lease under which they are made, if a conversation is concerned.
    pub lease: Option<Lease>,
    /// The changes, in order.
    pub changes: Vec<Change>,
    /// Audit rows, linked into the chain last.
    pub audit: Vec<AuditEntry>,
}

/// What a commit answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// New versions of written records in the order of their steps; 0 for a
    /// deleted one.
    pub versions: Vec<u64>,
}

/// All that is needed to process the next message of a leased conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// The message.
    pub message: InboundMessage,
    /// How often processing it has failed.
    pub attempts: u32,
    /// The conversation.
    pub conversation: Conversation,
    /// The last ten messages, oldest first.
    pub history: Vec<StoredMessage>,
    /// What stands for what.
    pub vault: Vec<VaultEntry>,
    /// The current ticket.
    pub ticket: Option<Ticket>,
    /// The turn, if it began before.
    pub turn: Option<TurnRow>,
    /// Invocations of the turn, in order of their steps.
    pub invocations: Vec<InvocationRow>,
    /// Journal of the turn's invocations, in order of invocation and sequence.
    pub journal: Vec<JournalEntry>,
}

/// What to do with a send whose result is unknown after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum UnknownSend {
    /// Send once more and mark it as a possible duplicate.
    #[default]
    Resend,
    /// Do not send; show it to people.
    Hold,
}

/// A message with its place in its conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequencedMessage {
    /// Grows with each message of the store; the `id:` of server-sent events.
    pub seq: i64,
    /// The message.
    pub message: StoredMessage,
}

/// A line of the list of conversations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationSummary {
    /// The conversation.
    pub conversation: Conversation,
    /// How many messages it has.
    pub messages: u64,
    /// When the last one was kept.
    pub last_at: Timestamp,
    /// The last message's text, in placeholders.
    pub last_text: String,
}

/// A conversation with everything that happened in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConversationDetail {
    /// The conversation.
    pub conversation: Conversation,
    /// Its messages, oldest first.
    pub messages: Vec<SequencedMessage>,
    /// Its turns, oldest first.
    pub turns: Vec<TurnRow>,
    /// Its invocations, by turn and step.
    pub invocations: Vec<InvocationRow>,
    /// Their journal, by invocation and sequence.
    pub journal: Vec<JournalEntry>,
    /// What was or is to be sent, oldest first.
    pub outbox: Vec<OutboxItem>,
    /// Its tickets, oldest first.
    pub tickets: Vec<Ticket>,
}

/// A ticket with its events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketDetail {
    /// The ticket.
    pub ticket: Ticket,
    /// What happened to it, oldest first.
    pub events: Vec<TicketEvent>,
}

/// Which part of a list, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most so many.
    pub limit: u32,
    /// After so many.
    pub offset: u32,
}

/// A place where Postern keeps things. Every method that changes something is
/// one transaction.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Keeps inbound messages, creating their conversations; a delivery that is
    /// known changes nothing. `nonces` gives the placeholder mark for each
    /// message's conversation, used if it is new. Durable on return.
    async fn accept(
        &self,
        messages: &[InboundMessage],
        nonces: &[String],
    ) -> Result<Vec<Accepted>, StoreError>;

    /// Leases the conversation with the oldest message that is due, for
    /// `ttl_ms`; none if there is nothing to do.
    async fn lease_next(
        &self,
        owner: &str,
        now: Timestamp,
        ttl_ms: i64,
    ) -> Result<Option<Lease>, StoreError>;

    /// Extends a lease. Fails with [`StoreError::Fenced`] if it was lost.
    async fn renew(&self, lease: &Lease, now: Timestamp, ttl_ms: i64) -> Result<(), StoreError>;

    /// Gives a lease back; a lost one is ignored.
    async fn release(&self, lease: &Lease) -> Result<(), StoreError>;

    /// The next due message of a leased conversation with all its context.
    async fn work(&self, lease: &Lease, now: Timestamp) -> Result<Option<Work>, StoreError>;

    /// Makes all changes durable together.
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError>;

    /// Takes up what a process of this host left behind when it died: gives
    /// back its leases and settles sends whose result is unknown. A send that
    /// is marked as a possible duplicate already is not repeated. Answers the
    /// rows whose sending was interrupted, in their new state.
    async fn recover(
        &self,
        unknown_send: UnknownSend,
        now: Timestamp,
    ) -> Result<Vec<OutboxItem>, StoreError>;

    /// Claims due messages to send, at most one for each conversation, the
    /// oldest first: their state is `Sending` and the attempt is counted
    /// durably on return.
    async fn claim_outbox(&self, now: Timestamp, limit: u32)
    -> Result<Vec<OutboxItem>, StoreError>;

    /// When the next message to send or to process is due, if any is waiting.
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// One outbox row.
    async fn outbox_item(&self, id: &OutboxId) -> Result<Option<OutboxItem>, StoreError>;

    /// Puts records in place of those with the same keys, all or none. Answers
    /// how many each collection got.
    async fn import(
        &self,
        collections: BTreeMap<String, Vec<IndexedDocument>>,
        audit: AuditEntry,
    ) -> Result<BTreeMap<String, u64>, StoreError>;

    /// One record.
    async fn record(&self, collection: &str, key: &str)
    -> Result<Option<StoredRecord>, StoreError>;

    /// Records found by all of these indexed fields, ordered by key.
    async fn find_records(
        &self,
        collection: &str,
        conditions: &[(String, String)],
        limit: u32,
    ) -> Result<Vec<StoredRecord>, StoreError>;

    /// Collections and how many records each has.
    async fn collections(&self) -> Result<BTreeMap<String, u64>, StoreError>;

    /// A kept value that has not expired.
    async fn kv_get(
        &self,
        skill: &SkillId,
        scope: &str,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError>;

    /// Number and bytes (keys and values) that a skill keeps for one scope.
    async fn kv_usage(&self, skill: &SkillId, scope: &str) -> Result<(u64, u64), StoreError>;

    /// One ticket with its events.
    async fn ticket(&self, id: &TicketId) -> Result<Option<TicketDetail>, StoreError>;

    /// Tickets, newest first.
    async fn tickets(&self, page: Page) -> Result<Vec<Ticket>, StoreError>;

    /// A customer's tickets, newest first.
    async fn tickets_of(&self, customer: &str, limit: u32) -> Result<Vec<Ticket>, StoreError>;

    /// Conversations, the most recently active first.
    async fn conversations(&self, page: Page) -> Result<Vec<ConversationSummary>, StoreError>;

    /// One conversation, without what happened in it.
    async fn conversation_row(
        &self,
        id: &ConversationId,
    ) -> Result<Option<Conversation>, StoreError>;

    /// One conversation with what happened in it: its last 200 turns and its last
    /// 1,000 messages.
    async fn conversation(
        &self,
        id: &ConversationId,
    ) -> Result<Option<ConversationDetail>, StoreError>;

    /// What the last `limit` runs of a component of a skill used, the newest
    /// first. Calls in which the component did not run or has not ended are left
    /// out.
    async fn skill_use(
        &self,
        skill: &SkillId,
        component: Digest,
        limit: u32,
    ) -> Result<Vec<UseRow>, StoreError>;

    /// What stands for what in a conversation.
    async fn vault(&self, conversation: &ConversationId) -> Result<Vec<VaultEntry>, StoreError>;

    /// Messages of a conversation after `after`, oldest first.
    async fn messages_after(
        &self,
        conversation: &ConversationId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<SequencedMessage>, StoreError>;

    /// The last `limit` audit rows, oldest first; with `conversation`, only
    /// those about it.
    async fn audit_tail(
        &self,
        limit: u32,
        conversation: Option<&ConversationId>,
    ) -> Result<Vec<AuditRow>, StoreError>;

    /// Up to `limit` audit rows of all chains behind place `after`, in the order
    /// of the store and as they lie there, for verification and export.
    async fn audit_scan(&self, after: i64, limit: u32) -> Result<Vec<ScannedRow>, StoreError>;

    /// The recorded ends of all chains, by name, and the place of the last row
    /// at the same moment; 0 if there is none.
    async fn audit_heads(&self) -> Result<(Vec<AuditHead>, i64), StoreError>;

    /// All checkpoints, oldest first.
    async fn checkpoints(&self) -> Result<Vec<Checkpoint>, StoreError>;

    /// Keeps a checkpoint. One with this number must not be there yet.
    async fn add_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), StoreError>;

    /// Outbox rows in a state that a person should see: dead or uncertain,
    /// newest first.
    async fn undelivered(&self, page: Page) -> Result<Vec<OutboxItem>, StoreError>;

    /// How many inbound messages wait, and how many outgoing ones.
    async fn backlog(&self) -> Result<(u64, u64), StoreError>;
}
