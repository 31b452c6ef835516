//! Calls that wait for somebody's word: what an approval is bound to, what those
//! that there are allow, and the next one that is needed.

use std::collections::BTreeSet;

use postern_domain::{
    Approval, ApprovalId, ApprovalState, Approver, CallFailure, Digest, Escalate, FailureKind,
    HostCall, IdentityLevel, Obligation, Timestamp, digest_of,
};
use postern_policy::{Facts, PolicySet, Verdict};
use serde_json::{Map, Value};

use super::Caller;
use crate::ledger::Ledger;

/// How long a customer has to answer, in milliseconds: as long as a session.
const CUSTOMER_MS: i64 = 30 * 60 * 1_000;

/// Where a call stands because of earlier decisions about it.
pub(super) enum Standing {
    /// Rules decide, knowing what was granted.
    Granted(Granted),
    /// Nobody has decided yet.
    Waits(Box<Approval>),
    /// Somebody decided against it, or it is too late.
    Refused {
        /// The rules that had asked.
        rules: Vec<String>,
        /// What the skill is told.
        failure: CallFailure,
    },
}

/// What people and the customer have said yes to.
#[derive(Default)]
pub(super) struct Granted {
    confirmed: bool,
    verified: bool,
    routes: BTreeSet<String>,
    /// Every duty that was known when they said it.
    duties: BTreeSet<String>,
}

impl Granted {
    /// Lets rules know.
    pub(super) fn tell(&self, facts: &mut Facts) {
        facts.confirmed = self.confirmed;
        facts.approvals.clone_from(&self.routes);
        if self.verified && facts.customer.key.is_some() {
            facts.customer.level = IdentityLevel::Verified;
        }
    }

    /// Whether a refusal asks for more than what was known then: the yes counts
    /// no more.
    pub(super) fn is_outdone_by(&self, verdict: &Verdict) -> bool {
        let asks = |duty: &Obligation| is_asked(duty) && !self.duties.contains(&duty.token());
        let firm = !verdict.obligations.iter().any(is_asked);
        !self.duties.is_empty() && (firm || verdict.obligations.iter().any(asks))
    }
}

/// Whether somebody can fulfil it by saying something.
fn is_asked(duty: &Obligation) -> bool {
    match duty {
        Obligation::Confirm | Obligation::Identity { .. } | Obligation::Approval { .. } => true,
        Obligation::Limit { .. }
        | Obligation::MaxAmount { .. }
        | Obligation::Redact { .. }
        | Obligation::Notify { .. } => false,
    }
}

/// Where a call stands. `approvals` are those of this place of the invocation.
pub(super) fn standing(approvals: &[Approval], binding: Digest, is_void: bool) -> Standing {
    let mut granted = Granted::default();
    for approval in approvals {
        // Another component or other arguments are another request.
        if approval.binding != binding {
            continue;
        }
        match approval.state {
            ApprovalState::Pending => return Standing::Waits(Box::new(approval.clone())),
            ApprovalState::Approved if !is_void => {
                granted.duties.extend(approval.duties.iter().cloned());
                match &approval.approver {
                    Approver::Customer => granted.confirmed = true,
                    Approver::Identity => granted.verified = true,
                    Approver::Route { .. } => {
                        let route = approval.duty.strip_prefix("approval:");
                        granted.routes.extend(route.map(str::to_owned));
                    }
                }
            }
            ApprovalState::Approved
            | ApprovalState::Rejected
            | ApprovalState::Expired
            | ApprovalState::Void
            | ApprovalState::Executed
            | ApprovalState::Failed
            | ApprovalState::Uncertain => {
                let failure = CallFailure::new(FailureKind::Denied, refusal(approval));
                return Standing::Refused { rules: approval.rules.clone(), failure };
            }
        }
    }
    Standing::Granted(granted)
}

fn refusal(approval: &Approval) -> &'static str {
    match (&approval.approver, approval.state) {
        (Approver::Customer, ApprovalState::Rejected) => {
            "the customer does not want this: do not ask again"
        }
        (Approver::Route { .. }, ApprovalState::Rejected) => {
            "a person decided against this: tell the customer, and do not try again"
        }
        (Approver::Identity, ApprovalState::Rejected) => {
            "the customer could not prove who they are: hand over to a person"
        }
        (_, ApprovalState::Expired) => "nobody decided in time, which counts as a refusal",
        (_, ApprovalState::Pending | ApprovalState::Approved | ApprovalState::Void) => {
            "what was approved counts no more, because circumstances have changed"
        }
        (_, ApprovalState::Executed | ApprovalState::Failed | ApprovalState::Uncertain) => {
            "the approval has been used: another call needs another one"
        }
    }
}

/// What an approval is bound to: the component, the action, on what, and every
/// argument.
pub(super) fn binding(caller: &Caller, call: &HostCall, resource: &str) -> Digest {
    // A call serializes: its maps have texts as keys.
    let arguments = serde_json::to_value(call).map(canonical).unwrap_or_default();
    digest_of(&(caller.digest, call.action(), resource, arguments))
}

