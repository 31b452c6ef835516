//! How much one visitor may do: messages and proofs in a time, streams at a time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use postern_domain::Timestamp;

/// How many at once, and the milliseconds after which one more is allowed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    burst: i64,
    interval_ms: i64,
}

/// Messages of a visitor.
pub(super) const MESSAGES: Rate = Rate { burst: 30, interval_ms: 500 };
/// Tokens of a visitor, and those that name one customer.
pub(super) const PROOFS: Rate = Rate { burst: 10, interval_ms: 30_000 };
/// Refused tokens of a site that are written down.
pub(super) const REFUSALS: Rate = Rate { burst: 60, interval_ms: 1_000 };
/// Visitors whose rate is remembered.
const MOST_VISITORS: usize = 10_000;
/// Streams of all visitors.
const MOST_STREAMS: usize = 1_000;
/// Streams of one visitor: a page in five windows.
const MOST_STREAMS_EACH: usize = 5;

/// Rates of visitors, as a token bucket in the form of GCRA (ITU-T I.371): for
/// each, the time at which the bucket is full again.
#[derive(Debug)]
pub(super) struct Rates {
    rate: Rate,
    full_at: HashMap<String, Timestamp>,
}

impl Rates {
    /// Nobody has taken anything yet.
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, full_at: HashMap::new() }
    }

    /// Takes one from a visitor's allowance.
    ///
    /// # Errors
    /// It is used up; the number of whole seconds until it is not.
    pub(super) fn take(&mut self, visitor: &str, now: Timestamp) -> Result<(), u32> {
        let Rate { burst, interval_ms } = self.rate;
        let full_at = self.full_at.get(visitor).copied().unwrap_or(now).max(now);
        let wait_ms = full_at.millis_since(now) - (burst - 1) * interval_ms;
        if wait_ms > 0 {
            return Err(seconds(wait_ms));
        }
        if self.full_at.len() >= MOST_VISITORS && !self.full_at.contains_key(visitor) {
            self.full_at.retain(|_, full_at| *full_at > now);
            if self.full_at.len() >= MOST_VISITORS {
                return Err(seconds(interval_ms));
            }
        }
        self.full_at.insert(visitor.to_owned(), full_at.plus_millis(interval_ms));
        Ok(())
    }
}

fn seconds(ms: i64) -> u32 {
    u32::try_from((ms + 999) / 1_000).unwrap_or(u32::MAX)
}

/// Open streams.
#[derive(Debug, Default)]
pub(super) struct Streams(Mutex<HashMap<String, usize>>);

impl Streams {
    fn open(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more stream, if there is one. It is free again when it
    /// is dropped.
    pub(super) fn seat(self: &Arc<Self>, visitor: &str) -> Option<Seat> {
        let mut open = self.open();
        let own = open.get(visitor).copied().unwrap_or_default();
        if own >= MOST_STREAMS_EACH || open.values().sum::<usize>() >= MOST_STREAMS {
            return None;
        }
        open.insert(visitor.to_owned(), own + 1);
        Some(Seat { streams: Arc::clone(self), visitor: visitor.to_owned() })
    }
}

/// One open stream.
#[derive(Debug)]
pub(super) struct Seat {
    streams: Arc<Streams>,
    visitor: String,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.streams.open();
        match open.get_mut(&self.visitor) {
            Some(own) if *own > 1 => *own -= 1,
            Some(_) | None => {
                open.remove(&self.visitor);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn a_burst_passes_and_then_one_for_each_interval() {
        let Rate { burst, interval_ms } = MESSAGES;
        let mut rates = Rates::new(MESSAGES);
        for _ in 0..burst {
            assert_eq!(rates.take("a", at(0)), Ok(()));
        }
        assert_eq!(rates.take("a", at(0)), Err(1));
        assert_eq!(rates.take("b", at(0)), Ok(()), "others have their own allowance");
        assert_eq!(rates.take("a", at(interval_ms)), Ok(()));
        assert_eq!(rates.take("a", at(interval_ms)), Err(1));
    }

    #[test]
    fn the_number_of_remembered_visitors_is_bounded() {
        let mut rates = Rates::new(MESSAGES);
        for visitor in 0..MOST_VISITORS {
            assert_eq!(rates.take(&visitor.to_string(), at(0)), Ok(()));
        }
        assert_eq!(rates.take("new", at(0)), Err(1));
        assert_eq!(rates.take("new", at(MESSAGES.interval_ms)), Ok(()), "idle ones are forgotten");
        assert_eq!(rates.full_at.len(), 1);
    }

    #[test]
    fn streams_are_bounded_for_each_visitor_and_in_all() {
        let streams = Arc::new(Streams::default());
        let mut seats: Vec<_> =
            (0..MOST_STREAMS_EACH).map(|_| streams.seat("a").unwrap()).collect();
        assert!(streams.seat("a").is_none());
        seats.pop();
        seats.push(streams.seat("a").unwrap());
        seats.extend(
            (MOST_STREAMS_EACH..MOST_STREAMS).map(|n| streams.seat(&n.to_string()).unwrap()),
        );
        assert!(streams.seat("b").is_none());
        drop(seats);
        assert!(streams.open().is_empty());
    }
}
