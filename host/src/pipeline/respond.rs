//! Respond: run the planned tools and make an answer of what they came to.

mod machine;
mod response;
mod words;

use std::{sync::Arc, time::Duration};

use postern_domain::{
    Approval, AuditEntry, AuditKind, Awaiting, CallRecord, InvocationId, Outcome, PendingTool,
    Severity, SkillFailure, SkillId, Timestamp,
};
use postern_runtime::{Invocation, InvokeError, Report, Usage};
use postern_store::{Change, InvocationRow};
use serde_json::Value;
use tokio::sync::Mutex;

pub(super) use self::response::{Escalation, Response};
pub(in crate::pipeline) use self::words::told;
use self::words::{kind_of, name_of};
use super::{TurnError, hold, texts};
use crate::{
    app::App,
    breaker::{Ended, Pass, Turned},
    gate::{Caller, Gate},
    ledger::Ledger,
    privacy::Hider,
    redaction,
    registry::{ActiveSkill, LeftOut, Skills, Why},
};

/// Tools that one turn runs at most.
const MOST_STEPS: u32 = 4;

/// Runs tools for a turn.
pub(super) struct Responder<'a> {
    pub(super) app: &'a Arc<App>,
    pub(super) skills: &'a Skills,
    pub(super) ledger: Arc<Mutex<Ledger>>,
    /// What earlier runs of this turn recorded.
    pub(super) journal: Vec<(InvocationId, CallRecord)>,
    /// What somebody had to decide about their calls.
    pub(super) approvals: Vec<Approval>,
    /// The invocations that they made.
    pub(super) ended: Vec<InvocationRow>,
    /// The turn's own time, the same in every run.
    pub(super) at: Timestamp,
    pub(super) language: String,
}

