//! A skill that can be called, and one call of it.

use std::{fmt, sync::Arc};

use postern_domain::{
    Customer, IdentityLevel, InvocationId, Outcome, Severity, SkillFailure, Timestamp,
};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};
use wasmtime::{CallHook, Store, Trap, UpdateDeadline};

use crate::{
    BoxError, HostPort, Limits, Usage,
    bindings::{SkillPre, exports::postern::skill::tools as wit, postern::skill::types},
    halt::Halt,
    host::check::{self, REASON_BYTES},
    limits::Limit,
    meter::Meter,
    relay::{Relay, relay},
    state::State,
    wasi::Wasi,
};

/// Handles that a component may hold at a time.
const MAX_HANDLES: usize = 1_000;

/// One call of one tool.
#[derive(Clone)]
pub struct Invocation {
    /// Names the call in logs and audit.
    pub id: InvocationId,
    /// The tool.
    pub tool: String,
    /// Its arguments: a JSON object, as text.
    pub arguments: String,
    /// The time that the guest sees.
    pub now: Timestamp,
    /// Language of the customer, as a BCP 47 tag.
    pub language: String,
    /// The customer.
    pub customer: Customer,
    /// What the operator set for the skill: names and values.
    pub settings: Vec<(String, String)>,
    /// What the call may use.
    pub limits: Limits,
    /// Where the guest's random numbers come from: the same seed gives the same
    /// numbers. Secret, as a guest may make keys of them.
    pub seed: [u8; 32],
}

impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation")
            .field("id", &self.id)
            .field("tool", &self.tool)
            .field("now", &self.now)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// How a call ended and what it used.
#[derive(Debug)]
pub struct Report {
    /// How it ended.
    pub result: Result<Outcome, InvokeError>,
    /// What it used.
    pub usage: Usage,
}

/// Why a call has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// The skill failed, trapped or reached a limit.
    #[error(transparent)]
    Skill(SkillFailure),
    /// The port ended the call, with
    /// [`PortError::Abort`](crate::PortError::Abort).
    #[error("the invocation was ended by the host")]
    Aborted(#[source] BoxError),
}

/// A skill with its interfaces linked. Every call gets an instance of its own.
#[derive(Clone)]
pub struct LoadedSkill {
    pre: SkillPre<State>,
    slots: Arc<Semaphore>,
    max_memory_bytes: u64,
    log: bool,
}

impl fmt::Debug for LoadedSkill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedSkill").field("log", &self.log).finish_non_exhaustive()
    }
}

impl LoadedSkill {
    pub(crate) fn new(
        pre: SkillPre<State>,
        slots: Arc<Semaphore>,
        max_memory_bytes: u64,
        log: bool,
    ) -> Self {
        Self { pre, slots, max_memory_bytes, log }
    }

    /// Calls a tool in a fresh instance, and waits for a free slot before. What the
    /// guest wants from the host goes through `port`.
    ///
    /// Dropping the future ends the call. Nothing of the guest is left behind.
    pub async fn invoke(&self, mut call: Invocation, port: Box<dyn HostPort>) -> Report {
        call.limits.memory_bytes = call.limits.memory_bytes.min(self.max_memory_bytes);
        let limits = call.limits.clone();
        let meter = Arc::new(Meter::default());
        // Held until the store is gone and its slot in the pool is free again.
        let _slot = self.slots.acquire().await.expect("nobody closes the semaphore");
        let started = Instant::now();
        let deadline = started + limits.wall;
        let (inside, mut outside) = relay(port);
        let mut store = self.store(&call, inside, Arc::clone(&meter));
        let guest = meter.charge(self.run(&mut store, &call));
        let ended = timeout_at(deadline, outside.serve(guest)).await;
        let state = store.data_mut();
        // A guest's last words matter most when it ended badly, but they must not
        // wait for a port that does not answer.
        if ended.is_ok() && !matches!(state.halt, Some(Halt::Abort(_))) {
            let last_words = meter.charge(state.forward_output(true));
            // An abort is kept in the state; lines that come too late are lost.
            let _ = timeout_at(deadline, outside.serve(last_words)).await;
        }
        let usage = Usage {
            wall: started.elapsed(),
            cpu: meter.spent(),
            host_calls: state.used.host_calls,
            memory_bytes: state.used.memory_bytes,
            log_lines_dropped: state.used.log_lines_dropped,
        };
        let failed = |limit: Limit| Err(InvokeError::Skill(limit.failure(&limits)));
        let result = match (state.halt.take(), ended) {
            (Some(Halt::Abort(error)), _) => Err(InvokeError::Aborted(error)),
            (Some(Halt::Limit(limit)), _) => failed(limit),
            (None, Err(_elapsed)) => failed(Limit::WallTime),
            (None, Ok(Err(error))) => Err(InvokeError::Skill(stopped(&error, &limits))),
            (None, Ok(Ok(answer))) => outcome(answer, &limits).map_err(InvokeError::Skill),
        };
        Report { result, usage }
    }

