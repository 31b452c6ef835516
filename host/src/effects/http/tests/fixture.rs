//! A server that answers what a test wrote, and a client that was granted it.

use std::{
    collections::VecDeque,
    io,
    net::IpAddr,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use postern_domain::{CallFailure, HostReply, HttpMethod, HttpRequest, HttpResponse, SkillId};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::super::{HttpClient, Names, SystemNames};
use crate::{
    config::{Config, DEFAULT},
    gate::Material,
};

/// The value of the secret `token`.
pub(super) const TOKEN: &str = "tok/en+1234";

/// What a server saw: the bytes of each request, by connection.
pub(super) type Seen = Arc<Mutex<Vec<Vec<String>>>>;

/// A server on loopback.
pub(super) struct Server {
    pub(super) port: u16,
    pub(super) seen: Seen,
}

impl Server {
    /// A server that answers every request with these bytes, on connections that
    /// stay open.
    pub(super) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::with(move |_| answer.clone()).await
    }

    /// A server that makes each answer of the request.
    pub(super) async fn with(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, seen) = (listener.local_addr().unwrap().port(), Seen::default());
        let (answer, log) = (Arc::new(answer), Arc::clone(&seen));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let connection = {
                    let mut log = log.lock().unwrap();
                    log.push(Vec::new());
                    log.len() - 1
                };
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                tokio::spawn(async move {
                    while let Some(request) = request(&mut stream).await {
                        let bytes = answer(&request);
                        log.lock().unwrap()[connection].push(request);
                        if stream.write_all(&bytes).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { port, seen }
    }

    /// The only request so far.
    pub(super) fn only(&self) -> String {
        let seen = self.seen.lock().unwrap();
        let all: Vec<_> = seen.iter().flatten().collect();
        assert_eq!(all.len(), 1, "{all:?}");
        all[0].clone()
    }

    /// How many requests came over each connection.
    pub(super) fn by_connection(&self) -> Vec<usize> {
        self.seen.lock().unwrap().iter().map(Vec::len).collect()
    }
}

/// One request with its body, as it is on the wire.
pub(super) async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// An answer with this status line, these headers and this body.
pub(super) fn answer(status: &str, headers: &[&str], body: &str) -> Vec<u8> {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}").into_bytes()
}

/// An answer with a JSON body.
pub(super) fn json(body: &str) -> Vec<u8> {
    answer("200 OK", &["content-type: application/json"], body)
}

/// What the operator wrote besides the default.
pub(super) fn config(text: &str) -> Config {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("secrets")).unwrap();
    for (name, value) in [("operator-token", "0123456789abcdef"), ("token", TOKEN)] {
        std::fs::write(folder.path().join("secrets").join(name), value).unwrap();
    }
    Config::parse(folder.path(), "postern.toml", &format!("{DEFAULT}\n{text}")).unwrap()
}

/// An endpoint `carrier` on loopback with a grant for `tester` and the secret
/// `token`, which travels in `x-key`.
pub(super) fn endpoint(url: &str, grant: &str) -> String {
    format!(
        "[endpoints.carrier]\nurl = {url:?}\nprivate = [\"127.0.0.1/32\"]\n\
         [endpoints.carrier.grants.tester]\n{grant}\n\
         [secrets.token]\nvalue = {{ file = \"secrets/token\" }}\nendpoint = \"carrier\"\n\
         header = \"x-key\"\nprefix = \"Key \"\n"
    )
}

/// A client under this configuration.
pub(super) fn client(text: &str) -> HttpClient {
    client_with(text, Arc::new(SystemNames))
}

/// A client under this configuration that looks names up in `names`.
pub(super) fn client_with(text: &str, names: Arc<dyn Names>) -> HttpClient {
    crate::app::install_crypto();
    let config = config(text);
    HttpClient::with_names(config.endpoints, config.secrets, names).unwrap()
}

/// A client for a server, granted to `tester`.
pub(super) fn client_of(server: &Server, grant: &str) -> HttpClient {
    client(&endpoint(&format!("http://127.0.0.1:{}/v1/", server.port), grant))
}

pub(super) fn get(url: impl Into<String>) -> HttpRequest {
    HttpRequest {
        method: HttpMethod::Get,
        url: url.into(),
        headers: vec![],
        body: vec![],
        secrets: vec![],
        idempotent: true,
    }
}

pub(super) fn post(url: impl Into<String>, body: &str) -> HttpRequest {
    HttpRequest { method: HttpMethod::Post, body: body.into(), idempotent: false, ..get(url) }
}

pub(super) fn tester() -> SkillId {
    "tester".parse().unwrap()
}

/// Checks and sends a request of `tester`, as the gate does when rules permit it.
pub(super) async fn send(
    client: &HttpClient,
    request: HttpRequest,
) -> Result<HttpResponse, CallFailure> {
    send_as(client, request, &tester()).await
}

/// Checks and sends a request of a skill.
pub(super) async fn send_as(
    client: &HttpClient,
    request: HttpRequest,
    skill: &SkillId,
) -> Result<HttpResponse, CallFailure> {
    let checked = client.check(&request, skill).await.map_err(|refusal| refusal.failure)?;
    match client.send(request, Material::Target(checked), "key-1").await? {
        HostReply::Http { response } => Ok(response),
        other => panic!("{other:?}"),
    }
}

/// Names that answer in turn, and count how often they are asked.
#[derive(Default)]
pub(super) struct Script {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Script {
    pub(super) fn new(answers: &[&[&str]]) -> Arc<Self> {
        let one = |texts: &&[&str]| texts.iter().map(|ip| ip.parse().unwrap()).collect();
        Arc::new(Self { answers: Mutex::new(answers.iter().map(one).collect()), ..Self::default() })
    }

    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Names for Script {
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.lock().unwrap().push(host.to_owned());
        let next = self.answers.lock().unwrap().pop_front();
        next.ok_or_else(|| io::Error::other("no such name"))
    }
}
