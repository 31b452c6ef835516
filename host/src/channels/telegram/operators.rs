//! Operators in Telegram: an account is bound by a code, and approvals are decided
//! by a button.

use std::sync::Arc;

use postern_domain::{
    ApprovalState, AuditEntry, AuditKind, InboundMessage, OutboxId, OutboxItem, OutboxState,
};
use postern_store::{Accepted, Change, Commit, StoreError};

use super::Pressed;
use crate::{
    app::App,
    approvals::{self, DecideError},
    operators::{self, ActError, BindError, Chat, Desk},
    pipeline,
};

/// How the data of a button under an approval begins.
pub(super) const DATA: &str = "apr:";

/// A message of an operator is not a customer's: before it could be worked on as
/// one, it has been settled here.
const ASIDE_MS: i64 = 10 * 60 * 1_000;

/// Whether the text of a code's message has been seen to: bound or refused, and
/// answered.
pub(super) async fn bind(
    app: &Arc<App>,
    message: InboundMessage,
    code: &str,
) -> Result<(), StoreError> {
    let now = app.clock.now();
    let message = InboundMessage { received_at: now.plus_millis(ASIDE_MS), ..message };
    let id = message.id();
    let chat = Chat {
        channel: message.channel,
        account: message.account.clone(),
        sender: message.sender.clone(),
        chat: message.chat.clone(),
    };
    if !operators::heeds(&*app.store, &chat, id.as_str(), now).await? {
        return Ok(());
    }
    // The chat becomes a conversation, in which the operator is told of approvals.
    let mark = pipeline::mark(&app.key, &message);
    let accepted = app.store.accept(std::slice::from_ref(&message), &[mark]).await?;
    if accepted.first() == Some(&Accepted::Duplicate) {
        return Ok(());
    }
    let settled = |text: String| {
        let answer = OutboxItem {
            id: OutboxId::derive(&["operator-bind", id.as_str()]),
            conversation: message.conversation_id(),
            channel: message.channel,
            account: message.account.clone(),
            chat: message.chat.clone(),
            text,
            state: OutboxState::Pending,
            attempts: 0,
            next_at: now,
            possible_duplicate: false,
            last_error: None,
            created_at: now,
        };
        vec![Change::InboxDone(id.clone()), Change::Outbox(answer)]
    };
    let bound = operators::bind(&*app.store, &chat, code, id.as_str(), now, |operator| {
        settled(format!("You act here as {operator} now. Approvals come to this chat."))
    });
    let refusal = match bound.await {
        Ok(_) => None,
        Err(BindError::Act(ActError::Store(error))) => return Err(error),
        Err(error) => Some(format!("That did not work: {error}.")),
    };
    if let Some(text) = refusal {
        let commit = Commit { changes: settled(text), ..Commit::default() };
        app.store.commit(commit).await?;
    }
    app.outbox_bell.ring();
    Ok(())
}

/// Decides an approval for whoever has bound the account that pressed the button;
/// anybody else is refused, which is written down.
pub(super) async fn pressed(
    app: &Arc<App>,
    account: &str,
    pressed: Pressed,
) -> Result<(), StoreError> {
    let Pressed { query, chat, sender, approval, approve } = pressed;
    let channel = postern_domain::Channel::Telegram;
    let chat = Chat { channel, account: account.to_owned(), sender, chat };
    let now = app.clock.now();
    let said = match operators::bound(&*app.store, &chat).await? {
        Some(actor) => {
            let rules = app.policy.current();
            let desk = Desk { store: &*app.store, policy: &rules, actor: &actor, now };
            let reason = if approve { "approved in Telegram" } else { "rejected in Telegram" };
            match approvals::decide(&desk, &approval, approve, reason).await {
                Ok(decided) => {
                    app.inbox_bell.ring();
                    match decided.state {
                        ApprovalState::Approved => "Approved.",
                        ApprovalState::Rejected => "Rejected.",
                        ApprovalState::Pending
                        | ApprovalState::Expired
                        | ApprovalState::Void
                        | ApprovalState::Executed
                        | ApprovalState::Failed
                        | ApprovalState::Uncertain => "Your word counts; more people are needed.",
                    }
                    .to_owned()
                }
                Err(DecideError::Act(ActError::Store(error))) => return Err(error),
                Err(error) => format!("Not decided: {error}"),
            }
        }
        None => {
            if !operators::heeds(&*app.store, &chat, &query, now).await? {
                return Ok(());
            }
            let action = if approve { "approval:approve" } else { "approval:reject" };
            let (kind, actor) = (AuditKind::Operator, format!("channel:{}", chat.place()));
            let row = AuditEntry {
                detail: "refused: the account is no operator's".to_owned(),
                ..AuditEntry::new(now, kind, actor, action, approval.as_str())
            };
            app.store.commit(Commit { audit: vec![row], ..Commit::default() }).await?;
            "Sorry, this button is for the people who run this service.".to_owned()
        }
    };
    // The decision is durable; that the app shows it is a courtesy.
    let (app, account) = (Arc::clone(app), account.to_owned());
    tokio::spawn(async move {
        if let Err(error) = app.channels.telegram().answer(&account, &query, &said).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a button is not answered");
        }
    });
    Ok(())
}
