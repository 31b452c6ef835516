//! What a store can do, done by SQLite.

use std::collections::BTreeMap;

use async_trait::async_trait;
use postern_domain::{
    Approval, ApprovalId, ApprovalState, AuditEntry, AuditHead, AuditRow, BindingCode, Channel,
    Checkpoint, Conversation, ConversationId, Digest, InboundMessage, InvocationId, JournalEntry,
    MessageId, Operator, OperatorBinding, OperatorId, OperatorToken, OutboxId, OutboxItem,
    ScannedRow, SkillId, Ticket, TicketId, Timestamp, VaultEntry,
};

use super::{
    SqliteStore, approvals, audit, commit, conversations, inbox, kv, lease, messages, operators,
    outbox, records, tickets, turns, work,
};
use crate::{
    Accepted, Commit, Committed, ConversationDetail, ConversationSummary, IndexedDocument,
    InvocationRow, Lease, Page, SequencedMessage, Store, StoreError, StoredRecord, TicketDetail,
    TurnRow, UnknownSend, UseRow, VaultHit, Work,
};

#[async_trait]
impl Store for SqliteStore {
    async fn accept(
        &self,
        messages: &[InboundMessage],
        nonces: &[String],
    ) -> Result<Vec<Accepted>, StoreError> {
        let mut write = self.durable().await?;
        let accepted = inbox::accept(write.on(), messages, nonces).await?;
        write.commit().await?;
        Ok(accepted)
    }

    async fn lease_next(
        &self,
        owner: &str,
        now: Timestamp,
        ttl_ms: i64,
    ) -> Result<Option<Lease>, StoreError> {
        let mut write = self.relaxed().await?;
        let lease = lease::take(write.on(), owner, now, ttl_ms).await?;
        if lease.is_some() {
            // A skill may run under this lease, and its quota is counted.
            kv::expire(write.on(), now).await?;
        }
        write.commit().await?;
        Ok(lease)
    }

    async fn renew(&self, lease: &Lease, now: Timestamp, ttl_ms: i64) -> Result<(), StoreError> {
        let mut write = self.relaxed().await?;
        lease::renew(write.on(), lease, now.plus_millis(ttl_ms)).await?;
        write.commit().await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let mut write = self.relaxed().await?;
        lease::release(write.on(), lease).await?;
        write.commit().await
    }

    async fn work(&self, lease: &Lease, now: Timestamp) -> Result<Option<Work>, StoreError> {
        work::read(&mut *self.snapshot().await?, lease, now).await
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        let cleaned = self.cleaner.commit(commit);
        let mut write = self.durable().await?;
        let committed = commit::apply(write.on(), &self.chain, cleaned).await?;
        write.commit().await?;
        Ok(committed)
    }

    /// The folder has one serving process, so whatever was left behind is its
    /// own: every lease and every send.
    async fn recover(
        &self,
        unknown_send: UnknownSend,
        now: Timestamp,
    ) -> Result<Vec<OutboxItem>, StoreError> {
        let mut write = self.durable().await?;
        lease::release_all(write.on()).await?;
        let interrupted = outbox::recover(write.on(), unknown_send, now).await?;
        write.commit().await?;
        Ok(interrupted)
    }

