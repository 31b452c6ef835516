//! Calls that are tried out for the decision table.

use std::collections::BTreeSet;

use postern_domain::{
    Audience, Expected, HandOver, HostCall, HttpMethod, HttpRequest, Job, JobTime, LogLevel,
    LogLine, ModelRequest, Priority, RecordStep, Severity, TicketChange, TicketId,
};
use serde_json::json;

use crate::{EndpointFacts, RecordFacts};

/// The customer of every call, and another one.
pub(super) const CUSTOMER: &str = "customer";
const ANOTHER: &str = "another";

/// The record of every call.
const KEY: &str = "record";

/// A call that is tried out.
pub(super) struct Probe {
    /// What it is, in words.
    pub(super) what: String,
    pub(super) call: HostCall,
    pub(super) records: Vec<RecordFacts>,
    pub(super) endpoint: Option<EndpointFacts>,
    pub(super) own_ticket: bool,
}

impl Probe {
    fn new(what: impl Into<String>, call: HostCall) -> Self {
        let what = what.into();
        Self { what, call, records: Vec::new(), endpoint: None, own_ticket: true }
    }
}

/// A call that asks for nothing.
pub(super) fn nothing() -> HostCall {
    HostCall::KvGet { key: KEY.to_owned() }
}

/// Every call, on each collection and each server that rules name. Of a collection
/// is known whether its records belong to customers.
pub(super) fn all(collections: &[(&str, bool)], endpoints: &BTreeSet<String>) -> Vec<Probe> {
    let mut all = own();
    for (collection, owned) in collections {
        all.extend(of_collection(collection, *owned));
    }
    for endpoint in endpoints {
        all.extend([HttpMethod::Get, HttpMethod::Post].map(|method| request(endpoint, method)));
        all.extend(payments(endpoint));
    }
    all
}

/// What has no collection and no server.
fn own() -> Vec<Probe> {
    let ticket = || TicketId::derive(&[KEY]);
    let line = LogLine { level: LogLevel::Info, message: String::new(), fields: Vec::new() };
    let hand_over = |severity| HostCall::HandOver {
        request: HandOver { reason: String::new(), severity, summary: String::new() },
    };
    let update = || HostCall::TicketUpdate { id: ticket(), change: TicketChange::default() };
    let send = |audience| HostCall::MessageSend { audience, text: String::new() };
    let customers = |keys: &[&str]| Audience::Customers {
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
    };
    let search =
        HostCall::KnowledgeSearch { query: String::new(), collection: KEY.to_owned(), limit: 1 };
    let model = ModelRequest { purpose: String::new(), messages: Vec::new(), max_tokens: 1 };
    let when = JobTime::Cron { expression: String::new() };
    let job = Job { tool: String::new(), arguments: json!({}), when };
    vec![
        Probe::new("write a log line", HostCall::Log { line }),
        Probe::new("read its own state", nothing()),
        Probe::new(
            "write its own state",
            HostCall::KvSet { key: KEY.to_owned(), value: Vec::new(), ttl_s: 1 },
        ),
        Probe::new(
            "open a ticket",
            HostCall::TicketCreate { subject: String::new(), priority: Priority::P3 },
        ),
        Probe::new("change the customer's ticket", update()),
        Probe { own_ticket: false, ..Probe::new("change another's ticket", update()) },
        Probe::new("read earlier tickets", HostCall::TicketHistory { limit: 1 }),
        Probe::new("ask for a person", hand_over(Severity::High)),
        Probe::new("raise an alarm", hand_over(Severity::Critical)),
        Probe::new("search in the knowledge base", search),
        Probe::new("ask the language model", HostCall::ModelComplete { request: model }),
        Probe::new("write to the customer", send(Audience::Customer)),
        Probe::new("write to one customer by key", send(customers(&[CUSTOMER]))),
        Probe::new("write to several customers", send(customers(&[CUSTOMER, ANOTHER]))),
        Probe::new("plan a tool", HostCall::ScheduleCreate { job }),
    ]
}

