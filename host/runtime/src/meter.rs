//! Processor time of one invocation.
//!
//! An invocation is a future: while it is polled, its guest runs on the polling
//! thread, and that thread's own clock tells how long, without the time in which
//! another thread or process had the processor. The port is polled outside of it.
//!
//! Reading a thread's clock is a system call and costs ten times as much as the
//! clock on the wall, which is an upper bound: no guest uses more processor time
//! than passes while it is polled. So the cheap clock is charged for the first few
//! milliseconds of an invocation, which most never leave; one that goes on longer
//! is charged by its thread's clock from there on. Waiting for the processor is
//! thus charged for as much as [`ROUGH`] at most, and never more than a quarter of
//! the limit.

use std::{
    future::poll_fn,
    pin::pin,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};

/// How much of an invocation's time is measured roughly at most.
const ROUGH: Duration = Duration::from_millis(10);

/// The clocks that a meter reads, in nanoseconds since any moment.
pub(crate) trait Clocks {
    /// The clock on the wall.
    fn passed_ns(&self) -> u64;
    /// The processor time of the calling thread.
    fn thread_ns(&self) -> u64;
}

/// The machine's clocks.
#[derive(Debug)]
pub(crate) struct Machine(Instant);

impl Clocks for Machine {
    fn passed_ns(&self) -> u64 {
        nanoseconds(self.0.elapsed())
    }

    fn thread_ns(&self) -> u64 {
        let now = clock_gettime(ClockId::ThreadCPUTime);
        let ns = now.tv_sec.saturating_mul(1_000_000_000).saturating_add(now.tv_nsec);
        u64::try_from(ns).unwrap_or_default()
    }
}

/// Sums up processor time. Used by one thread at a time: the one that polls.
#[derive(Debug)]
pub(crate) struct Meter<C = Machine> {
    clocks: C,
    limit_ns: u64,
    /// How much is charged roughly at most.
    rough_ns: u64,
    spent_ns: AtomicU64,
    /// Whether the future is polled. Dropped while it waits, a guest's stack is
    /// unwound on any thread: what that takes is not charged, as nothing since the
    /// last poll is.
    running: AtomicBool,
    /// Whether the thread's clock is read.
    exact: AtomicBool,
    /// Both clocks at the point up to which everything is in `spent_ns`; that of
    /// the thread only while it is read.
    passed_since_ns: AtomicU64,
    thread_since_ns: AtomicU64,
}

impl Meter {
    /// A meter that has charged nothing yet.
    pub(crate) fn new(limit: Duration) -> Self {
        Self::with_clocks(limit, Machine(Instant::now()))
    }
}

impl<C: Clocks> Meter<C> {
    fn with_clocks(limit: Duration, clocks: C) -> Self {
        Self {
            clocks,
            limit_ns: nanoseconds(limit),
            rough_ns: nanoseconds(ROUGH.min(limit / 4)),
            spent_ns: AtomicU64::new(0),
            running: AtomicBool::new(false),
            exact: AtomicBool::new(false),
            passed_since_ns: AtomicU64::new(0),
            thread_since_ns: AtomicU64::new(0),
        }
    }

    fn resume(&self) {
        self.passed_since_ns.store(self.clocks.passed_ns(), Relaxed);
        if self.exact.load(Relaxed) {
            self.thread_since_ns.store(self.clocks.thread_ns(), Relaxed);
        }
        self.running.store(true, Relaxed);
    }

    fn pause(&self) {
        self.settle();
        self.running.store(false, Relaxed);
    }

    /// Charges what the running stretch used up to here.
    fn settle(&self) {
        if self.exact.load(Relaxed) {
            let thread_ns = self.clocks.thread_ns();
            let since_ns = self.thread_since_ns.swap(thread_ns, Relaxed);
            self.spent_ns.fetch_add(thread_ns.saturating_sub(since_ns), Relaxed);
            self.passed_since_ns.store(self.clocks.passed_ns(), Relaxed);
            return;
        }
        let passed_ns = self.clocks.passed_ns();
        let since_ns = self.passed_since_ns.swap(passed_ns, Relaxed);
        let spent_ns = self.spent_ns.load(Relaxed) + passed_ns.saturating_sub(since_ns);
        self.spent_ns.store(spent_ns.min(self.rough_ns), Relaxed);
        if spent_ns >= self.rough_ns {
            self.exact.store(true, Relaxed);
            self.thread_since_ns.store(self.clocks.thread_ns(), Relaxed);
        }
    }

