//! What can go wrong with a store.

use postern_domain::{ConversationId, Timestamp};

/// Why a store did not do what it was asked. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else works on the conversation now.
    #[error("the lease of conversation {conversation} was lost")]
    Fenced {
        /// The conversation.
        conversation: ConversationId,
    },
    /// A record is not as the writer expected.
    #[error("record {collection}/{key} is not as expected: it has changed since it was read")]
    Conflict {
        /// The collection.
        collection: String,
        /// The key.
        key: String,
    },
    /// Somebody else has changed it first, or its time is over.
    #[error("{what} {id} is not as expected any more: read it again and decide anew")]
    Stale {
        /// What it is.
        what: &'static str,
        /// Which one.
        id: String,
    },
    /// There is not enough left of a limit.
    #[error(
        "limit {limit} is reached{}",
        .retry_at.map_or(": it never has room for as much".to_owned(), |at| format!("; try again at {at}"))
    )]
    LimitReached {
        /// Its name.
        limit: String,
        /// When there is enough again, if ever, should nothing else be taken.
        retry_at: Option<Timestamp>,
    },
    /// Another process uses the data folder.
    #[error("{path} is in use by another postern process; stop that one first")]
    InUse {
        /// The lock file.
        path: String,
    },
    /// The engine failed or is unreachable.
    #[error("the store failed while it tried to {doing}")]
    Engine {
        /// What was attempted.
        doing: &'static str,
        /// The engine's error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Something in the store does not have the form that we gave it.
    #[error("a stored {what} cannot be read")]
    Corrupt {
        /// What it is.
        what: &'static str,
        /// What the reader said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
