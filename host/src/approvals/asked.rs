//! Whose wish an approval is, and whose votes still count.

use std::collections::BTreeSet;

use postern_domain::{
    Approval, Channel, Conversation, Counting, Decision, OperatorBinding, OperatorId,
};
use postern_policy::{Act, ActRequest, PolicySet};
use postern_store::{Store, StoreError};

/// The operators who have bound an account of the person who writes in a conversation.
/// One person is the same at each configured account of a channel.
///
/// # Errors
/// The store fails.
pub(super) async fn behind(
    store: &dyn Store,
    conversation: &Conversation,
) -> Result<BTreeSet<OperatorId>, StoreError> {
    let Conversation { channel, account, sender, .. } = conversation;
    let exact = store.binding(*channel, account, sender).await?;
    let all = store.bindings(None).await?;
    let found = exact.into_iter().chain(all).filter(|binding| is_of(binding, *channel, sender));
    Ok(found.map(|binding| binding.operator).collect())
}

fn is_of(binding: &OperatorBinding, channel: Channel, sender: &str) -> bool {
    binding.channel == channel && binding.sender == sender
}

/// The operators who have asked for what an approval is about, whether they had bound
/// their account then or only since.
///
/// # Errors
/// The store fails.
pub(super) async fn asked(
    store: &dyn Store,
    approval: &Approval,
) -> Result<BTreeSet<OperatorId>, StoreError> {
    let mut found = match store.conversation_row(&approval.conversation).await? {
        Some(conversation) => behind(store, &conversation).await?,
        None => BTreeSet::new(),
    };
    found.extend(approval.requester.clone());
    Ok(found)
}

/// How a vote of this operator is counted under the rules in force.
///
/// # Errors
/// The store fails.
pub(super) async fn counting(
    store: &dyn Store,
    policy: &PolicySet,
    approval: &Approval,
    operator: &OperatorId,
    act: &Act,
) -> Result<Counting, StoreError> {
    let mut asked = asked(store, approval).await?;
    // All bound accounts may be more than are read at once; one operator's are not.
    if let Some(conversation) = store.conversation_row(&approval.conversation).await? {
        let own = store.bindings(Some(operator)).await?;
        if own.iter().any(|it| is_of(it, conversation.channel, &conversation.sender)) {
            asked.insert(operator.clone());
        }
    }
    let mut gone = BTreeSet::new();
    for vote in approval.votes.iter().filter(|vote| vote.approve) {
        let found = store.operator(&vote.operator).await?;
        let found = found.filter(|operator| operator.removed_at.is_none());
        let counts = found.is_some_and(|operator| {
            let (operator, roles, act) = (&operator.id, operator.roles.as_slice(), act.clone());
            let verdict = policy.judge_act(&ActRequest { operator, roles, act });
            verdict.decision == Decision::Allow && !asked.contains(operator)
        });
        if !counts {
            gone.insert(vote.operator.clone());
        }
    }
    let route = approval.approver.route().and_then(|route| policy.route(route));
    Ok(Counting { quorum: route.map_or(0, |route| route.quorum), asked, gone })
}
