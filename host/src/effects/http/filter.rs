//! What a skill may ask for: decided from the configuration and the request
//! alone, before rules judge it and before anything is sent.

use std::collections::BTreeMap;

use aho_corasick::BuildError;
use postern_domain::{CallFailure, FailureKind, HttpRequest, SkillId};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;
use url::Url;

use super::{
    headers, path,
    screen::{self, Screen},
    secrets::Scanner,
};
use crate::config::{EgressSecret, Endpoint, HttpGrant};

/// Bytes of a request's body.
const MOST_REQUEST_BYTES: usize = 1024 * 1024;
/// What stands in the place of a URL that no endpoint covers.
const NOWHERE: &str = "(no endpoint)";
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
    amount: Option<i64>,
    moves_money: bool,
    irreversible: bool,
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

    /// The money that the request moves, in minor units, if that is known.
    pub fn amount(&self) -> Option<i64> {
        self.amount
    }

    /// Whether the grant says where an amount stands.
    pub fn moves_money(&self) -> bool {
        self.moves_money
    }

    /// Whether the grant says that what it does cannot be undone.
    pub fn is_irreversible(&self) -> bool {
        self.irreversible
    }
}

/// The configured endpoints, grants and secrets.
pub struct Filter {
    endpoints: BTreeMap<String, Endpoint>,
    secrets: BTreeMap<String, EgressSecret>,
    screen: Screen,
}

/// A request that does not leave.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// Why, for the skill.
    pub(crate) failure: CallFailure,
    /// The request as it can be written down, if not as it is: it holds a secret,
    /// or nobody looked for one.
    pub(crate) kept: Option<HttpRequest>,
}

