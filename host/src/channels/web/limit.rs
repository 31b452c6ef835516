//! How much one visitor may do: messages in a time, streams at a time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use postern_domain::Timestamp;

/// Messages that a visitor may send at once.
const BURST: i64 = 30;
/// Milliseconds after which one more is allowed.
const INTERVAL_MS: i64 = 500;
/// Visitors whose rate is remembered.
const MOST_VISITORS: usize = 10_000;
/// Streams of all visitors.
const MOST_STREAMS: usize = 1_000;
/// Streams of one visitor: a page in five windows.
const MOST_STREAMS_EACH: usize = 5;

/// Rates of visitors, as a token bucket in the form of GCRA (ITU-T I.371): for
/// each, the time at which the bucket is full again.
#[derive(Debug, Default)]
pub(super) struct Rates(HashMap<String, Timestamp>);

impl Rates {
    /// Takes one message from a visitor's allowance.
    ///
    /// # Errors
    /// It is used up; the number of whole seconds until it is not.
    pub(super) fn take(&mut self, visitor: &str, now: Timestamp) -> Result<(), u32> {
        let full_at = self.0.get(visitor).copied().unwrap_or(now).max(now);
        let wait_ms = full_at.millis_since(now) - (BURST - 1) * INTERVAL_MS;
        if wait_ms > 0 {
            return Err(seconds(wait_ms));
        }
        if self.0.len() >= MOST_VISITORS && !self.0.contains_key(visitor) {
            self.0.retain(|_, full_at| *full_at > now);
            if self.0.len() >= MOST_VISITORS {
                return Err(seconds(INTERVAL_MS));
            }
        }
        self.0.insert(visitor.to_owned(), full_at.plus_millis(INTERVAL_MS));
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
        let mut rates = Rates::default();
        for _ in 0..BURST {
            assert_eq!(rates.take("a", at(0)), Ok(()));
        }
        assert_eq!(rates.take("a", at(0)), Err(1));
        assert_eq!(rates.take("b", at(0)), Ok(()), "others have their own allowance");
        assert_eq!(rates.take("a", at(INTERVAL_MS)), Ok(()));
        assert_eq!(rates.take("a", at(INTERVAL_MS)), Err(1));
    }

    #[test]
    fn the_number_of_remembered_visitors_is_bounded() {
        let mut rates = Rates::default();
        for visitor in 0..MOST_VISITORS {
            assert_eq!(rates.take(&visitor.to_string(), at(0)), Ok(()));
        }
        assert_eq!(rates.take("new", at(0)), Err(1));
        assert_eq!(rates.take("new", at(INTERVAL_MS)), Ok(()), "idle ones are forgotten");
        assert_eq!(rates.0.len(), 1);
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
