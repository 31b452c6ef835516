//! The network of a scenario.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use postern_scenario as format;
use reqwest::{Request, Response};

use crate::effects::http::Edge;

/// Answers requests as a scenario says.
pub(super) struct Pretence(Mutex<format::Edge>);

impl Pretence {
    pub(super) fn new(answers: &[format::HttpAnswer]) -> Self {
        Self(Mutex::new(format::Edge::new(answers)))
    }

    /// What was asked until now.
    pub(super) fn look<T>(&self, look: impl FnOnce(&format::Edge) -> T) -> T {
        look(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Edge for Pretence {
    async fn answer(&self, request: Request) -> Option<Response> {
        let asked = asked(&request);
        let met = self.0.lock().unwrap_or_else(PoisonError::into_inner).ask(&asked);
        match met {
            format::Met::Answer(format::Answer::Response { status, headers, body }) => {
                let mut response = axum::http::Response::builder().status(status);
                for (name, value) in headers {
                    response = response.header(name, value);
                }
                response.body(body).ok().map(Response::from)
            }
            format::Met::Answer(format::Answer::Lost) | format::Met::Nothing(_) => None,
        }
    }
}

fn asked(request: &Request) -> format::Request {
    let url = request.url();
    let host = match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => String::new(),
    };
    let text = |value: &reqwest::header::HeaderValue| {
        String::from_utf8_lossy(value.as_bytes()).into_owned()
    };
    format::Request {
        method: request.method().as_str().to_owned(),
        host,
        path: url.path().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        headers: request.headers().iter().map(|(n, v)| (n.to_string(), text(v))).collect(),
        body: request.body().and_then(|body| body.as_bytes()).unwrap_or_default().to_vec(),
    }
}
