//! Servers that skills may be allowed to reach, what each skill may do there,
//! and the secrets that travel with its requests.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use ipnet::IpNet;
use postern_domain::{HttpMethod, SkillId};
use reqwest::header::HeaderName;
use url::{Host, Url};

use super::{
    ConfigError,
    check::{Checked, Checker},
    raw::{RawEgressSecret, RawEndpoint, RawGrant},
};
use crate::{
    effects::http::{
        AddressRule, AmountPointer, MediaPattern, PathPattern, headers, is_metadata, is_public,
        secrets::{LEAST_NEEDLE_BYTES, worth_hiding},
    },
    keys::Secret,
};

/// A server that skills may be allowed to reach.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Its root: scheme, host, port and first part of the path.
    pub url: Url,
    /// Networks that are not public in which it may lie.
    pub private: Vec<IpNet>,
    /// What each skill may do there; a skill that is not here may do nothing.
    pub grants: BTreeMap<SkillId, HttpGrant>,
}

impl Endpoint {
    /// Which addresses it may have. What is not encrypted stays in the networks
    /// that the operator named.
    pub fn addresses(&self) -> AddressRule {
        AddressRule { private: self.private.clone(), public: self.url.scheme() == "https" }
    }

    /// The address, if the URL names one instead of a host.
    pub fn literal(&self) -> Option<IpAddr> {
        match self.url.host() {
            Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
            Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
            Some(Host::Domain(_)) | None => None,
        }
    }
}

/// What one skill may do with one endpoint, before rules judge the request.
#[derive(Debug, Clone)]
pub struct HttpGrant {
    /// Methods it may use.
    pub methods: Vec<HttpMethod>,
    /// Paths below the endpoint's URL.
    pub paths: Vec<PathPattern>,
    /// Headers that it may send beyond those that every skill may.
    pub headers: Vec<HeaderName>,
    /// Types of answers that it may read.
    pub content_types: Vec<MediaPattern>,
    /// Names of the secrets that it may have put into its requests.
    pub secrets: Vec<String>,
    /// Where the money that a request moves stands in its JSON body, if it moves any.
    pub amount: Option<AmountPointer>,
    /// Whether what it does there cannot be undone.
    pub irreversible: bool,
    /// Time for a whole request.
    pub timeout: Duration,
    /// Bytes of an answer.
    pub response_bytes: usize,
}

/// A secret that the host puts into requests of skills.
#[derive(Debug, Clone)]
pub struct EgressSecret {
    /// The secret.
    pub value: Secret,
    /// The only endpoint that gets it.
    pub endpoint: String,
    /// The header in which it travels.
    pub header: String,
    /// What stands before it.
    pub prefix: String,
}

/// Shorter secrets of digits alone can be guessed, and are found in honest text.
const LEAST_SECRET_DIGITS: usize = 12;
/// Entries of a list.
const MOST_ENTRIES: usize = 64;
/// Prefixes that hold more than one kind of network.
const LEAST_PREFIX_V4: u8 = 8;
const LEAST_PREFIX_V6: u8 = 7;

