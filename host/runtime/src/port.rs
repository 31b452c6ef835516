//! The one way from a skill to the host.

use async_trait::async_trait;
use postern_domain::{CallFailure, HostCall, HostReply, Timestamp};

use crate::BoxError;

/// Takes every host call of one invocation. The host's gate implements it.
///
/// The future is dropped when the invocation's wall-clock limit is reached: an
/// effect that must not be cut short runs in a task of its own.
#[async_trait]
pub trait HostPort: Send {
    /// Judges and performs one call. Calls of one invocation come one at a time.
    ///
    /// # Errors
    /// The invocation ends here, and the guest learns nothing of it. What the
    /// guest is told, a refusal too, is an answer and no error.
    async fn call(&mut self, call: HostCall) -> Result<Answered, PortError>;
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// What the guest is told. It may go on after a failure.
    pub answer: Result<HostReply, CallFailure>,
    /// When this was known. The guest's clocks move to it, and never back, so a
    /// call that is answered from a record must come with the recorded time.
    pub at: Timestamp,
}

/// Ends the invocation. Comes back as
/// [`InvokeError::Aborted`](crate::InvokeError::Aborted).
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct PortError(#[from] pub BoxError);

impl PortError {
    /// Ends the invocation for this reason.
    pub fn abort(reason: impl Into<BoxError>) -> Self {
        Self(reason.into())
    }
}
