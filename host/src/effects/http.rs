//! Requests of skills to other servers.
//!
//! A request goes out only to an endpoint that the operator named (policy
//! decides which skill may use which), never to an address that its name only
//! pretends not to be: addresses are checked when the connection is made.

mod address;

use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::Duration};

use postern_domain::{CallFailure, FailureKind, HostReply, HttpMethod, HttpRequest, HttpResponse};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::{Host, Url};

use crate::{
    config::{EgressSecret, Endpoint},
    gate::Material,
};

/// Bytes of a response that a skill can get.
const MOST_RESPONSE_BYTES: usize = 1024 * 1024;
/// Bytes of a request's body.
const MOST_REQUEST_BYTES: usize = 1024 * 1024;
/// Headers of a request.
const MOST_HEADERS: usize = 32;
/// Time for a whole request.
const TIMEOUT: Duration = Duration::from_secs(8);

/// Headers that only the host may set: credentials, framing and routing.
const HOST_HEADERS: [&str; 15] = [
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "idempotency-key",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// Where a request goes.
pub struct Target {
    /// The URL.
    pub(crate) url: Url,
    /// The operator's name of the endpoint; none if nobody named it.
    pub(crate) endpoint: Option<String>,
    /// Whether it is a literal address in a private network.
    pub(crate) private: bool,
}

/// The way to other servers.
pub struct HttpClient {
    /// Refuses private addresses.
    public: reqwest::Client,
    /// For endpoints that the operator called private.
    private: reqwest::Client,
    endpoints: BTreeMap<String, Endpoint>,
    secrets: BTreeMap<String, EgressSecret>,
}

impl HttpClient {
    /// A client for these endpoints and secrets.
    ///
    /// # Errors
    /// The TLS library cannot be set up.
    pub fn new(
        endpoints: BTreeMap<String, Endpoint>,
        secrets: BTreeMap<String, EgressSecret>,
    ) -> Result<Self, reqwest::Error> {
        let builder = || {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .referer(false)
                .timeout(TIMEOUT)
                .user_agent(concat!("postern/", env!("CARGO_PKG_VERSION")))
        };
        let public = builder().dns_resolver(Arc::new(address::PublicOnly)).build()?;
        Ok(Self { public, private: builder().build()?, endpoints, secrets })
    }

    /// Where a URL leads, and whether the operator named that place.
    pub(crate) fn target(&self, text: &str) -> Result<Target, CallFailure> {
        let url = Url::parse(text)
            .map_err(|error| CallFailure::invalid(format!("the URL is not valid: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(CallFailure::invalid("a URL starts with https:// (or http://)"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(CallFailure::invalid("a URL must not carry a user or password"));
        }
        let literal = match url.host() {
            Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
            Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
            Some(Host::Domain(_)) => None,
            None => return Err(CallFailure::invalid("a URL needs a host")),
        };
        let endpoint = self
            .endpoints
            .iter()
            .filter(|(_, endpoint)| covers(&endpoint.url, &url))
            .max_by_key(|(_, endpoint)| endpoint.url.path().len())
            .map(|(name, _)| name.clone());
        let private = literal.is_some_and(|ip| !address::is_public(ip));
        Ok(Target { url, endpoint, private })
    }

    /// Sends a permitted request.
    pub(super) async fn send(
        &self,
        request: HttpRequest,
        material: Material,
        idempotency_key: &str,
    ) -> Result<HostReply, CallFailure> {
        let Material::Target(target) = material else {
            return Err(CallFailure::invalid("not a request"));
        };
        let named = target.endpoint.as_ref().and_then(|name| self.endpoints.get_key_value(name));
        let Some((name, endpoint)) = named else {
            let reason = "the operator has named no such endpoint under [endpoints]";
            return Err(CallFailure::new(FailureKind::Denied, reason));
        };
        if target.private && !endpoint.private {
            let reason =
                format!("endpoint {name} lies in a private network and is not declared so");
            return Err(CallFailure::new(FailureKind::Denied, reason));
        }
        if request.body.len() > MOST_REQUEST_BYTES {
            let reason = format!("a body has at most {MOST_REQUEST_BYTES} bytes");
            return Err(CallFailure::invalid(reason));
        }
        let mut headers = guest_headers(&request.headers)?;
        let mut injected = Vec::new();
        for secret in &request.secrets {
            injected.push(self.inject(&mut headers, secret, name)?);
        }
        let repeatable = request.method.is_safe() || request.idempotent;
        if !request.method.is_safe() {
            headers.insert(
                "idempotency-key",
                HeaderValue::from_str(idempotency_key).map_err(|_| {
                    CallFailure::invalid("the idempotency key is not a header value")
                })?,
            );
        }
        let client = if endpoint.private { &self.private } else { &self.public };
        let sent = client
            .request(method(request.method), target.url)
            .headers(headers)
            .body(request.body)
            .send()
            .await;
        match sent {
            Ok(response) => read(response, &injected, repeatable).await,
            Err(error) => Err(lost(&error, repeatable)),
        }
    }

    /// Puts a secret into the headers, if it is meant for this endpoint.
    fn inject<'s>(
        &'s self,
        headers: &mut HeaderMap,
        name: &str,
        endpoint: &str,
    ) -> Result<&'s EgressSecret, CallFailure> {
        let short: String = name.chars().take(64).collect();
        let denied = |reason: String| Err(CallFailure::new(FailureKind::Denied, reason));
        let Some(secret) = self.secrets.get(name) else {
            return denied(format!("no secret {short:?} under [secrets] in postern.toml"));
        };
        if secret.endpoint != endpoint {
            return denied(format!("secret {short:?} is not meant for endpoint {endpoint}"));
        }
        let value = format!("{}{}", secret.prefix, secret.value.expose());
        let header = HeaderName::from_bytes(secret.header.as_bytes());
        match (header, HeaderValue::from_str(&value)) {
            (Ok(header), Ok(mut value)) => {
                value.set_sensitive(true);
                headers.insert(header, value);
                Ok(secret)
            }
            _ => denied(format!("secret {short:?} cannot stand in a header")),
        }
    }
}

/// Whether a URL lies under an endpoint's root: same scheme, host and port, and
/// a path that continues it at a `/`.
fn covers(root: &Url, url: &Url) -> bool {
    let base = root.path().strip_suffix('/').unwrap_or(root.path());
    root.origin() == url.origin()
        && url
            .path()
            .strip_prefix(base)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn method(method: HttpMethod) -> reqwest::Method {
    match method {
        HttpMethod::Get => reqwest::Method::GET,
        HttpMethod::Head => reqwest::Method::HEAD,
        HttpMethod::Post => reqwest::Method::POST,
        HttpMethod::Put => reqwest::Method::PUT,
        HttpMethod::Patch => reqwest::Method::PATCH,
        HttpMethod::Delete => reqwest::Method::DELETE,
    }
}

/// The skill's own headers, without those that only the host may set.
fn guest_headers(given: &[(String, String)]) -> Result<HeaderMap, CallFailure> {
    if given.len() > MOST_HEADERS {
        return Err(CallFailure::invalid(format!("at most {MOST_HEADERS} headers")));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        else {
            return Err(CallFailure::invalid("a header's name or value is not valid"));
        };
        if HOST_HEADERS.contains(&name.as_str())
            || name.as_str().starts_with("proxy-")
            || name.as_str().starts_with("x-forwarded-")
        {
            return Err(CallFailure::invalid(format!("header {name} is set by the host alone")));
        }
        headers.append(name, value);
    }
    Ok(headers)
}

/// A request whose answer did not come. Only the failure to connect proves that
/// nothing happened.
fn lost(error: &reqwest::Error, repeatable: bool) -> CallFailure {
    let what = if error.is_timeout() {
        "the server did not answer in time"
    } else if error.is_connect() {
        "the server cannot be reached"
    } else {
        "the connection broke"
    };
    if repeatable || error.is_connect() {
        CallFailure::new(FailureKind::Unavailable, what)
    } else {
        let message = format!("{what}; whether the request took effect is not known");
        CallFailure::new(FailureKind::Uncertain, message)
    }
}

/// Reads a response within bounds and takes our own secrets out of it.
async fn read(
    mut response: reqwest::Response,
    injected: &[&EgressSecret],
    repeatable: bool,
) -> Result<HostReply, CallFailure> {
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "set-cookie" | "www-authenticate"))
        .filter_map(|(name, value)| {
            let value = without_secrets(value.to_str().ok()?.as_bytes().to_vec(), injected);
            Some((name.to_string(), String::from_utf8(value).ok()?))
        })
        .collect();
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > MOST_RESPONSE_BYTES => {
                let message = format!("the response has more than {MOST_RESPONSE_BYTES} bytes");
                // The server has acted, and nobody can read what it did.
                let kind = if repeatable { FailureKind::Limited } else { FailureKind::Uncertain };
                return Err(CallFailure::new(kind, message));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => return Err(lost(&error, repeatable)),
        }
    }
    let body = without_secrets(body, injected);
    Ok(HostReply::Http { response: HttpResponse { status, headers, body } })
}

