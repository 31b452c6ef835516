//! What a turn that goes on after waiting must leave alone.

use postern_domain::{ApprovalId, ApprovalState, Awaiting, Conversation};
use postern_store::Work;
use serde_json::Value;

use crate::{app::App, ledger::Ledger, registry::Skills};

/// Why nothing counts that was approved for whoever wrote before.
const CHANGED_HANDS: &str = "somebody else writes in this chat now";

/// What a turn that goes on after waiting finds in its conversation: others may
/// have come between, and what they left stays.
pub(super) struct Meanwhile {
    conversation: Conversation,
    /// Approvals of the turn that wait no more: a question about them is over.
    over: Vec<ApprovalId>,
    /// Why nothing that was approved counts any more, if so.
    pub(super) void: Option<&'static str>,
    /// Whether another session has begun.
    another_session: bool,
}

impl Meanwhile {
    /// Looks at the conversation before the turn takes it back to its own time.
    /// None for a turn that has not waited. `skills` are those of its generation.
    pub(super) fn of(app: &App, skills: &Skills, work: &Work) -> Option<Self> {
        let last = work.approvals.last()?;
        let now = &work.conversation.customer.key;
        let active = app.skills_for(&work.conversation.id);
        let (then, today) = (skills.active.get(&last.skill), active.active.get(&last.skill));
        let same_skill = today.is_some_and(|today| {
            today.digest == last.skill_digest
                && then.is_some_and(|then| then.grants == today.grants)
        });
        let void = if now.is_some() && *now != last.customer {
            Some(CHANGED_HANDS)
        } else if same_skill {
            None
        } else {
            Some("the skill has been replaced or removed")
        };
        let over = work.approvals.iter().filter(|it| it.state != ApprovalState::Pending);
        let plan_session = work
            .turn
            .as_ref()
            .and_then(|turn| turn.plan.pointer("/plan/session").and_then(Value::as_u64));
        let session = work.conversation.state.session;
        Some(Self {
            conversation: work.conversation.clone(),
            over: over.map(|approval| approval.id.clone()).collect(),
            void,
            another_session: plan_session.is_some_and(|then| then != u64::from(session)),
        })
    }

    /// Takes the ledger to the turn's own time: commits leave to the conversation what
    /// others made of it.
    pub(super) fn begin(&self, ledger: &mut Ledger) {
        ledger.void = self.void;
        ledger.kept = Some(self.conversation.clone());
        if self.another_session {
            // A ticket of that session is not this turn's.
            ledger.ticket = None;
        }
    }

    /// Gives the conversation back as it is now. Answers the question that is open in
    /// it, if there is one.
    pub(super) fn end(self, ledger: &mut Ledger) -> Option<Awaiting> {
        let mut now = self.conversation;
        if !self.another_session {
            now.ticket.clone_from(&ledger.conversation.ticket);
            let failures = ledger.conversation.state.identify_failures;
            now.state.identify_failures = now.state.identify_failures.max(failures);
            if now.customer.key.is_none() {
                now.customer.clone_from(&ledger.conversation.customer);
            }
        }
        let about = |awaiting: &Awaiting| awaiting.approval.clone();
        let is_over = now.state.awaiting.as_ref().and_then(about);
        if is_over.is_some_and(|id| self.over.contains(&id)) {
            now.state.awaiting = None;
        }
        ledger.kept = None;
        ledger.conversation = now;
        ledger.conversation.state.awaiting.clone()
    }
}

/// Whether the person for whom the turn works does not write in this chat any more.
pub(super) fn has_changed_hands(ledger: &Ledger) -> bool {
    ledger.void == Some(CHANGED_HANDS)
}
