//! What a worker needs to process a message.

use postern_domain::Timestamp;
use sqlx::SqliteConnection;

use super::{approvals, conversations, inbox, lease, messages, run::engine, tickets, turns};
use crate::{Lease, StoreError, Work};

/// A waiting message without a conversation, which references rule out.
#[derive(Debug, thiserror::Error)]
#[error("its conversation is missing")]
struct Orphan;

/// Reads the next due message of a leased conversation with all its context, out
/// of one transaction.
pub(super) async fn read(
    on: &mut SqliteConnection,
    lease: &Lease,
    now: Timestamp,
) -> Result<Option<Work>, StoreError> {
    lease::check(&mut *on, lease).await?;
    let id = &lease.conversation;
    let Some((message, attempts)) = inbox::next(&mut *on, id, now).await? else {
        return Ok(None);
    };
    let conversation = conversations::one(&mut *on, id).await?;
    let conversation = conversation.ok_or_else(|| engine("read a waiting message")(Orphan))?;
    let ticket = match &conversation.ticket {
        Some(ticket) => tickets::one(&mut *on, ticket).await?,
        None => None,
    };
    let turn = turns::of_message(&mut *on, &message.id()).await?;
    let (invocations, journal, approvals) = match &turn {
        Some(turn) => (
            turns::invocations(&mut *on, &turn.id).await?,
            turns::journal(&mut *on, &turn.id).await?,
            approvals::of_turn(&mut *on, &turn.id).await?,
        ),
        None => (Vec::new(), Vec::new(), Vec::new()),
    };
    Ok(Some(Work {
        message,
        attempts,
        conversation,
        history: messages::history(&mut *on, id).await?,
        vault: messages::vault(on, id).await?,
        ticket,
        turn,
        invocations,
        journal,
        approvals,
    }))
}
