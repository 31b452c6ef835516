//! Turns, their invocations and what those called.

use std::collections::BTreeMap;

use postern_domain::{
    ConversationId, Digest, InvocationId, JournalEntry, MessageId, Outcome, SkillFailure, SkillId,
    Timestamp, TurnId,
};
use sqlx::SqliteConnection;

use super::run::{Fields, MOST_ROWS, read_all, read_one};
use crate::{
    InvocationRow, StoreError, TurnRow, UseRow,
    form::{Form, write},
    sql::{Batch, Statement, values},
};

const PUT_TURN: Statement<8> = Statement::new(
    "write a turn",
    "INSERT INTO turns (id, conversation, message, plan, generation, summary, started_at, \
     completed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
     ON CONFLICT (id) DO UPDATE SET plan = excluded.plan, generation = excluded.generation, \
     summary = excluded.summary, started_at = excluded.started_at, \
     completed_at = excluded.completed_at",
);

const TURN_OF_MESSAGE: Statement<1> =
    Statement::new("read a turn", "SELECT * FROM turns WHERE message = $1");

const TURNS_OF_CONVERSATION: Statement<1> = Statement::new(
    "read the turns of a conversation",
    "SELECT * FROM turns WHERE conversation = $1 AND seq > COALESCE(\
     (SELECT seq FROM turns WHERE conversation = $1 ORDER BY seq DESC LIMIT 1 OFFSET 200), 0) \
     ORDER BY seq",
);

const PUT_INVOCATION: Statement<14> = Statement::new(
    "write an invocation",
    "INSERT INTO invocations (id, turn, step, skill, version, digest, tool, arguments, result, \
     at, took_us, cpu_us, memory_bytes, host_calls) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
     ON CONFLICT (id) DO UPDATE SET skill = excluded.skill, version = excluded.version, \
     digest = excluded.digest, tool = excluded.tool, arguments = excluded.arguments, \
     result = excluded.result, at = excluded.at, took_us = excluded.took_us, \
     cpu_us = excluded.cpu_us, memory_bytes = excluded.memory_bytes, \
     host_calls = excluded.host_calls",
);

const INVOCATIONS_OF_TURN: Statement<1> = Statement::new(
    "read the invocations of a turn",
    "SELECT * FROM invocations WHERE turn = $1 ORDER BY step",
);

const INVOCATIONS_OF_CONVERSATION: Statement<1> = Statement::new(
    "read the invocations of a conversation",
    "SELECT i.* FROM turns t JOIN invocations i ON i.turn = t.id \
     WHERE t.conversation = $1 AND t.seq > COALESCE(\
     (SELECT seq FROM turns WHERE conversation = $1 ORDER BY seq DESC LIMIT 1 OFFSET 200), 0) \
     ORDER BY t.seq, i.step",
);

const INVOCATION: Statement<1> = Statement::new(
    "read an invocation",
    "SELECT i.*, t.conversation FROM invocations i JOIN turns t ON t.id = i.turn WHERE i.id = $1",
);

const USE_OF_COMPONENT: Statement<3> = Statement::new(
    "read what a skill has used",
    "SELECT result, took_us, cpu_us, memory_bytes, host_calls FROM invocations \
     WHERE skill = $1 AND digest = $2 AND result IS NOT NULL AND took_us > 0 \
     ORDER BY at DESC, turn DESC, step DESC LIMIT $3",
);

const USE_OF_COMPONENT_SINCE: Statement<4> = Statement::new(
    "read what a skill has used since a time",
    "SELECT result, took_us, cpu_us, memory_bytes, host_calls FROM invocations \
     WHERE skill = $1 AND digest = $2 AND at >= $3 AND result IS NOT NULL AND took_us > 0 \
     ORDER BY at DESC, turn DESC, step DESC LIMIT $4",
);

const PUT_JOURNAL: Batch<3> = Batch {
    doing: "write a journal",
    before: "INSERT INTO journal (invocation, seq, record) ",
    after: " ON CONFLICT (invocation, seq) DO UPDATE SET record = excluded.record",
};

