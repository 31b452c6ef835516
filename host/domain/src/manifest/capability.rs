//! What a skill asks for, and within which bounds.

use std::collections::BTreeSet;

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
    /// Hosts to which it sends requests (`http`): names or addresses, lower case, without
    /// port.
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
