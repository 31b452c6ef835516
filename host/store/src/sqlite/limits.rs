//! What is taken from limits.

use std::collections::BTreeMap;

use postern_domain::{LimitUse, Take, Timestamp};
use sqlx::{SqliteConnection, sqlite::SqliteRow};

use super::run::{Fields, MOST_ROWS, read_all, read_one};
use crate::{
    StoreError,
    sql::{Statement, values},
};

/// How long a taking is known at least: longer than a call can wait.
const KNOWN_MS: i64 = 7 * 24 * 60 * 60 * 1_000;
/// How many rows of each kind that count no more one commit removes.
const SWEEP: u32 = 256;

const RESERVE: Statement<5> = Statement::new(
    "reserve from a limit",
    "INSERT INTO limit_reservations (reservation, limit_name, scope, at, until) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (reservation, limit_name, scope) DO UPDATE SET \
     at = excluded.at, until = excluded.until WHERE limit_reservations.until <= excluded.at",
);

const DROP_RESERVATIONS: Statement<2> = Statement::new(
    "drop old reservations",
    "DELETE FROM limit_reservations WHERE (reservation, limit_name, scope) IN \
     (SELECT reservation, limit_name, scope FROM limit_reservations WHERE until <= $1 LIMIT $2)",
);

const RATE: Statement<2> = Statement::new(
    "read a rate",
    "SELECT tat FROM limit_rates WHERE limit_name = $1 AND scope = $2",
);

const SET_RATE: Statement<3> = Statement::new(
    "count a rate",
    "INSERT INTO limit_rates (limit_name, scope, tat) VALUES ($1, $2, $3) \
     ON CONFLICT (limit_name, scope) DO UPDATE SET tat = excluded.tat",
);

const DROP_RATES: Statement<2> = Statement::new(
    "drop rates of which all is free",
    "DELETE FROM limit_rates WHERE (limit_name, scope) IN \
     (SELECT limit_name, scope FROM limit_rates WHERE tat <= $1 LIMIT $2)",
);

const DROP_SUMS_OF: Statement<4> = Statement::new(
    "drop what a sum no longer counts",
    "DELETE FROM limit_sums WHERE seq IN \
     (SELECT seq FROM limit_sums WHERE limit_name = $1 AND scope = $2 AND at <= $3 \
      ORDER BY at LIMIT $4) RETURNING limit_name, scope, amount",
);

const DROP_SUMS_AHEAD: Statement<4> = Statement::new(
    "drop what a clock that was ahead has counted",
    "DELETE FROM limit_sums WHERE seq IN \
     (SELECT seq FROM limit_sums WHERE limit_name = $1 AND scope = $2 AND at > $3 LIMIT $4) \
     RETURNING limit_name, scope, amount",
);

const DROP_SUMS: Statement<2> = Statement::new(
    "drop what sums no longer count",
    "DELETE FROM limit_sums WHERE seq IN \
     (SELECT seq FROM limit_sums WHERE until <= $1 LIMIT $2) RETURNING limit_name, scope, amount",
);

const TOTAL: Statement<2> = Statement::new(
    "read a sum",
    "SELECT total FROM limit_totals WHERE limit_name = $1 AND scope = $2",
);

const ADD: Statement<5> = Statement::new(
    "count an amount",
    "INSERT INTO limit_sums (limit_name, scope, at, until, amount) VALUES ($1, $2, $3, $4, $5)",
);

const SET_TOTAL: Statement<3> = Statement::new(
    "count a sum",
    "INSERT INTO limit_totals (limit_name, scope, total) VALUES ($1, $2, $3) \
     ON CONFLICT (limit_name, scope) DO UPDATE SET total = excluded.total",
);

const DROP_TOTAL: Statement<2> = Statement::new(
    "drop a sum of nothing",
    "DELETE FROM limit_totals WHERE limit_name = $1 AND scope = $2",
);

const OLDEST: Statement<3> = Statement::new(
    "find out when a sum is smaller",
    "SELECT at, amount FROM limit_sums WHERE limit_name = $1 AND scope = $2 ORDER BY at LIMIT $3",
);

/// One counter.
type Counter<'a> = (&'a str, &'a str);

/// Takes all of `uses`, each reservation once, or fails.
pub(super) async fn take(
    on: &mut SqliteConnection,
    uses: &[LimitUse],
    at: Timestamp,
) -> Result<(), StoreError> {
    for one in uses {
        if reserve(&mut *on, one, at).await? {
            let counter = (one.limit.as_str(), one.scope.as_str());
            match one.take {
                Take::Rate { interval_ms, burst } => {
                    take_rate(&mut *on, counter, interval_ms, burst, at).await?;
                }
                Take::Sum { amount, most, window_ms } => {
                    let window = Window { most, ms: window_ms };
                    take_sum(&mut *on, counter, amount, window, at).await?;
                }
            }
        }
    }
    sweep(on, at).await
}

/// Whether a taking has not been counted yet.
async fn reserve(
    on: &mut SqliteConnection,
    one: &LimitUse,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let counted_ms = match one.take {
        Take::Rate { .. } => 0,
        Take::Sum { window_ms, .. } => window_ms,
    };
    let until = at.plus_millis(counted_ms.max(KNOWN_MS));
    let values =
        values![one.reservation.as_str(), one.limit.as_str(), one.scope.as_str(), at, until];
    Ok(RESERVE.execute(on, values).await? > 0)
}

