//! A call that waits for somebody's word.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    ApprovalId, ConversationId, Digest, InvocationId, MessageId, OperatorId, SkillId, Timestamp,
    TurnId,
};

/// Whose word a call waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Approver {
    /// People of a route.
    Route {
        /// Its name in `policies/approvals.toml`.
        route: String,
        /// How many different people must approve.
        quorum: u32,
        /// Where it goes if nobody decides in time, and when; taken away once it
        /// has gone there.
        #[serde(default)]
        escalate: Option<Escalate>,
    },
    /// The customer, who must say yes to exactly this.
    Customer,
    /// The customer, who must prove to be the one they say they are.
    Identity,
}

impl Approver {
    /// The route, where it is people who decide.
    pub fn route(&self) -> Option<&str> {
        match self {
            Self::Route { route, .. } => Some(route),
            Self::Customer | Self::Identity => None,
        }
    }
}

/// A second route for an approval that nobody decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalate {
    /// To which route.
    pub to: String,
    /// When.
    pub at: Timestamp,
}

/// How far an approval has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// Nobody has decided, or too few have.
    Pending,
    /// It may happen, and has not happened yet.
    Approved,
    /// It must not happen.
    Rejected,
    /// Nobody decided in time, which counts as a rejection.
    Expired,
    /// The decision counts no more: rules, skill or conversation have changed.
    Void,
    /// It has happened.
    Executed,
    /// It was tried and failed.
    Failed,
    /// It was tried, and nobody knows whether it happened.
    Uncertain,
}

impl ApprovalState {
    /// Every state, in the order in which they are come to.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Approved,
        Self::Rejected,
        Self::Expired,
        Self::Void,
        Self::Executed,
        Self::Failed,
        Self::Uncertain,
    ];

    /// The name in the store, in audit and in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Void => "void",
            Self::Executed => "executed",
            Self::Failed => "failed",
            Self::Uncertain => "uncertain",
        }
    }

    /// Whether an approval in this state can come to `next`.
    pub const fn leads_to(self, next: Self) -> bool {
        match self {
            Self::Pending => {
                matches!(next, Self::Approved | Self::Rejected | Self::Expired | Self::Void)
            }
            Self::Approved => {
                matches!(next, Self::Void | Self::Executed | Self::Failed | Self::Uncertain)
            }
            Self::Rejected
            | Self::Expired
            | Self::Void
            | Self::Executed
            | Self::Failed
            | Self::Uncertain => false,
        }
    }
}

/// One person's decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// Who.
    pub operator: OperatorId,
    /// Yes or no.
    pub approve: bool,
    /// Why, in their words.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// A call that waits for somebody's word, bound to exactly what will happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Its id, the same whenever the invocation runs again.
    pub id: ApprovalId,
    /// Grows by one with each change, from 1. A change that builds on an older
    /// version is refused.
    pub version: u64,
    /// Whose word is wanted.
    pub approver: Approver,
    /// How far it has come.
    pub state: ApprovalState,
    /// Digest over skill digest, action, resource and canonical arguments.
    pub binding: Digest,
    /// The conversation.
    pub conversation: ConversationId,
    /// The message that led to it; its turn waits.
    pub message: MessageId,
    /// The turn.
    pub turn: TurnId,
    /// The invocation that is suspended.
    pub invocation: InvocationId,
    /// The call's place in the invocation.
    pub seq: u32,
    /// The skill.
    pub skill: SkillId,
    /// Its version.
    pub skill_version: String,
    /// Digest of its component.
    pub skill_digest: Digest,
    /// The tool that runs.
    pub tool: String,
    /// The action: `records:put`, `http:send` …
    pub action: String,
    /// On what, as in audit: without personal data.
    pub resource: String,
    /// The arguments of the call, in placeholders.
    pub arguments: serde_json::Value,
    /// The rules that ask for it.
    pub rules: Vec<String>,
    /// The duty that it fulfils, by its token: `approval:refund-managers`. It stays
    /// the same when the approval goes to a second route.
    pub duty: String,
    /// Every duty that was asked for then, by its token: an answer that later
    /// asks for more than these is stricter.
    pub duties: Vec<String>,
    /// How much money it is about, in minor units, if that is known.
    pub amount: Option<i64>,
    /// What the rules say about why.
    pub reason: String,
    /// Key of the customer for whom it is done, if they are known.
    pub customer: Option<String>,
    /// What the customer wrote, in placeholders. Data, never instructions.
    pub customer_words: String,
    /// The operator for whom the skill acts, if the one who wrote is one.
    pub requester: Option<OperatorId>,
    /// Digest of the policy that asked for it.
    pub policy: Digest,
    /// What people decided, oldest first.
    pub votes: Vec<Vote>,
    /// When it began to wait.
    pub created_at: Timestamp,
    /// When it counts as rejected.
    pub expires_at: Timestamp,
    /// When people are reminded, if they still are to be.
    pub remind_at: Option<Timestamp>,
    /// When it came to its state.
    pub settled_at: Option<Timestamp>,
    /// How it came to its state, in a few words without personal data.
    pub detail: String,
}

