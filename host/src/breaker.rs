//! Lets a skill rest that keeps breaking.
//!
//! A skill whose calls trap or reach limits several times in a row costs
//! machine time and gives customers nothing. Its breaker then opens: calls are
//! refused at once, until a rest is over and one call may try again. A try that
//! holds closes the breaker; one that breaks doubles the rest.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use postern_domain::{Digest, Outcome, SkillFailure, SkillId, Timestamp};
use serde::Serialize;

use crate::pipeline::after;

/// When a breaker opens and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerSettings {
    /// Calls that must break in a row.
    pub failures: u32,
    /// The first rest.
    pub rest: Duration,
    /// The longest rest, however often the tries break.
    pub longest_rest: Duration,
}

/// What a call says about its skill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The component answered, be it with a failure of its own.
    Held,
    /// It trapped or reached a limit.
    Broke,
    /// It did not come to run, or the host ended it.
    Untried,
}

impl Ended {
    /// What the result of a call says.
    pub fn of(result: &Result<Outcome, SkillFailure>) -> Self {
        match result {
            // The host had no room for the call, which is not the skill's doing:
            // a busy host must not put its skills to rest.
            Err(SkillFailure::Limit { limit, .. }) if NO_ROOM.contains(&limit.as_str()) => {
                Self::Untried
            }
            Err(failure) if breaks(failure) => Self::Broke,
            Ok(_) | Err(_) => Self::Held,
        }
    }
}

/// Limits that say that a call found no free slot.
const NO_ROOM: [&str; 2] = ["concurrent_calls", "skill_calls"];

/// Whether a failure is of the kind that a breaker counts: one that the
/// component did not answer with itself.
pub fn breaks(failure: &SkillFailure) -> bool {
    match failure {
        SkillFailure::Trap { .. } | SkillFailure::Limit { .. } => true,
        SkillFailure::InvalidArguments { .. }
        | SkillFailure::Denied { .. }
        | SkillFailure::Unavailable { .. }
        | SkillFailure::Internal { .. } => false,
    }
}

/// A call that was let through. It tells calls of one stretch from stragglers
/// of an earlier one, which say nothing new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the breaker must hear how the call ended"]
pub struct Pass(Option<u64>);

/// Why a call is refused: its skill rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{failures} calls in a row broke it; it is tried again at {until}")]
pub struct Resting {
    /// How many calls broke it in a row.
    pub failures: u32,
    /// When a call may try again.
    pub until: Timestamp,
}

/// What the end of a call changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// The skill rests from now on.
    Opened(Resting),
    /// It is in service again.
    Closed,
}

/// How a skill stands, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Standing {
    /// In service.
    Closed {
        /// How many calls broke it since the last one that held.
        failures: u32,
    },
    /// Calls are refused.
    Open {
        /// How many calls broke it in a row.
        failures: u32,
        /// When a call may try again.
        until: Timestamp,
    },
    /// The rest is over; the next call tries, or one is trying.
    HalfOpen {
        /// How many calls broke it in a row.
        failures: u32,
    },
}