/// The same value with the members of every object in the order of their names.
fn canonical(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.into_iter().collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            let members = members.into_iter().map(|(name, value)| (name, canonical(value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(canonical).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// What is known of a call that is to wait.
pub(super) struct Waiting<'a> {
    pub(super) policy: &'a PolicySet,
    pub(super) caller: &'a Caller,
    pub(super) ledger: &'a Ledger,
    pub(super) call: &'a HostCall,
    pub(super) seq: u32,
    pub(super) resource: &'a str,
    pub(super) binding: Digest,
    pub(super) verdict: &'a Verdict,
    pub(super) amount: Option<i64>,
    pub(super) now: Timestamp,
}

impl Waiting<'_> {
    /// The next word that is needed: the customer's before that of people, who
    /// should not look at what nobody wants. None if waiting cannot help: a
    /// customer who is not known at all is asked by skills.
    pub(super) fn approval(&self) -> Option<Approval> {
        let duties = &self.verdict.obligations;
        let unknown = |duty: &Obligation| matches!(duty, Obligation::Identity { level } if level == IdentityLevel::Identified.as_str());
        let known = self.ledger.conversation.customer.key.is_some();
        if !known && duties.iter().any(|duty| matches!(duty, Obligation::Identity { .. })) {
            return None;
        }
        let next = duties.iter().filter(|duty| !unknown(duty)).min_by_key(|duty| rank(duty))?;
        let (approver, expires_at, remind_at) = match next {
            Obligation::Confirm => (Approver::Customer, self.now.plus_millis(CUSTOMER_MS), None),
            Obligation::Identity { .. } => {
                (Approver::Identity, self.now.plus_millis(CUSTOMER_MS), None)
            }
            Obligation::Approval { route } => {
                let settings = self.policy.route(route)?;
                let escalate = settings.escalate.as_ref().map(|escalate| Escalate {
                    to: escalate.to.clone(),
                    at: self.now.plus_millis(escalate.after_ms),
                });
                let quorum = settings.quorum;
                let approver = Approver::Route { route: route.clone(), quorum, escalate };
                let remind = settings.remind_ms.map(|ms| self.now.plus_millis(ms));
                (approver, self.now.plus_millis(settings.expires_ms), remind)
            }
            Obligation::Limit { .. }
            | Obligation::MaxAmount { .. }
            | Obligation::Redact { .. }
            | Obligation::Notify { .. } => return None,
        };
        let Self { caller, ledger, .. } = self;
        let seq = self.seq.to_string();
        let duty = next.token();
        Some(Approval {
            id: ApprovalId::derive(&[
                caller.invocation.as_str(),
                &seq,
                &duty,
                &self.binding.to_string(),
            ]),
            version: 1,
            approver,
            state: ApprovalState::Pending,
            binding: self.binding,
            conversation: ledger.conversation.id.clone(),
            message: ledger.turn.message.clone(),
            turn: ledger.turn.id.clone(),
            invocation: caller.invocation.clone(),
            seq: self.seq,
            skill: caller.skill.clone(),
            skill_version: caller.version.to_string(),
            skill_digest: caller.digest,
            tool: caller.tool.clone(),
            action: self.call.action().to_owned(),
            resource: self.resource.to_owned(),
            arguments: serde_json::to_value(self.call).unwrap_or_default(),
            rules: self.verdict.rules.clone(),
            duty,
            duties: duties.iter().filter(|duty| is_asked(duty)).map(Obligation::token).collect(),
            amount: self.amount,
            reason: self.verdict.reason.clone(),
            customer: ledger.conversation.customer.key.clone(),
            customer_words: ledger.words.clone(),
            requester: ledger.requester.clone(),
            policy: self.policy.digest(),
            votes: Vec::new(),
            created_at: self.now,
            expires_at,
            remind_at,
            settled_at: None,
            detail: String::new(),
        })
    }
}

/// In which order words are asked for.
fn rank(duty: &Obligation) -> u8 {
    match duty {
        Obligation::Identity { .. } => 0,
        Obligation::Confirm => 1,
        Obligation::Approval { .. } => 2,
        Obligation::Limit { .. }
        | Obligation::MaxAmount { .. }
        | Obligation::Redact { .. }
        | Obligation::Notify { .. } => 3,
    }
}

/// Approvals after the call that they allowed has come to its end.
pub(super) fn settled(
    approvals: &[Approval],
    answer: Result<(), FailureKind>,
    at: Timestamp,
) -> Vec<Approval> {
    let (state, detail) = match answer {
        Ok(()) => (ApprovalState::Executed, "it was done"),
        Err(FailureKind::Uncertain) => {
            (ApprovalState::Uncertain, "it was tried, and nobody knows whether it was done")
        }
        Err(_) => (ApprovalState::Failed, "it was tried and failed"),
    };
    let approved = approvals.iter().filter(|it| it.state == ApprovalState::Approved);
    approved.filter_map(|approval| approval.settled(state, at, detail)).collect()
}

/// Approvals that count no more.
pub(super) fn voided(approvals: &[Approval], at: Timestamp, why: &str) -> Vec<Approval> {
    let approved = approvals.iter().filter(|it| it.state == ApprovalState::Approved);
    approved.filter_map(|it| it.settled(ApprovalState::Void, at, why)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_members_does_not_matter_to_a_binding() {
        let (a, b) =
            (json!({"b": [{"d": 1, "c": 2}], "a": 0}), json!({"a": 0, "b": [{"c": 2, "d": 1}]}));
        assert_eq!(canonical(a.clone()).to_string(), canonical(b).to_string());
        assert_ne!(canonical(a).to_string(), canonical(json!({"a": 0, "b": []})).to_string());
    }
}
