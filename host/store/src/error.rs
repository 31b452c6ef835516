//! What can go wrong with a store.

use postern_domain::ConversationId;

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
