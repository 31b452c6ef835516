//! Whether an audit log is as it was written.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{AuditRow, Digest, Timestamp, digest_of};

/// Findings that are listed; further ones are only counted.
const MOST_FINDINGS: usize = 100;

/// The last row of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// The chain.
    pub chain: String,
    /// Number of its last row.
    pub number: u64,
    /// Hash of its last row.
    pub hash: Digest,
}

/// A signed statement of where all chains stood at a time. It ties the chains
/// together, and makes it visible when rows before it are cut off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Its place among the checkpoints, from 1.
    pub number: u64,
    /// When it was made.
    pub at: Timestamp,
    /// Where the chains stood, by name.
    pub heads: Vec<AuditHead>,
    /// Digest of the checkpoint before; all zeros for the first.
    pub previous: Digest,
    /// The Ed25519 key that signed, as 64 hexadecimal digits.
    pub public_key: String,
    /// The signature over [`Checkpoint::statement`], as 128 hexadecimal digits.
    pub signature: String,
}

impl Checkpoint {
    /// What is signed: everything but the signature.
    pub fn statement(&self) -> Digest {
        digest_of(&(
            "postern audit checkpoint",
            self.number,
            self.at,
            &self.heads,
            self.previous,
            &self.public_key,
        ))
    }

    /// What the next checkpoint refers to.
    pub fn digest(&self) -> Digest {
        digest_of(self)
    }
}

/// A row as it lies in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScannedRow {
    /// Its place in the store, growing.
    pub seq: i64,
    /// Its chain as stored.
    pub chain: String,
    /// Its number as stored.
    pub number: u64,
    /// The row; none if it cannot be read, or was not stored in this form.
    pub row: Option<AuditRow>,
}

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum AuditFinding {
    /// The content does not fit the hash.
    #[error("row {number} of {chain} was changed")]
    Changed {
        /// The chain.
        chain: String,
        /// The row.
        number: u64,
    },
    /// A number is missing.
    #[error("row {number} of {chain} is missing")]
    Missing {
        /// The chain.
        chain: String,
        /// The row.
        number: u64,
    },
    /// A row stands behind one with the same or a higher number.
    #[error("row {number} of {chain} is not in its place: it was moved or put in")]
    Misplaced {
        /// The chain.
        chain: String,
        /// The row.
        number: u64,
    },
    /// A row does not follow the one before it.
    #[error("row {number} of {chain} does not follow the row before it: one of them was replaced")]
    Unlinked {
        /// The chain.
        chain: String,
        /// The row.
        number: u64,
    },
    /// The end of a chain is gone or replaced.
    #[error(
        "{chain} ends with row {found}, but row {expected} was written: its end was cut off or replaced"
    )]
    Cut {
        /// The chain.
        chain: String,
        /// The last row that is there.
        found: u64,
        /// The last row that must be there.
        expected: u64,
    },
    /// Rows stand behind the recorded end of a chain.
    #[error("{chain} goes on to row {found}, but its recorded end is row {expected}")]
    Beyond {
        /// The chain.
        chain: String,
        /// The last row that is there.
        found: u64,
        /// The recorded end.
        expected: u64,
    },
    /// A row is not the one that a checkpoint saw.
    #[error("row {number} of {chain} is not the one that checkpoint {checkpoint} saw")]
    Replaced {
        /// The chain.
        chain: String,
        /// The row.
        number: u64,
        /// The checkpoint.
        checkpoint: u64,
    },
    /// A checkpoint's signature does not hold, or is another key's.
    #[error("checkpoint {number} is not signed by this host")]
    Unsigned {
        /// The checkpoint.
        number: u64,
    },
    /// A checkpoint is missing or does not follow the one before it.
    #[error("checkpoint {number} does not follow the one before it: one is missing or replaced")]
    CheckpointUnlinked {
        /// The checkpoint.
        number: u64,
    },
}

