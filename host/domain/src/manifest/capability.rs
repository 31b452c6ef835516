//! What a skill asks for, and within which bounds.

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, Ipv6Addr},
};

use serde::{Deserialize, Serialize};

use super::{ManifestError, check_text, wrong};
use crate::{Audience, HostCall, Interface};

/// A capability that a skill asks for.
///
/// The lists bound it: a call beyond them is refused before any rule is asked. A list
/// that is left out bounds nothing, so rules alone decide; one that is empty allows
/// nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capability {
    /// Which.
    pub interface: Interface,
    /// Why, for the operator.
    pub reason: String,
    /// Collections that it reads (`records`, `knowledge`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads: Option<BTreeSet<String>>,
    /// Collections that it writes (`records`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writes: Option<BTreeSet<String>>,
    /// Hosts to which it sends requests (`http`): names or addresses as URLs have
    /// them, lower case, without port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts: Option<BTreeSet<String>>,
    /// To whom it sends messages (`message`): `customer`, `queue`, `customers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audiences: Option<BTreeSet<String>>,
}

/// The lists of a capability, and the interfaces on which each makes sense.
const BOUNDS: [(&str, &[Interface]); 4] = [
    ("reads", &[Interface::Records, Interface::Knowledge]),
    ("writes", &[Interface::Records]),
    ("hosts", &[Interface::Http]),
    ("audiences", &[Interface::Message]),
];

/// Names in one list of a capability.
const MOST_NAMES: usize = 64;

/// Whether a host is written as it is in a URL that was parsed: anything else would never
/// be the host of a request.
fn is_host(text: &str) -> bool {
    if let Some(address) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok_and(|parsed| match parsed.segments() {
            // URLs have no dots in what stands for an address of the other kind.
            [0, 0, 0, 0, 0, 0xffff, high, low] => address == format!("::ffff:{high:x}:{low:x}"),
            _ => address == parsed.to_string(),
        });
    }
    let is_plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'_')
    };
    let bare = text.strip_suffix('.').unwrap_or(text);
    if !text.bytes().all(is_plain) || bare.split('.').any(str::is_empty) {
        return false;
    }
    // A name that ends in a number is an address.
    let last = bare.rsplit('.').next().unwrap_or_default();
    let hex = last.strip_prefix("0x");
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit())
        || hex.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    !is_number || text.parse::<Ipv4Addr>().is_ok()
}

impl Capability {
    /// A capability without bounds.
    pub fn new(interface: Interface, reason: impl Into<String>) -> Self {
        Self {
            interface,
            reason: reason.into(),
            reads: None,
            writes: None,
            hosts: None,
            audiences: None,
        }
    }

    /// Its lists by name.
    pub fn bounds(&self) -> [(&'static str, Option<&BTreeSet<String>>); 4] {
        let [reads, writes, hosts, audiences] = BOUNDS.map(|(name, _)| name);
        [
            (reads, self.reads.as_ref()),
            (writes, self.writes.as_ref()),
            (hosts, self.hosts.as_ref()),
            (audiences, self.audiences.as_ref()),
        ]
    }

    /// Whether the manifest asks for so much. `host` is the host of the URL of an HTTP
    /// request. A call of another interface is not covered.
    pub fn covers(&self, call: &HostCall, host: Option<&str>) -> bool {
        let has = |list: &Option<BTreeSet<String>>, name: &str| {
            list.as_ref().is_none_or(|list| list.contains(name))
        };
        if call.interface() != self.interface {
            return false;
        }
        match call {
            HostCall::RecordsGet { collection, .. }
            | HostCall::RecordsQuery { collection, .. }
            | HostCall::RecordsIdentify { collection, .. }
            | HostCall::KnowledgeSearch { collection, .. } => has(&self.reads, collection),
            HostCall::RecordsWrite { steps } => {
                steps.iter().all(|step| has(&self.writes, step.target().0))
            }
            HostCall::HttpSend { .. } => {
                self.hosts.is_none() || host.is_some_and(|host| has(&self.hosts, host))
            }
            HostCall::MessageSend { audience, .. } => has(
                &self.audiences,
                match audience {
                    Audience::Customer => "customer",
                    Audience::Queue { .. } => "queue",
                    Audience::Customers { .. } => "customers",
                },
            ),
            HostCall::Log { .. }
            | HostCall::KvGet { .. }
            | HostCall::KvSet { .. }
            | HostCall::KvDelete { .. }
            | HostCall::TicketCreate { .. }
            | HostCall::TicketUpdate { .. }
            | HostCall::TicketTag { .. }
            | HostCall::TicketComment { .. }
            | HostCall::TicketHistory { .. }
            | HostCall::HandOver { .. }
            | HostCall::ModelComplete { .. }
            | HostCall::ScheduleCreate { .. }
            | HostCall::ScheduleCancel { .. } => true,
        }
    }

    /// Whether it asks for no more than another capability of the same interface.
    pub fn is_within(&self, other: &Self) -> bool {
        self.interface == other.interface
            && self.bounds().into_iter().zip(other.bounds()).all(|((_, own), (_, wider))| {
                match (own, wider) {
                    (_, None) => true,
                    (None, Some(_)) => false,
                    (Some(own), Some(wider)) => own.is_subset(wider),
                }
            })
    }

    pub(super) fn check(&self, field: &str) -> Result<(), ManifestError> {
        check_text(&format!("{field}.reason"), &self.reason, 400)?;
        for ((name, list), (_, interfaces)) in self.bounds().into_iter().zip(BOUNDS) {
            let Some(list) = list else { continue };
            let field = format!("{field}.{name}");
            if !interfaces.contains(&self.interface) {
                let fit: Vec<_> = interfaces.iter().map(|one| one.as_str()).collect();
                let reason = format!(
                    "makes no sense for {}; it bounds {}",
                    self.interface,
                    fit.join(" and ")
                );
                return Err(wrong(field, reason));
            }
            if list.len() > MOST_NAMES {
                let reason = format!("{} names; at most {MOST_NAMES}", list.len());
                return Err(wrong(field, reason));
            }
            for one in list {
                check_text(&field, one, 64)?;
                if name == "hosts" && !is_host(one) {
                    let reason = format!(
                        "{one:?}: must be a host as URLs have it, such as api.example.com, \
                         192.0.2.1 or [2001:db8::1]: lower case, without scheme, port or path"
                    );
                    return Err(wrong(field, reason));
                }
                if name == "audiences"
                    && !["customer", "queue", "customers"].contains(&one.as_str())
                {
                    let reason = format!("{one:?}: must be customer, queue or customers");
                    return Err(wrong(field, reason));
                }
            }
        }
        Ok(())
    }
}
