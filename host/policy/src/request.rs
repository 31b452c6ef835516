//! What is asked of policy, and what it answers.

use std::collections::BTreeMap;

use postern_domain::{Channel, Customer, Decision, HostCall, Obligation, SkillId, Timestamp};

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
#[derive(Clone)]
pub struct Facts {
    /// Where the conversation takes place.
    pub channel: Channel,
    /// Whether nobody but the customer reads the answers.
    pub private: bool,
    /// Who the customer is.
    pub customer: Customer,
    /// Whether the customer said yes, in this turn, to this tool's question.
    pub confirmed: bool,
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
}

/// A record that a call is about.
#[derive(Clone, Default)]
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
}

/// A server to which a request would go.
#[derive(Clone)]
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
}

/// What policy says about a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may happen.
    pub decision: Decision,
    /// Ids of the rules that decided, sorted. [`DEFAULT_DENY`](crate::DEFAULT_DENY)
    /// and [`INCOMPLETE_FACTS`](crate::INCOMPLETE_FACTS) stand for no rule.
    pub rules: Vec<String>,
    /// On a denial: what has to be fulfilled for the call to be allowed. Empty
    /// if nothing that the customer does can change the decision.
    pub obligations: Vec<Obligation>,
    /// One sentence with the next step, fit for skills, logs and audit: it has
    /// no personal data. It names the rules where the call is denied.
    pub reason: String,
}
