//! Web chat: a page, a way to send, and server-sent events to receive.
//!
//! A visitor is whoever shows a signed token, by header or cookie. Everything
//! that a visitor is shown is read from the store, so a page that reconnects
//! neither loses nor doubles a message.

mod events;
mod identity;
mod limit;
mod messages;
mod page;
mod session;
mod site;
#[cfg(test)]
mod tests;
mod token;

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderValue, header},
    middleware::from_fn_with_state,
    response::Response,
    routing::{MethodRouter, get, post},
};

use self::limit::{Rates, Streams};
use super::{ErrorCode, error_reply};
use crate::app::App;

/// Bytes of a request's body: 4,000 characters of any script and the rest.
pub const MOST_BODY_BYTES: usize = 16 * 1024;

const NAME: &str = "web";

/// What the handlers share.
struct Chat {
    app: Arc<App>,
    rates: Mutex<Rates>,
    /// Attempts to say who one is: of each visitor and for each customer.
    proofs: Mutex<Rates>,
    /// Refused tokens that are written down: of each site.
    refusals: Mutex<Rates>,
    streams: Arc<Streams>,
}

/// The routes below `/chat/{site}`.
pub fn router(app: Arc<App>) -> Router {
    let chat = Arc::new(Chat {
        app,
        rates: Mutex::new(Rates::new(limit::MESSAGES)),
        proofs: Mutex::new(Rates::new(limit::PROOFS)),
        refusals: Mutex::new(Rates::new(limit::REFUSALS)),
        streams: Arc::default(),
    });
    let at_site = |methods: MethodRouter<Arc<Chat>>| {
        methods
            .fallback(|| async { refuse(ErrorCode::MethodNotAllowed) })
            .layer(from_fn_with_state(Arc::clone(&chat), site::check))
    };
    let routes = Router::new()
        .route("/{site}", at_site(get(page::show)))
        .route("/{site}/session", at_site(post(session::open)))
        .route("/{site}/identify", at_site(post(identity::identify)))
        .route("/{site}/messages", at_site(post(messages::take)))
        .route("/{site}/events", at_site(get(events::stream)))
        .layer(DefaultBodyLimit::max(MOST_BODY_BYTES))
        .fallback(|| async { refuse(ErrorCode::NotFound) });
    Router::new().nest("/chat", routes).with_state(chat)
}

fn refuse(code: ErrorCode) -> Response {
    error_reply(NAME, code)
}

/// A refusal with the time after which to try again.
fn refuse_for(code: ErrorCode, seconds: u32) -> Response {
    let mut response = refuse(code);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}
