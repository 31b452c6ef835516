//! Everything from the bytes of a component to its first call: whatever it is, the
//! host looks at it, compiles it, runs it within its limits, and serves the next.

mod build;

use std::{
    collections::BTreeSet,
    error::Error,
    time::{Duration, Instant},
};

use anyhow::{bail, ensure};
use async_trait::async_trait;
use fastrand::Rng;
use postern_domain::{
    Customer, HostCall, HostReply, Interface, InvocationId, Outcome, SkillId, Timestamp,
};
use postern_runtime::{
    Answered, CodeCompiler, HostPort, InUse, Invocation, InvokeError, Limits, LoadError,
    LoadedSkill, PortError, Report, Runtime, RuntimeConfig,
};

use self::build::Builder;
use crate::runner::{Ending, Target};

/// Time for a call of a guest, in which its limits end it.
const LONGEST_CALL: Duration = Duration::from_secs(20);

/// Bytes of an error.
const MOST_ERROR_BYTES: usize = 2_048;

/// An honest call at least after so many runs.
const HONEST_EVERY: u64 = 20;

pub(crate) struct Components {
    builder: Builder,
    executor: tokio::runtime::Runtime,
    compiler: CodeCompiler,
    runtime: Runtime,
    at_rest: InUse,
    skill: SkillId,
    honest: LoadedSkill,
    runs: u64,
}

impl Components {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let builder = Builder::new()?;
        let compiler = CodeCompiler::new()?;
        let runtime = Runtime::new(RuntimeConfig {
            concurrent_calls: 2,
            max_memory_bytes: limits().memory_bytes,
            ..RuntimeConfig::default()
        })?;
        let code = compiler.compile(&builder.honest())?;
        let granted = BTreeSet::from([Interface::Kv, Interface::Log]);
        let honest = runtime.load_bytes(&"honest".parse()?, &code, &granted, &limits())?;
        let components = Self {
            builder,
            executor: tokio::runtime::Builder::new_current_thread().enable_time().build()?,
            compiler,
            at_rest: runtime.in_use(),
            runtime,
            skill: "stranger".parse()?,
            honest,
            runs: 0,
        };
        components.honest_call()?;
        Ok(components)
    }

    fn call(&self, skill: &LoadedSkill) -> Report {
        let invocation = Invocation {
            id: InvocationId::derive(&["fuzz"]),
            tool: "anything".to_owned(),
            arguments: "{}".to_owned(),
            now: Timestamp::from_millis(1_700_000_000_000),
            language: "en".to_owned(),
            customer: Customer::default(),
            settings: vec![("name".to_owned(), "value".to_owned())],
            limits: limits(),
            seed: [7; 32],
        };
        self.executor.block_on(skill.invoke(invocation, Box::new(Port)))
    }

    /// Whether the host still serves, with everything back where it was.
    fn honest_call(&self) -> anyhow::Result<()> {
        let report = self.call(&self.honest);
        match report.result {
            Ok(Outcome::Reply { text }) if text == "unharmed" => {}
            other => bail!("the honest call after it came to {other:?}"),
        }
        let in_use = self.runtime.in_use();
        ensure!(in_use == self.at_rest, "something is left: {in_use:?}");
        Ok(())
    }

    fn load_and_call(&self, code: &[u8], everything: bool) -> anyhow::Result<Ending> {
        let granted = if everything { BTreeSet::from(Interface::ALL) } else { BTreeSet::new() };
        let loaded = self.runtime.load_bytes(&self.skill, code, &granted, &limits());
        let skill = match loaded {
            Ok(skill) => skill,
            Err(error) => {
                // What was compiled here just now is never damaged code.
                ensure!(!matches!(error, LoadError::Code { .. }), "{error:?}");
                return refused("load", &error.to_string());
            }
        };
        let started = Instant::now();
        let report = self.call(&skill);
        let took = started.elapsed();
        ensure!(took < LONGEST_CALL, "a call took {took:?}");
        let most = limits().memory_bytes;
        ensure!(report.usage.memory_bytes <= most, "{} bytes of memory", report.usage.memory_bytes);
        drop(skill);
        self.honest_call()?;
        match report.result {
            Ok(outcome) => {
                let way: String = format!("{outcome:?}").chars().take(12).collect();
                Ok(Ending::accepted(format!("call {way}")))
            }
            Err(InvokeError::Skill(failure)) => {
                Ok(Ending::accepted(Ending::refused(&format!("call {failure}")).way))
            }
            Err(error @ InvokeError::Aborted(_)) => bail!("{error:?}"),
        }
    }
}

/// Little, so that what uses everything is ended soon.
fn limits() -> Limits {
    Limits {
        memory_bytes: 16 << 20,
        cpu: Duration::from_millis(50),
        wall: Duration::from_millis(500),
        host_calls: 50,
        ..Limits::default()
    }
}

fn refused(stage: &str, words: &str) -> anyhow::Result<Ending> {
    ensure!(words.len() <= MOST_ERROR_BYTES, "an error of {} bytes: {words}", words.len());
    Ok(Ending::refused(&format!("{stage}: {words}")))
}

/// What is behind an error, without the words of ours around it.
fn cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let text = cause.to_string();
    // The validator tells the place at the end.
    text.split(" (at offset").next().unwrap_or_default().chars().take(200).collect()
}

impl Target for Components {
    fn name(&self) -> &'static str {
        "component"
    }

    fn input(&mut self, random: &mut Rng, kept: &[Vec<u8>]) -> anyhow::Result<Vec<u8>> {
        self.builder.any(random, kept)
    }

    fn attempt(&mut self, input: &[u8]) -> anyhow::Result<Ending> {
        self.runs += 1;
        if self.runs.is_multiple_of(HONEST_EVERY) {
            self.honest_call()?;
        }
        let inspected = Runtime::inspect(input);
        if let Ok(info) = &inspected {
            ensure!(info.exports_tools && info.size == input.len(), "{info:?}");
        }
        // What is refused at a look is never compiled by the host; here it is, as
        // far as that takes no long time, because the compiler must bear it too.
        let code = match self.compiler.compile(input) {
            Ok(code) => code,
            Err(error) => {
                let stage = if inspected.is_ok() { "compile" } else { "look, compile" };
                return refused(stage, &cause(&error));
            }
        };
        let ending = self.load_and_call(&code, !self.runs.is_multiple_of(10))?;
        match inspected {
            Ok(_) => Ok(ending),
            Err(error) => {
                ensure!(!ending.way.starts_with("call"), "refused ({error}), and yet it runs");
                refused("look", &error.to_string())
            }
        }
    }
}

/// A host that has nothing.
struct Port;

#[async_trait]
impl HostPort for Port {
    async fn call(&mut self, call: HostCall) -> Result<Answered, PortError> {
        let reply = match call {
            HostCall::KvGet { .. } => HostReply::Value { value: Some(vec![b'v'; 100]) },
            _ => HostReply::Done,
        };
        Ok(Answered { answer: Ok(reply), at: Timestamp::from_millis(0) })
    }
}
