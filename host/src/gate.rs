//! The one way out of the sandbox.
//!
//! Every host call of a skill comes here: it is checked against the journal,
//! its facts are read, policy judges it, the decision is recorded, and only a
//! [`Permit`], which nothing else can make, lets [`crate::effects`] perform it.

mod bounds;
mod facts;
mod heard;
mod hide;
mod hold;
mod limits;
mod passage;
mod record;
mod redact;
mod reveal;
mod revocations;
mod ruling;
mod total;
mod written;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Instant,
};

use async_trait::async_trait;
use postern_domain::{
    Approval, ApprovalId, AuditEntry, AuditKind, AuditVerdict, CallRecord, CallState, Digest,
    HostCall, InvocationId, Manifest, SkillId, Timestamp, digest_of, manifest::Capability,
};
use postern_runtime::{Answered, HostPort, PortError};
use postern_store::StoreError;
use tokio::sync::Mutex;

pub(crate) use facts::Material;
pub use facts::Prepared;
pub use limits::Concurrency;
pub(crate) use record::{changes, effect};
pub use revocations::Revocations;

use crate::{
    clock::Clock, config::Collections, effects::Ports, gate::passage::Passage, ledger::Ledger,
    metrics::Metrics, policies::Policies, registry::SignedBy, taint::Assessment,
};

/// A call that the gate allowed and recorded. Only this module can make one.
pub struct Permit {
    call: HostCall,
    prepared: Prepared,
    idempotency_key: String,
}

impl Permit {
    /// What is permitted, what was read for the decision, and the key that is
    /// the same for every try of this call.
    pub(crate) fn into_parts(self) -> (HostCall, Prepared, String) {
        (self.call, self.prepared, self.idempotency_key)
    }
}

/// What all gates of a host share.
pub struct GateShared {
    /// The rules in force.
    pub policy: Arc<Policies>,
    /// What is declared about collections.
    pub collections: Arc<Collections>,
    /// What effects work with.
    pub ports: Arc<Ports>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Where judged calls are counted.
    pub metrics: Arc<Metrics>,
    /// Whether every judged call is told in the host's own log.
    pub log_calls: bool,
    /// How many calls run under limits of concurrency.
    pub concurrency: Arc<Concurrency>,
    /// Which skills must do nothing any more.
    pub revoked: Arc<Revocations>,
}

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The skill.
    pub skill: SkillId,
    /// Its version.
    pub version: semver::Version,
    /// Its publisher.
    pub publisher: String,
    /// Digest of its component.
    pub digest: Digest,
    /// Who signed it, if somebody did.
    pub signed_by: Option<SignedBy>,
    /// What its manifest asks for; beyond it no rule is asked.
    pub asks_for: Vec<Capability>,
    /// The tool that runs.
    pub tool: String,
    /// The invocation.
    pub invocation: InvocationId,
}

impl Caller {
    /// The caller of a tool of a skill.
    pub fn new(manifest: &Manifest, digest: Digest, tool: &str, invocation: InvocationId) -> Self {
        Self {
            skill: manifest.skill.id.clone(),
            version: manifest.skill.version.clone(),
            publisher: manifest.skill.publisher.clone(),
            digest,
            signed_by: None,
            asks_for: manifest.capabilities.clone(),
            tool: tool.to_owned(),
            invocation,
        }
    }

    /// The same with who signed its component.
    #[must_use]
    pub fn signed_by(self, signed_by: Option<SignedBy>) -> Self {
        Self { signed_by, ..self }
    }

    /// The name in audit.
    pub fn actor(&self) -> String {
        format!("skill:{}@{}", self.skill, self.version)
    }
}

