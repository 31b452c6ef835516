//! `postern skill list`, `history` and `gc`: what there is, what there was, and what of it
//! nobody needs.

use postern_domain::SkillId;
use postern_policy::Act;
use serde_json::json;

use super::registry;
use crate::{
    cli::{Context, output, output::out},
    registry::{Generation, Installed},
    trust::Trust,
};

/// The skills of the active generation.
pub(super) fn list(context: &Context) -> anyhow::Result<()> {
    let generation = registry(context)?.current()?;
    let trust = Trust::load(&context.data)?;
    let mut rows = Vec::new();
    for (id, installed) in &generation.skills {
        let states = states(&generation, &trust, id, installed);
        if context.json {
            let mut line = serde_json::to_value(installed)?;
            line["state"] = json!(states);
            if let Some(canary) = generation.canaries.get(id) {
                line["canary"] = serde_json::to_value(canary)?;
            }
            output::json(&line)?;
        }
        let granted: Vec<_> = installed.grants.iter().map(|it| it.as_str()).collect();
        let signer = installed.signed_by.as_ref().map_or("nobody", |by| by.publisher.as_str());
        let about = &installed.manifest.skill;
        rows.push(vec![
            id.to_string(),
            about.version.to_string(),
            installed.digest.short(),
            states.join(", "),
            granted.join(","),
            signer.to_owned(),
            about.description.clone(),
        ]);
    }
    if !context.json {
        let heads = ["skill", "version", "digest", "state", "granted", "signed by", "what it does"];
        output::table(&heads, &rows)?;
    }
    Ok(())
}

/// What is said of a skill: at least one word.
pub(super) fn states(
    generation: &Generation,
    trust: &Trust,
    id: &SkillId,
    installed: &Installed,
) -> Vec<String> {
    let mut states = Vec::new();
    if trust.revoked(installed.digest, installed.signed_by.as_ref()).is_some() {
        states.push("revoked".to_owned());
    } else if generation.disabled.contains(id) {
        states.push("disabled".to_owned());
    } else {
        states.push("active".to_owned());
    }
    if generation.pinned.contains(id) {
        states.push("pinned".to_owned());
    }
    if let Some(canary) = generation.canaries.get(id) {
        let version = &canary.installed.manifest.skill.version;
        states.push(format!("canary {version} {}%", f64::from(canary.permille) / 10.0));
    }
    states
}

/// The generations that are kept.
pub(super) fn history(context: &Context) -> anyhow::Result<()> {
    let registry = registry(context)?;
    let current = registry.current_number()?;
    let mut rows = Vec::new();
    for (number, generation) in registry.history()? {
        let active = number == current;
        let generation = match generation {
            Ok(generation) => generation,
            Err(error) => {
                let reason = error.to_string();
                if context.json {
                    output::json(&json!({
                        "generation": number, "active": active, "damaged": reason,
                    }))?;
                }
                let state = if active { "active, damaged" } else { "damaged" };
                let empty = String::new;
                rows.push(vec![number.to_string(), state.to_owned(), empty(), empty(), reason]);
                continue;
            }
        };
        let skills: Vec<String> = generation
            .skills
            .values()
            .map(|it| format!("{}@{}", it.manifest.skill.id, it.manifest.skill.version))
            .collect();
        if context.json {
            output::json(&json!({
                "generation": generation.number, "active": active, "made": generation.made,
                "skills": skills, "disabled": generation.disabled, "pinned": generation.pinned,
                "canaries": generation.canaries.keys().collect::<Vec<_>>(),
            }))?;
        }
        let made = generation.made.as_ref();
        rows.push(vec![
            generation.number.to_string(),
            if active { "active".to_owned() } else { String::new() },
            made.map(|made| made.at.to_string()).unwrap_or_default(),
            made.map(|made| made.by.clone()).unwrap_or_default(),
            made.map(|made| made.what.clone()).unwrap_or_default(),
        ]);
    }
    if !context.json {
        output::table(&["generation", "", "when", "who", "what"], &rows)?;
    }
    Ok(())
}

/// Removes what no generation that is kept needs.
pub(super) async fn gc(context: &Context, keep: usize, dry_run: bool) -> anyhow::Result<()> {
    let registry = registry(context)?;
    let store = context.store().await?;
    let used = store.generations_of_turns().await?;
    if !dry_run {
        let detail = format!("keeps the last {keep} generations and {} of turns", used.len());
        // First, because what is not recorded must not be done.
        context.record(&store, Act::ChangeSkills, "skill:gc", "skills".to_owned(), detail).await?;
    }
    let collected = registry.collect(keep, &used, dry_run)?;
    if context.json {
        return output::json(&json!({ "dry_run": dry_run, "collected": collected }));
    }
    for file in &collected.files {
        out!("  {file}");
    }
    let verb = if dry_run { "Would remove" } else { "Removed" };
    let mib = collected.bytes as f64 / f64::from(1 << 20);
    out!(
        "{verb} {} files, {mib:.1} MiB; {} generations stay",
        collected.files.len(),
        collected.kept.len()
    );
    Ok(())
}
