//! Who is signed in, and the accounts from which they act.

use std::sync::Arc;

use askama::Template;
use axum::{Extension, Json, extract::State, http::StatusCode, response::Response};
use postern_domain::{BindingCode, OperatorBinding, OperatorId, Role};
use serde::Serialize;

use super::{
    Console, format,
    reply::{ApiError, Failure, Frame, PageError, page},
};
use crate::operators::{self, Actor, BindError, told};

impl From<BindError> for Failure {
    fn from(error: BindError) -> Self {
        let reason = error.to_string();
        let refused = |code| Self::Refused { by_rules: false, code, reason };
        match error {
            BindError::Act(error) => error.into(),
            BindError::NoPerson(_) => refused("no_person"),
            BindError::Wrong => refused("code"),
            BindError::TooMany => refused("too_many"),
            BindError::Key(_) => refused("no_randomness"),
        }
    }
}

#[derive(Template)]
#[template(path = "console/me.html")]
struct Me {
    frame: Frame,
    operator: OperatorId,
    roles: String,
    person: bool,
    bindings: Vec<OperatorBinding>,
    /// A new code, shown once, and until when it counts.
    code: Option<(String, BindingCode)>,
}

async fn me(
    console: &Console,
    actor: &Actor,
    code: Option<(String, BindingCode)>,
) -> Result<Response, PageError> {
    let template = Me {
        frame: Frame::of("me", "You"),
        operator: actor.id().clone(),
        roles: told(actor.roles()),
        person: actor.is_person(),
        bindings: console.app.store.bindings(Some(actor.id())).await?,
        code,
    };
    Ok(page(StatusCode::OK, &template))
}

/// `GET /me`
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Extension(actor): Extension<Actor>,
) -> Result<Response, PageError> {
    me(&console, &actor, None).await
}

/// `POST /me/code`: a code with which the operator binds an account of a channel.
pub(super) async fn code(
    State(console): State<Arc<Console>>,
    Extension(actor): Extension<Actor>,
) -> Result<Response, PageError> {
    let rules = console.app.policy.current();
    let made = operators::new_code(&console.desk(&rules, &actor)).await;
    let (secret, code) = made.map_err(|error| PageError(error.into()))?;
    me(&console, &actor, Some((secret.expose().to_owned(), code))).await
}

/// Who is signed in, in JSON.
#[derive(Serialize)]
pub(super) struct MeView {
    operator: OperatorId,
    roles: Vec<Role>,
}

/// `GET /api/me`
pub(super) async fn api_show(Extension(actor): Extension<Actor>) -> Result<Json<MeView>, ApiError> {
    Ok(Json(MeView { operator: actor.id().clone(), roles: actor.roles().to_vec() }))
}
