//! What a store can do.

mod changes;
mod rows;

use std::collections::BTreeMap;

use async_trait::async_trait;
use postern_domain::{
    Approval, ApprovalId, ApprovalState, AuditEntry, AuditHead, AuditRow, BindingCode, Channel,
    Checkpoint, Conversation, ConversationId, Digest, InboundMessage, InvocationId, JournalEntry,
    MessageId, Operator, OperatorBinding, OperatorId, OperatorToken, OutboxId, OutboxItem,
    ScannedRow, SkillId, Ticket, TicketId, Timestamp, VaultEntry,
};

pub use changes::{Change, Commit, Committed, RecordWrite};
pub use rows::{
    Accepted, ConversationDetail, ConversationSummary, IndexedDocument, InvocationRow, Lease, Page,
    SequencedMessage, Standing, StoredRecord, TicketDetail, TurnRow, UnknownSend, UseRow, VaultHit,
    VaultTag, Work,
};

use crate::StoreError;

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

    /// The same of the runs in turns that began at `since` or later.
    async fn skill_use_since(
        &self,
        skill: &SkillId,
        component: Digest,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<UseRow>, StoreError>;

    /// The turn about a message, if it has begun.
    async fn turn_of(&self, message: &MessageId) -> Result<Option<TurnRow>, StoreError>;

    /// One invocation and its conversation.
    async fn invocation(
        &self,
        id: &InvocationId,
    ) -> Result<Option<(InvocationRow, ConversationId)>, StoreError>;

    /// Journalled calls behind `after` with their invocations, in order of
    /// invocation and sequence.
    async fn judged_calls(
        &self,
        after: Option<(InvocationId, u32)>,
        limit: u32,
    ) -> Result<Vec<(InvocationRow, JournalEntry)>, StoreError>;

    /// One approval.
    async fn approval(&self, id: &ApprovalId) -> Result<Option<Approval>, StoreError>;

    /// Approvals, in one state if it is given, newest first.
    async fn approvals(
        &self,
        state: Option<ApprovalState>,
        page: Page,
    ) -> Result<Vec<Approval>, StoreError>;

    /// The approvals of an invocation, oldest first.
    async fn approvals_of(&self, invocation: &InvocationId) -> Result<Vec<Approval>, StoreError>;

    /// Pending approvals that have expired or whose time to remind people or to
    /// go to another route has come, the longest due first.
    async fn approvals_due(&self, now: Timestamp, limit: u32) -> Result<Vec<Approval>, StoreError>;

    /// All operators by name, removed ones included.
    async fn operators(&self) -> Result<Vec<Operator>, StoreError>;

    /// One operator, removed or not.
    async fn operator(&self, id: &OperatorId) -> Result<Option<Operator>, StoreError>;

    /// The tokens of an operator, oldest first, expired ones included.
    async fn operator_tokens(
        &self,
        operator: &OperatorId,
    ) -> Result<Vec<OperatorToken>, StoreError>;

    /// The token with this digest and its operator. The token may have expired,
    /// and the operator may have been removed.
    async fn operator_by_token(
        &self,
        digest: Digest,
    ) -> Result<Option<(OperatorToken, Operator)>, StoreError>;

    /// The bound accounts, of one operator if it is given.
    async fn bindings(
        &self,
        operator: Option<&OperatorId>,
    ) -> Result<Vec<OperatorBinding>, StoreError>;

    /// Whose an account of a channel is.
    async fn binding(
        &self,
        channel: Channel,
        account: &str,
        sender: &str,
    ) -> Result<Option<OperatorBinding>, StoreError>;

    /// A code for a binding that has not been used; it may have expired.
    async fn binding_code(&self, digest: Digest) -> Result<Option<BindingCode>, StoreError>;

    /// What stands for what in a conversation.
    async fn vault(&self, conversation: &ConversationId) -> Result<Vec<VaultEntry>, StoreError>;

    /// Which of these tags of values are known, and whether the values are those of this
    /// conversation, or of this customer, who is verified in it.
    async fn vault_hits(
        &self,
        conversation: &ConversationId,
        customer: Option<&str>,
        tags: &[String],
    ) -> Result<Vec<VaultHit>, StoreError>;

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
