//! Messages to the people of a route.

use std::fmt::Write as _;

use postern_domain::{
    Approval, ApprovalId, ConversationId, OperatorBinding, OutboxId, OutboxItem, OutboxState, Role,
    Timestamp,
};
use postern_store::{Change, Store, StoreError};

use super::asked;
use crate::{operators::roles_in, redaction};

/// Why people are told of an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// It waits since now.
    New,
    /// It still waits.
    Reminder,
    /// Those who were asked first have not decided.
    Escalated,
}

impl Notice {
    const ALL: [Self; 3] = [Self::New, Self::Reminder, Self::Escalated];

    const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Reminder => "reminder",
            Self::Escalated => "escalated",
        }
    }
}

/// Messages that tell everybody with this role and a bound account. A message that
/// was written before is not written again.
pub(super) async fn notices(
    store: &dyn Store,
    approval: &Approval,
    role: Role,
    notice: Notice,
    now: Timestamp,
) -> Result<Vec<Change>, StoreError> {
    let mut changes = Vec::new();
    let asked = asked::asked(store, approval).await?;
    for (binding, conversation) in people(store, role).await? {
        // Nobody is asked for what they cannot decide.
        if asked.contains(&binding.operator) {
            continue;
        }
        let id = outbox_id(&approval.id, &conversation, notice);
        changes.push(message(binding, conversation, id, text(approval, notice), now));
    }
    Ok(changes)
}

/// Messages with this text to everybody with this role and a bound account. `key`
/// is the same whenever the same is told.
pub(crate) async fn plain(
    store: &dyn Store,
    role: Role,
    key: &str,
    text: &str,
    now: Timestamp,
) -> Result<Vec<Change>, StoreError> {
    let text = redaction::clean(text);
    let people = people(store, role).await?.into_iter();
    let told = people.map(|(binding, conversation)| {
        let id = OutboxId::derive(&["notice", key, conversation.as_str()]);
        message(binding, conversation, id, text.clone().into_owned(), now)
    });
    Ok(told.collect())
}

/// Who has this role and can be reached, with the conversation in which they are.
async fn people(
    store: &dyn Store,
    role: Role,
) -> Result<Vec<(OperatorBinding, ConversationId)>, StoreError> {
    let mut people = Vec::new();
    for binding in store.bindings(None).await? {
        let operator = store.operator(&binding.operator).await?;
        let has_role = operator.is_some_and(|operator| {
            operator.removed_at.is_none() && roles_in(&operator, &binding).contains(&role)
        });
        // A message needs the conversation of the chat, which binding has made.
        let conversation = conversation_of(&binding);
        if has_role && store.conversation_row(&conversation).await?.is_some() {
            people.push((binding, conversation));
        }
    }
    Ok(people)
}

fn message(
    binding: OperatorBinding,
    conversation: ConversationId,
    id: OutboxId,
    text: String,
    now: Timestamp,
) -> Change {
    Change::Outbox(OutboxItem {
        id,
        conversation,
        channel: binding.channel,
        account: binding.account,
        chat: binding.chat,
        text,
        state: OutboxState::Pending,
        attempts: 0,
        next_at: now,
        possible_duplicate: false,
        last_error: None,
        created_at: now,
    })
}

/// The conversation of an operator with the host.
fn conversation_of(binding: &OperatorBinding) -> ConversationId {
    let OperatorBinding { channel, account, chat, sender, .. } = binding;
    ConversationId::derive(&[channel.as_str(), account, chat, sender])
}

fn outbox_id(approval: &ApprovalId, conversation: &ConversationId, notice: Notice) -> OutboxId {
    let parts = ["approval-notice", approval.as_str(), conversation.as_str(), notice.as_str()];
    OutboxId::derive(&parts)
}

/// What is said, without personal data: who looks at the approval sees more.
fn text(approval: &Approval, notice: Notice) -> String {
    let mut text = match notice {
        Notice::New => format!("Approval {} waits:", approval.id),
        Notice::Reminder => format!("Approval {} still waits:", approval.id),
        Notice::Escalated => format!("Approval {} was passed on to you:", approval.id),
    };
    let (skill, tool, action) = (&approval.skill, &approval.tool, &approval.action);
    // Writing to a text cannot fail.
    // Keys are what the shop makes them of.
    let resource = redaction::clean(&approval.resource);
    let _written = write!(text, " {skill} ({tool}) wants {action} on {resource}.");
    let _written = write!(text, " Without a decision it is rejected at {}.", approval.expires_at);
    text
}

/// The approval of which an outgoing message tells, if the host wrote it as a
/// notice: the id of the message says so, which no text can imitate.
pub(crate) fn approval_of(item: &OutboxItem) -> Option<ApprovalId> {
    let at = item.text.find("apr_")?;
    let approval: ApprovalId = item.text.get(at..at + 28)?.parse().ok()?;
    let written = |notice| outbox_id(&approval, &item.conversation, notice) == item.id;
    Notice::ALL.into_iter().any(written).then_some(approval)
}
