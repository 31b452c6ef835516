//! Commands that change what is active without anything new: `remove`, `pin`, `disable`
//! and their opposites, and `rollback`.

use postern_domain::SkillId;
use postern_policy::Act;

use super::{actor, registry};
use crate::{
    cli::{Context, output, output::out},
    clock::{Clock as _, SystemClock},
    config::Config,
    fault,
    registry::{Generation, Registry, RegistryError},
    trust::Trust,
};

/// Changes the active generation, in the audit log before it takes effect.
pub(super) async fn activate(
    context: &Context,
    action: &str,
    skill: &SkillId,
    what: impl FnOnce(&mut Generation) -> Result<String, RegistryError>,
) -> anyhow::Result<()> {
    let registry = registry(context)?;
    let config = Config::load(&context.data)?;
    let (store, by) = actor(context, &config).await?;
    let generation = registry.change(&by, SystemClock.now(), what)?;
    finish(context, &registry, &store, action, skill.to_string(), &generation).await
}

/// Goes back to what an earlier generation said.
pub(super) async fn roll_back(context: &Context, to: Option<u64>) -> anyhow::Result<()> {
    let registry = registry(context)?;
    let config = Config::load(&context.data)?;
    let (store, by) = actor(context, &config).await?;
    let trust = Trust::load(&context.data)?;
    let generation = registry.roll_back(&by, SystemClock.now(), to, |installed| {
        let revocation = trust.revoked(installed.digest, installed.signed_by.as_ref())?;
        Some(revocation.to_string())
    })?;
    let on = generation.made.as_ref().and_then(|made| made.restores).unwrap_or_default();
    let on = format!("generation {on}");
    finish(context, &registry, &store, "skill:rollback", on, &generation).await
}

async fn finish(
    context: &Context,
    registry: &Registry,
    store: &postern_store::SqliteStore,
    action: &str,
    on: String,
    generation: &Generation,
) -> anyhow::Result<()> {
    let what = generation.made.as_ref().map(|made| made.what.clone()).unwrap_or_default();
    let detail = format!("generation {}; {what}", generation.number);
    // First, because what is not recorded must not be done.
    context.record(store, Act::ChangeSkills, action, on, detail).await?;
    fault::point("skills.recorded");
    registry.activate(generation)?;
    if context.json {
        let skills: Vec<_> = generation.skills.keys().collect();
        return output::json(&serde_json::json!({
            "generation": generation.number, "what": what, "skills": skills,
        }));
    }
    out!("{} (generation {})", super::capital(&what), generation.number);
    Ok(())
}
