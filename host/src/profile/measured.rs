//! What a component has used lately, from what the store keeps of its runs.

use std::collections::BTreeMap;

use postern_domain::{Digest, SkillFailure, SkillId};
use postern_store::{Store, StoreError, UseRow};
use serde::Serialize;

use crate::breaker::breaks;

/// Runs that are looked at.
pub const LAST_RUNS: u32 = 1_000;

/// What the last [`LAST_RUNS`] runs of a component used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Measured {
    /// How many runs there were.
    pub runs: usize,
    /// Microseconds from start to end, host calls included.
    pub took_us: Spread,
    /// Microseconds of processor time.
    pub cpu_us: Spread,
    /// Most bytes of linear memory that a run had.
    pub peak_memory_bytes: u64,
    /// Host calls, without log lines.
    pub host_calls: Spread,
    /// How many runs failed, by kind of failure.
    pub failures: BTreeMap<String, u64>,
    /// How many runs since the last one that held have trapped or reached a
    /// limit: what a breaker counts.
    pub failures_in_a_row: usize,
}

/// How a figure is spread over runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// Half of the runs needed no more.
    pub p50: u64,
    /// 99 of 100 runs needed no more.
    pub p99: u64,
    /// No run needed more.
    pub max: u64,
}

impl Spread {
    fn of(figures: impl Iterator<Item = u64>) -> Self {
        let mut sorted: Vec<u64> = figures.collect();
        sorted.sort_unstable();
        // By nearest rank: the smallest figure that so many of them do not exceed.
        let percentile = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100);
            sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
        };
        Self { p50: percentile(50), p99: percentile(99), max: percentile(100) }
    }
}

impl Measured {
    /// What a component of a skill has used.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn read(
        store: &dyn Store,
        skill: &SkillId,
        component: Digest,
    ) -> Result<Self, StoreError> {
        Ok(Self::of(&store.skill_use(skill, component, LAST_RUNS).await?))
    }

    /// What these runs used, of which the newest is the first.
    pub fn of(runs: &[UseRow]) -> Self {
        let failed = |run: &UseRow| run.failure.as_ref().is_some_and(breaks);
        let mut failures = BTreeMap::new();
        for failure in runs.iter().filter_map(|run| run.failure.as_ref()) {
            *failures.entry(kind(failure)).or_default() += 1;
        }
        Self {
            runs: runs.len(),
            took_us: Spread::of(runs.iter().map(|run| run.took_us)),
            cpu_us: Spread::of(runs.iter().map(|run| run.cpu_us)),
            peak_memory_bytes: runs.iter().map(|run| run.memory_bytes).max().unwrap_or_default(),
            host_calls: Spread::of(runs.iter().map(|run| run.host_calls.into())),
            failures,
            failures_in_a_row: runs.iter().take_while(|run| failed(run)).count(),
        }
    }
}

/// `trap`, `limit:memory`, `denied` …
fn kind(failure: &SkillFailure) -> String {
    match failure {
        SkillFailure::Limit { limit, .. } => format!("{}:{limit}", failure.code()),
        SkillFailure::InvalidArguments { .. }
        | SkillFailure::Denied { .. }
        | SkillFailure::Unavailable { .. }
        | SkillFailure::Internal { .. }
        | SkillFailure::Trap { .. } => failure.code().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(took_us: u64, failure: Option<SkillFailure>) -> UseRow {
        let host_calls = u32::try_from(took_us % 7).unwrap();
        UseRow { took_us, cpu_us: took_us / 2, memory_bytes: took_us * 10, host_calls, failure }
    }

    #[test]
    fn percentiles_are_those_of_nearest_rank() {
        let check = |figures: &[u64], p50, p99, max| {
            let spread = Spread::of(figures.iter().copied());
            assert_eq!(spread, Spread { p50, p99, max }, "{figures:?}");
        };
        check(&[], 0, 0, 0);
        check(&[7], 7, 7, 7);
        check(&[9, 1], 1, 9, 9);
        check(&[3, 1, 2], 2, 3, 3);
        check(&(1..=100).rev().collect::<Vec<_>>(), 50, 99, 100);
        check(&(1..=1_000).collect::<Vec<_>>(), 500, 990, 1_000);
    }

    #[test]
    fn runs_are_summed_up() {
        assert_eq!(Measured::of(&[]), Measured::default());
        let trap = || Some(SkillFailure::Trap { message: "unreachable".into() });
        let denied = || Some(SkillFailure::Denied { message: "no".into() });
        let limit = json!({"failure": "limit", "skill": "a", "limit": "memory", "value": "1 MiB"});
        let limit: SkillFailure = serde_json::from_value(limit).unwrap();
        let mut runs = vec![run(400, trap()), run(300, Some(limit)), run(200, denied())];
        runs.extend([run(100, trap()), run(50, None)]);
        let measured = Measured::of(&runs);
        assert_eq!(measured.runs, 5);
        assert_eq!(measured.took_us, Spread { p50: 200, p99: 400, max: 400 });
        assert_eq!(measured.cpu_us, Spread { p50: 100, p99: 200, max: 200 });
        assert_eq!(measured.peak_memory_bytes, 4_000);
        assert_eq!(measured.host_calls, Spread { p50: 2, p99: 6, max: 6 });
        // What the skill itself said ends the row.
        assert_eq!(measured.failures_in_a_row, 2);
        let failures: Vec<_> =
            measured.failures.iter().map(|(kind, number)| (kind.as_str(), *number)).collect();
        assert_eq!(failures, [("denied", 1), ("limit:memory", 1), ("trap", 2)]);
    }
}
