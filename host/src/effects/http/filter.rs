//! What a skill may ask for: decided from the configuration and the request
//! alone, before rules judge it and before anything is sent.

use std::collections::BTreeMap;

use aho_corasick::BuildError;
use postern_domain::{CallFailure, FailureKind, HttpRequest, SkillId};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::{headers, path, secrets::Scanner};
use crate::config::{EgressSecret, Endpoint, HttpGrant};

/// Bytes of a request's body.
const MOST_REQUEST_BYTES: usize = 1024 * 1024;
/// Secrets of one request.
const MOST_SECRETS: usize = 8;

/// A request that its skill was granted. It still needs a permit.
#[derive(Debug)]
pub struct Checked {
    /// Where it goes, in a form that everybody reads alike.
    pub(super) url: Url,
    /// The endpoint that covers the URL, and the skill.
    pub(super) grant: (String, SkillId),
    /// The skill's own headers.
    pub(super) headers: HeaderMap,
    private: bool,
}

impl Checked {
    /// Where it goes, in a form that everybody reads alike.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The operator's name of the endpoint that covers the URL.
    pub fn endpoint(&self) -> &str {
        &self.grant.0
    }

    /// Whether the operator lets the endpoint lie in networks that are not public.
    pub fn is_private(&self) -> bool {
        self.private
    }
}

/// The configured endpoints, grants and secrets.
pub struct Filter {
    endpoints: BTreeMap<String, Endpoint>,
    secrets: BTreeMap<String, EgressSecret>,
    scanner: Scanner,
}

impl Filter {
    /// A filter for these endpoints and secrets.
    ///
    /// # Errors
    /// There are more secrets than can be looked for.
    pub fn new(
        endpoints: BTreeMap<String, Endpoint>,
        secrets: BTreeMap<String, EgressSecret>,
    ) -> Result<Self, BuildError> {
        let scanner = Scanner::new(secrets.values())?;
        Ok(Self { endpoints, secrets, scanner })
    }

    /// Whether a skill was granted a request: endpoint, method, path, headers and
    /// secrets, and no secret of ours in it. Pure: it neither sends nor resolves
    /// anything.
    ///
    /// # Errors
    /// A refusal for the skill, with the next step. It repeats neither query,
    /// body nor values of headers.
    pub fn check(&self, request: &HttpRequest, skill: &SkillId) -> Result<Checked, CallFailure> {
        if request.body.len() > MOST_REQUEST_BYTES {
            let reason = format!("a body has at most {MOST_REQUEST_BYTES} bytes");
            return Err(CallFailure::invalid(reason));
        }
        // First, because what is refused for another reason may be repeated.
        if self.holds_secret(request) {
            return denied("the request carries the value of a secret: name the secret instead");
        }
        let url = path::plain_url(&request.url)?;
        let Some((name, endpoint)) = self.covering(&url) else {
            return denied(format!(
                "no endpoint covers {}: the operator can add one under [endpoints] in postern.toml, \
                 with a grant for {skill}",
                url.origin().ascii_serialization()
            ));
        };
        let place = format!("[endpoints.{name}.grants.{skill}]");
        let Some(grant) = endpoint.grants.get(skill) else {
            return denied(format!(
                "endpoint {name} is not granted to {skill}: the operator can add {place} to postern.toml"
            ));
        };
        if let Some(ip) = endpoint.literal()
            && !endpoint.addresses().admits(ip)
        {
            return denied(format!(
                "endpoint {name} is not at a public address: the operator can name its network \
                 under `private`"
            ));
        }
        within(grant, request, below(&endpoint.url, &url).unwrap_or_default(), &place)?;
        let headers = self.headers(request, grant, name, &place)?;
        let private = !endpoint.private.is_empty();
        Ok(Checked { url, grant: (name.to_owned(), skill.clone()), headers, private })
    }

    /// The closest endpoint above a URL.
    fn covering(&self, url: &Url) -> Option<(&str, &Endpoint)> {
        self.endpoints
            .iter()
            .filter(|(_, endpoint)| below(&endpoint.url, url).is_some())
            .max_by_key(|(_, endpoint)| endpoint.url.path().len())
            .map(|(name, endpoint)| (name.as_str(), endpoint))
    }

    /// Whether a configured secret's value stands in a request as a skill wrote it.
    pub(super) fn holds_secret(&self, request: &HttpRequest) -> bool {
        self.scanner.finds(request.url.as_bytes())
            || self.scanner.finds(&request.body)
            || request.headers.iter().any(|(name, value)| {
                self.scanner.finds(name.as_bytes()) || self.scanner.finds(value.as_bytes())
            })
    }

