//! The SQLite engine: one file in the data folder.

mod approvals;
mod audit;
mod commit;
mod conversations;
mod inbox;
mod kept;
mod kv;
mod lease;
mod limits;
mod messages;
mod methods;
mod open;
mod operators;
mod outbox;
mod records;
mod run;
mod tickets;
mod turns;
mod work;

use std::{
    fmt,
    fs::File,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction, pool::PoolConnection};
use tokio::sync::{Mutex, MutexGuard};

use crate::{
    StoreError,
    clean::{Clean, Cleaner},
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
    cleaner: Cleaner,
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
            cleaner: Cleaner::default(),
            folder: folder.to_owned(),
            serving: OnceLock::new(),
        })
    }

    /// The store, with free texts of audit rows and reasons of what went wrong cleaned
    /// before they are kept.
    #[must_use]
    pub fn cleaning(self, clean: Clean) -> Self {
        Self { cleaner: Cleaner::new(clean), ..self }
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
