//! The skill's scenarios, natively from `cargo test`.
//!
//! ```no_run
//! # use postern_sdk::{Context, Failure, Outcome};
//! # fn call_tool(_: &str, _: &str, _: &Context) -> Result<Outcome, Failure> { Ok(Outcome::Done) }
//! #[test]
//! fn scenarios() {
//!     postern_sdk::scenario::run(call_tool, "scenarios");
//! }
//! ```
//!
//! The files are those of `postern skill test`. Here there are no rules and nobody
//! understands messages: steps in which a tool is called are run, on the
//! [`fake`](crate::fake) host; all others are told as not run.

use std::path::{Path, PathBuf};

use postern_scenario::{
    self as format, Coverage, Difference, Ended, Level, OutcomeKind, Scenario, Seen, Step, What,
};
use serde_json::Value;

use crate::{
    Context, Customer, Failure, IdentityLevel, Outcome, Severity,
    fake::{Host, Scene, since},
};

/// What [`crate::skill!`] makes: runs a tool by its name.
pub type CallTool = fn(&str, &str, &Context) -> Result<Outcome, Failure>;

/// What was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Steps that were run and came out as expected.
    pub ran: usize,
    /// What was not run, and why.
    pub not_run: Vec<String>,
    /// Which tools came to which outcomes.
    pub coverage: Coverage,
}

/// Runs every scenario of a folder, and says on standard output what it did not run.
///
/// # Panics
/// The scenarios cannot be read, something is not as expected, or no step could be run;
/// the message says what and where.
pub fn run(call_tool: CallTool, folder: impl AsRef<Path>) -> Report {
    let (report, wrong) = match look(call_tool, folder.as_ref()) {
        Ok(looked) => looked,
        Err(error) => panic!("{error}"),
    };
    for line in &report.not_run {
        println!("not run natively: {line}");
    }
    println!("{}", report.coverage);
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    // A test that tests nothing must not look like one that passed.
    assert!(report.ran > 0, "nothing was run natively:\n{}\n", report.not_run.join("\n"));
    report
}

/// Runs every scenario of a folder, and answers what is not as expected.
fn look(
    call_tool: CallTool,
    folder: &Path,
) -> Result<(Report, Vec<String>), format::ScenarioError> {
    let settings = format::read_settings(&folder.join("../skill.toml"))?;
    let mut report =
        Report { ran: 0, not_run: Vec::new(), coverage: Coverage::of(std::iter::empty()) };
    let mut wrong = Vec::new();
    for (path, mut scenario) in format::read_folder(folder)? {
        for (name, value) in &settings {
            let given = &mut scenario.given.settings;
            given.entry(name.clone()).or_insert_with(|| value.clone());
        }
        let stage = Stage { call_tool, path, scenario: &scenario };
        stage.run(&mut report, &mut wrong);
    }
    Ok((report, wrong))
}

struct Stage<'s> {
    call_tool: CallTool,
    path: PathBuf,
    scenario: &'s Scenario,
}

impl Stage<'_> {
    fn run(&self, report: &mut Report, wrong: &mut Vec<String>) {
        let Scenario { given, steps, .. } = self.scenario;
        let _host = Host::new();
        Scene::give(given);
        let mut now = self.scenario.about.time;
        let mut customer = Customer {
            key: given.customer.key.clone(),
            level: match given.customer.level {
                Level::Unknown => IdentityLevel::Unknown,
                Level::Identified => IdentityLevel::Identified,
                Level::Verified => IdentityLevel::Verified,
            },
        };
        for step in steps {
            let (tool, arguments) = match natively(step) {
                Ok(call) => call,
                Err(NotHere { why, leaves_nothing }) => {
                    report.not_run.push(format!("{}:{}: {why}", self.path.display(), step.line));
                    if leaves_nothing {
                        continue;
                    }
                    // What comes after it may depend on it.
                    return;
                }
            };
            now = step.after.map_or(now, |after| now.after(after));
            let context = Context {
                invocation_id: "inv_scenario".to_owned(),
                now_ms: now.millis,
                language: self.scenario.about.language.clone(),
                customer: customer.clone(),
                settings: given.settings.clone().into_iter().collect(),
            };
            Scene::refuse(step.expect.calls.as_deref().unwrap_or_default());
            let mark = Scene::mark();
            let result =
                (self.call_tool)(tool, &Value::Object(arguments.clone()).to_string(), &context);
            if let Some(key) = Scene::identified() {
                customer = Customer { key: Some(key), level: IdentityLevel::Identified };
            }
            let seen = seen(tool, step, &result, mark);
            if let Some(outcome) = seen.outcome {
                report.coverage.count(&Ended { tool: tool.to_owned(), outcome });
            }
            report.ran += 1;
            let differences = format::check(&step.expect, &seen);
            wrong.extend(differences.iter().map(|it| self.told(Some(step.line), it)));
        }
        let left = Scene::edge(|edge| (edge.unanswered().to_vec(), edge.unused()));
        let (unanswered, unused) = left.unwrap_or_default();
        for (request, nearest) in unanswered {
            let hint = format!("{}: no answer is given; {}", request.line(), nearest.why);
            wrong.push(format!("{}: unexpected request {hint}", self.path.display()));
        }
        if !given.allow_unused {
            wrong.extend(unused.iter().map(|it| format!("{}: unused {it}", self.path.display())));
        }
    }

    fn told(&self, line: Option<usize>, difference: &Difference) -> String {
        let place = line.map_or(String::new(), |line| format!(":{line}"));
        let name = &self.scenario.about.name;
        format!("{}{place}: {name}: {difference}", self.path.display())
    }
}

