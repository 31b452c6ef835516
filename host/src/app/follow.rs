//! Takes up what operators activate while the host serves: generations of skills,
//! revocations, rules.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use postern_domain::{Digest, SkillId};
use tokio::sync::watch;

use super::{App, generations::Refused};
use crate::{
    policies::PoliciesError,
    registry::{Loaded, Why},
    trust::{FILE_NAME, Trust, TrustError},
};

/// How often the host looks.
const LOOK: Duration = Duration::from_secs(1);

/// What went wrong the last time, which is told once.
#[derive(Default)]
pub(super) struct Told {
    pub(super) generation: Option<Refused>,
    trust: Option<String>,
    rules: Option<String>,
}

/// Says which skills do not run, and why.
pub(super) fn tell(loaded: &Loaded) {
    let say = |skill: &SkillId, why: &Why| {
        let (skill, why_text) = (skill.as_str(), why.to_string());
        match why {
            Why::Disabled => tracing::info!(skill, "left out: {why_text}"),
            Why::Revoked(_) | Why::Damaged(_) => tracing::error!(skill, "left out: {why_text}"),
        }
    };
    for (skill, left_out) in &loaded.stable.left_out {
        say(skill, &left_out.why);
    }
    if let Some(trial) = &loaded.trial
        && let Err(why) = &trial.skills
    {
        say(&trial.skill, why);
    }
}

impl App {
    /// Swaps the active skills and the rules in force when an operator has activated
    /// others, until `stop` changes.
    pub(super) async fn follow_generations(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut tick = tokio::time::interval(LOOK);
        let mut told = Told::default();
        loop {
            tokio::select! {
                _ = stop.changed() => return,
                _ = tick.tick() => {}
            }
            self.metrics.tidy();
            self.look_around().await;
            self.follow_once(&mut told).await;
            self.follow_rules(&mut told.rules).await;
        }
    }

    /// Looks once for another generation, and for other revocations.
    pub(super) async fn follow_once(self: &Arc<Self>, told: &mut Told) {
        let trust = self.follow_trust(&mut told.trust).await;
        let Ok(number) = self.registry.current_number() else { return };
        let now = self.clock.now();
        let refused = &mut told.generation;
        let (current, known) = (self.loaded(), *self.known_trust());
        if (number == current.stable.number && trust == known)
            || refused.is_some_and(|it| it.rests(number, now))
        {
            return;
        }
        match self.load(None).await {
            Ok(loaded) => {
                tracing::info!(generation = loaded.stable.number, "skills activated");
                tell(&loaded);
                let running = loaded.running().map(|(id, skill)| (id.clone(), skill.digest));
                self.breakers.keep_only(&running.collect());
                *self.skills.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
                *self.known_trust() = trust;
                *refused = None;
            }
            Err(error) => {
                // The wait begins when the try has ended, which may take minutes.
                let again = Refused::again(*refused, number, self.clock.now());
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    generation = number,
                    again_in_seconds = again.wait().as_secs(),
                    "generation not loaded; the last one stays active"
                );
                *refused = Some(again);
            }
        }
    }

    fn known_trust(&self) -> std::sync::MutexGuard<'_, Option<Digest>> {
        self.trust.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks once at `trust.toml`: what it revokes counts at once, for calls that have
    /// begun as well. Answers its state; a file that cannot be used changes nothing, so
    /// that what was revoked stays so.
    async fn follow_trust(self: &Arc<Self>, told: &mut Option<String>) -> Option<Digest> {
        let app = Arc::clone(self);
        let look = move || {
            let (known, stamp) = (*app.known_trust(), Trust::stamp(&app.config.data)?);
            // Without a file nothing would be revoked any more; nobody said that.
            if stamp.is_none() && known.is_some() {
                let path = app.config.data.join(FILE_NAME).display().to_string();
                return Err(TrustError::Gone { path });
            }
            if stamp != known {
                app.gate.revoked.follow(Trust::load(&app.config.data)?);
            }
            Ok::<_, TrustError>(stamp)
        };
        let looked = match tokio::task::spawn_blocking(look).await {
            Ok(looked) => looked.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match looked {
            Ok(stamp) => {
                *told = None;
                stamp
            }
            Err(error) => {
                if told.as_ref() != Some(&error) {
                    tracing::error!(error, "revocations not looked at; the last ones stay");
                    *told = Some(error);
                }
                *self.known_trust()
            }
        }
    }

    /// Looks once for another generation of rules, and whether the folder of rules
    /// is as it is in force. `told` is the last thing that went wrong, which is told
    /// once.
    async fn follow_rules(self: &Arc<Self>, told: &mut Option<String>) {
        let app = Arc::clone(self);
        let look = move || {
            let taken = app.policy.follow(&app.config)?;
            Ok::<_, PoliciesError>((taken, app.policy.compare(&app.config)?))
        };
        let looked = match tokio::task::spawn_blocking(look).await {
            Ok(looked) => looked.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match looked {
            Ok((taken, differing)) => {
                *told = None;
                if let Some(generation) = taken {
                    tracing::info!(generation, "rules put in force");
                }
                match differing {
                    Some(files) if files.is_empty() => {
                        tracing::info!("the folder of rules is as it is in force");
                    }
                    Some(files) => tracing::warn!(
                        files = files.join(", "),
                        "the folder of rules is not as it is in force; \
                         `postern policy apply` puts it in force"
                    ),
                    None => {}
                }
            }
            Err(error) => {
                if told.as_ref() != Some(&error) {
                    tracing::error!(error, "rules not looked at; those in force stay");
                    *told = Some(error);
                }
            }
        }
    }

    /// Wakes workers for what another process left in the store: a command that
    /// decided an approval cannot ring here.
    async fn look_around(&self) {
        if let Ok(Some(due)) = self.store.next_due().await
            && due <= self.clock.now()
        {
            self.inbox_bell.ring();
            self.outbox_bell.ring();
        }
    }
}
