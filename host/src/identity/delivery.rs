//! A code on its way to the contact on file.

use postern_domain::OutboxItem;

use super::{CHAT, LIFE_MS, code_of, record_of};
use crate::{app::App, channels::SendError, config::Collection};

/// Tries at one code. What the chat says about it waits behind it, so a gateway
/// that is down must not hold it up for long.
const MOST_TRIES: u32 = 3;

/// Sends the code of a claimed outbox row. Only here do contact and code meet; who
/// has none is known to operators alone.
///
/// # Errors
/// It did not go out.
pub(crate) async fn send_code(app: &App, item: &OutboxItem) -> Result<(), SendError> {
    match try_once(app, item).await {
        Err(SendError::Later { reason, .. }) if item.attempts >= MOST_TRIES => {
            Err(SendError::Refused { reason })
        }
        sent => sent,
    }
}

async fn try_once(app: &App, item: &OutboxItem) -> Result<(), SendError> {
    let refused = |reason: &str| Err(SendError::Refused { reason: reason.to_owned() });
    let Some(sender) = app.channels.contact() else {
        return refused("[identity.delivery] is not set");
    };
    if app.clock.now() >= item.created_at.plus_millis(LIFE_MS) {
        return refused("the code has expired");
    }
    let Some(customer) = item.chat.strip_prefix(CHAT) else {
        return refused("not a customer");
    };
    let record = record_of(&*app.store, &app.config.collections, customer).await;
    let record =
        record.map_err(|error| SendError::Later { reason: error.to_string(), after_ms: None })?;
    let contact = record.and_then(|record| {
        app.config.identity.contacts.iter().find_map(|contact| {
            Some((contact.kind, Collection::text_of(&record.body, &contact.path)?))
        })
    });
    let Some((kind, to)) = contact else { return refused("no contact on file") };
    let code = code_of(&app.key, &item.conversation, customer, &item.id);
    sender.send(&item.id, kind, &to, &words(&code)).await
}

fn words(code: &str) -> String {
    format!(
        "Your code is {code}. Type it in the chat that asked for it, and tell it to nobody else. \
         It is good for ten minutes. If you did not ask for it, ignore this message."
    )
}