/// A request to an endpoint at which its skill may do something.
struct Granted<'f> {
    url: Url,
    name: &'f str,
    endpoint: &'f Endpoint,
    grant: &'f HttpGrant,
    /// Where the operator wrote the grant.
    place: String,
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
        Ok(Self { endpoints, secrets, screen: Screen::new(scanner) })
    }

    /// Whether a skill was granted a request: endpoint, method, path, headers and
    /// secrets, and no secret of ours in it. Pure: it neither sends nor resolves
    /// anything.
    ///
    /// # Errors
    /// A refusal for the skill, with the next step. It repeats neither the URL,
    /// body nor values of headers.
    pub fn check(&self, request: &HttpRequest, skill: &SkillId) -> Result<Checked, CallFailure> {
        let granted = self.granted(request, skill)?;
        if screen::holds_secret(self.screen.scanner(), request) {
            return Err(carries_secret());
        }
        self.complete(request, skill, granted)
    }

    /// As [`check`](Self::check), without holding up other work.
    pub(super) async fn screened(
        &self,
        request: &HttpRequest,
        skill: &SkillId,
    ) -> Result<Checked, Refusal> {
        let granted = self.granted(request, skill).map_err(|failure| {
            let kept = Some(self.unread(request));
            Refusal { failure, kept }
        })?;
        let until = Instant::now() + granted.grant.timeout;
        let (copy, root) = (request.clone(), granted.endpoint.url.to_string());
        let looked = self
            .screen
            .run(screen::size(request), until, move |scanner| screen::masked(scanner, copy, &root));
        match looked.await {
            None => {
                let reason = "to look for secrets in the request took too long: send less";
                let failure = CallFailure::new(FailureKind::Unavailable, reason);
                Err(Refusal { failure, kept: Some(self.unread(request)) })
            }
            Some(Some(masked)) => Err(Refusal { failure: carries_secret(), kept: Some(masked) }),
            Some(None) => self
                .complete(request, skill, granted)
                .map_err(|failure| Refusal { failure, kept: None }),
        }
    }

    /// A request in which nobody looked for secrets, without what could hold one.
    fn unread(&self, request: &HttpRequest) -> HttpRequest {
        let covering = path::plain_url(&request.url).ok();
        let covering = covering.as_ref().and_then(|url| self.covering(url));
        HttpRequest {
            method: request.method,
            url: covering.map_or_else(|| NOWHERE.to_owned(), |(_, e)| e.url.to_string()),
            headers: Vec::new(),
            body: Vec::new(),
            secrets: Vec::new(),
            idempotent: request.idempotent,
        }
    }

    /// Whether a skill has anything to do where a request goes. What is said here
    /// repeats nothing of the request, in which nobody has looked for secrets yet.
    fn granted(&self, request: &HttpRequest, skill: &SkillId) -> Result<Granted<'_>, CallFailure> {
        if request.body.len() > MOST_REQUEST_BYTES {
            let reason = format!("a body has at most {MOST_REQUEST_BYTES} bytes");
            return Err(CallFailure::invalid(reason));
        }
        headers::bounded(&request.headers)?;
        let url = path::plain_url(&request.url)?;
        let Some((name, endpoint)) = self.covering(&url) else {
            return denied(format!(
                "no endpoint covers the URL: the operator can add one under [endpoints] in \
                 postern.toml, with a grant for {skill}"
            ));
        };
        let place = format!("[endpoints.{name}.grants.{skill}]");
        let Some(grant) = endpoint.grants.get(skill) else {
            return denied(format!(
                "endpoint {name} is not granted to {skill}: the operator can add {place} to postern.toml"
            ));
        };
        Ok(Granted { url, name, endpoint, grant, place })
    }

    /// What the grant says to a request that holds no secret.
    fn complete(
        &self,
        request: &HttpRequest,
        skill: &SkillId,
        granted: Granted<'_>,
    ) -> Result<Checked, CallFailure> {
        let Granted { url, name, endpoint, grant, place } = granted;
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
        let amount = grant.amount.as_ref().and_then(|pointer| pointer.of(request));
        Ok(Checked {
            url,
            grant: (name.to_owned(), skill.clone()),
            headers,
            private,
            amount,
            moves_money: grant.amount.is_some(),
            irreversible: grant.irreversible,
        })
    }

    /// On what a request acts, in words of the operator's alone: method, endpoint,
    /// and which of the granted paths it is.
    pub(super) fn resource(&self, request: &HttpRequest, skill: &SkillId) -> String {
        let method = request.method.as_str();
        let url = path::plain_url(&request.url).ok();
        let covering = url.as_ref().and_then(|url| Some((url, self.covering(url)?)));
        let Some((url, (name, endpoint))) = covering else {
            return format!("{method} {NOWHERE}");
        };
        let path = below(&endpoint.url, url).unwrap_or_default();
        let grant = endpoint.grants.get(skill);
        match grant.and_then(|grant| grant.paths.iter().find(|pattern| pattern.matches(path))) {
            Some(pattern) => format!("{method} {name} {pattern}"),
            None => format!("{method} {name}"),
        }
    }

    /// The closest endpoint above a URL.
    fn covering(&self, url: &Url) -> Option<(&str, &Endpoint)> {
        self.endpoints
            .iter()
            .filter(|(_, endpoint)| below(&endpoint.url, url).is_some())
            .max_by_key(|(_, endpoint)| endpoint.url.path().len())
            .map(|(name, endpoint)| (name.as_str(), endpoint))
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
            // One answer, so that a skill learns nothing about secrets of others.
            let known = self.secrets.get(name).filter(|secret| secret.endpoint == endpoint);
            let Some(secret) = known.filter(|_| grant.secrets.contains(name)) else {
                return denied(format!(
                    "a secret that the request names is not granted: the operator can add it to \
                     `secrets` of {place}"
                ));
            };
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

    /// Looks for secrets in what comes back.
    pub(super) fn screen(&self) -> &Screen {
        &self.screen
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

fn carries_secret() -> CallFailure {
    let reason = "the request carries the value of a secret: name the secret instead";
    CallFailure::new(FailureKind::Denied, reason)
}

fn denied<T>(reason: impl Into<String>) -> Result<T, CallFailure> {
    Err(CallFailure::new(FailureKind::Denied, reason))
}
