//! One call's way through the gate: judge, record, perform, record.

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use postern_domain::{
    Approval, AuditEntry, AuditKind, AuditVerdict, CallFailure, CallRecord, CallState, Decision,
    Digest, FailureKind, HostCall, HostReply, JournalEntry, LimitUse, Obligation, RequestId, Retry,
    Timestamp,
};
use postern_policy::{Facts, PolicyRequest, PolicySet, Verdict};
use postern_runtime::Answered;
use postern_store::{Change, StoreError};
use serde_json::Value;
use tokio::sync::OwnedMutexGuard;

use super::{
    Answer, Caller, GateError, GateShared, Permit, Prepared, facts,
    hold::{self, Granted, Standing, Waiting},
    limits::{self, Needed},
    record, redact,
};
use crate::{
    approvals,
    effects::{self, http::Refusal},
    ledger::{Ledger, Suspension},
};

/// One call on its way through the gate.
pub(super) struct Passage {
    pub(super) shared: Arc<GateShared>,
    pub(super) ledger: OwnedMutexGuard<Ledger>,
    pub(super) caller: Arc<Caller>,
    /// What somebody had to decide about this call.
    pub(super) approvals: Vec<Approval>,
    /// Bounds on amounts that were found to be used up.
    pub(super) used_up: BTreeSet<String>,
    pub(super) seq: u32,
    pub(super) digest: Digest,
    pub(super) started: Timestamp,
    pub(super) stopwatch: Instant,
}

/// What policy said, and what follows from it.
struct Judged {
    verdict: AuditVerdict,
    ruling: Ruling,
    /// The call as it can be written down.
    call: HostCall,
    /// What policy was told, as it can be written down.
    facts: Option<Value>,
}

