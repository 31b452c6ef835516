use serde_json::{Value, json};

use super::*;
use crate::{
    HostErrorKind, Severity, handover, http, knowledge, kv,
    message::{self, Audience},
    records::{self, Step},
    schedule::{self, When},
    ticket,
};

#[test]
fn without_a_host_every_call_says_how_to_make_one() {
    let error = kv::get("a").unwrap_err();
    assert!(error.to_string().contains("fake::Host::new()"));
}

#[test]
fn records_are_read_by_key_and_by_dotted_fields() {
    let host = Host::new();
    host.set_record("users", "b", json!({"address": {"zip": "1"}, "age": 7}));
    host.set_record("users", "a", json!({"address": {"zip": "1"}, "age": 8}));
    host.set_record("orders", "c", json!({"address": {"zip": "1"}}));
    let keys = |conditions: &[(&str, &str)], limit| {
        let found = records::query::<Value>("users", conditions, limit).unwrap();
        found.into_iter().map(|record| record.key).collect::<Vec<_>>()
    };
    assert_eq!(keys(&[("address.zip", "1")], 10), ["a", "b"]);
    assert_eq!(keys(&[("address.zip", "1")], 1), ["a"]);
    assert_eq!(keys(&[("address.zip", "1"), ("age", "7")], 10), ["b"]);
    assert!(records::query::<Value>("users", &[], 10).is_err());
    assert!(records::get::<Value>("users", "c").unwrap_err().is_not_found());
}

#[test]
fn a_record_of_another_shape_is_an_error_that_names_the_field() {
    let host = Host::new();
    host.set_record("orders", "1", json!({"status": ["ann@example.com"]}));
    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only its reading is tested")]
    struct Order {
        status: String,
    }
    let error = records::get::<Order>("orders", "1").unwrap_err().to_string();
    assert_eq!(error, "record of orders: `status`: expected a string");
}

#[test]
fn identify_wants_exactly_one_record() {
    let host = Host::new();
    host.set_record("users", "a", json!({"email": "x", "zip": "1"}));
    host.set_record("users", "b", json!({"email": "y", "zip": "1"}));
    let identity = records::identify::<Value>("users", &[("email", "y")]).unwrap();
    assert_eq!(identity.key, "b");
    assert!(records::identify::<Value>("users", &[("zip", "1")]).unwrap_err().is_not_found());
    assert!(records::identify::<Value>("users", &[("email", "z")]).unwrap_err().is_not_found());
}

#[test]
fn a_write_happens_whole_or_not_at_all() {
    let host = Host::new();
    host.set_record("c", "old", json!({}));
    let create = Step::create("c", "new", &json!({"a": 1})).unwrap();
    let stale = Step::replace("c", "old", 7, &json!({})).unwrap();
    assert!(records::write(&[create.clone(), stale]).unwrap_err().is_conflict());
    assert_eq!(host.record("c", "new"), None);
    assert_eq!(records::write(&[create.clone(), Step::delete("c", "old", 1)]).unwrap(), [1, 0]);
    assert_eq!(host.record("c", "new"), Some(json!({"a": 1})));
    assert_eq!(host.record("c", "old"), None);
    assert!(records::write(&[create]).unwrap_err().is_conflict());
}

#[test]
fn requests_are_answered_as_told_and_remembered() {
    let host = Host::new();
    host.answer_json(Method::Post, "https://a.example/x", 201, &json!({"id": 1}));
    let request = http::Request::post("https://a.example/x").json(&json!({})).unwrap().secret("s");
    let response = request.send().unwrap();
    assert!(response.is_success());
    assert_eq!(response.header("Content-Type"), Some("application/json"));
    assert_eq!(response.json::<Value>().unwrap(), json!({"id": 1}));
    assert_eq!(host.calls(), [Call::HttpSend { request }]);
    assert!(http::Request::get("https://a.example/x").send().is_err());
}

#[test]
fn calls_fail_where_a_test_says_so() {
    let host = Host::new();
    host.set_record("orders", "1", json!({}));
    host.set_record("orders", "2", json!({}));
    let denied = HostError::new(HostErrorKind::Denied, "not yours");
    host.fail_when(|call| matches!(call, Call::RecordsGet { key, .. } if key == "2"), denied);
    assert!(records::get::<Value>("orders", "1").is_ok());
    assert!(records::get::<Value>("orders", "2").unwrap_err().is_denied());
    assert_eq!(host.calls().len(), 2);
}

#[test]
fn values_tickets_and_handovers_are_kept() {
    let host = Host::new();
    kv::set("k", b"v", 60).unwrap();
    assert_eq!(kv::get("k").unwrap().as_deref(), Some(&b"v"[..]));
    kv::delete("k").unwrap();
    assert_eq!(kv::get("k").unwrap(), None);
    let opened = ticket::create("a matter", ticket::Priority::P3).unwrap();
    ticket::tag(&opened.id, "vip").unwrap();
    ticket::comment(&opened.id, "remark").unwrap();
    let change = ticket::Change { status: Some(ticket::Status::Open), ..Default::default() };
    let changed = ticket::update(&opened.id, &change).unwrap();
    assert_eq!(
        (changed.status, changed.tags.as_slice()),
        (ticket::Status::Open, &["vip".into()][..])
    );
    assert_eq!(ticket::history(5).unwrap(), [changed]);
    assert!(ticket::tag("tkt_9", "x").unwrap_err().is_not_found());
    assert_eq!(handover::request("why", Severity::High, "what").unwrap(), "people");
    assert_eq!(host.calls().len(), 11);
}

#[test]
fn what_hosts_may_lack_is_unavailable_until_a_test_gives_it() {
    let host = Host::new();
    let question = model::Request::new("summary", 10).message(model::Role::User, "hello");
    assert!(knowledge::find("why", "help", 5).unwrap_err().is_unavailable());
    assert!(question.complete().unwrap_err().is_unavailable());
    let passage = Passage { id: "1".into(), title: "t".into(), text: "x".into(), relevance: 900 };
    host.set_passages("help", vec![passage.clone(), passage.clone()]);
    assert_eq!(knowledge::find("why", "help", 1).unwrap(), [passage]);
    let answer = model::Answer { text: "hi".into(), input_tokens: 1, output_tokens: 1 };
    host.complete_with(answer.clone());
    assert_eq!(question.complete().unwrap(), answer);
    assert!(question.complete().is_err());
    let two = Audience::Customers(vec!["a".into(), "b".into()]);
    assert_eq!(message::send(&two, "hi").unwrap(), 2);
    let job = schedule::create("remind", &json!({}), &When::AtMs(1)).unwrap();
    schedule::cancel(&job).unwrap();
    assert!(schedule::cancel(&job).unwrap_err().is_not_found());
}

#[test]
fn log_lines_keep_their_level_and_fields() {
    crate::__private::install_logger();
    let host = Host::new();
    log::info!(order = "#W1", count = 2; "read {}", "it");
    let fields = vec![("order".to_owned(), "#W1".to_owned()), ("count".to_owned(), "2".to_owned())];
    let line = Line { level: log::Level::Info, message: "read it".to_owned(), fields };
    assert_eq!(host.log(), [line]);
}

#[test]
fn a_dropped_host_is_forgotten() {
    drop(Host::new());
    assert!(kv::get("a").is_err());
}
