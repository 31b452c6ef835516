//! `postern skill call`

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use postern_domain::SkillId;
use postern_runtime::Bounds;
use postern_scenario::{self as format, Customer, HostCallSeen, Level, OutcomeKind, Scenario};
use serde_json::{Value, json};

use super::test;
use crate::{
    cli::{
        Context,
        output::{self, out, words},
    },
    config::Config,
    registry::{Candidate, Compiler, read_folder_or_file},
    scenario::{Outcome, Rules, Setup, Suite, Told},
};

/// Options of a call.
#[derive(Debug, Args)]
pub(in crate::cli) struct Call {
    /// The tool.
    tool: String,
    /// Its arguments, a JSON object.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    args: String,
    /// The skill: a folder, a component (.wasm), or one that is installed in the data
    /// folder, whose configuration and rules count then.
    #[arg(long, value_name = "FOLDER|FILE|ID", default_value = ".")]
    skill: String,
    /// Key of the customer who writes.
    #[arg(long, value_name = "KEY")]
    customer: Option<String>,
    /// How well the customer is known.
    #[arg(long, value_enum, default_value_t = Known::Identified, requires = "customer")]
    level: Known,
    /// A JSON file with records, {collection: {id: document}}.
    #[arg(long, value_name = "FILE")]
    records: Option<PathBuf>,
    /// A file with what servers answer, such as dev/answers.toml.
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// What clocks show, such as 2025-06-15T12:00:00Z; otherwise that.
    #[arg(long, value_name = "TIME")]
    time: Option<String>,
    /// A setting of the skill; can be given several times.
    #[arg(long = "setting", value_name = "NAME=VALUE")]
    settings: Vec<String>,
    /// Judge by the rules of this folder alone.
    #[arg(long, value_name = "DIR")]
    policies: Option<PathBuf>,
    /// Call what was built before.
    #[arg(long)]
    no_build: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Known {
    Unknown,
    Identified,
    Verified,
}

impl Call {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let scenario = self.scenario()?;
        let path = PathBuf::from(format!("call of {}", self.tool));
        let scenarios = vec![(path.clone(), scenario)];
        let suite = self.suite(context, &scenarios).await?;
        let outcome = suite.run(&path, &scenarios[0].1).await;
        show(context, &outcome)?;
        if let Some(error) = outcome.error {
            anyhow::bail!("{error}");
        }
        let came_to = outcome.steps.first().and_then(|seen| seen.outcome);
        if let Some(failure) = came_to.filter(|came_to| is_failure(*came_to)) {
            anyhow::bail!("{} failed: {failure}", self.tool);
        }
        Ok(())
    }

    /// The call, as a scenario of one step that expects nothing.
    fn scenario(&self) -> anyhow::Result<Scenario> {
        let arguments: Value = serde_json::from_str(&self.args)
            .map_err(|error| anyhow::anyhow!("--args is not JSON: column {}", error.column()))?;
        let Value::Object(arguments) = arguments else {
            anyhow::bail!("--args must be a JSON object, such as '{{\"order_id\":\"#W1\"}}'");
        };
        let time = self.time.as_ref().map_or(String::new(), |time| format!("time = {time}\n"));
        let text = format!("[scenario]\nname = \"call\"\n{time}[[step]]\ncall = \"tool\"\n");
        let mut scenario = Scenario::parse(Path::new("--time"), &text)?;
        if let Some(step) = scenario.steps.first_mut() {
            step.what = format::What::Call { tool: self.tool.clone(), arguments };
            // Nothing is unexpected: everything is shown.
            step.expect.other_calls = true;
        }
        let given = &mut scenario.given;
        given.allow_unused = true;
        if let Some(key) = &self.customer {
            let level = match self.level {
                Known::Unknown => Level::Unknown,
                Known::Identified => Level::Identified,
                Known::Verified => Level::Verified,
            };
            given.customer = Customer { key: Some(key.clone()), level };
        }
        for setting in &self.settings {
            let (name, value) = setting
                .split_once('=')
                .with_context(|| format!("--setting {setting:?}: write NAME=VALUE"))?;
            given.settings.insert(name.to_owned(), value.to_owned());
        }
        if let Some(file) = &self.records {
            given.records = format::read_records(file)?;
        }
        if let Some(file) = &self.answers {
            given.http = format::read_answers(file)?;
        }
        Ok(scenario)
    }

    async fn suite(
        &self,
        context: &Context,
        scenarios: &[(PathBuf, Scenario)],
    ) -> anyhow::Result<Suite> {
        let path = Path::new(&self.skill);
        let policies = self.policies.as_deref();
        if path.is_dir() {
            test::is_skill(path)?;
            let candidate = test::candidate(path, None, !self.no_build).await?;
            return test::suite(&candidate, Some(path), policies, scenarios);
        }
        if path.is_file() {
            let candidate = read_folder_or_file(path, None, &Bounds::default())?;
            let folder = path.parent().filter(|folder| folder.join("skill.toml").is_file());
            return test::suite(&candidate, folder, policies, scenarios);
        }
        let id: SkillId = self.skill.parse().map_err(|_| {
            anyhow::anyhow!("{}: no such folder or file, and no id of a skill", self.skill)
        })?;
        installed(context, &id, policies, scenarios)
    }
}

