//! The word of the operator's web site, taken up in its conversation.

use postern_domain::{
    Approval, ApprovalState, Approver, AuditEntry, AuditKind, Conversation, ConversationState,
    Customer, IdentityLevel, InboundMessage, RequestId, Timestamp,
};
use postern_store::{Change, Commit, Lease, StoreError};

use super::record_of;
use crate::app::App;

/// What is written down about a call that waited for this.
const PROVEN: &str = "the web site said who the customer is";

/// Makes a conversation that of the customer whom a checked token named. It comes
/// in order with the visitor's messages, and says nothing in the chat. A call that
/// waits for proof goes on.
///
/// # Errors
/// The store failed or the lease was lost; nothing was changed.
pub(crate) async fn take_up(
    app: &App,
    lease: Lease,
    mut conversation: Conversation,
    message: &InboundMessage,
) -> Result<(), StoreError> {
    let now = app.clock.now();
    let id = message.id();
    let key = message.text.clone();
    let mut changes = Vec::new();
    let mut audit = Vec::new();
    let known = record_of(&*app.store, &app.config.collections, &key).await?.is_some();
    if known {
        let other = conversation.customer.key.as_ref().is_some_and(|earlier| *earlier != key);
        if other {
            // What somebody else said here is not for this customer.
            conversation.state = ConversationState {
                session: conversation.state.session.saturating_add(1),
                last_active: conversation.state.last_active,
                ..ConversationState::default()
            };
        }
        conversation.state.challenge = None;
        conversation.customer = Customer { key: Some(key), level: IdentityLevel::Verified };
        if let Some(approved) = proven(app, &conversation, now).await? {
            conversation.state.awaiting = None;
            audit.push(AuditEntry {
                detail: PROVEN.to_owned(),
                turn: Some(approved.turn.clone()),
                invocation: Some(approved.invocation.clone()),
                seq: Some(approved.seq),
                skill: Some(approved.skill.clone()),
                ..entry(AuditKind::Approval, "approval:approved", approved.id.to_string(), now)
            });
            changes.push(Change::Wake(approved.message.clone()));
            changes.push(Change::Approval(approved));
        }
    }
    let site = format!("{}/{}", message.channel, message.account);
    audit.push(AuditEntry {
        detail: if known { "verified" } else { "refused: no such customer" }.to_owned(),
        ..entry(AuditKind::Identity, "identity:token", site, now)
    });
    for row in &mut audit {
        row.request = Some(RequestId::of_message(&id));
        row.conversation = Some(conversation.id.clone());
        row.message = Some(id.clone());
    }
    changes.extend([Change::Conversation(conversation), Change::InboxDone(id)]);
    app.store.commit(Commit { lease: Some(lease), changes, audit }).await?;
    Ok(())
}

fn entry(kind: AuditKind, action: &str, resource: String, now: Timestamp) -> AuditEntry {
    AuditEntry::new(now, kind, "host", action, resource)
}

/// The call that waits in this conversation for proof that it is this customer,
/// approved.
async fn proven(
    app: &App,
    conversation: &Conversation,
    now: Timestamp,
) -> Result<Option<Approval>, StoreError> {
    let awaiting = conversation.state.awaiting.as_ref();
    let Some(id) = awaiting.and_then(|awaiting| awaiting.approval.as_ref()) else {
        return Ok(None);
    };
    let waits = app.store.approval(id).await?.filter(|approval| {
        approval.approver == Approver::Identity
            && approval.customer == conversation.customer.key
            && now < approval.expires_at
    });
    Ok(waits.and_then(|approval| approval.settled(ApprovalState::Approved, now, PROVEN)))
}
