//! `postern policy apply`, `rollback`, `generations` and `status`

use std::path::{Path, PathBuf};

use postern_policy::{Case, PolicySet};

use super::super::{Context, Office, output, output::out};
use super::cases;
use crate::{
    config::Config,
    policies::{self, Difference, Generations, Loaded, Policies, PolicyGeneration, Sources},
};

/// Puts the rules of a folder in force.
pub(super) async fn apply(
    context: &Context,
    folder: Option<PathBuf>,
    dry_run: bool,
) -> anyhow::Result<()> {
    let config = Config::load(&context.data)?;
    let folder = folder.unwrap_or_else(|| config.policies.clone());
    let new = Loaded::folder(&config, &folder)?;
    let found = of_folder(&folder)?;
    run(&found, new.rules())?;
    let generations = Generations::open(&config.data)?;
    let current = match generations.current()? {
        Some(number) => Some(generations.read(number)?),
        None => None,
    };
    let same = |it: &&PolicyGeneration| it.digest == new.digest() && it.fits(&config).is_ok();
    if let Some(current) = current.as_ref().filter(same) {
        if context.json {
            return output::json(&serde_json::json!({
                "generation": current.number, "digest": current.digest, "applied": false,
            }));
        }
        out!("Generation {} is in force and has the same rules.", current.number);
        return Ok(());
    }
    // Rules that do not fit the configuration any more are as good as none.
    let old = current.and_then(|current| Loaded::generation(&config, current).ok());
    let difference = policies::difference(old.as_ref(), &new, &found);
    if dry_run {
        return tell(context, None, &difference);
    }
    let office = office(context, config, Some(&new)).await?;
    let made = policies::apply(&office.desk(), &office.config, &new, &difference).await?;
    tell(context, Some(made.number), &difference)
}

/// Puts an earlier generation in force again.
pub(super) async fn rollback(context: &Context, number: Option<u64>) -> anyhow::Result<()> {
    let config = Config::load(&context.data)?;
    let office = office(context, config, None).await?;
    let found = of_folder(&office.config.policies).unwrap_or_default();
    let (made, difference) =
        policies::rollback(&office.desk(), &office.config, number, &found).await?;
    tell(context, Some(made.number), &difference)
}

/// Who acts, by the rules in force. Where those cannot be used, the owner of the
/// data folder, whom no rule holds, can still put others in force.
async fn office(context: &Context, config: Config, new: Option<&Loaded>) -> anyhow::Result<Office> {
    let store = context.store().await?;
    let actor = context.actor(&store, &config).await?;
    let rules = match Policies::open(&config) {
        Ok(policies) => policies.current(),
        Err(error) if !actor.is_owner() => return Err(error.into()),
        Err(error) => match new.map(Loaded::shared).or_else(|| any_rules(&config)) {
            Some(rules) => rules,
            None => return Err(error.into()),
        },
    };
    Ok(Office { config, store, actor, rules })
}

/// The rules of the youngest generation that can be used.
fn any_rules(config: &Config) -> Option<std::sync::Arc<PolicySet>> {
    let generations = Generations::open(&config.data).ok()?;
    let numbers = generations.numbers().ok()?;
    let load = |number: u64| Loaded::generation(config, generations.read(number).ok()?).ok();
    numbers.into_iter().rev().find_map(load).map(|loaded| loaded.shared())
}

/// The cases beside a folder of rules, if it has any.
fn of_folder(folder: &Path) -> anyhow::Result<Vec<Case>> {
    let path = folder.join("cases");
    if !path.is_dir() {
        return Ok(Vec::new());
    }
    Ok(cases(&path)?.into_iter().map(|(_, case)| case).collect())
}

fn run(found: &[Case], rules: &PolicySet) -> anyhow::Result<()> {
    let mut wrong = Vec::new();
    for case in found {
        if let Err(mismatch) = case.check(rules) {
            wrong.push(format!(
                "{}: expected {}, got {}",
                case.name, mismatch.expected, mismatch.got
            ));
        }
    }
    anyhow::ensure!(
        wrong.is_empty(),
        "nothing was changed: {} of {} cases get something else; mend the rules or the cases\n{}",
        wrong.len(),
        found.len(),
        wrong.join("\n")
    );
    Ok(())
}

fn tell(context: &Context, made: Option<u64>, difference: &Difference) -> anyhow::Result<()> {
    if context.json {
        return output::json(&serde_json::json!({
            "generation": made, "applied": made.is_some(), "difference": difference,
        }));
    }
    let kinds = [
        ("new", &difference.added),
        ("gone", &difference.removed),
        ("changed", &difference.changed),
    ];
    for (what, ids) in kinds {
        for id in ids {
            out!("rule {id} is {what}");
        }
    }
    for file in &difference.files {
        out!("{file} is changed");
    }
    for case in &difference.cases {
        out!("{}", case.case);
        out!("  old {}", case.old);
        out!("  new {}", case.new);
    }
    match made {
        Some(number) => out!("Generation {number} of rules is in force."),
        None => out!("Nothing was changed."),
    }
    Ok(())
}

/// Shows the generations, oldest first.
pub(super) fn list(context: &Context) -> anyhow::Result<()> {
    let config = Config::load(&context.data)?;
    let generations = Generations::open(&config.data)?;
    let current = generations.current()?;
    let mut rows = Vec::new();
    for number in generations.numbers()? {
        let made = generations.read(number)?;
        let active = current == Some(number);
        if context.json {
            output::json(&serde_json::json!({
                "generation": number, "digest": made.digest, "author": made.author,
                "at": made.at, "in_force": active,
            }))?;
        }
        let mark = if active { "in force" } else { "" };
        rows.push(vec![
            number.to_string(),
            made.digest.short(),
            made.author,
            made.at.to_string(),
            mark.to_owned(),
        ]);
    }
    if context.json {
        return Ok(());
    }
    output::table(&["generation", "digest", "by", "at", ""], &rows)
}

/// Says which rules are in force, and whether the folder has others.
pub(super) fn status(context: &Context) -> anyhow::Result<()> {
    let config = Config::load(&context.data)?;
    let generations = Generations::open(&config.data)?;
    let folder = config.policies.display().to_string();
    let Some(number) = generations.current()? else {
        anyhow::bail!(
            "no rules are in force; `postern policy apply` puts those of {folder} in force"
        );
    };
    let made = generations.read(number)?;
    let differing = made.sources.differing(&Sources::read(&config.policies)?);
    if context.json {
        return output::json(&serde_json::json!({
            "generation": number, "digest": made.digest, "author": made.author, "at": made.at,
            "folder": folder, "differing": differing,
        }));
    }
    out!("Generation {number} is in force: {} by {} at {}", made.digest, made.author, made.at);
    if differing.is_empty() {
        out!("{folder} is as it is in force.");
        return Ok(());
    }
    for file in differing {
        out!("{file} is not as it is in force");
    }
    out!("Next: `postern policy apply` puts {folder} in force; --dry-run shows what that changes.");
    Ok(())
}
