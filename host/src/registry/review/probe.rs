//! What rules say to what a skill would do: one representative call for each wish.

use std::collections::{BTreeMap, BTreeSet};

use postern_domain::{
    Audience, Channel, Customer, Decision, Expected, HandOver, HostCall, HttpMethod, HttpRequest,
    IdentityLevel, Interface, Job, JobTime, LogLevel, LogLine, Manifest, ModelRequest, Obligation,
    Priority, RecordStep, Severity, Timestamp,
};
use postern_policy::{EndpointFacts, Facts, PolicyRequest, PolicySet, RecordFacts, Verdict};
use serde::Serialize;
use serde_json::json;

use crate::config::Config;

/// Customer, record and texts of every call that is tried out.
const CUSTOMER: &str = "customer";

/// What the rules in force say to something that a skill would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// What it would do, in words.
    pub what: String,
    /// Whether it may.
    pub answer: Answer,
    /// What has to happen first, or why it may not.
    pub because: Vec<String>,
    /// The rules that said so.
    pub rules: BTreeSet<String>,
    /// The tools in which it is so; none: in all.
    pub tools: Vec<String>,
}

/// What rules say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// It may.
    Permitted,
    /// It may when something has happened.
    After,
    /// It may not.
    Refused,
}

/// A call that is tried out.
struct Probe {
    what: String,
    call: HostCall,
    records: Vec<RecordFacts>,
    endpoint: Option<EndpointFacts>,
}

impl Probe {
    fn new(what: impl Into<String>, call: HostCall) -> Self {
        Self { what: what.into(), call, records: Vec::new(), endpoint: None }
    }
}

/// What the rules say to each wish of a manifest, for a customer who is identified.
pub(super) fn judge(manifest: &Manifest, config: &Config, rules: &PolicySet) -> Vec<Judged> {
    let mut lines = Vec::new();
    for probe in probes(manifest, config) {
        let mut answers: BTreeMap<(Answer, Vec<String>, BTreeSet<String>), Vec<String>> =
            BTreeMap::new();
        for tool in &manifest.tools {
            let verdict = rules.judge(&PolicyRequest {
                skill: &manifest.skill.id,
                version: &manifest.skill.version,
                publisher: &manifest.skill.publisher,
                tool: &tool.name,
                call: &probe.call,
                facts: &facts(&probe),
            });
            answers.entry(words(verdict)).or_default().push(tool.name.clone());
        }
        let alone = answers.len() == 1;
        lines.extend(answers.into_iter().map(|((answer, because, rules), tools)| Judged {
            what: probe.what.clone(),
            answer,
            because,
            rules,
            tools: if alone { Vec::new() } else { tools },
        }));
    }
    lines
}

fn words(verdict: Verdict) -> (Answer, Vec<String>, BTreeSet<String>) {
    let Verdict { decision, rules, obligations, reason } = verdict;
    let needed: Vec<String> = obligations
        .iter()
        .filter_map(|obligation| match obligation {
            Obligation::Confirm => Some("the customer's yes".to_owned()),
            Obligation::Identity { level } => Some(format!("a customer who is {level}")),
            Obligation::Approval { route } => Some(format!("approval by {route}")),
            Obligation::Limit { .. }
            | Obligation::MaxAmount { .. }
            | Obligation::Redact { .. }
            | Obligation::Notify { .. } => None,
        })
        .collect();
    let rules = rules.into_iter().collect();
    match decision {
        Decision::Allow => (Answer::Permitted, Vec::new(), rules),
        Decision::Deny | Decision::RequireApproval if needed.is_empty() => {
            (Answer::Refused, vec![reason], rules)
        }
        Decision::Deny | Decision::RequireApproval => (Answer::After, needed, rules),
    }
}

fn facts(probe: &Probe) -> Facts {
    Facts {
        channel: Channel::Web,
        private: true,
        agent: None,
        customer: Customer { key: Some(CUSTOMER.to_owned()), level: IdentityLevel::Identified },
        confirmed: false,
        approvals: BTreeSet::new(),
        taint: 0,
        tier: None,
        identify_failures: 0,
        now: Timestamp::default(),
        records: probe.records.clone(),
        endpoint: probe.endpoint.clone(),
        own_ticket: true,
        scheduled: false,
        used_up: BTreeSet::new(),
    }
}

/// The names of a list, or all that there are if nothing bounds them.
fn names<'a>(
    list: Option<&'a BTreeSet<String>>,
    all: impl Iterator<Item = &'a str>,
) -> BTreeSet<&'a str> {
    match list {
        Some(list) => list.iter().map(String::as_str).collect(),
        None => all.collect(),
    }
}

fn probes(manifest: &Manifest, config: &Config) -> Vec<Probe> {
    let mut found = Vec::new();
    let identifies = manifest.tools.iter().any(|tool| tool.identifies);
    for capability in &manifest.capabilities {
        let collections = || config.collections.iter().map(|(name, _)| name);
        match capability.interface {
            Interface::Records => {
                for name in names(capability.reads.as_ref(), collections()) {
                    found.push(read(name, config));
                    if identifies && config.collections.is_of_customers(name) {
                        let (collection, details) = (name.to_owned(), Vec::new());
                        let call = HostCall::RecordsIdentify { collection, details };
                        found.push(Probe::new(format!("find the customer among {name}"), call));
                    }
                }
                for name in names(capability.writes.as_ref(), collections()) {
                    found.push(write(name, config));
                }
            }
            Interface::Http => {
                let hosts = config.endpoints.values().filter_map(|it| it.url.host_str());
                for host in names(capability.hosts.as_ref(), hosts) {
                    found.extend(
                        [HttpMethod::Get, HttpMethod::Post]
                            .map(|method| request(manifest, config, host, method)),
                    );
                }
            }
            Interface::Knowledge => {
                for name in names(capability.reads.as_ref(), collections()) {
                    let collection = name.to_owned();
                    let call =
                        HostCall::KnowledgeSearch { query: String::new(), collection, limit: 1 };
                    found.push(Probe::new(format!("search in {name}"), call));
                }
            }
            Interface::Message => {
                let all = ["customer", "queue", "customers"].into_iter();
                for audience in names(capability.audiences.as_ref(), all) {
                    found.push(message(audience));
                }
            }
            other => found.extend(simple(other)),
        }
    }
    found
}

