//! The contact on file: codes go out through a gateway of the operator's own.
//!
//! Nobody writes from here. The gateway gets a contact and a text, and knows a
//! repeated request by its idempotency key.

use std::time::Duration;

use postern_domain::OutboxId;
use serde_json::json;

use super::SendError;
use crate::config::Delivery;

/// The header by which the gateway knows a repeated request.
const KEY_HEADER: &str = "idempotency-key";

/// Sends texts to contacts on file.
pub struct Sender {
    delivery: Delivery,
    client: reqwest::Client,
}

impl Sender {
    /// A sender through this gateway.
    ///
    /// # Errors
    /// The TLS library cannot be set up.
    pub fn new(delivery: Delivery, timeout: Duration) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(timeout)
            .build()?;
        Ok(Self { delivery, client })
    }

    /// Sends one text to the contact `to`, which is of this kind: `email` or
    /// `phone`. The same `id` again is the same message.
    ///
    /// # Errors
    /// It did not go out, or nobody knows.
    pub async fn send(
        &self,
        id: &OutboxId,
        kind: &str,
        to: &str,
        text: &str,
    ) -> Result<(), SendError> {
        let sent = self
            .client
            .post(self.delivery.url.clone())
            .bearer_auth(self.delivery.token.expose())
            .header(KEY_HEADER, id.as_str())
            .json(&json!({ "to": to, "kind": kind, "text": text }))
            .send()
            .await;
        let later = |reason: String| SendError::Later { reason, after_ms: None };
        match sent.map(|answer| answer.status().as_u16()) {
            Ok(200..=299) => Ok(()),
            // 401 to 404 mean a wrong token or address, which an operator can mend.
            Ok(status @ (401 | 403 | 404 | 408 | 425 | 429 | 500..=599)) => {
                Err(later(format!("status {status}")))
            }
            // What the gateway says may repeat the contact.
            Ok(status) => Err(SendError::Refused { reason: format!("status {status}") }),
            // Whatever became of the request, the gateway knows it again.
            Err(error) if error.is_connect() => Err(later("cannot connect".to_owned())),
            Err(error) if error.is_timeout() => Err(later("timed out".to_owned())),
            Err(_) => Err(later("the connection broke".to_owned())),
        }
    }
}
