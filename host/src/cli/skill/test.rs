//! `postern skill test`

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use clap::Args;
use postern_domain::InvocationId;
use postern_runtime::Bounds;
use postern_scenario::{self as format, Coverage, Scenario};
use serde_json::json;
use tokio::{sync::Semaphore, task::JoinSet};

use super::build;
use crate::{
    author::{BuildOptions, Language},
    cli::{
        Context, init,
        output::{self, out, words},
    },
    redaction,
    registry::{Candidate, Compiler, read_folder_or_file},
    replay::Recording,
    scenario::{Outcome, Rules, Setup, Suite, Told, record, recorded},
};

/// Bytes of a component that is tried out.
const MOST_BYTES: u64 = 64 << 20;
/// Bytes of the rules that a skill's author proposes.
const MOST_RULES: u64 = 256 << 10;

/// Options of a test.
#[derive(Debug, Args)]
pub(in crate::cli) struct Test {
    /// The skill's folder.
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Run only scenarios whose names have this in them.
    #[arg(long, value_name = "NAME")]
    filter: Option<String>,
    /// Write what came to pass into the files, as what is expected from now on.
    #[arg(long)]
    record: bool,
    /// Judge by the rules of this folder alone.
    #[arg(long, value_name = "DIR")]
    policies: Option<PathBuf>,
    /// Test this component, instead of building the folder's sources.
    #[arg(long, value_name = "FILE")]
    component: Option<PathBuf>,
    /// Test what was built before.
    #[arg(long, conflicts_with = "component")]
    no_build: bool,
    /// Write a scenario from a call that the host of the data folder recorded, instead of
    /// running any. Personal data stays in placeholders.
    #[arg(long, value_name = "INVOCATION", requires = "into")]
    from_invocation: Option<InvocationId>,
    /// The file of that scenario, which must not be there.
    #[arg(long, value_name = "FILE", requires = "from_invocation")]
    into: Option<PathBuf>,
}

impl Test {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        if let (Some(invocation), Some(into)) = (&self.from_invocation, &self.into) {
            return from_invocation(context, invocation, into).await;
        }
        is_skill(&self.folder)?;
        let mut scenarios = format::read_folder(&self.folder.join("scenarios"))?;
        if let Some(filter) = &self.filter {
            scenarios.retain(|(_, scenario)| scenario.about.name.contains(filter.as_str()));
            anyhow::ensure!(!scenarios.is_empty(), "no scenario has {filter:?} in its name");
        }
        let candidate = self.candidate().await?;
        let suite = suite(&candidate, Some(&self.folder), self.policies.as_deref(), &scenarios)?;
        let scenarios = Arc::new(scenarios);
        let outcomes = run_all(&Arc::new(suite), &scenarios).await?;
        let mut broken = Vec::new();
        if self.record {
            // One that did not run must not keep the others from being recorded.
            for ((file, scenario), outcome) in scenarios.iter().zip(&outcomes) {
                match record(file, &scenario.steps, outcome) {
                    Ok(()) => redaction::tell(&format!("· recorded {}", file.display())),
                    Err(error) => broken.push(error.to_string()),
                }
            }
        }
        let tools = candidate.manifest.tools.iter().map(|tool| tool.name.as_str());
        let mut coverage = Coverage::of(tools);
        outcomes.iter().flat_map(|outcome| &outcome.ended).for_each(|it| coverage.count(it));
        show(context, &scenarios, &outcomes, &coverage)?;
        let failed = outcomes.iter().filter(|outcome| !outcome.passed()).count();
        if self.record {
            anyhow::ensure!(broken.is_empty(), "not recorded: {}", broken.join("; "));
            return Ok(());
        }
        anyhow::ensure!(failed == 0, "{failed} of {} scenarios failed", outcomes.len());
        Ok(())
    }

    async fn candidate(&self) -> anyhow::Result<Candidate> {
        candidate(&self.folder, self.component.as_deref(), !self.no_build).await
    }
}

/// Writes the scenario of a recorded call.
async fn from_invocation(
    context: &Context,
    invocation: &InvocationId,
    into: &Path,
) -> anyhow::Result<()> {
    let store = context.store().await?;
    let recording = Recording::load(&store, invocation).await?;
    let text = recorded(&recording)?;
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(into)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| into.display().to_string())?;
    redaction::tell(&format!("· wrote {}; look through it before you keep it", into.display()));
    Ok(())
}

/// Refuses a folder that is no skill's, and says what to do.
pub(super) fn is_skill(folder: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(
        folder.join("skill.toml").is_file(),
        "{} is no skill's folder: there is no skill.toml; name one that has it, or make one with \
         `postern skill new NAME`",
        folder.display()
    );
    Ok(())
}

/// The skill of a folder: built now if it has sources and `build` wants it, or what
/// was built before, or another component with the folder's manifest.
pub(super) async fn candidate(
    folder: &Path,
    component: Option<&Path>,
    build: bool,
) -> anyhow::Result<Candidate> {
    let bounds = Bounds { component_bytes: MOST_BYTES, ..Bounds::default() };
    if let Some(component) = component {
        let manifest = folder.join("skill.toml");
        return Ok(read_folder_or_file(component, Some(&manifest), &bounds)?);
    }
    if build && Language::of(folder).is_ok() {
        let built = build::build(folder.to_owned(), BuildOptions::default()).await?;
        let manifest = folder.join("skill.toml");
        return Ok(read_folder_or_file(&built.file, Some(&manifest), &bounds)?);
    }
    Ok(read_folder_or_file(folder, None, &bounds)?)
}