/// How decisions are counted now, beyond what the approval itself says. By default
/// it says all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counting {
    /// How many must approve by the rules in force; the approval may want more.
    pub quorum: u32,
    /// Who asked for it, from an account of a channel.
    pub asked: BTreeSet<OperatorId>,
    /// Who has approved and could not any more: their yes does not count.
    pub gone: BTreeSet<OperatorId>,
}

/// What is wrong with a decision about an approval.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VoteError {
    /// It has been decided before, or time is over.
    #[error("the approval is {} and cannot be decided any more", .0.as_str())]
    Settled(ApprovalState),
    /// It waits for the customer.
    #[error("this waits for the customer, not for an operator")]
    NotForPeople,
    /// Nobody decides about what they asked for themselves.
    #[error("whoever asked for it cannot decide it: ask another approver")]
    Requester,
    /// Each person has one vote.
    #[error("{0} has decided already: another approver is needed")]
    Twice(OperatorId),
    /// A decision needs a reason.
    #[error("a decision needs a reason: say why, in 1 to 500 characters")]
    Reason,
}

impl Approval {
    /// Longest reason of a decision, in characters.
    pub const MOST_REASON: usize = 500;

    /// The approval after a person's decision. One rejection rejects; a quorum of
    /// different people who could still decide approves.
    ///
    /// # Errors
    /// This person cannot decide it, or not any more; nothing has changed.
    pub fn vote(&self, vote: Vote, counting: &Counting) -> Result<Self, VoteError> {
        let Approver::Route { quorum, .. } = &self.approver else {
            return Err(VoteError::NotForPeople);
        };
        let wanted = counting.quorum.max(*quorum);
        if self.state != ApprovalState::Pending {
            return Err(VoteError::Settled(self.state));
        }
        if vote.at >= self.expires_at {
            return Err(VoteError::Settled(ApprovalState::Expired));
        }
        let own = self.requester.as_ref() == Some(&vote.operator);
        if own || counting.asked.contains(&vote.operator) {
            return Err(VoteError::Requester);
        }
        if self.votes.iter().any(|other| other.operator == vote.operator) {
            return Err(VoteError::Twice(vote.operator));
        }
        let length = vote.reason.trim().chars().count();
        if length == 0 || length > Self::MOST_REASON {
            return Err(VoteError::Reason);
        }
        let (at, approve) = (vote.at, vote.approve);
        let mut next = Self { version: self.version + 1, ..self.clone() };
        next.votes.push(vote);
        if let Approver::Route { quorum, .. } = &mut next.approver {
            *quorum = wanted;
        }
        let counts = |vote: &&Vote| vote.approve && !counting.gone.contains(&vote.operator);
        let yes = next.votes.iter().filter(counts).count();
        if !approve {
            next.settle(ApprovalState::Rejected, at, "rejected by a person");
        } else if yes >= wanted as usize {
            next.settle(ApprovalState::Approved, at, "approved");
        }
        Ok(next)
    }

    /// The approval in another state, if it can come to it.
    pub fn settled(&self, state: ApprovalState, at: Timestamp, detail: &str) -> Option<Self> {
        if !self.state.leads_to(state) {
            return None;
        }
        let mut next = Self { version: self.version + 1, ..self.clone() };
        next.settle(state, at, detail);
        Some(next)
    }

    fn settle(&mut self, state: ApprovalState, at: Timestamp, detail: &str) {
        self.state = state;
        self.settled_at = Some(at);
        detail.clone_into(&mut self.detail);
    }
}