    /// Whether the limit is reached. Outside of a charged poll it is not, and
    /// nothing is charged.
    pub(crate) fn is_used_up(&self) -> bool {
        if !self.running.load(Relaxed) {
            return false;
        }
        let passed_ns = self.clocks.passed_ns().saturating_sub(self.passed_since_ns.load(Relaxed));
        let at_most_ns = self.spent_ns.load(Relaxed).saturating_add(passed_ns);
        let enough_ns = if self.exact.load(Relaxed) { self.limit_ns } else { self.rough_ns };
        if at_most_ns < enough_ns {
            return false;
        }
        self.settle();
        self.spent_ns.load(Relaxed) >= self.limit_ns
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

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clocks that a test moves. The second counts how often it was read.
    #[derive(Default)]
    struct Fake {
        passed_ms: AtomicU64,
        thread_ms: AtomicU64,
        thread_reads: AtomicU64,
    }

    impl Clocks for &Fake {
        fn passed_ns(&self) -> u64 {
            self.passed_ms.load(Relaxed) * 1_000_000
        }

        fn thread_ns(&self) -> u64 {
            self.thread_reads.fetch_add(1, Relaxed);
            self.thread_ms.load(Relaxed) * 1_000_000
        }
    }

    impl Fake {
        /// The guest has the processor.
        fn work(&self, ms: u64) {
            self.thread_ms.fetch_add(ms, Relaxed);
            self.wait(ms);
        }

        /// Somebody else has it.
        fn wait(&self, ms: u64) {
            self.passed_ms.fetch_add(ms, Relaxed);
        }
    }

    fn meter(clocks: &Fake, limit_ms: u64) -> Meter<&Fake> {
        Meter::with_clocks(Duration::from_millis(limit_ms), clocks)
    }

    #[tokio::test]
    async fn a_short_call_costs_no_system_call_and_only_polls_are_charged() {
        let clocks = Fake::default();
        let meter = meter(&clocks, 500);
        clocks.work(200);
        meter
            .charge(async {
                clocks.work(4);
                assert!(!meter.is_used_up());
                tokio::task::yield_now().await;
                clocks.work(3);
            })
            .await;
        clocks.work(200);
        assert_eq!(meter.spent(), Duration::from_millis(7));
        assert_eq!(clocks.thread_reads.load(Relaxed), 0);
    }

    #[tokio::test]
    async fn waiting_for_the_processor_is_charged_for_a_moment_at_most() {
        let clocks = Fake::default();
        let meter = meter(&clocks, 500);
        meter
            .charge(async {
                clocks.wait(5_000);
                assert!(!meter.is_used_up());
                assert!(!meter.is_used_up());
                clocks.work(100);
                clocks.wait(5_000);
                assert!(!meter.is_used_up());
                tokio::task::yield_now().await;
                clocks.work(389);
                clocks.wait(5_000);
                assert!(!meter.is_used_up());
                clocks.work(1);
                assert!(meter.is_used_up());
            })
            .await;
        assert_eq!(meter.spent(), Duration::from_millis(500));
    }

    #[tokio::test]
    async fn a_small_limit_is_measured_exactly_all_the_sooner() {
        let clocks = Fake::default();
        let meter = meter(&clocks, 8);
        meter
            .charge(async {
                clocks.wait(50);
                assert!(!meter.is_used_up());
                clocks.work(5);
                assert!(!meter.is_used_up());
                clocks.work(1);
                assert!(meter.is_used_up());
            })
            .await;
    }

    #[tokio::test]
    async fn what_happens_between_polls_costs_nothing_also_if_it_asks() {
        let clocks = Fake::default();
        let meter = meter(&clocks, 500);
        let work = meter.charge(async {
            clocks.work(10);
            assert!(!meter.is_used_up());
            clocks.work(20);
        });
        work.await;
        clocks.work(5_000);
        assert!(!meter.is_used_up());
        assert_eq!(meter.spent(), Duration::from_millis(30));
        let more = meter.charge(async {
            clocks.work(470);
            assert!(meter.is_used_up());
        });
        more.await;
        assert_eq!(meter.spent(), Duration::from_millis(500));
    }

    #[test]
    fn a_thread_that_works_moves_its_clock() {
        let clocks = Machine(Instant::now());
        let (passed_ns, thread_ns) = (clocks.passed_ns(), clocks.thread_ns());
        while clocks.thread_ns() < thread_ns + 2_000_000 {
            std::hint::spin_loop();
        }
        assert!(clocks.passed_ns() >= passed_ns + 1_000_000);
    }
}