impl Checker<'_> {
    pub(super) fn endpoints(
        &self,
        raw: BTreeMap<String, RawEndpoint>,
    ) -> Checked<BTreeMap<String, Endpoint>> {
        let mut endpoints = BTreeMap::<String, Endpoint>::new();
        for (name, raw) in raw {
            let field = format!("endpoints.{name}");
            self.name(&field, &name)?;
            let endpoint = self.endpoint(&field, raw)?;
            if let Some((other, _)) = endpoints.iter().find(|(_, e)| e.url == endpoint.url) {
                let reason = format!("is that of endpoint {other} too: give that one the grants");
                return self.wrong(format!("{field}.url"), reason);
            }
            endpoints.insert(name, endpoint);
        }
        Ok(endpoints)
    }

    fn endpoint(&self, field: &str, raw: RawEndpoint) -> Checked<Endpoint> {
        let place = format!("{field}.url");
        let url = self.url(&place, &raw.url)?;
        if url.host_str().is_some_and(|host| host.ends_with('.')) {
            return self.wrong(place, "write the host without a dot at its end");
        }
        if let Err(reason) = PathPattern::plain(url.path()) {
            return self.wrong(place, reason);
        }
        let private = self.each(&format!("{field}.private"), &raw.private, private_net)?;
        if url.scheme() == "http" && private.is_empty() {
            let reason = "`http` is accepted only inside networks that `private` names, such as \
                          private = [\"10.1.2.0/24\"]";
            return self.wrong(place, reason);
        }
        let mut endpoint = Endpoint { url, private, grants: BTreeMap::new() };
        if let Some(ip) = endpoint.literal()
            && !endpoint.addresses().admits(ip)
        {
            let alone = IpNet::from(ip);
            let reason = if is_metadata(ip) {
                format!("{ip} gives cloud machines their credentials: name {alone} under `private`")
            } else {
                format!("{ip} is not a public address: name its network under `private`")
            };
            return self.wrong(place, reason);
        }
        for (skill, raw) in raw.grants {
            let grant = self.grant(&format!("{field}.grants.{skill}"), raw)?;
            endpoint.grants.insert(skill, grant);
        }
        Ok(endpoint)
    }

    fn grant(&self, field: &str, raw: RawGrant) -> Checked<HttpGrant> {
        if raw.methods.is_empty() {
            return self.wrong(format!("{field}.methods"), "is empty: leave out the whole grant");
        }
        let timeout =
            self.number(&format!("{field}.timeout_ms"), raw.timeout_ms, 100, 60_000)?.into();
        let kib = self.number(&format!("{field}.response_kib"), raw.response_kib, 1, 4_096)?;
        Ok(HttpGrant {
            methods: raw.methods,
            paths: self.each(&format!("{field}.paths"), &raw.paths, PathPattern::parse)?,
            headers: self.each(&format!("{field}.headers"), &raw.headers, extra_header)?,
            content_types: self.each(
                &format!("{field}.content_types"),
                &raw.content_types,
                MediaPattern::parse,
            )?,
            secrets: self
                .each(&format!("{field}.secrets"), &raw.secrets, |name| Ok(name.to_owned()))?,
            amount: match raw.amount.as_deref().map(AmountPointer::parse).transpose() {
                Ok(amount) => amount,
                Err(reason) => return self.wrong(format!("{field}.amount"), reason),
            },
            irreversible: raw.irreversible,
            timeout: Duration::from_millis(timeout),
            response_bytes: kib as usize * 1_024,
        })
    }

    /// Every text of a list, read; an error names the text.
    fn each<T>(
        &self,
        field: &str,
        texts: &[String],
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Checked<Vec<T>> {
        if texts.len() > MOST_ENTRIES {
            return self.wrong(field, format!("has more than {MOST_ENTRIES} entries"));
        }
        let one = |text: &String| match read(text) {
            Ok(value) => Ok(value),
            Err(reason) => self.wrong(field, format!("{text:?}: {reason}")),
        };
        texts.iter().map(one).collect()
    }

    pub(super) fn egress_secrets(
        &self,
        raw: BTreeMap<String, RawEgressSecret>,
        endpoints: &BTreeMap<String, Endpoint>,
    ) -> Checked<BTreeMap<String, EgressSecret>> {
        let mut secrets = BTreeMap::<String, EgressSecret>::new();
        for (name, raw) in raw {
            let field = format!("secrets.{name}");
            self.name(&field, &name)?;
            let secret = self.egress_secret(&field, raw, endpoints)?;
            secrets.insert(name, secret);
        }
        for (endpoint, rules) in endpoints {
            let is_of = |name: &String| secrets.get(name).is_some_and(|s| s.endpoint == *endpoint);
            for (skill, grant) in &rules.grants {
                if let Some(name) = grant.secrets.iter().find(|name| !is_of(name)) {
                    let reason = format!(
                        "{name:?}: add [secrets.{name}] with endpoint = {endpoint:?}, or leave it out"
                    );
                    return self
                        .wrong(format!("endpoints.{endpoint}.grants.{skill}.secrets"), reason);
                }
            }
        }
        Ok(secrets)
    }

    fn egress_secret(
        &self,
        field: &str,
        raw: RawEgressSecret,
        endpoints: &BTreeMap<String, Endpoint>,
    ) -> Result<EgressSecret, ConfigError> {
        let Some(endpoint) = endpoints.get(&raw.endpoint) else {
            let known: Vec<_> = endpoints.keys().map(String::as_str).collect();
            let reason = format!("no endpoint {:?}; there are: {}", raw.endpoint, known.join(", "));
            return self.wrong(format!("{field}.endpoint"), reason);
        };
        let place = format!("{field}.header");
        let header = raw.header.to_ascii_lowercase();
        let Ok(name) = HeaderName::from_bytes(header.as_bytes()) else {
            return self.wrong(place, format!("{header:?} is not a header name"));
        };
        if headers::frames(&name) {
            return self.wrong(place, format!("{header:?} frames the message: use another"));
        }
        if let Some((skill, _)) = endpoint.grants.iter().find(|(_, g)| g.headers.contains(&name)) {
            let reason = format!("{header:?} is one that the grant of {skill} lets the skill set");
            return self.wrong(place, reason);
        }
        let value = self.secret(&format!("{field}.value"), raw.value)?;
        if let Some(reason) = guessable(&raw.prefix, value.expose()) {
            return self.wrong(format!("{field}.value"), reason);
        }
        let whole = format!("{}{}", raw.prefix, value.expose());
        if headers::printable(&whole).is_none() {
            let reason = "prefix and secret must be printable ASCII to stand in a header";
            return self.wrong(format!("{field}.value"), reason);
        }
        Ok(EgressSecret { value, endpoint: raw.endpoint, header, prefix: raw.prefix })
    }
}

