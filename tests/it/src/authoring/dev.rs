//! `postern skill dev`: the host follows the folder.

use std::{fs, process::Stdio, time::Duration};

use anyhow::{Context as _, Result, ensure};
use postern_test_support::chat::WebChat;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStderr},
    time::timeout,
};

use super::bench::Bench;

/// A build of a small crate on a machine that is busy with all tests.
const PATIENCE: Duration = Duration::from_secs(180);

/// A running `postern skill dev`.
struct Following {
    child: Child,
    complaints: Lines<BufReader<ChildStderr>>,
    public: String,
}

impl Following {
    async fn start(bench: &Bench) -> Result<Self> {
        let mut command = bench.command(&["--json", "skill", "dev"])?;
        command.current_dir(bench.folder()).stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let complaints = BufReader::new(child.stderr.take().context("no standard error")?).lines();
        let mut said = BufReader::new(child.stdout.take().context("no output")?).lines();
        let ready = timeout(PATIENCE, said.next_line()).await??.context("it ended")?;
        let ready: Value = serde_json::from_str(&ready)?;
        let chat = ready["chat"].as_str().context("no chat page")?;
        let public = chat.trim_end_matches("/chat/main").to_owned();
        Ok(Self { child, complaints, public })
    }

    /// Reads what it tells until a line has this in it.
    async fn tells(&mut self, what: &str) -> Result<String> {
        let found = async {
            while let Some(line) = self.complaints.next_line().await? {
                if line.contains(what) {
                    return Ok(line);
                }
            }
            anyhow::bail!("it ended without telling {what:?}")
        };
        timeout(PATIENCE, found).await.with_context(|| format!("it does not tell {what:?}"))?
    }

    /// Ends it as Ctrl-C does.
    async fn interrupt(mut self) -> Result<()> {
        let id = self.child.id().context("it ended before")?.to_string();
        let told = tokio::process::Command::new("kill").args(["-INT", &id]).status().await?;
        ensure!(told.success(), "it cannot be told");
        let reading =
            tokio::spawn(
                async move { while let Ok(Some(_)) = self.complaints.next_line().await {} },
            );
        let status = timeout(PATIENCE, self.child.wait()).await??;
        ensure!(status.success(), "{status}");
        // Nothing that it started holds its standard error open any more.
        timeout(PATIENCE, reading).await??;
        Ok(())
    }
}

async fn answer(public: &str, question: &str) -> Result<String> {
    let mut chat = WebChat::open(public, "main").await?;
    chat.send(question).await?;
    Ok(chat.next_answer(PATIENCE).await?.text)
}

#[tokio::test]
async fn a_running_host_follows_what_the_author_writes() -> Result<()> {
    let bench = Bench::named("followed", "http").await?;
    let mut dev = Following::start(&bench).await?;
    let question = "Is there an outage in the north?";
    let said = answer(&dev.public, question).await?;
    ensure!(said == "Everything works in the north.", "{said}");
    // The skill's own line, and what rules decided of its call.
    dev.tells("followed-ask").await?;

    // Answers of stand-ins hold at once.
    let file = bench.folder().join("dev/answers.toml");
    let answers = fs::read_to_string(&file)?;
    fs::write(&file, answers.replace("state = \"works\"", "state = \"maintenance\""))?;
    let said = answer(&dev.public, question).await?;
    ensure!(said == "There is maintenance in the north.", "{said}");

    // What does not compile is told, and what ran before goes on.
    let source = bench.folder().join("src/lib.rs");
    let text = fs::read_to_string(&source)?;
    fs::write(&source, text.replace("There is maintenance", "There is {maintenance"))?;
    dev.tells("error").await?;
    dev.tells("what ran before goes on").await?;
    let said = answer(&dev.public, question).await?;
    ensure!(said == "There is maintenance in the north.", "{said}");

    // What does, is active without a restart.
    fs::write(&source, text.replace("There is maintenance", "People work on the lines"))?;
    dev.tells("· ready").await?;
    dev.tells("skills activated").await?;
    let said = answer(&dev.public, question).await?;
    ensure!(said == "People work on the lines in the north.", "{said}");
    dev.interrupt().await
}

#[tokio::test]
async fn nobodys_data_folder_becomes_one_for_trying() -> Result<()> {
    let bench = Bench::new("lookup").await?;
    bench.postern(&["--data", "theirs", "init"]).await?;
    let before = fs::read(bench.folder().join("theirs/postern.toml"))?;
    let dev = ["--data", "theirs", "skill", "dev", "--init-only"];
    let said = bench.postern(&dev).await.unwrap_err().to_string();
    ensure!(said.contains("somebody's data folder"), "{said}");
    ensure!(fs::read(bench.folder().join("theirs/postern.toml"))? == before, "it was changed");
    Ok(())
}
