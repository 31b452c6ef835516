//! What all sessions of agents share: the host, how much each agent may do, and which
//! skills are active.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use postern_domain::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast::error::RecvError, watch};

use crate::{app::App, config::Agent, registry::Skills};

/// Calls of one agent that are worked on at the same time.
const MOST_AT_ONCE: usize = 16;
/// How often is looked for other skills.
const LOOK: Duration = Duration::from_secs(1);

/// What all sessions share.
pub(super) struct Desk {
    /// The host.
    pub(super) app: Arc<App>,
    /// Rings with each set of skills that becomes active: of another generation, or of the
    /// same one when it changes who is trusted.
    pub(super) skills: watch::Receiver<Arc<Skills>>,
    rates: Mutex<Rates>,
    places: HashMap<String, Arc<Semaphore>>,
}

/// Why a call has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TooMany {
    /// So many seconds until the next one.
    Rate(i64),
    /// Until one of those that are worked on has ended.
    AtOnce,
}

impl Desk {
    /// Opens it; it looks for other skills until the host stops.
    pub(super) fn open(app: &Arc<App>) -> Arc<Self> {
        let agents = app.config.agents.keys();
        let places = agents.map(|name| (name.clone(), Arc::new(Semaphore::new(MOST_AT_ONCE))));
        let (tell, skills) = watch::channel(app.skills());
        let (look, mut events) = (Arc::clone(app), app.events.subscribe());
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(LOOK);
            while !tell.is_closed() {
                tokio::select! {
                    _ = tick.tick() => {
                        let now = look.skills();
                        tell.send_if_modified(|told| {
                            let is_other = !Arc::ptr_eq(told, &now);
                            *told = now;
                            is_other
                        });
                    }
                    event = events.recv() => {
                        if matches!(event, Err(RecvError::Closed)) {
                            return;
                        }
                    }
                }
            }
        });
        Arc::new(Self {
            app: Arc::clone(app),
            skills,
            rates: Mutex::default(),
            places: places.collect(),
        })
    }

    /// An agent's settings, by its name.
    pub(super) fn agent(&self, name: &str) -> Option<&Agent> {
        self.app.config.agents.get(name)
    }

    /// A place for one more call of an agent, until it is dropped.
    pub(super) fn seat(&self, name: &str, agent: &Agent) -> Result<OwnedSemaphorePermit, TooMany> {
        let places = self.places.get(name).ok_or(TooMany::AtOnce)?;
        let seat = Arc::clone(places).try_acquire_owned().map_err(|_| TooMany::AtOnce)?;
        let now = self.app.clock.now();
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        rates.take(name, agent.calls_per_minute, now).map_err(TooMany::Rate)?;
        Ok(seat)
    }
}

/// How much of its rate each agent has taken, as a token bucket in the form of GCRA (ITU-T
/// I.371): the time at which the bucket is full again. There are only as many as agents.
#[derive(Debug, Default)]
struct Rates(BTreeMap<String, Timestamp>);

impl Rates {
    /// Takes one of the calls of a minute, which may come all at once.
    fn take(&mut self, name: &str, per_minute: u32, now: Timestamp) -> Result<(), i64> {
        let interval_ms = 60_000 / i64::from(per_minute.max(1));
        let full_at = self.0.get(name).copied().unwrap_or(now).max(now);
        let wait_ms = full_at.millis_since(now) - interval_ms * (i64::from(per_minute) - 1);
        if wait_ms > 0 {
            return Err((wait_ms + 999) / 1_000);
        }
        self.0.insert(name.to_owned(), full_at.plus_millis(interval_ms));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minutes_calls_may_come_at_once_and_no_more() {
        let mut rates = Rates::default();
        let at = Timestamp::from_millis;
        for _ in 0..3 {
            assert_eq!(rates.take("a", 3, at(0)), Ok(()));
        }
        assert_eq!(rates.take("a", 3, at(0)), Err(20));
        assert_eq!(rates.take("b", 3, at(0)), Ok(()), "agents have rates of their own");
        assert_eq!(rates.take("a", 3, at(20_000)), Ok(()));
        assert_eq!(rates.take("a", 3, at(20_000)), Err(20));
    }
}
