//! What people use instead, doing the same work: each answers the same text.

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use postern_peers::{Answer, ORDER, order_status};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::{
    figures::{Bound, Table, Times, Unit},
    subject::{Subject, repository},
};

/// A Node process that takes a message a line.
struct Node {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    id: u64,
    _child: Child,
}

impl Node {
    fn start(script: &str) -> anyhow::Result<Self> {
        let mut child = Command::new("node")
            .arg(repository().join("tests/peers/node").join(script))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("node does not start")?;
        let input = child.stdin.take().context("no standard input")?;
        let output = BufReader::new(child.stdout.take().context("no standard output")?);
        Ok(Self { input, output, id: 0, _child: child })
    }

    async fn call(&mut self, expected: &str) -> anyhow::Result<Duration> {
        let began = Instant::now();
        self.id += 1;
        let request = json!({
            "jsonrpc": "2.0", "id": self.id, "method": "tools/call",
            "params": {"name": "order_status", "arguments": {"order_id": "#W1000000"}},
        });
        let mut line = request.to_string();
        line.push('\n');
        self.input.write_all(line.as_bytes()).await?;
        line.clear();
        self.output.read_line(&mut line).await?;
        let answer: Value = serde_json::from_str(&line)?;
        let took = began.elapsed();
        ensure!(answer["id"] == self.id, "an answer to another request");
        let text = &answer["result"]["content"][0]["text"];
        ensure!(text == expected, "another answer: {answer}");
        Ok(took)
    }
}

/// The microservice, in a process of its own.
struct Service {
    client: reqwest::Client,
    url: String,
    _child: Child,
}

impl Service {
    async fn start(program: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(program)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| program.display().to_string())?;
        let mut address = String::new();
        let output = child.stdout.take().context("no standard output")?;
        BufReader::new(output).read_line(&mut address).await?;
        let url = format!("http://{}/order_status", address.trim());
        let client = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()?;
        Ok(Self { client, url, _child: child })
    }

    async fn call(&self, expected: &str) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let request = self.client.post(&self.url).json(&json!({"order_id": "#W1000000"}));
        let answer: Answer = request.send().await?.error_for_status()?.json().await?;
        let took = began.elapsed();
        ensure!(answer.text == expected, "another answer: {}", answer.text);
        Ok(took)
    }
}

async fn process(program: &Path, expected: &str) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| program.display().to_string())?;
    let mut input = child.stdin.take().context("no standard input")?;
    input.write_all(ORDER.as_bytes()).await?;
    drop(input);
    let output = child.wait_with_output().await?;
    let answer: Answer = serde_json::from_slice(&output.stdout)?;
    let took = began.elapsed();
    ensure!(answer.text == expected, "another answer: {}", answer.text);
    Ok(took)
}

/// A call of ordinary code, with nothing between it and the host.
fn function(expected: &str) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let answer = order_status(std::hint::black_box(ORDER))?;
    let took = began.elapsed();
    ensure!(answer.text == expected, "another answer: {}", answer.text);
    Ok(took)
}

/// What the Extism program tells.
#[derive(Deserialize)]
struct Extism {
    p50_us: f64,
    text: String,
}

/// A fresh plugin per call, compiled once. It measures itself, as it brings a
/// wasmtime of its own.
async fn extism(expected: &str) -> anyhow::Result<f64> {
    let peers = repository().join("tests/peers");
    let built = peers.join("extism/target");
    let output = Command::new(built.join("release/peer-extism"))
        .arg(built.join("wasm32-unknown-unknown/release/peer_extism_plugin.wasm"))
        .arg(peers.join("order.json"))
        .stderr(Stdio::inherit())
        .output()
        .await
        .context("peer-extism does not start; build it with `cargo xtask bench --peers`")?;
    ensure!(output.status.success(), "peer-extism failed");
    let answer: Extism = serde_json::from_slice(&output.stdout)?;
    ensure!(answer.text == expected, "another answer: {}", answer.text);
    Ok(answer.p50_us)
}

/// Measures all of them, in turns with judged calls. `programs` is the folder of
/// the built ones; `all` includes those that take long to build.
pub(crate) async fn measure(
    subject: &Subject,
    programs: &Path,
    all: bool,
    table: &mut Table,
) -> anyhow::Result<()> {
    let expected = subject.reply.as_str();
    let service = Service::start(&programs.join("peer-http")).await?;
    let program = programs.join("peer-process");
    let node = tokio::process::Command::new("node").arg("--version").output().await.is_ok();
    let mut server = node.then(|| Node::start("mcp.mjs")).transpose()?;
    let mut workers = node.then(|| Node::start("worker.mjs")).transpose()?;
    let [mut judged, mut mcp, mut http, mut native, mut spawned, mut worker] =
        std::array::from_fn(|_| Times::default());
    for round in 0..24 {
        // Programs that compile while they run take some rounds to warm up.
        let counts = round >= 4;
        let keep = |times: &mut Times, took: Duration| {
            if counts {
                times.push(took);
            }
        };
        for _ in 0..150 {
            keep(&mut judged, subject.judged().await?);
        }
        for _ in 0..150 {
            keep(&mut native, function(expected)?);
        }
        if let Some(server) = &mut server {
            for _ in 0..150 {
                keep(&mut mcp, server.call(expected).await?);
            }
        }
        for _ in 0..150 {
            keep(&mut http, service.call(expected).await?);
        }
        for _ in 0..10 {
            keep(&mut spawned, process(&program, expected).await?);
        }
        if let Some(workers) = &mut workers {
            for _ in 0..3 {
                keep(&mut worker, workers.call(expected).await?);
            }
        }
    }
    let mut add = |what: &str, micros: f64, bound| {
        table.add(format!("{what}, p50"), micros, Unit::Micros, Bound::None);
        let ratio = judged.p50() / micros;
        table.add(format!("a judged call against: {what}"), ratio, Unit::Times, bound);
    };
    add("native function", native.p50(), Bound::None);
    if node {
        add("Node, MCP over stdio", mcp.p50(), Bound::Aim(0.6));
    }
    add("HTTP on loopback", http.p50(), Bound::Below(1.0));
    let extism = if all { Some(extism(expected).await?) } else { None };
    if let Some(micros) = extism {
        add("Extism, fresh plugin per call", micros, Bound::Below(1.0));
    }
    add("process per call", spawned.p50(), Bound::Below(1.0));
    if node {
        add("Node worker per call", worker.p50(), Bound::Below(1.0));
    } else {
        table.leave_out("Node: there is no `node`; install Node.js 20 or newer");
    }
    if !all {
        table.leave_out("Extism, which takes minutes to build: `cargo xtask bench --peers`");
    }
    Ok(())
}