/// What a verification came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditReport {
    /// Rows that were looked at.
    pub rows: u64,
    /// Chains and their last rows.
    pub chains: BTreeMap<String, u64>,
    /// Checkpoints that were looked at.
    pub checkpoints: u64,
    /// When the last checkpoint was made.
    pub last_checkpoint: Option<Timestamp>,
    /// Rows behind the last checkpoint: no signature speaks for them yet.
    pub unsigned_rows: u64,
    /// What is wrong, at most 100.
    pub findings: Vec<AuditFinding>,
    /// How much is wrong.
    pub wrong: u64,
}

/// Looks at every row once, in the order of the store.
#[derive(Debug)]
pub struct AuditVerifier {
    /// By chain and number: hash and checkpoint.
    seen_then: BTreeMap<(String, u64), (Digest, u64)>,
    /// By chain: up to which row the last checkpoint speaks for it.
    signed: BTreeMap<String, u64>,
    /// By chain: last number, and its hash if that can still be known.
    ends: BTreeMap<String, (u64, Option<Digest>)>,
    report: AuditReport,
}

impl AuditVerifier {
    /// Starts with the checkpoints in order. `is_ours` says whether a signature
    /// holds and is this host's.
    pub fn new(checkpoints: &[Checkpoint], is_ours: impl Fn(&Checkpoint) -> bool) -> Self {
        let mut verifier = Self {
            seen_then: BTreeMap::new(),
            signed: BTreeMap::new(),
            ends: BTreeMap::new(),
            report: AuditReport {
                rows: 0,
                chains: BTreeMap::new(),
                checkpoints: checkpoints.len() as u64,
                last_checkpoint: checkpoints.last().map(|checkpoint| checkpoint.at),
                unsigned_rows: 0,
                findings: Vec::new(),
                wrong: 0,
            },
        };
        let (mut number, mut previous) = (1_u64, Digest::ZERO);
        for checkpoint in checkpoints {
            if !is_ours(checkpoint) {
                verifier.found(AuditFinding::Unsigned { number: checkpoint.number });
            }
            if (checkpoint.number, checkpoint.previous) != (number, previous) {
                verifier.found(AuditFinding::CheckpointUnlinked { number: checkpoint.number });
            }
            (number, previous) = (checkpoint.number.saturating_add(1), checkpoint.digest());
            for head in &checkpoint.heads {
                verifier
                    .seen_then
                    .entry((head.chain.clone(), head.number))
                    .or_insert((head.hash, checkpoint.number));
                verifier.signed.insert(head.chain.clone(), head.number);
            }
        }
        verifier
    }

    fn found(&mut self, finding: AuditFinding) {
        self.report.wrong += 1;
        if self.report.findings.len() < MOST_FINDINGS {
            self.report.findings.push(finding);
        }
    }

    /// Looks at the next row.
    pub fn row(&mut self, scanned: &ScannedRow) {
        self.report.rows += 1;
        let (chain, number) = (scanned.chain.clone(), scanned.number);
        if self.signed.get(&chain).is_none_or(|signed| number > *signed) {
            self.report.unsigned_rows += 1;
        }
        let (last, previous) = self.ends.get(&chain).copied().unwrap_or((0, Some(Digest::ZERO)));
        if number <= last {
            self.found(AuditFinding::Misplaced { chain, number });
            return;
        }
        for number in (last + 1..number).take(MOST_FINDINGS) {
            self.found(AuditFinding::Missing { chain: chain.clone(), number });
        }
        let intact = scanned.row.as_ref().filter(|row| row.is_intact());
        let Some(row) = intact else {
            let hash = scanned.row.as_ref().map(|row| row.hash);
            self.found(AuditFinding::Changed { chain: chain.clone(), number });
            self.ends.insert(chain, (number, hash));
            return;
        };
        if number == last + 1 && previous.is_some_and(|previous| row.previous != previous) {
            self.found(AuditFinding::Unlinked { chain: chain.clone(), number });
        }
        if let Some((hash, checkpoint)) = self.seen_then.remove(&(chain.clone(), number))
            && hash != row.hash
        {
            self.found(AuditFinding::Replaced { chain: chain.clone(), number, checkpoint });
        }
        self.ends.insert(chain, (number, Some(row.hash)));
    }

