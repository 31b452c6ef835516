//! Cases: a request, the circumstances, and what the rules are to say.

use std::collections::{BTreeMap, BTreeSet};

use postern_domain::{
    Channel, Customer, Decision, HostCall, IdentityLevel, Obligation, RecordStep, SkillId,
    Timestamp,
};
use serde::Deserialize;

use crate::{EndpointFacts, Facts, PolicyRequest, PolicySet, PolicySource, RecordFacts, Verdict};

/// Cases of one file.
const MOST_CASES: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    case: Vec<Case>,
}

/// A request with what is expected. Its customers and records are made up.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows, as a claim.
    pub name: String,
    skill: SkillId,
    #[serde(default = "first_version")]
    version: semver::Version,
    #[serde(default = "postern")]
    publisher: String,
    #[serde(default)]
    tool: String,
    call: HostCall,
    #[serde(default = "web")]
    channel: Channel,
    #[serde(default = "yes")]
    private: bool,
    agent: Option<String>,
    customer: Option<String>,
    level: Option<IdentityLevel>,
    #[serde(default)]
    confirmed: bool,
    #[serde(default)]
    approvals: BTreeSet<String>,
    #[serde(default)]
    taint: u8,
    #[serde(default)]
    scheduled: bool,
    #[serde(default)]
    used_up: Vec<String>,
    tier: Option<String>,
    #[serde(default)]
    identify_failures: u32,
    #[serde(default = "yes")]
    own_ticket: bool,
    now_ms: Option<i64>,
    #[serde(default)]
    records: Vec<CaseRecord>,
    endpoint: Option<CaseEndpoint>,
    expect: Decision,
    rules: Vec<String>,
    #[serde(default)]
    duties: Vec<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseRecord {
    #[serde(default = "yes")]
    exists: bool,
    owner: Option<String>,
    new_owner: Option<String>,
    #[serde(default)]
    fields: BTreeMap<String, serde_json::Value>,
    amount: Option<i64>,
    #[serde(default)]
    changes_access: bool,
    #[serde(default)]
    changes_irreversibly: bool,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseEndpoint {
    name: Option<String>,
    host: String,
    path: String,
    #[serde(default)]
    private: bool,
    amount: Option<i64>,
    #[serde(default)]
    moves_money: bool,
    #[serde(default)]
    irreversible: bool,
}

fn yes() -> bool {
    true
}

fn first_version() -> semver::Version {
    semver::Version::new(0, 1, 0)
}

fn postern() -> String {
    "Postern".to_owned()
}

fn web() -> Channel {
    Channel::Web
}

/// The time of a case that names none: 2025-06-15T15:06:40Z.
const NOW_MS: i64 = 1_750_000_000_000;

/// A file of cases cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{file}: {reason}")]
pub struct CaseError {
    /// The file.
    pub file: String,
    /// What is wrong with it, with the place.
    pub reason: String,
}

/// A case that got something else than it expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What it expects: decision, rules, duties.
    pub expected: String,
    /// What it got.
    pub got: String,
    /// The verdict's own words.
    pub reason: String,
}

/// Reads a file of cases.
///
/// # Errors
/// It is no TOML of the known shape, or a case does not name the records that its
/// call is about.
pub fn read_cases(source: &PolicySource) -> Result<Vec<Case>, CaseError> {
    let wrong = |reason: String| CaseError { file: source.file.clone(), reason };
    let file: CaseFile = toml::from_str(&source.text).map_err(|error| wrong(error.to_string()))?;
    if file.case.len() > MOST_CASES {
        return Err(wrong(format!("{} cases; at most {MOST_CASES} a file", file.case.len())));
    }
    for case in &file.case {
        let (wanted, given) = (case.targets().len(), case.records.len());
        if wanted != given {
            return Err(wrong(format!(
                "{}: `records` must describe the {wanted} records of the call, in order; it has {given}",
                case.name
            )));
        }
    }
    Ok(file.case)
}

impl Case {
    /// What these rules say.
    pub fn judge(&self, set: &PolicySet) -> Verdict {
        set.judge(&PolicyRequest {
            skill: &self.skill,
            version: &self.version,
            publisher: &self.publisher,
            tool: &self.tool,
            call: &self.call,
            facts: &self.facts(),
        })
    }

