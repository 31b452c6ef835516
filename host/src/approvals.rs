//! Approvals: shown, decided, and seen to while they wait.
//!
//! A decision commits together with the waking of the message whose turn waits;
//! the pipeline then goes on from the journal.

mod asked;
mod notice;
mod propose;
mod tend;
mod turn;

use postern_domain::{
    Approval, ApprovalId, ApprovalState, Approver, AuditEntry, AuditVerdict, OperatorId, Role,
    Vote, VoteError,
};
use postern_policy::{Act, PolicySet, RuleSummary};
use postern_store::{Change, Commit, Page, Store, StoreError};

pub(crate) use notice::{approval_of, plain as to_role};
pub use propose::{Proposal, ProposeError, propose};
pub(crate) use tend::tend;
pub(crate) use turn::{announced, requester, told, voided};

use crate::operators::{ActError, Desk};

/// How often a decision is tried when others decide at the same time.
const TRIES: u32 = 3;

/// Why an approval was not decided. The try is in the audit log, unless the
/// store failed.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// Rules or the store do not let it happen.
    #[error(transparent)]
    Act(#[from] ActError),
    /// There is no such approval.
    #[error("there is no approval {0}; `postern approval list` shows them")]
    Unknown(ApprovalId),
    /// It cannot be decided so, or not any more.
    #[error(transparent)]
    Vote(#[from] VoteError),
    /// A decision is a person's.
    #[error(
        "{0} is no person, and a decision needs one: sign in with a token of \
         `postern operator token` (POSTERN_OPERATOR_TOKEN or --token-file on the command line)"
    )]
    NoPerson(OperatorId),
    /// The rules in force do not know the route.
    #[error(
        "the rules in force have no route {0}, so nobody can decide this; put it back into \
         approvals.toml, or let the approval expire"
    )]
    NoRoute(String),
    /// Others decided at the same time, again and again.
    #[error("others decide approval {0} at the same time; look at it and try again")]
    Busy(ApprovalId),
}

impl From<StoreError> for DecideError {
    fn from(error: StoreError) -> Self {
        Self::Act(error.into())
    }
}

impl DecideError {
    /// A name for machines.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Act(ActError::Refused { .. }) => "role",
            Self::Act(ActError::Store(_)) => "unavailable",
            Self::Unknown(_) => "not_found",
            Self::Vote(VoteError::Settled(_)) => "settled",
            Self::Vote(VoteError::NotForPeople) => "not_for_people",
            Self::Vote(VoteError::Requester) => "requester",
            Self::Vote(VoteError::Twice(_)) => "twice",
            Self::Vote(VoteError::Reason) => "reason",
            Self::NoPerson(_) => "no_person",
            Self::NoRoute(_) => "no_route",
            Self::Busy(_) => "busy",
        }
    }
}

/// An approval with the rules that ask for it, as they are now.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The approval.
    pub approval: Approval,
    /// The rules in force among those that ask for it.
    pub rules: Vec<RuleSummary>,
}

/// Approvals, in one state if it is given, newest first.
///
/// # Errors
/// The store fails.
pub async fn list(
    store: &dyn Store,
    state: Option<ApprovalState>,
    page: Page,
) -> Result<Vec<Approval>, StoreError> {
    store.approvals(state, page).await
}

/// One approval with its rules.
///
/// # Errors
/// The store fails.
pub async fn show(
    store: &dyn Store,
    policy: &PolicySet,
    id: &ApprovalId,
) -> Result<Option<Shown>, StoreError> {
    let Some(approval) = store.approval(id).await? else { return Ok(None) };
    let rules = policy.rules().filter(|rule| approval.rules.contains(&rule.id)).cloned().collect();
    Ok(Some(Shown { approval, rules }))
}

