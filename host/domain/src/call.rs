//! Host calls: everything that a skill can want from the world, as values.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Priority, TicketId, TicketStatus};

/// A capability package that a component can import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interface {
    /// `postern:log`
    Log,
    /// `postern:records`
    Records,
    /// `postern:http`
    Http,
    /// `postern:kv`
    Kv,
    /// `postern:ticket`
    Ticket,
    /// `postern:handover`
    Handover,
}

impl Interface {
    /// Every interface, in the order in which they are shown.
    pub const ALL: [Self; 6] =
        [Self::Log, Self::Records, Self::Http, Self::Kv, Self::Ticket, Self::Handover];

    /// The name after `postern:`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Records => "records",
            Self::Http => "http",
            Self::Kv => "kv",
            Self::Ticket => "ticket",
            Self::Handover => "handover",
        }
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Interface {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|i| i.as_str() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|i| i.as_str()).collect();
            format!("{text:?} is not a capability; there are {}", known.join(", "))
        })
    }
}

/// How loud a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Finest.
    Trace,
    /// For the author.
    Debug,
    /// For the operator.
    Info,
    /// Something is odd.
    Warn,
    /// Something failed.
    Error,
}

/// One log line of a skill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// How loud.
    pub level: LogLevel,
    /// The message.
    pub message: String,
    /// Names and values that belong to it.
    pub fields: Vec<(String, String)>,
}

/// A field of a record and the text it must equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// A dotted name: `address.zip`.
    pub field: String,
    /// The text; a placeholder where the field is personal.
    pub value: String,
}

/// What must be true of a record for a write to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// Nothing is stored under the key.
    Absent,
    /// The record has this version.
    Version(u64),
}

/// One step of an atomic write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum RecordStep {
    /// Write a record.
    Put {
        /// The collection.
        collection: String,
        /// The key.
        key: String,
        /// The whole new object; personal values are placeholders.
        body: serde_json::Value,
        /// The condition.
        expected: Expected,
    },
    /// Delete a record.
    Delete {
        /// The collection.
        collection: String,
        /// The key.
        key: String,
        /// The version that is to be deleted.
        version: u64,
    },
}

impl RecordStep {
    /// The collection and the key.
    pub fn target(&self) -> (&str, &str) {
        match self {
            Self::Put { collection, key, .. } | Self::Delete { collection, key, .. } => {
                (collection, key)
            }
        }
    }
}

/// A record as a skill sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The key.
    pub key: String,
    /// Grows by one with each change.
    pub version: u64,
    /// The object; personal values are placeholders.
    pub body: serde_json::Value,
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    /// GET
    Get,
    /// HEAD
    Head,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
}

impl HttpMethod {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether RFC 9110 section 9.2.1 calls the method safe.
    pub const fn is_safe(self) -> bool {
        matches!(self, Self::Get | Self::Head)
    }
}

/// One request that a skill wants sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// The method.
    pub method: HttpMethod,
    /// The absolute URL.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Names of secrets for the host to put in.
    pub secrets: Vec<String>,
    /// Whether performing it twice does no harm.
    pub idempotent: bool,
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// How soon a person should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Some time.
    Low,
    /// In turn.
    Normal,
    /// Soon.
    High,
    /// Now.
    Critical,
}

impl Severity {
    /// The name used in rules.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The priority that a ticket gets from it.
    pub const fn priority(self) -> Priority {
        match self {
            Self::Critical => Priority::P1,
            Self::High => Priority::P2,
            Self::Normal => Priority::P3,
            Self::Low => Priority::P4,
        }
    }
}

/// A wish for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOver {
    /// A short machine-readable reason.
    pub reason: String,
    /// How soon.
    pub severity: Severity,
    /// What the person should know first.
    pub summary: String,
}

/// What to change of a ticket; `None` leaves a field as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct TicketChange {
    /// A new subject.
    pub subject: Option<String>,
    /// A new status.
    pub status: Option<TicketStatus>,
    /// A new priority.
    pub priority: Option<Priority>,
}

