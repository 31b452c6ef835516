//! `postern skill dev`: a host that follows a skill's folder.
//!
//! What it does, it does with the program's own commands, in a data folder of its own, so
//! that the author sees what an operator will do later.

mod host;

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::Context as _;
use clap::Args;
use tokio::{process::Command, time::sleep};

use self::host::Host;
use super::build::build;
use crate::{
    author::{AuthorError, BuildOptions, Language, Watched, World},
    cli::{Context, output, output::out, serve::interrupted},
    config, redaction,
};

/// What `--data` is where nobody says it.
const DEFAULT_DATA: &str = "postern-data";
/// How often the folder is looked at.
const LOOK: Duration = Duration::from_millis(400);

/// Options of a host that follows a skill's folder.
#[derive(Debug, Args)]
pub(in crate::cli) struct Dev {
    /// The skill's folder. Its data folder is FOLDER/.postern, or --data.
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// The web chat's port on this machine; by default any that is free.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Only prepare the data folder, for `postern --data FOLDER/.postern chat`.
    #[arg(long)]
    init_only: bool,
    /// Build quicker: larger, slower, easier to debug.
    #[arg(long)]
    debug: bool,
}

impl Dev {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let skill = &self.folder;
        let skill = skill.canonicalize().with_context(|| skill.display().to_string())?;
        Language::of(&skill)?.toolchain().check(&skill)?;
        let data = match &context.data {
            data if data == Path::new(DEFAULT_DATA) => skill.join(".postern"),
            data => data.clone(),
        };
        let world = World { data, skill, port: self.port };
        let workshop = Workshop { world, debug: self.debug };
        if self.init_only {
            workshop.prepare().await?;
            workshop.renew().await?;
            return workshop.tell(context);
        }
        let mut host = None;
        tokio::select! {
            followed = workshop.follow(context, &mut host) => followed?,
            interrupt = interrupted() => interrupt?,
        }
        match host {
            Some(host) => host.stop().await.map(drop),
            None => Ok(()),
        }
    }
}

/// A skill and the data folder in which it is tried.
struct Workshop {
    world: World,
    debug: bool,
}

impl Workshop {
    /// Makes the data folder, or brings it up to what the skill's folder says.
    async fn prepare(&self) -> anyhow::Result<()> {
        let World { data, .. } = &self.world;
        if World::of(data)?.is_none() {
            // Nothing of an operator's is ever written over.
            let strange = data.join(config::FILE_NAME).exists();
            anyhow::ensure!(!strange, AuthorError::NotOurs { data: data.clone() });
            redaction::tell(&format!("· making {}", data.display()));
            self.postern([OsStr::new("init")]).await?;
        }
        self.world.mark()?;
        self.world.configure(&[])?;
        self.rules().await?;
        self.records().await
    }

    /// Puts the proposed rules in force.
    async fn rules(&self) -> anyhow::Result<()> {
        redaction::tell("· putting policy.cedar in force");
        self.world.copy_rules()?;
        self.postern(["policy", "apply"]).await.context("policy.cedar")
    }

    /// Brings the records in.
    async fn records(&self) -> anyhow::Result<()> {
        let records = self.world.skill.join("dev/records.json");
        if !records.is_file() {
            return Ok(());
        }
        redaction::tell("· bringing dev/records.json in");
        let arguments = [OsStr::new("records"), OsStr::new("import"), records.as_os_str()];
        self.postern(arguments).await.context("dev/records.json")
    }

    /// Builds the skill and makes it the active one.
    async fn renew(&self) -> anyhow::Result<()> {
        let options = BuildOptions { debug: self.debug, ..BuildOptions::default() };
        build(self.world.skill.clone(), options).await?;
        redaction::tell("· installing it");
        let file = self.world.package()?;
        let arguments = ["skill", "install", "--grant", "requested", "--allow-unsigned"];
        let more = [OsStr::new("--allow-older"), OsStr::new("--yes"), file.as_os_str()];
        self.postern(arguments.iter().map(OsStr::new).chain(more)).await?;
        // Every build is a generation, and with an interpreter in it a large one.
        self.postern(["skill", "gc", "--keep", "3"]).await.context("old builds stay")
    }

