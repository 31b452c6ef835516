//! Which headers a skill may send, which it gets to see, and which types of
//! answers it may read.

use std::fmt;

use postern_domain::{CallFailure, FailureKind};
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};

/// Headers of a request.
const MOST_HEADERS: usize = 32;
/// Bytes of a header's name.
const MOST_NAME_BYTES: usize = 64;
/// Bytes of a header's value.
const MOST_VALUE_BYTES: usize = 2_048;

/// What every skill may send. `range` is not among them: it would let a skill
/// fetch an echoed secret in pieces, which nobody would recognise.
const EVERYBODYS: [&str; 9] = [
    "accept",
    "accept-language",
    "content-language",
    "content-type",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "prefer",
];

/// Those of them that are lists and may stand several times (RFC 9110, 5.3).
const LISTS: [&str; 5] = ["accept", "accept-language", "if-match", "if-none-match", "prefer"];

/// What frames or routes a message, negotiates its encoding, or cuts answers in
/// pieces: never a skill's, and never a place for a secret.
const FRAMING: [&str; 21] = [
    "accept-charset",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "idempotency-key",
    "if-range",
    "keep-alive",
    "max-forwards",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
];

/// What says who asks, or makes the server see another method or path than we do.
const TELLING: [&str; 14] = [
    "authorization",
    "cookie",
    "cookie2",
    "from",
    "origin",
    "referer",
    "x-client-ip",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
    "x-url-scheme",
];

/// What a skill sees of an answer. `content-length` is not among them: with it,
/// masking would tell how long a secret is.
const ANSWERS: [&str; 27] = [
    "age",
    "allow",
    "cache-control",
    "content-disposition",
    "content-language",
    "content-type",
    "date",
    "deprecation",
    "etag",
    "expires",
    "last-modified",
    "link",
    "location",
    "preference-applied",
    "ratelimit",
    "ratelimit-limit",
    "ratelimit-policy",
    "ratelimit-remaining",
    "ratelimit-reset",
    "retry-after",
    "sunset",
    "vary",
    "x-correlation-id",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
];

/// Charsets of answers.
const CHARSETS: [&str; 4] = ["utf-8", "utf8", "us-ascii", "iso-8859-1"];

/// Whether a header is a part of the message's frame.
pub(crate) fn frames(name: &HeaderName) -> bool {
    let name = name.as_str();
    FRAMING.contains(&name) || name.starts_with("proxy-") || name.starts_with("x-forwarded-")
}

/// Whether no grant can let a skill set a header.
pub(crate) fn is_reserved(name: &HeaderName) -> bool {
    frames(name) || TELLING.contains(&name.as_str()) || name.as_str().starts_with("sec-")
}

/// Whether a skill gets to see a header of an answer.
pub(super) fn is_shown(name: &HeaderName) -> bool {
    ANSWERS.contains(&name.as_str())
}

/// A header's value of printable ASCII: beyond that, servers differ (RFC 9110,
/// 5.5).
pub(crate) fn printable(text: &str) -> Option<HeaderValue> {
    let is_printable = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    HeaderValue::from_str(text).ok().filter(|_| is_printable)
}

/// Whether headers are few and short enough to be looked at.
pub(super) fn bounded(given: &[(String, String)]) -> Result<(), CallFailure> {
    if given.len() > MOST_HEADERS {
        return Err(CallFailure::invalid(format!("a request has at most {MOST_HEADERS} headers")));
    }
    if given.iter().any(|(n, v)| n.len() > MOST_NAME_BYTES || v.len() > MOST_VALUE_BYTES) {
        return Err(CallFailure::invalid(format!(
            "a header's name has at most {MOST_NAME_BYTES} bytes, its value {MOST_VALUE_BYTES}"
        )));
    }
    Ok(())
}

