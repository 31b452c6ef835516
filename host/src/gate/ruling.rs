//! What rules make of a call, and what that means for the approvals that there are.

use std::sync::Arc;

use postern_domain::{
    Approval, AuditEntry, AuditKind, AuditVerdict, CallFailure, CallState, Decision, FailureKind,
    HostCall, HostReply, Obligation, Retry,
};
use postern_policy::{Facts, PolicyRequest, PolicySet, Verdict};
use postern_store::Change;
use serde_json::Value;

use super::{
    GateError, Material, Permit, Prepared, bounds, facts,
    hold::{self, Granted, Standing, Waiting},
    limits::{self, Needed},
    passage::{Passage, used_up},
    record,
    reveal::{self, Revealed},
};
use crate::{approvals, effects::http::Refusal, ledger::Suspension};

/// What policy said, and what follows from it.
pub(super) struct Judged {
    pub(super) verdict: AuditVerdict,
    pub(super) ruling: Ruling,
    /// The call as it can be written down.
    pub(super) call: HostCall,
    /// What policy was told, as it can be written down.
    pub(super) facts: Option<Value>,
}

/// What happens to a call.
pub(super) enum Ruling {
    /// It is performed, with these duties.
    Permit(Box<(Permit, Duties)>),
    /// The skill is told why not.
    Refuse(CallFailure),
    /// It waits for somebody's word.
    Hold(Box<Approval>),
    /// It goes on waiting.
    Wait(Box<Approval>),
}

/// A limit that has nothing left.
pub(super) struct UsedUp {
    /// If it is a bound on a sum of money, its name: rules may know another way than
    /// through it, such as asking people, and are asked once more.
    pub(super) bound: Option<String>,
    /// What the skill is told otherwise.
    pub(super) failure: CallFailure,
}

/// What the gate does with a permitted call.
pub(super) struct Duties {
    pub(super) needed: Needed,
    /// Types of personal data that are taken out of what it answers.
    pub(super) redact: Vec<String>,
    /// What it reveals to the other side.
    pub(super) revealed: Vec<Revealed>,
}

impl Passage {
    /// Reads the facts and asks policy. A fact that cannot be read denies.
    pub(super) async fn judge(&mut self, call: HostCall) -> Result<Judged, GateError> {
        let target = if let HostCall::HttpSend { request } = &call {
            match self.shared.ports.http.check(request, &self.caller.skill).await {
                Ok(checked) => Some(checked),
                Err(Refusal { failure, kept }) => {
                    let call = kept.map_or(call, |request| HostCall::HttpSend { request });
                    return Ok(self.unfit(call, failure));
                }
            }
        } else {
            None
        };
        if let Some(barred) = bounds::barred(&self.shared, &self.caller, &call) {
            return Ok(self.refused_by(barred.rule, call, barred.failure));
        }
        let prepared = facts::prepare(&self.shared, &mut self.ledger, &call, target).await?;
        let mut prepared = match prepared {
            Ok(prepared) => prepared,
            Err(failure) => return Ok(self.unfit(call, failure)),
        };
        let granted = if self.approvals.is_empty() {
            Granted::default()
        } else {
            let binding = hold::binding(&self.caller, &call, &self.resource(&call));
            match hold::standing(&self.approvals, binding, self.ledger.void.is_some()) {
                Standing::Granted(granted) => granted,
                Standing::Waits(approval) => {
                    let decision = Decision::RequireApproval;
                    let verdict = AuditVerdict { decision, rules: approval.rules.clone() };
                    let ruling = Ruling::Wait(approval);
                    return Ok(Judged { verdict, ruling, call, facts: None });
                }
                Standing::Refused { rules, failure } => {
                    // What others have granted will not be used.
                    self.void(self.ledger.void.unwrap_or("it was decided against otherwise"))
                        .await?;
                    let verdict = AuditVerdict { decision: Decision::Deny, rules };
                    self.count(&call, verdict.decision);
                    let ruling = Ruling::Refuse(failure);
                    return Ok(Judged { verdict, ruling, call, facts: None });
                }
            }
        };
        granted.tell(&mut prepared.facts);
        prepared.facts.used_up.clone_from(&self.used_up);
        let policy = self.shared.policy.current();
        let caller = Arc::clone(&self.caller);
        let asked = PolicyRequest {
            skill: &caller.skill,
            version: &caller.version,
            publisher: &caller.publisher,
            tool: &caller.tool,
            call: &call,
            facts: &prepared.facts,
        };
        let verdict = policy.judge(&asked);
        let (sent, revealed) = match verdict.decision {
            Decision::Allow => reveal::into(&policy, &asked, &self.ledger.vault),
            Decision::Deny | Decision::RequireApproval => (call.clone(), Vec::new()),
        };
        // A value in the URL can lead elsewhere: the grant has to cover that, too.
        if let (HostCall::HttpSend { request }, HostCall::HttpSend { request: asked }) =
            (&sent, &call)
            && request.url != asked.url
        {
            match self.shared.ports.http.check(request, &self.caller.skill).await {
                Ok(checked) => prepared.material = Material::Target(checked),
                Err(Refusal { failure, .. }) => return Ok(self.unfit(call, failure)),
            }
            if let Some(barred) = bounds::barred(&self.shared, &self.caller, &sent) {
                return Ok(self.refused_by(barred.rule, call, barred.failure));
            }
        }
        self.count(&call, verdict.decision);
        self.duties = verdict.obligations.iter().map(Obligation::token).collect();
        let facts = Some(record::facts(&prepared.facts));
        self.notify(&call, &verdict).await?;
        let ruling = match verdict.decision {
            Decision::Allow => self.permit(&policy, (sent, revealed), prepared, &verdict),
            Decision::Deny | Decision::RequireApproval => {
                self.suspend(&policy, &call, &prepared.facts, &verdict, &granted).await?
            }
        };
        let decision = match &ruling {
            Ruling::Permit(_) => verdict.decision,
            Ruling::Refuse(_) => Decision::Deny,
            Ruling::Hold(_) | Ruling::Wait(_) => Decision::RequireApproval,
        };
        let verdict = AuditVerdict { decision, rules: verdict.rules };
        Ok(Judged { verdict, ruling, call, facts })
    }

