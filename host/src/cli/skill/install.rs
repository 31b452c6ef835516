//! `postern skill install` and `upgrade`: offer, review, grant, keep, activate.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, IsTerminal as _},
};

use clap::Args;
use postern_domain::{Interface, Manifest, SkillId};
use postern_policy::Act;

use super::{offer::Offer, registry, review};
use crate::{
    app,
    cli::{Context, Office, output, output::out},
    fault, redaction,
    registry::{
        Canary, CanaryRules, Candidate, Generation, Installed, Origin, Registry, RegistryError,
        Seen, check_settings, check_usable,
        review::{Difference, Review, difference},
    },
    trust::Trust,
};

/// Options of a new skill or version.
#[derive(Debug, Args)]
pub(in crate::cli) struct Install {
    #[command(flatten)]
    offer: Offer,
    #[command(flatten)]
    consent: Consent,
}

/// What the operator says about it.
#[derive(Debug, Args)]
pub(super) struct Consent {
    /// Capabilities, separated by commas: log, records, http, kv, ticket, handover and
    /// others; or `requested` for all that the manifest asks for; or '' for none.
    #[arg(long, value_name = "LIST")]
    grant: Option<String>,
    /// Take an older version than was active here, or the same version with other content.
    #[arg(long)]
    allow_older: bool,
    /// Do not ask where there is a difference but no wider wish.
    #[arg(long, short = 'y')]
    yes: bool,
}

/// Options of an upgrade.
#[derive(Debug, Args)]
pub(in crate::cli) struct Upgrade {
    #[command(flatten)]
    offer: Offer,
    #[command(flatten)]
    consent: Consent,
    /// Give it to so many conversations first, such as 5%; the host promotes it, or aborts
    /// it if it fails more often or is slower than the old version.
    #[arg(long, value_name = "PERCENT", value_parser = permille)]
    canary: Option<u16>,
    /// Calls of the new version before it is promoted.
    #[arg(long, value_name = "N", requires = "canary")]
    canary_calls: Option<u32>,
    /// Seconds before it is promoted.
    #[arg(long, value_name = "SECONDS", requires = "canary")]
    canary_for: Option<u32>,
    /// End the trial of a skill (SOURCE is its name): the new version for everybody.
    #[arg(long, conflicts_with_all = ["abort", "canary", "grant", "allow_older"])]
    promote: bool,
    /// End the trial of a skill (SOURCE is its name): the old version for everybody.
    #[arg(long, conflicts_with_all = ["canary", "grant", "allow_older"])]
    abort: bool,
}

/// Thousandths from `5%`, `0.5%` or `5`.
fn permille(text: &str) -> Result<u16, String> {
    let wrong = || "must be a share such as 5% (0.1% to 99.9%)".to_owned();
    let number: f64 = text.trim_end_matches('%').trim().parse().map_err(|_| wrong())?;
    let permille = (number * 10.0).round();
    if !(1.0..=999.0).contains(&permille) {
        return Err(wrong());
    }
    // It is between 1 and 999.
    format!("{permille}").parse().map_err(|_| wrong())
}

impl Install {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        take(context, &self.offer, &self.consent, None).await
    }
}

impl Upgrade {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        if self.promote || self.abort {
            return end_trial(context, &self.offer.source, self.promote).await;
        }
        let rules = CanaryRules::default();
        let trial = self.canary.map(|permille| {
            let calls = self.canary_calls.unwrap_or(rules.calls);
            let seconds = self.canary_for.unwrap_or(rules.seconds);
            (permille, CanaryRules { calls, seconds, ..rules })
        });
        take(context, &self.offer, &self.consent, Some(trial)).await
    }
}

/// A new version of a skill that is installed: whether it is tried out, and how.
type Trial = Option<(u16, CanaryRules)>;