/// Why a secret, or what is secret inside it, is too easy to guess.
fn guessable(prefix: &str, value: &str) -> Option<String> {
    for (part, secret) in worth_hiding(prefix, value).iter().enumerate() {
        let what = if part == 0 { "the secret" } else { "what the credentials hold" };
        if secret.len() < LEAST_NEEDLE_BYTES {
            return Some(format!(
                "{what} has fewer than {LEAST_NEEDLE_BYTES} bytes, which can be guessed"
            ));
        }
        if secret.len() < LEAST_SECRET_DIGITS && secret.iter().all(u8::is_ascii_digit) {
            return Some(format!(
                "{what} has fewer than {LEAST_SECRET_DIGITS} bytes and digits alone, which can be \
                 guessed"
            ));
        }
    }
    None
}

/// A network for `private`: wholly of addresses that are not public, and not so
/// wide that it holds everything.
fn private_net(text: &str) -> Result<IpNet, String> {
    let net: IpNet =
        text.parse().map_err(|_| "is not a network such as 10.1.2.0/24 or fd00:1::/64")?;
    let least = match net {
        IpNet::V4(_) => LEAST_PREFIX_V4,
        IpNet::V6(_) => LEAST_PREFIX_V6,
    };
    if net.prefix_len() < least {
        return Err("is too wide: name the network in which the server is".to_owned());
    }
    if net.addr() != net.network() {
        return Err(format!("has bits beyond its length: write {}", net.trunc()));
    }
    if is_public(net.network()) || is_public(net.broadcast()) {
        return Err("holds public addresses, which need no mention here".to_owned());
    }
    let everything = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
    if everything.iter().any(|ip| net.contains(ip)) {
        return Err("holds the unspecified address, which is no server's".to_owned());
    }
    Ok(net)
}

fn extra_header(text: &str) -> Result<HeaderName, String> {
    let name = HeaderName::from_bytes(text.as_bytes()).map_err(|_| "is not a header name")?;
    if headers::is_reserved(&name) {
        return Err(
            "is set by the host alone; what identifies the skill goes under [secrets]".to_owned()
        );
    }
    Ok(name)
}
