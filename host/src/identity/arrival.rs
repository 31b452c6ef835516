//! The word of the operator's web site, taken up in its conversation.

use postern_domain::{
    AuditEntry, AuditKind, Conversation, ConversationState, Customer, IdentityLevel,
    InboundMessage, RequestId,
};
use postern_store::{Change, Commit, Lease, StoreError};

use super::record_of;
use crate::app::App;

/// Makes a conversation that of the customer whom a checked token named. It comes
/// in order with the visitor's messages, and says nothing in the chat.
///
/// # Errors
/// The store failed or the lease was lost; nothing was changed.
pub(crate) async fn take_up(
    app: &App,
    lease: Lease,
    mut conversation: Conversation,
    message: &InboundMessage,
) -> Result<(), StoreError> {
    let key = message.text.clone();
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
    }
    let id = message.id();
    let entry = AuditEntry {
        detail: if known { "verified" } else { "refused: no such customer" }.to_owned(),
        request: Some(RequestId::of_message(&id)),
        conversation: Some(conversation.id.clone()),
        message: Some(id.clone()),
        ..AuditEntry::new(
            app.clock.now(),
            AuditKind::Identity,
            "host",
            "identity:token",
            format!("{}/{}", message.channel, message.account),
        )
    };
    let changes = vec![Change::Conversation(conversation), Change::InboxDone(id)];
    app.store.commit(Commit { lease: Some(lease), changes, audit: vec![entry] }).await?;
    Ok(())
}