/// Decides an approval for the actor, with a reason. What waits for it is due when
/// this returns with an approval that is not pending any more: ring the bell of
/// the inbox.
///
/// # Errors
/// Who, how and when an approval can be decided; see [`DecideError`].
pub async fn decide(
    desk: &Desk<'_>,
    id: &ApprovalId,
    approve: bool,
    reason: &str,
) -> Result<Approval, DecideError> {
    let action = if approve { "approval:approve" } else { "approval:reject" };
    for _ in 0..TRIES {
        let Some(approval) = desk.store.approval(id).await? else {
            desk.refused(action, id.as_str(), None, "refused: there is no such approval").await?;
            return Err(DecideError::Unknown(id.clone()));
        };
        let (decided, verdict) = match vote(desk, &approval, action, approve, reason).await {
            Ok(decided) => decided,
            // Rules have refused it, which is written down.
            Err(DecideError::Act(ActError::Refused { .. }))
                if asked::asked(desk.store, &approval).await?.contains(desk.actor.id()) =>
            {
                return Err(VoteError::Requester.into());
            }
            Err(DecideError::Act(error)) => return Err(error.into()),
            Err(error) => {
                let detail = format!("refused: {}", error.code());
                desk.refused(action, id.as_str(), None, &detail).await?;
                return Err(error);
            }
        };
        let row = desk.entry(action, id.as_str(), counted(&decided), verdict);
        match commit(desk.store, decided, about(&approval, row)).await {
            Ok(decided) => return Ok(decided),
            Err(StoreError::Stale { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let detail = "refused: busy";
    desk.refused(action, id.as_str(), None, detail).await?;
    Err(DecideError::Busy(id.clone()))
}

/// The approval after the actor's vote, and what rules say about it.
async fn vote(
    desk: &Desk<'_>,
    approval: &Approval,
    action: &str,
    approve: bool,
    reason: &str,
) -> Result<(Approval, Option<AuditVerdict>), DecideError> {
    let operator = desk.actor.id().clone();
    if !desk.actor.is_person() {
        return Err(DecideError::NoPerson(operator));
    }
    let Approver::Route { route, .. } = &approval.approver else {
        return Err(VoteError::NotForPeople.into());
    };
    let (route, role) = (route.clone(), role_of(desk.policy, route)?);
    let other = Act::DecideApproval { route: route.clone(), role, requester: false };
    let counting = asked::counting(desk.store, desk.policy, approval, &operator, &other).await?;
    let requester = counting.asked.contains(&operator);
    let act = Act::DecideApproval { route, role, requester };
    let verdict = desk.allow(act, action, approval.id.as_str()).await?;
    let vote = Vote { operator, approve, reason: reason.trim().to_owned(), at: desk.now };
    Ok((approval.vote(vote, &counting)?, verdict))
}

/// The role that a route wants.
fn role_of(policy: &PolicySet, route: &str) -> Result<Role, DecideError> {
    match policy.route(route) {
        Some(found) => Ok(found.role),
        None => Err(DecideError::NoRoute(route.to_owned())),
    }
}

/// How far an approval has come, for audit: reasons are people's own words.
fn counted(approval: &Approval) -> String {
    let yes = approval.votes.iter().filter(|vote| vote.approve).count();
    match &approval.approver {
        Approver::Route { quorum, .. } => {
            format!("{}: {yes} of {quorum} approve", approval.state.as_str())
        }
        Approver::Customer | Approver::Identity => approval.state.as_str().to_owned(),
    }
}

/// An audit row with the ids of what an approval is about.
fn about(approval: &Approval, row: AuditEntry) -> AuditEntry {
    AuditEntry {
        conversation: Some(approval.conversation.clone()),
        message: Some(approval.message.clone()),
        turn: Some(approval.turn.clone()),
        invocation: Some(approval.invocation.clone()),
        seq: Some(approval.seq),
        skill: Some(approval.skill.clone()),
        ..row
    }
}

/// Keeps an approval's next version, and wakes what waits for it once it is
/// settled.
async fn commit(
    store: &dyn Store,
    approval: Approval,
    row: AuditEntry,
) -> Result<Approval, StoreError> {
    let mut changes = vec![Change::Approval(approval.clone())];
    if approval.state != ApprovalState::Pending {
        changes.push(Change::Wake(approval.message.clone()));
    }
    store.commit(Commit { lease: None, changes, audit: vec![row] }).await?;
    Ok(approval)
}

#[cfg(test)]
pub(crate) mod tests;
