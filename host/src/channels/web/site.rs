//! Which site a request is for, and whether its origin may use it.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{Chat, refuse};
use crate::{
    channels::ErrorCode,
    http::{is_own, origin},
};

/// Seconds for which a browser may remember a preflight.
const PREFLIGHT_S: &str = "600";

/// Lets a request pass if its site exists and its origin, where a browser names
/// one, is the page's own or one that the operator listed (WHATWG Fetch, 3.2).
pub(super) async fn check(
    State(chat): State<Arc<Chat>>,
    site: Result<Path<String>, PathRejection>,
    request: Request,
    next: Next,
) -> Response {
    let site = site.ok().and_then(|Path(name)| chat.app.config.web.get(&name));
    let Some(site) = site else { return refuse(ErrorCode::NotFound) };
    let listed = match origin(request.headers()) {
        Ok(None) => None,
        Ok(Some(origin)) if is_own(origin, request.headers()) => None,
        Ok(Some(origin)) if site.origins.iter().any(|known| known == origin) => {
            HeaderValue::from_str(origin).ok()
        }
        Ok(Some(_)) | Err(()) => return refuse(ErrorCode::Forbidden),
    };
    let mut response = match (&listed, request.method()) {
        (Some(_), &Method::OPTIONS) => preflight(),
        (Some(_) | None, _) => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = listed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers
            .insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
    }
    response
}

/// Scripts of listed origins send their token as a header: without
/// `Access-Control-Allow-Credentials`, no cookie travels.
fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, last-event-id"),
        (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_S),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}
