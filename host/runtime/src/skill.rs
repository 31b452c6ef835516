//! A skill that can be called, and one call of it.

use std::{fmt, sync::Arc};

use postern_domain::{
    Customer, IdentityLevel, InvocationId, Outcome, Severity, SkillFailure, SkillId, Timestamp,
};
use tokio::time::{Instant, timeout_at};
use wasmtime::{CallHook, Store, Trap, UpdateDeadline};

use crate::{
    Assets, BoxError, HostPort, Limits, Usage,
    bindings::{SkillPre, exports::postern::skill::tools as wit, postern::skill::types},
    halt::Halt,
    host::check::{self, Checked, ENTITY_BYTES, REASON_BYTES},
    limits::Limit,
    meter::Meter,
    relay::Relay,
    slots::SkillSlots,
    state::{Border, State},
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
    /// What the call may use. Its stack and the number of calls at a time are those
    /// with which the skill was loaded.
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
    /// The port ended the call, with a [`PortError`](crate::PortError).
    #[error("the invocation was ended by the host")]
    Aborted(#[source] BoxError),
}

/// A skill with its interfaces linked. Every call gets an instance of its own.
#[derive(Clone)]
pub struct LoadedSkill {
    loaded: Arc<Loaded>,
    assets: Option<Arc<Assets>>,
}

/// What all calls of a skill share.
pub(crate) struct Loaded {
    pub(crate) skill: SkillId,
    pub(crate) pre: SkillPre<State>,
    pub(crate) slots: Arc<SkillSlots>,
    pub(crate) skill_calls: u32,
    pub(crate) stack_bytes: u64,
    pub(crate) max_memory_bytes: u64,
    /// Whether the engine counts fuel.
    pub(crate) fuel: bool,
    /// Whether output may go to the log.
    pub(crate) log: bool,
}

impl fmt::Debug for LoadedSkill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedSkill").field("skill", &self.loaded.skill).finish_non_exhaustive()
    }
}

impl LoadedSkill {
    pub(crate) fn new(loaded: Loaded) -> Self {
        Self { loaded: Arc::new(loaded), assets: None }
    }

    /// The same skill with files of its own, which a call finds in the folder `/`
    /// and can only read.
    #[must_use]
    pub fn with_assets(mut self, assets: Arc<Assets>) -> Self {
        self.assets = Some(assets);
        self
    }

    /// Calls a tool in a fresh instance. Waits for a free slot before, as long as
    /// the call's own wall-clock limit says and without charging for it. What the
    /// guest wants from the host goes through `port`.
    ///
    /// Dropping the future ends the call. Nothing of the guest is left behind.
    pub async fn invoke(&self, mut call: Invocation, mut port: Box<dyn HostPort>) -> Report {
        let Loaded { skill, slots, .. } = &*self.loaded;
        let limits = &mut call.limits;
        limits.memory_bytes = limits.memory_bytes.min(self.loaded.max_memory_bytes);
        limits.stack_bytes = self.loaded.stack_bytes;
        limits.skill_calls = self.loaded.skill_calls;
        // Held until the store is gone and its slot in the pool is free again.
        let _slot = match slots.take(Instant::now() + limits.wall).await {
            Ok(slot) => slot,
            Err(limit) => {
                let result = Err(InvokeError::Skill(limit.failure(skill, limits)));
                return Report { result, usage: Usage::default() };
            }
        };
        let started = Instant::now();
        let deadline = started + call.limits.wall;
        let meter = Meter::new(call.limits.cpu);
        let border = Arc::new(Border { meter, relay: Relay::default() });
        let Border { meter, relay } = &*border;
        let mut store = self.store(&call, Arc::clone(&border));
        let context = context(&mut call);
        let guest = meter.charge(self.run(&mut store, &call, &context));
        let ended = timeout_at(deadline, relay.serve(&mut *port, guest)).await;
        let fuel = self.fuel_used(&store, &call.limits);
        let state = store.data_mut();
        // A guest's last words matter most when it ended badly, but they must not
        // wait for a port that does not answer.
        if ended.is_ok() && !matches!(state.halt, Some(Halt::Abort(_))) {
            let last_words = meter.charge(state.forward_output(true));
            // An abort is kept in the state; lines that come too late are lost.
            let _ = timeout_at(deadline, relay.serve(&mut *port, last_words)).await;
        }
        let usage = Usage {
            wall: started.elapsed(),
            cpu: meter.spent(),
            fuel,
            host_calls: state.used.host_calls,
            sent_bytes: state.used.sent_bytes,
            received_bytes: state.used.received_bytes,
            memory_bytes: state.used.memory_bytes,
            log_lines_dropped: state.used.log_lines_dropped,
        };
        let ending = match (state.halt.take(), ended) {
            (Some(Halt::Abort(error)), _) => {
                return Report { result: Err(InvokeError::Aborted(error)), usage };
            }
            (Some(Halt::Limit(limit)), _) => Err(Ending::Limit(limit)),
            (None, Err(_elapsed)) => Err(Ending::Limit(Limit::WallTime)),
            (None, Ok(Err(error))) => Err(stopped(&error)),
            (None, Ok(Ok(answer))) => outcome(answer, &call.limits),
        };
        let failed = |ending| match ending {
            Ending::Limit(limit) => limit.failure(skill, &call.limits),
            Ending::Failure(failure) => failure,
        };
        Report { result: ending.map_err(failed).map_err(InvokeError::Skill), usage }
    }

