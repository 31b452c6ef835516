//! Requests byte by byte: no client library corrects what was recorded.

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

use super::cases::Case;
use crate::setup::PATIENCE;

/// Sends a case's request and answers the status.
pub(super) async fn send(public: &str, case: &Case) -> Result<u16> {
    let address = public.strip_prefix("http://").context("not plain HTTP")?;
    let request = &case.request;
    let (method, path) = (&request.method, &request.path);
    let query =
        if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
    let mut head = format!("{method} {path}{query} HTTP/1.1\r\nHost: {address}\r\n");
    for (name, value) in &request.headers {
        head += &format!("{name}: {value}\r\n");
    }
    let body = case.body()?;
    if method != "GET" {
        head += &format!("Content-Length: {}\r\n", body.len());
    }
    head += "Connection: close\r\n\r\n";

    let stream = TcpStream::connect(address).await?;
    let (reading, mut writing) = stream.into_split();
    let bytes = [head.into_bytes(), body].concat();
    // A host may answer before it has read everything, and then close.
    let writer = tokio::spawn(async move {
        let written = writing.write_all(&bytes).await;
        (written, writing)
    });
    let mut line = String::new();
    let mut lines = BufReader::new(reading);
    tokio::time::timeout(PATIENCE, lines.read_line(&mut line)).await.context("no answer")??;
    writer.abort();
    let status = line.split_ascii_whitespace().nth(1).context("no status line")?;
    status.parse().with_context(|| format!("status line {line:?}"))
}
