//! The same as JSON. Lists are arrays, newest first; the audit log is oldest
//! first, as it is written.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
};
use postern_domain::{AuditRow, ConversationId, Ticket, TicketId};
use postern_policy::RuleSummary;
use postern_store::{ConversationDetail, ConversationSummary, TicketDetail};
use serde::Serialize;

use super::{
    Console,
    pages::AuditPart,
    reply::{ApiError, Asked, Failure, Part},
    skills::{self, SkillView},
};

type Answer<T> = Result<Json<T>, ApiError>;

/// `GET /api/conversations?limit&offset`
pub(super) async fn conversations(
    State(console): State<Arc<Console>>,
    Asked(part, _): Asked<Part, ApiError>,
) -> Answer<Vec<ConversationSummary>> {
    Ok(Json(console.app.store.conversations(part.page()?).await?))
}

/// `GET /api/conversations/{id}`
pub(super) async fn conversation(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
) -> Answer<ConversationDetail> {
    let id: ConversationId = id.parse().map_err(|_| Failure::NotFound)?;
    let found = console.app.store.conversation(&id).await?;
    Ok(Json(found.ok_or(Failure::NotFound)?))
}

/// `GET /api/tickets?limit&offset`
pub(super) async fn tickets(
    State(console): State<Arc<Console>>,
    Asked(part, _): Asked<Part, ApiError>,
) -> Answer<Vec<Ticket>> {
    Ok(Json(console.app.store.tickets(part.page()?).await?))
}

/// `GET /api/tickets/{id}`
pub(super) async fn ticket(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
) -> Answer<TicketDetail> {
    let id: TicketId = id.parse().map_err(|_| Failure::NotFound)?;
    let found = console.app.store.ticket(&id).await?;
    Ok(Json(found.ok_or(Failure::NotFound)?))
}

/// `GET /api/skills`
pub(super) async fn skills(State(console): State<Arc<Console>>) -> Answer<Vec<SkillView>> {
    Ok(Json(skills::views(&console).await?))
}

/// A rule in JSON.
#[derive(Serialize)]
pub(super) struct RuleView {
    id: String,
    effect: &'static str,
    doc: Option<String>,
    file: String,
    line: u32,
    annotations: BTreeMap<String, String>,
}

impl From<&RuleSummary> for RuleView {
    fn from(rule: &RuleSummary) -> Self {
        let RuleSummary { id, file, line, effect, annotations, doc } = rule.clone();
        Self { id, effect: effect.as_str(), doc, file, line, annotations }
    }
}

/// `GET /api/rules`
pub(super) async fn rules(State(console): State<Arc<Console>>) -> Json<Vec<RuleView>> {
    Json(console.app.policy.current().rules().map(RuleView::from).collect())
}

/// `GET /api/audit?limit&conversation`
pub(super) async fn audit(
    State(console): State<Arc<Console>>,
    Asked(part, _): Asked<AuditPart, ApiError>,
) -> Answer<Vec<AuditRow>> {
    Ok(Json(part.rows::<ApiError>(&console).await?))
}
