//! What happened in an invocation, and whether it happens again.
//!
//! A component runs again against what its journal recorded. Clock, random numbers
//! and every outcome are the recorded ones, so it must ask for the same calls and
//! come to the same end; nothing is performed, and nothing is written.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use postern_domain::{
    Approval, Author, CallRecord, CallState, Conversation, Customer, Digest, HostCall, HostReply,
    IdentityLevel, InvocationId, Outcome, SkillFailure, StoredMessage, digest_of,
};
use postern_policy::{Facts, PolicyRequest, PolicySet, Verdict, personal::Purpose};
use postern_runtime::{Answered, HostPort, Invocation, InvokeError, PortError};
use postern_store::{InvocationRow, Store, StoreError, TurnRow};

use crate::{
    keys::MasterKey,
    pipeline::{Plan, PlanFile},
    privacy, redaction,
    registry::Skills,
};

/// Everything that was kept about an invocation.
pub struct Recording {
    /// The conversation as it is now.
    pub conversation: Conversation,
    /// The turn.
    pub turn: TurnRow,
    /// What the turn set out to do.
    pub plan: Plan,
    /// The invocation.
    pub row: InvocationRow,
    /// Its host calls, in order.
    pub calls: Vec<CallRecord>,
    /// What somebody had to decide about them.
    pub approvals: Vec<Approval>,
    /// Who the customer was when it began.
    pub customer: Customer,
    /// What the customer was told in this turn, in placeholders.
    pub answers: Vec<StoredMessage>,
}

/// Why an invocation cannot be shown or run again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Nobody knows it.
    #[error("there is no invocation {0}; `postern audit search --kind invocation` lists them")]
    Unknown(InvocationId),
    /// Its turn is not kept any more.
    #[error("the turn of {0} is not among those that are kept of its conversation")]
    TurnGone(InvocationId),
    /// A stored plan cannot be read.
    #[error("the turn's plan cannot be read")]
    Plan(#[source] serde_json::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The component that ran is not in the generation.
    #[error("{skill} {digest} is not in generation {generation}; it cannot be run again")]
    ComponentGone {
        /// The skill.
        skill: String,
        /// The component.
        digest: Digest,
        /// The generation.
        generation: String,
    },
    /// The component asked for something else.
    #[error(
        "call {seq} differs: the journal has {recorded}, this run has {run}; the component is not deterministic, or its settings have changed"
    )]
    Diverged {
        /// The call.
        seq: u32,
        /// Digest of the call in the journal.
        recorded: Digest,
        /// Digest of the call in this run.
        run: Digest,
    },
    /// The component asked for more.
    #[error("call {seq} is not in the journal: this run asks for {action} ({run})")]
    Beyond {
        /// The call.
        seq: u32,
        /// What it asks for.
        action: &'static str,
        /// Digest of the call in this run.
        run: Digest,
    },
    /// The component asked for less.
    #[error("this run made {made} calls, the journal has {recorded}")]
    Short {
        /// Calls of this run.
        made: u32,
        /// Calls of the journal.
        recorded: usize,
    },
    /// The end is another one.
    #[error("this run came to another end: {run}; recorded was: {recorded}")]
    OtherEnd {
        /// The end that was recorded, in a few words.
        recorded: String,
        /// The end of this run.
        run: String,
    },
    /// The run could not be made.
    #[error("the component could not be run: {0}")]
    Run(String),
}

impl Recording {
    /// Reads what was kept of an invocation.
    ///
    /// # Errors
    /// It is not known, or something that belongs to it cannot be read.
    pub async fn load(store: &dyn Store, id: &InvocationId) -> Result<Self, ReplayError> {
        let unknown = || ReplayError::Unknown(id.clone());
        let (row, conversation) = store.invocation(id).await?.ok_or_else(unknown)?;
        let detail = store.conversation(&conversation).await?.ok_or_else(unknown)?;
        let gone = || ReplayError::TurnGone(id.clone());
        let turn =
            detail.turns.iter().find(|turn| turn.id == row.turn).cloned().ok_or_else(gone)?;
        let PlanFile::V1 { plan } =
            serde_json::from_value(turn.plan.clone()).map_err(ReplayError::Plan)?;
        let earlier: Vec<_> = detail
            .invocations
            .iter()
            .filter(|other| other.turn == row.turn && other.step < row.step)
            .map(|other| &other.id)
            .collect();
        let mut customer = plan.customer.clone();
        for entry in &detail.journal {
            if earlier.contains(&&entry.invocation)
                && let CallState::Done { reply: HostReply::Identity { key, .. } } =
                    &entry.record.state
            {
                customer = Customer { key: Some(key.clone()), level: IdentityLevel::Identified };
            }
        }
        let calls = detail.journal.iter().filter(|e| e.invocation == *id).map(|e| e.record.clone());
        let said = |message: &&StoredMessage| {
            message.author == Author::Bot
                && message.at >= turn.started_at
                && turn.completed_at.is_none_or(|end| message.at <= end)
        };
        let answers = detail.messages.iter().map(|message| &message.message).filter(said).cloned();
        Ok(Self {
            calls: calls.collect(),
            approvals: store.approvals_of(id).await?,
            answers: answers.collect(),
            conversation: detail.conversation,
            customer,
            plan,
            row,
            turn,
        })
    }

