//! Requests to servers on loopback.

use std::{sync::Once, time::Duration};

use reqwest::{RequestBuilder, Response};
use serde::de::DeserializeOwned;

use crate::SupportError;

/// An HTTP client for loopback: no proxies, no redirects, ten seconds to
/// connect and no limit on a whole answer, because event streams stay open.
pub fn http_client() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Another part of the process may have chosen one before: then that is
        // as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .build()
        .expect("a client without options that can conflict")
}

/// Sends a request and takes only a success.
pub(crate) async fn checked(request: RequestBuilder, what: &str) -> Result<Response, SupportError> {
    let answer = request.send().await.map_err(SupportError::http(what))?;
    if answer.status().is_success() {
        return Ok(answer);
    }
    let status = answer.status().as_u16();
    let body = answer.text().await.unwrap_or_default().chars().take(500).collect();
    Err(SupportError::Answer { what: what.to_owned(), status, body })
}

/// The JSON body of an answer.
pub(crate) async fn parsed<T: DeserializeOwned>(
    answer: Response,
    what: &str,
) -> Result<T, SupportError> {
    let status = answer.status().as_u16();
    let body = answer.bytes().await.map_err(SupportError::http(what))?;
    serde_json::from_slice(&body).map_err(|problem| SupportError::Answer {
        what: what.to_owned(),
        status,
        body: format!("not the expected JSON: {problem}"),
    })
}
