//! Recorded decisions, judged again under proposed rules.

use std::collections::BTreeMap;

use postern_domain::{JournalEntry, SkillId, Timestamp};
use postern_policy::{Facts, PolicySet, Recorded, Simulation, simulate as judge};
use postern_store::{InvocationRow, Store, StoreError};

/// Calls that are read at a time.
const PAGE: u32 = 1_000;
/// Calls that are judged at most: they are in memory together.
const MOST_CALLS: usize = 200_000;

/// What came of judging again.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Simulated {
    /// What would change.
    #[serde(flatten)]
    pub simulation: Simulation,
    /// Calls of which the host did not keep what it knew, or whose skill is not
    /// installed any more.
    pub left_out: u64,
    /// Whether there were more calls than are judged at once.
    pub cut: bool,
}

/// Judges the calls since a time under both sets of rules. `publishers` says who
/// answers for each installed skill.
///
/// # Errors
/// The store fails.
pub async fn simulate(
    store: &dyn Store,
    current: &PolicySet,
    proposed: &PolicySet,
    publishers: &BTreeMap<SkillId, String>,
    since: Option<Timestamp>,
) -> Result<Simulated, StoreError> {
    let (mut recorded, mut left_out, mut cut) = (Vec::new(), 0, false);
    let mut after = None;
    'pages: loop {
        let page = store.judged_calls(after, PAGE).await?;
        let Some((_, last)) = page.last() else { break };
        after = Some((last.invocation.clone(), last.record.seq));
        for (row, entry) in page {
            if since.is_some_and(|since| entry.record.at < since) {
                continue;
            }
            if recorded.len() == MOST_CALLS {
                cut = true;
                break 'pages;
            }
            match as_recorded(row, entry, publishers) {
                Some(call) => recorded.push(call),
                None => left_out += 1,
            }
        }
    }
    Ok(Simulated { simulation: judge(current, proposed, &recorded), left_out, cut })
}

fn as_recorded(
    row: InvocationRow,
    entry: JournalEntry,
    publishers: &BTreeMap<SkillId, String>,
) -> Option<Recorded> {
    let facts: Facts = serde_json::from_value(entry.record.facts?).ok()?;
    Some(Recorded {
        publisher: publishers.get(&row.skill)?.clone(),
        version: row.version.parse().ok()?,
        skill: row.skill,
        tool: row.tool,
        call: entry.record.call,
        facts,
    })
}
