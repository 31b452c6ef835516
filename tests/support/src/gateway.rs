//! A stand-in for the operator's gateway to customers' contacts.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    routing::post,
};
use serde::Deserialize;

use tokio::sync::watch;

use crate::{SupportError, server::Loopback};

/// What the gateway was asked to send.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Delivered {
    /// To which contact.
    pub to: String,
    /// What kind of contact it is.
    pub kind: String,
    /// The words.
    pub text: String,
}

impl Delivered {
    /// The code of six digits in the words.
    pub fn code(&self) -> Option<&str> {
        self.text.split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() == 6)
    }
}

#[derive(Debug)]
struct Desk {
    token: String,
    seen: watch::Sender<Vec<Delivered>>,
}

/// A running gateway.
#[derive(Debug)]
pub struct Gateway {
    server: Loopback,
    desk: Arc<Desk>,
}

impl Gateway {
    /// Starts a gateway that takes this token.
    ///
    /// # Errors
    /// Where the machine gives no port.
    pub async fn start(token: &str) -> Result<Self, SupportError> {
        let desk = Arc::new(Desk { token: token.to_owned(), seen: watch::Sender::default() });
        let router = Router::new().route("/send", post(send)).with_state(Arc::clone(&desk));
        let server = Loopback::start(router)
            .await
            .map_err(|source| SupportError::Start { what: "the gateway".to_owned(), source })?;
        Ok(Self { server, desk })
    }

    /// Where it takes messages.
    pub fn url(&self) -> String {
        format!("{}/send", self.server.url())
    }

    /// Waits until `n` messages were sent, and answers all of them.
    ///
    /// # Errors
    /// [`SupportError::Late`] after `limit`.
    pub async fn wait_for(
        &self,
        n: usize,
        limit: Duration,
    ) -> Result<Vec<Delivered>, SupportError> {
        let mut seen = self.desk.seen.subscribe();
        let enough = seen.wait_for(|seen| seen.len() >= n);
        match tokio::time::timeout(limit, enough).await {
            Ok(Ok(seen)) => Ok(seen.clone()),
            Ok(Err(_)) | Err(_) => Err(SupportError::Late {
                what: format!("message {n} of the gateway"),
                waited: limit,
            }),
        }
    }
}

async fn send(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    Json(message): Json<Delivered>,
) -> StatusCode {
    let wanted = format!("Bearer {}", desk.token);
    let genuine = headers.get(header::AUTHORIZATION).is_some_and(|given| given == wanted.as_str());
    if !genuine || !headers.contains_key("idempotency-key") {
        return StatusCode::UNAUTHORIZED;
    }
    desk.seen.send_modify(|seen| seen.push(message));
    StatusCode::ACCEPTED
}