    pub(super) fn permit(
        &mut self,
        policy: &PolicySet,
        (call, revealed): (HostCall, Vec<Revealed>),
        prepared: Prepared,
        verdict: &Verdict,
    ) -> Ruling {
        let parts = (&*self.caller, &*self.ledger, self.seq);
        let (concurrency, duties) = (&self.shared.concurrency, &verdict.obligations);
        let amount = facts::amount(&prepared.facts);
        let needed = match limits::needed(policy, concurrency, duties, parts, amount) {
            Ok(needed) => needed,
            Err(limit) => return Ruling::Refuse(used_up(&limit, None, self.started)),
        };
        let redact = duties.iter().filter_map(|duty| match duty {
            Obligation::Redact { types } => Some(types.clone()),
            Obligation::Confirm
            | Obligation::Identity { .. }
            | Obligation::Approval { .. }
            | Obligation::Limit { .. }
            | Obligation::MaxAmount { .. }
            | Obligation::Notify { .. } => None,
        });
        let redact = redact.flatten().collect();
        self.duties.extend(reveal::tokens(&revealed));
        let duties = Duties { needed, redact, revealed };
        let idempotency_key = format!("{}-{}", self.caller.invocation, self.seq);
        Ruling::Permit(Box::new((Permit { call, prepared, idempotency_key }, duties)))
    }

    /// A refusal, or the word that would lift it.
    pub(super) async fn suspend(
        &mut self,
        policy: &PolicySet,
        call: &HostCall,
        facts: &Facts,
        verdict: &Verdict,
        granted: &Granted,
    ) -> Result<Ruling, GateError> {
        let refused = || {
            let (kind, message) = (FailureKind::Denied, verdict.reason.clone());
            Ok(Ruling::Refuse(CallFailure { kind, message, retry: Retry::Never }))
        };
        if granted.is_outdone_by(verdict) {
            self.void("the rules now ask for more").await?;
            return refused();
        }
        let resource = self.resource(call);
        let waiting = Waiting {
            policy,
            caller: &self.caller,
            ledger: &self.ledger,
            call,
            seq: self.seq,
            binding: hold::binding(&self.caller, call, &resource),
            resource: &resource,
            verdict,
            amount: facts::amount(facts),
            now: self.started,
        };
        match waiting.approval() {
            Some(approval) => Ok(Ruling::Hold(Box::new(approval))),
            None => refused(),
        }
    }

    /// What was granted counts no more; the people who granted it are told.
    pub(super) async fn void(&mut self, why: &str) -> Result<(), GateError> {
        for approval in hold::voided(&self.approvals, self.started, why) {
            self.audit_approval(&approval);
            let (store, policy) = (Arc::clone(self.ledger.store()), self.shared.policy.current());
            let told = approvals::voided(&*store, &policy, &approval, self.started).await?;
            told.into_iter().for_each(|change| self.ledger.push(change));
            self.ledger.settled.push(approval.clone());
            self.ledger.push(Change::Approval(approval));
        }
        self.approvals.clear();
        Ok(())
    }