    /// Runs the component again. `skills` are those of the turn's generation.
    ///
    /// # Errors
    /// It does not do the same, or could not be run.
    pub async fn run(&self, skills: &Skills, key: &MasterKey) -> Result<u32, ReplayError> {
        let active = skills.active.get(&self.row.skill).filter(|it| it.digest == self.row.digest);
        let Some(skill) = active else {
            return Err(ReplayError::ComponentGone {
                skill: self.row.skill.to_string(),
                digest: self.row.digest,
                generation: self.turn.generation.clone(),
            });
        };
        let tape = Tape { calls: self.calls.clone(), state: Arc::default() };
        let state = Arc::clone(&tape.state);
        let language = self.plan.language.as_ref().unwrap_or(&self.conversation.language);
        let invocation = Invocation {
            id: self.row.id.clone(),
            tool: self.row.tool.clone(),
            arguments: self.row.arguments.to_string(),
            now: self.row.at,
            language: language.clone(),
            customer: self.customer.clone(),
            settings: skill.settings.clone(),
            limits: skill.limits.clone(),
            seed: key.derive("invocation", &[self.row.id.as_str()]),
        };
        let report = skill.component.invoke(invocation, Box::new(tape)).await;
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = state.error.take() {
            return Err(error);
        }
        let result = match report.result {
            Ok(outcome) => Ok(outcome),
            Err(InvokeError::Skill(failure)) => Err(failure),
            // The journal ends where the invocation was suspended or interrupted.
            Err(InvokeError::Aborted(_)) if state.at_end => return Ok(state.made),
            Err(InvokeError::Aborted(error)) => return Err(ReplayError::Run(error.to_string())),
        };
        self.compare(&result, state.made)?;
        Ok(state.made)
    }

    fn compare(&self, run: &Result<Outcome, SkillFailure>, made: u32) -> Result<(), ReplayError> {
        let Some(recorded) = &self.row.result else { return Ok(()) };
        // How far a run gets before it has used up its time is not the same twice.
        if let Err(SkillFailure::Limit { limit, .. }) = recorded
            && (limit == "cpu_time" || limit == "wall_time")
        {
            return Ok(());
        }
        if made as usize != self.calls.len() {
            return Err(ReplayError::Short { made, recorded: self.calls.len() });
        }
        if run != recorded && without_values(run) != without_values(recorded) {
            let told = |result: &Result<Outcome, SkillFailure>| match result {
                Ok(outcome) => digest_of(outcome).to_string(),
                Err(failure) => format!("failed: {}", failure.code()),
            };
            return Err(ReplayError::OtherEnd { recorded: told(recorded), run: told(run) });
        }
        Ok(())
    }
}

/// A result as far as it is kept: the types of values stand in their place.
fn without_values(result: &Result<Outcome, SkillFailure>) -> Result<Outcome, SkillFailure> {
    let detector = redaction::current();
    let text = |text: &str| {
        let text = detector.redact(text, Purpose::Placeholders);
        privacy::without_kinds(&text, |_| true).into_owned()
    };
    match result {
        Ok(Outcome::Reply { text: said }) => Ok(Outcome::Reply { text: text(said) }),
        Ok(Outcome::Ask { entity, text: said }) => {
            let entity = redaction::clean(entity).into_owned();
            Ok(Outcome::Ask { entity, text: text(said) })
        }
        Ok(Outcome::HandOver { reason, severity, text: said }) => {
            let reason = redaction::clean(reason).into_owned();
            Ok(Outcome::HandOver { reason, severity: *severity, text: text(said) })
        }
        Ok(Outcome::Done) => Ok(Outcome::Done),
        Err(failure) => Err(redaction::failure(failure.clone())),
    }
}

/// What rules would have said to a recorded call. None if none were asked about it.
pub fn judged_by(
    policy: &PolicySet,
    row: &InvocationRow,
    record: &CallRecord,
    publisher: &str,
) -> Option<Verdict> {
    let facts: Facts = serde_json::from_value(record.facts.clone()?).ok()?;
    let version = row.version.parse().ok()?;
    Some(policy.judge(&PolicyRequest {
        skill: &row.skill,
        version: &version,
        publisher,
        tool: &row.tool,
        call: &record.call,
        facts: &facts,
    }))
}

/// Answers calls from a journal.
struct Tape {
    calls: Vec<CallRecord>,
    state: Arc<Mutex<TapeState>>,
}

#[derive(Default)]
struct TapeState {
    made: u32,
    at_end: bool,
    error: Option<ReplayError>,
}

#[async_trait]
impl HostPort for Tape {
    async fn call(&mut self, call: HostCall) -> Result<Answered, PortError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (seq, run) = (state.made, digest_of(&call));
        let Some(record) = self.calls.iter().find(|record| record.seq == seq) else {
            state.error = Some(ReplayError::Beyond { seq, action: call.action(), run });
            return Err(PortError::abort("the journal has ended"));
        };
        if record.digest != run {
            let recorded = record.digest;
            state.error = Some(ReplayError::Diverged { seq, recorded, run });
            return Err(PortError::abort("the run differs from its journal"));
        }
        let answer = match &record.state {
            CallState::Done { reply } => Ok(reply.clone()),
            CallState::Failed { failure } => Err(failure.clone()),
            CallState::Intended | CallState::Waiting { .. } => {
                state.at_end = true;
                return Err(PortError::abort("the journal ends here"));
            }
        };
        state.made += 1;
        Ok(Answered { answer, at: record.at })
    }
}
