//! What the listeners share: pages with strict headers, credentials in headers,
//! and the sign of life.

#[cfg(test)]
pub(crate) mod fixture;

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{Html, IntoResponse as _, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    app::App,
    channels::{ErrorCode, error_reply},
};

/// `GET /healthz`: 200 if the store answers, 503 otherwise, and nothing more,
/// because anybody may ask.
pub(crate) fn health(app: Arc<App>) -> Router {
    Router::new().route("/healthz", get(healthz)).with_state(app)
}

async fn healthz(State(app): State<Arc<App>>) -> Response {
    match app.store.backlog().await {
        Ok(_) => ([(header::CACHE_CONTROL, "no-store")], "ok\n").into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the store does not answer");
            error_reply("health", ErrorCode::Unavailable)
        }
    }
}

/// Other sites learn nothing from our addresses. With `no-referrer`, browsers
/// would send our own forms with the origin `null` (WHATWG Fetch, "append a
/// request `Origin` header").
pub(crate) const REFERRER: &str = "same-origin";

/// A page, with headers that let it do only what `policy` says (Content
/// Security Policy, W3C CSP3).
pub(crate) fn page(status: StatusCode, template: &impl Template, policy: &str) -> Response {
    let html = match template.render() {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a page cannot be rendered");
            return error_reply("page", ErrorCode::Unavailable);
        }
    };
    let headers: [(HeaderName, &str); 6] = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, REFERRER),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    (status, headers, Html(html)).into_response()
}

/// The source expression that lets exactly this inline text in (CSP3, 2.3.1).
pub(crate) fn source_of(text: &str) -> String {
    let digest = postern_domain::Digest::of_bytes(text.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(digest.as_bytes()))
}

/// The token of `Authorization: Bearer` (RFC 6750, 2.1).
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The value of a cookie (RFC 6265, 5.4).
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// The only `Origin` of a request; `Err` if there are several or none that can
/// be read.
pub(crate) fn origin(headers: &HeaderMap) -> Result<Option<&str>, ()> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) => Ok(None),
        (Some(origin), None) => origin.to_str().map(Some).map_err(|_| ()),
        (Some(_), Some(_)) => Err(()),
    }
}

/// Whether an origin is the host to which the request was sent. The scheme is
/// left open, because TLS may end at a proxy before us.
pub(crate) fn is_own(origin: &str, headers: &HeaderMap) -> bool {
    let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    matches!((authority, host), (Some(a), Some(b)) if a.eq_ignore_ascii_case(b))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn credentials_are_read_by_their_exact_name() {
        let given = headers(&[
            (header::AUTHORIZATION, "bearer abc"),
            (header::COOKIE, "x=1; token=t1 ;tokens=2"),
        ]);
        assert_eq!(bearer(&given), Some("abc"));
        assert_eq!(cookie(&given, "token"), Some("t1"));
        assert_eq!(cookie(&given, "oken"), None);
        assert_eq!(bearer(&headers(&[(header::AUTHORIZATION, "Basic abc")])), None);
    }

    #[test]
    fn an_origin_is_own_only_with_the_same_host_and_port() {
        let given = headers(&[(header::HOST, "chat.example:8080")]);
        for (origin, own) in [
            ("http://chat.example:8080", true),
            ("https://CHAT.example:8080", true),
            ("http://chat.example", false),
            ("http://chat.example:8080.evil.example", false),
            ("null", false),
            ("ftp://chat.example:8080", false),
        ] {
            assert_eq!(is_own(origin, &given), own, "{origin}");
        }
    }

    #[test]
    fn several_origins_are_no_origin() {
        let mut given = headers(&[(header::ORIGIN, "http://a.example")]);
        assert_eq!(origin(&given), Ok(Some("http://a.example")));
        given.append(header::ORIGIN, HeaderValue::from_static("http://b.example"));
        assert_eq!(origin(&given), Err(()));
    }
}