impl Responder<'_> {
    /// Runs a stack of tools, the last first. `before` is what was awaited when
    /// the message came.
    pub(super) async fn run(
        &self,
        mut stack: Vec<PendingTool>,
        before: Option<&Awaiting>,
    ) -> Result<Response, TurnError> {
        let mut response = Response::default();
        for step in 0..MOST_STEPS {
            let Some(top) = stack.last().cloned() else { return Ok(response) };
            let skill = match self.running(&top.skill) {
                Ok(skill) => skill,
                Err(failure) => {
                    self.leave_behind(step).await;
                    response.fail(failure.clone(), failure, texts::TRY_LATER);
                    return Ok(response);
                }
            };
            if let Some(entity) = self.missing(&top) {
                let question = self.skills.brain.question(&entity);
                response.answers.push(question.clone());
                response.awaiting =
                    Some(Awaiting { stack, entity, question, asked: 1, approval: None });
                return Ok(response);
            }
            let Some(result) = self.call(skill, &top, step).await? else {
                response.steps.push(format!("{} {} → suspended", top.skill, top.tool));
                return Ok(response);
            };
            response.result = Some(result.clone());
            response.steps.push(format!(
                "{}@{} {} → {}",
                top.skill,
                skill.manifest.skill.version,
                top.tool,
                name_of(&result)
            ));
            if let Some(refusal) = self.refused(step).await {
                return Ok(refusal.after(response));
            }
            // Nobody is told what a skill says that was revoked while it ran.
            if let Some(revoked) = self.app.revoked(skill) {
                response.result = None;
                response.fail(revoked.clone(), revoked, texts::TRY_LATER);
                return Ok(response);
            }
            match result {
                Ok(Outcome::Reply { text }) => {
                    response.said_by_skill(text);
                    stack.pop();
                }
                Ok(Outcome::Done) => {
                    stack.pop();
                }
                Ok(Outcome::Ask { entity, text }) => {
                    response.ask(stack, entity, text, before);
                    return Ok(response);
                }
                Ok(Outcome::HandOver { reason, severity, text }) => {
                    response.said_by_skill(text);
                    // An alarm needs a permit, which only a host call can get.
                    let severity = severity.min(Severity::High);
                    response.escalate = Some(Escalation { reason, severity, failure: None });
                    return Ok(response);
                }
                Err(failure) => {
                    let civil = match failure {
                        SkillFailure::Denied { .. } => texts::REFUSED,
                        SkillFailure::InvalidArguments { .. }
                        | SkillFailure::Unavailable { .. }
                        | SkillFailure::Internal { .. }
                        | SkillFailure::Limit { .. }
                        | SkillFailure::Trap { .. } => texts::TRY_LATER,
                    };
                    let reason = format!("skill {}: {}", top.skill, kind_of(&failure));
                    let told = format!("skill {}: {}", top.skill, told(&failure));
                    response.fail(reason, told, civil);
                    return Ok(response);
                }
            }
            if self.ledger.lock().await.uncertain.is_some() {
                return Ok(response);
            }
        }
        if !stack.is_empty() {
            let failure = "too many tools for one message".to_owned();
            response.fail(failure.clone(), failure, texts::TRY_LATER);
        }
        Ok(response)
    }

    /// A skill that may run, or why there is none.
    fn running(&self, id: &SkillId) -> Result<&ActiveSkill, String> {
        let Some(skill) = self.skills.active.get(id) else {
            return Err(match self.skills.left_out.get(id) {
                Some(LeftOut { why: Why::Disabled, .. }) => format!("skill {id} is disabled"),
                Some(LeftOut { why, .. }) => why.to_string(),
                None => format!("{id} is not installed any more"),
            });
        };
        match self.app.revoked(skill) {
            None => Ok(skill),
            Some(revoked) => Err(revoked),
        }
    }

    /// Takes up again what an earlier run of a step left behind whose skill does not
    /// run any more: of an effect that was begun, a person must know.
    async fn leave_behind(&self, step: u32) {
        let turn = self.ledger.lock().await.turn.id.clone();
        let id = InvocationId::derive(&[turn.as_str(), &step.to_string()]);
        self.recall(&id, 0).await;
    }

    /// The first required entity of a tool that is not known.
    fn missing(&self, tool: &PendingTool) -> Option<String> {
        match self.skills.brain.route(&tool.intent)? {
            crate::brain::Route::Tool { tool: name, required, .. } if *name == tool.tool => {
                required.iter().find(|name| !tool.arguments.contains_key(*name)).cloned()
            }
            crate::brain::Route::Tool { .. } | crate::brain::Route::Talk { .. } => None,
        }
    }

    /// What an invocation came to, if an earlier run of the turn ended it. It
    /// does not run again: a limit might fall elsewhere.
    async fn result_of(&self, id: &InvocationId) -> Option<Result<Outcome, SkillFailure>> {
        let result = self.ended.iter().find(|row| row.id == *id)?.result.clone()?;
        self.recall(id, 0).await;
        Some(result)
    }

    /// What earlier runs of the turn recorded of an invocation.
    fn recorded<'b>(&'b self, id: &'b InvocationId) -> impl Iterator<Item = &'b CallRecord> {
        self.journal.iter().filter(move |(of, _)| of == id).map(|(_, record)| record)
    }

    /// Takes up again what calls of an invocation from the `first` on left behind,
    /// for which no run asks again.
    async fn recall(&self, id: &InvocationId, first: u32) {
        let mut ledger = self.ledger.lock().await;
        for record in self.recorded(id).filter(|record| record.seq >= first) {
            ledger.recall(record);
        }
    }

    /// What is said about an invocation if somebody decided against one of its calls.
    async fn refused(&self, step: u32) -> Option<Response> {
        hold::refusal(&self.against(step).await?)
    }

    /// Calls one tool. None if the invocation has to wait for somebody's word.
    async fn call(
        &self,
        skill: &ActiveSkill,
        tool: &PendingTool,
        step: u32,
    ) -> Result<Option<Result<Outcome, SkillFailure>>, TurnError> {
        let arguments = Value::Object(tool.arguments.clone());
        let (row, customer, resolved) = {
            let ledger = self.ledger.lock().await;
            let turn = ledger.turn.id.clone();
            let row = InvocationRow {
                id: InvocationId::derive(&[turn.as_str(), &step.to_string()]),
                turn,
                step,
                skill: tool.skill.clone(),
                version: skill.manifest.skill.version.to_string(),
                digest: skill.digest,
                tool: tool.tool.clone(),
                arguments: arguments.clone(),
                result: None,
                at: self.at,
                took_us: 0,
                cpu_us: 0,
                memory_bytes: 0,
                host_calls: 0,
            };
            let customer = ledger.conversation.customer.clone();
            (row, customer, resolve(&ledger, &tool.arguments))
        };
        let id = row.id.clone();
        let caller = Caller::new(&skill.manifest, skill.digest, &tool.tool, id.clone())
            .signed_by(skill.signed_by.clone());
        let actor = caller.actor();
        if let Some(result) = self.result_of(&id).await {
            return Ok(Some(result));
        }
        // A journal that commits before the invocation has ended belongs to it.
        self.ledger.lock().await.push(Change::Invocation(row.clone()));
        let called = match self.admit(skill, &row, &resolved) {
            Err(failure) => Called { result: Err(failure), usage: Usage::default(), turned: None },
            Ok(pass) => {
                let gate = Gate::new(
                    Arc::clone(&self.app.gate),
                    Arc::clone(&self.ledger),
                    caller,
                    self.recorded(&id).cloned().collect(),
                )
                .with_approvals(self.approvals_of(&id));
                let reached = gate.reached();
                let invocation = Invocation {
                    id: id.clone(),
                    tool: tool.tool.clone(),
                    arguments: arguments.to_string(),
                    now: self.at,
                    language: self.language.clone(),
                    customer,
                    settings: skill.settings.clone(),
                    limits: skill.limits.clone(),
                    seed: self.app.key.derive("invocation", &[id.as_str()]),
                };
                let report = skill.component.invoke(invocation, Box::new(gate)).await;
                if self.ledger.lock().await.suspended.is_some() {
                    let (breakers, now) = (&self.app.breakers, self.app.clock.now());
                    breakers.ended(&row.skill, row.digest, pass, now, Ended::Untried);
                    return Ok(None);
                }
                let called = self.account(skill, &row, pass, report)?;
                // It may have ended sooner than the run before it.
                self.recall(&id, reached.next()).await;
                called
            }
        };
        let Called { result, usage, turned } = called;
        // An effect that outlived its invocation holds the ledger until it is
        // recorded, so the turn waits for it here.
        let mut ledger = self.ledger.lock().await;
        let policy = self.app.policy.current();
        let mut hider = Hider::new(policy.detector(), &mut ledger.vault);
        let result = result.map(|outcome| words::in_placeholders(outcome, &mut hider));
        ledger.audit(AuditEntry {
            detail: format!("{} {}", tool.tool, name_of(&result)),
            took_us: Some(micros(usage.wall)),
            invocation: Some(id),
            skill: Some(tool.skill.clone()),
            ..AuditEntry::new(
                self.at,
                AuditKind::Invocation,
                actor,
                "skill:call",
                format!("{}/{}", tool.skill, tool.tool),
            )
        });
        if let Some(turned) = turned {
            ledger.audit(self.turned(&row, turned));
        }
        ledger.push(Change::Invocation(InvocationRow {
            result: Some(result.clone()),
            took_us: micros(usage.wall),
            cpu_us: micros(usage.cpu),
            memory_bytes: usage.memory_bytes,
            host_calls: usage.host_calls,
            ..row
        }));
        Ok(Some(result))
    }

    fn approvals_of(&self, id: &InvocationId) -> Vec<Approval> {
        self.approvals.iter().filter(|approval| approval.invocation == *id).cloned().collect()
    }

    /// Whether the component may run: the arguments fit and the skill does not
    /// rest.
    fn admit(
        &self,
        skill: &ActiveSkill,
        row: &InvocationRow,
        resolved: &Value,
    ) -> Result<Pass, SkillFailure> {
        let App { breakers, metrics, clock, .. } = &**self.app;
        let tool = known_tool(skill, &row.tool);
        // Effects of an interrupted run have happened, so it must come to its end.
        if self.recorded(&row.id).next().is_some() {
            return Ok(breakers.resume(&row.skill, row.digest));
        }
        if let Some(message) = invalid(skill, &row.tool, resolved) {
            let failure = SkillFailure::InvalidArguments { message };
            metrics.not_called(&row.skill, tool, &failure);
            return Err(failure);
        }
        let wall = skill.limits.wall;
        breakers.allow(&row.skill, row.digest, wall, clock.now()).map_err(|resting| {
            metrics.rested(&row.skill, tool);
            SkillFailure::Unavailable { message: format!("{} rests: {resting}", row.skill) }
        })
    }

    /// Counts a call that has ended, and tells its breaker. One that found no place
    /// to go on after an interruption has not ended: the turn is tried again.
    fn account(
        &self,
        skill: &ActiveSkill,
        row: &InvocationRow,
        pass: Pass,
        report: Report,
    ) -> Result<Called, TurnError> {
        let App { breakers, metrics, clock, .. } = &**self.app;
        let ended = |ended| breakers.ended(&row.skill, row.digest, pass, clock.now(), ended);
        let Report { result, mut usage } = report;
        if let Some(watch) = &self.app.watch {
            watch.used(&row.id, &usage);
        }
        let result = match result {
            Ok(outcome) => Ok(outcome),
            Err(InvokeError::Skill(failure)) => Err(redaction::failure(failure)),
            Err(InvokeError::Aborted(error)) => {
                ended(Ended::Untried);
                return Err(TurnError::Aborted(error));
            }
        };
        if let (Ended::Untried, Err(failure)) = (Ended::of(&result), &result)
            && self.recorded(&row.id).next().is_some()
        {
            ended(Ended::Untried);
            let error = NoPlace { invocation: row.id.clone(), failure: failure.clone() };
            return Err(TurnError::Aborted(error.into()));
        }
        match Ended::of(&result) {
            Ended::Untried => usage.wall = Duration::ZERO,
            // No run is so short that it looks like none.
            Ended::Held | Ended::Broke => usage.wall = usage.wall.max(Duration::from_micros(1)),
        }
        metrics.called(&row.skill, known_tool(skill, &row.tool), &result, &usage);
        if !usage.wall.is_zero() {
            metrics.ran(&row.skill, &skill.manifest.skill.version, &result);
        }
        let turned = ended(Ended::of(&result));
        Ok(Called { result, usage, turned })
    }

    /// Tells operators that a skill rests or is back.
    fn turned(&self, row: &InvocationRow, turned: Turned) -> AuditEntry {
        let skill = row.skill.as_str();
        let (action, detail) = match turned {
            Turned::Opened(resting) => {
                self.app.metrics.breaker_opened(&row.skill);
                tracing::warn!(skill, failures = resting.failures, until = %resting.until, "a skill rests");
                ("skill:rest", resting.to_string())
            }
            Turned::Closed => {
                tracing::info!(skill, "a skill is back in service");
                ("skill:return", "a call held".to_owned())
            }
        };
        let on = format!("{skill}@{} {}", row.version, row.digest);
        AuditEntry {
            detail,
            invocation: Some(row.id.clone()),
            skill: Some(row.skill.clone()),
            ..AuditEntry::new(self.app.clock.now(), AuditKind::Invocation, "host", action, on)
        }
    }
}

