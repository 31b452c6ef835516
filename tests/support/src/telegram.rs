//! A stand-in for the part of the Telegram Bot API that a host speaks to.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::any,
};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{Fault, Faults, SupportError, server::Loopback};

/// Longest text of a message, in UTF-16 code units (core.telegram.org/bots/api,
/// `sendMessage`).
const MAX_TEXT_UTF16: usize = 4096;

/// A message that the bot sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its number, from 1.
    pub message_id: i64,
    /// The chat to which it went.
    pub chat_id: String,
    /// The text.
    pub text: String,
}

/// A running stand-in. It ends when this is dropped.
#[derive(Debug)]
pub struct TelegramApi {
    server: Loopback,
    shared: Shared,
    /// The token that it takes.
    token: Arc<str>,
}

#[derive(Clone, Debug)]
struct Shared {
    token: Arc<str>,
    faults: Faults,
    sent: watch::Sender<Vec<Sent>>,
}

/// The fault of a chat that got too much: 429 with the time to wait.
pub fn too_many_requests(retry_after_s: u32) -> Fault {
    Fault::Answer {
        status: 429,
        body: json!({
            "ok": false,
            "error_code": 429,
            "description": format!("Too Many Requests: retry after {retry_after_s}"),
            "parameters": { "retry_after": retry_after_s },
        }),
    }
}

impl TelegramApi {
    /// Starts a stand-in for the bot with this token.
    ///
    /// # Errors
    /// Where no port of loopback can be had.
    pub async fn start(token: &str) -> Result<Self, SupportError> {
        let token: Arc<str> = token.into();
        let shared = Shared {
            token: Arc::clone(&token),
            faults: Faults::default(),
            sent: watch::Sender::new(Vec::new()),
        };
        let router = Router::new().route("/{bot}/{method}", any(answer)).with_state(shared.clone());
        let server = Loopback::start(router).await.map_err(|source| SupportError::Start {
            what: "the Telegram stand-in".to_owned(),
            source,
        })?;
        Ok(Self { server, shared, token })
    }

    /// Where it listens, without a slash at the end.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The token that it takes.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// What is to go wrong.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Everything sent so far, oldest first.
    pub fn sent(&self) -> Vec<Sent> {
        self.shared.sent.borrow().clone()
    }

    /// Everything sent to one chat so far, oldest first.
    pub fn sent_to(&self, chat_id: &str) -> Vec<Sent> {
        to_chat(&self.shared.sent.borrow(), chat_id)
    }

    /// Everything sent, now and from now on, for whoever outlives a borrow.
    pub fn watch(&self) -> watch::Receiver<Vec<Sent>> {
        self.shared.sent.subscribe()
    }

    /// Waits until `n` messages have been sent in all.
    ///
    /// # Errors
    /// [`SupportError::Late`] after `limit`.
    pub async fn wait_for(&self, n: usize, limit: Duration) -> Result<Vec<Sent>, SupportError> {
        self.wait(limit, format!("message {n}"), |sent| (sent.len() >= n).then(|| sent.to_vec()))
            .await
    }

    /// Waits until `n` messages have been sent to one chat.
    ///
    /// # Errors
    /// [`SupportError::Late`] after `limit`.
    pub async fn wait_for_chat(
        &self,
        chat_id: &str,
        n: usize,
        limit: Duration,
    ) -> Result<Vec<Sent>, SupportError> {
        self.wait(limit, format!("message {n} to chat {chat_id}"), |sent| {
            let sent = to_chat(sent, chat_id);
            (sent.len() >= n).then_some(sent)
        })
        .await
    }

    async fn wait(
        &self,
        limit: Duration,
        what: String,
        enough: impl Fn(&[Sent]) -> Option<Vec<Sent>>,
    ) -> Result<Vec<Sent>, SupportError> {
        let mut changes = self.shared.sent.subscribe();
        let found = tokio::time::timeout(limit, async {
            loop {
                if let Some(found) = enough(&changes.borrow_and_update()) {
                    return found;
                }
                // The sender lives as long as `self`, so this cannot fail.
                let _ = changes.changed().await;
            }
        });
        found.await.map_err(|_| SupportError::Late { what, waited: limit })
    }
}

fn to_chat(sent: &[Sent], chat_id: &str) -> Vec<Sent> {
    sent.iter().filter(|message| message.chat_id == chat_id).cloned().collect()
}

async fn answer(
    State(shared): State<Shared>,
    Path((bot, method)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    if bot.strip_prefix("bot") != Some(&*shared.token) {
        return refuse(StatusCode::UNAUTHORIZED, "Unauthorized");
    }
    shared
        .faults
        .around(|| match method.as_str() {
            "getMe" => {
                let id: i64 = shared.token.split(':').next().unwrap_or_default().parse().unwrap_or(1);
                success(json!({ "id": id, "is_bot": true, "first_name": "Shop", "username": "shop_bot" }))
            }
            "sendMessage" => send_message(&shared, &body),
            _ => refuse(StatusCode::NOT_FOUND, "Not Found: method not found"),
        })
        .await
}

fn send_message(shared: &Shared, body: &[u8]) -> Response {
    let bad = |description: &str| refuse(StatusCode::BAD_REQUEST, description);
    let Ok(Value::Object(body)) = serde_json::from_slice(body) else {
        return bad("Bad Request: object expected as JSON");
    };
    let chat_id = match body.get("chat_id") {
        Some(Value::Number(id)) if id.is_i64() => id.to_string(),
        Some(Value::String(id)) if id.parse::<i64>().is_ok() => id.clone(),
        Some(_) => return bad("Bad Request: chat not found"),
        None => return bad("Bad Request: chat_id is empty"),
    };
    let text = body.get("text").and_then(Value::as_str).unwrap_or_default().trim();
    if text.is_empty() {
        return bad("Bad Request: message text is empty");
    }
    if text.encode_utf16().count() > MAX_TEXT_UTF16 {
        return bad("Bad Request: message is too long");
    }
    let mut message_id = 0;
    shared.sent.send_modify(|sent| {
        message_id = i64::try_from(sent.len()).unwrap_or(i64::MAX - 1) + 1;
        sent.push(Sent { message_id, chat_id: chat_id.clone(), text: text.to_owned() });
    });
    let chat = chat_id.parse::<i64>().unwrap_or_default();
    success(json!({ "message_id": message_id, "chat": { "id": chat }, "text": text }))
}

fn success(result: Value) -> Response {
    Json(json!({ "ok": true, "result": result })).into_response()
}

fn refuse(status: StatusCode, description: &str) -> Response {
    let body = json!({ "ok": false, "error_code": status.as_u16(), "description": description });
    (status, Json(body)).into_response()
}

#[cfg(test)]
mod tests;
