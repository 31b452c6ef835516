//! What rules can read of a call.

use postern_domain::{
    Audience, Condition, Decision, Expected, HandOver, HttpMethod, HttpRequest, Job, JobTime,
    LogLevel, LogLine, ModelMessage, ModelRequest, ModelRole, Priority, RecordStep, Severity,
    TicketChange, TicketId, TicketStatus,
};
use serde_json::json;

use super::*;
use crate::EndpointFacts;

fn allowed(rules: &str, call: &HostCall, facts: &Facts) -> bool {
    let set = load(rules).unwrap_or_else(|e| panic!("{rules}\n{e:?}"));
    judge(&set, "order-status", "t", call, facts).decision == Decision::Allow
}

#[test]
fn rules_can_read_who_calls_and_when() {
    let call = HostCall::KvGet { key: "k".into() };
    let when = |condition: &str| {
        format!(
            "@id(\"a\") permit (principal, action == Action::\"kv:get\", resource) when {{ {condition} }};"
        )
    };
    for condition in [
        "principal.version == \"0.1.0\" && principal.publisher == \"Postern\"",
        "context.tool == \"t\"",
        "context.now_ms == 1750000000000",
        "context.conversation.channel == Channel::\"web\" && context.conversation.private",
        "context.customer.level == IdentityLevel::\"unknown\" && !(context.customer has key)",
        "context.customer.failed_attempts == 0",
        "resource.skill == Skill::\"order-status\"",
    ] {
        assert!(allowed(&when(condition), &call, &facts()), "{condition}");
    }
}

