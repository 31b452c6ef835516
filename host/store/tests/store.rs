//! One suite for every engine of the store. A second engine implements
//! [`suite::Engine`] and is named below.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod suite;

use postern_store::SqliteStore;
use tempfile::TempDir;

struct Sqlite(TempDir);

impl suite::Engine for Sqlite {
    type Store = SqliteStore;

    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    async fn open(&self) -> SqliteStore {
        SqliteStore::open(self.0.path(), suite::CHAIN).await.unwrap()
    }
}

mod sqlite {
    crate::suite::tests!(super::Sqlite);
}
