//! Why an invocation was stopped by the host.
//!
//! A host function can only end the guest with an error of the engine's type. The
//! true reason is kept in the state, where no layer in between can change it; the
//! error says no more than that there is one.

use crate::{BoxError, limits::Limit};

/// The reason.
#[derive(Debug)]
pub(crate) enum Halt {
    /// A limit was reached.
    Limit(Limit),
    /// The port wants no more of this invocation.
    Abort(BoxError),
}

/// Ends the guest; the reason is in the state.
#[derive(Debug, thiserror::Error)]
#[error("stopped by the host")]
pub(crate) struct Halted;

/// The port answered one call with the reply of another.
#[derive(Debug, thiserror::Error)]
#[error("the host answered {action} with a reply of another kind; this is a defect of the host")]
pub(crate) struct WrongReply {
    pub(crate) action: &'static str,
}
