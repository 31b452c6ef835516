//! What the host writes, with something planted in it.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{Router, body::to_bytes, http::StatusCode, middleware::from_fn, routing::get};
use postern_domain::{AuditEntry, AuditKind, LogLevel, LogLine, Outcome, SkillFailure, Timestamp};
use postern_runtime::Usage;
use postern_store::{Commit, Store as _};
use tower::ServiceExt as _;

use super::{ENCODINGS, PLANTED};
use crate::{
    app, effects,
    metrics::Metrics,
    redaction::{self, stderr::Event},
};

/// Every planted text in every encoding, among other words.
fn texts() -> impl Iterator<Item = (String, String)> {
    PLANTED.into_iter().flat_map(|planted| {
        ENCODINGS.iter().map(move |encoding| {
            let hidden = encoding(planted);
            (format!("no answer for {hidden}，请 try again"), hidden)
        })
    })
}

/// Texts of ours are still there, nothing planted is.
#[track_caller]
fn check(written: &str, words: &str) {
    assert!(written.contains(words), "{words:?} in {written}");
    for (_, hidden) in texts() {
        assert!(!written.contains(&hidden), "{hidden} in {written}");
    }
}

/// An event that ends up in a text.
type Kept = Event<Box<dyn Fn(&str)>>;

#[derive(Clone, Default)]
struct Written(Arc<Mutex<String>>);

impl Written {
    fn get(&self) -> MutexGuard<'_, String> {
        self.0.lock().unwrap()
    }

    fn writer(&self) -> impl Fn() -> Kept + Send + Sync + 'static {
        let written = self.clone();
        move || {
            let written = written.clone();
            Event::new(Box::new(move |text: &str| written.get().push_str(text)))
        }
    }
}

#[test]
fn the_log_holds_nothing_planted_as_text_or_json() {
    let plain = Written::default();
    let json = Written::default();
    let tell = || {
        for (text, hidden) in texts() {
            let span = tracing::info_span!("turn.run", said = %text, "it");
            let _in = span.enter();
            let error = std::io::Error::other(text.clone());
            tracing::warn!(error = &error as &dyn std::error::Error, ?hidden, "{text}");
        }
    };
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(plain.writer());
    tracing::subscriber::with_default(subscriber.finish(), tell);
    let subscriber = tracing_subscriber::fmt().json().with_writer(json.writer());
    tracing::subscriber::with_default(subscriber.finish(), tell);
    check(&plain.get(), "no answer for");
    check(&json.get(), "no answer for");
    assert_eq!(plain.get().lines().count(), texts().count(), "an event is a line");
}

#[test]
fn figures_hold_nothing_planted() {
    let metrics = Metrics::default();
    let skill = "order-status".parse().unwrap();
    let done = Ok(Outcome::Done);
    let usage = Usage { wall: Duration::from_millis(1), ..Usage::default() };
    for (text, hidden) in texts() {
        metrics.called(&skill, &text, &done, &usage);
        metrics.called(&skill, &hidden, &done, &usage);
    }
    check(&metrics.render([]), "postern_skill_calls_total");
}

#[test]
fn log_lines_and_failures_of_skills_hold_nothing_planted() {
    for (text, hidden) in texts() {
        let line = LogLine {
            level: LogLevel::Info,
            message: text.clone(),
            fields: vec![(hidden, text.clone())],
        };
        check(&format!("{:?}", effects::masked(&line)), "no answer for");
        let failure = redaction::failure(SkillFailure::Internal { message: text });
        check(&failure.to_string(), "no answer for");
    }
}

#[tokio::test]
async fn audit_rows_hold_nothing_planted_and_the_chain_holds() {
    let folder = tempfile::TempDir::new().unwrap();
    let store = app::open_store(folder.path()).await.unwrap();
    let at = Timestamp::from_millis(0);
    let audit = texts().map(|(text, hidden)| AuditEntry {
        detail: text,
        ..AuditEntry::new(at, AuditKind::HostCall, "skill:order-status@0.1.0", "kv:get", hidden)
    });
    store.commit(Commit { audit: audit.collect(), ..Commit::default() }).await.unwrap();
    for row in store.audit_tail(1_000, None).await.unwrap() {
        assert!(row.is_intact());
        assert_eq!(row.entry.actor, "skill:order-status@0.1.0");
        check(&serde_json::to_string(&row).unwrap(), "no answer for");
    }
}

/// The body of an answer with this status, behind the layer of the listeners.
async fn answered(status: StatusCode, kind: &'static str, body: String) -> String {
    let answer = move || async move { (status, [("content-type", kind)], body) };
    let router = Router::new().route("/", get(answer)).layer(from_fn(redaction::errors));
    let request = axum::http::Request::get("/").body(axum::body::Body::empty()).unwrap();
    let answer = router.oneshot(request).await.unwrap();
    let length = answer.headers().get("content-length").cloned();
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let told = length.map(|length| length.to_str().unwrap().to_owned());
    assert!(told.is_none_or(|told| told == body.len().to_string()));
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn bodies_of_refusals_hold_nothing_planted() {
    for (text, hidden) in texts() {
        for status in [StatusCode::BAD_REQUEST, StatusCode::SERVICE_UNAVAILABLE] {
            check(&answered(status, "text/html", text.clone()).await, "no answer for");
            let json = serde_json::json!({ "error": { "message": text, "of": [hidden] } });
            let body = answered(status, "application/json", json.to_string()).await;
            check(&body, "no answer for");
            serde_json::from_str::<serde_json::Value>(&body).expect("it is still JSON");
        }
    }
    let number =
        answered(StatusCode::CONFLICT, "application/json", r#"{"n":4111111111111111}"#.into());
    assert_eq!(number.await, r#"{"n":"[CARD]"}"#);
    let long = "x ".repeat(redaction::LONGEST_ERROR);
    assert_eq!(answered(StatusCode::NOT_FOUND, "text/plain", long).await, "");
    let page = "ann@shop.example".to_owned();
    assert_eq!(answered(StatusCode::OK, "text/plain", page.clone()).await, page, "no refusal");
}
