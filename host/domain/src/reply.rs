//! What the host answers to host calls.

use serde::{Deserialize, Serialize};

use crate::{Completion, Document, HttpResponse, Passage, Ticket};

/// What the host answers a call that it performed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum HostReply {
    /// Nothing to say.
    Done,
    /// A record.
    Document {
        /// The record.
        document: Document,
    },
    /// Records.
    Documents {
        /// In order of their keys.
        documents: Vec<Document>,
    },
    /// New versions, one for each step; 0 for a deleted record.
    Versions {
        /// The versions.
        versions: Vec<u64>,
    },
    /// The customer is identified.
    Identity {
        /// Key of the customer.
        key: String,
        /// The customer's record.
        document: Document,
    },
    /// A response of a server.
    Http {
        /// The response.
        response: HttpResponse,
    },
    /// A value, if there is one.
    Value {
        /// The value.
        value: Option<Vec<u8>>,
    },
    /// A ticket.
    Ticket {
        /// The ticket.
        ticket: Ticket,
    },
    /// Tickets.
    Tickets {
        /// Newest first.
        tickets: Vec<Ticket>,
    },
    /// The queue in which the conversation waits for a person.
    Queued {
        /// Its name.
        queue: String,
    },
    /// What the knowledge base has.
    Passages {
        /// The best first.
        passages: Vec<Passage>,
    },
    /// What a language model said.
    Completion {
        /// The answer.
        completion: Completion,
    },
    /// A message is on its way.
    Sent {
        /// To so many.
        recipients: u32,
    },
    /// A tool will run later.
    Scheduled {
        /// The job's name.
        id: String,
    },
}

/// What kind of thing went wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// Policy refused it.
    Denied,
    /// The arguments are not acceptable.
    Invalid,
    /// What it names does not exist.
    NotFound,
    /// What it names has changed.
    Conflict,
    /// A limit is used up.
    Limited,
    /// The other side did not answer.
    Unavailable,
    /// It may or may not have taken effect.
    Uncertain,
}

/// Whether the same call can succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// No.
    Never,
    /// At once, for instance after a new read.
    Now,
    /// After this many milliseconds.
    AfterMs(u32),
}

/// A call that did not happen, or whose result is not known; what a guest gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct CallFailure {
    /// What kind.
    pub kind: FailureKind,
    /// What was wrong, without personal data or secrets.
    pub message: String,
    /// Whether to try again.
    pub retry: Retry,
}

impl CallFailure {
    /// A failure of this kind, with the retry hint that the kind suggests.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        let retry = match kind {
            FailureKind::Conflict => Retry::Now,
            FailureKind::Unavailable => Retry::AfterMs(1_000),
            FailureKind::Denied
            | FailureKind::Invalid
            | FailureKind::NotFound
            | FailureKind::Limited
            | FailureKind::Uncertain => Retry::Never,
        };
        Self { kind, message: message.into(), retry }
    }

    /// The arguments are not acceptable.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Invalid, message)
    }
}
