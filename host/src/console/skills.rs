//! Installed skills and what each may do.

use std::{collections::BTreeMap, sync::Arc};

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use postern_domain::{IdentityLevel, Interface, SkillId, Timestamp};
use postern_store::StoreError;
use serde::Serialize;

use super::{
    Console, format,
    reply::{Frame, PageError, page},
};
use crate::{
    app::App,
    breaker::Standing,
    canary::{self, Ruling, Runs},
    profile::{self, LAST_RUNS, LimitRow, Measured},
    registry::{ActiveSkill, Canary, LeftOut, Loaded, Trial, Why},
};

/// A skill, as pages and JSON show it.
#[derive(Debug, Serialize)]
pub(super) struct SkillView {
    id: SkillId,
    version: String,
    description: String,
    publisher: String,
    digest: String,
    /// `active`, or why it does not run.
    state: &'static str,
    /// Why it does not run, in words.
    why: Option<String>,
    signed_by: Option<String>,
    canary: Option<CanaryView>,
    tools: Vec<ToolView>,
    intents: Vec<IntentView>,
    capabilities: Vec<CapabilityView>,
    settings: Vec<(String, String)>,
    limits: Vec<LimitRow>,
    breaker: Standing,
    #[serde(rename = "use")]
    used: Measured,
}

/// A version on trial, beside the one that most conversations get.
#[derive(Debug, Serialize)]
struct CanaryView {
    version: String,
    digest: String,
    /// Of 1,000 conversations so many get it.
    permille: u16,
    since: Timestamp,
    /// What the old version did since then.
    old: Runs,
    new: Runs,
    /// What would be decided now.
    #[serde(flatten)]
    ruling: Ruling,
}

impl CanaryView {
    async fn of(app: &App, loaded: &Loaded, trial: &Trial) -> Result<Self, StoreError> {
        let Canary { installed, permille, since, rules } = &trial.canary;
        let old = loaded.stable_digest(&trial.skill);
        let (old, new) = canary::measure(&*app.store, &trial.skill, old, &trial.canary).await?;
        let ruling = match &trial.skills {
            Ok(_) => canary::judge(rules, *since, app.clock.now(), (&old, &new)),
            Err(why) => Ruling::Abort(why.to_string()),
        };
        let version = installed.manifest.skill.version.to_string();
        let digest = installed.digest.to_string();
        Ok(Self { version, digest, permille: *permille, since: *since, old, new, ruling })
    }

    /// The share in percent.
    fn percent(&self) -> String {
        format!("{}.{} %", self.permille / 10, self.permille % 10)
    }
}

/// A skill that is installed: ready to run, or left out.
enum Found<'a> {
    Active(&'a ActiveSkill),
    LeftOut(&'a LeftOut),
}

#[derive(Debug, Serialize)]
struct ToolView {
    name: String,
    description: String,
    read_only: bool,
    idempotent: bool,
    reversible: bool,
    identity: IdentityLevel,
}

#[derive(Debug, Serialize)]
struct IntentView {
    name: String,
    tool: String,
    required: Vec<String>,
    examples: usize,
}

#[derive(Debug, Serialize)]
struct CapabilityView {
    interface: Interface,
    reason: String,
    granted: bool,
}

impl SkillView {
    fn of(app: &App, found: &Found<'_>, used: Measured, canary: Option<CanaryView>) -> Self {
        let (manifest, digest, grants, signed_by, settings, why) = match found {
            Found::Active(it) => {
                let settings = it.settings.clone();
                (&it.manifest, it.digest, &it.grants, &it.signed_by, settings, None)
            }
            Found::LeftOut(LeftOut { installed: it, why }) => {
                (&it.manifest, it.digest, &it.grants, &it.signed_by, Vec::new(), Some(why))
            }
        };
        let tools = manifest.tools.iter().map(|tool| ToolView {
            name: tool.name.clone(),
            description: tool.description.clone(),
            read_only: tool.read_only,
            idempotent: tool.idempotent,
            reversible: tool.reversible,
            identity: tool.identity,
        });
        let intents = manifest.intents.iter().map(|intent| IntentView {
            name: intent.name.clone(),
            tool: intent.tool.clone(),
            required: intent.required.clone(),
            examples: intent.examples.len(),
        });
        let capabilities = manifest.capabilities.iter().map(|capability| CapabilityView {
            interface: capability.interface,
            reason: capability.reason.clone(),
            granted: grants.contains(&capability.interface),
        });
        let id = &manifest.skill.id;
        Self {
            id: id.clone(),
            version: manifest.skill.version.to_string(),
            description: manifest.skill.description.clone(),
            publisher: manifest.skill.publisher.clone(),
            digest: digest.to_string(),
            state: why.map_or("active", Why::as_str),
            why: why.map(ToString::to_string),
            signed_by: signed_by.as_ref().map(|it| format!("{} (key {})", it.publisher, it.key)),
            canary,
            tools: tools.collect(),
            intents: intents.collect(),
            capabilities: capabilities.collect(),
            settings,
            limits: profile::limits(&manifest.limits, &app.config.ceilings),
            breaker: app.breakers.standing(id, digest, app.clock.now()),
            used,
        }
    }
}

/// The installed skills, by name.
pub(super) async fn views(console: &Console) -> Result<Vec<SkillView>, StoreError> {
    let app = &console.app;
    let loaded = app.loaded();
    let active = loaded.stable.active.iter().map(|(id, it)| (id, (it.digest, Found::Active(it))));
    let left_out = loaded.stable.left_out.iter();
    let left_out = left_out.map(|(id, it)| (id, (it.installed.digest, Found::LeftOut(it))));
    let all: BTreeMap<_, _> = active.chain(left_out).collect();
    let mut views = Vec::with_capacity(all.len());
    for (id, (digest, found)) in all {
        let used = Measured::read(&*app.store, id, digest).await?;
        let trial = loaded.trial.as_ref().filter(|trial| trial.skill == *id);
        let canary = match trial {
            Some(trial) => Some(CanaryView::of(app, &loaded, trial).await?),
            None => None,
        };
        views.push(SkillView::of(app, &found, used, canary));
    }
    Ok(views)
}

#[derive(Template)]
#[template(path = "console/skills.html")]
struct SkillsPage {
    frame: Frame,
    generation: u64,
    last: u32,
    skills: Vec<SkillView>,
}

/// `GET /skills`
pub(super) async fn show(State(console): State<Arc<Console>>) -> Result<Response, PageError> {
    let template = SkillsPage {
        frame: Frame::of("skills", "Skills"),
        generation: console.app.skills().number,
        last: LAST_RUNS,
        skills: views(&console).await?,
    };
    Ok(page(StatusCode::OK, &template))
}
