//! Whom a secure connection trusts.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use postern_domain::FailureKind;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::fixture::*;

/// A certificate for `carrier.example` and 127.0.0.1 that nobody but itself
/// vouches for, and its key; both are of no use elsewhere.
const CERTIFICATE: &str = "\
    MIIBqTCCAVCgAwIBAgIUZME4hawG62w5Rnu/tIE+IiWI5YwwCgYIKoZIzj0EAwIwGjEYMBYGA1UEAwwPY2Fycmllci\
    5leGFtcGxlMCAXDTI2MTEyMTE0MTUyMVoYDzIxMjYxMDI4MTQxNTIxWjAaMRgwFgYDVQQDDA9jYXJyaWVyLmV4YW1w\
    bGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASV627KgDTS7kYO8zleGvNOox2YZjmUMesAfmDnjlZiP8VULodB/J\
    hJVHSE0ST7gpND3WCUt8qc/ryS2IzrTahEo3IwcDAdBgNVHQ4EFgQUr2PrGFD9scsC2woDiNOe5epQW7MwHwYDVR0j\
    BBgwFoAUr2PrGFD9scsC2woDiNOe5epQW7MwDAYDVR0TAQH/BAIwADAgBgNVHREEGTAXgg9jYXJyaWVyLmV4YW1wbG\
    WHBH8AAAEwCgYIKoZIzj0EAwIDRwAwRAIgQATNvXNbJgmdRThYr5/CN0wSLTrwxMyrR76uI7Lm2rUCIC8BIDwTkDK8\
    uhoPs8LWkkbKkmdjWpboQalyWJ2Kvne3";
const KEY: &str = "\
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg3/5hhxh8+BDbQyL63jDpXvlzrGEGi/UjEhvLbt9j5T\
    uhRANCAASV627KgDTS7kYO8zleGvNOox2YZjmUMesAfmDnjlZiP8VULodB/JhJVHSE0ST7gpND3WCUt8qc/ryS2Izr\
    TahE";

fn bytes(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

async fn failure_at(port: u16) -> (FailureKind, String) {
    let text =
        endpoint(&format!("https://127.0.0.1:{port}/"), "secrets = [\"token\"]\ntimeout_ms = 3000");
    let mut request = get(format!("https://127.0.0.1:{port}/x"));
    request.secrets = vec!["token".into()];
    let failure = send(&client(&text), request).await.unwrap_err();
    (failure.kind, failure.message)
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    crate::app::install_crypto();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(bytes(CERTIFICATE))],
            PrivatePkcs8KeyDer::from(bytes(KEY)).into(),
        )
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        match acceptor.accept(stream).await {
            // With TLS 1.3 the server has finished before it is told.
            Ok(mut stream) => {
                let mut said = String::new();
                stream.read_to_string(&mut said).await.map(|_| said).map_err(|e| e.to_string())
            }
            Err(error) => Err(error.to_string()),
        }
    });
    let (kind, message) = failure_at(port).await;
    assert_eq!(kind, FailureKind::Unavailable);
    assert!(message.contains("check its certificate"), "{message}");
    let told = server.await.unwrap().unwrap_err();
    assert!(told.contains("UnknownCA") || told.contains("BadCertificate"), "{told}");
}

#[tokio::test]
async fn a_server_that_offers_tls_1_1_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = [0; 5];
        stream.read_exact(&mut hello).await.unwrap();
        let mut rest = vec![0; usize::from(u16::from_be_bytes([hello[3], hello[4]]))];
        stream.read_exact(&mut rest).await.unwrap();
        // A ServerHello of version 3.2 (RFC 4346, 7.4.1.3) with the cipher suite
        // TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, no session and no compression.
        let mut answer = vec![22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
        answer.extend([7; 32]);
        answer.extend([0, 0xc0, 0x13, 0]);
        stream.write_all(&answer).await.unwrap();
        let mut alert = [0; 7];
        stream.read_exact(&mut alert).await.unwrap();
        alert
    });
    let (kind, message) = failure_at(port).await;
    assert_eq!(kind, FailureKind::Unavailable);
    assert!(message.contains("no secure connection"), "{message}");
    // RFC 8446, 6: a fatal alert, "protocol version".
    let alert = server.await.unwrap();
    assert_eq!((alert[0], alert[5], alert[6]), (21, 2, 70));
}
