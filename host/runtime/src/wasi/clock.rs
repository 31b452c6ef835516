//! Time as a guest sees it: the invocation's, which stands still while the guest
//! runs. It moves when the guest waits, which takes no time outside, and to the
//! time of each host call's outcome, which is recorded: so a run that is repeated
//! from its record shows the same times.

use std::{
    collections::BTreeMap,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use postern_domain::Timestamp;
use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime_wasi::p2::{
    DynPollable, Pollable,
    bindings::clocks::{
        monotonic_clock,
        wall_clock::{self, Datetime},
    },
    subscribe,
};

/// Both clocks of one invocation.
pub(super) struct Clock {
    start: Duration,
    time: Mutex<Time>,
}

#[derive(Default)]
struct Time {
    /// Nanoseconds since the start.
    now_ns: u64,
    /// How many waits there are for each moment.
    waits: BTreeMap<u64, u32>,
}

impl Clock {
    /// A clock that shows `now`; before 1970 it shows 1970, as WASI knows nothing
    /// earlier.
    pub(super) fn new(now: Timestamp) -> Self {
        let ms = u64::try_from(now.millis()).unwrap_or_default();
        Self { start: Duration::from_millis(ms), time: Mutex::default() }
    }

    fn time(&self) -> MutexGuard<'_, Time> {
        self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ns(&self) -> u64 {
        self.time().now_ns
    }

    /// Moves both clocks to `at`, unless they show that time or a later one.
    pub(super) fn move_to(&self, at: Timestamp) {
        let at_ms = u64::try_from(at.millis()).unwrap_or_default();
        let since_start = Duration::from_millis(at_ms).saturating_sub(self.start);
        let at_ns = u64::try_from(since_start.as_nanos()).unwrap_or(u64::MAX);
        let mut time = self.time();
        time.now_ns = time.now_ns.max(at_ns);
    }

    fn wall(&self) -> Datetime {
        let now = self.start.saturating_add(Duration::from_nanos(self.now_ns()));
        Datetime { seconds: now.as_secs(), nanoseconds: now.subsec_nanos() }
    }

    /// Ready at `at_ns`. Whatever else is waited for together with it goes first if
    /// it is ready or earlier; then time moves to `at_ns` at once.
    fn wait(self: Arc<Self>, at_ns: u64) -> impl Future<Output = ()> + Send {
        let wait = Registered::new(self, at_ns);
        let mut others_asked = false;
        poll_fn(move |cx| {
            if wait.is_over() || (others_asked && wait.pass()) {
                return Poll::Ready(());
            }
            others_asked = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }
}

/// A wait that others can see. It stays until its future is dropped, not only until
/// it is ready: later waits of the same poll must not be ready with it.
struct Registered {
    clock: Arc<Clock>,
    at_ns: u64,
}

impl Registered {
    fn new(clock: Arc<Clock>, at_ns: u64) -> Self {
        *clock.time().waits.entry(at_ns).or_default() += 1;
        Self { clock, at_ns }
    }

    fn is_over(&self) -> bool {
        self.at_ns <= self.clock.now_ns()
    }

    /// Moves time to this wait's moment, unless another's comes first.
    fn pass(&self) -> bool {
        let mut time = self.clock.time();
        let first = time.waits.first_key_value().is_none_or(|(at_ns, _)| self.at_ns <= *at_ns);
        if first {
            time.now_ns = time.now_ns.max(self.at_ns);
        }
        first
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut time = self.clock.time();
        if let Some(count) = time.waits.get_mut(&self.at_ns) {
            *count -= 1;
            if *count == 0 {
                time.waits.remove(&self.at_ns);
            }
        }
    }
}

/// What a guest can wait for.
struct Moment {
    clock: Arc<Clock>,
    at_ns: u64,
}

impl Pollable for Moment {
    fn ready<'life0, 'async_trait>(
        &'life0 mut self,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(Arc::clone(&self.clock).wait(self.at_ns))
    }
}

/// The clocks as the bindings want them.
pub(super) struct ClockView<'a> {
    pub(super) clock: &'a Arc<Clock>,
    pub(super) table: &'a mut ResourceTable,
}

/// Says that the bindings work on a [`ClockView`].
pub(super) struct Clocks;

impl HasData for Clocks {
    type Data<'a> = ClockView<'a>;
}

impl wall_clock::Host for ClockView<'_> {
    fn now(&mut self) -> wasmtime::Result<Datetime> {
        Ok(self.clock.wall())
    }

    fn resolution(&mut self) -> wasmtime::Result<Datetime> {
        Ok(Datetime { seconds: 0, nanoseconds: 1_000_000 })
    }
}

impl monotonic_clock::Host for ClockView<'_> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.clock.now_ns())
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1)
    }

    fn subscribe_instant(&mut self, at_ns: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let moment = self.table.push(Moment { clock: Arc::clone(self.clock), at_ns })?;
        subscribe(self.table, moment)
    }

    fn subscribe_duration(&mut self, ns: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let at_ns = self.clock.now_ns().saturating_add(ns);
        self.subscribe_instant(at_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of the waits are ready first, as `wasi:io/poll` would answer.
    async fn poll(clock: &Arc<Clock>, waits: &[u64]) -> Vec<usize> {
        let mut waits: Vec<_> =
            waits.iter().map(|at_ns| Box::pin(Arc::clone(clock).wait(*at_ns))).collect();
        poll_fn(|cx| {
            let mut ready = Vec::new();
            for (n, wait) in waits.iter_mut().enumerate() {
                if wait.as_mut().poll(cx).is_ready() {
                    ready.push(n);
                }
            }
            if ready.is_empty() { Poll::Pending } else { Poll::Ready(ready) }
        })
        .await
    }

    #[tokio::test]
    async fn time_moves_to_the_earliest_wait_and_no_further() {
        let clock = Arc::new(Clock::new(Timestamp::from_millis(1_500)));
        assert_eq!(poll(&clock, &[9_000, 1_000, 5_000, 1_000]).await, [1, 3]);
        assert_eq!(clock.now_ns(), 1_000);
        assert_eq!(poll(&clock, &[500, 5_000]).await, [0]);
        assert_eq!(clock.now_ns(), 1_000);
        assert_eq!(poll(&clock, &[u64::MAX]).await, [0]);
        assert_eq!(clock.now_ns(), u64::MAX);
        assert!(clock.time().waits.is_empty());
    }

    #[tokio::test]
    async fn time_moves_to_an_outcome_and_never_back() {
        let clock = Arc::new(Clock::new(Timestamp::from_millis(1_500)));
        clock.move_to(Timestamp::from_millis(1_750));
        let now = clock.wall();
        assert_eq!((now.seconds, now.nanoseconds), (1, 750_000_000));
        assert_eq!(clock.now_ns(), 250_000_000);
        for earlier in [1_600, 0, -1] {
            clock.move_to(Timestamp::from_millis(earlier));
            assert_eq!(clock.now_ns(), 250_000_000);
        }
        assert_eq!(poll(&clock, &[250_000_000, 300_000_000]).await, [0]);
        clock.move_to(Timestamp::from_millis(i64::MAX));
        assert_eq!(clock.now_ns(), u64::MAX);
    }

    #[test]
    fn the_wall_clock_shows_the_invocations_time() {
        let clock = Clock::new(Timestamp::from_millis(1_500));
        let now = clock.wall();
        assert_eq!((now.seconds, now.nanoseconds), (1, 500_000_000));
        assert_eq!(Clock::new(Timestamp::from_millis(-5)).wall().seconds, 0);
    }
}
