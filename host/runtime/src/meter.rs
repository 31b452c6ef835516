//! Processor time of one invocation.
//!
//! An invocation is a future: while it is polled, its guest runs on the polling
//! thread, and that thread's own clock tells how long, without the time in which
//! another thread or process had the processor. The port is polled outside of it.

use std::{
    future::poll_fn,
    pin::pin,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

/// Sums up processor time. Used by one thread at a time: the one that polls.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    spent_ns: AtomicU64,
    /// Thread time at which the running stretch began.
    since_ns: AtomicU64,
}

fn thread_ns() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    let nanoseconds = now.tv_sec.saturating_mul(1_000_000_000).saturating_add(now.tv_nsec);
    u64::try_from(nanoseconds).unwrap_or_default()
}

impl Meter {
    fn resume(&self) {
        self.since_ns.store(thread_ns(), Relaxed);
    }

    fn pause(&self) {
        let stretch = thread_ns().saturating_sub(self.since_ns.load(Relaxed));
        self.spent_ns.fetch_add(stretch, Relaxed);
    }

    /// Time so far, asked from within a charged poll.
    pub(crate) fn running(&self) -> Duration {
        let stretch = thread_ns().saturating_sub(self.since_ns.load(Relaxed));
        self.spent() + Duration::from_nanos(stretch)
    }

    /// Time so far, asked between polls.
    pub(crate) fn spent(&self) -> Duration {
        Duration::from_nanos(self.spent_ns.load(Relaxed))
    }

    /// Polls `future` and charges for it.
    pub(crate) async fn charge<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|cx| {
            self.resume();
            let polled = future.as_mut().poll(cx);
            self.pause();
            polled
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uses the processor for at least this long.
    fn work(time: Duration) {
        let until = thread_ns() + u64::try_from(time.as_nanos()).unwrap();
        while thread_ns() < until {
            std::hint::spin_loop();
        }
    }

    #[tokio::test]
    async fn only_polls_are_charged() {
        let meter = Meter::default();
        work(Duration::from_millis(200));
        meter
            .charge(async {
                work(Duration::from_millis(4));
                tokio::task::yield_now().await;
                assert!(meter.running() >= Duration::from_millis(4));
                work(Duration::from_millis(4));
            })
            .await;
        let spent = meter.spent();
        assert!(spent >= Duration::from_millis(8), "{spent:?}");
        assert!(spent < Duration::from_millis(200), "{spent:?}");
    }
}
