//! Keeps what a customer is told, unless it is not theirs to know.

use postern_domain::{
    AuditKind, Author, Channel, MessageId, OutboxId, OutboxItem, OutboxState, Severity,
    StoredMessage, Timestamp,
};
use postern_store::{Change, StoreError};

use super::texts;
use crate::{
    app::App,
    ledger::{Ledger, Wish},
    privacy::{self, Blind},
};

/// What a customer is told.
pub(super) struct Told<'t> {
    /// All of it.
    pub(super) text: &'t str,
    /// What skills wrote of it. The rest is the host's and the operator's own, who may
    /// tell every customer the address that one of them has quoted.
    pub(super) by_skills: &'t str,
}

/// Keeps an answer, and puts it in the outbox where it has to travel. `which` tells
/// the answers of one turn apart. Tells why it was withheld, if it was.
///
/// # Errors
/// The store fails. Nobody knows then what the answer would tell, so it is not kept.
pub(super) async fn answer(
    app: &App,
    ledger: &mut Ledger,
    told: Told<'_>,
    which: &str,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    if told.text.is_empty() {
        return Ok(None);
    }
    let admitted = ledger.vault.admit(told.text).into_owned();
    let by_skills = ledger.vault.admit(told.by_skills).into_owned();
    let withheld = withhold(app, ledger, &by_skills, which, now).await?;
    let text = if withheld.is_some() { texts::WITHHELD } else { admitted.as_str() };
    let (turn, conversation) = (ledger.turn.id.clone(), ledger.conversation.clone());
    ledger.push(Change::Message(StoredMessage {
        id: MessageId::derive(&[turn.as_str(), which]),
        conversation: conversation.id.clone(),
        author: Author::Bot,
        text: text.to_owned(),
        at: now,
    }));
    match conversation.channel {
        // The page and the terminal read the conversation itself; an agent gets what its
        // turn came to.
        Channel::Web | Channel::Terminal | Channel::Contact | Channel::Mcp => {}
        Channel::Telegram => {
            for (part, text) in app
                .channels
                .split(conversation.channel, text, &ledger.vault)
                .into_iter()
                .enumerate()
            {
                ledger.push(Change::Outbox(OutboxItem {
                    id: OutboxId::derive(&[turn.as_str(), which, &part.to_string()]),
                    conversation: conversation.id.clone(),
                    channel: conversation.channel,
                    account: conversation.account.clone(),
                    chat: conversation.chat.clone(),
                    text,
                    state: OutboxState::Pending,
                    attempts: 0,
                    next_at: now,
                    possible_duplicate: false,
                    last_error: None,
                    created_at: now,
                }));
            }
        }
    }
    Ok(withheld)
}

/// Why an answer must not go out, if what skills wrote of it tells what is another
/// customer's. Then a person is asked, and what kind of datum it was is written down.
async fn withhold(
    app: &App,
    ledger: &mut Ledger,
    text: &str,
    which: &str,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    let policy = app.policy.current();
    let parts = (&ledger.conversation, &ledger.vault);
    let blind = Blind::new(&app.key);
    let kinds = privacy::foreign(&*app.store, &blind, policy.detector(), parts, text).await?;
    if kinds.is_empty() {
        return Ok(None);
    }
    let named = kinds.iter().cloned().collect::<Vec<_>>().join(", ");
    for kind in &kinds {
        app.metrics.withheld(kind);
    }
    let reason = format!("answer withheld: {named} of another customer");
    ledger.audit_host(now, AuditKind::Turn, "turn:withhold", reason.clone());
    let wish = Wish {
        reason: reason.clone(),
        priority: Severity::High.priority(),
        queue: app.config.pipeline.queue.clone(),
    };
    ledger.escalate(&format!("withheld-{which}"), "Answer withheld", wish, "host", now);
    Ok(Some(reason))
}
