//! Small values that skills keep.

use postern_domain::{SkillId, Timestamp};
use sqlx::SqliteConnection;

use super::run::{Fields, read_one};
use crate::{
    StoreError,
    sql::{Statement, values},
};

/// How many expired values one sweep removes, so that no lease waits for long.
const SWEEP: u32 = 256;

const SET: Statement<5> = Statement::new(
    "keep a value",
    "INSERT INTO kv (skill, scope, key, value, expires_at) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (skill, scope, key) DO UPDATE SET value = excluded.value, \
     expires_at = excluded.expires_at",
);

const DELETE: Statement<3> =
    Statement::new("forget a value", "DELETE FROM kv WHERE skill = $1 AND scope = $2 AND key = $3");

const GET: Statement<4> = Statement::new(
    "read a value",
    "SELECT value FROM kv WHERE skill = $1 AND scope = $2 AND key = $3 AND expires_at > $4",
);

const USAGE: Statement<2> = Statement::new(
    "count values",
    "SELECT count(*) AS values_kept, \
     CAST(COALESCE(sum(octet_length(key) + octet_length(value)), 0) AS BIGINT) AS bytes_kept \
     FROM kv WHERE skill = $1 AND scope = $2",
);

const EXPIRE: Statement<2> = Statement::new(
    "drop expired values",
    "DELETE FROM kv WHERE (skill, scope, key) IN \
     (SELECT skill, scope, key FROM kv WHERE expires_at <= $1 LIMIT $2)",
);

/// Whose value it is, and its name.
#[derive(Clone, Copy)]
pub(super) struct Name<'a> {
    pub(super) skill: &'a SkillId,
    pub(super) scope: &'a str,
    pub(super) key: &'a str,
}

pub(super) async fn set(
    on: &mut SqliteConnection,
    name: Name<'_>,
    value: Vec<u8>,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    let values = values![name.skill.as_str(), name.scope, name.key, value, expires_at];
    SET.execute(on, values).await.map(drop)
}

pub(super) async fn delete(on: &mut SqliteConnection, name: Name<'_>) -> Result<(), StoreError> {
    DELETE.execute(on, values![name.skill.as_str(), name.scope, name.key]).await.map(drop)
}

pub(super) async fn get(
    on: &mut SqliteConnection,
    name: Name<'_>,
    now: Timestamp,
) -> Result<Option<Vec<u8>>, StoreError> {
    let row = GET.row(on, values![name.skill.as_str(), name.scope, name.key, now]).await?;
    read_one("value", row.as_ref(), |f| f.bytes("value"))
}

pub(super) async fn usage(
    on: &mut SqliteConnection,
    skill: &SkillId,
    scope: &str,
) -> Result<(u64, u64), StoreError> {
    let rows = USAGE.rows(on, values![skill.as_str(), scope]).await?;
    let counted = rows.first().map(|row| {
        let fields = Fields::of("count", row);
        Ok((fields.number("values_kept")?, fields.number("bytes_kept")?))
    });
    counted.unwrap_or(Ok((0, 0)))
}

/// Drops values whose time is over, so that they do not count against quotas.
pub(super) async fn expire(on: &mut SqliteConnection, now: Timestamp) -> Result<(), StoreError> {
    EXPIRE.execute(on, values![now, SWEEP]).await.map(drop)
}
