//! What can be expected.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess},
};
use serde_json::Value;

/// What is expected of a step. What is left out may be anything.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// What it comes to.
    pub outcome: Option<OutcomeKind>,
    /// The whole text.
    pub text: Option<String>,
    /// Parts that the text has.
    pub contains: Vec<String>,
    /// Parts that the text has not.
    pub excludes: Vec<String>,
    /// The entity that is asked for.
    pub asks: Option<String>,
    /// Why a person should go on.
    pub reason: Option<String>,
    /// How soon.
    pub severity: Option<String>,
    /// For what it waits.
    pub waits_for: Option<String>,
    /// The tool that ran last.
    pub tool: Option<String>,
    /// The host calls.
    pub calls: Option<Vec<CallExpected>>,
    /// Whether their order is of no importance.
    pub any_order: bool,
    /// Whether there may be other calls.
    pub other_calls: bool,
    /// The HTTP requests.
    pub requests: Option<Vec<RequestExpected>>,
    /// The conversation's ticket.
    pub ticket: Option<TicketExpected>,
    /// Records afterwards.
    pub records: BTreeMap<String, BTreeMap<String, Value>>,
    /// Records that are not there afterwards: `collection/key`.
    pub gone: Vec<String>,
}

/// What a step can come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// An answer.
    Reply,
    /// A question for something that is missing.
    Ask,
    /// A wish for a person.
    HandOver,
    /// Finished, with nothing to tell.
    Done,
    /// It waits for somebody's word.
    Waits,
    /// The arguments do not fit.
    InvalidArguments,
    /// A host call was refused.
    Denied,
    /// Something did not answer.
    Unavailable,
    /// The skill gave up.
    Internal,
    /// A limit was reached.
    Limit,
    /// The component trapped.
    Trap,
}

impl OutcomeKind {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Reply,
        Self::Ask,
        Self::HandOver,
        Self::Done,
        Self::Waits,
        Self::InvalidArguments,
        Self::Denied,
        Self::Unavailable,
        Self::Internal,
        Self::Limit,
        Self::Trap,
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::Ask => "ask",
            Self::HandOver => "hand_over",
            Self::Done => "done",
            Self::Waits => "waits",
            Self::InvalidArguments => "invalid_arguments",
            Self::Denied => "denied",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
            Self::Limit => "limit",
            Self::Trap => "trap",
        }
    }

    /// Whether the tool failed.
    pub const fn is_failure(self) -> bool {
        match self {
            Self::Reply | Self::Ask | Self::HandOver | Self::Done | Self::Waits => false,
            Self::InvalidArguments
            | Self::Denied
            | Self::Unavailable
            | Self::Internal
            | Self::Limit
            | Self::Trap => true,
        }
    }
}

impl fmt::Display for OutcomeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What rules said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It may happen.
    Allow,
    /// It must not.
    Deny,
    /// Somebody must say yes first.
    RequireApproval,
}

impl Decision {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::RequireApproval => "require_approval",
        }
    }
}

/// A host call that is expected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallExpected {
    /// The action, such as `records:get`.
    pub action: String,
    /// On what.
    pub resource: Option<String>,
    /// What rules say.
    pub decision: Option<Decision>,
    /// One of the rules that decide.
    pub rule: Option<String>,
    /// The kind of failure that the skill gets.
    pub fails: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCall {
    action: String,
    resource: Option<String>,
    decision: Option<Decision>,
    rule: Option<String>,
    fails: Option<String>,
}

impl<'de> Deserialize<'de> for CallExpected {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = CallExpected;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an action such as \"records:get\", or a table with `action`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<CallExpected, E> {
                Ok(CallExpected { action: text.to_owned(), ..CallExpected::default() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CallExpected, A::Error> {
                let RawCall { action, resource, decision, rule, fails } =
                    RawCall::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(CallExpected { action, resource, decision, rule, fails })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// An HTTP request that is expected. What is left out may be anything.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RequestExpected {
    /// The method.
    pub method: Option<String>,
    /// The host.
    pub host: Option<String>,
    /// The path or its pattern.
    pub path: Option<String>,
    /// Parameters that must be there.
    pub query: BTreeMap<String, String>,
    /// Headers that must be there.
    pub headers: BTreeMap<String, String>,
    /// What the JSON body must have.
    pub body: Option<Value>,
}

/// What is expected of the conversation's ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TicketExpected {
    /// Where it stands.
    pub status: Option<String>,
    /// `P1` to `P4`.
    pub priority: Option<String>,
    /// Where it waits for a person.
    pub queue: Option<String>,
    /// What it is about.
    pub subject: Option<String>,
    /// Tags that it has.
    pub tags: Vec<String>,
}

/// What the calls of a scenario's tools may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Units of fuel, exactly.
    pub fuel: Option<u64>,
    /// Units of fuel at most.
    pub most_fuel: Option<u64>,
    /// The peak of memory in KiB, exactly.
    pub memory_kib: Option<u64>,
    /// The peak of memory in KiB at most.
    pub most_memory_kib: Option<u64>,
    /// Host calls at most.
    pub most_host_calls: Option<u32>,
}