#[test]
fn rules_can_read_the_arguments_that_the_schema_names() {
    let check = |action: &str, condition: &str, call: HostCall, facts: Facts| {
        let rule = |condition: &str| {
            format!(
                "@id(\"a\") permit (principal, action == Action::\"{action}\", resource) when {{ {condition} }};"
            )
        };
        assert!(allowed(&rule(condition), &call, &facts), "{action}: {condition}");
        assert!(
            !allowed(&rule(&format!("!({condition})")), &call, &facts),
            "{action}: {condition}"
        );
    };
    let line = LogLine {
        level: LogLevel::Warn,
        message: "four".into(),
        fields: vec![("a".into(), "b".into())],
    };
    check(
        "log:write",
        "context.arguments.level == LogLevel::\"warn\" && context.arguments.bytes == 6",
        HostCall::Log { line },
        facts(),
    );
    let query = HostCall::RecordsQuery {
        collection: "orders".into(),
        conditions: vec![Condition { field: "user_id".into(), value: "ana".into() }],
        limit: 7,
    };
    let whole = RecordFacts { collection: "orders".into(), ..RecordFacts::default() };
    check(
        "records:query",
        "context.arguments.fields.contains(\"user_id\") && context.arguments.limit == 7 && resource.collection == \"orders\" && !(resource has key)",
        query,
        Facts { records: vec![whole], ..facts() },
    );
    let put = RecordStep::Put {
        collection: "orders".into(),
        key: "#W1".into(),
        body: json!({"status": "x", "n": {"m": 1}}),
        expected: Expected::Version(1),
    };
    check(
        "records:put",
        "context.arguments.fields == [\"n\", \"status\"] && resource has key && resource.key == \"#W1\"",
        HostCall::RecordsWrite { steps: vec![put] },
        Facts { records: vec![order("#W1", "ana").1], ..facts() },
    );
    let details = vec![Condition { field: "email".into(), value: "<EMAIL_1.abcd>".into() }];
    check(
        "records:identify",
        "context.arguments.fields == [\"email\"]",
        HostCall::RecordsIdentify { collection: "users".into(), details },
        facts(),
    );
    let request = HttpRequest {
        method: HttpMethod::Post,
        url: "https://a.example:8443/x".into(),
        headers: vec![],
        body: vec![1, 2],
        secrets: vec!["s".into()],
        idempotent: false,
    };
    let endpoint = EndpointFacts {
        name: Some("a".into()),
        host: "a.example".into(),
        port: 8443,
        scheme: "https".into(),
        path: "/x".into(),
        private: true,
        amount: Some(7),
        moves_money: true,
        irreversible: true,
    };
    check(
        "http:send",
        "context.arguments has amount && context.arguments.amount == 7 && context.arguments.moves_money && context.arguments.irreversible && context.arguments.method == Method::\"POST\" && context.arguments.body_bytes == 2 && context.arguments.secrets.contains(\"s\") && resource.host == \"a.example\" && resource.port == 8443 && resource.scheme == \"https\" && resource.private && resource.path == \"/x\"",
        HostCall::HttpSend { request },
        Facts { endpoint: Some(endpoint), ..facts() },
    );
    check(
        "kv:set",
        "context.arguments.bytes == 3 && context.arguments.ttl_s == 60",
        HostCall::KvSet { key: "k".into(), value: vec![0; 3], ttl_s: 60 },
        facts(),
    );
    check(
        "ticket:create",
        "context.arguments.priority == Priority::\"p1\"",
        HostCall::TicketCreate { subject: "s".into(), priority: Priority::P1 },
        facts(),
    );
    let change = TicketChange { status: Some(TicketStatus::Closed), ..TicketChange::default() };
    check(
        "ticket:update",
        "context.arguments has status && context.arguments.status == TicketStatus::\"closed\" && !(context.arguments has priority)",
        HostCall::TicketUpdate { id: TicketId::derive(&["t"]), change },
        facts(),
    );
    let request =
        HandOver { reason: "angry".into(), severity: Severity::High, summary: String::new() };
    check(
        "handover:request",
        "context.arguments.reason == \"angry\" && context.arguments.severity == Severity::\"high\"",
        HostCall::HandOver { request },
        facts(),
    );
    check(
        "knowledge:search",
        "resource == Knowledge::\"help\" && context.arguments.bytes == 3 && context.arguments.limit == 5",
        HostCall::KnowledgeSearch { query: "why".into(), collection: "help".into(), limit: 5 },
        facts(),
    );
    let message = ModelMessage { role: ModelRole::User, text: "four".into() };
    let request =
        ModelRequest { purpose: "summary".into(), messages: vec![message], max_tokens: 9 };
    check(
        "model:complete",
        "context.arguments.purpose == \"summary\" && context.arguments.bytes == 4 && context.arguments.max_tokens == 9",
        HostCall::ModelComplete { request },
        facts(),
    );
    let audience = Audience::Customers { keys: vec!["a".into(), "b".into()] };
    check(
        "message:send",
        "resource == Audience::\"customers\" && context.arguments.recipients == 2 && context.arguments.bytes == 2",
        HostCall::MessageSend { audience, text: "hi".into() },
        facts(),
    );
    let when = JobTime::Cron { expression: "0 9 * * 1".into() };
    let job = Job { tool: "remind".into(), arguments: json!({}), when };
    check(
        "schedule:create",
        "context.arguments.tool == \"remind\" && context.arguments.repeats && resource.skill == principal",
        HostCall::ScheduleCreate { job },
        facts(),
    );
}

#[test]
fn readable_fields_inside_objects_are_typed_and_read() {
    let rules = CollectionRules {
        owner: None,
        readable: BTreeMap::from([
            ("total.cents".to_owned(), FieldType::Long),
            ("total.final".to_owned(), FieldType::Bool),
        ]),
    };
    let collections = Collections(BTreeMap::from([("orders".to_owned(), rules)]));
    let source = PolicySource {
        file: "a".into(),
        text: "@id(\"a\") permit (principal, action == Action::\"records:get\", resource is Record::orders)
               when { resource.fields.total.cents > 100 && resource.fields.total.final };"
            .into(),
    };
    let set = PolicySet::load(&only(vec![source]), &collections).unwrap();
    let (call, record) = order("#W1", "ana");
    let fields = BTreeMap::from([
        ("total.cents".to_owned(), json!(101)),
        ("total.final".to_owned(), json!(true)),
    ]);
    let facts = Facts { records: vec![RecordFacts { fields, ..record }], ..facts() };
    assert_eq!(judge(&set, "order-status", "t", &call, &facts).decision, Decision::Allow);
}