/// `upgrade`: none if the skill need not be installed before.
async fn take(
    context: &Context,
    offer: &Offer,
    consent: &Consent,
    upgrade: Option<Trial>,
) -> anyhow::Result<()> {
    let registry = registry(context)?;
    let office = context.office().await?;
    let (candidate, origin) = offer.take(context, &office.config).await?;
    let id = candidate.manifest.skill.id.clone();
    let current = registry.current()?;
    let old = current.skills.get(&id);
    if upgrade.is_some() && old.is_none() {
        return Err(RegistryError::Unknown(id).into());
    }
    let trial = upgrade.flatten();
    // All that is known without compiling it.
    check_usable(&candidate.manifest)?;
    current.may_be_replaced(&id, trial.is_some())?;
    current.intents_are_free(&candidate.manifest)?;
    // Without them the host would not take up the generation.
    let beside = old.filter(|_| trial.is_some()).map(|old| &old.manifest);
    check_settings(&office.config, &candidate.manifest, beside)?;
    if !consent.allow_older {
        let version = candidate.manifest.skill.version.clone();
        current.may_follow(&Seen { version, digest: candidate.digest() }, &id)?;
    }
    let changes = old.map(|old| {
        difference(old, &candidate.manifest, candidate.digest(), origin.signed_by.as_ref())
    });
    let shown = Review::of(&candidate, &origin, &office.config, &office.rules);
    if !context.json {
        review::print(&shown, changes.as_ref())?;
    }
    let Some(grants) = grants(&candidate.manifest, changes.as_ref(), consent, context)? else {
        return refuse(context, &shown, changes.as_ref());
    };
    let taking = Taking { quiet: context.json, registry: &registry, office: &office, current };
    let done = taking.activate(&candidate, origin, grants, trial).await?;
    let what = done.made.as_ref().map(|made| made.what.clone()).unwrap_or_default();
    if context.json {
        return output::json(&serde_json::json!({
            "generation": done.number, "what": what, "review": shown, "difference": changes,
            "skills": done.skills.keys().collect::<Vec<_>>(),
        }));
    }
    out!("\n{} (generation {})", super::capital(&what), done.number);
    Ok(())
}

/// What was reviewed and granted, on its way into a generation.
struct Taking<'a> {
    quiet: bool,
    registry: &'a Registry,
    office: &'a Office,
    /// The generation under which it was reviewed.
    current: Generation,
}

impl Taking<'_> {
    async fn activate(
        &self,
        candidate: &Candidate,
        origin: Origin,
        grants: BTreeSet<Interface>,
        trial: Trial,
    ) -> anyhow::Result<Generation> {
        let Self { quiet, registry, office, current } = self;
        let skill = &candidate.manifest.skill;
        let on = format!("{}@{} {}", skill.id, skill.version, candidate.digest());
        let is_new = !current.skills.contains_key(&skill.id);
        let action = if is_new { "skill:install" } else { "skill:upgrade" };
        // Whoever may not, makes nobody compile anything.
        let desk = office.desk();
        let verdict = desk.allow(Act::ChangeSkills, action, &on).await?;
        if !quiet {
            redaction::tell(&format!("· compiling {}", skill.id));
        }
        let runtime = app::runtime(&office.config)?;
        let granted: Vec<_> = grants.iter().map(|interface| interface.as_str()).collect();
        let granted = if granted.is_empty() { "nothing".to_owned() } else { granted.join(", ") };
        let signer = origin.signed_by.as_ref().map_or("nobody".to_owned(), |by| by.key.clone());
        let installed =
            registry.keep(&runtime, &office.config, candidate, grants, origin, desk.now)?;
        let assets = installed.assets;
        let generation = registry.change(&office.actor.name(), desk.now, |generation| {
            if generation.number != current.number {
                let (expected, current) = (current.number, generation.number);
                return Err(RegistryError::Moved { expected, current });
            }
            let what = put(generation, installed, trial, desk.now)?;
            Ok(format!("{what} with {granted}"))
        })?;
        let mut detail =
            format!("generation {}; granted: {granted}; signed by: {signer}", generation.number);
        if let Some(assets) = assets {
            detail += &format!("; assets: {assets}");
        }
        // First, because what is not recorded must not be done.
        desk.commit(Vec::new(), action, &on, detail, verdict).await?;
        fault::point("skills.recorded");
        registry.activate(&generation)?;
        Ok(generation)
    }
}