type Arguments = serde_json::Map<String, Value>;

/// Why a step cannot be run here.
struct NotHere {
    why: &'static str,
    /// Whether it changes nothing for what comes after it.
    leaves_nothing: bool,
}

/// The call of a step that can be run here, or why it cannot.
fn natively(step: &Step) -> Result<(&str, &Arguments), NotHere> {
    let not_here = |why| Err(NotHere { why, leaves_nothing: false });
    let (tool, arguments) = match &step.what {
        What::Call { tool, arguments } => (tool.as_str(), arguments),
        What::Customer { .. } => return not_here("nobody understands messages here"),
        What::Approve { .. } | What::Decline { .. } => {
            return not_here("nothing waits for people here");
        }
    };
    let expect = &step.expect;
    let denies = |it: &format::CallExpected| it.decision == Some(format::Decision::Deny);
    match expect.outcome {
        Some(OutcomeKind::Waits) => not_here("nothing waits here"),
        Some(OutcomeKind::Limit | OutcomeKind::Trap) => not_here("there are no limits here"),
        Some(OutcomeKind::InvalidArguments) => {
            let why = "the manifest's schemas are not looked at here";
            Err(NotHere { why, leaves_nothing: true })
        }
        Some(OutcomeKind::Denied)
            if !expect.calls.as_ref().is_some_and(|calls| calls.iter().any(denies)) =>
        {
            not_here("there are no rules here; `calls` can say which call is denied")
        }
        _ => Ok((tool, arguments)),
    }
}

fn seen(tool: &str, step: &Step, result: &Result<Outcome, Failure>, mark: (usize, usize)) -> Seen {
    let (calls, requests) = since(mark);
    let mut seen = Seen { tool: Some(tool.to_owned()), calls, requests, ..Seen::default() };
    let (outcome, text) = match result {
        Ok(Outcome::Reply(text)) => (OutcomeKind::Reply, text.as_str()),
        Ok(Outcome::Ask { entity, text }) => {
            seen.asks = Some(entity.clone());
            (OutcomeKind::Ask, text.as_str())
        }
        Ok(Outcome::HandOver { reason, severity, text }) => {
            seen.reason = Some(reason.clone());
            let severity = match severity {
                Severity::Low => "low",
                Severity::Normal => "normal",
                Severity::High => "high",
                Severity::Critical => "critical",
            };
            seen.severity = Some(severity.to_owned());
            (OutcomeKind::HandOver, text.as_str())
        }
        Ok(Outcome::Done) => (OutcomeKind::Done, ""),
        Err(Failure::InvalidArguments(text)) => (OutcomeKind::InvalidArguments, text.as_str()),
        Err(Failure::Denied(text)) => (OutcomeKind::Denied, text.as_str()),
        Err(Failure::Unavailable(text)) => (OutcomeKind::Unavailable, text.as_str()),
        Err(Failure::Internal(text)) => (OutcomeKind::Internal, text.as_str()),
    };
    seen.outcome = Some(outcome);
    seen.text = text.to_owned();
    let expect = &step.expect;
    let mut names: Vec<(String, String)> = Vec::new();
    for (collection, records) in &expect.records {
        names.extend(records.keys().map(|key| (collection.clone(), key.clone())));
    }
    let gone = expect.gone.iter().filter_map(|name| name.split_once('/'));
    names.extend(gone.map(|(collection, key)| (collection.to_owned(), key.to_owned())));
    for (collection, key) in names {
        if let Some(body) = Scene::record(&collection, &key) {
            seen.records.insert((collection, key), body);
        }
    }
    seen
}
