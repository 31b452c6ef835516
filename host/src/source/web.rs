//! Requests to servers that nobody has to trust: few redirects, all of them over TLS,
//! and bodies that end where they may.

use std::time::Duration;

use reqwest::{
    Client, Method, Response, StatusCode,
    header::{HeaderMap, LOCATION},
    redirect,
};
use url::Url;

use super::{
    Announced, FetchLimits, SourceError,
    location::{address, is_loopback, is_safe},
};

/// Redirects of one request. A registry needs one, a release page two.
const MOST_REDIRECTS: usize = 5;
/// Bytes of an error's body that are looked at.
const MOST_COMPLAINT: u64 = 8 * 1024;
/// How a module or component of WebAssembly begins.
const MAGIC: &[u8] = b"\0asm";

/// What is sent.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<bytes::Bytes>,
    /// For messages: what is asked for.
    pub(super) what: String,
}

impl Request {
    pub(super) fn get(url: Url, what: impl Into<String>) -> Self {
        Self::new(Method::GET, url, what)
    }

    pub(super) fn new(method: Method, url: Url, what: impl Into<String>) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: None, what: what.into() }
    }
}

/// A client for other machines and one for this one.
#[derive(Debug)]
struct Clients {
    remote: Client,
    loopback: Client,
}

/// Those who read, and those who send.
#[derive(Debug)]
pub(super) struct Web {
    reading: Clients,
    sending: Clients,
    idle: Duration,
}

impl Web {
    pub(super) fn new(limits: &FetchLimits) -> Result<Self, SourceError> {
        crate::app::install_crypto();
        let builder = |reads: bool| {
            let builder = Client::builder()
                .user_agent(concat!("postern/", env!("CARGO_PKG_VERSION")))
                .redirect(redirect::Policy::none())
                .referer(false)
                // A kept connection that the server closes at the wrong moment fails the
                // next request; there are only a handful of requests.
                .pool_max_idle_per_host(0)
                .connect_timeout(limits.connect);
            // While a body is sent, nothing is read: only the whole is limited then.
            if reads { builder.read_timeout(limits.idle) } else { builder }
        };
        let clients = |reads| {
            let remote = builder(reads).https_only(true).build().map_err(SourceError::Client)?;
            // What is on this machine is not asked for through a proxy.
            let loopback = builder(reads).no_proxy().build().map_err(SourceError::Client)?;
            Ok::<_, SourceError>(Clients { remote, loopback })
        };
        Ok(Self { reading: clients(true)?, sending: clients(false)?, idle: limits.idle })
    }

    /// Sends a request, with what proves who we are only to `home`, and follows redirects
    /// of reading requests.
    pub(super) async fn send(
        &self,
        request: &Request,
        home: &Url,
        proof: Option<&Proof>,
    ) -> Result<Response, SourceError> {
        let what = &request.what;
        let mut url = request.url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let response = self.once(request, &url, home, proof).await?;
            if !is_redirect(response.status()) {
                return Ok(response);
            }
            let refused = |to: &str, reason| {
                Err(SourceError::Redirect { what: what.clone(), to: to.to_owned(), reason })
            };
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
            let Some(to) = to.and_then(|to| url.join(to).ok()) else {
                return refused("nowhere", "so there is nothing to follow");
            };
            // Its path may be as secret as its query: such addresses are signed.
            let place = to.origin().ascii_serialization();
            if !matches!(request.method, Method::GET | Method::HEAD) {
                return refused(&place, "and what is sent is sent only to where you said");
            }
            if let Err(reason) = may_follow(&url, &to) {
                return refused(&place, reason);
            }
            url = to;
        }
        Err(SourceError::Redirect {
            what: what.clone(),
            to: url.origin().ascii_serialization(),
            reason: "again and again",
        })
    }

    async fn once(
        &self,
        request: &Request,
        url: &Url,
        home: &Url,
        proof: Option<&Proof>,
    ) -> Result<Response, SourceError> {
        let clients = if request.body.is_some() { &self.sending } else { &self.reading };
        let client = if is_loopback(url) { &clients.loopback } else { &clients.remote };
        let mut builder = client.request(request.method.clone(), url.clone());
        builder = builder.headers(request.headers.clone());
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        builder = match proof.filter(|_| url.origin() == home.origin()) {
            Some(Proof::Bearer(token)) => builder.bearer_auth(token),
            Some(Proof::Basic(user, password)) => builder.basic_auth(user, Some(password)),
            None => builder,
        };
        builder.send().await.map_err(|error| self.failed(&request.what, url, error))
    }

    fn failed(&self, what: &str, url: &Url, error: reqwest::Error) -> SourceError {
        let what = what.to_owned();
        if error.is_timeout() && !error.is_connect() {
            return SourceError::Timeout { what, after: self.idle };
        }
        let server = url.origin().ascii_serialization();
        SourceError::Unreachable { what, server, source: error.without_url() }
    }

    /// A body of at most so many bytes, whatever its headers say.
    pub(super) async fn body(
        &self,
        mut response: Response,
        what: &str,
        most: u64,
        kind: Kind,
    ) -> Result<Vec<u8>, SourceError> {
        let announced = response.content_length();
        let too_big = || SourceError::TooBig { what: what.to_owned(), most };
        if announced.is_some_and(|bytes| bytes > most) {
            return Err(too_big());
        }
        let mut bytes: Vec<u8> = Vec::new();
        let not_wasm = || SourceError::NotWasm { what: what.to_owned() };
        loop {
            let chunk = match response.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                Err(error) if error.is_timeout() => {
                    return Err(SourceError::Timeout { what: what.to_owned(), after: self.idle });
                }
                Err(_) => {
                    return Err(SourceError::Truncated {
                        what: what.to_owned(),
                        expected: announced.map_or(Announced::Unknown, Announced::Bytes),
                        received: bytes.len() as u64,
                    });
                }
            };
            if (bytes.len() + chunk.len()) as u64 > most {
                return Err(too_big());
            }
            bytes.extend_from_slice(&chunk);
            // A page of 100 MB is not read to its end to see that it is one.
            if kind == Kind::Wasm && bytes.len() >= MAGIC.len() && !bytes.starts_with(MAGIC) {
                return Err(not_wasm());
            }
        }
        if kind == Kind::Wasm && !bytes.starts_with(MAGIC) {
            return Err(not_wasm());
        }
        Ok(bytes)
    }

    /// An answer that is a success, or what it means that it is none.
    pub(super) async fn good(
        &self,
        response: Response,
        what: &str,
        known: bool,
    ) -> Result<Response, SourceError> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let what = what.to_owned();
        Err(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let server = response.url().origin().ascii_serialization();
                SourceError::Unauthorized { what, server, known }
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => SourceError::NotFound { what },
            _ => {
                let body = self.body(response, &what, MOST_COMPLAINT, Kind::Text).await;
                let told = body.map(|body| codes(&body)).unwrap_or_default();
                SourceError::Status { what, status: status.as_u16(), told }
            }
        })
    }
}

