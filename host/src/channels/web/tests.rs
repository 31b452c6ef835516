//! What the routes answer.

use postern_domain::{Author, ConversationId, MessageId, StoredMessage, Timestamp, VaultEntry};
use postern_store::Change;
use serde_json::json;

use super::MOST_BODY_BYTES;
use crate::http::fixture::{Answer, LISTED, TestHost, request};

const JSON: (&str, &str) = ("content-type", "application/json");

/// A visitor's token, as a header's value, and conversation.
async fn open(host: &TestHost) -> (String, ConversationId) {
    let answer = host.public(request("POST", "/chat/main/session", &[], "")).await;
    assert_eq!(answer.status, 200);
    let session = answer.json();
    let token = format!("Bearer {}", session["token"].as_str().unwrap());
    (token, session["conversation"].as_str().unwrap().parse().unwrap())
}

async fn send(host: &TestHost, token: &str, id: &str, text: &str) -> Answer {
    let body = json!({ "id": id, "text": text }).to_string();
    let headers = [("authorization", token), JSON];
    host.public(request("POST", "/chat/main/messages", &headers, &body)).await
}

fn events(token: &str, extra: &[(&str, &str)]) -> axum::http::Request<axum::body::Body> {
    let headers = [&[("authorization", token)], extra].concat();
    request("GET", "/chat/main/events", &headers, "")
}

fn said(conversation: &ConversationId, name: &str, author: Author, text: &str) -> Change {
    Change::Message(StoredMessage {
        id: MessageId::derive(&[name]),
        conversation: conversation.clone(),
        author,
        text: text.to_owned(),
        at: Timestamp::from_millis(1),
    })
}

#[tokio::test]
async fn the_page_has_a_strict_policy_and_no_outside_parts() {
    let host = TestHost::new().await;
    let page = host.public(request("GET", "/chat/main", &[], "")).await;
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("referrer-policy"), "same-origin");
    assert!(page.text.contains("<h1>Customer support</h1>"));
    assert!(!page.text.contains("http://") && !page.text.contains("https://"));
    assert!(!page.text.contains("style=") && !page.text.contains("onclick"));
}

