//! What an agent's call came to, as it is kept with its turn and told to the agent: in
//! placeholders, like everything that skills and models see.

use postern_domain::{
    Approval, ApprovalId, ApprovalState, Approver, CallFailure, FailureKind, Outcome, Severity,
    SkillFailure,
};
use postern_policy::PolicySet;
use serde::{Deserialize, Serialize};

use super::super::respond::told;
use crate::{ledger::Ledger, redaction};

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Came {
    /// The tool ran to its end.
    Outcome {
        /// What it came to: `reply`, `ask`, `hand_over` or `done`.
        outcome: String,
        /// What it says.
        text: String,
        /// The argument that it asks for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        entity: Option<String>,
        /// Why it wants a person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// How soon a person should look.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        severity: Option<Severity>,
    },
    /// It was not done.
    Refused {
        /// Why.
        refusal: Refusal,
    },
}

/// Why a call was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What kind of refusal.
    pub kind: RefusalKind,
    /// The rules that refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// Why.
    pub reason: String,
    /// What the agent can do.
    pub next: String,
    /// The approval that it waits for, or that was decided against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalId>,
}

/// Kinds of refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// Rules or people are against it.
    Denied,
    /// A person has to approve it.
    ApprovalRequired,
    /// The customer has to say yes to exactly this.
    ConfirmationRequired,
    /// The customer is not known well enough.
    IdentityRequired,
    /// The arguments do not fit.
    InvalidArguments,
    /// A limit is used up.
    Limit,
    /// Something that it needs does not answer, or it failed.
    Unavailable,
    /// It may have happened; a person looks after it.
    Uncertain,
}

impl RefusalKind {
    /// The name in results and audit.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::ApprovalRequired => "approval_required",
            Self::ConfirmationRequired => "confirmation_required",
            Self::IdentityRequired => "identity_required",
            Self::InvalidArguments => "invalid_arguments",
            Self::Limit => "limit",
            Self::Unavailable => "unavailable",
            Self::Uncertain => "uncertain",
        }
    }

    /// Whether the agent is told to call again.
    const fn wants_again(self) -> bool {
        match self {
            Self::IdentityRequired | Self::InvalidArguments | Self::Limit | Self::Unavailable => {
                true
            }
            // What waits for people goes on by itself.
            Self::Denied
            | Self::ApprovalRequired
            | Self::ConfirmationRequired
            | Self::Uncertain => false,
        }
    }

    const fn next(self) -> &'static str {
        match self {
            Self::Denied => "do not try again; tell whoever asked that it is not allowed",
            Self::ApprovalRequired => {
                "a person was asked: call again later with the same arguments for the result"
            }
            Self::ConfirmationRequired => {
                "ask the customer to write to the shop themselves, or let a person do it"
            }
            Self::IdentityRequired => {
                "call a tool that identifies the customer first, in the same conversation; \
                 being verified takes the customer themselves"
            }
            Self::InvalidArguments => {
                "mend the arguments as the tool's schema says, and call again"
            }
            Self::Limit => "wait, then call again",
            Self::Unavailable => "call again later",
            Self::Uncertain => "do not call again: a person finds out whether it was done",
        }
    }
}

impl Refusal {
    /// A refusal with the next step that its kind suggests.
    pub fn new(kind: RefusalKind, reason: impl Into<String>) -> Self {
        let (reason, next) = (reason.into(), kind.next().to_owned());
        Self { kind, rules: Vec::new(), reason, next, approval: None }
    }

    /// A person has been asked.
    pub(crate) fn waits(approval: &Approval) -> Self {
        let reason = format!("{}; it waits until {}", approval.reason, approval.expires_at);
        Self {
            rules: approval.rules.clone(),
            approval: Some(approval.id.clone()),
            ..Self::new(RefusalKind::ApprovalRequired, reason)
        }
    }

    /// Somebody decided against it, or could not decide.
    fn decided(approval: &Approval) -> Self {
        let (kind, reason) = match (&approval.approver, approval.state) {
            (Approver::Customer, _) => {
                (RefusalKind::ConfirmationRequired, approval.reason.as_str())
            }
            (Approver::Identity, _) => (RefusalKind::IdentityRequired, approval.reason.as_str()),
            (Approver::Route { .. }, ApprovalState::Expired) => {
                (RefusalKind::Denied, "nobody approved it in time")
            }
            (Approver::Route { .. }, ApprovalState::Void) => {
                (RefusalKind::Denied, "things have changed since it was asked for")
            }
            (Approver::Route { .. }, _) => (RefusalKind::Denied, "a person decided against it"),
        };
        Self {
            rules: approval.rules.clone(),
            approval: Some(approval.id.clone()),
            ..Self::new(kind, reason)
        }
    }

