//! Calls of the interfaces that are not frozen yet, there and back.

use postern_domain::{
    Audience, CallFailure, Completion, FailureKind, HostCall, HostReply, Job, JobTime,
    ModelMessage, ModelRequest, ModelRole, Passage, Timestamp,
};
use serde_json::json;

use crate::calls::{call, check};

#[tokio::test]
async fn knowledge() {
    let passage = Passage {
        id: "p1".into(),
        title: "Returns".into(),
        text: "30 days".into(),
        relevance: 900,
    };
    check(
        "knowledge:search",
        json!({"query": "how long", "collection": "help", "limit": 3}),
        HostCall::KnowledgeSearch { query: "how long".into(), collection: "help".into(), limit: 3 },
        HostReply::Passages { passages: vec![passage] },
        &["p1", "Returns", "30 days", "900"],
    )
    .await;
}

#[tokio::test]
async fn model() {
    let message = ModelMessage { role: ModelRole::User, text: "hello".into() };
    let request =
        ModelRequest { purpose: "summary".into(), messages: vec![message], max_tokens: 50 };
    let completion = Completion { text: "hi".into(), input_tokens: 3, output_tokens: 7 };
    check(
        "model:complete",
        json!({"purpose": "summary", "text": "hello", "max_tokens": 50}),
        HostCall::ModelComplete { request },
        HostReply::Completion { completion },
        &["hi", "3", "7"],
    )
    .await;
}

#[tokio::test]
async fn message() {
    check(
        "message:send",
        json!({"text": "one more thing"}),
        HostCall::MessageSend { audience: Audience::Customer, text: "one more thing".into() },
        HostReply::Sent { recipients: 1 },
        &["1"],
    )
    .await;
    check(
        "message:send",
        json!({"queue": "vip", "text": "look"}),
        HostCall::MessageSend {
            audience: Audience::Queue { name: "vip".into() },
            text: "look".into(),
        },
        HostReply::Sent { recipients: 1 },
        &["1"],
    )
    .await;
}

#[tokio::test]
async fn schedule() {
    let job = |when| Job { tool: "remind".into(), arguments: json!({"order": "#W1"}), when };
    let arguments = r##"{"order":"#W1"}"##;
    check(
        "schedule:create",
        json!({"tool": "remind", "arguments": arguments, "at_ms": 5}),
        HostCall::ScheduleCreate { job: job(JobTime::At { time: Timestamp::from_millis(5) }) },
        HostReply::Scheduled { id: "job_1".into() },
        &["job_1"],
    )
    .await;
    check(
        "schedule:create",
        json!({"tool": "remind", "arguments": arguments, "cron": "0 9 * * 1"}),
        HostCall::ScheduleCreate { job: job(JobTime::Cron { expression: "0 9 * * 1".into() }) },
        HostReply::Scheduled { id: "job_2".into() },
        &["job_2"],
    )
    .await;
    check(
        "schedule:cancel",
        json!({"id": "job_1"}),
        HostCall::ScheduleCancel { id: "job_1".into() },
        HostReply::Done,
        &["()"],
    )
    .await;
}

#[tokio::test]
async fn what_a_host_lacks_is_told_as_unavailable() {
    let lacks = CallFailure::new(FailureKind::Unavailable, "this host has no schedule");
    let (_, text) = call("schedule:cancel", json!({"id": "job_1"}), Err(lacks)).await;
    assert!(text.starts_with("err") && text.contains("Unavailable"), "{text}");
}