/// Prepares to run scenarios of a skill.
pub(super) fn suite(
    candidate: &Candidate,
    folder: Option<&Path>,
    policies: Option<&Path>,
    scenarios: &[(PathBuf, Scenario)],
) -> anyhow::Result<Suite> {
    let rules = match policies {
        Some(policies) => Rules::Folder(policies.to_owned()),
        None => Rules::Shipped {
            files: init::POLICIES
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                .collect(),
            proposed: proposed(folder)?,
        },
    };
    let cache = cache()?;
    let compiler = Compiler::this_program();
    let host = folder.map_or(Told::Nothing, |folder| Told::ByAuthor(folder.to_owned()));
    let setup = Setup { candidate, host, rules, cache: &cache, compiler };
    Ok(Suite::prepare(setup, scenarios)?)
}

/// The rules that the author proposes, if there are any.
fn proposed(folder: Option<&Path>) -> anyhow::Result<Option<String>> {
    let Some(file) = folder.map(|folder| folder.join("policy.cedar")) else { return Ok(None) };
    match std::fs::metadata(&file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| file.display().to_string()),
        Ok(about) => {
            let bytes = about.len();
            anyhow::ensure!(bytes <= MOST_RULES, "{}: more than 256 KiB", file.display());
            let text = std::fs::read_to_string(&file);
            text.map(Some).with_context(|| file.display().to_string())
        }
    }
}

/// Where compiled code is kept: `POSTERN_CACHE`, or the user's own cache.
pub(super) fn cache() -> anyhow::Result<PathBuf> {
    let from = |name: &str| std::env::var_os(name).filter(|it| !it.is_empty()).map(PathBuf::from);
    let found = from("POSTERN_CACHE")
        .or_else(|| Some(from("XDG_CACHE_HOME")?.join("postern")))
        .or_else(|| Some(from("HOME")?.join(".cache/postern")));
    let cache = found.context("there is no folder for compiled code: set POSTERN_CACHE")?;
    Ok(cache.join("scenarios"))
}

/// Runs scenarios, as many at a time as there are processors.
async fn run_all(
    suite: &Arc<Suite>,
    scenarios: &Arc<Vec<(PathBuf, Scenario)>>,
) -> anyhow::Result<Vec<Outcome>> {
    let places = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let places = Arc::new(Semaphore::new(places));
    let mut running = JoinSet::new();
    for at in 0..scenarios.len() {
        let (suite, scenarios, places) =
            (Arc::clone(suite), Arc::clone(scenarios), Arc::clone(&places));
        running.spawn(async move {
            let _place = places.acquire_owned().await;
            let (file, scenario) = &scenarios[at];
            (at, suite.run(file, scenario).await)
        });
    }
    let mut outcomes = Vec::with_capacity(scenarios.len());
    while let Some(ended) = running.join_next().await {
        outcomes.push(ended.context("a scenario did not end as it should")?);
    }
    outcomes.sort_by_key(|(at, _)| *at);
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}

fn show(
    context: &Context,
    scenarios: &[(PathBuf, Scenario)],
    outcomes: &[Outcome],
    coverage: &Coverage,
) -> anyhow::Result<()> {
    if context.json {
        let tools: serde_json::Map<_, _> = coverage
            .rows()
            .map(|(tool, counts)| {
                let counts = counts.map(|(name, count)| (name.to_owned(), json!(count)));
                (tool.to_owned(), serde_json::Value::Object(counts.collect()))
            })
            .collect();
        let outcomes: Vec<_> = outcomes.iter().map(machine).collect();
        return output::json(&json!({ "scenarios": outcomes, "coverage": tools }));
    }
    for ((_, scenario), outcome) in scenarios.iter().zip(outcomes) {
        let mark = if outcome.passed() { "ok  " } else { "FAIL" };
        let format::Usage { fuel, memory_kib, .. } = outcome.usage;
        let measured = if scenario.limits == format::Limits::default() {
            format!("; fuel {fuel}, memory {memory_kib} KiB")
        } else {
            String::new()
        };
        let ms = outcome.took.as_millis();
        out!("{mark} {} ({ms} ms{measured})", words(&outcome.name));
        for (line, difference) in &outcome.differences {
            let place = line.map_or(String::new(), |line| format!(":{line}"));
            out!("     {}{place}: {}", outcome.file.display(), indented(&difference.to_string()));
        }
        if let Some(error) = &outcome.error {
            out!("     {}: {}", outcome.file.display(), indented(error));
        }
    }
    out!("");
    out!("{coverage}");
    Ok(())
}

fn indented(text: &str) -> String {
    words(&text.replace('\n', "\n     "))
}

fn machine(outcome: &Outcome) -> serde_json::Value {
    let differences: Vec<_> = outcome
        .differences
        .iter()
        .map(|(line, it)| {
            json!({
                "line": line, "what": it.what, "expected": it.expected, "got": it.got,
                "hint": it.hint,
            })
        })
        .collect();
    json!({
        "name": outcome.name,
        "file": outcome.file,
        "passed": outcome.passed(),
        "differences": differences,
        "error": outcome.error,
        "fuel": outcome.usage.fuel,
        "memory_kib": outcome.usage.memory_kib,
        "host_calls": outcome.usage.host_calls,
        "took_ms": u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX),
    })
}
