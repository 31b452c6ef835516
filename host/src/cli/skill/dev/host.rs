//! The host of `postern skill dev`: `postern serve` on the author's data folder.

use std::{
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Child,
    time::timeout,
};

use super::command;
use crate::{
    author::World,
    cli::{Context, output, output::out},
};

/// What is shown of the host's log, if nobody says otherwise: each call with what rules
/// decided, the skill's own lines, and which skills are active.
const LOG: &str = "warn,postern::app=info,skill=info,tool_calls=info";
/// Time to be ready.
const PATIENCE: Duration = Duration::from_secs(120);
/// Time to finish turns that have begun.
const GRACE: Duration = Duration::from_secs(20);

/// A serving host.
pub(super) struct Host {
    child: Child,
}

impl Host {
    /// Starts a host and says where its chat page is.
    pub(super) async fn start(world: &World, context: &Context) -> anyhow::Result<Self> {
        let mut command = command(world)?;
        command.args(["--json", "serve", "--log-tool-calls"]);
        if std::env::var_os("POSTERN_LOG").is_none() {
            command.env("POSTERN_LOG", LOG);
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let said = BufReader::new(child.stdout.take().context("the host says nothing")?);
        let line = timeout(PATIENCE, said.lines().next_line()).await;
        let line = line.context("the host is not ready in time")??;
        let line = line.context("the host did not start; why stands above")?;
        let ready: Value = serde_json::from_str(&line).context("the host says something odd")?;
        let public = ready["public"].as_str().unwrap_or_default();
        let chat = format!("{public}/chat/main");
        if context.json {
            output::json(&serde_json::json!({
                "ready": true, "chat": chat, "operator": ready["operator"],
            }))?;
        } else {
            out!("Talk to it: {chat}  (Ctrl-C ends it)");
        }
        Ok(Self { child })
    }

    /// Waits until the host ends by itself, which it should not.
    pub(super) async fn ended(&mut self) -> anyhow::Result<()> {
        let status = self.child.wait().await?;
        anyhow::bail!("the host ended ({status}); why stands above")
    }

    /// Lets it finish what it has begun.
    pub(super) async fn stop(mut self) -> anyhow::Result<Option<ExitStatus>> {
        if let Some(pid) = self.child.id().and_then(|id| i32::try_from(id).ok()) {
            let pid = Pid::from_raw(pid).context("no process has the number 0")?;
            // It may have ended by itself.
            let _gone = kill_process(pid, Signal::TERM);
        }
        match timeout(GRACE, self.child.wait()).await {
            Ok(status) => Ok(Some(status?)),
            Err(_) => {
                self.child.kill().await?;
                Ok(None)
            }
        }
    }
}