    fn store(&self, call: &Invocation, border: Arc<Border>) -> Store<State> {
        let limits = call.limits.clone();
        let at_once = usize::try_from(limits.sent_bytes).unwrap_or(usize::MAX);
        let fuel = fuel_given(&limits);
        let wasi = Wasi::new(call.now, call.seed, &limits, self.assets.clone());
        let state = State::new(wasi, limits, border, self.loaded.log);
        let mut store = Store::new(self.loaded.pre.engine(), state);
        store.limiter(|state| state);
        store.set_hostcall_fuel(at_once);
        store.set_max_component_handles(MAX_HANDLES);
        if self.loaded.fuel {
            store.set_fuel(fuel).expect("this engine counts fuel");
        }
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

    fn fuel_used(&self, store: &Store<State>, limits: &Limits) -> Option<u64> {
        let left = self.loaded.fuel.then(|| store.get_fuel().expect("this engine counts fuel"))?;
        Some(fuel_given(limits).saturating_sub(left))
    }

    async fn run(
        &self,
        store: &mut Store<State>,
        call: &Invocation,
        context: &types::Context,
    ) -> wasmtime::Result<Result<wit::Outcome, wit::Failure>> {
        store.data_mut().receive(weight(call, context))?;
        let skill = self.loaded.pre.instantiate_async(&mut *store).await?;
        let tools = skill.postern_skill_tools();
        tools.call_call(store, &call.tool, &call.arguments, context).await
    }
}

/// What the guest may rely on, taken out of the call: nothing else reads it.
fn context(call: &mut Invocation) -> types::Context {
    types::Context {
        invocation_id: call.id.to_string(),
        now_ms: u64::try_from(call.now.millis()).unwrap_or_default(),
        language: std::mem::take(&mut call.language),
        customer: types::Customer {
            key: call.customer.key.take(),
            level: match call.customer.level {
                IdentityLevel::Unknown => types::IdentityLevel::Unknown,
                IdentityLevel::Identified => types::IdentityLevel::Identified,
                IdentityLevel::Verified => types::IdentityLevel::Verified,
            },
        },
        settings: std::mem::take(&mut call.settings),
    }
}

/// Bytes of what a call gives to the guest.
fn weight(call: &Invocation, context: &types::Context) -> u64 {
    let types::Context { invocation_id, now_ms: _, language, customer, settings } = context;
    let texts = [&call.tool, &call.arguments, invocation_id, language];
    let settings = settings.iter().flat_map(|(name, value)| [name, value]);
    let all = texts.into_iter().chain(customer.key.iter()).chain(settings);
    all.map(|text| text.len() as u64).sum()
}

/// More fuel than any call can use up.
const ENDLESS: u64 = u64::MAX >> 1;

fn fuel_given(limits: &Limits) -> u64 {
    limits.fuel.unwrap_or(ENDLESS).min(ENDLESS)
}

/// Why a call has no outcome, if the port did not end it.
enum Ending {
    Limit(Limit),
    Failure(SkillFailure),
}

/// Why the engine ended a call by itself.
fn stopped(error: &wasmtime::Error) -> Ending {
    let message = match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => return Ending::Limit(Limit::Stack),
        Some(Trap::OutOfFuel) => return Ending::Limit(Limit::Fuel),
        Some(trap) => trap.to_string(),
        None if error.is::<wasmtime_wasi::I32Exit>() => {
            "the component called exit instead of answering".to_owned()
        }
        None => {
            let cause = error.root_cause().to_string();
            // The engine keeps this error's type to itself.
            if cause.contains("fuel allocated for hostcalls has been exhausted") {
                return Ending::Limit(Limit::Sent);
            }
            cause.chars().take(200).collect()
        }
    };
    Ending::Failure(SkillFailure::Trap { message })
}