/// Calls that have no collection, server or audience.
fn simple(interface: Interface) -> Vec<Probe> {
    match interface {
        Interface::Log => {
            let line =
                LogLine { level: LogLevel::Info, message: String::new(), fields: Vec::new() };
            vec![Probe::new("write a log line", HostCall::Log { line })]
        }
        Interface::Kv => {
            let (key, value) = (CUSTOMER.to_owned(), Vec::new());
            vec![Probe::new("keep a value", HostCall::KvSet { key, value, ttl_s: 1 })]
        }
        Interface::Ticket => {
            let call = HostCall::TicketCreate { subject: String::new(), priority: Priority::P3 };
            vec![Probe::new("open a ticket", call)]
        }
        Interface::Handover => {
            let (reason, summary, severity) = (String::new(), String::new(), Severity::High);
            let request = HandOver { reason, severity, summary };
            vec![Probe::new("hand over to a person", HostCall::HandOver { request })]
        }
        Interface::Model => {
            let request =
                ModelRequest { purpose: String::new(), messages: Vec::new(), max_tokens: 1 };
            vec![Probe::new("ask the language model", HostCall::ModelComplete { request })]
        }
        Interface::Schedule => {
            let when = JobTime::Cron { expression: String::new() };
            let job = Job { tool: String::new(), arguments: json!({}), when };
            vec![Probe::new("have a tool run later", HostCall::ScheduleCreate { job })]
        }
        Interface::Records | Interface::Http | Interface::Knowledge | Interface::Message => {
            Vec::new()
        }
    }
}

fn record(name: &str, config: &Config) -> RecordFacts {
    let owned = config.collections.get(name).is_some_and(|it| it.owner.is_some());
    let key = if config.collections.is_of_customers(name) { CUSTOMER } else { "record" };
    RecordFacts {
        collection: name.to_owned(),
        key: Some(key.to_owned()),
        exists: true,
        owner: (owned || config.collections.is_of_customers(name)).then(|| CUSTOMER.to_owned()),
        ..RecordFacts::default()
    }
}

fn read(name: &str, config: &Config) -> Probe {
    let record = record(name, config);
    let key = record.key.clone().unwrap_or_default();
    let call = HostCall::RecordsGet { collection: name.to_owned(), key };
    Probe { records: vec![record], ..Probe::new(format!("read the customer's {name}"), call) }
}

fn write(name: &str, config: &Config) -> Probe {
    let has_amount = config.collections.get(name).is_some_and(|it| it.amount.is_some());
    let old = record(name, config);
    let record = RecordFacts {
        exists: false,
        owner: None,
        new_owner: old.owner,
        amount: has_amount.then_some(100),
        ..record(name, config)
    };
    let step = RecordStep::Put {
        collection: name.to_owned(),
        key: record.key.clone().unwrap_or_default(),
        body: json!({}),
        expected: Expected::Absent,
    };
    let moving = if has_amount { ", moving 1.00" } else { "" };
    let call = HostCall::RecordsWrite { steps: vec![step] };
    Probe {
        records: vec![record],
        ..Probe::new(format!("write one of the customer's {name}{moving}"), call)
    }
}

fn request(manifest: &Manifest, config: &Config, host: &str, method: HttpMethod) -> Probe {
    let found = config.endpoints.iter().find(|(_, it)| it.url.host_str() == Some(host));
    let grant = found.and_then(|(_, endpoint)| endpoint.grants.get(&manifest.skill.id));
    let request = HttpRequest {
        method,
        url: format!("https://{host}/"),
        headers: Vec::new(),
        body: Vec::new(),
        secrets: Vec::new(),
        idempotent: false,
    };
    let moves_money = method != HttpMethod::Get && grant.is_some_and(|it| it.amount.is_some());
    let endpoint = EndpointFacts {
        name: found.map(|(name, _)| name.clone()),
        host: host.to_owned(),
        port: 443,
        scheme: "https".to_owned(),
        path: "/".to_owned(),
        private: found.is_some_and(|(_, endpoint)| !endpoint.private.is_empty()),
        amount: moves_money.then_some(100),
        moves_money,
        irreversible: method != HttpMethod::Get && grant.is_some_and(|it| it.irreversible),
    };
    let moving = if moves_money { ", moving 1.00" } else { "" };
    let what = format!("{} to {host}{moving}", method.as_str());
    Probe { endpoint: Some(endpoint), ..Probe::new(what, HostCall::HttpSend { request }) }
}

fn message(audience: &str) -> Probe {
    let text = String::new();
    let (what, audience) = match audience {
        "queue" => ("write to a queue of people", Audience::Queue { name: CUSTOMER.to_owned() }),
        "customers" => (
            "write to customers who did not ask",
            Audience::Customers { keys: vec![CUSTOMER.to_owned()] },
        ),
        _ => ("write to the customer", Audience::Customer),
    };
    Probe::new(what, HostCall::MessageSend { audience, text })
}
