//! What turns tell the people of a route, and for which of them they act.

use postern_domain::{Approval, Channel, Conversation, OperatorId, Timestamp};
use postern_policy::PolicySet;
use postern_store::{Change, Store, StoreError};

use super::{
    asked,
    notice::{self, Notice},
    tend::to_people,
};
use crate::app::App;

/// The operator who writes in a conversation, if it is one: nobody approves what
/// they asked for themselves.
///
/// # Errors
/// The store fails.
pub(crate) async fn requester(
    app: &App,
    conversation: &Conversation,
) -> Result<Option<OperatorId>, StoreError> {
    let Conversation { channel, sender, .. } = conversation;
    if let Some(operator) = asked::behind(&*app.store, conversation).await?.pop_first() {
        return Ok(Some(operator));
    }
    // The terminal is the operator's own; who talks there says who they are.
    match (channel, sender.parse::<OperatorId>()) {
        (Channel::Terminal, Ok(name)) => {
            Ok(app.store.operator(&name).await?.map(|operator| operator.id))
        }
        _ => Ok(None),
    }
}

/// Messages that tell people of an approval that waits for them since now.
///
/// # Errors
/// The store fails.
pub(crate) async fn announced(
    app: &App,
    approval: &Approval,
    now: Timestamp,
) -> Result<Vec<Change>, StoreError> {
    to_people(&*app.store, &app.policy.current(), approval, Notice::New, now).await
}

/// Messages that tell people of a route what a rule wants them to know. `key` is the
/// same whenever the same is told.
///
/// # Errors
/// The store fails.
pub(crate) async fn told(
    store: &dyn Store,
    policy: &PolicySet,
    route: &str,
    key: &str,
    text: &str,
    now: Timestamp,
) -> Result<Vec<Change>, StoreError> {
    match policy.route(route) {
        Some(route) => notice::plain(store, route.role, key, text, now).await,
        None => Ok(Vec::new()),
    }
}

/// Messages that tell people that what they decided about counts no more.
///
/// # Errors
/// The store fails.
pub(crate) async fn voided(
    store: &dyn Store,
    policy: &PolicySet,
    approval: &Approval,
    now: Timestamp,
) -> Result<Vec<Change>, StoreError> {
    let Some(route) = approval.approver.route() else { return Ok(Vec::new()) };
    let text = format!("Approval {} is void: {}. Nothing was done.", approval.id, approval.detail);
    let key = format!("void-{}", approval.id);
    told(store, policy, route, &key, &text, now).await
}