/// A skill's own headers: those that every skill may send, and those `granted`,
/// but none in which a secret travels to this endpoint.
pub(super) fn request(
    given: &[(String, String)],
    granted: &[HeaderName],
    of_secrets: &[&str],
    place: &str,
) -> Result<HeaderMap, CallFailure> {
    bounded(given)?;
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let (Ok(name), Some(value)) = (HeaderName::from_bytes(name.as_bytes()), printable(value))
        else {
            return Err(CallFailure::invalid("a header's name or value is not valid"));
        };
        if of_secrets.contains(&name.as_str()) {
            let reason = format!("header {name} is for a secret: name the secret instead");
            return Err(CallFailure::new(FailureKind::Denied, reason));
        }
        let is_open =
            EVERYBODYS.contains(&name.as_str()) || (granted.contains(&name) && !is_reserved(&name));
        if !is_open {
            let reason = if is_reserved(&name) {
                format!("header {name} is set by the host alone: leave it out")
            } else {
                format!(
                    "header {name} is not granted: the operator can add it to `headers` of {place}"
                )
            };
            return Err(CallFailure::new(FailureKind::Denied, reason));
        }
        // An answer in another charset would show secrets as bytes that nobody
        // recognises.
        if name == ACCEPT && has_charset(value.as_bytes()) {
            let reason = "`accept` names no charset: leave it out, answers are UTF-8";
            return Err(CallFailure::invalid(reason));
        }
        if headers.contains_key(&name) && !LISTS.contains(&name.as_str()) {
            return Err(CallFailure::invalid(format!("header {name} stands there twice")));
        }
        headers.append(name, value);
    }
    Ok(headers)
}

fn has_charset(value: &[u8]) -> bool {
    value.windows(7).any(|word| word.eq_ignore_ascii_case(b"charset"))
}

/// Whether a `content-type` names a charset in which ASCII is written as ASCII,
/// or none.
pub(super) fn is_readable(content_type: &str) -> bool {
    content_type.split(';').skip(1).filter(|part| has_charset(part.as_bytes())).all(|part| {
        let value = part.split_once('=').filter(|(n, _)| n.trim().eq_ignore_ascii_case("charset"));
        value.is_some_and(|(_, value)| {
            let value = value.trim().trim_matches('"');
            CHARSETS.iter().any(|known| value.eq_ignore_ascii_case(known))
        })
    })
}

/// A type of content, in which a `*` stands for any characters but a slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaPattern {
    kind: String,
    /// What stands before and after the star, or the whole subtype.
    subtype: (String, Option<String>),
}

impl MediaPattern {
    /// Reads a pattern such as `application/json`, `text/*` or
    /// `application/*+json`.
    ///
    /// # Errors
    /// It is not a type and a subtype with at most one star.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "is not a type such as application/json, text/* or application/*+json";
        let text = text.to_ascii_lowercase();
        let (kind, subtype) = text.split_once('/').ok_or_else(wrong)?;
        let (before, after) = match subtype.split_once('*') {
            None => (subtype, None),
            Some((before, after)) => (before, Some(after)),
        };
        let is_word = |word: &str| word.bytes().all(is_token);
        let fits = text.len() <= 100
            && !kind.is_empty()
            && !subtype.is_empty()
            && [kind, before, after.unwrap_or_default()].into_iter().all(is_word);
        if !fits {
            return Err(wrong().to_owned());
        }
        let subtype = (before.to_owned(), after.map(str::to_owned));
        Ok(Self { kind: kind.to_owned(), subtype })
    }

    /// Whether a `content-type`, with or without parameters, fits.
    pub fn matches(&self, content_type: &str) -> bool {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        let essence = essence.to_ascii_lowercase();
        let Some((kind, subtype)) = essence.split_once('/') else { return false };
        let fits = match &self.subtype {
            (whole, None) => subtype == whole,
            (before, Some(after)) => {
                subtype.len() > before.len() + after.len()
                    && subtype.starts_with(before.as_str())
                    && subtype.ends_with(after.as_str())
            }
        };
        kind == self.kind && fits && subtype.bytes().all(is_token)
    }
}

impl fmt::Display for MediaPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subtype {
            (whole, None) => write!(f, "{}/{whole}", self.kind),
            (before, Some(after)) => write!(f, "{}/{before}*{after}", self.kind),
        }
    }
}

