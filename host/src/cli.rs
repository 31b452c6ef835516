//! The command line: a file per command, each calling what the host itself uses.

mod audit;
mod bench;
mod chat;
mod init;
mod output;
mod policy;
mod records;
mod serve;
mod skill;
mod ticket;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use postern_domain::{AuditEntry, AuditKind};
use postern_store::{Commit, SqliteStore, Store};

use crate::clock::{Clock as _, SystemClock};

/// Runs customer-service skills that nobody has to trust.
///
/// Start with `postern init`, install skills with `postern skill install`, bring
/// in records with `postern records import`, then `postern serve`.
///
/// Exit codes: 0 done, 1 failed (the reason is on standard error), 2 wrong usage.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    /// The data folder.
    #[arg(long, global = true, env = "POSTERN_DATA", default_value = "postern-data")]
    data: PathBuf,
    /// Answer in JSON, for machines.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a data folder: configuration, keys, default rules.
    Init(init::Init),
    /// Serve webhooks, web chat and the operator page until interrupted.
    Serve(serve::Serve),
    /// Talk to the host in the terminal.
    Chat(chat::Chat),
    /// Install, list, inspect and remove skills.
    #[command(subcommand)]
    Skill(skill::Skill),
    /// Bring in and look at records.
    #[command(subcommand)]
    Records(records::Records),
    /// Check rules.
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Look at the audit log.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Look at tickets.
    #[command(subcommand)]
    Ticket(ticket::Ticket),
    /// Measure this host on this machine.
    Bench(bench::Bench),
}

/// What all commands share.
struct Context {
    data: PathBuf,
    json: bool,
}

impl Context {
    /// The store of the data folder, which must exist.
    async fn store(&self) -> anyhow::Result<SqliteStore> {
        self.require_folder()?;
        Ok(SqliteStore::open(&self.data, crate::app::CHAIN).await?)
    }

    fn require_folder(&self) -> anyhow::Result<()> {
        let file = self.data.join(crate::config::FILE_NAME);
        anyhow::ensure!(
            file.is_file(),
            "{} is not a data folder; make one with `postern --data {} init`",
            self.data.display(),
            self.data.display()
        );
        Ok(())
    }

    /// Writes down what an operator did.
    async fn record(
        &self,
        store: &SqliteStore,
        action: &str,
        resource: String,
        detail: String,
    ) -> anyhow::Result<()> {
        let entry = operator_entry(action, resource, detail);
        store.commit(Commit { audit: vec![entry], ..Commit::default() }).await?;
        Ok(())
    }
}

/// The audit row of something that an operator did on the command line.
fn operator_entry(action: &str, resource: String, detail: String) -> AuditEntry {
    let now = SystemClock.now();
    AuditEntry {
        detail,
        ..AuditEntry::new(now, AuditKind::Operator, "operator:cli", action, resource)
    }
}

/// Runs a command and answers its exit code.
pub fn main(cli: Cli) -> ExitCode {
    let context = Context { data: cli.data, json: cli.json };
    output::log_to_stderr(matches!(cli.command, Command::Serve(_)));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("postern: the machine gives no threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(async {
        match cli.command {
            Command::Init(init) => init.run(&context),
            Command::Serve(serve) => serve.run(&context).await,
            Command::Chat(chat) => chat.run(&context).await,
            Command::Skill(skill) => skill.run(&context).await,
            Command::Records(records) => records.run(&context).await,
            Command::Policy(policy) => policy.run(&context),
            Command::Audit(audit) => audit.run(&context).await,
            Command::Ticket(ticket) => ticket.run(&context).await,
            Command::Bench(bench) => bench.run(&context).await,
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&context, &error);
            ExitCode::FAILURE
        }
    }
}
