//! Figures for Prometheus.

use std::sync::Arc;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};

use super::Console;

/// The text format of Prometheus.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `GET /metrics`
pub(super) async fn show(State(console): State<Arc<Console>>) -> Response {
    let (app, skills, now) = (&console.app, console.app.skills(), console.app.clock.now());
    app.metrics.generation(&app.loaded());
    app.metrics.rules(app.policy.generation(), app.policy.differing().len());
    let standings =
        skills.active.iter().map(|(id, skill)| (id, app.breakers.standing(id, skill.digest, now)));
    ([(header::CONTENT_TYPE, FORMAT)], app.metrics.render(standings)).into_response()
}
