//! The SQLite engine: one file in the data folder.

mod audit;
mod commit;
mod conversations;
mod inbox;
mod kv;
mod lease;
mod messages;
mod open;
mod outbox;
mod records;
mod run;
mod tickets;
mod turns;
mod work;

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use async_trait::async_trait;
use postern_domain::{
    AuditEntry, AuditHead, AuditRow, Checkpoint, Conversation, ConversationId, Digest,
    InboundMessage, OutboxId, OutboxItem, ScannedRow, SkillId, Ticket, TicketId, Timestamp,
    VaultEntry,
};
use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction, pool::PoolConnection};
use tokio::sync::{Mutex, MutexGuard};

use crate::{
    Accepted, Commit, Committed, ConversationDetail, ConversationSummary, IndexedDocument, Lease,
    Page, SequencedMessage, Store, StoreError, StoredRecord, TicketDetail, UnknownSend, UseRow,
    Work,
};
use run::engine;

/// A store in the file `postern.db` of a folder.
///
/// One process serves a folder ([`SqliteStore::lock_for_serving`]); others may
/// read it and write to it meanwhile. Every transaction is on disk when its
/// method returns, except that leases survive the process but not the machine,
/// which loses their holders as well.
pub struct SqliteStore {
    pools: open::Pools,
    /// Whoever holds it writes. SQLite has one writer at a time, and waiting here
    /// is fair and prompt where SQLite would poll.
    writing: Mutex<()>,
    chain: String,
    folder: PathBuf,
    serving: OnceLock<File>,
}

impl SqliteStore {
    /// Opens the store in `folder`, which must exist; creates or migrates it if
    /// necessary. `chain` names the audit chain into which this host writes.
    ///
    /// # Errors
    /// When the folder is not writable, or the database is damaged or was written
    /// by a newer version.
    pub async fn open(folder: &Path, chain: &str) -> Result<Self, StoreError> {
        Ok(Self {
            pools: open::open(folder).await?,
            writing: Mutex::new(()),
            chain: chain.to_owned(),
            folder: folder.to_owned(),
            serving: OnceLock::new(),
        })
    }

    /// Takes the lock of the one process that serves the folder and keeps it
    /// until the store is dropped or the process ends, however it ends.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when it is taken, be it by this process.
    pub fn lock_for_serving(&self) -> Result<(), StoreError> {
        let lock = open::lock_for_serving(&self.folder)?;
        // While this store holds a lock, taking another one fails above.
        self.serving.get_or_init(|| lock);
        Ok(())
    }

    /// A connection for one read.
    async fn reader(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        self.pools.read.acquire().await.map_err(engine("reach the database"))
    }

    /// A transaction in which several reads see the same state.
    async fn snapshot(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.pools.read.begin().await.map_err(engine("begin to read"))
    }

    /// A transaction that is on disk when it has ended.
    async fn durable(&self) -> Result<Write<'_>, StoreError> {
        self.write(&self.pools.durable).await
    }

    /// A transaction that a loss of power may undo.
    async fn relaxed(&self) -> Result<Write<'_>, StoreError> {
        self.write(&self.pools.relaxed).await
    }

    async fn write(&self, pool: &SqlitePool) -> Result<Write<'_>, StoreError> {
        let turn = self.writing.lock().await;
        // A transaction that begins as a reader can fail when it wants to write.
        let transaction =
            pool.begin_with("BEGIN IMMEDIATE").await.map_err(engine("begin to write"))?;
        Ok(Write { transaction, _turn: turn })
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("folder", &self.folder)
            .field("chain", &self.chain)
            .finish_non_exhaustive()
    }
}

/// A transaction that writes. Dropped before its end, it changes nothing.
struct Write<'a> {
    transaction: Transaction<'static, Sqlite>,
    // Dropped after the transaction, so that the next one finds it ended.
    _turn: MutexGuard<'a, ()>,
}

impl Write<'_> {
    fn on(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }

    async fn commit(self) -> Result<(), StoreError> {
        self.transaction.commit().await.map_err(engine("make changes durable"))
    }
}

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
        let mut write = self.durable().await?;
        let committed = commit::apply(write.on(), &self.chain, commit).await?;
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
        let mut write = self.durable().await?;
        let counts = records::import(write.on(), &collections).await?;
        audit::append(write.on(), &self.chain, vec![audit]).await?;
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

    async fn vault(&self, conversation: &ConversationId) -> Result<Vec<VaultEntry>, StoreError> {
        messages::vault(&mut *self.reader().await?, conversation).await
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
