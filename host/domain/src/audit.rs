//! Rows of the audit log. They carry no personal data.

mod verify;

use serde::{Deserialize, Serialize};

pub use verify::{AuditFinding, AuditHead, AuditReport, AuditVerifier, Checkpoint, ScannedRow};

use crate::{
    ConversationId, Decision, Digest, InvocationId, MessageId, RequestId, SkillId, Timestamp,
    TurnId, digest_of,
};

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditKind {
    /// A host call was judged.
    HostCall,
    /// A tool was run to its end.
    Invocation,
    /// A turn was completed.
    Turn,
    /// A message was handed to a platform, or not.
    Delivery,
    /// An operator did something.
    Operator,
    /// A call that waits for somebody's word was asked for, decided or ended.
    Approval,
    /// The host made sure, or not, who a customer is.
    Identity,
}

impl AuditKind {
    /// The name in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HostCall => "host_call",
            Self::Invocation => "invocation",
            Self::Turn => "turn",
            Self::Delivery => "delivery",
            Self::Operator => "operator",
            Self::Approval => "approval",
            Self::Identity => "identity",
        }
    }
}

/// The verdict of a judged call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditVerdict {
    /// What policy said.
    pub decision: Decision,
    /// The rules that decided.
    pub rules: Vec<String>,
}

/// What is to be written into the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// What about.
    pub kind: AuditKind,
    /// Who: `skill:order-status@0.1.0`, `operator:cli`, `host`.
    pub actor: String,
    /// What: `records:get`, `skill:install`, …
    pub action: String,
    /// On what: `orders/#W1000001`.
    pub resource: String,
    /// What policy said, for judged calls.
    pub verdict: Option<AuditVerdict>,
    /// How it ended or what else should be known.
    pub detail: String,
    /// How long it took, in microseconds.
    pub took_us: Option<u64>,
    /// The request from outside that led to it.
    pub request: Option<RequestId>,
    /// The conversation.
    pub conversation: Option<ConversationId>,
    /// The inbound message.
    pub message: Option<MessageId>,
    /// The turn.
    pub turn: Option<TurnId>,
    /// The invocation.
    pub invocation: Option<InvocationId>,
    /// The call's place in the invocation.
    pub seq: Option<u32>,
    /// The skill.
    pub skill: Option<SkillId>,
    /// Digest of the skill's component. This and what follows is left out where there
    /// is none, so that rows from before it was kept have the hash that they had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<Digest>,
    /// Number of the generation of rules that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<u64>,
    /// Duties of the decision, by their tokens: what was or has to be fulfilled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duties: Vec<String>,
}

impl AuditEntry {
    /// A row with nothing but who, what and on what.
    pub fn new(
        at: Timestamp,
        kind: AuditKind,
        actor: impl Into<String>,
        action: impl Into<String>,
        resource: impl Into<String>,
    ) -> Self {
        Self {
            at,
            kind,
            actor: actor.into(),
            action: action.into(),
            resource: resource.into(),
            verdict: None,
            detail: String::new(),
            took_us: None,
            request: None,
            conversation: None,
            message: None,
            turn: None,
            invocation: None,
            seq: None,
            skill: None,
            component: None,
            policy: None,
            duties: Vec::new(),
        }
    }
}

/// A row in its writer's chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// The chain: one per host.
    pub chain: String,
    /// Its place in the chain, from 1.
    pub number: u64,
    /// Hash of the row before; all zeros for the first.
    pub previous: Digest,
    /// Hash over chain, number, previous and entry.
    pub hash: Digest,
    /// The entry.
    pub entry: AuditEntry,
}

impl AuditRow {
    /// The row that follows `previous` as number `number` of `chain`.
    pub fn link(chain: &str, number: u64, previous: Digest, entry: AuditEntry) -> Self {
        let hash = digest_of(&(chain, number, previous, &entry));
        Self { chain: chain.to_owned(), number, previous, hash, entry }
    }

    /// Whether the hash fits the content.
    pub fn is_intact(&self) -> bool {
        self.hash == digest_of(&(&self.chain, self.number, self.previous, &self.entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_row_is_not_intact() {
        let at = Timestamp::from_millis(0);
        let entry = AuditEntry::new(at, AuditKind::Operator, "operator:cli", "init", "data");
        let mut row = AuditRow::link("host-1", 1, Digest::of_bytes(b""), entry);
        assert!(row.is_intact());
        row.entry.detail = "changed".into();
        assert!(!row.is_intact());
    }
}