/// One thing that a skill wants from the host. Policy, gate, effects and audit
/// match on it without a wildcard, so a new variant does not compile until each
/// of them handles it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub enum HostCall {
    /// Write a log line.
    Log {
        /// The line.
        line: LogLine,
    },
    /// Read one record.
    RecordsGet {
        /// The collection.
        collection: String,
        /// The key.
        key: String,
    },
    /// Read records by equality.
    RecordsQuery {
        /// The collection.
        collection: String,
        /// All must hold.
        conditions: Vec<Condition>,
        /// At most so many.
        limit: u32,
    },
    /// Write records, all or none.
    RecordsWrite {
        /// The steps.
        steps: Vec<RecordStep>,
    },
    /// Find out who the customer claims to be.
    RecordsIdentify {
        /// The collection of customers.
        collection: String,
        /// What the customer gave.
        details: Vec<Condition>,
    },
    /// Send a request.
    HttpSend {
        /// The request.
        request: HttpRequest,
    },
    /// Read a value.
    KvGet {
        /// The key.
        key: String,
    },
    /// Keep a value.
    KvSet {
        /// The key.
        key: String,
        /// The value.
        value: Vec<u8>,
        /// For so many seconds.
        ttl_s: u32,
    },
    /// Forget a value.
    KvDelete {
        /// The key.
        key: String,
    },
    /// Open a ticket.
    TicketCreate {
        /// Its subject.
        subject: String,
        /// Its priority.
        priority: Priority,
    },
    /// Change a ticket.
    TicketUpdate {
        /// The ticket.
        id: TicketId,
        /// What to change.
        change: TicketChange,
    },
    /// Tag a ticket.
    TicketTag {
        /// The ticket.
        id: TicketId,
        /// The tag.
        tag: String,
    },
    /// Remark on a ticket.
    TicketComment {
        /// The ticket.
        id: TicketId,
        /// The remark.
        text: String,
    },
    /// Read this customer's earlier tickets.
    TicketHistory {
        /// At most so many.
        limit: u32,
    },
    /// Ask for a person.
    HandOver {
        /// The wish.
        request: HandOver,
    },
}

impl HostCall {
    /// The interface through which it came.
    pub const fn interface(&self) -> Interface {
        match self {
            Self::Log { .. } => Interface::Log,
            Self::RecordsGet { .. }
            | Self::RecordsQuery { .. }
            | Self::RecordsWrite { .. }
            | Self::RecordsIdentify { .. } => Interface::Records,
            Self::HttpSend { .. } => Interface::Http,
            Self::KvGet { .. } | Self::KvSet { .. } | Self::KvDelete { .. } => Interface::Kv,
            Self::TicketCreate { .. }
            | Self::TicketUpdate { .. }
            | Self::TicketTag { .. }
            | Self::TicketComment { .. }
            | Self::TicketHistory { .. } => Interface::Ticket,
            Self::HandOver { .. } => Interface::Handover,
        }
    }

    /// The action's name in rules and audit: `records:get`.
    pub const fn action(&self) -> &'static str {
        match self {
            Self::Log { .. } => "log:write",
            Self::RecordsGet { .. } => "records:get",
            Self::RecordsQuery { .. } => "records:query",
            Self::RecordsWrite { .. } => "records:write",
            Self::RecordsIdentify { .. } => "records:identify",
            Self::HttpSend { .. } => "http:send",
            Self::KvGet { .. } => "kv:get",
            Self::KvSet { .. } => "kv:set",
            Self::KvDelete { .. } => "kv:delete",
            Self::TicketCreate { .. } => "ticket:create",
            Self::TicketUpdate { .. } => "ticket:update",
            Self::TicketTag { .. } => "ticket:tag",
            Self::TicketComment { .. } => "ticket:comment",
            Self::TicketHistory { .. } => "ticket:history",
            Self::HandOver { .. } => "handover:request",
        }
    }
}
