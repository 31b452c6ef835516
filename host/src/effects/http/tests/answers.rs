//! What a skill gets to see of an answer.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use postern_domain::{CallFailure, FailureKind, HttpResponse};

use super::fixture::*;

/// What `tester` gets for these bytes under this grant.
async fn got(bytes: impl Into<Vec<u8>>, grant: &str) -> Result<HttpResponse, CallFailure> {
    let server = Server::answering(bytes).await;
    let client = client_of(&server, grant);
    send(&client, get(format!("http://127.0.0.1:{}/v1/x", server.port))).await
}

async fn refused(bytes: impl Into<Vec<u8>>, grant: &str, kind: FailureKind, reason: &str) {
    let failure = got(bytes, grant).await.unwrap_err();
    assert_eq!(failure.kind, kind, "{}", failure.message);
    assert!(failure.message.contains(reason), "{}", failure.message);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_each_hop_a_request_of_its_own() {
    let inner = Server::answering(json("\"internal\"")).await;
    let target = format!("http://127.0.0.1:{}/metadata", inner.port);
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let location = format!("location: {target}");
        let server = Server::answering(answer(status, &[&location], "")).await;
        let client = client_of(&server, "");
        let url = format!("http://127.0.0.1:{}/v1/x", server.port);
        let response = send(&client, get(url)).await.unwrap();
        assert_eq!(response.status.to_string(), status[..3]);
        assert!(response.headers.contains(&("location".into(), target.clone())), "{response:?}");
        let hop = send(&client, get(&*target)).await.unwrap_err();
        assert_eq!(hop.kind, FailureKind::Denied, "the next hop was not judged by itself");
    }
    assert!(inner.by_connection().is_empty(), "somebody followed a redirect");
}

#[tokio::test]
async fn an_echoed_secret_is_masked_in_body_and_headers() {
    let server = Server::with(|request| {
        let key = request.lines().find_map(|line| line.strip_prefix("x-key: ")).unwrap();
        let hex: String = key.bytes().map(|byte| format!("{byte:02X}")).collect();
        let percent: String = key.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let json: String = key.bytes().map(|byte| format!("\\u00{byte:02x}")).collect();
        let encoded = STANDARD.encode(key);
        let url_safe = encoded.replace('+', "-").replace('/', "_");
        let body = [key, &hex, &percent, &json, &encoded, &url_safe].join("\", \"");
        let location = format!("location: https://a.example/?k={percent}");
        let etag = format!("etag: \"{encoded}\"");
        let headers = ["content-type: application/json", &location, &etag];
        answer("200 OK", &headers, &format!("[\"{body}\"]"))
    })
    .await;
    let client = client_of(&server, "secrets = [\"token\"]");
    let mut request = get(format!("http://127.0.0.1:{}/v1/echo", server.port));
    request.secrets = vec!["token".into()];
    let response = send(&client, request).await.unwrap();
    assert!(server.only().contains(TOKEN), "the server got the secret");
    let body = String::from_utf8(response.body).unwrap();
    assert_eq!(body.matches("[redacted]").count(), 6, "{body}");
    let texts = response.headers.iter().map(|(_, value)| value).chain([&body]);
    for text in texts {
        for piece in ["tok", "1234", "746F6B", "%74%6f", "u0074", "dG9r", "MTIzN"] {
            assert!(!text.contains(piece), "{piece} in {text}");
        }
    }
}

#[tokio::test]
async fn only_harmless_headers_are_shown() {
    let headers = [
        "content-type: text/plain",
        "etag: \"1\"",
        "retry-after: 5",
        "set-cookie: session=1",
        "www-authenticate: Basic",
        "server: nginx",
        "x-internal: 10.0.0.1",
    ];
    let response = got(answer("200 OK", &headers, "hello"), "").await.unwrap();
    let mut names: Vec<_> = response.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-type", "etag", "retry-after"]);
    assert_eq!(response.body, b"hello");
}

#[tokio::test]
async fn content_types_are_those_of_the_grant() {
    let typed =
        |content_type: &str| answer("200 OK", &[&format!("content-type: {content_type}")], "{}");
    for fine in ["application/json", "application/problem+json; charset=utf-8", "text/csv"] {
        assert_eq!(got(typed(fine), "").await.unwrap().body, b"{}", "{fine}");
    }
    let denied = FailureKind::Denied;
    refused(typed("application/zip"), "", denied, "`content_types`").await;
    refused(typed("image/png"), "", denied, "content type is not granted").await;
    refused(typed("text/html"), "content_types = [\"application/json\"]", denied, "only applic")
        .await;
    let twice = ["content-type: text/plain", "content-type: application/zip"];
    refused(answer("200 OK", &twice, "x"), "", denied, "two content types").await;
    let untyped = answer("200 OK", &[], "x");
    refused(untyped, "", FailureKind::Unavailable, "without a content type").await;
    // A refusal of the server is told, without what it says.
    let page = answer("404 Not Found", &["content-type: image/png"], "x");
    let response = got(page, "").await.unwrap();
    assert_eq!((response.status, response.body.len()), (404, 0));
}

#[tokio::test]
async fn compressed_answers_are_not_unpacked() {
    for encoding in ["gzip", "br", "deflate", "zstd", "identity, gzip", "x-unknown"] {
        let header = format!("content-encoding: {encoding}");
        let bomb = answer("200 OK", &["content-type: application/json", &header], "\u{1f}\u{8b}");
        refused(bomb, "", FailureKind::Denied, "compressed").await;
    }
    let plain = ["content-type: application/json", "content-encoding: identity"];
    assert!(got(answer("200 OK", &plain, "{}"), "").await.is_ok());
}

#[tokio::test]
async fn no_charset_hides_an_echoed_secret() {
    let utf16: Vec<u8> = TOKEN.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let typed = |content_type: &str| {
        let length = utf16.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n"
        );
        [head.as_bytes(), &utf16].concat()
    };
    for other in ["text/plain; charset=UTF-16", "text/plain;charset=\"utf-32\""] {
        refused(typed(other), "", FailureKind::Denied, "charset is none of").await;
    }
    // A server that does not say so gains nothing.
    for silent in ["text/plain", "text/plain; charset=utf-8"] {
        let body = got(typed(silent), "").await.unwrap().body;
        assert_eq!(body, b"[redacted]\0", "{silent}");
    }
}

#[tokio::test]
async fn a_secret_in_a_large_answer_is_masked() {
    let filler = "x".repeat(100_000);
    let answer = answer("200 OK", &["content-type: text/plain"], &format!("{filler}{TOKEN}"));
    let body = got(answer, "").await.unwrap().body;
    assert_eq!(body, format!("{filler}[redacted]").into_bytes());
}