/// What happens to a call.
enum Ruling {
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
struct UsedUp {
    /// If it is a bound on a sum of money, its name: rules may know another way than
    /// through it, such as asking people, and are asked once more.
    bound: Option<String>,
    /// What the skill is told otherwise.
    failure: CallFailure,
}

/// What the gate does with a permitted call.
struct Duties {
    needed: Needed,
    /// Types of personal data that are taken out of what it answers.
    redact: Vec<String>,
}

impl Passage {
    /// Reads the facts and asks policy. A fact that cannot be read denies.
    async fn judge(&mut self, call: HostCall) -> Result<Judged, GateError> {
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
                    let ruling = Ruling::Wait(Box::new(approval));
                    return Ok(Judged { verdict, ruling, call, facts: None });
                }
                Standing::Refused { rules, failure } => {
                    if let Some(why) = self.ledger.void {
                        self.void(why).await?;
                    }
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
        let verdict = policy.judge(&PolicyRequest {
            skill: &self.caller.skill,
            version: &self.caller.version,
            publisher: &self.caller.publisher,
            tool: &self.caller.tool,
            call: &call,
            facts: &prepared.facts,
        });
        self.count(&call, verdict.decision);
        let facts = Some(record::facts(&prepared.facts));
        self.notify(&call, &verdict).await?;
        let ruling = match verdict.decision {
            Decision::Allow => self.permit(&policy, &call, prepared, &verdict),
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

    fn permit(
        &self,
        policy: &PolicySet,
        call: &HostCall,
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
        let duties = Duties { needed, redact: redact.flatten().collect() };
        let idempotency_key = format!("{}-{}", self.caller.invocation, self.seq);
        Ruling::Permit(Box::new((Permit { call: call.clone(), prepared, idempotency_key }, duties)))
    }

    /// A refusal, or the word that would lift it.
    async fn suspend(
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
    async fn void(&mut self, why: &str) -> Result<(), GateError> {
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
    fn settle_approvals(&mut self, answer: &Result<HostReply, CallFailure>) -> Vec<Change> {
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

    fn audit_approval(&mut self, approval: &Approval) {
        let row = self.approval_row(approval);
        self.ledger.audit(row);
    }

    fn approval_row(&self, approval: &Approval) -> AuditEntry {
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
    async fn notify(&mut self, call: &HostCall, verdict: &Verdict) -> Result<(), GateError> {
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
    fn hold(
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
    fn wait(&mut self, approval: Approval) -> GateError {
        self.suspended(Suspension { approval, is_new: false })
    }

    fn suspended(&mut self, suspension: Suspension) -> GateError {
        let approval = suspension.approval.id.clone();
        self.ledger.suspended = Some(suspension);
        GateError::Suspended { invocation: self.caller.invocation.clone(), approval }
    }

    /// A call that rules are not even asked about.
    fn unfit(&self, call: HostCall, failure: CallFailure) -> Judged {
        let is_denied = failure.kind == FailureKind::Denied;
        let rule = if is_denied { "not-granted" } else { "malformed-call" };
        let verdict = AuditVerdict { decision: Decision::Deny, rules: vec![rule.to_owned()] };
        self.count(&call, verdict.decision);
        Judged { verdict, ruling: Ruling::Refuse(failure), call, facts: None }
    }

    fn resource(&self, call: &HostCall) -> String {
        record::resource(
            call,
            |name| self.shared.collections.is_of_customers(name),
            |request| self.shared.ports.http.resource(request, &self.caller.skill),
        )
    }

    fn count(&self, call: &HostCall, decision: Decision) {
        self.shared.metrics.judged(&self.caller.skill, call.action(), decision);
    }

    /// A call whose record commits with the turn.
    pub(super) async fn with_turn(mut self, call: HostCall) -> Answer {
        let Judged { mut verdict, ruling, call, facts } = self.judge(call).await?;
        let answer = match ruling {
            Ruling::Hold(approval) => return Err(self.hold((&call, &verdict, facts), *approval)),
            Ruling::Wait(approval) => return Err(self.wait(*approval)),
            Ruling::Refuse(failure) => Err(failure),
            Ruling::Permit(permitted) => {
                let (permit, duties) = *permitted;
                match self.take(duties.needed.uses.clone(), Vec::new(), Vec::new()).await? {
                    Err(UsedUp { bound: Some(bound), .. }) => {
                        self.used_up.insert(bound);
                        return Box::pin(self.with_turn(call)).await;
                    }
                    Err(UsedUp { failure, .. }) => {
                        verdict.decision = Decision::Deny;
                        Err(failure)
                    }
                    Ok(()) => self.perform(permit, &duties).await?,
                }
            }
        };
        let settled = self.settle_approvals(&answer);
        settled.into_iter().for_each(|change| self.ledger.push(change));
        Ok(self.note(&call, &verdict, facts, answer))
    }

    /// Takes from limits, together with everything that is pending and `with`. The
    /// inner failure says which one is used up.
    async fn take(
        &mut self,
        uses: Vec<LimitUse>,
        mut with: Vec<Change>,
        audit: Vec<AuditEntry>,
    ) -> Result<Result<(), UsedUp>, GateError> {
        if uses.is_empty() && with.is_empty() {
            return Ok(Ok(()));
        }
        let at = self.started;
        if !uses.is_empty() {
            with.push(Change::Take { uses, at });
        }
        match self.ledger.commit(with, audit).await {
            Ok(_) => Ok(Ok(())),
            Err(StoreError::LimitReached { limit, retry_at }) => {
                let failure = used_up(&limit, retry_at, at);
                let is_bound = self.shared.policy.current().amount(&limit).is_some();
                let bound = (is_bound && !self.used_up.contains(&limit)).then_some(limit);
                Ok(Err(UsedUp { bound, failure }))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A write of records: it commits together with everything that led to it.
    pub(super) async fn own_store(mut self, call: HostCall) -> Answer {
        let Judged { mut verdict, ruling, call, facts } = self.judge(call).await?;
        let answer = match ruling {
            Ruling::Hold(approval) => return Err(self.hold((&call, &verdict, facts), *approval)),
            Ruling::Wait(approval) => return Err(self.wait(*approval)),
            Ruling::Refuse(failure) => Err(failure),
            Ruling::Permit(permitted) => {
                let (permit, duties) = *permitted;
                match effects::record_changes(permit) {
                    Err(failure) => Err(failure),
                    Ok(writes) => {
                        // What is committed must be what is answered, so the reply is
                        // known before: each expectation fixes the version after it.
                        let versions = effects::versions_after(&writes);
                        let reply = HostReply::Versions { versions };
                        let at = self.shared.clock.now();
                        let done = CallState::Done { reply: reply.clone() };
                        let (entry, audit) = self.entry(&call, &verdict, facts.clone(), done, at);
                        let mut with = vec![Change::Records(writes), entry];
                        let mut rows = vec![audit];
                        let executed = hold::settled(&self.approvals, Ok(()), at);
                        for approval in executed.clone() {
                            rows.push(self.approval_row(&approval));
                            with.push(Change::Approval(approval));
                        }
                        crate::fault::point("write.before");
                        match self.take(duties.needed.uses, with, rows).await {
                            Ok(Ok(())) => {
                                crate::fault::point("write.after");
                                self.ledger.settled.extend(executed);
                                return Ok(Answered { answer: Ok(reply), at });
                            }
                            Ok(Err(UsedUp { bound: Some(bound), .. })) => {
                                self.used_up.insert(bound);
                                return Box::pin(self.own_store(call)).await;
                            }
                            Ok(Err(UsedUp { failure, .. })) => {
                                verdict.decision = Decision::Deny;
                                Err(failure)
                            }
                            Err(GateError::Store(StoreError::Conflict { collection, key })) => {
                                Err(facts::changed(&self.shared, &collection, &key))
                            }
                            Err(error) => return Err(error),
                        }
                    }
                }
            }
        };
        let settled = self.settle_approvals(&answer);
        settled.into_iter().for_each(|change| self.ledger.push(change));
        Ok(self.note(&call, &verdict, facts, answer))
    }

    /// A call that changes something elsewhere: intent, effect, outcome.
    pub(super) async fn external(
        mut self,
        call: HostCall,
        idempotent: bool,
        interrupted: Option<AuditVerdict>,
    ) -> Answer {
        let unknown = || {
            CallFailure::new(
                FailureKind::Uncertain,
                "the host died while it did this; whether it took effect is not known",
            )
        };
        if let (Some(verdict), false) = (&interrupted, idempotent) {
            return self.settle(&call, verdict, None, Err(unknown())).await;
        }
        let Judged { mut verdict, ruling, call, facts } = self.judge(call).await?;
        let refused = match ruling {
            Ruling::Permit(permitted) => {
                let (permit, duties) = *permitted;
                let now = self.shared.clock.now();
                let (intent, audit) =
                    self.entry(&call, &verdict, facts.clone(), CallState::Intended, now);
                let uses = duties.needed.uses.clone();
                crate::fault::point("effect.before");
                match self.take(uses, vec![intent], vec![audit]).await? {
                    Ok(()) => {
                        crate::fault::point("effect.intended");
                        let answer = match self.perform(permit, &duties).await? {
                            // The first try may have reached the server.
                            Err(_) if interrupted.is_some() => Err(unknown()),
                            answer => answer,
                        };
                        crate::fault::point("effect.performed");
                        return self.settle(&call, &verdict, facts, answer).await;
                    }
                    Err(UsedUp { bound: Some(bound), .. }) => {
                        self.used_up.insert(bound);
                        return Box::pin(self.external(call, idempotent, interrupted)).await;
                    }
                    Err(UsedUp { failure, .. }) => {
                        verdict.decision = Decision::Deny;
                        failure
                    }
                }
            }
            // A refusal now says nothing about the try before the interruption.
            Ruling::Hold(_) | Ruling::Wait(_) | Ruling::Refuse(_) if interrupted.is_some() => {
                return self.settle(&call, &verdict, facts, Err(unknown())).await;
            }
            Ruling::Hold(approval) => return Err(self.hold((&call, &verdict, facts), *approval)),
            Ruling::Wait(approval) => return Err(self.wait(*approval)),
            Ruling::Refuse(failure) => failure,
        };
        self.settle(&call, &verdict, facts, Err(refused)).await
    }

    async fn perform(
        &mut self,
        permit: Permit,
        duties: &Duties,
    ) -> Result<Result<HostReply, CallFailure>, GateError> {
        let ports = &self.shared.ports;
        let answer =
            effects::perform(permit, ports, &mut self.ledger, &self.caller, self.started).await?;
        Ok(answer.map(|reply| redact::reply(reply, &duties.redact)))
    }

    /// Leaves the record of a call to the turn's next commit.
    fn note(
        &mut self,
        call: &HostCall,
        verdict: &AuditVerdict,
        facts: Option<Value>,
        answer: Result<HostReply, CallFailure>,
    ) -> Answered {
        let at = self.shared.clock.now();
        let (change, audit) = self.entry(call, verdict, facts, state_of(&answer), at);
        self.ledger.push(change);
        self.ledger.audit(audit);
        Answered { answer, at }
    }

    /// Makes the outcome of an external call durable before the skill sees it.
    async fn settle(
        &mut self,
        call: &HostCall,
        verdict: &AuditVerdict,
        facts: Option<Value>,
        answer: Result<HostReply, CallFailure>,
    ) -> Answer {
        if let Err(failure) = &answer
            && failure.kind == FailureKind::Uncertain
        {
            self.ledger.uncertain = Some(record::effect(call));
        }
        let at = self.shared.clock.now();
        let (change, audit) = self.entry(call, verdict, facts, state_of(&answer), at);
        let mut with = self.settle_approvals(&answer);
        with.push(change);
        self.ledger.commit(with, vec![audit]).await?;
        crate::fault::point("effect.settled");
        Ok(Answered { answer, at })
    }

    /// Tells a judged call in the host's own log, as audit does: without arguments and
    /// personal data.
    fn tell(&self, audit: &AuditEntry) {
        let verdict = audit.verdict.as_ref();
        let request = RequestId::of_message(&self.ledger.turn.message);
        tracing::info!(
            target: "tool_calls",
            request = request.as_str(),
            invocation = self.caller.invocation.as_str(),
            seq = self.seq,
            skill = audit.actor,
            tool = self.caller.tool,
            action = audit.action,
            resource = audit.resource,
            decision = verdict.map(|verdict| verdict.decision.as_str()),
            rules = verdict.map(|verdict| verdict.rules.join(",")),
            took_us = audit.took_us,
            "tool call"
        );
    }

    /// The journal entry and the audit row of this call.
    fn entry(
        &self,
        call: &HostCall,
        verdict: &AuditVerdict,
        facts: Option<Value>,
        state: CallState,
        at: Timestamp,
    ) -> (Change, AuditEntry) {
        let took = u64::try_from(self.stopwatch.elapsed().as_micros()).unwrap_or(u64::MAX);
        let audit = AuditEntry {
            verdict: Some(verdict.clone()),
            detail: record::state(&state),
            took_us: Some(took),
            invocation: Some(self.caller.invocation.clone()),
            seq: Some(self.seq),
            skill: Some(self.caller.skill.clone()),
            ..AuditEntry::new(
                self.started,
                AuditKind::HostCall,
                self.caller.actor(),
                call.action(),
                self.resource(call),
            )
        };
        let record = CallRecord {
            seq: self.seq,
            digest: self.digest,
            call: record::kept(call),
            decision: verdict.decision,
            rules: verdict.rules.clone(),
            state,
            at,
            facts,
        };
        if self.shared.log_calls {
            self.tell(&audit);
        }
        let entry = JournalEntry { invocation: self.caller.invocation.clone(), record };
        (Change::Journal(entry), audit)
    }
}

/// A limit that is used up.
fn used_up(limit: &str, retry_at: Option<Timestamp>, now: Timestamp) -> CallFailure {
    let message = format!("the limit {limit} is used up: try later, or hand over to a person");
    let wait = retry_at.map(|at| at.millis_since(now).clamp(1, i64::from(u32::MAX)));
    let retry = wait.and_then(|ms| u32::try_from(ms).ok()).map_or(Retry::Never, Retry::AfterMs);
    CallFailure { kind: FailureKind::Limited, message, retry }
}

fn state_of(answer: &Result<HostReply, CallFailure>) -> CallState {
    match answer {
        Ok(reply) => CallState::Done { reply: reply.clone() },
        Err(failure) => CallState::Failed { failure: failure.clone() },
    }
}