/// An installed skill, under the configuration and rules of its data folder. Nothing
/// there is written, and none of its records are read.
fn installed(
    context: &Context,
    id: &SkillId,
    policies: Option<&Path>,
    scenarios: &[(PathBuf, Scenario)],
) -> anyhow::Result<Suite> {
    let registry = super::registry(context)?;
    let config = Config::load(&context.data)?;
    let generation = registry.current()?;
    let installed = generation.skills.get(id).with_context(|| {
        format!("{id} is not installed; `postern skill list` shows what is, or name a folder")
    })?;
    let bytes = registry.packed(installed.digest)?;
    let candidate = Candidate::of_package(&config.bounds(), id.as_str(), bytes)?;
    let candidate = candidate.with_context(|| {
        format!("{id} was installed before components carried manifests; name its folder instead")
    })?;
    let rules = policies.map_or_else(|| config.policies.clone(), Path::to_owned);
    let cache = test::cache()?;
    let setup = Setup {
        candidate: &candidate,
        host: Told::ByOperator(context.data.clone()),
        rules: Rules::Folder(rules),
        cache: &cache,
        compiler: Compiler::this_program(),
    };
    Ok(Suite::prepare(setup, scenarios)?)
}

fn show(context: &Context, outcome: &Outcome) -> anyhow::Result<()> {
    let Some(seen) = outcome.steps.first() else { return Ok(()) };
    let took: Vec<Option<u64>> = times(&seen.calls, &outcome.calls_took);
    if context.json {
        let calls: Vec<_> =
            seen.calls.iter().zip(&took).map(|(call, took)| machine(call, *took)).collect();
        return output::json(&json!({
            "outcome": seen.outcome.map(format::OutcomeKind::as_str),
            "text": seen.text, "asks": seen.asks, "reason": seen.reason,
            "severity": seen.severity, "waits_for": seen.waits_for,
            "calls": calls,
            "requests": seen.requests.iter().map(format::Request::line).collect::<Vec<_>>(),
            "fuel": outcome.usage.fuel, "memory_kib": outcome.usage.memory_kib,
            "took_us": u64::try_from(outcome.took.as_micros()).unwrap_or(u64::MAX),
        }));
    }
    for (call, took) in seen.calls.iter().zip(took) {
        let HostCallSeen { action, resource, decision, rules, fails, message, .. } = call;
        let took = took.map_or(String::new(), |took| format!(" ({took} µs)"));
        let rules = rules.join(", ");
        out!("{action} {} → {} by {rules}{took}", words(resource), decision.as_str());
        if let (Some(fails), Some(message)) = (fails, message) {
            out!("  the skill got {fails}: {}", words(message));
        }
    }
    for request in &seen.requests {
        out!("request {}", words(&request.line()));
    }
    for (_, difference) in &outcome.differences {
        let hint = difference.hint.as_deref().unwrap_or_default();
        out!("{}: {} ({})", difference.what, words(&difference.got), words(hint));
    }
    let outcome_name = seen.outcome.map_or("nothing", format::OutcomeKind::as_str);
    let more = [&seen.asks, &seen.reason, &seen.severity, &seen.waits_for];
    let more: Vec<&str> = more.into_iter().flatten().map(String::as_str).collect();
    let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join(", ")) };
    out!("{outcome_name}{more}: {}", words(&seen.text));
    let format::Usage { fuel, memory_kib, host_calls } = outcome.usage;
    out!("fuel {fuel}, memory {memory_kib} KiB, {host_calls} host calls");
    Ok(())
}

/// Whether a tool that came to this failed.
const fn is_failure(outcome: OutcomeKind) -> bool {
    match outcome {
        OutcomeKind::Reply
        | OutcomeKind::Ask
        | OutcomeKind::HandOver
        | OutcomeKind::Done
        | OutcomeKind::Waits => false,
        OutcomeKind::InvalidArguments
        | OutcomeKind::Denied
        | OutcomeKind::Unavailable
        | OutcomeKind::Internal
        | OutcomeKind::Limit
        | OutcomeKind::Trap => true,
    }
}

/// How long each call took: times were kept in the order of calls, by action.
fn times(calls: &[HostCallSeen], kept: &[(String, u64)]) -> Vec<Option<u64>> {
    let mut left: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (action, took) in kept.iter().rev() {
        left.entry(action).or_default().push(*took);
    }
    calls.iter().map(|call| left.get_mut(call.action.as_str())?.pop()).collect()
}

fn machine(call: &HostCallSeen, took_us: Option<u64>) -> Value {
    json!({
        "action": call.action, "resource": call.resource, "decision": call.decision.as_str(),
        "rules": call.rules, "fails": call.fails, "message": call.message, "took_us": took_us,
    })
}
