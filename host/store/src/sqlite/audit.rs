//! The audit log: chains of rows, each with the hash of the one before.

use postern_domain::{AuditHead, AuditRow, Checkpoint, ConversationId, Digest, ScannedRow};
use sqlx::SqliteConnection;

use super::run::{Fields, read_all, read_one};
use crate::{
    StoreError,
    clean::CleanEntries,
    form::Form,
    sql::{Batch, Statement, values},
};

const HEAD: Statement<1> = Statement::new(
    "read the end of the audit chain",
    "SELECT number, hash FROM audit_heads WHERE chain = $1",
);

const APPEND: Batch<6> = Batch {
    doing: "append to the audit log",
    before: "INSERT INTO audit (chain, number, previous, hash, conversation, entry) ",
    // In the same round trip, which costs more than the row.
    after: "; INSERT INTO audit_heads (chain, number, hash) \
            SELECT chain, number, hash FROM audit WHERE seq = last_insert_rowid() \
            ON CONFLICT (chain) DO UPDATE SET number = excluded.number, hash = excluded.hash",
};

const TAIL: Statement<1> =
    Statement::new("read the audit log", "SELECT * FROM audit ORDER BY seq DESC LIMIT $1");

const SCAN: Statement<2> = Statement::new(
    "read the audit log in order",
    "SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2",
);

const HEADS: Statement<0> = Statement::new(
    "read the ends of the audit chains",
    "SELECT chain, number, hash FROM audit_heads ORDER BY chain",
);

const LAST: Statement<0> = Statement::new(
    "find the end of the audit log",
    "SELECT COALESCE(MAX(seq), 0) AS last FROM audit",
);

const CHECKPOINTS: Statement<0> =
    Statement::new("read the checkpoints", "SELECT body FROM audit_checkpoints ORDER BY number");

const ADD_CHECKPOINT: Statement<2> = Statement::new(
    "keep a checkpoint",
    "INSERT INTO audit_checkpoints (number, body) VALUES ($1, $2)",
);

const TAIL_OF_CONVERSATION: Statement<2> = Statement::new(
    "read the audit log of a conversation",
    "SELECT * FROM audit WHERE conversation = $2 ORDER BY seq DESC LIMIT $1",
);

fn read(f: &Fields<'_>) -> Result<AuditRow, StoreError> {
    Ok(AuditRow {
        chain: f.text("chain")?,
        number: f.number("number")?,
        previous: f.digest("previous")?,
        hash: f.digest("hash")?,
        entry: f.form("entry")?,
    })
}

/// Links the entries to the chain and moves its end. The end of the chain is read here, inside the
/// transaction, and never kept in memory: what a lost transaction wrote must not
/// be linked to.
pub(super) async fn append(
    on: &mut SqliteConnection,
    chain: &str,
    CleanEntries(entries): CleanEntries,
) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    let head = HEAD.row(&mut *on, values![chain]).await?;
    let head = read_one("audit chain", head.as_ref(), |f| {
        Ok((f.number::<u64>("number")?, f.digest("hash")?))
    })?;
    let (mut number, mut hash) = head.unwrap_or((0, Digest::ZERO));
    let mut rows = Vec::with_capacity(entries.len());
    for entry in entries {
        number += 1;
        let row = AuditRow::link(chain, number, hash, entry);
        hash = row.hash;
        rows.push(values![
            row.chain,
            row.number,
            row.previous.to_string(),
            row.hash.to_string(),
            row.entry.conversation.as_ref().map(|conversation| conversation.as_str()),
            row.entry.to_form(),
        ]);
    }
    APPEND.rows(on, rows).await.map(drop)
}

/// The last rows, oldest first.
pub(super) async fn tail(
    on: &mut SqliteConnection,
    limit: u32,
    conversation: Option<&ConversationId>,
) -> Result<Vec<AuditRow>, StoreError> {
    let mut rows = match conversation {
        None => TAIL.rows(on, values![limit]).await?,
        Some(id) => TAIL_OF_CONVERSATION.rows(on, values![limit, id.as_str()]).await?,
    };
    rows.reverse();
    read_all("audit row", &rows, read)
}

/// A row with its place. A row that cannot be read, or that is stored in other
/// words than we store it in, is given without content: its hash says nothing.
/// Whoever can write such a row must not be able to end the reading with it.
fn scanned(f: &Fields<'_>) -> Result<ScannedRow, StoreError> {
    let stored = || -> Result<AuditRow, StoreError> {
        let row = read(f)?;
        let conversation = row.entry.conversation.as_ref().map(ConversationId::as_str);
        let same = row.entry.to_form() == f.text("entry")?
            && conversation == f.text_or_none("conversation")?.as_deref();
        if same { Ok(row) } else { Err(f.corrupt("it is stored in other words")) }
    };
    Ok(ScannedRow {
        seq: f.int("seq")?,
        chain: f.text("chain").unwrap_or_else(|_| "(unreadable)".to_owned()),
        number: f.number("number").unwrap_or_default(),
        row: stored().ok(),
    })
}

pub(super) async fn scan(
    on: &mut SqliteConnection,
    after: i64,
    limit: u32,
) -> Result<Vec<ScannedRow>, StoreError> {
    read_all("audit row", &SCAN.rows(on, values![after, limit]).await?, scanned)
}

pub(super) async fn heads(on: &mut SqliteConnection) -> Result<(Vec<AuditHead>, i64), StoreError> {
    let heads = read_all("audit chain", &HEADS.rows(&mut *on, values![]).await?, |f| {
        Ok(AuditHead {
            chain: f.text("chain")?,
            number: f.number("number")?,
            hash: f.digest("hash")?,
        })
    })?;
    let last = LAST.row(on, values![]).await?;
    let last = read_one("audit row", last.as_ref(), |f| f.int("last"))?;
    Ok((heads, last.unwrap_or_default()))
}

pub(super) async fn checkpoints(on: &mut SqliteConnection) -> Result<Vec<Checkpoint>, StoreError> {
    read_all("checkpoint", &CHECKPOINTS.rows(on, values![]).await?, |f| f.form("body"))
}

pub(super) async fn add_checkpoint(
    on: &mut SqliteConnection,
    checkpoint: &Checkpoint,
) -> Result<(), StoreError> {
    let values = values![checkpoint.number, checkpoint.to_form()];
    ADD_CHECKPOINT.execute(on, values).await.map(drop)
}