/// An answer whose names are none is no answer.
fn well_formed(checked: Checked) -> Result<(), Ending> {
    checked.map_err(|failure| Ending::Failure(SkillFailure::Internal { message: failure.message }))
}

/// The guest's answer in our words, if its texts are not too long and its names,
/// which are written down, are names.
fn outcome(answer: Result<wit::Outcome, wit::Failure>, limits: &Limits) -> Result<Outcome, Ending> {
    let fits = |texts: &[&str]| {
        let bytes: u64 = texts.iter().map(|text| text.len() as u64).sum();
        if bytes > limits.result_bytes { Err(Ending::Limit(Limit::Result)) } else { Ok(()) }
    };
    match answer {
        Ok(wit::Outcome::Reply(text)) => {
            fits(&[&text])?;
            Ok(Outcome::Reply { text })
        }
        Ok(wit::Outcome::Ask(types::Question { entity, text })) => {
            fits(&[&entity, &text])?;
            well_formed(check::name("entity of the question", &entity, "_-", ENTITY_BYTES))?;
            Ok(Outcome::Ask { entity, text })
        }
        Ok(wit::Outcome::HandOver(types::HandOver { reason, severity, text })) => {
            fits(&[&reason, &text])?;
            well_formed(check::slug("reason of the hand-over", &reason, REASON_BYTES))?;
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
            Err(Ending::Failure(match failure {
                wit::Failure::InvalidArguments(message) => {
                    SkillFailure::InvalidArguments { message }
                }
                wit::Failure::Denied(message) => SkillFailure::Denied { message },
                wit::Failure::Unavailable(message) => SkillFailure::Unavailable { message },
                wit::Failure::Internal(message) => SkillFailure::Internal { message },
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(entity: &str, wanted: Option<&str>) {
        let question = types::Question { entity: entity.into(), text: "Which?".into() };
        let found = match outcome(Ok(wit::Outcome::Ask(question)), &Limits::default()) {
            Ok(Outcome::Ask { .. }) => None,
            Err(Ending::Failure(SkillFailure::Internal { message })) => Some(message),
            Ok(_) | Err(_) => panic!("{entity:?} became something else"),
        };
        assert_eq!(found.as_deref(), wanted);
    }

    #[test]
    fn a_question_is_about_an_entity_and_not_about_a_person() {
        check("order_id", None);
        let wanted = "entity of the question: use lower-case letters, digits and any of \"_-\"";
        check("jane@example.com", Some(wanted));
        check("", Some("entity of the question: has 0 bytes; 1 to 64 are accepted"));
    }
}