    async fn claim_outbox(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboxItem>, StoreError> {
        let mut write = self.durable().await?;
        let claimed = outbox::claim(write.on(), now, limit).await?;
        write.commit().await?;
        Ok(claimed)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        lease::next_due(&mut *self.reader().await?).await
    }

    async fn outbox_item(&self, id: &OutboxId) -> Result<Option<OutboxItem>, StoreError> {
        outbox::one(&mut *self.reader().await?, id).await
    }

    async fn import(
        &self,
        collections: BTreeMap<String, Vec<IndexedDocument>>,
        audit: AuditEntry,
    ) -> Result<BTreeMap<String, u64>, StoreError> {
        let audit = self.cleaner.entries(vec![audit]);
        let mut write = self.durable().await?;
        let counts = records::import(write.on(), &collections).await?;
        audit::append(write.on(), &self.chain, audit).await?;
        write.commit().await?;
        Ok(counts)
    }

    async fn record(
        &self,
        collection: &str,
        key: &str,
    ) -> Result<Option<StoredRecord>, StoreError> {
        records::one(&mut *self.reader().await?, collection, key).await
    }

    async fn find_records(
        &self,
        collection: &str,
        conditions: &[(String, String)],
        limit: u32,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        records::find(&mut *self.reader().await?, collection, conditions, limit).await
    }

    async fn collections(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        records::counts(&mut *self.reader().await?).await
    }

    async fn kv_get(
        &self,
        skill: &SkillId,
        scope: &str,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        kv::get(&mut *self.reader().await?, kv::Name { skill, scope, key }, now).await
    }

    async fn kv_usage(&self, skill: &SkillId, scope: &str) -> Result<(u64, u64), StoreError> {
        kv::usage(&mut *self.reader().await?, skill, scope).await
    }

    async fn ticket(&self, id: &TicketId) -> Result<Option<TicketDetail>, StoreError> {
        tickets::detail(&mut *self.snapshot().await?, id).await
    }

    async fn tickets(&self, page: Page) -> Result<Vec<Ticket>, StoreError> {
        tickets::list(&mut *self.reader().await?, page).await
    }

    async fn tickets_of(&self, customer: &str, limit: u32) -> Result<Vec<Ticket>, StoreError> {
        tickets::of_customer(&mut *self.reader().await?, customer, limit).await
    }

    async fn conversations(&self, page: Page) -> Result<Vec<ConversationSummary>, StoreError> {
        conversations::list(&mut *self.reader().await?, page).await
    }

    async fn conversation_row(
        &self,
        id: &ConversationId,
    ) -> Result<Option<Conversation>, StoreError> {
        conversations::one(&mut *self.reader().await?, id).await
    }

    async fn conversation(
        &self,
        id: &ConversationId,
    ) -> Result<Option<ConversationDetail>, StoreError> {
        conversations::detail(&mut *self.snapshot().await?, id).await
    }

    async fn skill_use(
        &self,
        skill: &SkillId,
        component: Digest,
        limit: u32,
    ) -> Result<Vec<UseRow>, StoreError> {
        turns::use_of_component(&mut *self.reader().await?, skill, component, limit).await
    }

    async fn skill_use_since(
        &self,
        skill: &SkillId,
        component: Digest,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<UseRow>, StoreError> {
        turns::use_since(&mut *self.reader().await?, (skill, component), since, limit).await
    }

    async fn turn_of(&self, message: &MessageId) -> Result<Option<TurnRow>, StoreError> {
        turns::of_message(&mut *self.reader().await?, message).await
    }

    async fn invocation(
        &self,
        id: &InvocationId,
    ) -> Result<Option<(InvocationRow, ConversationId)>, StoreError> {
        turns::invocation(&mut *self.reader().await?, id).await
    }

    async fn judged_calls(
        &self,
        after: Option<(InvocationId, u32)>,
        limit: u32,
    ) -> Result<Vec<(InvocationRow, JournalEntry)>, StoreError> {
        turns::judged_calls(&mut *self.reader().await?, after, limit).await
    }

    async fn approval(&self, id: &ApprovalId) -> Result<Option<Approval>, StoreError> {
        approvals::one(&mut *self.reader().await?, id).await
    }

    async fn approvals(
        &self,
        state: Option<ApprovalState>,
        page: Page,
    ) -> Result<Vec<Approval>, StoreError> {
        approvals::list(&mut *self.reader().await?, state, page).await
    }

    async fn approvals_of(&self, invocation: &InvocationId) -> Result<Vec<Approval>, StoreError> {
        approvals::of_invocation(&mut *self.reader().await?, invocation).await
    }

    async fn approvals_due(&self, now: Timestamp, limit: u32) -> Result<Vec<Approval>, StoreError> {
        approvals::due(&mut *self.reader().await?, now, limit).await
    }

    async fn operators(&self) -> Result<Vec<Operator>, StoreError> {
        operators::all(&mut *self.reader().await?).await
    }

    async fn operator(&self, id: &OperatorId) -> Result<Option<Operator>, StoreError> {
        operators::one(&mut *self.reader().await?, id).await
    }

    async fn operator_tokens(
        &self,
        operator: &OperatorId,
    ) -> Result<Vec<OperatorToken>, StoreError> {
        operators::tokens(&mut *self.reader().await?, operator).await
    }

    async fn operator_by_token(
        &self,
        digest: Digest,
    ) -> Result<Option<(OperatorToken, Operator)>, StoreError> {
        operators::by_token(&mut *self.snapshot().await?, digest).await
    }

    async fn bindings(
        &self,
        operator: Option<&OperatorId>,
    ) -> Result<Vec<OperatorBinding>, StoreError> {
        operators::bindings(&mut *self.reader().await?, operator).await
    }

    async fn binding(
        &self,
        channel: Channel,
        account: &str,
        sender: &str,
    ) -> Result<Option<OperatorBinding>, StoreError> {
        operators::binding(&mut *self.reader().await?, channel, account, sender).await
    }

    async fn binding_code(&self, digest: Digest) -> Result<Option<BindingCode>, StoreError> {
        operators::code(&mut *self.reader().await?, digest).await
    }

    async fn vault(&self, conversation: &ConversationId) -> Result<Vec<VaultEntry>, StoreError> {
        messages::vault(&mut *self.reader().await?, conversation).await
    }

    async fn vault_hits(
        &self,
        conversation: &ConversationId,
        customer: Option<&str>,
        tags: &[String],
    ) -> Result<Vec<VaultHit>, StoreError> {
        messages::hits(&mut *self.reader().await?, conversation, customer, tags).await
    }

    async fn messages_after(
        &self,
        conversation: &ConversationId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<SequencedMessage>, StoreError> {
        messages::after(&mut *self.reader().await?, conversation, after, limit).await
    }

    async fn audit_tail(
        &self,
        limit: u32,
        conversation: Option<&ConversationId>,
    ) -> Result<Vec<AuditRow>, StoreError> {
        audit::tail(&mut *self.reader().await?, limit, conversation).await
    }

    async fn audit_scan(&self, after: i64, limit: u32) -> Result<Vec<ScannedRow>, StoreError> {
        audit::scan(&mut *self.reader().await?, after, limit).await
    }

    async fn audit_heads(&self) -> Result<(Vec<AuditHead>, i64), StoreError> {
        audit::heads(&mut *self.snapshot().await?).await
    }

    async fn checkpoints(&self) -> Result<Vec<Checkpoint>, StoreError> {
        audit::checkpoints(&mut *self.reader().await?).await
    }

    async fn add_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        let mut write = self.durable().await?;
        audit::add_checkpoint(write.on(), checkpoint).await?;
        write.commit().await
    }

    async fn undelivered(&self, page: Page) -> Result<Vec<OutboxItem>, StoreError> {
        outbox::undelivered(&mut *self.reader().await?, page).await
    }

    async fn backlog(&self) -> Result<(u64, u64), StoreError> {
        lease::backlog(&mut *self.reader().await?).await
    }
}
