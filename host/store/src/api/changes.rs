//! What a store is told to change.

use postern_domain::{
    Approval, AuditEntry, BindingCode, Channel, Conversation, ConversationId, Digest, Expected,
    JournalEntry, LimitUse, MessageId, Operator, OperatorBinding, OperatorId, OperatorToken,
    OutboxItem, SkillId, StoredMessage, Ticket, TicketEvent, Timestamp, VaultEntry,
};

#[cfg(doc)]
use crate::StoreError;
use crate::{IndexedDocument, InvocationRow, Lease, TurnRow, VaultTag};

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
#[expect(
    clippy::large_enum_variant,
    reason = "a commit has few changes and soon ends; a box would be one more allocation"
)]
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
    /// Note whose values are, without the values.
    VaultIndex {
        /// The conversation.
        conversation: ConversationId,
        /// The customer, if they are verified.
        customer: Option<String>,
        /// The customer, if anything is known of who they are.
        owner: Option<String>,
        /// The values' tags.
        tags: Vec<VaultTag>,
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
    /// The inbound message is not due until it is woken; the conversation goes on
    /// with its next message. A message that was woken since it was last parked,
    /// while somebody worked on it, stays due: what woke it may not have been seen.
    Park(MessageId),
    /// The parked inbound message is due at once, before younger ones, and its
    /// attempts count from 0. One that is not parked stays as it is.
    Wake(MessageId),
    /// Replace state, attempts, time, duplicate mark and error of an outbox row.
    OutboxUpdate(OutboxItem),
    /// Version 1 inserts an approval that must not be there, a later version
    /// replaces the one before it; otherwise [`StoreError::Stale`] fails the whole
    /// commit.
    Approval(Approval),
    /// Take from limits, all or none; a limit that is reached fails the whole
    /// commit with [`StoreError::LimitReached`]. What a reservation has taken from
    /// a counter before is not taken again.
    Take {
        /// What is taken, in order.
        uses: Vec<LimitUse>,
        /// When.
        at: Timestamp,
    },
    /// Insert or replace an operator.
    Operator(Operator),
    /// Keep a new token of an operator.
    OperatorToken(OperatorToken),
    /// Forget a token, if it is there, with the codes and bindings that were made by it.
    OperatorTokenGone(Digest),
    /// Forget all tokens of an operator.
    OperatorTokensGone(OperatorId),
    /// Bind an account of a channel to an operator, in place of an earlier binding
    /// of the same account.
    Binding(OperatorBinding),
    /// Forget a binding, if it is there.
    BindingGone {
        /// The channel.
        channel: Channel,
        /// The configured account of the channel.
        account: String,
        /// The person, as the channel names them.
        sender: String,
    },
    /// Keep a new code for a binding.
    BindingCode(BindingCode),
    /// Use a code up. One that is not there or has expired fails the whole commit
    /// with [`StoreError::Stale`].
    BindingCodeUsed {
        /// SHA-256 of the code.
        digest: Digest,
        /// When.
        at: Timestamp,
    },
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