/// What proves who we are.
pub(super) enum Proof {
    Bearer(String),
    Basic(String, String),
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What a body must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Wasm,
    Text,
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Whether a server may send us from one address to another. Nobody outside of this
/// machine names an address within it.
fn may_follow(from: &Url, to: &Url) -> Result<(), &'static str> {
    if !is_safe(to) {
        return Err("where nothing proves who answers: only https is followed");
    }
    if is_loopback(to) && !is_loopback(from) {
        return Err("which is this machine itself");
    }
    if !to.username().is_empty() || to.password().is_some() {
        return Err("with credentials in the address");
    }
    Ok(())
}

/// The codes of a registry's errors (OCI distribution specification 1.1, "Error codes"),
/// and nothing of its words.
fn codes(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Errors {
        errors: Vec<Error>,
    }
    #[derive(serde::Deserialize)]
    struct Error {
        code: String,
    }
    let Ok(told) = serde_json::from_slice::<Errors>(body) else { return String::new() };
    let code = |code: &String| {
        code.len() <= 40 && code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
    };
    let codes: Vec<_> = told.errors.into_iter().map(|e| e.code).filter(code).take(3).collect();
    if codes.is_empty() { String::new() } else { format!(" ({})", codes.join(", ")) }
}

/// The address of what lies beside a component: an ending more on its path.
pub(super) fn beside(url: &Url, ending: &str) -> Url {
    let mut beside = url.clone();
    beside.set_path(&format!("{}{ending}", url.path()));
    beside
}

/// For messages: an address without what may be secret.
pub(super) fn told(url: &Url) -> String {
    address(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn redirects_stay_on_tls_and_do_not_lead_inside() {
        let follows = |from: &str, to: &str| may_follow(&url(from), &url(to));
        assert!(follows("https://a.example/x", "https://cdn.example/y").is_ok());
        assert!(follows("http://127.0.0.1:1/x", "http://127.0.0.1:2/y").is_ok());
        assert!(follows("https://a.example/x", "http://a.example/x").is_err());
        assert!(follows("https://a.example/x", "http://127.0.0.1/x").is_err());
        assert!(follows("https://a.example/x", "https://[::1]/x").is_err());
        assert!(follows("http://127.0.0.1/x", "http://a.example/x").is_err());
        assert!(follows("https://a.example/x", "file:///etc/passwd").is_err());
        assert!(follows("https://a.example/x", "https://u:p@b.example/").is_err());
    }

    #[test]
    fn of_a_registrys_complaint_only_its_codes_are_told() {
        let body = br#"{"errors":[{"code":"TOOMANYREQUESTS","message":"go \u001b[2J"},{"code":"\u001b"}]}"#;
        assert_eq!(codes(body), " (TOOMANYREQUESTS)");
        assert_eq!(codes(b"<html>"), "");
    }
}
