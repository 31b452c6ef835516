//! Telegram: webhooks in, the Bot API out.
//!
//! core.telegram.org/bots/api: `setWebhook` (secret token), `Update`,
//! `sendMessage`, `InlineKeyboardMarkup`, `answerCallbackQuery`.

mod operators;
mod send;
mod update;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, Method, Request, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::any,
};

pub use send::{Sender, split};
pub use update::{ParseError, Parsed, Pressed, parse};

use super::{ErrorCode, error_reply};
use crate::{app::App, config::TelegramAccount};

/// Bytes of a webhook's body. An update holds one message of at most 4,096
/// characters; the rest is room for entities and quoted messages.
pub const MOST_BODY_BYTES: usize = 1024 * 1024;

const NAME: &str = "telegram";
const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";

/// The webhook's route.
pub fn router(app: Arc<App>) -> Router {
    Router::new().route("/webhooks/telegram/{account}", any(webhook)).with_state(app)
}

/// One webhook: account → method → secret → size → type → parse → keep → 200.
async fn webhook(
    State(app): State<Arc<App>>,
    Path(account): Path<String>,
    request: Request<Body>,
) -> Response {
    let refuse = |code| error_reply(NAME, code);
    let Some(config) = app.config.telegram.get(&account) else {
        return refuse(ErrorCode::NotFound);
    };
    let (head, body) = request.into_parts();
    if head.method != Method::POST {
        return refuse(ErrorCode::MethodNotAllowed);
    }
    // Telegram signs no body: the secret is all there is, so it is judged
    // before a byte of the body is read.
    if !authentic(config, &head.headers) {
        return refuse(ErrorCode::Unauthorized);
    }
    let Ok(body) = axum::body::to_bytes(body, MOST_BODY_BYTES).await else {
        return refuse(ErrorCode::TooLarge);
    };
    if !is_json(&head.headers) {
        return refuse(ErrorCode::UnsupportedType);
    }
    match parse(&account, &body, app.clock.now()) {
        Err(_) => refuse(ErrorCode::BadRequest),
        // Whatever is authentic and not for us is acknowledged, or Telegram
        // would deliver it again and again.
        Ok(Parsed::Ignored { what }) => {
            tracing::debug!(channel = NAME, account, what, "update ignored");
            StatusCode::OK.into_response()
        }
        Ok(Parsed::Bind { message, code }) => {
            answered(operators::bind(&app, *message, &code).await.is_ok())
        }
        Ok(Parsed::Pressed(pressed)) => {
            answered(operators::pressed(&app, &account, *pressed).await.is_ok())
        }
        Ok(Parsed::Message(message)) => match app.intake.accept(*message).await {
            Ok(_) => StatusCode::OK.into_response(),
            Err(_) => refuse(ErrorCode::Unavailable),
        },
    }
}

/// What Telegram gets for something that was done, or that it is to deliver again.
fn answered(done: bool) -> Response {
    if done { StatusCode::OK.into_response() } else { error_reply(NAME, ErrorCode::Unavailable) }
}

/// Whether the request carries exactly one secret header with an active secret.
fn authentic(config: &TelegramAccount, headers: &HeaderMap) -> bool {
    let mut given = headers.get_all(SECRET_HEADER).iter();
    let (Some(given), None) = (given.next(), given.next()) else { return false };
    // Both are compared always, so that time does not tell which one is current.
    let current = config.secret_token.matches(given.as_bytes());
    let previous = config
        .previous_secret_token
        .as_ref()
        .is_some_and(|secret| secret.matches(given.as_bytes()));
    current | previous
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok())
    else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// Telegram accounts by name.
pub type Accounts = BTreeMap<String, TelegramAccount>;

#[cfg(test)]
mod tests;
