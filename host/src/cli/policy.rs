//! `postern policy`

mod apply;
mod simulate;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use clap::Subcommand;
use postern_policy::{Case, PolicySet, PolicySource, read_cases, told};

use super::{Context, output, output::out};
use crate::{config::Config, policies::Loaded};

#[derive(Debug, Subcommand)]
pub(super) enum Policy {
    /// Check rules; every error is shown with its place.
    Check {
        /// The folder; the data folder's own without it.
        folder: Option<PathBuf>,
    },
    /// Put made-up requests to rules, and compare with what each expects.
    ///
    /// Cases are TOML files: a call, the customer, the records that it is about,
    /// and the decision, rules and duties that are expected. Exits with 1 if one
    /// gets something else.
    Test {
        /// The folder of rules; the data folder's own without it.
        folder: Option<PathBuf>,
        /// Where the cases are; `cases` in the folder of rules without it.
        #[arg(long, value_name = "PATH")]
        cases: Option<PathBuf>,
    },
    /// Say in words what rules make of a case, and where the rules stand.
    Explain {
        /// A file of cases.
        cases: PathBuf,
        /// Only cases whose name has this in it.
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
        /// The folder of rules; the data folder's own without it.
        #[arg(long)]
        folder: Option<PathBuf>,
    },
    /// Show which cases two folders of rules treat differently.
    Diff {
        /// The folder of rules as they are.
        old: PathBuf,
        /// The folder of rules as they are to be.
        new: PathBuf,
        /// Where the cases are; `cases` in both folders without it.
        #[arg(long, value_name = "PATH")]
        cases: Option<PathBuf>,
    },
    /// Print the decision table: who may do what, and what has to happen first.
    Table {
        /// The folder of rules; the data folder's own without it.
        folder: Option<PathBuf>,
    },
    /// Judge recorded calls again under the rules of a folder, and say what would
    /// change and for how many customers.
    Simulate {
        /// The folder of rules; the configured one without it.
        folder: Option<PathBuf>,
        /// Only calls of this time, as 7d or 12h; all that are kept without it.
        #[arg(long, value_name = "TIME", value_parser = simulate::passed)]
        since: Option<i64>,
    },
    /// Put the rules of a folder in force, as a new generation.
    ///
    /// The rules are checked and their cases run first; if anything is wrong, nothing
    /// changes. What they change is shown and in the audit log, with who did it. A
    /// running host takes them up within a second. Until this is done, changed files
    /// do nothing. `postern policy rollback` goes back.
    Apply {
        /// The folder of rules; the configured one without it.
        folder: Option<PathBuf>,
        /// Only show what would change.
        #[arg(long)]
        dry_run: bool,
    },
    /// Put an earlier generation of rules in force again.
    Rollback {
        /// Its number; the one before the active one without it.
        number: Option<u64>,
    },
    /// Show the generations of rules, oldest first.
    Generations,
    /// Say which rules are in force, and whether the folder of rules has others.
    Status,
}

/// Cases with the file from which they are.
type Cases = Vec<(String, Case)>;

impl Policy {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        context.require_folder()?;
        let config = Config::load(&context.data)?;
        match self {
            Self::Check { folder } => check(context, &config, folder),
            Self::Test { folder, cases } => test(context, &config, folder, cases),
            Self::Explain { cases, name, folder } => {
                explain(context, &config, &cases, name.as_deref(), folder)
            }
            Self::Diff { old, new, cases } => diff(context, &config, &old, &new, cases),
            Self::Table { folder } => table(context, &config, folder),
            Self::Simulate { folder, since } => simulate::run(context, folder, since).await,
            Self::Apply { folder, dry_run } => apply::apply(context, folder, dry_run).await,
            Self::Rollback { number } => apply::rollback(context, number).await,
            Self::Generations => apply::list(context),
            Self::Status => apply::status(context),
        }
    }
}

/// The rules of a folder, under the collections of a configuration.
pub(super) fn rules(
    config: &Config,
    folder: Option<PathBuf>,
) -> anyhow::Result<(PathBuf, Arc<PolicySet>)> {
    let folder = folder.unwrap_or_else(|| config.policies.clone());
    let loaded = Loaded::folder(config, &folder)?;
    Ok((folder, loaded.shared()))
}

/// The cases of a file, or of all files of a folder.
fn cases(path: &Path) -> anyhow::Result<Cases> {
    let shown = path.display().to_string();
    let mut files = Vec::new();
    if path.is_dir() {
        for entry in path.read_dir().with_context(|| shown.clone())? {
            files.push(entry.with_context(|| shown.clone())?.path());
        }
        files.retain(|file| file.extension().is_some_and(|ending| ending == "toml"));
        files.sort();
    } else {
        files.push(path.to_owned());
    }
    let mut all = Vec::new();
    for file in files {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(&file).with_context(|| name.clone())?;
        let found = read_cases(&PolicySource { file: name.clone(), text })?;
        all.extend(found.into_iter().map(|case| (name.clone(), case)));
    }
    anyhow::ensure!(!all.is_empty(), "{shown}: no cases; write some, as docs/operators.md shows");
    Ok(all)
}

