//! One call in a fresh instance: on wasmtime alone, and with everything that this
//! crate adds. `cargo xtask bench` has the rest.

#[path = "../raw.rs"]
mod raw;

use std::{fs, path::Path};

use async_trait::async_trait;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use postern_domain::{
    Customer, Document, HostCall, HostReply, IdentityLevel, Interface, InvocationId, Timestamp,
};
use postern_runtime::{
    Answered, HostPort, Invocation, Limits, LoadedSkill, PortError, Runtime, RuntimeConfig,
};
use raw::{Raw, Work};

const ORDER: &str = include_str!("../../../../tests/peers/order.json");
const TOOL: &str = "order_status";
const ARGUMENTS: &str = r##"{"order_id":"#W1000000"}"##;

/// Answers as a host would that permits everything.
struct Canned(Option<HostReply>);

#[async_trait]
impl HostPort for Canned {
    async fn call(&mut self, call: HostCall) -> Result<Answered, PortError> {
        let reply = match call {
            HostCall::RecordsGet { .. } => self.0.take(),
            _ => None,
        };
        let answer = Ok(reply.unwrap_or(HostReply::Done));
        Ok(Answered { answer, at: Timestamp::from_millis(1_700_000_000_123) })
    }
}

fn settings() -> Vec<(String, String)> {
    vec![("currency".to_owned(), "USD".to_owned())]
}

fn invocation() -> Invocation {
    Invocation {
        id: InvocationId::derive(&["bench"]),
        tool: TOOL.to_owned(),
        arguments: ARGUMENTS.to_owned(),
        now: Timestamp::from_millis(1_700_000_000_123),
        language: "en".to_owned(),
        customer: Customer { key: Some("bench_0".to_owned()), level: IdentityLevel::Identified },
        settings: settings(),
        limits: Limits::default(),
        seed: [7; 32],
    }
}

fn port() -> Box<dyn HostPort> {
    let body: serde_json::Value = serde_json::from_str(ORDER).expect("the order is JSON");
    let document = Document { key: "#W1000000".to_owned(), version: 1, body: body.into() };
    Box::new(Canned(Some(HostReply::Document { document })))
}

fn component() -> Vec<u8> {
    let built = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../skills/target/wasm32-wasip2/release/order_status.wasm");
    fs::read(&built).unwrap_or_else(|error| {
        panic!("{}: {error}; run `cargo xtask build-skills` first", built.display())
    })
}

fn skill(component: &[u8]) -> LoadedSkill {
    let runtime = Runtime::new(RuntimeConfig::default()).expect("the engine starts");
    let code = runtime.compile(component).expect("the component compiles");
    let granted = [Interface::Log, Interface::Records].into();
    let id = "order-status".parse().expect("the name is an id");
    runtime.load_bytes(&id, &code, &granted, &Limits::default()).expect("the component loads")
}

fn calls(criterion: &mut Criterion) {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let tokio = tokio.expect("a thread needs no more than there is");
    let component = component();
    let work = Work {
        tool: TOOL.to_owned(),
        arguments: ARGUMENTS.to_owned(),
        settings: settings(),
        record: ORDER.to_owned(),
    };
    let raw = Raw::new(&component, work, 64).expect("the component runs on wasmtime alone");
    let skill = skill(&component);
    let mut group = criterion.benchmark_group("call");
    group.bench_function("wasmtime alone", |bencher| {
        bencher.to_async(&tokio).iter(|| async { raw.call().await.expect("it replies") });
    });
    group.bench_function("with all limits", |bencher| {
        bencher.to_async(&tokio).iter_batched(
            || (invocation(), port()),
            |(call, port)| async { skill.invoke(call, port).await.result.expect("it replies") },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, calls);
criterion_main!(benches);
