//! A call in steady state leaves the memory map alone: whatever changes it stops
//! the other threads of the host for a moment, and two workers become slower than
//! one.
//!
//! The test runs itself again under strace, which counts what happens between two
//! lines that the second run writes.

use std::{
    collections::BTreeMap,
    io::Write as _,
    process::{Command, Stdio},
};

use async_trait::async_trait;
use postern_domain::{
    Customer, Document, HostCall, HostReply, IdentityLevel, Interface, InvocationId, Timestamp,
};
use postern_runtime::{
    Answered, HostPort, Invocation, Limits, LoadedSkill, PortError, Runtime, RuntimeConfig,
};
use postern_test_support::{notice, paths};
use serde_json::json;

const WARM_UP: usize = 100;
const CALLS: usize = 500;
/// Tells the second run that it is one.
const MARK: &str = "POSTERN_STEADY";
const BEGIN: &str = "steady: begin";
const END: &str = "steady: end";

/// What changes the memory map.
const MAPPING: [&str; 6] = ["madvise", "mmap", "mprotect", "mremap", "munmap", "process_madvise"];

#[test]
fn a_call_in_steady_state_maps_no_memory() {
    if std::env::var_os(MARK).is_some() {
        return calls();
    }
    if !Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_ok_and(|s| s.success()) {
        notice::skip("the system calls of a call", "install strace and run again");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let test = "steady::a_call_in_steady_state_maps_no_memory";
    let output = Command::new("strace")
        .args(["-f", "-qq", "-o"])
        .arg(&trace)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads", "1"])
        .env(MARK, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() && said.contains("ptrace") {
        // Containers may forbid it, and nothing in here can change that.
        eprintln!("skipped: the system calls of a call: this machine permits no ptrace");
        return;
    }
    assert!(output.status.success(), "{said}");
    let trace = std::fs::read_to_string(&trace).unwrap();
    let steady = trace.split_once(BEGIN).unwrap().1.split_once(END).unwrap().0;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in steady.lines().filter_map(system_call) {
        *counts.entry(name).or_default() += 1;
    }
    eprintln!("system calls in {CALLS} calls: {counts:?}");
    let mapping: Vec<_> = counts.iter().filter(|(name, _)| MAPPING.contains(name)).collect();
    assert!(mapping.is_empty(), "{mapping:?} in {CALLS} calls; all: {counts:?}");
}

/// The name in a line such as `4711 madvise(0x7f…`.
fn system_call(line: &str) -> Option<&str> {
    let (name, _) = line.split_once('(')?;
    let name = name.split_whitespace().last()?;
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then_some(name)
}

/// The second run: calls until everything is warm, then calls that count.
fn calls() {
    let skill = skill();
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let call = |times: usize| {
        for _ in 0..times {
            let report = tokio.block_on(skill.invoke(invocation(), Box::new(Shop)));
            report.result.unwrap();
        }
    };
    call(WARM_UP);
    let tell = |line: &str| std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
    tell(BEGIN);
    call(CALLS);
    tell(END);
}

fn skill() -> LoadedSkill {
    let built = paths::repository().join("skills/target/wasm32-wasip2/release/order_status.wasm");
    let component = std::fs::read(built).expect("`cargo xtask build-skills` has run");
    let runtime = Runtime::new(RuntimeConfig::default()).unwrap();
    let code = runtime.compile(&component).unwrap();
    let granted = [Interface::Log, Interface::Records].into();
    let id = "order-status".parse().unwrap();
    runtime.load_bytes(&id, &code, &granted, &Limits::default()).unwrap()
}

fn invocation() -> Invocation {
    Invocation {
        id: InvocationId::derive(&["steady"]),
        tool: "order_status".into(),
        arguments: json!({ "order_id": "#W1000000" }).to_string(),
        now: Timestamp::from_millis(1_700_000_000_000),
        language: "en".into(),
        customer: Customer { key: Some("ann".into()), level: IdentityLevel::Identified },
        settings: vec![("currency".into(), "USD".into())],
        limits: Limits::default(),
        seed: [7; 32],
    }
}

/// Has the one order that is asked for.
struct Shop;

#[async_trait]
impl HostPort for Shop {
    async fn call(&mut self, call: HostCall) -> Result<Answered, PortError> {
        let reply = match call {
            HostCall::RecordsGet { key, .. } => {
                let item = json!({"name": "Lamp", "price": 9.5, "options": {"color": "white"}});
                let body = json!({
                    "order_id": key, "user_id": "ann", "status": "pending", "items": [item],
                });
                HostReply::Document { document: Document { key, version: 1, body: body.into() } }
            }
            _ => HostReply::Done,
        };
        Ok(Answered { answer: Ok(reply), at: Timestamp::from_millis(1_700_000_000_000) })
    }
}