/// Bytes with every injected secret masked: some servers echo requests.
fn without_secrets(mut bytes: Vec<u8>, injected: &[&EgressSecret]) -> Vec<u8> {
    for secret in injected {
        let needle = secret.value.expose().as_bytes();
        let mut from = 0;
        while let Some(at) = bytes[from..].windows(needle.len()).position(|part| part == needle) {
            let at = from + at;
            bytes.splice(at..at + needle.len(), *b"[redacted]");
            from = at + b"[redacted]".len();
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Secret;

    fn client(private: bool) -> HttpClient {
        crate::app::install_crypto();
        let url = |text: &str| Url::parse(text).unwrap();
        let endpoint = |text, private| Endpoint { url: url(text), private };
        let secret = EgressSecret {
            value: Secret::new("tok-123"),
            endpoint: "carrier".into(),
            header: "authorization".into(),
            prefix: "Bearer ".into(),
        };
        HttpClient::new(
            [
                ("carrier".to_owned(), endpoint("https://carrier.example/api/", private)),
                ("deeper".to_owned(), endpoint("https://carrier.example/api/v2", private)),
            ]
            .into(),
            [("carrier-token".to_owned(), secret)].into(),
        )
        .unwrap()
    }

    #[test]
    fn a_url_belongs_to_the_closest_endpoint_or_to_none() {
        let client = client(false);
        let named = |url: &str| client.target(url).unwrap().endpoint;
        assert_eq!(named("https://carrier.example/api/x").as_deref(), Some("carrier"));
        assert_eq!(named("https://carrier.example/api/v2/x").as_deref(), Some("deeper"));
        for other in [
            "http://carrier.example/api/x",
            "https://carrier.example:8443/api/x",
            "https://carrier.example/apix",
            "https://carrier.example/api/../secret",
            "https://carrier.example.evil.example/api/x",
        ] {
            assert_eq!(named(other), None, "{other}");
        }
        for bad in ["carrier", "file:///etc/passwd", "https://u:p@carrier.example/api/"] {
            assert!(client.target(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn private_literals_are_recognised_in_every_spelling() {
        let client = client(false);
        for url in [
            "http://127.0.0.1/",
            "http://0x7f.1/",
            "http://2130706433/",
            "http://[::1]/",
            "http://[::ffff:10.0.0.1]/",
        ] {
            assert!(client.target(url).unwrap().private, "{url}");
        }
    }

    #[test]
    fn skills_cannot_set_what_belongs_to_the_host() {
        for name in ["Authorization", "COOKIE", "host", "Proxy-X", "X-Forwarded-For", "bad name"] {
            assert!(guest_headers(&[(name.to_owned(), "x".to_owned())]).is_err(), "{name}");
        }
        assert!(guest_headers(&[("accept".to_owned(), "text/plain".to_owned())]).is_ok());
        assert!(guest_headers(&[("accept".to_owned(), "a\r\nb: c".to_owned())]).is_err());
    }

    #[test]
    fn a_secret_goes_only_to_its_endpoint_and_is_masked_in_answers() {
        let client = client(false);
        let mut headers = HeaderMap::new();
        let secret = client.inject(&mut headers, "carrier-token", "carrier").unwrap();
        assert_eq!(headers["authorization"], "Bearer tok-123");
        assert!(!format!("{headers:?}").contains("tok-123"));
        assert!(client.inject(&mut headers, "carrier-token", "deeper").is_err());
        assert!(client.inject(&mut headers, "other", "carrier").is_err());
        let body = without_secrets(b"you sent tok-123tok-123".to_vec(), &[secret]);
        assert_eq!(body, b"you sent [redacted][redacted]");
    }
}
