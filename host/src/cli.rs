//! The command line: a file per command, each calling what the host itself uses.

mod approval;
mod audit;
mod bench;
mod chat;
mod conversation;
mod eval;
mod init;
mod mcp;
mod operator;
mod output;
mod policy;
mod records;
mod replay;
mod serve;
mod skill;
mod taint;
mod ticket;
mod trust;

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use postern_domain::{AuditEntry, AuditKind};
use postern_policy::{Act, PolicySet};
use postern_store::SqliteStore;

use crate::{
    clock::{Clock as _, SystemClock},
    config::Config,
    operators::{self, Actor, Desk},
    policies::Policies,
    redaction,
};

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
    /// A file with an operator's token, in whose name commands act; otherwise the
    /// token in POSTERN_OPERATOR_TOKEN. Without one, the data folder's owner acts.
    #[arg(long, global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
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
    /// Say whose skills this host takes, and what must not run any more.
    #[command(subcommand)]
    Trust(trust::Trust),
    /// Bring in and look at records.
    #[command(subcommand)]
    Records(records::Records),
    /// Check rules.
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Look at calls that wait for a person, approve and reject them.
    #[command(subcommand)]
    Approval(approval::Approval),
    /// Add and remove operators, and make tokens for them.
    #[command(subcommand)]
    Operator(operator::Operator),
    /// Look at the audit log.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Show what happened in one call of a tool, and prove it.
    Replay(replay::Replay),
    /// Look behind placeholders of a conversation.
    #[command(subcommand)]
    Conversation(conversation::Conversation),
    /// Look at tickets.
    #[command(subcommand)]
    Ticket(ticket::Ticket),
    /// Serve one agent over standard input and output (Model Context Protocol).
    Mcp(mcp::Mcp),
    /// Measure what is found in texts, on files of yours.
    ///
    /// FILE has a JSON object with the texts "id" and "text" on each line (at most
    /// 1 MiB); `-` is standard input. Rows are read one after another, so a file can
    /// have any size. With labels, what is found is compared with them; how is said at
    /// each command. Texts never stand in reports or errors. A line that does not fit
    /// ends the command with its number.
    #[command(subcommand)]
    Eval(eval::Eval),
    /// Train what says how hostile a text looks.
    #[command(subcommand)]
    Taint(taint::Taint),
    /// Measure this host on this machine.
    Bench(bench::Bench),
}

impl Cli {
    /// The command line.
    ///
    /// # Errors
    /// The exit code, if there is nothing to do: help was asked for, or it is wrong usage,
    /// which is said without the personal data that somebody may have typed.
    pub fn read() -> Result<Self, ExitCode> {
        Self::try_parse().map_err(|error| {
            if error.use_stderr() {
                redaction::tell(error.to_string().trim_end());
            } else {
                // Nobody is left to be told that standard output is gone.
                let _gone = error.print();
            }
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        })
    }
}

/// What all commands share.
struct Context {
    data: PathBuf,
    json: bool,
    token_file: Option<PathBuf>,
}

impl Context {
    /// The store of the data folder, which must exist.
    async fn store(&self) -> anyhow::Result<SqliteStore> {
        self.require_folder()?;
        Ok(crate::app::open_store(&self.data).await?)
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

    /// Who acts: whoever has the token that was given, or the owner of the folder.
    async fn actor(&self, store: &SqliteStore, config: &Config) -> anyhow::Result<Actor> {
        let token = match &self.token_file {
            Some(path) => Some(
                std::fs::read_to_string(path)
                    .with_context(|| format!("{}: the token is not read", path.display()))?,
            ),
            None => std::env::var(TOKEN_VARIABLE).ok().filter(|token| !token.is_empty()),
        };
        let Some(token) = token else { return Ok(Actor::local()) };
        let configured = &config.server.operator_token;
        let found = operators::sign_in(store, configured, &token, SystemClock.now()).await?;
        found.with_context(|| {
            "this is no operator's token, or it does not count any more; \
             `postern operator token` makes one"
        })
    }

    /// Everything that an operator's act needs.
    async fn office(&self) -> anyhow::Result<Office> {
        self.require_folder()?;
        let config = Config::load(&self.data)?;
        let store = self.store().await?;
        let actor = self.actor(&store, &config).await?;
        let rules = Policies::open(&config)?.current();
        Ok(Office { config, store, actor, rules })
    }

    /// Writes down what an operator does, if rules let them.
    async fn record(
        &self,
        store: &SqliteStore,
        act: Act,
        action: &str,
        resource: String,
        detail: String,
    ) -> anyhow::Result<()> {
        let config = Config::load(&self.data)?;
        let actor = self.actor(store, &config).await?;
        let rules = Policies::open(&config)?.current();
        let desk = Desk { store, policy: &rules, actor: &actor, now: SystemClock.now() };
        let verdict = desk.allow(act, action, &resource).await?;
        Ok(desk.commit(Vec::new(), action, &resource, detail, verdict).await?)
    }
}

/// The environment variable of an operator's token.
const TOKEN_VARIABLE: &str = "POSTERN_OPERATOR_TOKEN";

/// Where an operator acts on the command line.
struct Office {
    config: Config,
    store: SqliteStore,
    actor: Actor,
    rules: Arc<PolicySet>,
}

impl Office {
    fn desk(&self) -> Desk<'_> {
        let now = SystemClock.now();
        Desk { store: &self.store, policy: &self.rules, actor: &self.actor, now }
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
    let context = Context { data: cli.data, json: cli.json, token_file: cli.token_file };
    redaction::catch_panics();
    output::log_to_stderr(matches!(cli.command, Command::Serve(_)));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            redaction::tell(&format!("postern: the machine gives no threads: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(async {
        match cli.command {
            Command::Init(init) => init.run(&context).await,
            Command::Serve(serve) => serve.run(&context).await,
            Command::Chat(chat) => chat.run(&context).await,
            Command::Skill(skill) => skill.run(&context).await,
            Command::Trust(trust) => trust.run(&context).await,
            Command::Records(records) => records.run(&context).await,
            Command::Policy(policy) => policy.run(&context).await,
            Command::Approval(approval) => approval.run(&context).await,
            Command::Operator(operator) => operator.run(&context).await,
            Command::Audit(audit) => audit.run(&context).await,
            Command::Replay(replay) => replay.run(&context).await,
            Command::Conversation(conversation) => conversation.run(&context).await,
            Command::Ticket(ticket) => ticket.run(&context).await,
            Command::Eval(eval) => eval.run(&context),
            Command::Taint(taint) => taint.run(&context),
            Command::Mcp(mcp) => mcp.run(&context).await,
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