const JOURNAL_OF_TURN: Statement<1> = Statement::new(
    "read the journal of a turn",
    "SELECT j.* FROM invocations i JOIN journal j ON j.invocation = i.id \
     WHERE i.turn = $1 ORDER BY i.step, j.seq",
);

const JOURNAL_OF_CONVERSATION: Statement<1> = Statement::new(
    "read the journal of a conversation",
    "SELECT j.* FROM turns t JOIN invocations i ON i.turn = t.id \
     JOIN journal j ON j.invocation = i.id \
     WHERE t.conversation = $1 AND t.seq > COALESCE(\
     (SELECT seq FROM turns WHERE conversation = $1 ORDER BY seq DESC LIMIT 1 OFFSET 200), 0) \
     ORDER BY t.seq, i.step, j.seq",
);

const JUDGED_CALLS: Statement<3> = Statement::new(
    "read judged calls",
    "SELECT j.invocation, j.record, i.* FROM journal j JOIN invocations i ON i.id = j.invocation \
     WHERE (j.invocation, j.seq) > ($1, $2) ORDER BY j.invocation, j.seq LIMIT $3",
);

fn read_turn(f: &Fields<'_>) -> Result<TurnRow, StoreError> {
    Ok(TurnRow {
        id: f.parsed("id")?,
        conversation: f.parsed("conversation")?,
        message: f.parsed("message")?,
        plan: f.json("plan")?,
        generation: f.text("generation")?,
        summary: f.json_or_none("summary")?,
        started_at: f.time("started_at")?,
        completed_at: f.time_or_none("completed_at")?,
    })
}

fn read_invocation(f: &Fields<'_>) -> Result<InvocationRow, StoreError> {
    Ok(InvocationRow {
        id: f.parsed("id")?,
        turn: f.parsed("turn")?,
        step: f.number("step")?,
        skill: f.parsed("skill")?,
        version: f.text("version")?,
        digest: f.digest("digest")?,
        tool: f.text("tool")?,
        arguments: f.json("arguments")?,
        result: f.form_or_none("result")?,
        at: f.time("at")?,
        took_us: f.number("took_us")?,
        cpu_us: f.number("cpu_us")?,
        memory_bytes: f.number("memory_bytes")?,
        host_calls: f.number("host_calls")?,
    })
}

fn read_use(f: &Fields<'_>) -> Result<UseRow, StoreError> {
    let result: Result<Outcome, SkillFailure> = f.form("result")?;
    Ok(UseRow {
        took_us: f.number("took_us")?,
        cpu_us: f.number("cpu_us")?,
        memory_bytes: f.number("memory_bytes")?,
        host_calls: f.number("host_calls")?,
        failure: result.err(),
    })
}

fn read_journal(f: &Fields<'_>) -> Result<JournalEntry, StoreError> {
    Ok(JournalEntry { invocation: f.parsed("invocation")?, record: f.form("record")? })
}

pub(super) async fn put(on: &mut SqliteConnection, turn: &TurnRow) -> Result<(), StoreError> {
    let values = values![
        turn.id.as_str(),
        turn.conversation.as_str(),
        turn.message.as_str(),
        write(&turn.plan),
        turn.generation.as_str(),
        turn.summary.as_ref().map(write),
        turn.started_at,
        turn.completed_at,
    ];
    PUT_TURN.execute(on, values).await.map(drop)
}

pub(super) async fn put_invocation(
    on: &mut SqliteConnection,
    invocation: &InvocationRow,
) -> Result<(), StoreError> {
    let values = values![
        invocation.id.as_str(),
        invocation.turn.as_str(),
        invocation.step,
        invocation.skill.as_str(),
        invocation.version.as_str(),
        invocation.digest.to_string(),
        invocation.tool.as_str(),
        write(&invocation.arguments),
        invocation.result.as_ref().map(Form::to_form),
        invocation.at,
        invocation.took_us,
        invocation.cpu_us,
        invocation.memory_bytes,
        invocation.host_calls,
    ];
    PUT_INVOCATION.execute(on, values).await.map(drop)
}

