//! One call's way through the gate: judge, record, perform, record.

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use postern_domain::{
    Approval, AuditEntry, AuditVerdict, CallFailure, CallState, Decision, Digest, FailureKind,
    HostCall, HostReply, LimitUse, Retry, Timestamp,
};
use postern_runtime::Answered;
use postern_store::{Change, StoreError};
use serde_json::Value;
use tokio::sync::OwnedMutexGuard;

use super::{
    Answer, Caller, GateError, GateShared, Permit, facts, hide, hold, record, redact, reveal,
    ruling::{Duties, Judged, Ruling, UsedUp},
};
use crate::{effects, ledger::Ledger};

/// Why an approval is not used for a call that was not tried.
const NOTHING_LEFT: &str = "a limit was used up";

/// One call on its way through the gate.
pub(super) struct Passage {
    pub(super) shared: Arc<GateShared>,
    pub(super) ledger: OwnedMutexGuard<Ledger>,
    pub(super) caller: Arc<Caller>,
    /// What somebody had to decide about this call.
    pub(super) approvals: Vec<Approval>,
    /// Bounds on amounts that were found to be used up.
    pub(super) used_up: BTreeSet<String>,
    /// Duties of the decision, by their tokens.
    pub(super) duties: Vec<String>,
    pub(super) seq: u32,
    pub(super) digest: Digest,
    pub(super) started: Timestamp,
    pub(super) stopwatch: Instant,
}

impl Passage {
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
                        self.void(NOTHING_LEFT).await?;
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
                                self.void(NOTHING_LEFT).await?;
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
                    // Nor does a limit say anything about it.
                    Err(UsedUp { .. }) if interrupted.is_some() => {
                        return self.settle(&call, &verdict, facts, Err(unknown())).await;
                    }
                    Err(UsedUp { failure, .. }) => {
                        verdict.decision = Decision::Deny;
                        self.void(NOTHING_LEFT).await?;
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
        let shared = Arc::clone(&self.shared);
        let rules = hide::rules_of(&permit.call, &shared.collections);
        let now = self.started;
        let answer =
            effects::perform(permit, &shared.ports, &mut self.ledger, &self.caller, now).await?;
        let policy = shared.policy.current();
        let without = |reply| redact::reply(reply, &duties.redact, policy.detector());
        Ok(answer.map(|reply| {
            let reply = without(reveal::hidden(reply, &duties.revealed));
            // What only a member's name tells is a placeholder now, and taken out as well.
            without(hide::reply(reply, rules, policy.detector(), &mut self.ledger))
        }))
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
}

/// A limit that is used up.
pub(super) fn used_up(limit: &str, retry_at: Option<Timestamp>, now: Timestamp) -> CallFailure {
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
