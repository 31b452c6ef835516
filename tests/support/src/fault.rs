//! Faults that tests order from a stand-in.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};

use crate::server::HangUp;

/// Something that goes wrong with one request.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// It is answered after this time.
    Delay(Duration),
    /// It gets this answer and has no effect.
    Answer {
        /// The status.
        status: u16,
        /// The body.
        body: serde_json::Value,
    },
    /// The connection closes without an answer, and nothing has happened.
    HangUp,
    /// It takes effect, then the connection closes without an answer: the lost
    /// acknowledgement.
    HangUpAfter,
}

impl Fault {
    /// A bare failure with this status.
    pub fn status(status: u16) -> Self {
        Self::Answer { status, body: serde_json::json!({ "error": "injected" }) }
    }
}

/// Faults in the order in which requests will meet them, one each.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<VecDeque<Fault>>>);

impl Faults {
    /// The next `times` requests meet this fault.
    pub fn push(&self, fault: Fault, times: usize) {
        self.queue().extend(std::iter::repeat_n(fault, times));
    }

    /// No more faults.
    pub fn clear(&self) {
        self.queue().clear();
    }

    /// How many faults no request has met yet.
    pub fn pending(&self) -> usize {
        self.queue().len()
    }

    /// Answers a request with `act`, as the next fault has it.
    pub(crate) async fn around(&self, act: impl FnOnce() -> Response) -> Response {
        let fault = self.queue().pop_front();
        match fault {
            None => act(),
            Some(Fault::Delay(time)) => {
                tokio::time::sleep(time).await;
                act()
            }
            Some(Fault::Answer { status, body }) => {
                let status =
                    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                (status, Json(body)).into_response()
            }
            Some(Fault::HangUp) => HangUp.into_response(),
            Some(Fault::HangUpAfter) => {
                act();
                HangUp.into_response()
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Fault>> {
        // A queue of values is whole whatever its last user did.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
