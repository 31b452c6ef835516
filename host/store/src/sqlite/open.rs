//! Opening the data folder.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    ConnectOptions as _, SqlSafeStr as _, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::run::engine;
use crate::StoreError;

/// How long a write waits for another process that writes.
const BUSY: Duration = Duration::from_secs(10);
const READERS: u32 = 4;

/// Append-only: what was released is never edited.
const MIGRATIONS: [(i64, &str, &str); 7] = [
    (1, "everything", include_str!("../../migrations/sqlite/0001_everything.sql")),
    (2, "use of skills", include_str!("../../migrations/sqlite/0002_use_of_skills.sql")),
    (3, "checkpoints", include_str!("../../migrations/sqlite/0003_checkpoints.sql")),
    (
        4,
        "approvals, limits, operators",
        include_str!("../../migrations/sqlite/0004_approvals_limits_operators.sql"),
    ),
    (5, "bindings of tokens", include_str!("../../migrations/sqlite/0005_bindings_of_tokens.sql")),
    (6, "vault index", include_str!("../../migrations/sqlite/0006_vault_index.sql")),
    (7, "standing of values", include_str!("../../migrations/sqlite/0007_standing_of_values.sql")),
];

/// The connections to one database.
pub(super) struct Pools {
    /// For reading.
    pub(super) read: SqlitePool,
    /// For what must be on disk when the transaction ends.
    pub(super) durable: SqlitePool,
    /// For leases: they may be lost with the machine, since whoever held them is
    /// lost with it.
    pub(super) relaxed: SqlitePool,
}

/// Opens the database, creating or migrating it if necessary.
pub(super) async fn open(folder: &Path) -> Result<Pools, StoreError> {
    let file = folder.join("postern.db");
    create_private(file.clone()).await.map_err(engine("create the database"))?;
    let _one_at_a_time =
        lock(folder.join("postern.migrate.lock")).await.map_err(engine("lock the migrations"))?;

    let options = SqliteConnectOptions::new()
        .filename(&file)
        .journal_mode(SqliteJournalMode::Wal)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        // Statements in logs would tell more than operators should see.
        .disable_statement_logging();
    let connect = |connections: u32, synchronous: SqliteSynchronous, read_only: bool| {
        let options = options.clone().synchronous(synchronous);
        let options = if read_only { options.pragma("query_only", "on") } else { options };
        SqlitePoolOptions::new()
            .max_connections(connections)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(options)
    };
    let durable =
        connect(1, SqliteSynchronous::Full, false).await.map_err(engine("open the database"))?;
    migrations().run(&durable).await.map_err(engine("migrate the database"))?;
    Ok(Pools {
        relaxed: connect(1, SqliteSynchronous::Normal, false)
            .await
            .map_err(engine("open the database"))?,
        read: connect(READERS, SqliteSynchronous::Full, true)
            .await
            .map_err(engine("open the database"))?,
        durable,
    })
}

fn migrations() -> Migrator {
    let migrations = MIGRATIONS.map(|(version, name, text)| {
        Migration::new(version, name.into(), MigrationType::Simple, text.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.into())
}

/// Makes sure that the file exists. Nobody but its owner may read it; SQLite
/// gives the files beside it the same mode.
async fn create_private(path: PathBuf) -> io::Result<()> {
    let create = move || {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map(drop)
    };
    tokio::task::spawn_blocking(create).await.map_err(io::Error::other)?
}

/// Waits for a lock that ends with the value, or with the process.
async fn lock(path: PathBuf) -> io::Result<File> {
    let wait = move || {
        let file = lock_file(&path)?;
        file.lock()?;
        Ok(file)
    };
    tokio::task::spawn_blocking(wait).await.map_err(io::Error::other)?
}

/// Takes the lock of the process that serves this folder.
pub(super) fn lock_for_serving(folder: &Path) -> Result<File, StoreError> {
    let path = folder.join("postern.lock");
    let doing = "lock the data folder";
    let file = lock_file(&path).map_err(engine(doing))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::InUse { path: path.display().to_string() })
        }
        Err(TryLockError::Error(error)) => Err(engine(doing)(error)),
    }
}

fn lock_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}