/// An invocation that was interrupted could not go on. What it had done until then
/// is kept, so it must not end here.
#[derive(Debug, thiserror::Error)]
#[error("{invocation} found no place to go on: {failure}")]
struct NoPlace {
    invocation: InvocationId,
    failure: SkillFailure,
}

/// A call that has ended, or was not made.
struct Called {
    result: Result<Outcome, SkillFailure>,
    usage: Usage,
    turned: Option<Turned>,
}

/// A tool's name, if it is one that the skill has.
fn known_tool<'a>(skill: &'a ActiveSkill, tool: &str) -> &'a str {
    skill.manifest.tool(tool).map_or("unknown", |tool| &tool.name)
}

/// Arguments with real values, for checking only.
fn resolve(ledger: &Ledger, arguments: &serde_json::Map<String, Value>) -> Value {
    let real = |value: &Value| match value {
        Value::String(text) => match ledger.vault.resolve(text) {
            Some(entry) => Value::String(entry.value.clone()),
            None => value.clone(),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.clone()
        }
    };
    Value::Object(arguments.iter().map(|(name, value)| (name.clone(), real(value))).collect())
}

/// What is wrong with arguments, without their values.
fn invalid(skill: &ActiveSkill, tool: &str, arguments: &Value) -> Option<String> {
    let Some(schema) = skill.schemas.get(tool) else {
        return Some(format!("the skill has no tool {tool:?}"));
    };
    let error = schema.iter_errors(arguments).next()?;
    Some(format!("{} does not fit the schema", error.instance_path()))
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