fn check(context: &Context, config: &Config, folder: Option<PathBuf>) -> anyhow::Result<()> {
    let (folder, policy) = rules(config, folder)?;
    let rules = policy.rules().count();
    if context.json {
        return output::json(&serde_json::json!({
            "rules": rules, "digest": policy.digest(),
        }));
    }
    out!("{rules} rules in {} are in order ({})", folder.display(), policy.digest());
    Ok(())
}

fn table(context: &Context, config: &Config, folder: Option<PathBuf>) -> anyhow::Result<()> {
    let (_, policy) = rules(config, folder)?;
    let table = policy.table();
    if context.json {
        return output::json(&serde_json::json!({ "table": table }));
    }
    out!("{}", table.trim_end());
    Ok(())
}

fn test(
    context: &Context,
    config: &Config,
    folder: Option<PathBuf>,
    from: Option<PathBuf>,
) -> anyhow::Result<()> {
    let (folder, policy) = rules(config, folder)?;
    let all = cases(&from.unwrap_or_else(|| folder.join("cases")))?;
    let mut wrong = 0;
    for (file, case) in &all {
        let result = case.check(&policy);
        wrong += usize::from(result.is_err());
        if context.json {
            let (expected, got) = match &result {
                Ok(()) => (None, None),
                Err(mismatch) => (Some(&mismatch.expected), Some(&mismatch.got)),
            };
            output::json(&serde_json::json!({
                "file": file, "case": case.name, "passed": result.is_ok(),
                "expected": expected, "got": got,
            }))?;
        } else if let Err(mismatch) = result {
            out!("{file}: {}", case.name);
            out!("  expected {}", mismatch.expected);
            out!("  got      {}", mismatch.got);
            out!("  because  {}", mismatch.reason);
        }
    }
    anyhow::ensure!(wrong == 0, "{wrong} of {} cases got something else", all.len());
    if !context.json {
        out!("{} cases are as they expect", all.len());
    }
    Ok(())
}

fn explain(
    context: &Context,
    config: &Config,
    from: &Path,
    name: Option<&str>,
    folder: Option<PathBuf>,
) -> anyhow::Result<()> {
    let (_, policy) = rules(config, folder)?;
    let mut found = cases(from)?;
    found.retain(|(_, case)| name.is_none_or(|name| case.name.contains(name)));
    anyhow::ensure!(!found.is_empty(), "{}: no case has such a name", from.display());
    for (_, case) in &found {
        let verdict = case.judge(&policy);
        let decided: Vec<_> =
            policy.rules().filter(|rule| verdict.rules.contains(&rule.id)).collect();
        if context.json {
            let rules: Vec<_> = decided
                .iter()
                .map(|rule| {
                    serde_json::json!({
                        "id": rule.id, "file": rule.file, "line": rule.line,
                        "effect": rule.effect.as_str(), "doc": rule.doc,
                    })
                })
                .collect();
            output::json(&serde_json::json!({
                "case": case.name, "decision": verdict.decision, "duties": verdict.obligations,
                "reason": verdict.reason, "rules": rules,
            }))?;
            continue;
        }
        out!("{}", case.name);
        out!("  {}", told(&verdict));
        out!("  {}", verdict.reason);
        for rule in decided {
            out!("  {} {} ({}:{})", rule.effect.as_str(), rule.id, rule.file, rule.line);
            if let Some(doc) = &rule.doc {
                out!("    {}", doc.replace('\n', " "));
            }
        }
    }
    Ok(())
}

fn diff(
    context: &Context,
    config: &Config,
    old: &Path,
    new: &Path,
    from: Option<PathBuf>,
) -> anyhow::Result<()> {
    let (_, before) = rules(config, Some(old.to_owned()))?;
    let (_, after) = rules(config, Some(new.to_owned()))?;
    let all = match from {
        Some(path) => cases(&path)?,
        None => {
            let mut all = Vec::new();
            for folder in [old, new].map(|folder| folder.join("cases")) {
                if folder.is_dir() {
                    all.extend(cases(&folder)?);
                }
            }
            all
        }
    };
    anyhow::ensure!(!all.is_empty(), "neither folder has cases; name some with --cases");
    let ids =
        |set: &PolicySet| -> BTreeSet<String> { set.rules().map(|rule| rule.id.clone()).collect() };
    let (was, is) = (ids(&before), ids(&after));
    if !context.json {
        for id in was.difference(&is) {
            out!("rule {id} is gone");
        }
        for id in is.difference(&was) {
            out!("rule {id} is new");
        }
    }
    let mut different = BTreeSet::new();
    for (_, case) in &all {
        let (then, now) = (told(&case.judge(&before)), told(&case.judge(&after)));
        if then == now || !different.insert(case.name.clone()) {
            continue;
        }
        if context.json {
            let line = serde_json::json!({ "case": case.name, "old": then, "new": now });
            output::json(&line)?;
        } else {
            out!("{}", case.name);
            out!("  old {then}");
            out!("  new {now}");
        }
    }
    if !context.json {
        out!("{} of {} cases are treated differently", different.len(), all.len());
    }
    Ok(())
}