/// Why an invocation cannot go on at all.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// Run again, the component did something else than the journal says.
    #[error(
        "call {seq} of {invocation} differs from its journal: recorded is {recorded}, this run has \
         {run}; the run is not deterministic"
    )]
    Diverged {
        /// The invocation.
        invocation: InvocationId,
        /// The call.
        seq: u32,
        /// Digest of the call in the journal.
        recorded: Digest,
        /// Digest of the call in this run.
        run: Digest,
    },
    /// The call waits for somebody's word, and the turn with it.
    #[error("{invocation} is suspended until {approval} is decided")]
    Suspended {
        /// The invocation.
        invocation: InvocationId,
        /// What it waits for.
        approval: ApprovalId,
    },
    /// The store failed or the lease was lost.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The task that performed an effect died.
    #[error("an effect was interrupted")]
    Interrupted(#[source] tokio::task::JoinError),
}

/// The gate of one invocation.
pub struct Gate {
    shared: Arc<GateShared>,
    ledger: Arc<Mutex<Ledger>>,
    caller: Arc<Caller>,
    /// What the journal already holds, by sequence number.
    journal: Vec<CallRecord>,
    /// What somebody had to decide about calls of this invocation.
    approvals: Vec<Approval>,
    reached: Reached,
}

/// How many calls of an invocation its gate has come to. Calls of the journal
/// from there on have happened, but this run has not asked for them.
#[derive(Clone, Debug, Default)]
pub struct Reached(Arc<AtomicU32>);

impl Reached {
    /// The number of the first call that was not reached.
    pub fn next(&self) -> u32 {
        self.0.load(Relaxed)
    }

    fn pass(&self, seq: u32) {
        self.0.store(seq + 1, Relaxed);
    }
}

/// How a call must be treated so that a crash loses and repeats nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Reads, and changes that wait for the turn's own commit.
    WithTurn,
    /// Asks another server for something, which changes nothing there, but tells it
    /// that it was asked.
    Request,
    /// Writes into our own store whose success the skill must know: they commit
    /// with the journal.
    OwnStore,
    /// Changes something elsewhere: the intent commits first.
    External {
        /// Whether it may be repeated after a crash.
        idempotent: bool,
    },
}

fn kind_of(call: &HostCall) -> Kind {
    match call {
        HostCall::Log { .. }
        | HostCall::RecordsGet { .. }
        | HostCall::RecordsQuery { .. }
        | HostCall::RecordsIdentify { .. }
        | HostCall::KvGet { .. }
        | HostCall::KvSet { .. }
        | HostCall::KvDelete { .. }
        | HostCall::TicketCreate { .. }
        | HostCall::TicketUpdate { .. }
        | HostCall::TicketTag { .. }
        | HostCall::TicketComment { .. }
        | HostCall::TicketHistory { .. }
        | HostCall::HandOver { .. }
        | HostCall::KnowledgeSearch { .. }
        | HostCall::ModelComplete { .. }
        | HostCall::MessageSend { .. }
        | HostCall::ScheduleCreate { .. }
        | HostCall::ScheduleCancel { .. } => Kind::WithTurn,
        HostCall::RecordsWrite { .. } => Kind::OwnStore,
        HostCall::HttpSend { request } if request.method.is_safe() => Kind::Request,
        HostCall::HttpSend { request } => Kind::External { idempotent: request.idempotent },
    }
}

impl Gate {
    /// The gate of an invocation; `journal` is what an earlier run recorded.
    pub fn new(
        shared: Arc<GateShared>,
        ledger: Arc<Mutex<Ledger>>,
        caller: Caller,
        journal: Vec<CallRecord>,
    ) -> Self {
        let (caller, reached) = (Arc::new(caller), Reached::default());
        Self { shared, ledger, caller, journal, approvals: Vec::new(), reached }
    }

    /// With what somebody had to decide about its calls.
    #[must_use]
    pub fn with_approvals(self, approvals: Vec<Approval>) -> Self {
        Self { approvals, ..self }
    }