    /// Serves and follows until something cannot go on.
    async fn follow(&self, context: &Context, host: &mut Option<Host>) -> anyhow::Result<()> {
        self.prepare().await?;
        // What is changed while it builds is built again.
        let mut seen = Watched::look(&self.world.skill);
        tell_failure(self.renew().await);
        // What was not taken up of the host's own state, and whether to try to start it.
        let (mut owed, mut start) = (false, true);
        loop {
            if host.is_none() && std::mem::take(&mut start) {
                match Host::start(&self.world, context).await {
                    Ok(started) => *host = Some(started),
                    Err(error) => redaction::tell(&format!(
                        "{error:#}\n· the host is started again after the next change"
                    )),
                }
            }
            match host {
                Some(serving) => tokio::select! {
                    ended = serving.ended() => return ended,
                    () = sleep(LOOK) => {}
                },
                None => sleep(LOOK).await,
            }
            let now = Watched::look(&self.world.skill);
            if now == seen {
                continue;
            }
            // An editor may still be writing.
            sleep(LOOK).await;
            let now = Watched::look(&self.world.skill);
            let mut changed = Changed::of(&now.since(&seen), &self.world.skill);
            changed.host |= owed;
            (seen, start) = (now, true);
            let taken = self.take_up(&changed).await;
            owed = changed.host && taken.is_err();
            tell_failure(taken);
            // A host that serves is better than one that would not start.
            if let Some(serving) = host.take_if(|_| changed.host && !owed) {
                serving.stop().await?;
            }
        }
    }

    async fn take_up(&self, changed: &Changed) -> anyhow::Result<()> {
        if changed.host {
            self.world.configure(&[])?;
        }
        if changed.host || changed.rules {
            self.rules().await?;
        }
        if changed.records {
            self.records().await?;
        }
        if changed.source {
            self.renew().await?;
        }
        Ok(())
    }

    /// Runs a command of this program in the data folder. What it says is shown if it
    /// fails.
    async fn postern<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> anyhow::Result<()> {
        let output = command(&self.world)?.args(arguments).stdin(Stdio::null()).output().await?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().filter(|line| !line.starts_with("Compiling "));
        let said: Vec<_> = said.map(|line| line.trim_start_matches("postern: ")).collect();
        Err(anyhow::anyhow!("{}", said.join("\n")))
    }

    fn tell(&self, context: &Context) -> anyhow::Result<()> {
        let data = self.world.data.display();
        if context.json {
            return output::json(&serde_json::json!({ "data": self.world.data }));
        }
        out!("Ready. Talk to it: postern --data {data} chat");
        Ok(())
    }
}

/// This program, in a world's data folder.
fn command(world: &World) -> anyhow::Result<Command> {
    let program = std::env::current_exe().context("this program does not know where it is")?;
    let mut command = Command::new(program);
    // In this folder its owner acts, whoever they are elsewhere.
    command.env_remove("POSTERN_OPERATOR_TOKEN").arg("--data").arg(&world.data).kill_on_drop(true);
    Ok(command)
}

fn tell_failure(done: anyhow::Result<()>) {
    match done {
        Ok(()) => redaction::tell("· ready"),
        Err(error) => redaction::tell(&format!("{error:#}\n· what ran before goes on")),
    }
}

/// What has to be done because of changed files.
#[derive(Debug, Default, PartialEq, Eq)]
struct Changed {
    host: bool,
    rules: bool,
    records: bool,
    source: bool,
}

impl Changed {
    fn of(files: &[&Path], skill: &Path) -> Self {
        let mut changed = Self::default();
        for file in files {
            match file.strip_prefix(skill).unwrap_or(file).to_str() {
                Some("dev/host.toml") => changed.host = true,
                Some("policy.cedar") => changed.rules = true,
                Some("dev/records.json") => changed.records = true,
                // Stand-ins read it again by themselves.
                Some("dev/answers.toml" | "README.md" | "Cargo.lock") => {}
                Some(file) if file.starts_with("scenarios/") => {}
                Some(_) | None => changed.source = true,
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_needs_it_is_done_again() {
        let check = |file: &str, expected: Changed| {
            let skill = Path::new("/s");
            assert_eq!(Changed::of(&[&skill.join(file)], skill), expected, "{file}");
        };
        check("src/lib.rs", Changed { source: true, ..Changed::default() });
        check("skill.toml", Changed { source: true, ..Changed::default() });
        check("policy.cedar", Changed { rules: true, ..Changed::default() });
        check("dev/host.toml", Changed { host: true, ..Changed::default() });
        check("dev/records.json", Changed { records: true, ..Changed::default() });
        check("scenarios/01.toml", Changed::default());
    }
}
