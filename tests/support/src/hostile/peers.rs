//! Servers that attack whoever asks them, and one that nobody must ever reach.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use base64::Engine as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::SupportError;

/// Bytes of a request's head that are looked at.
const MOST_HEAD: usize = 16 << 10;
/// Below this path lies what skills may ask for.
pub(crate) const OPEN: &str = "/open";
/// How long a slow server waits before each byte.
const PACE: Duration = Duration::from_millis(50);
/// Bytes to which the bomb would grow.
const BOMB: usize = 200 << 20;

/// The servers. They end when this is dropped.
#[derive(Debug)]
pub(crate) struct Peers {
    /// The server that skills may ask.
    pub(crate) peer: SocketAddr,
    /// A service of the inner network that nobody may ask.
    pub(crate) canary: SocketAddr,
    touched: Arc<AtomicU32>,
    smuggled: Arc<AtomicU32>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Peers {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Peers {
    /// Starts them on loopback.
    pub(crate) async fn start() -> Result<Self, SupportError> {
        let (peer, canary) = (listen().await?, listen().await?);
        let address = |listener: &TcpListener| {
            listener.local_addr().map_err(|source| cannot_start("a peer", source))
        };
        let mut peers = Self {
            peer: address(&peer)?,
            canary: address(&canary)?,
            touched: Arc::default(),
            smuggled: Arc::default(),
            tasks: Vec::new(),
        };
        let touched = Arc::clone(&peers.touched);
        peers.tasks.push(tokio::spawn(async move {
            while let Ok((stream, _)) = canary.accept().await {
                touched.fetch_add(1, Relaxed);
                drop(stream);
            }
        }));
        let (smuggled, inner) = (Arc::clone(&peers.smuggled), peers.canary);
        peers.tasks.push(tokio::spawn(async move {
            while let Ok((stream, _)) = peer.accept().await {
                tokio::spawn(serve(stream, inner, Arc::clone(&smuggled)));
            }
        }));
        Ok(peers)
    }

    /// How often somebody connected to the server that nobody may reach.
    pub(crate) fn touched(&self) -> u32 {
        self.touched.load(Relaxed)
    }

    /// How many requests arrived that were hidden in another one, or asked for what
    /// skills may not ask for.
    pub(crate) fn smuggled(&self) -> u32 {
        self.smuggled.load(Relaxed)
    }
}

fn cannot_start(what: &str, source: std::io::Error) -> SupportError {
    SupportError::Start { what: what.to_owned(), source }
}

async fn listen() -> Result<TcpListener, SupportError> {
    let listener = TcpListener::bind("127.0.0.1:0").await;
    listener.map_err(|source| cannot_start("a peer", source))
}

/// Answers one connection. What fails here is the client's affair.
async fn serve(mut stream: TcpStream, inner: SocketAddr, smuggled: Arc<AtomicU32>) {
    let mut head = Vec::new();
    let mut part = [0; 4096];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < MOST_HEAD {
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return,
            Ok(read) => head.extend_from_slice(&part[..read]),
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split_whitespace().nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let lower = head.to_ascii_lowercase();
    let hidden = lower.matches("http/1.1").count() > 1 || lower.contains("\nx-smuggled");
    let (path, outside) = match path.strip_prefix(OPEN) {
        Some(path) => (path, false),
        None => (path, true),
    };
    if hidden || outside {
        smuggled.fetch_add(1, Relaxed);
    }
    // A client that goes away in the middle is what most of these want.
    let _gone = answer(&mut stream, path, &head, inner).await;
}

async fn answer(
    stream: &mut TcpStream,
    path: &str,
    head: &str,
    inner: SocketAddr,
) -> std::io::Result<()> {
    let text = "content-type: text/plain\r\nconnection: close\r\n";
    match path {
        "/redirect" => {
            let location = format!("location: http://{inner}/latest/meta-data\r\n");
            let head = format!("HTTP/1.1 302 Found\r\n{text}{location}content-length: 0\r\n\r\n");
            stream.write_all(head.as_bytes()).await
        }
        "/silent" => {
            // Until the other side gives up.
            let mut rest = [0; 64];
            while stream.read(&mut rest).await? > 0 {}
            Ok(())
        }
        "/slow" => {
            let head = format!("HTTP/1.1 200 OK\r\n{text}content-length: 100000\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
            trickle(stream, b"z").await
        }
        "/slow-head" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            trickle(stream, b"x").await
        }
        "/endless" => {
            let head = format!("HTTP/1.1 200 OK\r\n{text}\r\n");
            stream.write_all(head.as_bytes()).await?;
            let chunk = vec![b'x'; 64 << 10];
            loop {
                stream.write_all(&chunk).await?;
            }
        }
        "/bomb" => {
            let body = bomb();
            let kind = "content-type: text/plain\r\ncontent-encoding: gzip\r\nconnection: close";
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\n{kind}\r\ncontent-length: {length}\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&body).await
        }
        "/headers" => {
            stream.write_all(format!("HTTP/1.1 200 OK\r\n{text}").as_bytes()).await?;
            for n in 0..20_000 {
                stream.write_all(format!("x-{n}: {}\r\n", "y".repeat(100)).as_bytes()).await?;
            }
            stream.write_all(b"content-length: 0\r\n\r\n").await
        }
        "/short" => {
            let head = format!("HTTP/1.1 200 OK\r\n{text}content-length: 1000\r\n\r\nfew");
            stream.write_all(head.as_bytes()).await
        }
        "/program" => {
            let kind = "content-type: application/x-msdownload\r\nconnection: close";
            let head = format!("HTTP/1.1 200 OK\r\n{kind}\r\ncontent-length: 2\r\n\r\nMZ");
            stream.write_all(head.as_bytes()).await
        }
        // Its own answer, and one that waits for whoever asks next.
        "/double" => {
            let one = |body: &str| {
                let length = body.len();
                let kind = "content-type: text/plain";
                format!("HTTP/1.1 200 OK\r\n{kind}\r\ncontent-length: {length}\r\n\r\n{body}")
            };
            let both = one("first") + &one("planted");
            stream.write_all(both.as_bytes()).await?;
            let mut rest = [0; 64];
            while stream.read(&mut rest).await? > 0 {}
            Ok(())
        }
        path => {
            let body = mirror(path, head);
            let length = body.len();
            let also = match path {
                "/mirror/header" => format!("etag: {}\r\n", credential(head)),
                _ => String::new(),
            };
            let head =
                format!("HTTP/1.1 200 OK\r\n{text}{also}content-length: {length}\r\n\r\n{body}");
            stream.write_all(head.as_bytes()).await
        }
    }
}

async fn trickle(stream: &mut TcpStream, byte: &[u8]) -> std::io::Result<()> {
    loop {
        stream.write_all(byte).await?;
        tokio::time::sleep(PACE).await;
    }
}

/// The credential that the host put into a request.
fn credential(head: &str) -> &str {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("authorization:"));
    line.and_then(|line| line.split_once(':')).map_or("", |(_, value)| value.trim())
}

/// Sends the credential back, in the way that the path asks for.
fn mirror(path: &str, head: &str) -> String {
    let secret = credential(head);
    let each = |byte: fn(u8) -> String| secret.bytes().map(byte).collect::<String>();
    match path {
        "/mirror/raw" => format!("you sent {secret}, {secret}"),
        "/mirror/base64" => base64::engine::general_purpose::STANDARD.encode(secret),
        "/mirror/base64url" => base64::engine::general_purpose::URL_SAFE.encode(secret),
        "/mirror/hex" => each(|byte| format!("{byte:02x}")),
        "/mirror/HEX" => each(|byte| format!("{byte:02X}")),
        "/mirror/percent" => each(|byte| format!("%{byte:02X}")),
        "/mirror/json" => each(|byte| format!("\\u{byte:04x}")),
        _ => "own".to_owned(),
    }
}

/// A gzip stream that is small and grows to [`BOMB`] zeros: one literal, then
/// copies of 258 bytes each, in the fixed code of RFC 1951, section 3.2.6.
fn bomb() -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let (mut byte, mut used) = (0_u8, 0);
    let mut push = |bit: u8| {
        byte |= bit << used;
        used += 1;
        if used == 8 {
            bytes.push(byte);
            (byte, used) = (0, 0);
        }
    };
    // The last block, with the fixed code.
    [1, 1, 0].into_iter().for_each(&mut push);
    // The literal 0.
    [0, 0, 1, 1, 0, 0, 0, 0].into_iter().for_each(&mut push);
    for _ in 0..BOMB / 258 {
        // Length 258, distance 1.
        [1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0].into_iter().for_each(&mut push);
    }
    // The end of the block, and a filled last byte; the checksum is missing.
    [0; 15].into_iter().for_each(&mut push);
    bytes
}

#[cfg(test)]
mod tests {
    use super::bomb;

    #[test]
    fn the_bomb_is_small_and_a_gzip_stream() {
        let bomb = bomb();
        assert!(bomb.len() < 2 << 20, "{}", bomb.len());
        assert_eq!(bomb[..3], [0x1f, 0x8b, 8]);
    }
}