    /// What is wrong, now that all rows were looked at: they are compared with
    /// the recorded ends of the chains.
    pub fn finish(mut self, heads: Vec<AuditHead>) -> AuditReport {
        let ends = std::mem::take(&mut self.ends);
        let heads: BTreeMap<String, AuditHead> =
            heads.into_iter().map(|head| (head.chain.clone(), head)).collect();
        let mut cut = BTreeSet::new();
        for (chain, head) in &heads {
            let (found, hash) = ends.get(chain).copied().unwrap_or((0, Some(Digest::ZERO)));
            let (chain, expected) = (chain.clone(), head.number);
            if found > expected {
                self.found(AuditFinding::Beyond { chain, found, expected });
            } else if found < expected || hash.is_some_and(|hash| hash != head.hash) {
                cut.insert(chain.clone());
                self.found(AuditFinding::Cut { chain, found, expected });
            }
        }
        // Ends that only a checkpoint remembers: the recorded end was moved too.
        for ((chain, expected), _) in std::mem::take(&mut self.seen_then) {
            let found = ends.get(&chain).map_or(0, |(number, _)| *number);
            if found < expected && cut.insert(chain.clone()) {
                self.found(AuditFinding::Cut { chain, found, expected });
            }
        }
        for chain in ends.keys().filter(|chain| !heads.contains_key(*chain)) {
            let (found, expected) = (ends[chain].0, 0);
            self.found(AuditFinding::Beyond { chain: chain.clone(), found, expected });
        }
        self.report.chains = ends.into_iter().map(|(chain, (number, _))| (chain, number)).collect();
        self.report
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AuditEntry, AuditKind};

    fn rows(count: u64) -> Vec<ScannedRow> {
        let mut previous = Digest::ZERO;
        (1..=count)
            .map(|number| {
                let at = Timestamp::from_millis(0);
                let entry = AuditEntry::new(
                    at,
                    AuditKind::Operator,
                    "operator:cli",
                    "x",
                    number.to_string(),
                );
                let row = AuditRow::link("host-1", number, previous, entry);
                previous = row.hash;
                ScannedRow {
                    seq: i64::try_from(number).unwrap(),
                    chain: "host-1".into(),
                    number,
                    row: Some(row),
                }
            })
            .collect()
    }

    fn hash(rows: &[ScannedRow], number: usize) -> Digest {
        rows[number - 1].row.as_ref().unwrap().hash
    }

    fn head(rows: &[ScannedRow], number: usize) -> AuditHead {
        AuditHead { chain: "host-1".into(), number: number as u64, hash: hash(rows, number) }
    }

    fn checkpoint(number: u64, previous: Digest, head: AuditHead) -> Checkpoint {
        Checkpoint {
            number,
            at: Timestamp::from_millis(0),
            heads: vec![head],
            previous,
            public_key: String::new(),
            signature: "ours".into(),
        }
    }

    /// What is found in five rows with a checkpoint after the third, once
    /// somebody has been at them.
    fn check(wanted: &[&str], tamper: impl FnOnce(&mut Vec<ScannedRow>, &mut Vec<AuditHead>)) {
        let mut stored = rows(5);
        let checkpoints = [checkpoint(1, Digest::ZERO, head(&stored, 3))];
        let mut heads = vec![head(&stored, 5)];
        tamper(&mut stored, &mut heads);
        let mut verifier = AuditVerifier::new(&checkpoints, |c| c.signature == "ours");
        stored.iter().for_each(|row| verifier.row(row));
        let report = verifier.finish(heads);
        let found: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
        assert_eq!(found, wanted);
        assert_eq!(report.wrong as usize, wanted.len());
    }

    #[test]
    fn an_untouched_log_has_no_findings() {
        check(&[], |_, _| {});
    }