    /// Whether these rules say what is expected: decision, rules and duties.
    ///
    /// # Errors
    /// They say something else.
    pub fn check(&self, set: &PolicySet) -> Result<(), Mismatch> {
        let verdict = self.judge(set);
        let (expected, got) = (self.expected(), told(&verdict));
        if expected == got {
            Ok(())
        } else {
            Err(Mismatch { expected, got, reason: verdict.reason })
        }
    }

    fn expected(&self) -> String {
        words(self.expect, self.rules.clone(), self.duties.clone())
    }

    /// The records that the call is about.
    fn targets(&self) -> Vec<(String, Option<String>)> {
        match &self.call {
            HostCall::RecordsGet { collection, key } => {
                vec![(collection.clone(), Some(key.clone()))]
            }
            HostCall::RecordsQuery { collection, .. } => vec![(collection.clone(), None)],
            HostCall::RecordsWrite { steps } => steps
                .iter()
                .map(RecordStep::target)
                .map(|(collection, key)| (collection.to_owned(), Some(key.to_owned())))
                .collect(),
            HostCall::Log { .. }
            | HostCall::RecordsIdentify { .. }
            | HostCall::HttpSend { .. }
            | HostCall::KvGet { .. }
            | HostCall::KvSet { .. }
            | HostCall::KvDelete { .. }
            | HostCall::TicketCreate { .. }
            | HostCall::TicketUpdate { .. }
            | HostCall::TicketTag { .. }
            | HostCall::TicketComment { .. }
            | HostCall::TicketHistory { .. }
            | HostCall::HandOver { .. }
            | HostCall::KnowledgeSearch { .. }
            | HostCall::ModelComplete { .. }
            | HostCall::MessageSend { .. }
            | HostCall::ScheduleCreate { .. }
            | HostCall::ScheduleCancel { .. } => Vec::new(),
        }
    }

    fn facts(&self) -> Facts {
        let records = self.targets().into_iter().zip(&self.records);
        let records = records.map(|((collection, key), record)| RecordFacts {
            collection,
            key,
            exists: record.exists,
            owner: record.owner.clone(),
            new_owner: record.new_owner.clone(),
            fields: record.fields.clone(),
            amount: record.amount,
            changes_access: record.changes_access,
            changes_irreversibly: record.changes_irreversibly,
        });
        let endpoint = self.endpoint.as_ref().map(|endpoint| EndpointFacts {
            name: endpoint.name.clone(),
            host: endpoint.host.clone(),
            port: 443,
            scheme: "https".into(),
            path: endpoint.path.clone(),
            private: endpoint.private,
            amount: endpoint.amount,
            moves_money: endpoint.moves_money,
            irreversible: endpoint.irreversible,
        });
        let claimed =
            self.customer.as_ref().map_or(IdentityLevel::Unknown, |_| IdentityLevel::Identified);
        Facts {
            channel: self.channel,
            private: self.private,
            agent: self.agent.clone(),
            customer: Customer { key: self.customer.clone(), level: self.level.unwrap_or(claimed) },
            confirmed: self.confirmed,
            approvals: self.approvals.clone(),
            taint: self.taint,
            tier: self.tier.clone(),
            identify_failures: self.identify_failures,
            now: Timestamp::from_millis(self.now_ms.unwrap_or(NOW_MS)),
            records: records.collect(),
            endpoint,
            own_ticket: self.own_ticket,
            scheduled: self.scheduled,
            used_up: self.used_up.iter().cloned().collect(),
        }
    }
}

/// A verdict as cases write it.
pub fn told(verdict: &Verdict) -> String {
    let duties = verdict.obligations.iter().map(Obligation::token).collect();
    words(verdict.decision, verdict.rules.clone(), duties)
}

fn words(decision: Decision, rules: Vec<String>, mut duties: Vec<String>) -> String {
    duties.sort_unstable();
    let mut words = format!("{} by {}", decision.as_str(), rules.join(", "));
    if !duties.is_empty() {
        let what = match decision {
            Decision::Allow => "with",
            Decision::Deny | Decision::RequireApproval => "lifted by",
        };
        words.push_str(&format!("; {what} {}", duties.join(", ")));
    }
    words
}
