//! What a request from outside gets when it is refused: enough to correct an
//! honest mistake, nothing that helps an attacker.

use axum::{
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use postern_domain::RequestId;
use serde_json::json;

use crate::keys;

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorCode {
    /// The body is not what the channel sends.
    BadRequest,
    /// The request does not prove where it comes from.
    Unauthorized,
    /// The request comes from a place that may not use this.
    Forbidden,
    /// There is nothing here.
    NotFound,
    /// There is something here, but not for this method.
    MethodNotAllowed,
    /// It cannot be done as things stand.
    Conflict,
    /// The body is too large.
    TooLarge,
    /// The body is of another type.
    UnsupportedType,
    /// Too many requests.
    TooMany,
    /// The host cannot take it now.
    Unavailable,
}

impl ErrorCode {
    const fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::BadRequest => {
                (StatusCode::BAD_REQUEST, "bad_request", "the request cannot be read")
            }
            Self::Unauthorized => {
                (StatusCode::UNAUTHORIZED, "unauthorized", "the request is not authenticated")
            }
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "the request is not allowed"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", "there is nothing here"),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "this method is not served here",
            ),
            Self::Conflict => {
                (StatusCode::CONFLICT, "conflict", "this cannot be done as things stand")
            }
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is too large"),
            Self::UnsupportedType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_type",
                "the body must be application/json",
            ),
            Self::TooMany => {
                (StatusCode::TOO_MANY_REQUESTS, "too_many", "too many requests; try again later")
            }
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "the host cannot take this now; try again",
            ),
        }
    }
}

/// A random id for a request, by which its refusal can be found in the log.
fn request_id() -> RequestId {
    // Without randomness the id is not unique, which harms nobody.
    RequestId::derive(&[&keys::random_token().unwrap_or_default()])
}

/// The answer to a refused request, which is logged and counted.
pub(crate) fn error_reply(channel: &'static str, code: ErrorCode) -> Response {
    let (_, name, message) = code.parts();
    error_reply_saying(channel, code, name, message)
}

/// The same with a name and words of its own, for those who may know more.
pub(crate) fn error_reply_saying(
    channel: &'static str,
    code: ErrorCode,
    name: &str,
    message: &str,
) -> Response {
    let (status, ..) = code.parts();
    let request = request_id();
    tracing::info!(channel, status = status.as_u16(), request.id = request.as_str(), "refused");
    let body = json!({"error": {"code": name, "message": message, "request_id": request}});
    (status, axum::Json(body)).into_response()
}
