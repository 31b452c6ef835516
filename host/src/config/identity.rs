//! How the host makes sure who a customer is: contacts on file, the gateway to
//! them, and keys of the operator's web sites.

use url::{Host, Url};

use super::{
    Collections,
    check::{Checked, Checker},
    raw::{RawDelivery, RawIdentity, RawWebIdentity},
};
use crate::keys::Secret;

/// Keys that one web site can have: the current one and those before it.
const MOST_KEYS: usize = 4;
/// Bytes of a key for HS256 (RFC 7518, 3.2: at least as many as the hash has).
const LEAST_KEY_BYTES: usize = 32;
/// Bytes of the gateway's token.
const LEAST_TOKEN_BYTES: usize = 16;

/// How codes reach customers.
#[derive(Debug, Clone, Default)]
pub struct IdentitySettings {
    /// Contacts in the customers' records, the preferred one first.
    pub contacts: Vec<Contact>,
    /// The gateway, if there is one.
    pub delivery: Option<Delivery>,
}

/// A contact in a customer's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// What it is: `email` or `phone`.
    pub kind: &'static str,
    /// The dotted name of its field.
    pub path: String,
}

/// The operator's own gateway to contacts.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Where requests go.
    pub url: Url,
    /// What they carry as `Authorization: Bearer`.
    pub token: Secret,
}

impl Checker<'_> {
    pub(super) fn identity(
        &self,
        raw: RawIdentity,
        collections: &Collections,
    ) -> Checked<IdentitySettings> {
        let contacts: Vec<_> = [("email", raw.contacts.email), ("phone", raw.contacts.phone)]
            .into_iter()
            .filter_map(|(kind, path)| Some(Contact { kind, path: path? }))
            .collect();
        for contact in &contacts {
            let field = format!("identity.contacts.{}", contact.kind);
            let Some((name, customers)) = collections.customers() else {
                return self
                    .wrong(field, "no collection has `identify_by`: give one to customers'");
            };
            if customers.personal_kind(&contact.path).is_none() {
                let reason = format!(
                    "{:?} is not a personal field: declare it under [collections.{name}.personal]",
                    contact.path
                );
                return self.wrong(field, reason);
            }
        }
        let delivery = raw.delivery.map(|raw| self.delivery(raw)).transpose()?;
        if delivery.is_some() && contacts.is_empty() {
            let reason =
                "is needed where `identity.delivery` is set, such as { email = \"email\" }";
            return self.wrong("identity.contacts", reason);
        }
        Ok(IdentitySettings { contacts, delivery })
    }

    fn delivery(&self, raw: RawDelivery) -> Checked<Delivery> {
        let field = "identity.delivery.url";
        let url = self.url(field, &raw.url)?;
        if url.scheme() != "https" && !is_loopback(&url) {
            return self
                .wrong(field, "codes travel over https, or over http to this machine alone");
        }
        let token = self.secret("identity.delivery.token", raw.token)?;
        if token.expose().len() < LEAST_TOKEN_BYTES {
            return self.wrong("identity.delivery.token", "must have at least 16 characters");
        }
        Ok(Delivery { url, token })
    }

    /// The keys with which a web site signs who its visitors are.
    pub(super) fn web_keys(&self, field: &str, raw: RawWebIdentity) -> Checked<Vec<Secret>> {
        let field = format!("{field}.identity.keys");
        if !(1..=MOST_KEYS).contains(&raw.keys.len()) {
            return self.wrong(field, format!("must be 1 to {MOST_KEYS}: the current one first"));
        }
        let mut keys = Vec::new();
        for raw in raw.keys {
            let key = self.secret(&field, raw.secret)?;
            if key.expose().len() < LEAST_KEY_BYTES {
                let reason = format!("a key for HS256 has at least {LEAST_KEY_BYTES} bytes");
                return self.wrong(field, reason);
            }
            keys.push(key);
        }
        Ok(keys)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(_)) | None => false,
    }
}
