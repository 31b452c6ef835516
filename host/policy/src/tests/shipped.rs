//! The shipped policies as a whole.

use postern_domain::{
    Audience, Decision, HandOver, HttpMethod, HttpRequest, Job, JobTime, LogLevel, LogLine,
    ModelRequest, Priority, RecordStep, Severity, TicketChange, TicketId,
};

use super::*;
use crate::{EndpointFacts, RuleEffect};

/// One call of every kind, with facts that fit it, and whether the base rules
/// give it to every skill. A new kind of call does not compile without an answer.
fn every_call() -> Vec<(HostCall, Facts, bool)> {
    let ticket = TicketId::derive(&["t"]);
    let (get, record) = order("#W1", "ana");
    let query = RecordFacts { key: None, ..record.clone() };
    let request = HttpRequest {
        method: HttpMethod::Get,
        url: "https://carrier.example/v1/x".into(),
        headers: vec![],
        body: vec![],
        secrets: vec![],
        idempotent: true,
    };
    let line = LogLine { level: LogLevel::Info, message: "m".into(), fields: vec![] };
    let handover = HandOver { reason: "r".into(), severity: Severity::Normal, summary: "s".into() };
    let delete = RecordStep::Delete { collection: "orders".into(), key: "#W1".into(), version: 1 };
    let question = ModelRequest { purpose: "p".into(), messages: vec![], max_tokens: 1 };
    let when = JobTime::Cron { expression: "0 9 * * 1".into() };
    let job = Job { tool: "t".into(), arguments: serde_json::json!({}), when };
    let calls = [
        HostCall::Log { line },
        get,
        HostCall::RecordsQuery { collection: "orders".into(), conditions: vec![], limit: 1 },
        HostCall::RecordsWrite { steps: vec![delete] },
        HostCall::RecordsIdentify { collection: "users".into(), details: vec![] },
        HostCall::HttpSend { request },
        HostCall::KvGet { key: "k".into() },
        HostCall::KvSet { key: "k".into(), value: vec![], ttl_s: 1 },
        HostCall::KvDelete { key: "k".into() },
        HostCall::TicketCreate { subject: "s".into(), priority: Priority::P3 },
        HostCall::TicketUpdate { id: ticket.clone(), change: TicketChange::default() },
        HostCall::TicketTag { id: ticket.clone(), tag: "t".into() },
        HostCall::TicketComment { id: ticket, text: "t".into() },
        HostCall::TicketHistory { limit: 1 },
        HostCall::HandOver { request: handover },
        HostCall::KnowledgeSearch { query: "q".into(), collection: "help".into(), limit: 1 },
        HostCall::ModelComplete { request: question },
        HostCall::MessageSend { audience: Audience::Customer, text: "t".into() },
        HostCall::ScheduleCreate { job },
        HostCall::ScheduleCancel { id: "j".into() },
    ];
    let endpoint = EndpointFacts {
        name: Some("carrier".into()),
        host: "carrier.example".into(),
        port: 443,
        scheme: "https".into(),
        path: "/v1/x".into(),
        private: false,
        amount: None,
        moves_money: false,
        irreversible: false,
    };
    let of = |call: HostCall| {
        let (records, everybody) = match &call {
            HostCall::RecordsGet { .. } | HostCall::RecordsWrite { .. } => {
                (vec![record.clone()], false)
            }
            HostCall::RecordsQuery { .. } => (vec![query.clone()], false),
            HostCall::RecordsIdentify { .. }
            | HostCall::HttpSend { .. }
            | HostCall::KnowledgeSearch { .. }
            | HostCall::ModelComplete { .. }
            | HostCall::MessageSend { .. }
            | HostCall::ScheduleCreate { .. }
            | HostCall::ScheduleCancel { .. } => (vec![], false),
            HostCall::Log { .. }
            | HostCall::KvGet { .. }
            | HostCall::KvSet { .. }
            | HostCall::KvDelete { .. }
            | HostCall::TicketCreate { .. }
            | HostCall::TicketUpdate { .. }
            | HostCall::TicketTag { .. }
            | HostCall::TicketComment { .. }
            | HostCall::TicketHistory { .. }
            | HostCall::HandOver { .. } => (vec![], true),
        };
        let customer = if call.action() == "records:identify" {
            Customer::default()
        } else {
            identified("ana")
        };
        let endpoint = Some(endpoint.clone());
        (call, Facts { records, customer, endpoint, confirmed: true, ..facts() }, everybody)
    };
    calls.into_iter().map(of).collect()
}

#[test]
fn without_rules_every_call_is_denied() {
    let set = load("").unwrap();
    for (call, facts, _) in every_call() {
        let verdict = judge(&set, "order-status", "t", &call, &facts);
        assert_eq!(verdict.decision, Decision::Deny, "{}", call.action());
        assert_eq!(verdict.rules, ["default-deny"], "{}", call.action());
        assert!(verdict.obligations.is_empty());
        assert!(verdict.reason.contains("no rule permits order-status to"), "{}", verdict.reason);
    }
}

#[test]
fn a_skill_that_no_rule_names_gets_what_is_its_own_and_nothing_else() {
    let set = shipped();
    for (call, facts, everybody) in every_call() {
        let verdict = judge(&set, "unheard-of", "t", &call, &facts);
        let expected = if everybody { Decision::Allow } else { Decision::Deny };
        assert_eq!(verdict.decision, expected, "{}: {}", call.action(), verdict.reason);
    }
}

#[test]
fn every_rule_tells_people_why_it_is_there_and_what_to_do() {
    for rule in shipped().rules() {
        assert!(rule.doc.as_ref().is_some_and(|doc| doc.len() > 20), "{rule:?}");
        if rule.effect == RuleEffect::Forbid {
            let reason = &rule.annotations["reason"];
            assert!(reason.contains(':'), "{}: no next step in {reason:?}", rule.id);
        }
    }
}

#[test]
fn rules_know_their_file_and_line() {
    let set = shipped();
    let rule = set.rules().find(|rule| rule.id == "records-owner-only").unwrap();
    let text = std::fs::read_to_string(policies_folder().join(&rule.file)).unwrap();
    let line = text.lines().nth(rule.line as usize - 1).unwrap();
    assert_eq!((rule.file.as_str(), line), ("base.cedar", "@id(\"records-owner-only\")"));
    assert!(rule.doc.as_ref().unwrap().starts_with("Only the owner."));
}

#[test]
fn the_digest_depends_on_every_text_and_not_on_the_order_of_files() {
    let mut files = shipped_sources();
    let digest = shipped().digest();
    files.rules.reverse();
    let same = PolicySet::load(&files, &shop()).unwrap();
    assert_eq!(same.digest(), digest);
    assert_eq!(same.rules().collect::<Vec<_>>(), shipped().rules().collect::<Vec<_>>());
    let changed = |change: &dyn Fn(&mut PolicySources)| {
        let mut files = files.clone();
        change(&mut files);
        assert_ne!(PolicySet::load(&files, &shop()).unwrap().digest(), digest);
    };
    changed(&|files| files.rules[0].text.push_str("\n// more\n"));
    changed(&|files| files.limits.as_mut().unwrap().text.push_str("\n# more\n"));
    changed(&|files| files.approvals.as_mut().unwrap().text.push_str("\n# more\n"));
}
