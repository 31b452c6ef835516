//! Carries a guest's calls off its fiber.
//!
//! A guest is a fiber with a small stack of its own, and code that measures the
//! stack (a parser, a policy engine) finds itself outside of the thread's stack
//! there. So the port is polled beside the guest, never inside of it; while it
//! works, the guest is not polled and no time is charged.

use std::pin::pin;

use postern_domain::{HostCall, HostReply};
use tokio::sync::{mpsc, oneshot};

use crate::{BoxError, HostPort, PortError};

type Request = (HostCall, oneshot::Sender<Result<HostReply, PortError>>);

/// The guest's end.
pub(crate) struct Relay(mpsc::Sender<Request>);

/// The port's end.
pub(crate) struct Outside {
    port: Box<dyn HostPort>,
    requests: mpsc::Receiver<Request>,
}

/// The port's end is gone, which happens only when the invocation is over.
#[derive(Debug, thiserror::Error)]
#[error("the invocation is over")]
struct Over;

/// Both ends for a port.
pub(crate) fn relay(port: Box<dyn HostPort>) -> (Relay, Outside) {
    let (sender, requests) = mpsc::channel(1);
    (Relay(sender), Outside { port, requests })
}

impl Relay {
    /// Puts a call to the port and waits for what it says.
    pub(crate) async fn call(&self, call: HostCall) -> Result<HostReply, PortError> {
        let over = || PortError::Abort(Box::new(Over) as BoxError);
        let (answer, answered) = oneshot::channel();
        self.0.send((call, answer)).await.map_err(|_| over())?;
        answered.await.map_err(|_| over())?
    }
}

impl Outside {
    /// Runs the guest to its end and answers its calls meanwhile.
    pub(crate) async fn serve<F: Future>(&mut self, guest: F) -> F::Output {
        let mut guest = pin!(guest);
        loop {
            tokio::select! {
                biased;
                Some((call, answer)) = self.requests.recv() => {
                    // A guest that no longer waits has been stopped.
                    let _ = answer.send(self.port.call(call).await);
                }
                ended = &mut guest => return ended,
            }
        }
    }
}
