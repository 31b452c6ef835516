//! Reads an answer within the bounds of its grant.

use postern_domain::{CallFailure, FailureKind, HostReply, HttpResponse};
use reqwest::{
    Response,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap},
};
use tokio::time::Instant;

use super::{headers, lost::lost, screen::Screen, secrets::Scanner};
use crate::config::HttpGrant;

/// Headers of an answer.
pub(super) const MOST_HEADERS: usize = 100;
/// Bytes of all headers of an answer.
const MOST_HEADER_BYTES: usize = 32 * 1024;

/// Reads an answer, until the time of its grant is up. `repeatable`: whether the
/// request does no harm if it is sent again; if it is not, an answer that cannot
/// be read leaves its effect unknown.
pub(super) async fn read(
    response: Response,
    grant: &HttpGrant,
    screen: &Screen,
    until: Instant,
    repeatable: bool,
) -> Result<HostReply, CallFailure> {
    let unread = |kind, reason: String| {
        let kind = if repeatable { kind } else { FailureKind::Uncertain };
        CallFailure::new(kind, reason)
    };
    let status = response.status();
    let size = |headers: &HeaderMap| -> usize {
        headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
    };
    if size(response.headers()) > MOST_HEADER_BYTES {
        let reason = format!("the answer has more than {MOST_HEADER_BYTES} bytes of headers");
        return Err(unread(FailureKind::Limited, reason));
    }
    let headers = shown(response.headers());
    let typed = readable(response.headers(), grant);
    let body = match typed {
        Ok(has_type) => {
            let body = within(response, grant.response_bytes, repeatable).await?;
            let body = body.map_err(|reason| unread(FailureKind::Limited, reason))?;
            if has_type || body.is_empty() {
                body
            } else if status.is_success() {
                let reason = "the answer has a body without a content type".to_owned();
                return Err(unread(FailureKind::Unavailable, reason));
            } else {
                Vec::new()
            }
        }
        Err(reason) if status.is_success() => return Err(unread(FailureKind::Denied, reason)),
        // Of a refusal or redirect the status says enough.
        Err(_) => Vec::new(),
    };
    let size = body.len() + headers.iter().map(|(_, value)| value.len()).sum::<usize>();
    let masked = screen.run(size, until, |scanner| (without(scanner, headers), scanner.mask(body)));
    let Some((headers, body)) = masked.await else {
        let reason = "to look for secrets in the answer took too long".to_owned();
        return Err(unread(FailureKind::Unavailable, reason));
    };
    Ok(HostReply::Http { response: HttpResponse { status: status.as_u16(), headers, body } })
}

/// The headers that a skill gets to see.
fn shown(headers: &HeaderMap) -> Vec<(String, String)> {
    let shown = headers.iter().filter(|(name, _)| headers::is_shown(name));
    shown
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect()
}

/// Headers without secrets.
fn without(scanner: &Scanner, headers: Vec<(String, String)>) -> Vec<(String, String)> {
    let masked = |value: String| String::from_utf8(scanner.mask(value.into_bytes())).ok();
    headers.into_iter().filter_map(|(name, value)| Some((name, masked(value)?))).collect()
}

/// Whether the headers announce a body that the grant lets in; `Ok(false)` if
/// they announce none.
fn readable(headers: &HeaderMap, grant: &HttpGrant) -> Result<bool, String> {
    // A few bytes can unpack to any number.
    let is_plain = |value: &[u8]| value.eq_ignore_ascii_case(b"identity") || value.is_empty();
    if !headers.get_all(CONTENT_ENCODING).iter().all(|value| is_plain(value.as_bytes())) {
        return Err("the answer is compressed, which was not asked for".to_owned());
    }
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let content_type = match (types.next(), types.next()) {
        (None, _) => return Ok(false),
        (Some(one), None) => one.to_str().unwrap_or_default(),
        (Some(_), Some(_)) => return Err("the answer has two content types".to_owned()),
    };
    if !headers::is_readable(content_type) {
        return Err("the answer's charset is none of utf-8, us-ascii and iso-8859-1".to_owned());
    }
    if grant.content_types.iter().any(|pattern| pattern.matches(content_type)) {
        return Ok(true);
    }
    let known: Vec<String> = grant.content_types.iter().map(ToString::to_string).collect();
    Err(format!(
        "the answer's content type is not granted, only {}: the operator can add it to \
         `content_types` of the grant",
        known.join(", ")
    ))
}

/// The body, or why it is too large.
async fn within(
    mut response: Response,
    most: usize,
    repeatable: bool,
) -> Result<Result<Vec<u8>, String>, CallFailure> {
    let too_large = || Ok(Err(format!("the answer has more than {most} bytes")));
    if response.content_length().is_some_and(|length| length > most as u64) {
        return too_large();
    }
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > most => return too_large(),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(Ok(body)),
            Err(error) => return Err(lost(&error, repeatable)),
        }
    }
}
