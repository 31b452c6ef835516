//! The audit log after any number of crashes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail, ensure};
use postern_domain::{AuditEntry, AuditKind, AuditRow, Decision, Digest};

use super::{Calls, Known};

/// How the row of an intent ends.
const INTENDED: &str = "about to happen";

/// Each row follows the one before it in its chain.
pub(super) fn chains(rows: &[AuditRow]) -> Result<()> {
    let mut ends = BTreeMap::<&str, (u64, Digest)>::new();
    for row in rows {
        let (number, previous) = ends.entry(&row.chain).or_insert((0, Digest::ZERO));
        *number += 1;
        ensure!(row.is_intact(), "row {number} is not what was written: {row:?}");
        ensure!(
            row.number == *number && row.previous == *previous,
            "row {number} does not follow the one before: {row:?}"
        );
        *previous = row.hash;
    }
    Ok(())
}

/// Each call, invocation and turn was written down once. An effect has a row for
/// each try before that of its end, and a call that waited one for each wait.
pub(super) fn once_each(rows: &[AuditRow], known: &Known) -> Result<()> {
    let (mut ended, mut tried, mut run) = (Calls::new(), Calls::new(), BTreeSet::new());
    let (mut completed, mut waits) = (BTreeSet::new(), BTreeSet::new());
    for AuditRow { entry, .. } in rows {
        let new = match (entry.kind, &entry.invocation, entry.seq, &entry.turn) {
            (AuditKind::HostCall, Some(id), Some(seq), _) => {
                let call = (id.clone(), seq);
                if waits_for_somebody(entry) {
                    waits.insert((call, entry.detail.clone()))
                } else if entry.detail == INTENDED {
                    tried.insert(call.clone()) || !known.once.contains(&call)
                } else {
                    ended.insert(call)
                }
            }
            (AuditKind::Invocation, Some(id), None, _) => run.insert(id.clone()),
            (AuditKind::Turn, None, None, Some(turn)) => match entry.action.as_str() {
                "turn:complete" => completed.insert(turn.clone()),
                "turn:suspend" => true,
                _ => false,
            },
            // A delivery and a customer's proof have a row for each try, an
            // operator's act its own, and an approval one for each of its states.
            (AuditKind::Delivery | AuditKind::Operator | AuditKind::Identity, None, None, _)
            | (AuditKind::Approval | AuditKind::Operator, Some(_), Some(_), _) => true,
            _ => bail!("a row about nothing in particular: {entry:?}"),
        };
        ensure!(new, "written down twice: {entry:?}");
    }
    ensure!(ended == known.calls, "the audit log has other calls than the journal");
    ensure!(tried.is_subset(&ended), "an effect was tried and did not end");
    ensure!(completed == known.turns, "the audit log has other turns than the store");
    let with_calls: BTreeSet<_> = known.calls.iter().map(|(id, _)| id).collect();
    ensure!(with_calls.is_subset(&run.iter().collect()), "invocations are missing");
    Ok(())
}

fn waits_for_somebody(entry: &AuditEntry) -> bool {
    entry.verdict.as_ref().is_some_and(|verdict| verdict.decision == Decision::RequireApproval)
}