/// Writes entries of journals; of two for one call the later one counts.
pub(super) async fn put_journal(
    on: &mut SqliteConnection,
    entries: &[JournalEntry],
) -> Result<(), StoreError> {
    let entries: BTreeMap<_, _> =
        entries.iter().map(|entry| ((&entry.invocation, entry.record.seq), entry)).collect();
    let rows = entries.into_iter().map(|((invocation, seq), entry)| {
        values![invocation.as_str(), seq, entry.record.to_form()]
    });
    PUT_JOURNAL.rows(on, rows.collect()).await.map(drop)
}

pub(super) async fn of_message(
    on: &mut SqliteConnection,
    message: &MessageId,
) -> Result<Option<TurnRow>, StoreError> {
    let row = TURN_OF_MESSAGE.row(on, values![message.as_str()]).await?;
    read_one("turn", row.as_ref(), read_turn)
}

pub(super) async fn of_conversation(
    on: &mut SqliteConnection,
    id: &ConversationId,
) -> Result<Vec<TurnRow>, StoreError> {
    read_all("turn", &TURNS_OF_CONVERSATION.rows(on, values![id.as_str()]).await?, read_turn)
}

pub(super) async fn invocations(
    on: &mut SqliteConnection,
    turn: &TurnId,
) -> Result<Vec<InvocationRow>, StoreError> {
    let rows = INVOCATIONS_OF_TURN.rows(on, values![turn.as_str()]).await?;
    read_all("invocation", &rows, read_invocation)
}

pub(super) async fn invocation(
    on: &mut SqliteConnection,
    id: &InvocationId,
) -> Result<Option<(InvocationRow, ConversationId)>, StoreError> {
    let row = INVOCATION.row(on, values![id.as_str()]).await?;
    read_one("invocation", row.as_ref(), |f| Ok((read_invocation(f)?, f.parsed("conversation")?)))
}

pub(super) async fn judged_calls(
    on: &mut SqliteConnection,
    after: Option<(InvocationId, u32)>,
    limit: u32,
) -> Result<Vec<(InvocationRow, JournalEntry)>, StoreError> {
    // Every id comes after the empty one.
    let (invocation, seq) = after.map_or((String::new(), 0), |(id, seq)| (id.to_string(), seq));
    let rows = JUDGED_CALLS.rows(on, values![invocation, seq, limit.min(MOST_ROWS)]).await?;
    read_all("journal entry", &rows, |f| Ok((read_invocation(f)?, read_journal(f)?)))
}

pub(super) async fn invocations_of_conversation(
    on: &mut SqliteConnection,
    id: &ConversationId,
) -> Result<Vec<InvocationRow>, StoreError> {
    let rows = INVOCATIONS_OF_CONVERSATION.rows(on, values![id.as_str()]).await?;
    read_all("invocation", &rows, read_invocation)
}

pub(super) async fn use_of_component(
    on: &mut SqliteConnection,
    skill: &SkillId,
    component: Digest,
    limit: u32,
) -> Result<Vec<UseRow>, StoreError> {
    let values = values![skill.as_str(), component.to_string(), limit];
    read_all("invocation", &USE_OF_COMPONENT.rows(on, values).await?, read_use)
}

pub(super) async fn use_since(
    on: &mut SqliteConnection,
    (skill, component): (&SkillId, Digest),
    since: Timestamp,
    limit: u32,
) -> Result<Vec<UseRow>, StoreError> {
    let values = values![skill.as_str(), component.to_string(), since, limit.min(MOST_ROWS)];
    read_all("invocation", &USE_OF_COMPONENT_SINCE.rows(on, values).await?, read_use)
}

pub(super) async fn journal(
    on: &mut SqliteConnection,
    turn: &TurnId,
) -> Result<Vec<JournalEntry>, StoreError> {
    let rows = JOURNAL_OF_TURN.rows(on, values![turn.as_str()]).await?;
    read_all("journal entry", &rows, read_journal)
}

pub(super) async fn journal_of_conversation(
    on: &mut SqliteConnection,
    id: &ConversationId,
) -> Result<Vec<JournalEntry>, StoreError> {
    let rows = JOURNAL_OF_CONVERSATION.rows(on, values![id.as_str()]).await?;
    read_all("journal entry", &rows, read_journal)
}
