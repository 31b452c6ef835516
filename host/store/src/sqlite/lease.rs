//! Leases of conversations, and what waits for one.

use postern_domain::{ConversationId, Timestamp};
use sqlx::SqliteConnection;

use super::run::{Fields, read_one};
use crate::{
    Lease, StoreError,
    sql::{Statement, values},
};

const TAKE: Statement<3> = Statement::new(
    "lease a conversation",
    "UPDATE conversations SET lease_owner = $1, lease_until = $2, fence = fence + 1 \
     WHERE id = (SELECT id FROM conversations WHERE inbox_due_at <= $3 AND lease_until <= $3 \
                 ORDER BY inbox_due_at, inbox_seq LIMIT 1) \
     RETURNING id, fence",
);

const RENEW: Statement<3> = Statement::new(
    "renew a lease",
    "UPDATE conversations SET lease_until = $3 \
     WHERE id = $1 AND fence = $2 AND lease_owner IS NOT NULL",
);

const RELEASE: Statement<2> = Statement::new(
    "release a lease",
    "UPDATE conversations SET lease_owner = NULL, lease_until = 0 WHERE id = $1 AND fence = $2",
);

const RELEASE_ALL: Statement<0> = Statement::new(
    "release the leases of a dead process",
    "UPDATE conversations SET lease_owner = NULL, lease_until = 0 WHERE lease_owner IS NOT NULL",
);

const HOLDS: Statement<2> = Statement::new(
    "check a lease",
    "SELECT fence FROM conversations WHERE id = $1 AND fence = $2 AND lease_owner IS NOT NULL",
);

const NEXT_DUE: Statement<0> = Statement::new(
    "find out when something is due",
    "SELECT min(due) AS due FROM (\
       SELECT min(inbox_due_at) AS due FROM conversations \
       WHERE inbox_due_at IS NOT NULL AND lease_owner IS NULL \
       UNION ALL \
       SELECT min(CASE WHEN lease_until > inbox_due_at THEN lease_until ELSE inbox_due_at END) \
       FROM conversations WHERE lease_owner IS NOT NULL \
       UNION ALL \
       SELECT min(outbox_due_at) FROM conversations WHERE outbox_due_at IS NOT NULL\
     ) AS waiting",
);

const BACKLOG: Statement<0> = Statement::new(
    "count what waits",
    "SELECT (SELECT count(*) FROM inbox WHERE state = 'waiting' AND parked = 0) AS messages_in, \
            (SELECT count(*) FROM outbox WHERE state = 'pending') \
              + (SELECT count(*) FROM outbox WHERE state = 'sending') AS messages_out",
);

pub(super) async fn take(
    on: &mut SqliteConnection,
    owner: &str,
    now: Timestamp,
    ttl_ms: i64,
) -> Result<Option<Lease>, StoreError> {
    let row = TAKE.row(on, values![owner, now.plus_millis(ttl_ms), now]).await?;
    read_one("lease", row.as_ref(), |f| {
        Ok(Lease { conversation: f.parsed("id")?, fence: f.int("fence")? })
    })
}

pub(super) async fn renew(
    on: &mut SqliteConnection,
    lease: &Lease,
    until: Timestamp,
) -> Result<(), StoreError> {
    let met = RENEW.execute(on, values![lease.conversation.as_str(), lease.fence, until]).await?;
    held(met > 0, &lease.conversation)
}

pub(super) async fn release(on: &mut SqliteConnection, lease: &Lease) -> Result<(), StoreError> {
    RELEASE.execute(on, values![lease.conversation.as_str(), lease.fence]).await.map(drop)
}

pub(super) async fn release_all(on: &mut SqliteConnection) -> Result<(), StoreError> {
    RELEASE_ALL.execute(on, values![]).await.map(drop)
}

/// Fails unless the lease is still held. One whose time is over counts until
/// somebody else takes the conversation.
pub(super) async fn check(on: &mut SqliteConnection, lease: &Lease) -> Result<(), StoreError> {
    let row = HOLDS.row(on, values![lease.conversation.as_str(), lease.fence]).await?;
    held(row.is_some(), &lease.conversation)
}

fn held(held: bool, conversation: &ConversationId) -> Result<(), StoreError> {
    if held { Ok(()) } else { Err(StoreError::Fenced { conversation: conversation.clone() }) }
}

/// When something is next due. A message of a leased conversation counts from
/// the end of the lease: until then somebody is at work on it.
pub(super) async fn next_due(on: &mut SqliteConnection) -> Result<Option<Timestamp>, StoreError> {
    let row = NEXT_DUE.row(on, values![]).await?;
    Ok(read_one("due time", row.as_ref(), |f| f.time_or_none("due"))?.flatten())
}

pub(super) async fn backlog(on: &mut SqliteConnection) -> Result<(u64, u64), StoreError> {
    let rows = BACKLOG.rows(on, values![]).await?;
    let counted = rows.first().map(|row| {
        let fields = Fields::of("count", row);
        Ok((fields.number("messages_in")?, fields.number("messages_out")?))
    });
    counted.unwrap_or(Ok((0, 0)))
}
