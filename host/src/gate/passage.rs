//! One call's way through the gate: judge, record, perform, record.

use std::{sync::Arc, time::Instant};

use postern_domain::{
    AuditEntry, AuditKind, AuditVerdict, CallFailure, CallRecord, CallState, Decision, Digest,
    FailureKind, HostCall, HostReply, JournalEntry, Retry, Timestamp,
};
use postern_policy::PolicyRequest;
use postern_runtime::Answered;
use postern_store::{Change, StoreError};
use tokio::sync::OwnedMutexGuard;

use super::{Answer, Caller, GateError, GateShared, Permit, facts, record};
use crate::{
    effects::{self, http::Refusal},
    ledger::Ledger,
};

/// One call on its way through the gate.
pub(super) struct Passage {
    pub(super) shared: Arc<GateShared>,
    pub(super) ledger: OwnedMutexGuard<Ledger>,
    pub(super) caller: Arc<Caller>,
    pub(super) seq: u32,
    pub(super) digest: Digest,
    pub(super) started: Timestamp,
    pub(super) stopwatch: Instant,
}

/// What policy said, with the permit if it said yes.
struct Judged {
    verdict: AuditVerdict,
    permit: Result<Permit, CallFailure>,
    /// The call as it can be written down.
    call: HostCall,
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
        let (shared, caller) = (&self.shared, &self.caller);
        let prepared = facts::prepare(shared, &mut self.ledger, caller, &call, target).await?;
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(failure) => return Ok(self.unfit(call, failure)),
        };
        let verdict = self.shared.policy.current().judge(&PolicyRequest {
            skill: &self.caller.skill,
            version: &self.caller.version,
            publisher: &self.caller.publisher,
            tool: &self.caller.tool,
            call: &call,
            facts: &prepared.facts,
        });
        self.count(&call, verdict.decision);
        let permit = match verdict.decision {
            Decision::Allow => Ok(Permit {
                call: call.clone(),
                prepared,
                idempotency_key: format!("{}-{}", self.caller.invocation, self.seq),
            }),
            // Suspending an invocation until a person has decided is not built
            // yet, and doubt denies.
            Decision::Deny | Decision::RequireApproval => Err(CallFailure {
                kind: FailureKind::Denied,
                message: verdict.reason,
                retry: Retry::Never,
            }),
        };
        Ok(Judged {
            verdict: AuditVerdict { decision: verdict.decision, rules: verdict.rules },
            permit,
            call,
        })
    }

    /// A call that rules are not even asked about.
    fn unfit(&self, call: HostCall, failure: CallFailure) -> Judged {
        let is_denied = failure.kind == FailureKind::Denied;
        let rule = if is_denied { "not-granted" } else { "malformed-call" };
        let verdict = AuditVerdict { decision: Decision::Deny, rules: vec![rule.to_owned()] };
        self.count(&call, verdict.decision);
        Judged { verdict, permit: Err(failure), call }
    }

    fn count(&self, call: &HostCall, decision: Decision) {
        self.shared.metrics.judged(&self.caller.skill, call.action(), decision);
    }

    /// A call whose record commits with the turn.
    pub(super) async fn with_turn(mut self, call: HostCall) -> Answer {
        let Judged { verdict, permit, call } = self.judge(call).await?;
        let answer = match permit {
            Ok(permit) => self.perform(permit).await?,
            Err(failure) => Err(failure),
        };
        Ok(self.note(&call, &verdict, answer))
    }

    /// A write of records: it commits together with everything that led to it.
    pub(super) async fn own_store(mut self, call: HostCall) -> Answer {
        let Judged { verdict, permit, call } = self.judge(call).await?;
        let answer = match permit {
            Err(failure) => Err(failure),
            Ok(permit) => match effects::record_changes(permit) {
                Err(failure) => Err(failure),
                Ok(writes) => {
                    // What is committed must be what is answered, so the reply is
                    // known before: each expectation fixes the version after it.
                    let reply = HostReply::Versions { versions: effects::versions_after(&writes) };
                    let at = self.shared.clock.now();
                    let done = CallState::Done { reply: reply.clone() };
                    let (entry, audit) = self.entry(&call, &verdict, done, at);
                    match self
                        .ledger
                        .commit(vec![Change::Records(writes), entry], vec![audit])
                        .await
                    {
                        Ok(_) => return Ok(Answered { answer: Ok(reply), at }),
                        Err(StoreError::Conflict { collection, key }) => {
                            Err(facts::changed(&collection, &key))
                        }
                        Err(error) => return Err(error.into()),
                    }
                }
            },
        };
        Ok(self.note(&call, &verdict, answer))
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
            return self.settle(&call, verdict, Err(unknown())).await;
        }
        let Judged { verdict, permit, call } = self.judge(call).await?;
        let permit = match permit {
            Ok(permit) => permit,
            // A refusal now says nothing about the try before the interruption.
            Err(_) if interrupted.is_some() => {
                return self.settle(&call, &verdict, Err(unknown())).await;
            }
            Err(failure) => return self.settle(&call, &verdict, Err(failure)).await,
        };
        let now = self.shared.clock.now();
        let (intent, audit) = self.entry(&call, &verdict, CallState::Intended, now);
        self.ledger.commit(vec![intent], vec![audit]).await?;
        let answer = match self.perform(permit).await? {
            // Nor does a failure: the first try may have reached the server.
            Err(_) if interrupted.is_some() => Err(unknown()),
            answer => answer,
        };
        self.settle(&call, &verdict, answer).await
    }

    async fn perform(
        &mut self,
        permit: Permit,
    ) -> Result<Result<HostReply, CallFailure>, GateError> {
        let ports = &self.shared.ports;
        Ok(effects::perform(permit, ports, &mut self.ledger, &self.caller, self.started).await?)
    }

    /// Leaves the record of a call to the turn's next commit.
    fn note(
        &mut self,
        call: &HostCall,
        verdict: &AuditVerdict,
        answer: Result<HostReply, CallFailure>,
    ) -> Answered {
        let at = self.shared.clock.now();
        let (change, audit) = self.entry(call, verdict, state_of(&answer), at);
        self.ledger.push(change);
        self.ledger.audit(audit);
        Answered { answer, at }
    }

    /// Makes the outcome of an external call durable before the skill sees it.
    async fn settle(
        &mut self,
        call: &HostCall,
        verdict: &AuditVerdict,
        answer: Result<HostReply, CallFailure>,
    ) -> Answer {
        if let Err(failure) = &answer
            && failure.kind == FailureKind::Uncertain
        {
            self.ledger.uncertain = Some(record::effect(call));
        }
        let at = self.shared.clock.now();
        let (change, audit) = self.entry(call, verdict, state_of(&answer), at);
        self.ledger.commit(vec![change], vec![audit]).await?;
        Ok(Answered { answer, at })
    }

    /// The journal entry and the audit row of this call.
    fn entry(
        &self,
        call: &HostCall,
        verdict: &AuditVerdict,
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
                record::resource(
                    call,
                    |name| self.shared.collections.is_of_customers(name),
                    |request| self.shared.ports.http.resource(request, &self.caller.skill),
                ),
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
        };
        let entry = JournalEntry { invocation: self.caller.invocation.clone(), record };
        (Change::Journal(entry), audit)
    }
}

fn state_of(answer: &Result<HostReply, CallFailure>) -> CallState {
    match answer {
        Ok(reply) => CallState::Done { reply: reply.clone() },
        Err(failure) => CallState::Failed { failure: failure.clone() },
    }
}
