//! Everything that Postern keeps: one interface, [`Store`], and its engines.
//!
//! The interface speaks in domain types, and every change that belongs together
//! is one [`Commit`]: either all of it is durable or none of it. SQLite is the
//! engine of today; a second one implements the same trait and passes the same
//! tests.

mod api;
mod clean;
mod error;
mod form;
mod sql;
mod sqlite;

pub use api::{
    Accepted, Change, Commit, Committed, ConversationDetail, ConversationSummary, IndexedDocument,
    InvocationRow, Lease, Page, RecordWrite, SequencedMessage, Standing, Store, StoredRecord,
    TicketDetail, TurnRow, UnknownSend, UseRow, VaultHit, VaultTag, Work,
};
pub use clean::Clean;
pub use error::StoreError;
pub use sqlite::SqliteStore;
