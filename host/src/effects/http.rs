//! Requests of skills to other servers.
//!
//! A request goes out only if the operator granted it to the skill: endpoint,
//! method, path, headers ([`Filter`]), and a rule permits it. Names are resolved
//! once, to addresses that the endpoint may have; redirects come back as answers;
//! secrets are put in here and masked in what comes back.

mod address;
mod amount;
mod answer;
mod edge;
mod filter;
pub(crate) mod headers;
mod lost;
mod path;
mod screen;
pub(crate) mod secrets;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use postern_domain::{CallFailure, FailureKind, HostReply, HttpMethod, HttpRequest, SkillId};
use reqwest::{
    Client,
    header::{ACCEPT_ENCODING, HeaderName, HeaderValue},
    redirect, retry, tls,
};
use tokio::{sync::Semaphore, time::Instant};

pub use address::{AddressRule, Names, SystemNames};
pub(crate) use address::{is_metadata, is_public};
pub use amount::AmountPointer;
pub(crate) use edge::Edge;
pub(crate) use filter::Refusal;
pub use filter::{Checked, Filter};
pub use headers::MediaPattern;
pub use path::PathPattern;

use self::{address::CheckedNames, edge::carried, lost::lost};
use crate::{
    config::{EgressSecret, Endpoint, HttpGrant},
    gate::Material,
};

/// Connections that one skill keeps open to one endpoint while it does nothing.
const IDLE_CONNECTIONS: usize = 2;
/// How long they are kept.
const IDLE: Duration = Duration::from_secs(30);
/// Lookups of names that run at once for one endpoint. A server of names that
/// does not answer keeps each of them for long.
const LOOKUPS: usize = 4;
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
    /// What answers in the place of the network, where a skill is tested.
    edge: Option<Arc<dyn Edge>>,
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
        let mut lookups = BTreeMap::<String, Arc<Semaphore>>::new();
        for (key, endpoint, grant) in filter.grants() {
            let lookups = lookups.entry(key.0.clone());
            let lookups = lookups.or_insert_with(|| Arc::new(Semaphore::new(LOOKUPS)));
            let names = CheckedNames {
                names: Arc::clone(&names),
                rule: endpoint.addresses(),
                lookups: Arc::clone(lookups),
            };
            let client = client(endpoint, grant, names)?;
            lines.insert(key, Line { client, grant: grant.clone() });
        }
        Ok(Self { filter, lines, edge: None })
    }

    /// With an edge in the place of the network. Everything else stays: what a skill
    /// was granted, what secrets are put in, what is read of an answer.
    #[must_use]
    pub(crate) fn with_edge(self, edge: Arc<dyn Edge>) -> Self {
        Self { edge: Some(edge), ..self }
    }

    /// Whether a skill was granted a request.
    ///
    /// # Errors
    /// A refusal for the skill, and the request as it can be written down.
    pub(crate) async fn check(
        &self,
        request: &HttpRequest,
        skill: &SkillId,
    ) -> Result<Checked, Refusal> {
        self.filter.screened(request, skill).await
    }

    /// On what a request acts, in words of the operator's alone.
    pub(crate) fn resource(&self, request: &HttpRequest, skill: &SkillId) -> String {
        self.filter.resource(request, skill)
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
        let until = Instant::now() + line.grant.timeout;
        let to_send = to_send.headers(headers);
        let sent = match &self.edge {
            None => to_send.send().await,
            Some(edge) => carried(&**edge, to_send, repeatable).await?,
        };
        match sent {
            Ok(response) => {
                let screen = self.filter.screen();
                answer::read(response, &line.grant, screen, until, repeatable).await
            }
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
    names: CheckedNames,
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
        .dns_resolver(names)
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
