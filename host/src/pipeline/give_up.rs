//! Messages that cannot be processed.

use std::sync::Arc;

use postern_domain::{AuditEntry, AuditKind, CallState, MessageId, Priority, Timestamp, TurnId};
use postern_store::{Change, Commit, Lease, TurnRow};

use super::{
    answer::{Told, answer},
    hold, texts,
    turn::TurnError,
};
use crate::{
    app::App,
    gate,
    ledger::{Ledger, Wish},
    privacy::{Vault, mark_of},
};

/// Gives up a message that cannot be processed: a dead letter, a civil answer
/// and a ticket for a person.
pub(super) async fn give_up(
    app: &App,
    lease: &Lease,
    message: &MessageId,
    reason: &str,
    now: Timestamp,
) -> Result<(), TurnError> {
    let dead =
        |reason: &str| Change::InboxDead { message: message.clone(), reason: reason.to_owned() };
    let Some(work) = app.store.work(lease, now).await? else {
        let commit =
            Commit { lease: Some(lease.clone()), changes: vec![dead(reason)], audit: vec![] };
        app.store.commit(commit).await?;
        return Ok(());
    };
    // Of an effect that was begun, a person must know in any case.
    let begun = work.journal.iter().find(|entry| entry.record.state == CallState::Intended);
    let begun = begun.map(|entry| format!("; uncertain: {}", gate::effect(&entry.record.call)));
    let reason = &format!("{reason}{}", begun.unwrap_or_default());
    let turn = work.turn.unwrap_or_else(|| TurnRow {
        id: TurnId::derive(&[message.as_str()]),
        conversation: work.conversation.id.clone(),
        message: message.clone(),
        plan: serde_json::Value::Null,
        generation: String::new(),
        summary: None,
        started_at: now,
        completed_at: None,
    });
    let vault = Vault::new(&mark_of(&work.conversation), work.vault);
    let store = Arc::clone(&app.store);
    let mut ledger = Ledger::new(store, lease.clone(), turn, work.conversation, vault, work.ticket);
    ledger.turn.completed_at = Some(now);
    let wish = Wish {
        reason: format!("message given up: {reason}"),
        priority: Priority::P2,
        queue: app.config.pipeline.queue.clone(),
    };
    ledger.escalate("given-up", "Message not processed", wish, "host", now);
    hold::close(app, &mut ledger, &work.approvals).await?;
    answer(app, &mut ledger, Told { text: texts::GIVEN_UP, by_skills: "" }, "given-up", now)
        .await?;
    let entry = AuditEntry::new(now, AuditKind::Turn, "host", "turn:give-up", message.to_string());
    ledger
        .commit(vec![dead(reason)], vec![AuditEntry { detail: reason.to_owned(), ..entry }])
        .await?;
    Ok(())
}
