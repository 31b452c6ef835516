//! Size and time of an answer.

use std::time::Duration;

use postern_domain::{CallFailure, FailureKind, HttpRequest, HttpResponse};
use tokio::{io::AsyncWriteExt as _, net::TcpListener};

use super::fixture::*;

async fn sent(
    server: &Server,
    grant: &str,
    make: impl Fn(String) -> HttpRequest,
) -> Result<HttpResponse, CallFailure> {
    let url = format!("http://127.0.0.1:{}/v1/x", server.port);
    send(&client_of(server, grant), make(url)).await
}

/// A server that writes these pieces, with a pause after each.
async fn dripping(head: Vec<u8>, piece: &'static [u8], pause: Duration) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let head = head.clone();
            tokio::spawn(async move {
                request(&mut stream).await;
                let mut next = stream.write_all(&head).await;
                while next.is_ok() {
                    tokio::time::sleep(pause).await;
                    next = stream.write_all(piece).await;
                }
            });
        }
    });
    Server { port, seen: Seen::default() }
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_refused_whether_it_says_so_or_not() {
    let grant = "response_kib = 1";
    let fits = Server::answering(json(&"1".repeat(1_024))).await;
    assert_eq!(sent(&fits, grant, get).await.unwrap().body.len(), 1_024);
    let announced = Server::answering(json(&"1".repeat(1_025))).await;
    let failure = sent(&announced, grant, get).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Limited);
    assert!(failure.message.contains("more than 1024 bytes"), "{}", failure.message);
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n";
    let endless = dripping(
        head.into(),
        b"40\r\n0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n",
        Duration::ZERO,
    )
    .await;
    assert_eq!(sent(&endless, grant, get).await.unwrap_err().kind, FailureKind::Limited);
}

#[tokio::test]
async fn what_a_write_did_is_unknown_if_its_answer_cannot_be_read() {
    let grant = "methods = [\"POST\"]\nresponse_kib = 1";
    let write = |url: String| post(url, "{}");
    let large = json(&"1".repeat(2_000));
    for bytes in [
        large.clone(),
        answer("200 OK", &["content-type: image/png"], "x"),
        answer("200 OK", &["content-encoding: gzip"], "x"),
        answer("200 OK", &[], "x"),
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx".to_vec(),
    ] {
        let server = Server::answering(bytes.clone()).await;
        // The last promises more than it holds.
        let grant = format!("{grant}\ntimeout_ms = 300");
        let failure = sent(&server, &grant, write).await.unwrap_err();
        let text = String::from_utf8_lossy(&bytes);
        assert_eq!(failure.kind, FailureKind::Uncertain, "{text}: {}", failure.message);
    }
    let server = Server::answering(large).await;
    let again = |url: String| HttpRequest { idempotent: true, ..post(url, "{}") };
    assert_eq!(sent(&server, grant, again).await.unwrap_err().kind, FailureKind::Limited);
}

#[tokio::test]
async fn headers_are_bounded_in_number_and_size() {
    let many: Vec<String> = (0..150).map(|n| format!("x-{n}: 1")).collect();
    let large: Vec<String> = (0..10).map(|n| format!("x-{n}: {}", "1".repeat(4_000))).collect();
    let endless = vec![format!("x: {}", "1".repeat(1_000_000))];
    for headers in [many, large, endless] {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let server = Server::answering(answer("200 OK", &headers, "")).await;
        let failure = sent(&server, "", get).await.unwrap_err();
        assert!(
            matches!(failure.kind, FailureKind::Limited | FailureKind::Unavailable),
            "{failure:?}"
        );
    }
}

#[tokio::test]
async fn a_server_cannot_hold_a_request_by_sending_slowly() {
    let grant = "timeout_ms = 300\nmethods = [\"GET\", \"POST\"]";
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 100000\r\n\r\n";
    let pause = Duration::from_millis(10);
    let forever = Duration::from_secs(3_600);
    for server in [
        dripping(head.to_vec(), b"1", pause).await,
        dripping(b"HTTP/1.1 200 OK\r\nx: ".to_vec(), b"1", pause).await,
        dripping(head.to_vec(), b"", forever).await,
        dripping(Vec::new(), b"", forever).await,
    ] {
        let failure = sent(&server, grant, get).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unavailable);
        assert!(failure.message.contains("did not answer in time"), "{}", failure.message);
        let failure = sent(&server, grant, |url| post(url, "")).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Uncertain, "{}", failure.message);
    }
}

#[tokio::test]
async fn nothing_has_happened_where_nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let server = Server { port, seen: Seen::default() };
    let write = |url: String| post(url, "{}");
    let failure = sent(&server, "methods = [\"POST\"]", write).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unavailable);
    assert!(failure.message.contains("cannot be reached"), "{}", failure.message);
}