/// Lists it in a generation and says what that is.
fn put(
    generation: &mut Generation,
    installed: Installed,
    trial: Trial,
    now: postern_domain::Timestamp,
) -> Result<String, RegistryError> {
    let skill = &installed.manifest.skill;
    let (id, new) = (skill.id.clone(), skill.version.clone());
    let before = generation.skills.get(&id).map(|old| old.manifest.skill.version.clone());
    if let Some((permille, rules)) = trial {
        let old = before.ok_or_else(|| RegistryError::Unknown(id.clone()))?;
        generation.try_out(Canary { installed, permille, since: now, rules })?;
        let share = f64::from(permille) / 10.0;
        return Ok(format!("trial of {id} {new} against {old}, {share}% of conversations"));
    }
    generation.put(installed)?;
    Ok(match before {
        None => format!("installed {id}@{new}"),
        Some(old) if old == new => format!("installed {id}@{new} again"),
        Some(old) => format!("upgraded {id} {old} → {new}"),
    })
}

/// Ends a trial by hand.
async fn end_trial(context: &Context, skill: &str, promote: bool) -> anyhow::Result<()> {
    let id: SkillId = skill.parse()?;
    let action = if promote { "skill:promote" } else { "skill:abort" };
    // A file of revocations that cannot be read does not keep a trial going.
    let trust = if promote { Some(Trust::load(&context.data)?) } else { None };
    super::change::activate(context, action, &id.clone(), move |generation| {
        if let Some(trust) = &trust {
            if let Some(canary) = generation.canaries.get(&id) {
                let new = &canary.installed;
                if let Some(revocation) = trust.revoked(new.digest, new.signed_by.as_ref()) {
                    return Err(RegistryError::Revoked {
                        skill: id.clone(),
                        version: new.manifest.skill.version.clone(),
                        reason: revocation.to_string(),
                    });
                }
            }
            generation.promote(&id)?;
            return Ok(format!("promoted the new version of {id}"));
        }
        generation.abort(&id)?;
        Ok(format!("aborted the trial of {id}"))
    })
    .await
}

/// The review for a machine, and that nothing was done.
fn refuse(context: &Context, shown: &Review, changes: Option<&Difference>) -> anyhow::Result<()> {
    if context.json {
        output::json(&serde_json::json!({
            "generation": null, "review": shown, "difference": changes,
        }))?;
    }
    let all: Vec<_> = shown.wishes.iter().map(|wish| wish.interface.as_str()).collect();
    anyhow::bail!(
        "nothing was installed. If you agree, grant what it asks for: --grant {} (or --grant \
         requested)",
        if all.is_empty() { "''".to_owned() } else { all.join(",") }
    )
}

/// The capabilities that the operator grants, which the manifest must request; none if
/// nobody did.
fn grants(
    manifest: &Manifest,
    changes: Option<&Difference>,
    consent: &Consent,
    context: &Context,
) -> anyhow::Result<Option<BTreeSet<Interface>>> {
    let requested = manifest.requested();
    let Some(given) = &consent.grant else {
        // Equal or narrower wishes of the same people: granted by the same act.
        if let Some(changes) = changes.filter(|changes| !changes.needs_grant()) {
            let agreed = consent.yes || !asks(context) || ask("Take this version?")?;
            return Ok(agreed.then(|| changes.stay.clone()));
        }
        let agreed = asks(context) && ask("Grant all that it asks for, and install it?")?;
        return Ok(agreed.then_some(requested));
    };
    if given == "requested" {
        return Ok(Some(requested));
    }
    let mut grants = BTreeSet::new();
    for name in given.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let interface: Interface =
            name.parse().map_err(|error| anyhow::anyhow!("--grant: {error}"))?;
        anyhow::ensure!(
            requested.contains(&interface),
            "--grant: the manifest of {} does not request {interface}",
            manifest.skill.id
        );
        grants.insert(interface);
    }
    Ok(Some(grants))
}

/// Whether there is somebody to ask.
fn asks(context: &Context) -> bool {
    !context.json && std::io::stdin().is_terminal()
}

fn ask(question: &str) -> anyhow::Result<bool> {
    redaction::tell(&format!("{question} [y/N]"));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_read_in_thousandths() {
        for (text, expected) in [("5%", 50), ("5", 50), ("0.1%", 1), ("12.5 %", 125), ("99.9", 999)]
        {
            assert_eq!(permille(text), Ok(expected), "{text}");
        }
        for text in ["", "0", "100%", "-5%", "NaN", "five"] {
            assert!(permille(text).is_err(), "{text}");
        }
    }
}
