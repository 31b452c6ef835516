//! The one way from a skill to the host.

use async_trait::async_trait;
use postern_domain::{CallFailure, HostCall, HostReply};

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
    /// [`PortError::Refused`] goes to the guest, which may go on;
    /// [`PortError::Abort`] ends the invocation.
    async fn call(&mut self, call: HostCall) -> Result<HostReply, PortError>;
}

/// Why a call has no reply.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// The guest is told, and may go on.
    #[error(transparent)]
    Refused(CallFailure),
    /// The invocation ends here, and the guest learns nothing. Comes back as
    /// [`InvokeError::Aborted`](crate::InvokeError::Aborted).
    #[error(transparent)]
    Abort(BoxError),
}
