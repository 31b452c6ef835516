//! The official client from PyPI, in an environment of its own.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, Result, bail, ensure};
use postern_test_support::paths;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::setup::PATIENCE;

/// A running client.
pub(super) struct Client {
    _process: Child,
    say: ChildStdin,
    hear: Lines<BufReader<ChildStdout>>,
    /// What it said first.
    pub(super) began: Value,
}

impl Client {
    /// A client of a server over HTTP.
    pub(super) async fn http(python: &Path, url: &str, token: &str) -> Result<Self> {
        let mut client = program(python);
        client.args(["http", url]).env("MCP_TOKEN", token);
        Self::start(client).await
    }

    /// The same by the protocol as of 2026-07-28, which has no sessions.
    pub(super) async fn modern(python: &Path, url: &str, token: &str) -> Result<Self> {
        let mut client = program(python);
        client.args(["http", url]).env("MCP_TOKEN", token).env("MCP_MODERN", "1");
        Self::start(client).await
    }

    /// A client that starts its server by itself.
    pub(super) async fn stdio(python: &Path, server: &[&str], token: &str) -> Result<Self> {
        let mut client = program(python);
        client.arg("stdio").args(server).env("POSTERN_AGENT_TOKEN", token);
        Self::start(client).await
    }

    async fn start(mut client: Command) -> Result<Self> {
        let mut process = client
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()?;
        let say = process.stdin.take().context("no standard input")?;
        let hear = process.stdout.take().context("no standard output")?;
        let hear = BufReader::new(hear).lines();
        let mut client = Self { _process: process, say, hear, began: Value::Null };
        client.began = client.next().await?;
        Ok(client)
    }

    /// Asks for something, and answers what came of it.
    pub(super) async fn ask(&mut self, what: &Value) -> Result<Value> {
        self.say.write_all(format!("{what}\n").as_bytes()).await?;
        self.next().await
    }

    /// The names of the tools that it sees.
    pub(super) async fn tools(&mut self) -> Result<Vec<String>> {
        let listed = self.ask(&json!({ "do": "list" })).await?;
        let tools = listed["tools"].as_array().with_context(|| format!("no tools: {listed}"))?;
        Ok(tools.iter().filter_map(|tool| Some(tool["name"].as_str()?.to_owned())).collect())
    }

    /// Calls a tool: whether it is an error, and what it says.
    pub(super) async fn call(&mut self, name: &str, arguments: Value) -> Result<(bool, Value)> {
        self.call_with(name, arguments, Value::Null).await
    }

    /// The same with something in `_meta`.
    pub(super) async fn call_with(
        &mut self,
        name: &str,
        arguments: Value,
        meta: Value,
    ) -> Result<(bool, Value)> {
        let asked = json!({ "do": "call", "name": name, "arguments": arguments, "meta": meta });
        let said = self.ask(&asked).await?;
        let result = &said["result"];
        ensure!(result.is_object(), "{name}: {said}");
        Ok((result["isError"] == true, result["structuredContent"].clone()))
    }

    async fn next(&mut self) -> Result<Value> {
        let line = timeout(2 * PATIENCE, self.hear.next_line()).await??;
        let line = line.context("the client ended")?;
        serde_json::from_str(&line).with_context(|| format!("not JSON: {line}"))
    }
}

fn program(python: &Path) -> Command {
    let mut command = Command::new(python);
    command.arg(folder().join("client.py"));
    command
}

fn folder() -> PathBuf {
    paths::repository().join("tests").join("peers").join("mcp")
}

/// The Python that has the client, installed when it is first needed. None if there is no
/// Python here, which is a failure in CI.
pub(super) async fn python() -> Result<Option<PathBuf>> {
    let there = Command::new("python3").arg("--version").output().await;
    if !there.is_ok_and(|output| output.status.success()) {
        if std::env::var("CI").as_deref() == Ok("true") {
            bail!("the client of the Model Context Protocol needs python3");
        }
        eprintln!("skipped: the client of the Model Context Protocol needs python3");
        return Ok(None);
    }
    tokio::task::spawn_blocking(install).await?.map(Some)
}

fn install() -> Result<PathBuf> {
    let target = paths::repository().join("target");
    std::fs::create_dir_all(&target)?;
    // Tests run side by side.
    let lock = std::fs::File::create(target.join("mcp-client.lock"))?;
    lock.lock()?;
    let (tools, pins) = (target.join("mcp-client"), folder().join("requirements.txt"));
    let (stamp, wanted) = (tools.join("installed-from"), std::fs::read_to_string(&pins)?);
    let python = tools.join("bin").join("python");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    if tools.exists() {
        std::fs::remove_dir_all(&tools)?;
    }
    let run = |program: &Path, arguments: &[&str]| -> Result<()> {
        let status = std::process::Command::new(program).args(arguments).status()?;
        ensure!(status.success(), "{} {arguments:?}: {status}", program.display());
        Ok(())
    };
    let (tools_text, pins_text) = (tools.display().to_string(), pins.display().to_string());
    run(Path::new("python3"), &["-m", "venv", &tools_text])?;
    let mut pip = vec!["install", "--quiet", "--disable-pip-version-check", "--no-input"];
    pip.extend(["--require-hashes", "--no-deps", "--only-binary", ":all:"]);
    pip.extend(["--requirement", pins_text.as_str()]);
    run(&tools.join("bin").join("pip"), &pip)?;
    std::fs::write(stamp, wanted)?;
    Ok(python)
}