#[tokio::test]
async fn refusals_say_what_is_wrong_and_nothing_else() {
    let host = TestHost::new().await;
    let (token, _) = open(&host).await;
    let auth = ("authorization", token.as_str());
    let good = r#"{"id":"m1","text":"hi"}"#;
    let too_large = format!(r#"{{"id":"m1","text":"{}"}}"#, "x".repeat(MOST_BODY_BYTES));
    let long_text = json!({ "id": "m1", "text": "x".repeat(4_001) }).to_string();
    let text = ("content-type", "text/plain");
    for (method, path, headers, body, status, code) in [
        ("GET", "/chat/other", vec![], "", 404, "not_found"),
        ("GET", "/chat/main/other", vec![], "", 404, "not_found"),
        ("GET", "/chat/%ff", vec![], "", 404, "not_found"),
        ("DELETE", "/chat/main", vec![], "", 405, "method_not_allowed"),
        ("GET", "/chat/main/messages", vec![], "", 405, "method_not_allowed"),
        ("POST", "/chat/main/messages", vec![JSON], good, 401, "unauthorized"),
        (
            "POST",
            "/chat/main/messages",
            vec![("authorization", "Bearer v1.a.1.b"), JSON],
            good,
            401,
            "unauthorized",
        ),
        ("GET", "/chat/main/events", vec![("cookie", "postern_chat=x")], "", 401, "unauthorized"),
        ("POST", "/chat/main/messages", vec![auth, text], good, 415, "unsupported_type"),
        ("POST", "/chat/main/messages", vec![auth], good, 415, "unsupported_type"),
        ("POST", "/chat/main/messages", vec![auth, JSON], &too_large, 413, "too_large"),
        ("POST", "/chat/main/messages", vec![auth, JSON], "{", 400, "bad_request"),
        ("POST", "/chat/main/messages", vec![auth, JSON], r#"{"id":"m1"}"#, 400, "bad_request"),
        (
            "POST",
            "/chat/main/messages",
            vec![auth, JSON],
            r#"{"id":"m1","text":"hi","x":1}"#,
            400,
            "bad_request",
        ),
        (
            "POST",
            "/chat/main/messages",
            vec![auth, JSON],
            r#"{"id":"a b","text":"hi"}"#,
            400,
            "bad_request",
        ),
        ("POST", "/chat/main/messages", vec![auth, JSON], &long_text, 400, "bad_request"),
        ("GET", "/chat/main/events", vec![auth, ("last-event-id", "x")], "", 400, "bad_request"),
        ("GET", "/chat/main/events?after=x", vec![auth], "", 400, "bad_request"),
        (
            "POST",
            "/chat/main/session",
            vec![("origin", "https://evil.example")],
            "",
            403,
            "forbidden",
        ),
        ("POST", "/chat/main/session", vec![("origin", "null")], "", 403, "forbidden"),
        (
            "OPTIONS",
            "/chat/main/messages",
            vec![("origin", "https://evil.example")],
            "",
            403,
            "forbidden",
        ),
    ] {
        let answer = host.public(request(method, path, &headers, body)).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path} {headers:?}");
        answer.assert_refused(status, code);
    }
    assert_eq!(host.app.store.backlog().await.unwrap(), (0, 0), "nothing was kept");
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_one() {
    let host = TestHost::new().await;
    let answer = host.public(request("GET", "/chat/main/session", &[], "")).await;
    assert_eq!(answer.header("allow"), "POST");
}

#[tokio::test]
async fn a_listed_origin_may_use_the_chat_with_a_token() {
    let host = TestHost::new().await;
    let preflight =
        host.public(request("OPTIONS", "/chat/main/messages", &[("origin", LISTED)], "")).await;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("access-control-allow-origin"), LISTED);
    assert!(preflight.header("access-control-allow-headers").contains("authorization"));
    for (path, status) in [("/chat/main/session", 200), ("/chat/main/messages", 401)] {
        let answer = host.public(request("POST", path, &[("origin", LISTED)], "")).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("access-control-allow-origin"), LISTED);
        assert_eq!(answer.header("access-control-allow-credentials"), "");
        assert_eq!(answer.header("vary"), "Origin");
    }
    let own = [("origin", "http://127.0.0.1:8080")];
    let answer = host.public(request("POST", "/chat/main/session", &own, "")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn a_cookie_keeps_the_visitor_until_it_ends() {
    let host = TestHost::new().await;
    let first = host.public(request("POST", "/chat/main/session", &[], "")).await;
    let cookie = first.header("set-cookie").to_owned();
    for part in ["; Path=/chat/main", "; Max-Age=2592000", "; HttpOnly", "; SameSite=Strict"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "the request did not come over https");
    let pair = cookie.split(';').next().unwrap();
    host.clock.advance_ms(1_000);
    let headers = [("cookie", pair), ("origin", "https://127.0.0.1:8080")];
    let again = || host.public(request("POST", "/chat/main/session", &headers, ""));
    let second = again().await;
    assert_eq!(second.json(), first.json());
    assert!(second.header("set-cookie").contains("Max-Age=2591999;"));
    assert!(second.header("set-cookie").ends_with("; Secure"));
    host.clock.advance_ms(30 * 24 * 60 * 60 * 1_000);
    assert_ne!(again().await.json()["conversation"], first.json()["conversation"]);
}

#[tokio::test]
async fn a_message_is_kept_once_in_its_visitors_conversation() {
    let host = TestHost::new().await;
    let (token, conversation) = open(&host).await;
    let first = send(&host, &token, "m1", "Where is my order?").await;
    assert_eq!(first.status, 202);
    assert_eq!(first.json()["duplicate"], false);
    let again = send(&host, &token, "m1", "Where is my order?").await;
    assert_eq!((again.status.as_u16(), &again.json()["duplicate"]), (202, &json!(true)));
    assert_eq!(again.json()["message"], first.json()["message"]);
    let (other, other_conversation) = open(&host).await;
    assert_eq!(send(&host, &other, "m1", "Me too").await.json()["duplicate"], false);
    assert_eq!(host.app.store.backlog().await.unwrap(), (2, 0));
    for id in [conversation, other_conversation] {
        assert!(host.app.store.conversation_row(&id).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_visitor_who_floods_is_told_when_to_go_on() {
    let host = TestHost::new().await;
    let (token, _) = open(&host).await;
    let mut last = send(&host, &token, "m1", "hi").await;
    while last.status == 202 {
        last = send(&host, &token, "m1", "hi").await;
    }
    last.assert_refused(429, "too_many");
    assert_eq!(last.header("retry-after"), "1");
    host.clock.advance_ms(1_000);
    assert_eq!(send(&host, &token, "m1", "hi").await.status, 202);
}

#[tokio::test]
async fn events_show_what_was_and_what_comes_with_real_values() {
    let host = TestHost::new().await;
    let (token, conversation) = open(&host).await;
    let (other, other_conversation) = open(&host).await;
    send(&host, &token, "m1", "hi").await;
    send(&host, &other, "m1", "hi").await;
    let row = host.app.store.conversation_row(&conversation).await.unwrap().unwrap();
    let placeholder = format!("<EMAIL_1.{}>", row.nonce);
    let entry = VaultEntry {
        placeholder: placeholder.clone(),
        kind: "EMAIL".to_owned(),
        value: "ann@shop.example".to_owned(),
    };
    host.commit(vec![
        Change::Vault { conversation: conversation.clone(), entries: vec![entry] },
        said(&conversation, "a", Author::Customer, &format!("I am {placeholder}")),
    ])
    .await;
    let mut stream = host.events(events(&token, &[])).await;
    let (first, author, text) = stream.message().await;
    assert_eq!((author.as_str(), text.as_str()), ("customer", "I am ann@shop.example"));
    stream.caught_up().await;
    host.commit(vec![said(&other_conversation, "b", Author::Bot, "not yours")]).await;
    host.commit(vec![said(&conversation, "c", Author::Bot, &format!("Hello {placeholder}"))]).await;
    let (second, author, text) = stream.message().await;
    assert_eq!((author.as_str(), text.as_str()), ("bot", "Hello ann@shop.example"));

    let first_id = first.to_string();
    let mut again = host.events(events(&token, &[("last-event-id", &first_id)])).await;
    assert_eq!(again.message().await.0, second, "neither lost nor doubled");
    again.caught_up().await;
    let mut foreign = host.events(events(&other, &[])).await;
    assert_eq!(foreign.message().await.2, "not yours");
}

#[tokio::test]
async fn a_placeholder_that_stands_for_nothing_here_is_masked() {
    let host = TestHost::new().await;
    let (token, conversation) = open(&host).await;
    send(&host, &token, "m1", "hi").await;
    host.commit(vec![said(&conversation, "a", Author::Bot, "Hello <EMAIL_1.zzzz>")]).await;
    let mut stream = host.events(events(&token, &[])).await;
    assert_eq!(stream.message().await.2, "Hello •••");
}

#[tokio::test]
async fn streams_are_counted_and_end_with_the_host_or_the_session() {
    let host = TestHost::new().await;
    let (token, _) = open(&host).await;
    let mut streams = Vec::new();
    for _ in 0..5 {
        streams.push(host.events(events(&token, &[])).await);
    }
    let sixth = host.public(events(&token, &[])).await;
    sixth.assert_refused(429, "too_many");
    assert_eq!(sixth.header("retry-after"), "15");
    drop(streams.pop());
    let mut stream = host.events(events(&token, &[])).await;
    stream.caught_up().await;
    host.clock.advance_ms(30 * 24 * 60 * 60 * 1_000);
    host.app.events.end();
    assert_eq!(stream.next().await, None);
    let mut expired = streams.remove(0);
    assert!(expired.next().await.unwrap().contains("retry: 2000"));
    assert_eq!(expired.next().await, None);
}

#[tokio::test]
async fn anybody_may_ask_whether_the_host_lives() {
    let host = TestHost::new().await;
    let request = || request("GET", "/healthz", &[("host", "any.example")], "");
    for answer in [host.public(request()).await, host.operator(request()).await] {
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "ok\n"));
    }
}
