//! Looks after a trial, and ends it.

use std::{sync::Arc, time::Duration};

use postern_domain::{AuditEntry, AuditKind, Digest, Role, SkillId, Timestamp};
use postern_store::{Commit, Store, StoreError};
use tokio::{sync::watch, task::JoinError};

use super::{LEAST_CALLS, MOST_CALLS, Ruling, Runs, judge};
use crate::{
    app::App,
    approvals,
    profile::LAST_RUNS,
    registry::{Canary, Generation, RegistryError, Trial},
};

/// Time between two looks.
const LOOK: Duration = Duration::from_secs(3);

/// Why a trial was not looked after. It is tried again.
#[derive(Debug, thiserror::Error)]
pub enum CanaryError {
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The generation that ends the trial cannot be made.
    #[error("the trial of {skill} cannot be ended")]
    Registry {
        /// The skill.
        skill: SkillId,
        /// Why.
        #[source]
        source: RegistryError,
    },
    /// A defect of the host.
    #[error("the task that ends a trial died")]
    Died(#[from] JoinError),
}

/// Looks after trials until `stop` changes.
pub(crate) async fn tend(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(error) = once(&app).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a trial is not looked after; it is tried again"
            );
        }
        tokio::select! {
            _ = stop.changed() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Looks once at the trial, if there is one, and ends it if it is time. Answers what
/// was decided.
///
/// # Errors
/// The store fails, or the trial cannot be ended.
pub async fn once(app: &Arc<App>) -> Result<Option<Ruling>, CanaryError> {
    let loaded = app.loaded();
    let Some(trial) = &loaded.trial else { return Ok(None) };
    let now = app.clock.now();
    let ruling = match &trial.skills {
        Err(why) => Ruling::Abort(format!("it cannot run: {why}")),
        Ok(_) if is_resting(app, trial, now) => {
            Ruling::Abort("it rests, because its calls broke in a row".to_owned())
        }
        Ok(_) => {
            let old = loaded.stable_digest(&trial.skill);
            let (old, new) = measure(&*app.store, &trial.skill, old, &trial.canary).await?;
            judge(&trial.canary.rules, trial.canary.since, now, (&old, &new))
        }
    };
    let (promotes, why) = match &ruling {
        Ruling::Wait(_) => return Ok(Some(ruling)),
        Ruling::Promote(why) => (true, why),
        Ruling::Abort(why) => (false, why),
    };
    if end(app, trial, promotes, why, now).await? {
        return Ok(Some(ruling));
    }
    // Somebody else has ended it, which is seen with the next generation.
    Ok(None)
}

fn is_resting(app: &App, trial: &Trial, now: Timestamp) -> bool {
    app.breakers.standing(&trial.skill, trial.canary.installed.digest, now).is_open()
}

/// What the old and the new version of a skill did since the trial began. Of an old
/// version that few conversations get, what it did before counts as well.
///
/// # Errors
/// The store fails.
pub async fn measure(
    store: &dyn Store,
    skill: &SkillId,
    old: Option<Digest>,
    canary: &Canary,
) -> Result<(Runs, Runs), StoreError> {
    let limit = canary.rules.calls.clamp(LAST_RUNS, MOST_CALLS);
    let new = canary.installed.digest;
    let new = store.skill_use_since(skill, new, canary.since, limit).await?;
    let Some(old) = old else { return Ok((Runs::default(), Runs::of(&new))) };
    let mut runs = store.skill_use_since(skill, old, canary.since, limit).await?;
    if (runs.len() as u64) < LEAST_CALLS {
        runs = store.skill_use(skill, old, LAST_RUNS).await?;
    }
    Ok((Runs::of(&runs), Runs::of(&new)))
}

/// Ends a trial with a new generation. Answers whether it was this that ended it.
async fn end(
    app: &Arc<App>,
    trial: &Trial,
    promotes: bool,
    why: &str,
    now: Timestamp,
) -> Result<bool, CanaryError> {
    let skill = trial.skill.clone();
    let failed = |source| CanaryError::Registry { skill: trial.skill.clone(), source };
    let made = {
        let (app, canary) = (Arc::clone(app), trial.canary.clone());
        let skill = skill.clone();
        let change = move || {
            // Held until it is active, so that what is recorded is what happens.
            let hold = app.registry().hold()?;
            let generation = app
                .registry()
                .change("host", now, |generation| ended(generation, &skill, &canary, promotes))?;
            Ok((hold, generation))
        };
        tokio::task::spawn_blocking(change).await?
    };
    let (hold, generation) = match made {
        Ok(made) => made,
        Err(RegistryError::NotOnTrial(_)) => return Ok(false),
        Err(error) => return Err(failed(error)),
    };
    let (about, number) = (&trial.canary.installed, generation.number);
    let version = &about.manifest.skill.version;
    let (action, outcome) = if promotes {
        ("skill:promote", "all conversations get it now")
    } else {
        ("skill:abort", "all conversations get the version before")
    };
    let on = format!("{skill}@{version} {}", about.digest);
    let row = |detail| AuditEntry {
        detail,
        skill: Some(skill.clone()),
        ..AuditEntry::new(now, AuditKind::Invocation, "host", action, on.clone())
    };
    let text = format!("The trial of {skill} {version} has ended, {outcome}: {why}.");
    let key = format!("canary-{skill}-{}-{}", about.digest, trial.canary.since.millis());
    let changes = approvals::to_role(&*app.store, Role::Admin, &key, &text, now).await?;
    let is_told = !changes.is_empty();
    // First, because what is not recorded must not be done; with the notice, because
    // nobody looks again at a trial that has ended.
    let audit = vec![row(format!("generation {number}; {why}"))];
    app.store.commit(Commit { changes, audit, ..Commit::default() }).await?;
    let activated = {
        let app = Arc::clone(app);
        let activate = move || app.registry().activate_held(&hold, &generation);
        tokio::task::spawn_blocking(activate).await?
    };
    if let Err(error) = activated {
        let detail = format!("generation {number} did not become active: {error}");
        app.store.commit(Commit { audit: vec![row(detail)], ..Commit::default() }).await?;
        return Err(failed(error));
    }
    app.metrics.trial_ended(&skill, promotes);
    if is_told {
        app.outbox_bell.ring();
    }
    if promotes {
        tracing::info!(skill = skill.as_str(), %version, why, generation = number, "promoted");
    } else {
        tracing::warn!(skill = skill.as_str(), %version, why, generation = number, "aborted");
    }
    Ok(true)
}

/// The generation without the trial, if it is still the same one.
fn ended(
    generation: &mut Generation,
    skill: &SkillId,
    canary: &Canary,
    promotes: bool,
) -> Result<String, RegistryError> {
    let old = generation.skills.get(skill).map(|it| it.manifest.skill.version.to_string());
    let new = &canary.installed.manifest.skill.version;
    if generation.canaries.get(skill) != Some(canary) {
        return Err(RegistryError::NotOnTrial(skill.clone()));
    }
    let old = old.unwrap_or_else(|| "nothing".to_owned());
    if promotes {
        generation.promote(skill)?;
        Ok(format!("promote {skill} {old} → {new}"))
    } else {
        generation.abort(skill)?;
        Ok(format!("abort {skill} {new}, {old} stays"))
    }
}
