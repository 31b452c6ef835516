//! Installed skills and what each may do.

use std::{sync::Arc, time::Duration};

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use postern_domain::{IdentityLevel, Interface, SkillId};
use serde::Serialize;

use super::{
    Console, format,
    reply::{Frame, page},
};
use crate::registry::ActiveSkill;

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
    limits: LimitsView,
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

#[derive(Debug, Serialize)]
struct LimitsView {
    memory_bytes: u64,
    cpu_ms: u64,
    wall_ms: u64,
    host_calls: u32,
}

impl SkillView {
    fn of(skill: &ActiveSkill) -> Self {
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
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            id: manifest.skill.id.clone(),
            version: manifest.skill.version.to_string(),
            description: manifest.skill.description.clone(),
            publisher: manifest.skill.publisher.clone(),
            digest: skill.digest.to_string(),
            tools: tools.collect(),
            intents: intents.collect(),
            capabilities: capabilities.collect(),
            settings: skill.settings.clone(),
            limits: LimitsView {
                memory_bytes: skill.limits.memory_bytes,
                cpu_ms: ms(skill.limits.cpu),
                wall_ms: ms(skill.limits.wall),
                host_calls: skill.limits.host_calls,
            },
        }
    }
}

/// The active skills, by name.
pub(super) fn views(console: &Console) -> Vec<SkillView> {
    console.app.skills().active.values().map(|skill| SkillView::of(skill)).collect()
}

#[derive(Template)]
#[template(path = "console/skills.html")]
struct SkillsPage {
    frame: Frame,
    generation: u64,
    skills: Vec<SkillView>,
}

/// `GET /skills`
pub(super) async fn show(State(console): State<Arc<Console>>) -> Response {
    let template = SkillsPage {
        frame: Frame::of("skills", "Skills"),
        generation: console.app.skills().number,
        skills: views(&console),
    };
    page(StatusCode::OK, &template)
}
