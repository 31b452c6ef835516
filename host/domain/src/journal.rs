//! What is written down about an invocation, so that it can be continued,
//! explained and replayed.

use serde::{Deserialize, Serialize};

use crate::{
    ApprovalId, CallFailure, Digest, HostCall, HostReply, InvocationId, Severity, SkillId,
    Timestamp,
};

/// What policy said about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It may happen.
    Allow,
    /// It must not happen.
    Deny,
    /// It may happen when a person has approved it.
    RequireApproval,
}

impl Decision {
    /// The name used in audit and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::RequireApproval => "require_approval",
        }
    }
}

/// Something that the gate must see to before or with an allowed call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "duty", rename_all = "snake_case")]
pub enum Obligation {
    /// The customer must have said yes to exactly this.
    Confirm,
    /// The customer must be known at least this well.
    Identity {
        /// `identified` or `verified`.
        level: String,
    },
    /// People must have approved it.
    Approval {
        /// Their route in `policies/approvals.toml`.
        route: String,
    },
    /// It is taken from a rate limit.
    Limit {
        /// The limit's name in `policies/limits.toml`.
        name: String,
    },
    /// Its amount must not exceed a bound, alone or summed over a window.
    MaxAmount {
        /// The bound's name in `policies/limits.toml`.
        name: String,
    },
    /// These types of personal data are taken out of what it answers.
    Redact {
        /// For example `EMAIL`.
        types: Vec<String>,
    },
    /// People are told of it.
    Notify {
        /// Their route.
        route: String,
    },
}

impl Obligation {
    /// What stands in `context.satisfied` once it is fulfilled; for those that
    /// lift nothing, their name.
    pub fn token(&self) -> String {
        match self {
            Self::Confirm => "confirm".to_owned(),
            Self::Identity { level } => format!("identity:{level}"),
            Self::Approval { route } => format!("approval:{route}"),
            Self::Limit { name } => format!("limit:{name}"),
            Self::MaxAmount { name } => format!("max_amount:{name}"),
            Self::Redact { types } => format!("redact:{}", types.join(",")),
            Self::Notify { route } => format!("notify:{route}"),
        }
    }
}

/// How far a call has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum CallState {
    /// Not performed: the invocation is suspended until somebody has decided.
    Waiting {
        /// What it waits for.
        approval: ApprovalId,
    },
    /// Committed, about to be performed, result not known.
    Intended,
    /// Performed.
    Done {
        /// What the host answered.
        reply: HostReply,
    },
    /// Not performed, or failed.
    Failed {
        /// Why.
        failure: CallFailure,
    },
}

/// One host call of an invocation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// Its place among the invocation's calls, from 0.
    pub seq: u32,
    /// Digest of the call.
    pub digest: Digest,
    /// The call, in placeholders.
    pub call: HostCall,
    /// What policy said.
    pub decision: Decision,
    /// The rules that decided.
    pub rules: Vec<String>,
    /// How far it has come.
    pub state: CallState,
    /// When that was known, by the host's clock. What the skill's clocks show
    /// after the call, in every run. Rows from before this was kept show the
    /// beginning of time, which moves no clock.
    #[serde(default)]
    pub at: Timestamp,
    /// What policy was told, so that other rules can be asked what they would have
    /// said. None for calls that no rule was asked about,
    /// and for rows from before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<serde_json::Value>,
}

/// What a tool came to, as the pipeline sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// An answer.
    Reply {
        /// The text, in placeholders.
        text: String,
    },
    /// A question for a missing entity.
    Ask {
        /// The missing argument.
        entity: String,
        /// The question.
        text: String,
    },
    /// A person should go on.
    HandOver {
        /// A short machine-readable reason.
        reason: String,
        /// How soon.
        severity: Severity,
        /// What the customer is told.
        text: String,
    },
    /// Finished, with nothing to tell.
    Done,
}

/// Why an invocation gave no outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "failure", rename_all = "snake_case")]
pub enum SkillFailure {
    /// The skill said that the arguments do not fit.
    #[error("the arguments do not fit: {message}")]
    InvalidArguments {
        /// In the skill's words.
        message: String,
    },
    /// A host call was refused and the skill could not go on without it.
    #[error("refused: {message}")]
    Denied {
        /// In the skill's words.
        message: String,
    },
    /// Something that the skill needs did not answer.
    #[error("unavailable: {message}")]
    Unavailable {
        /// In the skill's words.
        message: String,
    },
    /// The skill gave up.
    #[error("the skill failed: {message}")]
    Internal {
        /// In the skill's words.
        message: String,
    },
    /// A limit was reached.
    #[error("limit {limit} of {value} reached")]
    Limit {
        /// Whose. Rows from before this was kept do not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        skill: Option<SkillId>,
        /// Which: `memory`, `cpu_time`, `wall_time`, `host_calls`,
        /// `host_calls:http` …
        limit: String,
        /// Its value with the unit.
        value: String,
    },
    /// The component trapped.
    #[error("trapped: {message}")]
    Trap {
        /// The kind of trap.
        message: String,
    },
}

impl SkillFailure {
    /// A short machine-readable name, used as ticket reason and metric label.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidArguments { .. } => "invalid-arguments",
            Self::Denied { .. } => "denied",
            Self::Unavailable { .. } => "unavailable",
            Self::Internal { .. } => "internal",
            Self::Limit { .. } => "limit",
            Self::Trap { .. } => "trap",
        }
    }
}

/// A row of an invocation's journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// The invocation.
    pub invocation: InvocationId,
    /// The call.
    pub record: CallRecord,
}
