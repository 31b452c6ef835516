//! What is asked of policy, and what it answers.

use std::collections::{BTreeMap, BTreeSet};

use postern_domain::{Channel, Customer, Decision, HostCall, Obligation, SkillId, Timestamp};
use serde::{Deserialize, Serialize};

/// One host call with the facts under which it is judged.
#[derive(Clone, Copy)]
pub struct PolicyRequest<'a> {
    /// The skill that calls.
    pub skill: &'a SkillId,
    /// Its version.
    pub version: &'a semver::Version,
    /// Who answers for it.
    pub publisher: &'a str,
    /// The tool that is running.
    pub tool: &'a str,
    /// The call.
    pub call: &'a HostCall,
    /// What the host knows.
    pub facts: &'a Facts,
}

/// What the host knows about the circumstances of a call. The host establishes
/// every one of them itself; nothing here is a skill's or a customer's word.
/// There is no `Debug`, because keys and values can be personal.
#[derive(Clone, Serialize, Deserialize)]
pub struct Facts {
    /// Where the conversation takes place.
    pub channel: Channel,
    /// Whether nobody but the customer reads the answers.
    pub private: bool,
    /// The agent that calls the tool, where one does: its name in the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Who the customer is.
    pub customer: Customer,
    /// Whether the customer said yes to exactly this call.
    pub confirmed: bool,
    /// The routes whose people have approved exactly this call.
    #[serde(default)]
    pub approvals: BTreeSet<String>,
    /// How much the conversation looks as if somebody tried to steer the machine:
    /// 0 not at all, 100 certainly, in steps of ten.
    #[serde(default)]
    pub taint: u8,
    /// The customer's tier, where the operator's records have one.
    #[serde(default)]
    pub tier: Option<String>,
    /// How many attempts to identify failed in this conversation.
    pub identify_failures: u32,
    /// When the call is made.
    pub now: Timestamp,
    /// For `records:get` the record; for `records:query` the collection, with
    /// `owner` as the conditions pin it; for `records:write` one for each step,
    /// in order. Empty for every other call.
    pub records: Vec<RecordFacts>,
    /// For `http:send` the server.
    pub endpoint: Option<EndpointFacts>,
    /// For calls that name a ticket: whether it is the customer's own.
    pub own_ticket: bool,
    /// Whether the tool runs because a skill planned it, and not in answer to a
    /// customer.
    #[serde(default)]
    pub scheduled: bool,
    /// Bounds on amounts whose sum over their window is used up: nothing more fits
    /// into them, however small it is.
    #[serde(default)]
    pub used_up: BTreeSet<String>,
}

/// A record that a call is about.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct RecordFacts {
    /// Its collection.
    pub collection: String,
    /// Its key; none for a query.
    pub key: Option<String>,
    /// Whether it is in the store.
    pub exists: bool,
    /// The customer to whom it belongs, or to whose records a query is confined.
    pub owner: Option<String>,
    /// The customer to whom it would belong after a put.
    pub new_owner: Option<String>,
    /// The values of the readable fields by dotted name.
    pub fields: BTreeMap<String, serde_json::Value>,
    /// The money that the whole write would move, in minor units; none if it is not
    /// known. Each step has it, so that many small steps are no way around a bound.
    #[serde(default)]
    pub amount: Option<i64>,
    /// Whether the step changes who has access to an account.
    #[serde(default)]
    pub changes_access: bool,
    /// Whether the step changes what cannot be undone, such as a cancellation.
    #[serde(default)]
    pub changes_irreversibly: bool,
}

/// A server to which a request would go.
#[derive(Clone, Serialize, Deserialize)]
pub struct EndpointFacts {
    /// The name under which the operator listed it; none for any other server.
    pub name: Option<String>,
    /// The host name in lower case.
    pub host: String,
    /// The port.
    pub port: u16,
    /// `https` or `http`.
    pub scheme: String,
    /// The path, normalised.
    pub path: String,
    /// Whether the operator lets it lie in a network that is not public.
    pub private: bool,
    /// The money that the request would move, in minor units; none if it is not
    /// known.
    #[serde(default)]
    pub amount: Option<i64>,
    /// Whether the operator says that requests of the skill move money, so that an
    /// amount should be known.
    #[serde(default)]
    pub moves_money: bool,
    /// Whether the operator says that what they do cannot be undone.
    #[serde(default)]
    pub irreversible: bool,
}

/// The question whether a personal value may be put into a request.
#[derive(Clone, Copy)]
pub struct RevealRequest<'a> {
    /// The call into which it would be put.
    pub caller: PolicyRequest<'a>,
    /// The type of the value: `EMAIL`.
    pub datum: &'a str,
    /// The server to which it would go, by its host name.
    pub host: &'a str,
    /// The field of the request in which it would stand.
    pub field: &'a str,
}

/// What policy says about a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may happen.
    pub decision: Decision,
    /// Ids of the rules that decided, sorted. [`DEFAULT_DENY`](crate::DEFAULT_DENY)
    /// and [`INCOMPLETE_FACTS`](crate::INCOMPLETE_FACTS) stand for no rule.
    pub rules: Vec<String>,
    /// With an allowed call: what the gate must do with it, which is to take from
    /// limits and sums, to redact and to notify. Otherwise: what has to be fulfilled
    /// for it to be allowed, and what the rules that ask for it say besides. If
    /// nothing can change the decision, only whom to notify.
    pub obligations: Vec<Obligation>,
    /// One sentence with the next step, fit for skills, logs and audit: it has
    /// no personal data. It names the rules where the call is denied.
    pub reason: String,
}
