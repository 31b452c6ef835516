//! Every host call, there and back.

use postern_domain::{
    CallFailure, Condition, ConversationId, Document, Expected, HandOver, HostCall, HostReply,
    HttpMethod, HttpRequest, HttpResponse, LogLevel, LogLine, Priority, RecordStep, Severity,
    Ticket, TicketChange, TicketId, TicketStatus, Timestamp,
};
use serde_json::{Value, json};

use crate::support::{invocation, port, reply, skill};

/// Lets the guest make a call, answers it, and tells what each side saw.
pub(crate) async fn call(
    name: &str,
    mut arguments: Value,
    answer: Result<HostReply, CallFailure>,
) -> (Vec<HostCall>, String) {
    arguments["call"] = name.into();
    let (port, seen) = port(move |_| answer.clone());
    let text = reply(skill("echo").invoke(invocation("call", &arguments), port).await);
    (seen.calls(), text)
}

/// The call arrives as `wanted`, and the answer has all these parts.
pub(crate) async fn check(
    name: &str,
    arguments: Value,
    wanted: HostCall,
    answer: HostReply,
    parts: &[&str],
) {
    let (calls, text) = call(name, arguments, Ok(answer)).await;
    assert_eq!(wanted.action(), name);
    assert_eq!(calls, [wanted]);
    assert!(text.starts_with("ok"), "{text}");
    for part in parts {
        assert!(text.contains(part), "{part} in {text}");
    }
}

fn order() -> Document {
    Document { key: "#W1".into(), version: 7, body: json!({"status": "pending"}).into() }
}

fn conditions() -> Vec<Condition> {
    vec![Condition { field: "user_id".into(), value: "<EMAIL_1.k3f9>".into() }]
}

pub(crate) fn ticket() -> Ticket {
    Ticket {
        id: TicketId::derive(&["t"]),
        conversation: ConversationId::derive(&["c"]),
        customer: Some("u1".into()),
        subject: "Where is it?".into(),
        status: TicketStatus::WaitingThirdParty,
        priority: Priority::P2,
        queue: Some("internal-queue".into()),
        reason: None,
        tags: vec!["late".into()],
        follows: None,
        created_at: Timestamp::from_millis(1_234),
        updated_at: Timestamp::from_millis(5_678),
    }
}

#[tokio::test]
async fn records() {
    let pairs = json!([["user_id", "<EMAIL_1.k3f9>"]]);
    check(
        "records:get",
        json!({"collection": "orders", "key": "#W1"}),
        HostCall::RecordsGet { collection: "orders".into(), key: "#W1".into() },
        HostReply::Document { document: order() },
        &["#W1", "version: 7", "pending"],
    )
    .await;
    check(
        "records:query",
        json!({"collection": "orders", "conditions": pairs, "limit": 5}),
        HostCall::RecordsQuery { collection: "orders".into(), conditions: conditions(), limit: 5 },
        HostReply::Documents { documents: vec![order(), order()] },
        &["#W1", "pending"],
    )
    .await;
    let put = RecordStep::Put {
        collection: "refunds".into(),
        key: "r1".into(),
        body: json!({"amount": 12}),
        expected: Expected::Version(7),
    };
    let delete = RecordStep::Delete { collection: "refunds".into(), key: "old".into(), version: 2 };
    check(
        "records:write",
        json!({"collection": "refunds", "key": "r1", "body": "{\"amount\": 12}"}),
        HostCall::RecordsWrite { steps: vec![put, delete] },
        HostReply::Versions { versions: vec![8, 0] },
        &["[8, 0]"],
    )
    .await;
    check(
        "records:identify",
        json!({"collection": "users", "conditions": pairs}),
        HostCall::RecordsIdentify { collection: "users".into(), details: conditions() },
        HostReply::Identity { key: "u1".into(), document: order() },
        &["u1", "pending"],
    )
    .await;
}

