//! Tools for agents of others, by the Model Context Protocol (modelcontextprotocol.io).
//!
//! An agent sees the tools that it was granted. Its calls become turns like those of
//! customers' messages, so schemas, rules, limits, approvals, journal and audit are the
//! same for them. Nothing outside of this module names the protocol's library.

mod bridge;
mod call;
mod desk;
mod door;
mod result;
mod server;
mod sessions;
mod tools;

use std::sync::Arc;

use axum::{Router, middleware::from_fn_with_state};
use rmcp::{
    ServiceExt as _,
    transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService},
};
use tokio::sync::broadcast::error::RecvError;

pub use self::bridge::{Bridge, BridgeError};
use self::{desk::Desk, server::Server, sessions::Sessions};
use crate::{app::App, config::Agent};

/// Where the operator listener serves the protocol.
pub const PATH: &str = "/mcp";
/// Bytes of one message of an agent.
const MOST_MESSAGE_BYTES: usize = 64 * 1024;

/// Serves agents at [`PATH`], each with its own token; nothing if there are none.
pub fn router(app: &Arc<App>) -> Router {
    if app.config.agents.is_empty() {
        return Router::new();
    }
    let desk = Desk::open(app);
    // The listener itself refuses foreign names of this host.
    let config = StreamableHttpServerConfig::default()
        .disable_allowed_hosts()
        .with_max_request_body_bytes(MOST_MESSAGE_BYTES);
    let (token, mut events) = (config.cancellation_token.clone(), app.events.subscribe());
    tokio::spawn(async move {
        // Streams end with the host, which they would keep from stopping.
        while !matches!(events.recv().await, Err(RecvError::Closed)) {}
        token.cancel();
    });
    let of_request = Arc::clone(&desk);
    let service = StreamableHttpService::new(
        move || Ok(Server::over_http(Arc::clone(&of_request))),
        Arc::new(Sessions::default()),
        config,
    );
    Router::new()
        .route_service(PATH, service)
        .layer(from_fn_with_state(Arc::clone(app), door::require_agent))
}

/// Why serving an agent over standard input and output ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The protocol was not begun as it should be.
    #[error("the agent did not begin as the protocol says: {0}")]
    Begin(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The task that served it died.
    #[error("serving the agent was interrupted")]
    Interrupted(#[source] tokio::task::JoinError),
}

/// Serves one agent over standard input and output until it goes away. `conversation` is
/// where its calls run if it names none.
///
/// # Errors
/// The agent does not speak the protocol.
pub async fn serve_stdio(
    app: &Arc<App>,
    agent: &str,
    conversation: &str,
) -> Result<(), ServeError> {
    let server = Server::of_one(Desk::open(app), agent, conversation);
    let running = server
        .serve(rmcp::transport::stdio())
        .await
        .map_err(|error| ServeError::Begin(error.into()))?;
    running.waiting().await.map(drop).map_err(ServeError::Interrupted)
}

/// The agent with this token, with its name. Every token is compared, and each in constant
/// time.
pub fn sign_in<'a>(app: &'a App, token: &str) -> Option<(&'a str, &'a Agent)> {
    let agents = app.config.agents.iter();
    agents.fold(None, |found, (name, agent)| {
        if agent.token.matches(token.as_bytes()) { Some((name.as_str(), agent)) } else { found }
    })
}