    #[test]
    fn a_changed_row_is_found() {
        check(&["row 2 of host-1 was changed"], |rows, _| {
            rows[1].row.as_mut().unwrap().entry.resource = "else".into();
        });
        check(&["row 4 of host-1 was changed"], |rows, _| rows[3].row = None);
    }

    #[test]
    fn a_removed_row_is_found() {
        check(&["row 2 of host-1 is missing"], |rows, _| {
            rows.remove(1);
        });
    }

    #[test]
    fn an_inserted_row_is_found() {
        check(&["row 3 of host-1 is not in its place: it was moved or put in"], |rows, _| {
            let copy = rows[2].clone();
            rows.insert(3, copy);
        });
    }

    #[test]
    fn reordered_rows_are_found() {
        check(
            &[
                "row 2 of host-1 is missing",
                "row 2 of host-1 is not in its place: it was moved or put in",
            ],
            |rows, _| rows.swap(1, 2),
        );
    }

    #[test]
    fn a_row_that_was_replaced_with_a_new_hash_is_found() {
        let wanted =
            ["row 3 of host-1 does not follow the row before it: one of them was replaced"];
        check(&wanted, |rows, _| {
            let mut entry = rows[1].row.clone().unwrap().entry;
            entry.resource = "else".into();
            rows[1].row = Some(AuditRow::link("host-1", 2, hash(rows, 1), entry));
        });
    }

    #[test]
    fn a_chain_that_was_written_anew_is_found_by_its_checkpoint() {
        check(&["row 3 of host-1 is not the one that checkpoint 1 saw"], |rows, heads| {
            let mut previous = Digest::ZERO;
            for scanned in rows.iter_mut() {
                let mut entry = scanned.row.clone().unwrap().entry;
                entry.detail = "another story".into();
                let row = AuditRow::link("host-1", scanned.number, previous, entry);
                previous = row.hash;
                scanned.row = Some(row);
            }
            *heads = vec![head(rows, 5)];
        });
    }

    #[test]
    fn a_cut_is_found_by_the_recorded_end_and_by_the_checkpoint() {
        let wanted =
            "host-1 ends with row 4, but row 5 was written: its end was cut off or replaced";
        check(&[wanted], |rows, _| rows.truncate(4));
        let wanted =
            "host-1 ends with row 2, but row 3 was written: its end was cut off or replaced";
        check(&[wanted], |rows, heads| {
            rows.truncate(2);
            *heads = vec![head(rows, 2)];
        });
        check(&[wanted.replace("row 2", "row 0").as_str()], |rows, heads| {
            rows.clear();
            heads.clear();
        });
    }

    #[test]
    fn rows_beyond_the_recorded_end_are_found() {
        check(&["host-1 goes on to row 5, but its recorded end is row 4"], |rows, heads| {
            *heads = vec![head(rows, 4)];
        });
        check(&["host-1 goes on to row 5, but its recorded end is row 0"], |_, heads| {
            heads.clear();
        });
    }

    #[test]
    fn checkpoints_are_a_signed_chain() {
        let stored = rows(5);
        let first = checkpoint(1, Digest::ZERO, head(&stored, 1));
        let second = checkpoint(2, first.digest(), head(&stored, 2));
        let third = checkpoint(3, second.digest(), head(&stored, 3));
        let findings = |checkpoints: &[Checkpoint]| {
            let heads = vec![head(&stored, 5)];
            let mut verifier = AuditVerifier::new(checkpoints, |c| c.signature == "ours");
            stored.iter().for_each(|row| verifier.row(row));
            verifier.finish(heads).findings
        };
        let all = [first.clone(), second.clone(), third.clone()];
        assert_eq!(findings(&all), []);
        let without = [first.clone(), third.clone()];
        assert_eq!(findings(&without), [AuditFinding::CheckpointUnlinked { number: 3 }]);
        let forged = Checkpoint { signature: "theirs".into(), ..third };
        assert_eq!(findings(&[first, second, forged]), [AuditFinding::Unsigned { number: 3 }]);
    }
}
