//! Requests of skills to other servers.
//!
//! A request goes out only if the operator granted it to the skill: endpoint,
//! method, path, headers ([`Filter`]), and a rule permits it. Names are resolved
//! once, to addresses that the endpoint may have; redirects come back as answers;
//! secrets are put in here and masked in what comes back.

mod address;
mod answer;
mod filter;
pub(crate) mod headers;
mod lost;
mod path;
mod secrets;

use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};

use postern_domain::{
    CallFailure, FailureKind, HostCall, HostReply, HttpMethod, HttpRequest, SkillId,
};
use reqwest::{
    Client,
    header::{ACCEPT_ENCODING, HeaderName, HeaderValue},
    redirect, retry, tls,
};

pub(crate) use address::is_public;
pub use address::{AddressRule, Names, SystemNames};
pub use filter::{Checked, Filter};
pub use headers::MediaPattern;
pub use path::PathPattern;

use self::{address::CheckedNames, lost::lost};
use crate::{
    config::{EgressSecret, Endpoint, HttpGrant},
    gate::Material,
};

/// Connections that one skill keeps open to one endpoint while it does nothing.
const IDLE_CONNECTIONS: usize = 2;
/// How long they are kept.
const IDLE: Duration = Duration::from_secs(30);
/// Time to resolve a name, connect and agree on keys, within the grant's time.
const CONNECT: Duration = Duration::from_secs(3);
/// Time without a byte of the answer, if half of the grant's time is less.
const SILENCE: Duration = Duration::from_secs(5);

/// Why there is no way to other servers.
#[derive(Debug, thiserror::Error)]
pub enum HttpSetupError {
    /// The TLS library cannot be set up.
    #[error("the TLS library cannot be set up: {0}; is there a store of root certificates?")]
    Tls(#[from] reqwest::Error),
    /// There are more secrets than can be looked for.
    #[error("[secrets] cannot be looked for in answers: {0}; are there very many?")]
    Secrets(#[from] aho_corasick::BuildError),
}

/// The way to other servers.
pub struct HttpClient {
    filter: Filter,
    lines: BTreeMap<(String, SkillId), Line>,
}

/// One skill's way to one endpoint, with connections of its own: what a server
/// does to a connection, another skill does not feel.
struct Line {
    client: Client,
    grant: HttpGrant,
}

impl HttpClient {
    /// A client for these endpoints and secrets.
    ///
    /// # Errors
    /// The TLS library cannot be set up, or there are too many secrets.
    pub fn new(
        endpoints: BTreeMap<String, Endpoint>,
        secrets: BTreeMap<String, EgressSecret>,
    ) -> Result<Self, HttpSetupError> {
        Self::with_names(endpoints, secrets, Arc::new(SystemNames))
    }

    /// A client that looks names up as `names` does.
    ///
    /// # Errors
    /// As [`HttpClient::new`].
    pub fn with_names(
        endpoints: BTreeMap<String, Endpoint>,
        secrets: BTreeMap<String, EgressSecret>,
        names: Arc<dyn Names>,
    ) -> Result<Self, HttpSetupError> {
        let filter = Filter::new(endpoints, secrets)?;
        let mut lines = BTreeMap::new();
        for (key, endpoint, grant) in filter.grants() {
            let client = client(endpoint, grant, Arc::clone(&names))?;
            lines.insert(key, Line { client, grant: grant.clone() });
        }
        Ok(Self { filter, lines })
    }

    /// Whether a skill was granted a request.
    ///
    /// # Errors
    /// As [`Filter::check`].
    pub(crate) fn check(
        &self,
        request: &HttpRequest,
        skill: &SkillId,
    ) -> Result<Checked, CallFailure> {
        self.filter.check(request, skill)
    }

    /// A call as it can be written down: without values of secrets, which a skill
    /// may have come by and put into a request.
    pub(crate) fn without_secrets<'c>(&self, call: &'c HostCall) -> Cow<'c, HostCall> {
        match call {
            HostCall::HttpSend { request } if self.filter.holds_secret(request) => {
                let request = self.filter.masked(request.clone());
                Cow::Owned(HostCall::HttpSend { request })
            }
            other => Cow::Borrowed(other),
        }
    }

    /// Sends a permitted request.
    pub(super) async fn send(
        &self,
        request: HttpRequest,
        material: Material,
        idempotency_key: &str,
    ) -> Result<HostReply, CallFailure> {
        let Material::Target(Checked { url, grant, mut headers, .. }) = material else {
            return Err(CallFailure::invalid("not a request"));
        };
        let Some(line) = self.lines.get(&grant) else {
            return Err(CallFailure::new(FailureKind::Denied, "the endpoint is not granted"));
        };
        self.filter.inject(&mut headers, &request.secrets)?;
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let mut to_send = line.client.request(method(request.method), url);
        if !request.method.is_safe() {
            let key = HeaderValue::from_str(idempotency_key)
                .map_err(|_| CallFailure::invalid("the idempotency key is not a header value"))?;
            headers.insert(HeaderName::from_static("idempotency-key"), key);
            to_send = to_send.body(request.body);
        }
        let repeatable = request.method.is_safe() || request.idempotent;
        match to_send.headers(headers).send().await {
            Ok(response) => answer::read(response, &line.grant, &self.filter, repeatable).await,
            Err(error) => {
                let failure = lost(&error, repeatable);
                // The URL may hold what the skill alone should know.
                let error = error.without_url();
                let error = &error as &dyn std::error::Error;
                let (endpoint, skill) = &grant;
                tracing::warn!(endpoint, skill.id = %skill, error, "a request got no answer");
                Err(failure)
            }
        }
    }
}

/// A client for one grant.
fn client(
    endpoint: &Endpoint,
    grant: &HttpGrant,
    names: Arc<dyn Names>,
) -> Result<Client, reqwest::Error> {
    Client::builder()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .referer(false)
        .http1_only()
        .http1_max_headers(answer::MOST_HEADERS)
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd()
        .https_only(endpoint.url.scheme() == "https")
        .tls_version_min(tls::Version::TLS_1_2)
        .dns_resolver(CheckedNames { names, rule: endpoint.addresses() })
        .connect_timeout(CONNECT.min(grant.timeout))
        .read_timeout(SILENCE.max(grant.timeout / 2).min(grant.timeout))
        .timeout(grant.timeout)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .pool_idle_timeout(IDLE)
        .user_agent(concat!("postern/", env!("CARGO_PKG_VERSION")))
        .build()
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

#[cfg(test)]
mod tests;
