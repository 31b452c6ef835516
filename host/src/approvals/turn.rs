//! What turns tell the people of a route, and for which of them they act.

use postern_domain::{Approval, Approver, Channel, Conversation, OperatorId, Timestamp};
use postern_store::{Change, StoreError};

use super::notice::{self, Notice};
use crate::{app::App, ledger::Ledger};

/// The operator who writes in a conversation, if it is one: nobody approves what
/// they asked for themselves.
///
/// # Errors
/// The store fails.
pub(crate) async fn requester(
    app: &App,
    conversation: &Conversation,
) -> Result<Option<OperatorId>, StoreError> {
    let Conversation { channel, account, sender, .. } = conversation;
    if let Some(binding) = app.store.binding(*channel, account, sender).await? {
        return Ok(Some(binding.operator));
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
    let Approver::Route { route: name, .. } = &approval.approver else { return Ok(Vec::new()) };
    match app.policy.current().route(name) {
        Some(route) => notice::notices(&*app.store, approval, route.role, Notice::New, now).await,
        None => Ok(Vec::new()),
    }
}

/// Messages that tell people what the rules of a turn's calls want them to know.
///
/// # Errors
/// The store fails.
pub(crate) async fn told(
    app: &App,
    ledger: &mut Ledger,
    now: Timestamp,
) -> Result<Vec<Change>, StoreError> {
    let mut changes = Vec::new();
    let policy = app.policy.current();
    for (place, wanted) in std::mem::take(&mut ledger.notices).into_iter().enumerate() {
        let Some(route) = policy.route(&wanted.route) else { continue };
        let key = format!("{}-{place}", ledger.turn.id);
        changes.extend(notice::plain(&*app.store, route.role, &key, &wanted.text, now).await?);
    }
    Ok(changes)
}