    /// The skill's own headers, if it may send them and use the secrets it names.
    fn headers(
        &self,
        request: &HttpRequest,
        grant: &HttpGrant,
        endpoint: &str,
        place: &str,
    ) -> Result<HeaderMap, CallFailure> {
        let of_endpoint = self.secrets.values().filter(|secret| secret.endpoint == endpoint);
        let taken: Vec<&str> = of_endpoint.map(|secret| secret.header.as_str()).collect();
        let own = headers::request(&request.headers, &grant.headers, &taken, place)?;
        if request.secrets.len() > MOST_SECRETS {
            return Err(CallFailure::invalid(format!(
                "a request has at most {MOST_SECRETS} secrets"
            )));
        }
        let mut used = Vec::new();
        for name in &request.secrets {
            let short: String = name.chars().take(64).collect();
            let Some(secret) = self.secrets.get(name) else {
                return denied(format!("no secret {short:?} under [secrets] in postern.toml"));
            };
            if secret.endpoint != endpoint {
                return denied(format!("secret {short:?} is not meant for endpoint {endpoint}"));
            }
            if used.contains(&&secret.header) {
                let reason = format!("two secrets for header {}: name one", secret.header);
                return Err(CallFailure::invalid(reason));
            }
            used.push(&secret.header);
        }
        Ok(own)
    }

    /// Every grant with its endpoint and skill.
    pub(super) fn grants(
        &self,
    ) -> impl Iterator<Item = ((String, SkillId), &Endpoint, &HttpGrant)> {
        self.endpoints.iter().flat_map(|(name, endpoint)| {
            endpoint
                .grants
                .iter()
                .map(move |(skill, grant)| ((name.clone(), skill.clone()), endpoint, grant))
        })
    }

    /// Puts secrets in, which [`check`](Self::check) let pass.
    pub(super) fn inject(
        &self,
        headers: &mut HeaderMap,
        names: &[String],
    ) -> Result<(), CallFailure> {
        for name in names {
            let header = self.secrets.get(name).and_then(|secret| {
                let value = format!("{}{}", secret.prefix, secret.value.expose());
                let mut value = HeaderValue::from_str(&value).ok()?;
                value.set_sensitive(true);
                Some((HeaderName::from_bytes(secret.header.as_bytes()).ok()?, value))
            });
            let Some((header, value)) = header else {
                return denied(
                    "a secret cannot stand in a header: the operator can check [secrets]",
                );
            };
            headers.insert(header, value);
        }
        Ok(())
    }

    /// The bytes with every configured secret masked.
    pub(super) fn mask(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.scanner.mask(bytes)
    }

    /// The request with every configured secret masked.
    pub(super) fn masked(&self, mut request: HttpRequest) -> HttpRequest {
        let text =
            |text: String| String::from_utf8_lossy(&self.mask(text.into_bytes())).into_owned();
        request.url = text(request.url);
        let headers = request.headers.into_iter();
        request.headers = headers.map(|(name, value)| (text(name), text(value))).collect();
        request.body = self.mask(request.body);
        request
    }
}

/// Whether method, path and body are what a grant allows.
fn within(
    grant: &HttpGrant,
    request: &HttpRequest,
    path: &str,
    place: &str,
) -> Result<(), CallFailure> {
    if !grant.methods.contains(&request.method) {
        let method = request.method.as_str();
        return denied(format!(
            "{method} is not granted: the operator can add it to `methods` of {place}"
        ));
    }
    if !grant.paths.iter().any(|pattern| pattern.matches(path)) {
        let known: Vec<String> = grant.paths.iter().map(ToString::to_string).collect();
        return denied(format!(
            "the path is not granted, only {}: the operator can add it to `paths` of {place}",
            known.join(", ")
        ));
    }
    if request.method.is_safe() && !request.body.is_empty() {
        return Err(CallFailure::invalid("GET and HEAD have no body"));
    }
    Ok(())
}

/// What of a URL's path lies below an endpoint's root, without a leading slash:
/// same scheme, host and port, and a path that continues the root's at a `/`.
fn below<'u>(root: &Url, url: &'u Url) -> Option<&'u str> {
    let base = root.path().strip_suffix('/').unwrap_or(root.path());
    let rest = url.path().strip_prefix(base).filter(|_| root.origin() == url.origin())?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

fn denied<T>(reason: impl Into<String>) -> Result<T, CallFailure> {
    Err(CallFailure::new(FailureKind::Denied, reason))
}