fn of_collection(collection: &str, owned: bool) -> Vec<Probe> {
    let owner = |name: &str| owned.then(|| name.to_owned());
    let record = |owned_by: &str| RecordFacts {
        collection: collection.to_owned(),
        key: Some(KEY.to_owned()),
        exists: true,
        owner: owner(owned_by),
        ..RecordFacts::default()
    };
    let new = |owned_by: &str| RecordFacts {
        exists: false,
        owner: None,
        new_owner: owner(owned_by),
        ..record(owned_by)
    };
    let existing = || RecordFacts { new_owner: owner(CUSTOMER), ..record(CUSTOMER) };
    let named = || collection.to_owned();
    let get = || HostCall::RecordsGet { collection: named(), key: KEY.to_owned() };
    let put = || RecordStep::Put {
        collection: named(),
        key: KEY.to_owned(),
        body: json!({}),
        expected: Expected::Absent,
    };
    let delete = || RecordStep::Delete { collection: named(), key: KEY.to_owned(), version: 1 };
    let write = |what: &str, steps: Vec<RecordStep>, records: Vec<RecordFacts>| Probe {
        records,
        ..Probe::new(format!("{what} `{collection}`"), HostCall::RecordsWrite { steps })
    };
    let read = |what: &str, call: HostCall, record: RecordFacts| Probe {
        records: vec![record],
        ..Probe::new(format!("{what} `{collection}`"), call)
    };
    let of = |amount| RecordFacts { amount: Some(amount), ..new(CUSTOMER) };
    let query = HostCall::RecordsQuery { collection: named(), conditions: Vec::new(), limit: 1 };
    let identify = HostCall::RecordsIdentify { collection: named(), details: Vec::new() };
    let mut probes = vec![
        read("read of", get(), record(CUSTOMER)),
        read("search in", query, RecordFacts { key: None, ..record(CUSTOMER) }),
        Probe::new(format!("identify the customer among `{collection}`"), identify),
        write("create, moving 1.00, in", vec![put()], vec![of(100)]),
        write("create, moving 1000000.00, in", vec![put()], vec![of(100_000_000)]),
        write("create, moving an unknown amount, in", vec![put()], vec![new(CUSTOMER)]),
        write("change in", vec![put()], vec![existing()]),
        write(
            "change access to an account in",
            vec![put()],
            vec![RecordFacts { changes_access: true, ..existing() }],
        ),
        write(
            "change what cannot be undone in",
            vec![put()],
            vec![RecordFacts { changes_irreversibly: true, ..existing() }],
        ),
        write("delete one of", vec![delete()], vec![record(CUSTOMER)]),
        write(
            "delete several of",
            vec![delete(), delete()],
            vec![record(CUSTOMER), record(CUSTOMER)],
        ),
    ];
    if owned {
        probes.push(read("read another customer's of", get(), record(ANOTHER)));
        probes.push(write("create for another customer in", vec![put()], vec![new(ANOTHER)]));
    }
    probes
}

fn request(endpoint: &str, method: HttpMethod) -> Probe {
    let request = HttpRequest {
        method,
        url: format!("https://{endpoint}.example/v1/x"),
        headers: Vec::new(),
        body: Vec::new(),
        secrets: Vec::new(),
        idempotent: false,
    };
    let known = EndpointFacts {
        name: Some(endpoint.to_owned()),
        host: format!("{endpoint}.example"),
        port: 443,
        scheme: "https".to_owned(),
        path: "/v1/x".to_owned(),
        private: false,
        amount: None,
        moves_money: false,
        irreversible: false,
    };
    let what = format!("{} /v1/x at `{endpoint}`", method.as_str());
    Probe { endpoint: Some(known), ..Probe::new(what, HostCall::HttpSend { request }) }
}

/// Requests that move money, or do what cannot be undone.
fn payments(endpoint: &str) -> Vec<Probe> {
    let known = |what: &str, change: fn(EndpointFacts) -> EndpointFacts| {
        let probe = request(endpoint, HttpMethod::Post);
        let what = format!("{}, {what}", probe.what);
        Probe { what, endpoint: probe.endpoint.map(change), ..probe }
    };
    vec![
        known("moving 1.00", |facts| EndpointFacts {
            amount: Some(100),
            moves_money: true,
            ..facts
        }),
        known("moving an unknown amount", |facts| EndpointFacts { moves_money: true, ..facts }),
        known("which cannot be undone", |facts| EndpointFacts { irreversible: true, ..facts }),
    ]
}
