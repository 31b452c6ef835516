//! Requests that were recorded, judged again under other rules.

use std::collections::{BTreeMap, BTreeSet};

use postern_domain::{HostCall, SkillId};
use serde::{Deserialize, Serialize};

use crate::{Facts, PolicyRequest, PolicySet, Verdict, told};

/// A request as it is kept beside a journal.
#[derive(Clone, Serialize, Deserialize)]
pub struct Recorded {
    /// The skill that called.
    pub skill: SkillId,
    /// Its version.
    pub version: semver::Version,
    /// Who answers for it.
    pub publisher: String,
    /// The tool that ran.
    pub tool: String,
    /// The call, in placeholders.
    pub call: HostCall,
    /// What the host knew.
    pub facts: Facts,
}

impl Recorded {
    /// What these rules say about it.
    pub fn judge(&self, set: &PolicySet) -> Verdict {
        set.judge(&PolicyRequest {
            skill: &self.skill,
            version: &self.version,
            publisher: &self.publisher,
            tool: &self.tool,
            call: &self.call,
            facts: &self.facts,
        })
    }
}

/// What other rules would change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Simulation {
    /// How many requests were judged.
    pub judged: u64,
    /// How many would be treated differently.
    pub different: u64,
    /// How: the most frequent first.
    pub changes: Vec<Change>,
}

/// Requests that would be treated differently in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The skill.
    pub skill: SkillId,
    /// The action.
    pub action: &'static str,
    /// What the rules say now: decision, rules, duties.
    pub before: String,
    /// What they would say.
    pub after: String,
    /// How many requests.
    pub count: u64,
    /// Of how many customers. Those whom nobody had identified are not counted.
    pub customers: u64,
}

/// Judges recorded requests under the rules in force and under proposed ones.
pub fn simulate<'r>(
    current: &PolicySet,
    proposed: &PolicySet,
    recorded: impl IntoIterator<Item = &'r Recorded>,
) -> Simulation {
    let mut all = Simulation::default();
    let mut changes: BTreeMap<_, (u64, BTreeSet<&str>)> = BTreeMap::new();
    for request in recorded {
        all.judged += 1;
        let (before, after) = (told(&request.judge(current)), told(&request.judge(proposed)));
        if before == after {
            continue;
        }
        all.different += 1;
        let of = (&request.skill, request.call.action(), before, after);
        let (count, customers) = changes.entry(of).or_default();
        *count += 1;
        customers.extend(request.facts.customer.key.as_deref());
    }
    all.changes = changes
        .into_iter()
        .map(|((skill, action, before, after), (count, customers))| Change {
            skill: skill.clone(),
            action,
            before,
            after,
            count,
            customers: customers.len() as u64,
        })
        .collect();
    all.changes.sort_by_key(|change| std::cmp::Reverse(change.count));
    all
}
