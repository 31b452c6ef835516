//! Host calls that do not happen, and what the guest learns of it.

use postern_domain::{CallFailure, FailureKind, HostReply, Retry};
use serde_json::json;

use crate::calls::{call, ticket};

#[tokio::test]
async fn every_failure_reaches_the_guest_with_its_kind_and_hint() {
    for (kind, retry, shown) in [
        (FailureKind::Denied, Retry::Never, ["FailureKind::Denied", "Retry::Never"]),
        (FailureKind::Invalid, Retry::Never, ["FailureKind::Invalid", "Retry::Never"]),
        (FailureKind::NotFound, Retry::Never, ["FailureKind::NotFound", "Retry::Never"]),
        (FailureKind::Conflict, Retry::Now, ["FailureKind::Conflict", "Retry::Now"]),
        (FailureKind::Limited, Retry::AfterMs(9), ["FailureKind::Limited", "Retry::After(9)"]),
        (FailureKind::Unavailable, Retry::Now, ["FailureKind::Unavailable", "Retry::Now"]),
        (FailureKind::Uncertain, Retry::Never, ["FailureKind::Uncertain", "Retry::Never"]),
    ] {
        let failure = CallFailure { kind, message: "rule 7".into(), retry };
        let (_, text) = call("kv:get", json!({"key": "k"}), Err(failure)).await;
        assert!(text.starts_with("err") && text.contains("rule 7"), "{text}");
        for part in shown {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}

#[tokio::test]
async fn what_is_not_acceptable_never_reaches_the_port() {
    let long = "x".repeat(1_000);
    for (name, arguments, wanted) in [
        ("records:get", json!({"collection": "Orders", "key": "1"}), "collection"),
        ("records:get", json!({"collection": "orders", "key": long}), "key"),
        ("records:query", json!({"collection": "orders", "limit": 5}), "conditions"),
        (
            "records:query",
            json!({"collection": "o", "conditions": [["a", "b"]], "limit": 101}),
            "limit",
        ),
        ("records:write", json!({"collection": "orders", "key": "1", "body": "[]"}), "body"),
        ("records:identify", json!({"collection": "users"}), "details"),
        ("http:send", json!({"url": "https://x/ y"}), "url"),
        ("http:send", json!({"url": "https://x/", "headers": [["a b", "c"]]}), "headers"),
        ("kv:set", json!({"key": "k", "ttl_s": 0}), "ttl-s"),
        ("ticket:create", json!({"subject": ""}), "subject"),
        ("ticket:update", json!({"id": "tkt_../../etc"}), "id"),
        ("ticket:tag", json!({"id": ticket().id.as_str(), "tag": "Not A Tag"}), "tag"),
        ("ticket:comment", json!({"id": ticket().id.as_str(), "text": ""}), "text"),
        ("ticket:history", json!({"limit": 51}), "limit"),
        ("handover:request", json!({"reason": "I want a person"}), "reason"),
    ] {
        let (calls, text) = call(name, arguments, Ok(HostReply::Done)).await;
        assert_eq!(calls, [], "{name} {text}");
        assert!(text.contains("FailureKind::Invalid"), "{text}");
        assert!(text.contains(&format!("message: \"{wanted}: ")), "{wanted} in {text}");
    }
}
