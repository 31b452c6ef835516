//! Generations of skills beside the active one: those under which interrupted
//! turns began, and one that did not load.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use postern_domain::Timestamp;
use tokio::sync::OnceCell;

use crate::{pipeline::after, registry::Loaded};

/// How many generations stay loaded for interrupted turns.
const KEPT: usize = 4;

/// How long a generation that did not load is left alone the first time.
const FIRST_WAIT: Duration = Duration::from_secs(10);
/// How long it is left alone at most, however often it did not load.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// Skills that are loaded or will be.
type Loading = Arc<OnceCell<Arc<Loaded>>>;

/// Generations that interrupted turns have asked for, the last one at the end.
#[derive(Default)]
pub(super) struct Pinned(Mutex<VecDeque<(u64, Loading)>>);

impl Pinned {
    /// The skills of a generation. Those who ask for one at the same time load it
    /// once; a failure is not kept.
    pub(super) async fn get<E>(
        &self,
        number: u64,
        load: impl Future<Output = Result<Loaded, E>>,
    ) -> Result<Arc<Loaded>, E> {
        let cell = self.cell(number);
        let loaded = cell.get_or_try_init(|| async { load.await.map(Arc::new) }).await?;
        Ok(Arc::clone(loaded))
    }

    fn cell(&self, number: u64) -> Loading {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(other, _)| *other == number);
        let cell = at.and_then(|at| kept.remove(at)).map(|(_, cell)| cell).unwrap_or_default();
        kept.push_back((number, Arc::clone(&cell)));
        if kept.len() > KEPT {
            kept.pop_front();
        }
        cell
    }
}

/// A generation that did not load, and when it is tried again: what kept it out,
/// such as a lack of memory, may pass by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    number: u64,
    at: Timestamp,
    wait: Duration,
}

impl Refused {
    /// A generation was refused now, and this one was before.
    pub(super) fn again(before: Option<Self>, number: u64, now: Timestamp) -> Self {
        let wait = match before {
            Some(before) if before.number == number => (before.wait * 2).min(LONGEST_WAIT),
            Some(_) | None => FIRST_WAIT,
        };
        Self { number, at: now, wait }
    }

    /// Whether this generation is left alone now. A clock that was set back does
    /// not prolong that.
    pub(super) fn rests(&self, number: u64, now: Timestamp) -> bool {
        number == self.number && (self.at..after(self.at, self.wait)).contains(&now)
    }

    /// How long it is left alone.
    pub(super) const fn wait(&self) -> Duration {
        self.wait
    }
}
