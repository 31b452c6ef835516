//! What a tool comes to.

/// What a tool came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer for the customer.
    Reply(String),
    /// Something is missing: ask the customer, then call again.
    Ask {
        /// Name of the missing argument.
        entity: String,
        /// The question for the customer.
        text: String,
    },
    /// A person should go on from here.
    HandOver {
        /// A short machine-readable reason: lower-case letters, digits, hyphens.
        reason: String,
        /// How soon.
        severity: Severity,
        /// What the customer is told meanwhile.
        text: String,
    },
    /// Finished, with nothing to tell.
    Done,
}

impl Outcome {
    /// An answer for the customer.
    pub fn reply(text: impl Into<String>) -> Self {
        Self::Reply(text.into())
    }

    /// A question for the argument `entity`.
    pub fn ask(entity: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Ask { entity: entity.into(), text: text.into() }
    }

    /// A wish for a person, and what the customer is told meanwhile.
    pub fn hand_over(
        reason: impl Into<String>,
        severity: Severity,
        text: impl Into<String>,
    ) -> Self {
        Self::HandOver { reason: reason.into(), severity, text: text.into() }
    }
}

/// Why a tool gave no outcome, as the host gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The arguments do not fit the tool.
    InvalidArguments(String),
    /// A call to the host was refused by policy.
    Denied(String),
    /// Something that the tool needs did not answer; a later call may succeed.
    Unavailable(String),
    /// The skill cannot go on.
    Internal(String),
}

/// How soon a person should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Some time.
    Low,
    /// In turn.
    Normal,
    /// Soon.
    High,
    /// Now.
    Critical,
}
