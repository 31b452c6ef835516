//! Who is let in: whoever has an agent's token, from no foreign page.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};

use super::{sessions, sign_in};
use crate::{
    app::App,
    channels::{ErrorCode, error_reply},
    http::{bearer, is_own, origin},
};

const NAME: &str = "mcp";

/// The agent of a request, as handlers find it among the request's extensions.
#[derive(Clone, Debug)]
pub(super) struct AgentName(pub(super) Arc<str>);

/// Lets a request pass with an agent's token. A browser names the page that it comes from,
/// which must be one of this listener: a page that makes its own name resolve to this
/// address (DNS rebinding) is none.
pub(super) async fn require_agent(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let own = match origin(request.headers()) {
        Ok(None) => true,
        Ok(Some(origin)) => is_own(origin, request.headers()),
        Err(()) => false,
    };
    if !own {
        return error_reply(NAME, ErrorCode::Forbidden);
    }
    let known = bearer(request.headers()).and_then(|token| sign_in(&app, token));
    let Some((name, _)) = known else {
        tracing::warn!("somebody without an agent's token asked for tools");
        let mut response = error_reply(NAME, ErrorCode::Unauthorized);
        let challenge = HeaderValue::from_static("Bearer realm=\"mcp\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        return response;
    };
    let name: Arc<str> = Arc::from(name);
    request.extensions_mut().insert(AgentName(Arc::clone(&name)));
    sessions::of_agent(name, next.run(request)).await
}