impl Standing {
    /// Whether calls are refused, or all but one.
    pub const fn is_open(&self) -> bool {
        match self {
            Self::Closed { .. } => false,
            Self::Open { .. } | Self::HalfOpen { .. } => true,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed,
    Open {
        until: Timestamp,
    },
    /// One call tries. Should its end never be told, another one may try after
    /// `until`.
    Trying {
        until: Timestamp,
    },
}

/// How much longer than its limits allow a try may take, until it counts as lost.
const SLACK: Duration = Duration::from_secs(10);

/// Whether a wait of `most` at most, which ends at `until`, is over. It is so when
/// the end is too far away: then the clock was put back.
fn is_over(until: Timestamp, now: Timestamp, most: Duration) -> bool {
    now >= until || until > after(now, most)
}

/// The breaker of one skill.
#[derive(Clone, Debug)]
pub struct Breaker {
    settings: BreakerSettings,
    state: State,
    failures: u32,
    rest: Duration,
    /// Grows with each change of the state.
    stretch: u64,
}

impl Breaker {
    /// A closed breaker.
    pub fn new(settings: BreakerSettings) -> Self {
        let rest = settings.rest;
        Self { settings, state: State::Closed, failures: 0, rest, stretch: 0 }
    }

    /// Whether a call may run now that has a wall-clock limit of `wall`.
    ///
    /// # Errors
    /// The skill rests, or another call is trying.
    pub fn allow(&mut self, wall: Duration, now: Timestamp) -> Result<Pass, Resting> {
        // It may wait for a place, and then run, for as long as its limit says.
        let patience = self.rest.max(wall.saturating_mul(2).saturating_add(SLACK));
        let longest = self.settings.longest_rest;
        let (until, most) = match self.state {
            State::Closed => return Ok(Pass(Some(self.stretch))),
            State::Open { until } => (until, longest),
            State::Trying { until } => (until, longest.max(patience)),
        };
        if !is_over(until, now, most) {
            return Err(Resting { failures: self.failures, until });
        }
        self.enter(State::Trying { until: after(now, patience) });
        Ok(Pass(Some(self.stretch)))
    }

    /// Lets a call through that has begun before and must come to its end. While
    /// the breaker is open, its end changes nothing.
    pub fn resume(&self) -> Pass {
        match self.state {
            State::Closed => Pass(Some(self.stretch)),
            State::Open { .. } | State::Trying { .. } => Pass(None),
        }
    }

    /// Takes the end of a call into account.
    pub fn ended(&mut self, pass: Pass, now: Timestamp, ended: Ended) -> Option<Turned> {
        if pass.0 != Some(self.stretch) {
            return None;
        }
        match (self.state, ended) {
            (State::Closed, Ended::Held) => {
                self.failures = 0;
                None
            }
            (State::Closed, Ended::Broke) => {
                self.failures += 1;
                (self.failures >= self.settings.failures).then(|| self.open(now))
            }
            (State::Trying { .. }, Ended::Held) => {
                self.failures = 0;
                self.rest = self.settings.rest;
                self.enter(State::Closed);
                Some(Turned::Closed)
            }
            (State::Trying { .. }, Ended::Broke) => {
                self.failures = self.failures.saturating_add(1);
                self.rest = self.rest.saturating_mul(2).min(self.settings.longest_rest);
                Some(self.open(now))
            }
            (State::Trying { .. }, Ended::Untried) => {
                self.enter(State::Open { until: now });
                None
            }
            // While it is open nobody has a pass of this stretch.
            (State::Closed, Ended::Untried) | (State::Open { .. }, _) => None,
        }
    }

    /// How the skill stands.
    pub fn standing(&self, now: Timestamp) -> Standing {
        let failures = self.failures;
        match self.state {
            State::Closed => Standing::Closed { failures },
            State::Open { until } if !is_over(until, now, self.settings.longest_rest) => {
                Standing::Open { failures, until }
            }
            State::Open { .. } | State::Trying { .. } => Standing::HalfOpen { failures },
        }
    }

    fn open(&mut self, now: Timestamp) -> Turned {
        let until = after(now, self.rest);
        self.enter(State::Open { until });
        Turned::Opened(Resting { failures: self.failures, until })
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.stretch += 1;
    }
}

/// The breakers of all skills of a host. They know nothing after a restart, and
/// a new component starts with a closed one.
#[derive(Debug)]
pub struct Breakers {
    settings: BreakerSettings,
    by_skill: Mutex<BTreeMap<(SkillId, Digest), Breaker>>,
}

impl Breakers {
    /// Breakers that are all closed.
    pub fn new(settings: BreakerSettings) -> Self {
        Self { settings, by_skill: Mutex::default() }
    }

    /// Whether a call of a skill may run now; see [`Breaker::allow`].
    ///
    /// # Errors
    /// The skill rests, or another call is trying.
    pub fn allow(
        &self,
        skill: &SkillId,
        digest: Digest,
        wall: Duration,
        now: Timestamp,
    ) -> Result<Pass, Resting> {
        self.with(skill, digest, |breaker| breaker.allow(wall, now))
    }

    /// A pass for a call that has begun before; see [`Breaker::resume`].
    pub fn resume(&self, skill: &SkillId, digest: Digest) -> Pass {
        self.with(skill, digest, |breaker| breaker.resume())
    }

    /// Takes the end of a call into account; see [`Breaker::ended`].
    pub fn ended(
        &self,
        skill: &SkillId,
        digest: Digest,
        pass: Pass,
        now: Timestamp,
        ended: Ended,
    ) -> Option<Turned> {
        self.with(skill, digest, |breaker| breaker.ended(pass, now, ended))
    }

    /// How a skill stands.
    pub fn standing(&self, skill: &SkillId, digest: Digest, now: Timestamp) -> Standing {
        self.with(skill, digest, |breaker| breaker.standing(now))
    }

    /// Forgets all components but these, so that what is kept is bounded by what
    /// is installed.
    pub fn keep_only(&self, active: &BTreeSet<(SkillId, Digest)>) {
        let mut by_skill = self.by_skill.lock().unwrap_or_else(PoisonError::into_inner);
        by_skill.retain(|key, _| active.contains(key));
    }

    fn with<T>(&self, skill: &SkillId, digest: Digest, work: impl FnOnce(&mut Breaker) -> T) -> T {
        // No code that can panic runs under the lock, and a state is whole
        // between any two of its statements.
        let mut by_skill = self.by_skill.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (skill.clone(), digest);
        work(by_skill.entry(key).or_insert_with(|| Breaker::new(self.settings)))
    }
}

#[cfg(test)]
mod tests;
