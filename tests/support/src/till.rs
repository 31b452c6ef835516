//! A stand-in for a server that takes payments and counts them: it knows a
//! payment again by its idempotency key, and is sometimes slow.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::post,
};
use serde::Deserialize;
use serde_json::json;

use crate::{SupportError, server::Loopback};

/// How long it takes where it is slow.
const SLOW: Duration = Duration::from_millis(60);

/// A request to pay that reached the till.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Its idempotency key.
    pub key: String,
    /// The voucher that pays.
    pub voucher: String,
    /// The tool that asked for it.
    pub tool: String,
    /// Whether a payment with this key had been taken before: nothing happened.
    pub repeated: bool,
}

/// A running till. It ends when this is dropped.
#[derive(Debug)]
pub struct Till {
    server: Loopback,
    payments: Payments,
}

type Payments = Arc<Mutex<Vec<Payment>>>;

#[derive(Deserialize)]
struct Wish {
    voucher: String,
    tool: String,
}

impl Till {
    /// Starts a till that has taken nothing.
    ///
    /// # Errors
    /// Where no port of loopback can be had.
    pub async fn start() -> Result<Self, SupportError> {
        let payments = Payments::default();
        let router =
            Router::new().route("/v1/payments", post(pay)).with_state(Arc::clone(&payments));
        let server = Loopback::start(router)
            .await
            .map_err(|source| SupportError::Start { what: "the till".to_owned(), source })?;
        Ok(Self { server, payments })
    }

    /// Where it listens, without a slash at the end.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Every request so far, in the order in which they took effect.
    pub fn payments(&self) -> Vec<Payment> {
        self.payments.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Takes a payment, unless it has taken it before. Every third one is slow before
/// it takes effect, every third one after it.
async fn pay(
    State(payments): State<Payments>,
    headers: HeaderMap,
    Json(Wish { voucher, tool }): Json<Wish>,
) -> Response {
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    let Some(key) = key.map(str::to_owned) else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "no key" }))).into_response();
    };
    let number = payments.lock().unwrap_or_else(PoisonError::into_inner).len();
    if number % 3 == 1 {
        tokio::time::sleep(SLOW).await;
    }
    {
        let mut payments = payments.lock().unwrap_or_else(PoisonError::into_inner);
        let repeated = payments.iter().any(|payment| payment.key == key);
        payments.push(Payment { key: key.clone(), voucher, tool, repeated });
    }
    if number % 3 == 2 {
        tokio::time::sleep(SLOW).await;
    }
    Json(json!({ "receipt": key })).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_payment_with_a_known_key_is_taken_once() -> Result<(), Box<dyn std::error::Error>> {
        let till = Till::start().await?;
        let url = format!("{}/v1/payments", till.url());
        let pay = |key: Option<&str>| {
            let request = crate::http_client().post(&url);
            let request = match key {
                Some(key) => request.header("idempotency-key", key),
                None => request,
            };
            request.json(&json!({ "voucher": "V0000001", "tool": "pay_safe" })).send()
        };
        for (key, status) in [(Some("a"), 200), (Some("a"), 200), (Some("b"), 200), (None, 400)] {
            assert_eq!(pay(key).await?.status().as_u16(), status, "{key:?}");
        }
        let taken: Vec<_> =
            till.payments().into_iter().map(|payment| (payment.key, payment.repeated)).collect();
        assert_eq!(taken, [("a".into(), false), ("a".into(), true), ("b".into(), false)]);
        Ok(())
    }
}
