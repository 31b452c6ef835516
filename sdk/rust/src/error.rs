//! What can go wrong in a skill.

use crate::Failure;

/// The result of everything that can fail in a skill.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Why a tool comes to no outcome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The arguments do not fit the tool.
    #[error("{0}")]
    InvalidArguments(String),
    /// A call to the host failed.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Something has another shape than the skill expects.
    #[error("{what}: {reason}")]
    Data {
        /// What was read or written, such as `record orders`.
        what: String,
        /// What is wrong with it, without its values.
        reason: String,
    },
    /// A setting has neither a value nor a default.
    #[error("setting `{0}` has no value; set it, or give it a default in the manifest")]
    MissingSetting(String),
    /// The tool needs an identified customer.
    #[error("the customer is not identified; the tool's manifest should ask for an identity")]
    NotIdentified,
    /// Something else does not answer; a later call may succeed.
    #[error("{0}")]
    Unavailable(String),
    /// The skill cannot go on.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// Whether policy refused the call.
    pub fn is_denied(&self) -> bool {
        self.is_host(HostErrorKind::Denied)
    }

    /// Whether the thing that the call names does not exist.
    pub fn is_not_found(&self) -> bool {
        self.is_host(HostErrorKind::NotFound)
    }

    /// Whether the host, or what stands behind it, did not answer or is not there.
    pub fn is_unavailable(&self) -> bool {
        self.is_host(HostErrorKind::Unavailable)
    }

    /// Whether the thing that the call names changed since it was read.
    pub fn is_conflict(&self) -> bool {
        self.is_host(HostErrorKind::Conflict)
    }

    fn is_host(&self, kind: HostErrorKind) -> bool {
        matches!(self, Self::Host(error) if error.kind == kind)
    }
}

/// A host call that did not happen, or whose result is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct HostError {
    /// What kind of thing went wrong.
    pub kind: HostErrorKind,
    /// What was wrong, without personal data or secrets.
    pub message: String,
    /// Whether the same call can succeed later.
    pub retry: Retry,
}

impl HostError {
    /// An error with the retry hint that its kind suggests.
    pub fn new(kind: HostErrorKind, message: impl Into<String>) -> Self {
        let retry = match kind {
            HostErrorKind::Conflict => Retry::Now,
            HostErrorKind::Unavailable => Retry::AfterMs(1_000),
            HostErrorKind::Denied
            | HostErrorKind::Invalid
            | HostErrorKind::NotFound
            | HostErrorKind::Limited
            | HostErrorKind::Uncertain => Retry::Never,
        };
        Self { kind, message: message.into(), retry }
    }
}

/// What kind of thing went wrong with a host call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostErrorKind {
    /// Policy refused it; the message names the rule and the next step.
    Denied,
    /// The arguments are not acceptable.
    Invalid,
    /// The thing that it names does not exist.
    NotFound,
    /// The thing changed since it was read: read it again.
    Conflict,
    /// A limit of the host is used up.
    Limited,
    /// The other side did not answer, or the host has no backend for it.
    Unavailable,
    /// It may or may not have taken effect; a person has been told.
    Uncertain,
}

/// Whether asking again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same call will fail again.
    Never,
    /// The same call may succeed at once, for instance after a new read.
    Now,
    /// The same call may succeed after this many milliseconds.
    AfterMs(u32),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::InvalidArguments(_) => Self::InvalidArguments(message),
            Error::Host(HostError { kind: HostErrorKind::Denied, .. }) => Self::Denied(message),
            Error::Host(HostError { retry: Retry::Now | Retry::AfterMs(_), .. })
            | Error::Unavailable(_) => Self::Unavailable(message),
            Error::Host(HostError { retry: Retry::Never, .. })
            | Error::Data { .. }
            | Error::MissingSetting(_)
            | Error::NotIdentified
            | Error::Internal(_) => Self::Internal(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: HostErrorKind, failure: fn(String) -> Failure) {
        let error = Error::from(HostError::new(kind, "why"));
        assert_eq!(Failure::from(error), failure("why".into()), "{kind:?}");
    }

    #[test]
    fn host_errors_become_failures_that_tell_whether_to_retry() {
        check(HostErrorKind::Denied, Failure::Denied);
        check(HostErrorKind::Conflict, Failure::Unavailable);
        check(HostErrorKind::Unavailable, Failure::Unavailable);
        check(HostErrorKind::NotFound, Failure::Internal);
        // An effect that may have happened must not be asked for again.
        check(HostErrorKind::Uncertain, Failure::Internal);
    }

    #[test]
    fn kinds_can_be_asked_for() {
        assert!(Error::from(HostError::new(HostErrorKind::Denied, "")).is_denied());
        assert!(Error::from(HostError::new(HostErrorKind::NotFound, "")).is_not_found());
        assert!(Error::from(HostError::new(HostErrorKind::Conflict, "")).is_conflict());
        assert!(!Error::Internal(String::new()).is_denied());
    }
}
