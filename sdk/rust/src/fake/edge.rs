//! Requests, answered as a scenario says.

use postern_scenario::{self as format, Edge, Met};

use crate::{
    HostError, HostErrorKind,
    http::{Method, Request, Response},
};

/// The answer of a scenario's edge.
pub(super) fn ask(edge: &mut Edge, request: &Request) -> Result<Response, HostError> {
    match edge.ask(&plain(request)) {
        Met::Answer(format::Answer::Response { status, headers, body }) => {
            Ok(Response { status, headers, body })
        }
        Met::Answer(format::Answer::Lost) | Met::Nothing(_) => {
            let kind = if request.idempotent {
                HostErrorKind::Unavailable
            } else {
                HostErrorKind::Uncertain
            };
            Err(HostError::new(kind, "the server did not answer in time"))
        }
    }
}

/// A request as scenarios compare it.
fn plain(request: &Request) -> format::Request {
    let url = request.url.split('#').next().unwrap_or_default();
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    });
    format::Request {
        method: match request.method {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
        .to_owned(),
        host: host.to_owned(),
        path: path.to_owned(),
        query: pairs.collect(),
        headers: request.headers.clone(),
        body: request.body.clone(),
    }
}

/// A part of a query, decoded (URL Standard, "application/x-www-form-urlencoded
/// parsing").
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        rest = more;
        let hex = |byte: u8| char::from(byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
        match (first, more) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [a, b, more @ ..]) => match (hex(*a), hex(*b)) {
                (Some(a), Some(b)) => {
                    bytes.push(a * 16 + b);
                    rest = more;
                }
                _ => bytes.push(b'%'),
            },
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let plain = plain(&Request::get("https://a.example:8443/v1/x%2Fy?q=a+b&c=%C3%A9&d#e"));
        assert_eq!((plain.host.as_str(), plain.path.as_str()), ("a.example:8443", "/v1/x%2Fy"));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(plain.query, [pair("q", "a b"), pair("c", "é"), pair("d", "")]);
        assert_eq!(super::plain(&Request::get("https://a.example")).path, "/");
        assert_eq!(decoded("100%"), "100%");
    }
}
