//! New versions of skills on trial: which conversations get one, and how a trial ends.
//!
//! A generation lists the version on trial and the share of conversations that get it.
//! The host compares what both versions do since then, and ends the trial with a new
//! generation: the new version for all, or the old one.

mod tend;

use postern_domain::{ConversationId, SkillFailure, Timestamp};
use postern_store::UseRow;
use serde::Serialize;

pub(crate) use tend::tend;
pub use tend::{CanaryError, measure, once};

use crate::{
    keys::MasterKey,
    registry::{Canary, CanaryRules},
};

/// Calls that say something about a version.
const LEAST_CALLS: u64 = 20;
/// Calls of a version that are looked at, however many its rules want.
const MOST_CALLS: u32 = 10_000;
/// Microseconds by which a slower version must be slower at least: what is shorter is
/// the machine's own.
const LEAST_SLOWER_US: u64 = 5_000;

/// Whether a conversation gets the new version. It is always the same answer, and a
/// larger share takes in all of a smaller one.
pub fn is_chosen(key: &MasterKey, conversation: &ConversationId, canary: &Canary) -> bool {
    let version = canary.installed.digest.hex();
    let drawn = key.derive("canary", &[conversation.as_str(), &version]);
    let number = drawn[..8].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    number % 1_000 < u64::from(canary.permille)
}

/// Whether a call failed so that a version is to blame for it. That it was refused, or
/// that somebody else did not answer, is not its failure.
pub const fn is_failure(failure: &SkillFailure) -> bool {
    match failure {
        SkillFailure::Trap { .. }
        | SkillFailure::Limit { .. }
        | SkillFailure::Internal { .. }
        // They fit its own schema, or it would not have been called.
        | SkillFailure::InvalidArguments { .. } => true,
        SkillFailure::Denied { .. } | SkillFailure::Unavailable { .. } => false,
    }
}

/// What calls of one version came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Runs {
    /// How many there were.
    pub calls: u64,
    /// How many of them failed.
    pub failed: u64,
    /// 95 of 100 that did not fail took no more microseconds.
    pub p95_us: u64,
}

impl Runs {
    /// What these runs came to.
    pub fn of(runs: &[UseRow]) -> Self {
        let has_failed = |run: &&UseRow| run.failure.as_ref().is_some_and(is_failure);
        let mut took: Vec<u64> =
            runs.iter().filter(|run| !has_failed(run)).map(|run| run.took_us).collect();
        took.sort_unstable();
        let rank = (took.len() * 95).div_ceil(100);
        Self {
            calls: runs.len() as u64,
            failed: (runs.len() - took.len()) as u64,
            p95_us: took.get(rank.saturating_sub(1)).copied().unwrap_or_default(),
        }
    }

    /// Of 100 calls so many failed, if there were as many calls as `of`.
    #[expect(clippy::cast_precision_loss, reason = "there are not that many calls")]
    fn failed_percent(&self, of: u64) -> f64 {
        if of == 0 { 0.0 } else { self.failed as f64 * 100.0 / of as f64 }
    }
}

/// What becomes of a trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "ruling", content = "why", rename_all = "snake_case")]
pub enum Ruling {
    /// It goes on.
    Wait(String),
    /// All conversations get the new version.
    Promote(String),
    /// All conversations get the old one.
    Abort(String),
}

/// Decides about a trial that began at `since`, from what both versions did.
pub fn judge(
    rules: &CanaryRules,
    since: Timestamp,
    now: Timestamp,
    (old, new): (&Runs, &Runs),
) -> Ruling {
    let wanted = u64::from(rules.calls.clamp(1, MOST_CALLS));
    let is_compared = old.calls >= LEAST_CALLS;
    // What failed until now is too much even if no other call fails until the version is
    // judged: nobody has to wait for that.
    let share = new.failed_percent(new.calls.max(wanted));
    let usual = if is_compared { old.failed_percent(old.calls) } else { 0.0 };
    if share > usual + rules.more_errors_percent {
        return Ruling::Abort(format!(
            "{} of {} calls failed, of the old version {} of {}",
            new.failed, new.calls, old.failed, old.calls
        ));
    }
    if new.calls < wanted {
        return Ruling::Wait(format!("{} of {wanted} calls", new.calls));
    }
    if is_compared && is_slower(rules, old, new) {
        return Ruling::Abort(format!(
            "95 of 100 calls took up to {} ms, of the old version {} ms",
            new.p95_us / 1_000,
            old.p95_us / 1_000
        ));
    }
    let seconds = now.millis_since(since) / 1_000;
    if seconds < i64::from(rules.seconds) {
        return Ruling::Wait(format!("{} of {} seconds", seconds.max(0), rules.seconds));
    }
    Ruling::Promote(format!("{} of {} calls failed in {seconds} s", new.failed, new.calls))
}

fn is_slower(rules: &CanaryRules, old: &Runs, new: &Runs) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "no call takes that long")]
    let slower = new.p95_us as f64 > old.p95_us as f64 * rules.slower;
    slower && new.p95_us > old.p95_us + LEAST_SLOWER_US
}

#[cfg(test)]
mod tests;
