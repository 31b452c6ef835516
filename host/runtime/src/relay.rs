//! Carries a guest's calls off its fiber.
//!
//! A guest is a fiber with a small stack of its own, and code that measures the
//! stack (a parser, a policy engine) finds itself outside of the thread's stack
//! there. So the port is polled beside the guest, never inside of it; while it
//! works, the guest is not polled and no time is charged.
//!
//! Guest and port are polled by one task, in turns: the guest leaves its call here
//! and does not go on; the task finds it, lets the port answer, leaves the answer
//! and polls the guest again. So nobody needs to be woken.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use postern_domain::HostCall;

use crate::{Answered, HostPort, PortError};

/// Where a call waits for the port, and its answer for the guest.
#[derive(Debug, Default)]
pub(crate) struct Relay(Mutex<Slot>);

#[derive(Debug, Default)]
enum Slot {
    #[default]
    Empty,
    Asked(HostCall),
    Answered(Result<Answered, PortError>),
}

impl Relay {
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a call to the port and waits for what it says. To be awaited inside of
    /// the future that [`Relay::serve`] runs.
    pub(crate) async fn call(&self, call: HostCall) -> Result<Answered, PortError> {
        *self.slot() = Slot::Asked(call);
        poll_fn(|_| {
            let mut slot = self.slot();
            match std::mem::take(&mut *slot) {
                Slot::Answered(answer) => Poll::Ready(answer),
                // Polled for another reason, before the port was asked.
                unanswered => {
                    *slot = unanswered;
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// The call that waits for the port.
    fn asked(&self) -> Option<HostCall> {
        let mut slot = self.slot();
        match std::mem::take(&mut *slot) {
            Slot::Asked(call) => Some(call),
            other => {
                *slot = other;
                None
            }
        }
    }

    /// Runs the guest to its end and lets the port answer its calls meanwhile.
    pub(crate) async fn serve<F: Future>(&self, port: &mut dyn HostPort, guest: F) -> F::Output {
        enum Next<T> {
            Ended(T),
            Asked(HostCall),
        }
        let mut guest = pin!(guest);
        loop {
            let next = poll_fn(|cx| match guest.as_mut().poll(cx) {
                Poll::Ready(output) => Poll::Ready(Next::Ended(output)),
                Poll::Pending => {
                    self.asked().map_or(Poll::Pending, |call| Poll::Ready(Next::Asked(call)))
                }
            });
            match next.await {
                Next::Ended(output) => return output,
                Next::Asked(call) => {
                    let answer = port.call(call).await;
                    *self.slot() = Slot::Answered(answer);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use async_trait::async_trait;
    use postern_domain::{HostReply, Timestamp};

    use super::*;

    /// Answers at a time that counts its calls, after other tasks had their turn.
    struct Counting(i64);

    #[async_trait]
    impl HostPort for Counting {
        async fn call(&mut self, _: HostCall) -> Result<Answered, PortError> {
            tokio::task::yield_now().await;
            self.0 += 1;
            Ok(Answered { answer: Ok(HostReply::Done), at: Timestamp::from_millis(self.0) })
        }
    }

    /// Never answers.
    struct Silent;

    #[async_trait]
    impl HostPort for Silent {
        async fn call(&mut self, _: HostCall) -> Result<Answered, PortError> {
            std::future::pending().await
        }
    }

    fn get() -> HostCall {
        HostCall::KvGet { key: "k".into() }
    }

    #[tokio::test]
    async fn calls_are_answered_in_turn_also_between_yields() {
        let relay = Relay::default();
        let guest = async {
            let mut times = Vec::new();
            for _ in 0..3 {
                tokio::task::yield_now().await;
                times.push(relay.call(get()).await.unwrap().at.millis());
            }
            times
        };
        assert_eq!(relay.serve(&mut Counting(0), guest).await, [1, 2, 3]);
    }

    #[tokio::test]
    async fn a_call_that_was_given_up_leaves_nothing_for_the_next() {
        let relay = Relay::default();
        let mut silent = Silent;
        let unanswered = relay.serve(&mut silent, relay.call(get()));
        assert!(tokio::time::timeout(Duration::ZERO, unanswered).await.is_err());
        let answered = relay.serve(&mut Counting(6), relay.call(get())).await.unwrap();
        assert_eq!(answered.at.millis(), 7);
    }
}
