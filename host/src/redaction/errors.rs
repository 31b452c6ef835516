//! What a listener says when it refuses, cleaned.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};
use serde_json::Value;

use super::clean;

/// Bytes of the longest refusal; of a longer one, nothing is told.
pub const LONGEST_ERROR: usize = 256 * 1024;

/// A layer around everything that a listener serves: bodies of answers with a status
/// from 400 on are cleaned, whoever made them.
pub async fn errors(request: Request, next: Next) -> Response {
    let answer = next.run(request).await;
    if !answer.status().is_client_error() && !answer.status().is_server_error() {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let body = to_bytes(body, LONGEST_ERROR).await.unwrap_or_default();
    let is_json = parts
        .headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    let body = cleaned(&body, is_json).unwrap_or(body);
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    Response::from_parts(parts, Body::from(body))
}

/// The body without anything personal; none if there is nothing in it. Bytes that are
/// no text cannot be looked through and are left out.
fn cleaned(body: &[u8], is_json: bool) -> Option<Bytes> {
    let Ok(text) = std::str::from_utf8(body) else { return Some(Bytes::new()) };
    let plain = clean(text);
    if plain == text {
        return None;
    }
    // A number in JSON cannot become a word without quotes.
    let json: Option<Value> = if is_json { serde_json::from_str(text).ok() } else { None };
    Some(match json {
        None => Bytes::from(plain.into_owned()),
        Some(mut json) => {
            walk(&mut json);
            let text = json.to_string();
            // What only shows in several members together.
            if clean(&text) == text { Bytes::from(text) } else { Bytes::new() }
        }
    })
}

fn walk(value: &mut Value) {
    match value {
        Value::String(text) => *text = clean(text).into_owned(),
        Value::Number(number) => {
            let text = number.to_string();
            if let std::borrow::Cow::Owned(clean) = clean(&text) {
                *value = Value::String(clean);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(walk),
        Value::Object(members) => {
            let inside = std::mem::take(members).into_iter();
            members.extend(inside.map(|(name, mut member)| {
                walk(&mut member);
                (clean(&name).into_owned(), member)
            }));
        }
        Value::Null | Value::Bool(_) => {}
    }
}
