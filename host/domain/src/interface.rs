//! The capability packages.

use std::fmt;

use serde::{Deserialize, Serialize};

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
    /// `postern:knowledge`
    Knowledge,
    /// `postern:model`
    Model,
    /// `postern:ticket`
    Ticket,
    /// `postern:message`
    Message,
    /// `postern:handover`
    Handover,
    /// `postern:schedule`
    Schedule,
}

impl Interface {
    /// Every interface, in the order in which they are shown.
    pub const ALL: [Self; 10] = [
        Self::Log,
        Self::Records,
        Self::Http,
        Self::Kv,
        Self::Knowledge,
        Self::Model,
        Self::Ticket,
        Self::Message,
        Self::Handover,
        Self::Schedule,
    ];

    /// The name after `postern:`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Records => "records",
            Self::Http => "http",
            Self::Kv => "kv",
            Self::Knowledge => "knowledge",
            Self::Model => "model",
            Self::Ticket => "ticket",
            Self::Message => "message",
            Self::Handover => "handover",
            Self::Schedule => "schedule",
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
