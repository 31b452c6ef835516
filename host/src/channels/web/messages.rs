//! `POST /chat/{site}/messages`: a visitor writes.

use std::sync::{Arc, PoisonError};

use axum::{
    Json,
    extract::{FromRequest as _, Path, Request, State, rejection::JsonRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use postern_domain::{Channel, InboundKind, InboundMessage};
use postern_store::Accepted;
use serde::Deserialize;
use serde_json::json;

use super::{Chat, refuse, refuse_for, session};
use crate::channels::ErrorCode;

/// Characters of a message.
const MOST_CHARACTERS: usize = 4_000;
/// Characters of a client's own id for a message.
const MOST_ID: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    /// The client's own id: the same again is the same message.
    id: String,
    text: String,
}

impl Sent {
    fn is_acceptable(&self) -> bool {
        let id = (1..=MOST_ID).contains(&self.id.len())
            && self.id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        id && !self.text.trim().is_empty() && self.text.chars().count() <= MOST_CHARACTERS
    }
}

/// One message: visitor → rate → size, type and shape → keep → 202.
pub(super) async fn take(
    State(chat): State<Arc<Chat>>,
    Path(site): Path<String>,
    request: Request,
) -> Response {
    let Some(visitor) = session::visitor(&chat, &site, request.headers()) else {
        return refuse(ErrorCode::Unauthorized);
    };
    let now = chat.app.clock.now();
    let rate = chat.rates.lock().unwrap_or_else(PoisonError::into_inner).take(&visitor.id, now);
    if let Err(seconds) = rate {
        return refuse_for(ErrorCode::TooMany, seconds);
    }
    let language = language(request.headers());
    let Json(sent) = match Json::<Sent>::from_request(request, &()).await {
        Ok(sent) => sent,
        Err(rejection) => return refuse(code_of(&rejection)),
    };
    if !sent.is_acceptable() {
        return refuse(ErrorCode::BadRequest);
    }
    let message = InboundMessage {
        channel: Channel::Web,
        account: site,
        dedupe_key: format!("{}:{}", visitor.id, sent.id),
        chat: visitor.id.clone(),
        sender: visitor.id,
        external_id: sent.id,
        private: true,
        kind: InboundKind::Text,
        text: sent.text,
        language,
        received_at: now,
    };
    let id = message.id();
    match chat.app.intake.accept(message).await {
        Ok(accepted) => {
            let duplicate = match accepted {
                Accepted::New => false,
                Accepted::Duplicate => true,
            };
            let body = json!({ "message": id, "duplicate": duplicate });
            (StatusCode::ACCEPTED, Json(body)).into_response()
        }
        Err(_) => refuse_for(ErrorCode::Unavailable, 1),
    }
}

pub(super) fn code_of(rejection: &JsonRejection) -> ErrorCode {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::TooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ErrorCode::UnsupportedType,
        _ => ErrorCode::BadRequest,
    }
}

/// The first language that the browser asks for (RFC 9110, 12.5.4).
fn language(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    let tag = value.split([',', ';']).next()?.trim();
    // RFC 5646, 4.4.1: 35 characters are enough.
    let fits = (2..=35).contains(&tag.len())
        && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    fits.then(|| tag.to_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_bounded_messages_are_acceptable() {
        let check = |id: &str, text: &str, fine: bool| {
            let sent = Sent { id: id.to_owned(), text: text.to_owned() };
            assert_eq!(sent.is_acceptable(), fine, "{id} {}", text.len());
        };
        check("m-1_A", "hi", true);
        check(&"x".repeat(64), &"😀".repeat(4_000), true);
        check("", "hi", false);
        check(&"x".repeat(65), "hi", false);
        check("a b", "hi", false);
        check("ä", "hi", false);
        check("m1", " \n", false);
        check("m1", &"x".repeat(4_001), false);
    }

    #[test]
    fn the_longest_message_of_any_script_fits_the_body() {
        let body = json!({ "id": "x".repeat(64), "text": "😀".repeat(4_000) }).to_string();
        assert!(body.len() <= super::super::MOST_BODY_BYTES, "{}", body.len());
    }

    #[test]
    fn the_language_is_the_first_tag_or_nothing() {
        let check = |given: &'static str, tag: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(given));
            assert_eq!(language(&headers).as_deref(), tag, "{given}");
        };
        check("de-CH,de;q=0.9,en;q=0.8", Some("de-CH"));
        check("en;q=0.5", Some("en"));
        check("*", None);
        check("x<script>", None);
    }
}