/// The virtual scheduling form of the generic cell rate algorithm (ITU-T I.371,
/// annex A): the counter is the time at which all is free again.
async fn take_rate(
    on: &mut SqliteConnection,
    (limit, scope): Counter<'_>,
    interval_ms: i64,
    burst: u32,
    at: Timestamp,
) -> Result<(), StoreError> {
    let interval_ms = interval_ms.max(1);
    let whole_ms = interval_ms.saturating_mul(i64::from(burst.max(1)));
    let row = RATE.row(&mut *on, values![limit, scope]).await?;
    let tat = read_one("rate", row.as_ref(), |f| f.time("tat"))?.unwrap_or(at);
    // It lies further ahead only if the clock was, or if the limit was tighter.
    // Counting it would close the limit for as long; a refusal cannot correct it.
    let tat = if tat > at.plus_millis(whole_ms) { at } else { tat.max(at) };
    let free_at = tat.plus_millis(interval_ms - whole_ms);
    if free_at > at {
        return Err(reached(limit, Some(free_at)));
    }
    SET_RATE.execute(on, values![limit, scope, tat.plus_millis(interval_ms)]).await.map(drop)
}

/// How much there is, and within which time.
struct Window {
    most: i64,
    ms: i64,
}

async fn take_sum(
    on: &mut SqliteConnection,
    counter: Counter<'_>,
    amount: i64,
    window: Window,
    at: Timestamp,
) -> Result<(), StoreError> {
    let (limit, scope) = counter;
    // A negative amount would make room for others.
    if amount < 0 || amount > window.most {
        return Err(reached(limit, None));
    }
    let window_ms = window.ms.max(1);
    let (begin, end) = (at.plus_millis(-window_ms), at.plus_millis(window_ms));
    for (drop, bound) in [(&DROP_SUMS_OF, begin), (&DROP_SUMS_AHEAD, end)] {
        let gone = drop.rows(&mut *on, values![limit, scope, bound, MOST_ROWS]).await?;
        subtract(&mut *on, &gone).await?;
    }

    let total = total(&mut *on, counter).await?;
    let room = window.most.saturating_sub(total);
    if amount > room {
        let rows = OLDEST.rows(on, values![limit, scope, MOST_ROWS]).await?;
        let rows = read_all("sum", &rows, |f| Ok((f.time("at")?, f.int("amount")?)))?;
        return Err(reached(limit, room_at(&rows, amount.saturating_sub(room), window_ms)));
    }
    if amount > 0 {
        ADD.execute(&mut *on, values![limit, scope, at, end, amount]).await?;
        SET_TOTAL.execute(on, values![limit, scope, total.saturating_add(amount)]).await?;
    }
    Ok(())
}

/// When `wanted` of the amounts, oldest first, have left the window. If the rows
/// that were read are not enough, it is when the last of them has.
fn room_at(rows: &[(Timestamp, i64)], wanted: i64, window_ms: i64) -> Option<Timestamp> {
    let mut freed: i64 = 0;
    let enough = rows.iter().find(|(_, amount)| {
        freed = freed.saturating_add(*amount);
        freed >= wanted
    });
    enough.or_else(|| rows.last()).map(|(at, _)| at.plus_millis(window_ms))
}

fn reached(limit: &str, retry_at: Option<Timestamp>) -> StoreError {
    StoreError::LimitReached { limit: limit.to_owned(), retry_at }
}

async fn total(on: &mut SqliteConnection, counter: Counter<'_>) -> Result<i64, StoreError> {
    let row = TOTAL.row(on, values![counter.0, counter.1]).await?;
    Ok(read_one("sum", row.as_ref(), |f| f.int("total"))?.unwrap_or(0))
}

/// Takes rows that are gone off the totals of their counters.
async fn subtract(on: &mut SqliteConnection, gone: &[SqliteRow]) -> Result<(), StoreError> {
    let mut sums: BTreeMap<(String, String), i64> = BTreeMap::new();
    for row in gone {
        let fields = Fields::of("sum", row);
        let counter = (fields.text("limit_name")?, fields.text("scope")?);
        let sum = sums.entry(counter).or_default();
        *sum = sum.saturating_add(fields.int("amount")?);
    }
    for ((limit, scope), sum) in sums {
        let left = total(&mut *on, (&limit, &scope)).await?.saturating_sub(sum);
        if left > 0 {
            SET_TOTAL.execute(&mut *on, values![limit, scope, left]).await?;
        } else {
            DROP_TOTAL.execute(&mut *on, values![limit, scope]).await?;
        }
    }
    Ok(())
}

/// Drops what counts no more, a few rows at a time: most counters belong to
/// customers who do not come back soon.
async fn sweep(on: &mut SqliteConnection, at: Timestamp) -> Result<(), StoreError> {
    DROP_RESERVATIONS.execute(&mut *on, values![at, SWEEP]).await?;
    DROP_RATES.execute(&mut *on, values![at, SWEEP]).await?;
    let gone = DROP_SUMS.rows(&mut *on, values![at, SWEEP]).await?;
    subtract(on, &gone).await
}
