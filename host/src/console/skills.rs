//! Installed skills and what each may do.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use postern_domain::{IdentityLevel, Interface, SkillId};
use postern_store::StoreError;
use serde::Serialize;

use super::{
    Console, format,
    reply::{Frame, PageError, page},
};
use crate::{
    app::App,
    breaker::Standing,
    profile::{self, LAST_RUNS, LimitRow, Measured},
    registry::ActiveSkill,
};

/// A skill, as pages and JSON show it.
#[derive(Debug, Serialize)]
pub(super) struct SkillView {
    id: SkillId,
    version: String,
    description: String,
    publisher: String,
    digest: String,
    tools: Vec<ToolView>,
    intents: Vec<IntentView>,
    capabilities: Vec<CapabilityView>,
    settings: Vec<(String, String)>,
    limits: Vec<LimitRow>,
    breaker: Standing,
    #[serde(rename = "use")]
    used: Measured,
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
    fn of(app: &App, skill: &ActiveSkill, used: Measured) -> Self {
        let manifest = &skill.manifest;
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
            granted: skill.grants.contains(&capability.interface),
        });
        let id = &manifest.skill.id;
        Self {
            id: id.clone(),
            version: manifest.skill.version.to_string(),
            description: manifest.skill.description.clone(),
            publisher: manifest.skill.publisher.clone(),
            digest: skill.digest.to_string(),
            tools: tools.collect(),
            intents: intents.collect(),
            capabilities: capabilities.collect(),
            settings: skill.settings.clone(),
            limits: profile::limits(&manifest.limits, &app.config.ceilings),
            breaker: app.breakers.standing(id, skill.digest, app.clock.now()),
            used,
        }
    }
}

/// The active skills, by name.
pub(super) async fn views(console: &Console) -> Result<Vec<SkillView>, StoreError> {
    let app = &console.app;
    let skills = app.skills();
    let mut views = Vec::with_capacity(skills.active.len());
    for (id, skill) in &skills.active {
        let used = Measured::read(&*app.store, id, skill.digest).await?;
        views.push(SkillView::of(app, skill, used));
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
