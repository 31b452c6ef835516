//! What a turn's tools came to, for an agent: nobody is asked anything, and failures are
//! the agent's to see, not a person's.

use postern_domain::{Approval, ApprovalState, InvocationId};

use super::{Responder, Response};
use crate::pipeline::agent::{self, Came, Refusal, RefusalKind};

impl Responder<'_> {
    /// Makes the agent's answer of a response.
    pub(in crate::pipeline) async fn for_agent(&self, response: Response) -> Response {
        let against = self.against(0).await;
        let (refused, changed) = {
            let ledger = self.ledger.lock().await;
            (ledger.refused.clone(), ledger.changed.clone())
        };
        let policy = self.app.policy.current();
        let failed = || {
            let failure = response.escalate.as_ref().and_then(|wish| wish.failure.clone());
            let refusal = Refusal::new(RefusalKind::Unavailable, failure.unwrap_or_default());
            Came::Refused { refusal }
        };
        let came = match &response.result {
            Some(result) => agent::of_result(&policy, result, against.as_ref(), refused.as_ref()),
            None => failed(),
        };
        let came = agent::after(came, changed.as_deref());
        let is_uncertain = matches!(
            &came,
            Came::Refused { refusal } if refusal.kind == RefusalKind::Uncertain
        );
        // Of what a tool itself asks people for, they are told as ever, and of what it left
        // half done.
        let escalate = response.escalate.filter(|wish| wish.failure.is_none() || is_uncertain);
        Response { came: Some(came), awaiting: None, escalate, ..response }
    }

    /// Who decided against a call of a step, if somebody did.
    pub(super) async fn against(&self, step: u32) -> Option<Approval> {
        let ledger = self.ledger.lock().await;
        let id = InvocationId::derive(&[ledger.turn.id.as_str(), &step.to_string()]);
        let last = self.approvals.iter().rfind(|approval| approval.invocation == id)?;
        let settled = ledger.settled.iter().rfind(|settled| settled.id == last.id);
        let approval = settled.unwrap_or(last);
        match approval.state {
            ApprovalState::Rejected | ApprovalState::Expired | ApprovalState::Void => {
                Some(approval.clone())
            }
            ApprovalState::Pending
            | ApprovalState::Approved
            | ApprovalState::Executed
            | ApprovalState::Failed
            | ApprovalState::Uncertain => None,
        }
    }
}