    /// The audit row about an answer that looks hostile.
    fn hostile(&self, seq: u32, at: Timestamp, action: &str, heard: &Assessment) -> AuditEntry {
        let caller = &self.caller;
        let detail = format!("the answer of {action} {}", heard.line());
        let resource = caller.invocation.to_string();
        AuditEntry {
            detail,
            invocation: Some(caller.invocation.clone()),
            seq: Some(seq),
            skill: Some(caller.skill.clone()),
            ..AuditEntry::new(at, AuditKind::HostCall, "host", "answer:hostile", resource)
        }
    }

    /// Tells, also after the gate is gone, how far its invocation came.
    pub fn reached(&self) -> Reached {
        self.reached.clone()
    }
}

#[async_trait]
impl HostPort for Gate {
    async fn call(&mut self, call: HostCall) -> Result<Answered, PortError> {
        let seq = self.reached.next();
        let digest = digest_of(&call);
        let recorded = self.journal.iter().find(|record| record.seq == seq);
        if let Some(recorded) = recorded
            && recorded.digest != digest
        {
            let invocation = self.caller.invocation.clone();
            let (recorded, run) = (recorded.digest, digest);
            return Err(abort(GateError::Diverged { invocation, seq, recorded, run }));
        }
        let interrupted = match recorded {
            None => None,
            Some(record) => match &record.state {
                CallState::Done { reply } => {
                    let mut ledger = self.ledger.lock().await;
                    ledger.recall(record);
                    if let Some(heard) = heard::in_reply(reply) {
                        ledger.hear_from(call.action(), &heard);
                    }
                    self.reached.pass(seq);
                    return Ok(Answered { answer: Ok(reply.clone()), at: record.at });
                }
                CallState::Failed { failure } => {
                    self.ledger.lock().await.recall(record);
                    self.reached.pass(seq);
                    return Ok(Answered { answer: Err(failure.clone()), at: record.at });
                }
                CallState::Waiting { .. } => None,
                CallState::Intended => {
                    Some(AuditVerdict { decision: record.decision, rules: record.rules.clone() })
                }
            },
        };
        let action = call.action();
        let mut ledger = Arc::clone(&self.ledger).lock_owned().await;
        // Not before: dropped while it waits, the call was not made.
        self.reached.pass(seq);
        let call = hide::call(call, self.shared.policy.current().detector(), &mut ledger);
        let passage = Passage {
            shared: Arc::clone(&self.shared),
            ledger,
            caller: Arc::clone(&self.caller),
            used_up: BTreeSet::new(),
            duties: Vec::new(),
            approvals: self.approvals.iter().filter(|it| it.seq == seq).cloned().collect(),
            seq,
            digest,
            started: self.shared.clock.now(),
            stopwatch: Instant::now(),
        };
        // The invocation's deadline drops this future; an effect that has begun must
        // still end and be recorded, so it has a task of its own. The task holds the
        // ledger until then.
        let answer = match kind_of(&call) {
            Kind::WithTurn => passage.with_turn(call).await,
            Kind::Request => in_task(passage.with_turn(call)).await,
            Kind::OwnStore => in_task(passage.own_store(call)).await,
            Kind::External { idempotent } => {
                in_task(passage.external(call, idempotent, interrupted)).await
            }
        };
        if let Ok(Answered { answer: Ok(reply), at }) = &answer
            && let Some(heard) = heard::in_reply(reply)
        {
            let mut ledger = self.ledger.lock().await;
            ledger.hear_from(action, &heard);
            if heard.flagged {
                self.shared.metrics.hostile("answer");
                ledger.audit(self.hostile(seq, *at, action, &heard));
            }
        }
        answer.map_err(abort)
    }
}

fn abort(error: GateError) -> PortError {
    PortError::abort(error)
}

type Answer = Result<Answered, GateError>;

async fn in_task(work: impl Future<Output = Answer> + Send + 'static) -> Answer {
    tokio::spawn(work).await.map_err(GateError::Interrupted)?
}

#[cfg(test)]
mod tests;
