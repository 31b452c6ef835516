//! Components, a runtime for all tests, and a port that does as it is told.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use postern_domain::{
    CallFailure, Customer, HostCall, HostReply, Interface, InvocationId, SkillFailure, Timestamp,
};
use postern_runtime::{
    Answered, HostPort, Invocation, InvokeError, Limits, LoadedSkill, PortError, Report, Runtime,
    RuntimeConfig,
};
use serde_json::Value;

pub(crate) static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let config = RuntimeConfig {
        concurrent_calls: 4,
        max_memory_bytes: 64 << 20,
        ..RuntimeConfig::default()
    };
    Runtime::new(config).expect("the engine starts")
});

/// Where a component of `tests/guests` is.
pub(crate) fn built(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/guests/target/wasm32-wasip2/release")
        .join(format!("{name}.wasm"))
}

/// The bytes of a component of `tests/guests`.
pub(crate) fn component(name: &str) -> Vec<u8> {
    let built = built(name);
    std::fs::read(&built).unwrap_or_else(|error| {
        panic!("{}: {error}; run `cargo xtask build-skills` first", built.display())
    })
}

/// Compiled code of a component; compiled once.
pub(crate) fn compiled(name: &'static str) -> Vec<u8> {
    static COMPILED: Mutex<BTreeMap<&str, Vec<u8>>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().expect("no test panics while it compiles");
    compiled
        .entry(name)
        .or_insert_with(|| RUNTIME.compile(&component(name)).expect("the component compiles"))
        .clone()
}

/// A skill with every interface granted.
pub(crate) fn skill(name: &'static str) -> LoadedSkill {
    let granted = BTreeSet::from(Interface::ALL);
    RUNTIME
        .load_bytes(
            &name.parse().expect("the name is an id"),
            &compiled(name),
            &granted,
            &Limits::default(),
        )
        .expect("the component loads")
}

/// When every invocation begins.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_123);

pub(crate) fn invocation(tool: &str, arguments: &Value) -> Invocation {
    Invocation {
        id: InvocationId::derive(&[tool]),
        tool: tool.into(),
        arguments: arguments.to_string(),
        now: NOW,
        language: "en".into(),
        customer: Customer::default(),
        settings: vec![],
        // Time on a busy machine says nothing: tests that want these limits set them.
        limits: Limits {
            cpu: Duration::from_secs(20),
            wall: Duration::from_secs(60),
            ..Limits::default()
        },
        seed: [7; 32],
    }
}

type Answer = Box<dyn FnMut(&HostCall) -> Result<Answered, PortError> + Send>;

/// Keeps every call and answers it as the test says.
pub(crate) struct Port {
    seen: Arc<Mutex<Vec<HostCall>>>,
    answer: Answer,
}

/// What a port was asked.
#[derive(Clone)]
pub(crate) struct Seen(Arc<Mutex<Vec<HostCall>>>);

impl Seen {
    pub(crate) fn calls(&self) -> Vec<HostCall> {
        self.0.lock().expect("nobody panics here").clone()
    }

    /// The messages of log lines.
    pub(crate) fn log(&self) -> Vec<String> {
        let line = |call| match call {
            HostCall::Log { line } => Some(line.message),
            _ => None,
        };
        self.calls().into_iter().filter_map(line).collect()
    }
}

/// A port that answers at the time at which the invocation began.
pub(crate) fn port(
    mut answer: impl FnMut(&HostCall) -> Result<HostReply, CallFailure> + Send + 'static,
) -> (Box<dyn HostPort>, Seen) {
    port_with(move |call| Ok(Answered { answer: answer(call), at: NOW }))
}

/// A port that answers at a time of its own, or ends the invocation.
pub(crate) fn port_with(
    answer: impl FnMut(&HostCall) -> Result<Answered, PortError> + Send + 'static,
) -> (Box<dyn HostPort>, Seen) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    (Box::new(Port { seen: Arc::clone(&seen), answer: Box::new(answer) }), Seen(seen))
}

/// A port that has nothing.
pub(crate) fn empty() -> (Box<dyn HostPort>, Seen) {
    port(|call| {
        Ok(match call {
            HostCall::KvGet { .. } => HostReply::Value { value: None },
            _ => HostReply::Done,
        })
    })
}

#[async_trait]
impl HostPort for Port {
    async fn call(&mut self, call: HostCall) -> Result<Answered, PortError> {
        // A real port waits for a database here.
        tokio::task::yield_now().await;
        let answer = (self.answer)(&call);
        self.seen.lock().expect("nobody panics here").push(call);
        answer
    }
}

/// The failure of a skill that failed.
pub(crate) fn failure(report: Report) -> SkillFailure {
    match report.result {
        Err(InvokeError::Skill(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

/// The text of a skill that replied.
pub(crate) fn reply(report: Report) -> String {
    match report.result {
        Ok(postern_domain::Outcome::Reply { text }) => text,
        other => panic!("{other:?}"),
    }
}
