//! Sends what is in the outbox.
//!
//! A send is an external effect: its attempt is durable before it happens, so
//! that a crash in between is seen. What then is not known to have arrived is
//! sent again at most once, marked as a possible duplicate, or held for a
//! person.

use std::{sync::Arc, time::Duration};

use postern_domain::{AuditEntry, AuditKind, Channel, OutboxItem, OutboxState};
use postern_store::{Change, Commit, StoreError, UnknownSend};
use tokio::{sync::watch, task::JoinSet};

use crate::{app::App, channels::SendError, identity, privacy::Vault};

/// Messages sent at once.
const AT_ONCE: u32 = 16;
/// Pauses between attempts in seconds; the last one repeats.
const PAUSES_S: [i64; 7] = [1, 5, 30, 120, 600, 1_800, 7_200];
/// A message that a platform keeps putting off is given up after a day.
const TOO_OLD_MS: i64 = 24 * 60 * 60 * 1_000;
/// How often keeping the result of a send is tried, with growing pauses.
const KEEP_TRIES: u32 = 10;
const KEEP_PAUSE: Duration = Duration::from_secs(1);

/// Sends messages until `stop` changes; sends that have begun are finished.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut bell = app.outbox_bell.listen();
    let mut sends = JoinSet::new();
    while !*stop.borrow() {
        bell.mark_unchanged();
        let room = AT_ONCE.saturating_sub(u32::try_from(sends.len()).unwrap_or(AT_ONCE));
        let claimed = match app.store.claim_outbox(app.clock.now(), room).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "outbox not read");
                Vec::new()
            }
        };
        for item in claimed {
            sends.spawn(send(Arc::clone(&app), item));
        }
        let wait = super::until_due(&app).await;
        tokio::select! {
            _ = bell.changed() => {}
            _ = stop.changed() => {}
            Some(_) = sends.join_next(), if !sends.is_empty() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
    while sends.join_next().await.is_some() {}
}

async fn send(app: Arc<App>, item: OutboxItem) {
    let id = item.id.clone();
    match settle(&app, item).await {
        Ok(()) => app.outbox_bell.ring(),
        Err(error) => tracing::error!(
            error = &error as &dyn std::error::Error,
            outbox.id = id.as_str(),
            "the result of a send was not kept"
        ),
    }
}

/// Sends one claimed message and keeps what came of it.
pub(crate) async fn settle(app: &App, mut item: OutboxItem) -> Result<(), StoreError> {
    crate::fault::point("outbox.claimed");
    let sent = match item.channel {
        Channel::Contact => identity::send_code(app, &item).await,
        Channel::Telegram | Channel::Web | Channel::Terminal | Channel::Mcp => {
            match text_of(app, &item).await {
                Ok(text) => app.channels.send(&item, &text).await,
                Err(error) => Err(SendError::Later { reason: error.to_string(), after_ms: None }),
            }
        }
    };
    crate::fault::point("outbox.sent");
    let now = app.clock.now();
    let outcome = match sent {
        Ok(()) => {
            item.state = OutboxState::Sent;
            item.last_error = None;
            "sent".to_owned()
        }
        Err(error) => {
            item.last_error = Some(error.to_string());
            after_failure(app, &mut item, &error, now)
        }
    };
    let entry = AuditEntry {
        detail: outcome,
        conversation: Some(item.conversation.clone()),
        ..AuditEntry::new(now, AuditKind::Delivery, "host", "message:send", item.id.to_string())
    };
    let commit =
        Commit { lease: None, changes: vec![Change::OutboxUpdate(item)], audit: vec![entry] };
    keep(app, commit).await?;
    crate::fault::point("outbox.kept");
    Ok(())
}

/// The text with values put in, at the very edge.
async fn text_of(app: &App, item: &OutboxItem) -> Result<String, StoreError> {
    let conversation = app.store.conversation_row(&item.conversation).await?;
    let vault = app.store.vault(&item.conversation).await?;
    Ok(match &conversation {
        Some(conversation) if conversation.private => {
            Vault::new(&conversation.nonce, vault).restore(&item.text).into_owned()
        }
        Some(_) | None => Vault::mask(&item.text).into_owned(),
    })
}

/// Keeps the result of a send. Until it is kept, nothing else goes out in the
/// conversation, so a store that fails for a while must not lose it.
async fn keep(app: &App, commit: Commit) -> Result<(), StoreError> {
    for again in 1..KEEP_TRIES {
        match app.store.commit(commit.clone()).await {
            Ok(_) => return Ok(()),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    again,
                    "the result of a send is not kept yet"
                );
                tokio::time::sleep(KEEP_PAUSE * again).await;
            }
        }
    }
    app.store.commit(commit).await.map(|_| ())
}

/// What becomes of a message whose send failed.
fn after_failure(
    app: &App,
    item: &mut OutboxItem,
    error: &SendError,
    now: postern_domain::Timestamp,
) -> String {
    let pause = PAUSES_S[(item.attempts.saturating_sub(1) as usize).min(PAUSES_S.len() - 1)];
    let later = now.plus_millis(pause * 1_000);
    match error {
        SendError::Refused { .. } => item.state = OutboxState::Dead,
        SendError::Later { .. } if now.millis_since(item.created_at) > TOO_OLD_MS => {
            item.state = OutboxState::Dead;
        }
        SendError::Later { after_ms: Some(ms), .. } => {
            // The platform said when; obeying costs no attempt.
            item.state = OutboxState::Pending;
            item.attempts = item.attempts.saturating_sub(1);
            item.next_at = now.plus_millis(i64::from(*ms));
        }
        SendError::Later { after_ms: None, .. } => {
            let spent = item.attempts >= app.config.pipeline.send_attempts;
            item.state = if spent { OutboxState::Dead } else { OutboxState::Pending };
            item.next_at = later;
        }
        SendError::Unknown { .. } => {
            let resend = app.config.pipeline.unknown_send == UnknownSend::Resend;
            if resend && !item.possible_duplicate {
                item.state = OutboxState::Pending;
                item.possible_duplicate = true;
                item.next_at = later;
            } else {
                item.state = OutboxState::Uncertain;
            }
        }
    }
    format!("{}: {error}", item.state.as_str())
}
