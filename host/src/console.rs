//! The operator page and its JSON, on a listener of their own, for whoever has the
//! token of an operator, as far as rules let them.
//!
//! Pages and JSON show texts as they are kept, in placeholders: to see why the
//! host did something, nobody needs to see the values.

mod api;
mod approvals;
mod auth;
mod calls;
mod conversation;
mod format;
mod me;
mod metrics;
mod pages;
mod reply;
mod reveal;
mod skills;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::Uri,
    middleware::{from_fn, from_fn_with_state},
    response::Response,
    routing::{get, post},
};

use postern_policy::PolicySet;

use self::reply::Failure;
use crate::{
    app::App,
    channels::{ErrorCode, error_reply},
    http, mcp,
    operators::{Actor, Desk},
    redaction,
};

/// Bytes of the body of a sign-in: a token and the page that was asked for.
const MOST_DOOR_BYTES: usize = 4 * 1024;
/// Bytes of any other body: a reason of 500 characters, however they are written.
const MOST_BODY_BYTES: usize = 8 * 1024;
const NAME: &str = "console";

/// What the handlers share.
struct Console {
    app: Arc<App>,
}

impl Console {
    /// Where an operator acts, by these rules.
    fn desk<'a>(&'a self, rules: &'a PolicySet, actor: &'a Actor) -> Desk<'a> {
        let now = self.app.clock.now();
        Desk { store: &*self.app.store, policy: rules, actor, now }
    }
}

/// Everything that the operator listener serves.
pub fn router(app: Arc<App>) -> Router {
    let console = Arc::new(Console { app: Arc::clone(&app) });
    let inside = Router::new()
        .route("/", get(pages::home))
        .route("/conversations", get(pages::conversations))
        .route("/conversations/{id}", get(conversation::show))
        .route("/conversations/{id}/reveal", post(reveal::show))
        .route("/tickets", get(pages::tickets))
        .route("/tickets/{id}", get(pages::ticket))
        .route("/skills", get(skills::show))
        .route("/rules", get(pages::rules))
        .route("/audit", get(pages::audit))
        .route("/approvals", get(approvals::list))
        .route("/approvals/{id}", get(approvals::show).post(approvals::decide))
        .route("/approvals/{id}/rule", post(approvals::propose))
        .route("/me", get(me::show))
        .route("/me/code", post(me::code))
        .route("/metrics", get(metrics::show))
        .route("/api/conversations", get(api::conversations))
        .route("/api/conversations/{id}", get(api::conversation))
        .route("/api/conversations/{id}/reveal", post(reveal::api_show))
        .route("/api/tickets", get(api::tickets))
        .route("/api/tickets/{id}", get(api::ticket))
        .route("/api/skills", get(api::skills))
        .route("/api/rules", get(api::rules))
        .route("/api/audit", get(api::audit))
        .route("/api/approvals", get(approvals::api_list))
        .route("/api/approvals/{id}", get(approvals::api_show))
        .route("/api/approvals/{id}/approve", post(approvals::api_approve))
        .route("/api/approvals/{id}/reject", post(approvals::api_reject))
        .route("/api/approvals/{id}/rule", post(approvals::api_propose))
        .route("/api/me", get(me::api_show))
        .method_not_allowed_fallback(|| async { error_reply(NAME, ErrorCode::MethodNotAllowed) })
        .fallback(nothing_here)
        .layer(DefaultBodyLimit::max(MOST_BODY_BYTES))
        .layer(from_fn_with_state(Arc::clone(&console), auth::require_operator));
    let wrong_method = || async { error_reply(NAME, ErrorCode::MethodNotAllowed) };
    let doors = Router::new()
        .route("/login", post(auth::login).fallback(wrong_method))
        .route("/logout", post(auth::logout).fallback(wrong_method))
        .layer(DefaultBodyLimit::max(MOST_DOOR_BYTES));
    inside
        .merge(doors)
        .with_state(Arc::clone(&console))
        .merge(mcp::router(&app))
        .layer(from_fn_with_state(console, auth::require_own_host))
        .merge(http::health(app))
        .layer(from_fn(redaction::errors))
}

async fn nothing_here(uri: Uri) -> Response {
    reply::failed(&uri, Failure::NotFound)
}

/// Whether whoever asks reads JSON rather than pages.
fn is_for_machines(uri: &Uri) -> bool {
    let path = uri.path();
    path == "/api" || path.starts_with("/api/") || path == "/metrics"
}