/// RFC 9110, 5.6.2, without the star.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#' | b'$' | b'&' | b'-' | b'^' | b'_' | b'.' | b'+')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(name: &str, value: &str) -> Result<HeaderMap, CallFailure> {
        let granted = [HeaderName::from_static("x-client"), HeaderName::from_static("cookie")];
        request(&[(name.into(), value.into())], &granted, &["x-key", "accept"], "the grant")
    }

    #[test]
    fn no_charset_is_asked_for() {
        let granted = |value: &str| request(&[("accept".into(), value.into())], &[], &[], "g");
        assert!(granted("text/plain, application/json;q=0.5").is_ok());
        for value in ["text/plain;charset=UTF-16", "text/plain; Charset = utf-8", "a/b;CHARSET=x"] {
            assert_eq!(granted(value).unwrap_err().kind, FailureKind::Invalid, "{value}");
        }
    }

    #[test]
    fn only_charsets_that_hold_ascii_are_read() {
        for fine in
            ["a/b", "a/b; charset=UTF-8", "a/b;x=y; charset=\"utf-8\"", "a/b;charset=iso-8859-1"]
        {
            assert!(is_readable(fine), "{fine}");
        }
        for other in [
            "a/b;charset=utf-16",
            "a/b; charset = UTF-16LE",
            "a/b;charset=utf-8;charset=utf-32",
            "a/b;charset*=utf-8''utf-16",
            "a/b;charset",
            "a/b;charset=",
            "a/b;charset=ibm037",
            "a/b;charset=utf-7",
        ] {
            assert!(!is_readable(other), "{other}");
        }
    }

    #[test]
    fn only_what_is_listed_or_granted_is_sent() {
        assert!(ask("Content-Type", "application/json").is_ok());
        assert!(ask("X-Client", "1").is_ok());
        for name in [
            "Host",
            "Content-Length",
            "Transfer-Encoding",
            "Connection",
            "TE",
            "Upgrade",
            "Expect",
            "Authorization",
            "Cookie",
            "Range",
            "Accept-Encoding",
            "User-Agent",
            "Idempotency-Key",
            "X-Forwarded-For",
            "X-HTTP-Method-Override",
            "Proxy-Connection",
            "x-unknown",
            "x-key",
            "accept",
        ] {
            assert_eq!(ask(name, "x").unwrap_err().kind, FailureKind::Denied, "{name}");
        }
    }

    #[test]
    fn nothing_can_be_smuggled_into_a_header() {
        for (name, value) in [
            ("x-client", "a\r\nHost: b"),
            ("x-client", "a\nb"),
            ("x-client", "a\0b"),
            ("x-client", "ä"),
            ("x-client\r\nhost", "b"),
            ("x-client:", "b"),
            ("x client", "b"),
            ("", "b"),
            ("x-client", &"a".repeat(2_049)),
            (&"x".repeat(65), "a"),
        ] {
            assert_eq!(ask(name, value).unwrap_err().kind, FailureKind::Invalid, "{name:?}");
        }
        let twice = vec![("content-type".to_owned(), "text/plain".to_owned()); 2];
        assert!(request(&twice, &[], &[], "").is_err());
        let lists = vec![("accept".to_owned(), "text/plain".to_owned()); 2];
        assert_eq!(request(&lists, &[], &[], "").unwrap().get_all("accept").iter().count(), 2);
        let many = vec![("accept".to_owned(), "text/plain".to_owned()); 33];
        assert!(request(&many, &[], &[], "").is_err());
    }

    #[test]
    fn types_match_by_their_essence() {
        let matches =
            |pattern: &str, given: &str| MediaPattern::parse(pattern).unwrap().matches(given);
        for (pattern, given) in [
            ("application/json", "application/json"),
            ("application/json", "Application/JSON; charset=utf-8"),
            ("application/*+json", "application/problem+json"),
            ("text/*", "text/csv ; a=b"),
        ] {
            assert!(matches(pattern, given), "{pattern} {given}");
        }
        for (pattern, given) in [
            ("application/json", "application/jsonp"),
            ("application/*+json", "application/+json"),
            ("application/*+json", "application/json"),
            ("text/*", "text/"),
            ("text/*", "textual/plain"),
            ("text/*", "text"),
            ("text/*", "text/plain, application/zip"),
            ("text/*", ""),
        ] {
            assert!(!matches(pattern, given), "{pattern} {given}");
        }
        for bad in ["", "*", "*/*", "json", "text/", "/x", "text/*/*", "text/**", "text/a b"] {
            assert!(MediaPattern::parse(bad).is_err(), "{bad}");
        }
    }
}