    fn store(&self, call: &Invocation, port: Relay, meter: Arc<Meter>) -> Store<State> {
        let limits = call.limits.clone();
        let at_once = usize::try_from(limits.transfer_bytes).unwrap_or(usize::MAX);
        let wasi = Wasi::new(call.now, call.seed, &limits);
        let state = State::new(wasi, limits, meter, port, self.log);
        let mut store = Store::new(self.pre.engine(), state);
        store.limiter(|state| state);
        store.set_hostcall_fuel(at_once);
        store.set_max_component_handles(MAX_HANDLES);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut store| {
            store.data_mut().check_cpu()?;
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
        });
        // A guest that crosses the border all the time may never meet a deadline of
        // the epoch, so it is checked whenever it comes back.
        store.call_hook(|mut store, hook| match hook {
            CallHook::ReturningFromHost => store.data_mut().check_cpu(),
            CallHook::CallingWasm | CallHook::ReturningFromWasm | CallHook::CallingHost => Ok(()),
        });
        store
    }

    async fn run(
        &self,
        store: &mut Store<State>,
        call: &Invocation,
    ) -> wasmtime::Result<Result<wit::Outcome, wit::Failure>> {
        store.data_mut().transfer(call.arguments.len() as u64)?;
        let skill = self.pre.instantiate_async(&mut *store).await?;
        let tools = skill.postern_skill_tools();
        tools.call_call(store, &call.tool, &call.arguments, &context(call)).await
    }
}

fn context(call: &Invocation) -> types::Context {
    types::Context {
        invocation_id: call.id.to_string(),
        now_ms: u64::try_from(call.now.millis()).unwrap_or_default(),
        language: call.language.clone(),
        customer: types::Customer {
            key: call.customer.key.clone(),
            level: match call.customer.level {
                IdentityLevel::Unknown => types::IdentityLevel::Unknown,
                IdentityLevel::Identified => types::IdentityLevel::Identified,
                IdentityLevel::Verified => types::IdentityLevel::Verified,
            },
        },
        settings: call.settings.clone(),
    }
}

/// The failure of a call that the engine ended by itself.
fn stopped(error: &wasmtime::Error, limits: &Limits) -> SkillFailure {
    let message = if let Some(trap) = error.downcast_ref::<Trap>() {
        trap.to_string()
    } else if error.is::<wasmtime_wasi::I32Exit>() {
        "the component called exit instead of answering".to_owned()
    } else {
        let cause = error.root_cause().to_string();
        // The engine keeps this error's type to itself.
        if cause.contains("fuel allocated for hostcalls has been exhausted") {
            return Limit::Transfer.failure(limits);
        }
        cause.chars().take(200).collect()
    };
    SkillFailure::Trap { message }
}

/// The guest's answer in our words, if its texts are not too long.
fn outcome(
    answer: Result<wit::Outcome, wit::Failure>,
    limits: &Limits,
) -> Result<Outcome, SkillFailure> {
    let fits = |texts: &[&str]| {
        let bytes: u64 = texts.iter().map(|text| text.len() as u64).sum();
        if bytes > limits.result_bytes { Err(Limit::Result.failure(limits)) } else { Ok(()) }
    };
    match answer {
        Ok(wit::Outcome::Reply(text)) => {
            fits(&[&text])?;
            Ok(Outcome::Reply { text })
        }
        Ok(wit::Outcome::Ask(types::Question { entity, text })) => {
            fits(&[&entity, &text])?;
            Ok(Outcome::Ask { entity, text })
        }
        Ok(wit::Outcome::HandOver(types::HandOver { reason, severity, text })) => {
            fits(&[&reason, &text])?;
            check::slug("reason of the hand-over", &reason, REASON_BYTES)
                .map_err(|failure| SkillFailure::Internal { message: failure.message })?;
            let severity = match severity {
                types::Severity::Low => Severity::Low,
                types::Severity::Normal => Severity::Normal,
                types::Severity::High => Severity::High,
                types::Severity::Critical => Severity::Critical,
            };
            Ok(Outcome::HandOver { reason, severity, text })
        }
        Ok(wit::Outcome::Done) => Ok(Outcome::Done),
        Err(failure) => {
            let (wit::Failure::InvalidArguments(message)
            | wit::Failure::Denied(message)
            | wit::Failure::Unavailable(message)
            | wit::Failure::Internal(message)) = &failure;
            fits(&[message])?;
            Err(match failure {
                wit::Failure::InvalidArguments(message) => {
                    SkillFailure::InvalidArguments { message }
                }
                wit::Failure::Denied(message) => SkillFailure::Denied { message },
                wit::Failure::Unavailable(message) => SkillFailure::Unavailable { message },
                wit::Failure::Internal(message) => SkillFailure::Internal { message },
            })
        }
    }
}