    /// Rules or limits refused a host call, and the tool could not go on.
    fn of_call(policy: &PolicySet, rules: &[String], failure: &CallFailure) -> Self {
        let asks = |name: &str| {
            let has = |rule: &String| {
                policy.rules().any(|it| it.id == *rule && it.annotations.contains_key(name))
            };
            !rules.is_empty() && rules.iter().all(has)
        };
        let kind = match failure.kind {
            FailureKind::Limited => RefusalKind::Limit,
            _ if asks("identity") => RefusalKind::IdentityRequired,
            _ if asks("confirm") => RefusalKind::ConfirmationRequired,
            _ => RefusalKind::Denied,
        };
        Self { rules: rules.to_vec(), ..Self::new(kind, failure.message.clone()) }
    }

    fn of_failure(failure: &SkillFailure) -> Self {
        let kind = match failure {
            SkillFailure::InvalidArguments { .. } => RefusalKind::InvalidArguments,
            SkillFailure::Denied { .. } => RefusalKind::Denied,
            SkillFailure::Limit { .. } => RefusalKind::Limit,
            SkillFailure::Unavailable { .. }
            | SkillFailure::Internal { .. }
            | SkillFailure::Trap { .. } => RefusalKind::Unavailable,
        };
        Self::new(kind, told(failure))
    }
}

/// What an invocation came to. `against` is who decided against one of its calls,
/// `refused` the last call, if rules or limits refused it.
pub(in crate::pipeline) fn of_result(
    policy: &PolicySet,
    result: &Result<Outcome, SkillFailure>,
    against: Option<&Approval>,
    refused: Option<&(Vec<String>, CallFailure)>,
) -> Came {
    if let Some(approval) = against {
        return Came::Refused { refusal: Refusal::decided(approval) };
    }
    let said = |outcome: &str, text: &str| Came::Outcome {
        outcome: outcome.to_owned(),
        text: text.to_owned(),
        entity: None,
        reason: None,
        severity: None,
    };
    match result {
        Ok(Outcome::Reply { text }) => said("reply", text),
        Ok(Outcome::Done) => said("done", ""),
        Ok(Outcome::Ask { entity, text }) => Came::Outcome {
            outcome: "ask".to_owned(),
            text: text.clone(),
            entity: Some(redaction::clean(entity).into_owned()),
            reason: None,
            severity: None,
        },
        Ok(Outcome::HandOver { reason, severity, text }) => Came::Outcome {
            outcome: "hand_over".to_owned(),
            text: text.clone(),
            entity: None,
            reason: Some(redaction::clean(reason).into_owned()),
            severity: Some(*severity),
        },
        Err(failure) => {
            let refusal = match (failure, refused) {
                (SkillFailure::Denied { .. }, Some(it)) => Refusal::of_call(policy, &it.0, &it.1),
                (failure, _) => Refusal::of_failure(failure),
            };
            Came::Refused { refusal }
        }
    }
}

/// The same if the tool had already `changed` something: to call again would do that twice.
pub(in crate::pipeline) fn after(came: Came, changed: Option<&str>) -> Came {
    match (came, changed) {
        (Came::Refused { refusal }, Some(effect)) if refusal.kind.wants_again() => {
            let reason = format!("{}; before that it did: {effect}", refusal.reason);
            let uncertain = Refusal::new(RefusalKind::Uncertain, reason);
            Came::Refused { refusal: Refusal { rules: refusal.rules, ..uncertain } }
        }
        (came, _) => came,
    }
}

/// What comes of a call during which somebody else began to write in the conversation.
pub(in crate::pipeline) fn changed_hands() -> Came {
    let reason = "the conversation is somebody else's by now, who is not told of it";
    Came::Refused { refusal: Refusal::new(RefusalKind::Denied, reason) }
}

/// The same once it is known what of it may be told: `withheld` says why nothing is.
pub(in crate::pipeline) fn of_response(
    came: Came,
    ledger: &Ledger,
    withheld: Option<&str>,
) -> Came {
    let refuse = |kind, reason: &str| Came::Refused { refusal: Refusal::new(kind, reason) };
    if let Some(effect) = &ledger.uncertain {
        let reason = format!("nobody knows whether it was done: {effect}");
        return refuse(RefusalKind::Uncertain, &reason);
    }
    if let Some(reason) = withheld {
        return refuse(RefusalKind::Denied, reason);
    }
    match came {
        Came::Outcome { outcome, text, entity, reason, severity } => {
            let text = ledger.vault.admit(&text).into_owned();
            Came::Outcome { outcome, text, entity, reason, severity }
        }
        refused @ Came::Refused { .. } => refused,
    }
}
