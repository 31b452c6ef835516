//! The operator page and its JSON, on a listener of their own: read-only, for
//! whoever has the operator's token.
//!
//! Pages and JSON show texts as they are kept, in placeholders: to see why the
//! host did something, nobody needs to see the values.

mod api;
mod auth;
mod calls;
mod conversation;
mod format;
mod metrics;
mod pages;
mod reply;
mod skills;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::Uri,
    middleware::from_fn_with_state,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};

use self::reply::{ApiError, Failure, PageError};
use crate::{
    app::App,
    channels::{ErrorCode, error_reply},
    http,
};

/// Bytes of a request's body: a token and the page that was asked for.
const MOST_BODY_BYTES: usize = 4 * 1024;
const NAME: &str = "console";

/// What the handlers share.
struct Console {
    app: Arc<App>,
}

/// Everything that the operator listener serves.
pub fn router(app: Arc<App>) -> Router {
    let console = Arc::new(Console { app: Arc::clone(&app) });
    let inside = Router::new()
        .route("/", get(pages::home))
        .route("/conversations", get(pages::conversations))
        .route("/conversations/{id}", get(conversation::show))
        .route("/tickets", get(pages::tickets))
        .route("/tickets/{id}", get(pages::ticket))
        .route("/skills", get(skills::show))
        .route("/rules", get(pages::rules))
        .route("/audit", get(pages::audit))
        .route("/metrics", get(metrics::show))
        .route("/api/conversations", get(api::conversations))
        .route("/api/conversations/{id}", get(api::conversation))
        .route("/api/tickets", get(api::tickets))
        .route("/api/tickets/{id}", get(api::ticket))
        .route("/api/skills", get(api::skills))
        .route("/api/rules", get(api::rules))
        .route("/api/audit", get(api::audit))
        .method_not_allowed_fallback(|| async { error_reply(NAME, ErrorCode::MethodNotAllowed) })
        .fallback(nothing_here)
        .layer(from_fn_with_state(Arc::clone(&console), auth::require_operator));
    let wrong_method = || async { error_reply(NAME, ErrorCode::MethodNotAllowed) };
    let doors = Router::new()
        .route("/login", post(auth::login).fallback(wrong_method))
        .route("/logout", post(auth::logout).fallback(wrong_method))
        .layer(DefaultBodyLimit::max(MOST_BODY_BYTES));
    inside
        .merge(doors)
        .layer(from_fn_with_state(Arc::clone(&console), auth::require_own_host))
        .with_state(console)
        .merge(http::health(app))
}

async fn nothing_here(uri: Uri) -> Response {
    if is_for_machines(&uri) {
        ApiError(Failure::NotFound).into_response()
    } else {
        PageError(Failure::NotFound).into_response()
    }
}

/// Whether whoever asks reads JSON rather than pages.
fn is_for_machines(uri: &Uri) -> bool {
    let path = uri.path();
    path == "/api" || path.starts_with("/api/") || path == "/metrics"
}