#[tokio::test]
async fn http() {
    let request = HttpRequest {
        method: HttpMethod::Post,
        url: "https://carrier.example/track".into(),
        headers: vec![("accept".into(), "application/json".into())],
        body: b"{}".to_vec(),
        secrets: vec!["carrier".into()],
        idempotent: true,
    };
    let response = HttpResponse {
        status: 418,
        headers: vec![("server".into(), "teapot".into())],
        body: vec![1, 2, 3],
    };
    check(
        "http:send",
        json!({
            "url": "https://carrier.example/track",
            "headers": [["accept", "application/json"]],
            "body": "{}",
        }),
        HostCall::HttpSend { request },
        HostReply::Http { response },
        &["418", "teapot", "[1, 2, 3]"],
    )
    .await;
}

#[tokio::test]
async fn kv() {
    let key = || "cursor".to_owned();
    check(
        "kv:get",
        json!({"key": "cursor"}),
        HostCall::KvGet { key: key() },
        HostReply::Value { value: Some(vec![104, 105]) },
        &["Some", "104, 105"],
    )
    .await;
    check(
        "kv:set",
        json!({"key": "cursor", "value": "hi", "ttl_s": 60}),
        HostCall::KvSet { key: key(), value: b"hi".to_vec(), ttl_s: 60 },
        HostReply::Done,
        &["()"],
    )
    .await;
    check(
        "kv:delete",
        json!({"key": "cursor"}),
        HostCall::KvDelete { key: key() },
        HostReply::Done,
        &["()"],
    )
    .await;
}

#[tokio::test]
async fn tickets() {
    let id = ticket().id;
    let parts: &[&str] = &[id.as_str(), "Where is it?", "WaitingThirdParty", "P2", "late", "1234"];
    check(
        "ticket:create",
        json!({"subject": "Where is it?"}),
        HostCall::TicketCreate { subject: "Where is it?".into(), priority: Priority::P2 },
        HostReply::Ticket { ticket: ticket() },
        parts,
    )
    .await;
    let change =
        TicketChange { status: Some(TicketStatus::WaitingThirdParty), ..TicketChange::default() };
    check(
        "ticket:update",
        json!({"id": id.as_str()}),
        HostCall::TicketUpdate { id: id.clone(), change },
        HostReply::Ticket { ticket: ticket() },
        parts,
    )
    .await;
    check(
        "ticket:tag",
        json!({"id": id.as_str(), "tag": "late-2"}),
        HostCall::TicketTag { id: id.clone(), tag: "late-2".into() },
        HostReply::Done,
        &["()"],
    )
    .await;
    check(
        "ticket:comment",
        json!({"id": id.as_str(), "text": "two\nlines"}),
        HostCall::TicketComment { id: id.clone(), text: "two\nlines".into() },
        HostReply::Done,
        &["()"],
    )
    .await;
    check(
        "ticket:history",
        json!({"limit": 50}),
        HostCall::TicketHistory { limit: 50 },
        HostReply::Tickets { tickets: vec![ticket()] },
        parts,
    )
    .await;
}

#[tokio::test]
async fn a_guest_learns_nothing_of_a_ticket_but_its_own_fields() {
    let answer = Ok(HostReply::Tickets { tickets: vec![ticket()] });
    let (_, text) = call("ticket:history", json!({"limit": 1}), answer).await;
    assert!(!text.contains("internal-queue"), "{text}");
}

#[tokio::test]
async fn handover_and_log() {
    let request = HandOver {
        reason: "angry".into(),
        severity: Severity::Critical,
        summary: "third time".into(),
    };
    check(
        "handover:request",
        json!({"reason": "angry", "summary": "third time"}),
        HostCall::HandOver { request },
        HostReply::Queued { queue: "support".into() },
        &["support"],
    )
    .await;
    let line = LogLine {
        level: LogLevel::Warn,
        message: "odd".into(),
        fields: vec![("n".into(), "1".into())],
    };
    check(
        "log:write",
        json!({"message": "odd", "fields": [["n", "1"]]}),
        HostCall::Log { line },
        HostReply::Done,
        &[],
    )
    .await;
}
