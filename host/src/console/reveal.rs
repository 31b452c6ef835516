//! The value behind a placeholder, shown once.

use std::sync::Arc;

use askama::Template;
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use postern_domain::ConversationId;
use serde::{Deserialize, Serialize};

use super::{
    Console,
    reply::{ApiError, Failure, Frame, PageError, form_field, json_of, page},
};
use crate::operators::{self, Actor, RevealError, Revealed};

impl From<RevealError> for Failure {
    fn from(error: RevealError) -> Self {
        let (code, reason) = (error.code(), error.to_string());
        match error {
            RevealError::Act(error) => error.into(),
            RevealError::Unknown => Self::NotFound,
            RevealError::Malformed | RevealError::Reason { .. } => {
                Self::Refused { by_rules: false, code, reason }
            }
        }
    }
}

/// What is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    placeholder: String,
    why: String,
}

async fn revealed(
    console: &Console,
    actor: &Actor,
    id: &str,
    wanted: &Wanted,
) -> Result<(ConversationId, Revealed), Failure> {
    let id: ConversationId = id.parse().map_err(|_| Failure::NotFound)?;
    let rules = console.app.policy.current();
    let desk = console.desk(&rules, actor);
    let revealed = operators::reveal(&desk, &id, &wanted.placeholder, &wanted.why).await?;
    Ok((id, revealed))
}

#[derive(Template)]
#[template(path = "console/revealed.html")]
struct RevealedPage {
    frame: Frame,
    conversation: ConversationId,
    revealed: Revealed,
}

/// `POST /conversations/{id}/reveal`: the form of the page.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, PageError> {
    let body = body.map_err(|_| PageError(Failure::Unreadable))?;
    let field = |name| form_field(&body, name).unwrap_or_default();
    let wanted = Wanted { placeholder: field("placeholder"), why: field("why") };
    let (conversation, revealed) = revealed(&console, &actor, &id, &wanted).await?;
    let frame = Frame::of("conversations", "A value");
    Ok(page(StatusCode::OK, &RevealedPage { frame, conversation, revealed }))
}

/// A value in JSON.
#[derive(Serialize)]
pub(super) struct RevealedView {
    placeholder: String,
    #[serde(rename = "type")]
    kind: String,
    value: String,
}

/// `POST /api/conversations/{id}/reveal`
pub(super) async fn api_show(
    State(console): State<Arc<Console>>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<RevealedView>, ApiError> {
    let wanted: Wanted = json_of(&headers, body)?;
    let (_, revealed) = revealed(&console, &actor, &id, &wanted).await?;
    let Revealed { placeholder, kind, value } = revealed;
    Ok(Json(RevealedView { placeholder, kind, value: value.expose().to_owned() }))
}
