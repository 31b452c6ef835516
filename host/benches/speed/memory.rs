//! A store in memory that can do what one call of the skill needs: its reads
//! must not be what is measured.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use postern_domain::{
    Approval, ApprovalId, ApprovalState, AuditEntry, AuditHead, AuditRow, BindingCode, Channel,
    Checkpoint, Conversation, ConversationId, Digest, InboundMessage, InvocationId, JournalEntry,
    MessageId, Operator, OperatorBinding, OperatorId, OperatorToken, OutboxId, OutboxItem,
    ScannedRow, SkillId, Ticket, TicketId, Timestamp, VaultEntry,
};
use postern_store::{
    Accepted, Commit, Committed, ConversationDetail, ConversationSummary, IndexedDocument,
    InvocationRow, Lease, Page, SequencedMessage, Store, StoreError, StoredRecord, TicketDetail,
    TurnRow, UnknownSend, UseRow, VaultHit, Work,
};

/// One record, and a copy of it for the next read.
pub(crate) struct Memory {
    record: StoredRecord,
    next: Mutex<Option<StoredRecord>>,
}

impl Memory {
    pub(crate) fn new(record: StoredRecord) -> Self {
        Self { record, next: Mutex::default() }
    }

    /// Makes the copy, so that the next read does not have to.
    pub(crate) fn prepare(&self) {
        *self.next() = Some(self.record.clone());
    }

    fn next(&self) -> MutexGuard<'_, Option<StoredRecord>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything else fails: a call that needed it would measure something else.
fn not_here<T>(doing: &'static str) -> Result<T, StoreError> {
    Err(StoreError::Engine { doing, source: "the benchmark's store has one record only".into() })
}

macro_rules! memory {
    ($($name:ident($($argument:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl Store for Memory {
            async fn record(
                &self,
                collection: &str,
                key: &str,
            ) -> Result<Option<StoredRecord>, StoreError> {
                let asked = self.record.collection == collection && self.record.key == key;
                Ok(asked.then(|| self.next().take().unwrap_or_else(|| self.record.clone())))
            }

            $(async fn $name(&self, $(_: $argument),*) -> Result<$answer, StoreError> {
                not_here(stringify!($name))
            })*
        }
    };
}

memory! {
    accept(&[InboundMessage], &[String]) -> Vec<Accepted>;
    lease_next(&str, Timestamp, i64) -> Option<Lease>;
    renew(&Lease, Timestamp, i64) -> ();
    release(&Lease) -> ();
    work(&Lease, Timestamp) -> Option<Work>;
    commit(Commit) -> Committed;
    recover(UnknownSend, Timestamp) -> Vec<OutboxItem>;
    claim_outbox(Timestamp, u32) -> Vec<OutboxItem>;
    next_due() -> Option<Timestamp>;
    outbox_item(&OutboxId) -> Option<OutboxItem>;
    import(BTreeMap<String, Vec<IndexedDocument>>, AuditEntry) -> BTreeMap<String, u64>;
    find_records(&str, &[(String, String)], u32) -> Vec<StoredRecord>;
    collections() -> BTreeMap<String, u64>;
    kv_get(&SkillId, &str, &str, Timestamp) -> Option<Vec<u8>>;
    kv_usage(&SkillId, &str) -> (u64, u64);
    ticket(&TicketId) -> Option<TicketDetail>;
    tickets(Page) -> Vec<Ticket>;
    tickets_of(&str, u32) -> Vec<Ticket>;
    conversations(Page) -> Vec<ConversationSummary>;
    conversation_row(&ConversationId) -> Option<Conversation>;
    conversation(&ConversationId) -> Option<ConversationDetail>;
    skill_use(&SkillId, Digest, u32) -> Vec<UseRow>;
    skill_use_since(&SkillId, Digest, Timestamp, u32) -> Vec<UseRow>;
    turn_of(&MessageId) -> Option<TurnRow>;
    invocation(&InvocationId) -> Option<(InvocationRow, ConversationId)>;
    judged_calls(Option<(InvocationId, u32)>, u32) -> Vec<(InvocationRow, JournalEntry)>;
    approval(&ApprovalId) -> Option<Approval>;
    approvals(Option<ApprovalState>, Page) -> Vec<Approval>;
    approvals_of(&InvocationId) -> Vec<Approval>;
    approvals_due(Timestamp, u32) -> Vec<Approval>;
    operators() -> Vec<Operator>;
    operator(&OperatorId) -> Option<Operator>;
    operator_tokens(&OperatorId) -> Vec<OperatorToken>;
    operator_by_token(Digest) -> Option<(OperatorToken, Operator)>;
    bindings(Option<&OperatorId>) -> Vec<OperatorBinding>;
    binding(Channel, &str, &str) -> Option<OperatorBinding>;
    binding_code(Digest) -> Option<BindingCode>;
    vault(&ConversationId) -> Vec<VaultEntry>;
    vault_hits(&ConversationId, Option<&str>, &[String]) -> Vec<VaultHit>;
    messages_after(&ConversationId, i64, u32) -> Vec<SequencedMessage>;
    audit_tail(u32, Option<&ConversationId>) -> Vec<AuditRow>;
    audit_scan(i64, u32) -> Vec<ScannedRow>;
    audit_heads() -> (Vec<AuditHead>, i64);
    checkpoints() -> Vec<Checkpoint>;
    add_checkpoint(&Checkpoint) -> ();
    undelivered(Page) -> Vec<OutboxItem>;
    backlog() -> (u64, u64);
}