    /// Lets an approval end with the call that it allowed.
    pub(super) fn settle_approvals(
        &mut self,
        answer: &Result<HostReply, CallFailure>,
    ) -> Vec<Change> {
        let answer = answer.as_ref().map(|_| ()).map_err(|failure| failure.kind);
        let settled = hold::settled(&self.approvals, answer, self.shared.clock.now());
        self.approvals.clear();
        settled
            .into_iter()
            .map(|approval| {
                self.audit_approval(&approval);
                self.ledger.settled.push(approval.clone());
                Change::Approval(approval)
            })
            .collect()
    }

    pub(super) fn audit_approval(&mut self, approval: &Approval) {
        let row = self.approval_row(approval);
        self.ledger.audit(row);
    }

    pub(super) fn approval_row(&self, approval: &Approval) -> AuditEntry {
        let action = format!("approval:{}", approval.state.as_str());
        let on = approval.id.to_string();
        AuditEntry {
            detail: approval.detail.clone(),
            invocation: Some(self.caller.invocation.clone()),
            seq: Some(self.seq),
            skill: Some(self.caller.skill.clone()),
            ..AuditEntry::new(self.shared.clock.now(), AuditKind::Approval, "host", action, on)
        }
    }

    /// Tells people of a route what happens, together with the record of it.
    pub(super) async fn notify(
        &mut self,
        call: &HostCall,
        verdict: &Verdict,
    ) -> Result<(), GateError> {
        let policy = self.shared.policy.current();
        for duty in &verdict.obligations {
            if let Obligation::Notify { route } = duty {
                let decision = verdict.decision.as_str();
                let text = format!("{} {}: {decision}", call.action(), self.resource(call));
                let key = format!("{}-{}-{decision}", self.caller.invocation, self.seq);
                let store = Arc::clone(self.ledger.store());
                let told = approvals::told(&*store, &policy, route, &key, &text, self.started);
                let told = told.await?;
                told.into_iter().for_each(|change| self.ledger.push(change));
            }
        }
        Ok(())
    }

    /// Suspends the invocation: the turn commits what was recorded and ends here,
    /// until somebody has decided.
    pub(super) fn hold(
        &mut self,
        judged: (&HostCall, &AuditVerdict, Option<Value>),
        approval: Approval,
    ) -> GateError {
        let (call, verdict, facts) = judged;
        let state = CallState::Waiting { approval: approval.id.clone() };
        let now = self.shared.clock.now();
        let (change, audit) = self.entry(call, verdict, facts, state, now);
        self.ledger.push(change);
        self.ledger.audit(audit);
        self.ledger.push(Change::Approval(approval.clone()));
        self.suspended(Suspension { approval, is_new: true })
    }

    /// The turn ran too early: it waits on.
    pub(super) fn wait(&mut self, approval: Approval) -> GateError {
        self.suspended(Suspension { approval, is_new: false })
    }

    pub(super) fn suspended(&mut self, suspension: Suspension) -> GateError {
        let approval = suspension.approval.id.clone();
        self.ledger.suspended = Some(suspension);
        GateError::Suspended { invocation: self.caller.invocation.clone(), approval }
    }

    /// A call that rules are not even asked about.
    pub(super) fn unfit(&self, call: HostCall, failure: CallFailure) -> Judged {
        let is_denied = failure.kind == FailureKind::Denied;
        let rule = if is_denied { "not-granted" } else { "malformed-call" };
        self.refused_by(rule, call, failure)
    }

    /// A call that is refused for a reason of the host's own.
    fn refused_by(&self, rule: &str, call: HostCall, failure: CallFailure) -> Judged {
        let verdict = AuditVerdict { decision: Decision::Deny, rules: vec![rule.to_owned()] };
        self.count(&call, verdict.decision);
        Judged { verdict, ruling: Ruling::Refuse(failure), call, facts: None }
    }

    pub(super) fn resource(&self, call: &HostCall) -> String {
        record::resource(
            call,
            |name| self.shared.collections.is_of_customers(name),
            |request| self.shared.ports.http.resource(request, &self.caller.skill),
        )
    }

    pub(super) fn count(&self, call: &HostCall, decision: Decision) {
        self.shared.metrics.judged(&self.caller.skill, call.action(), decision);
    }
}
