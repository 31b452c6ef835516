//! Messages as they are kept, and what their placeholders stand for.

use postern_domain::{ConversationId, StoredMessage, VaultEntry};
use sqlx::SqliteConnection;

use super::run::{Fields, read_all};
use crate::{
    SequencedMessage, StoreError,
    sql::{Batch, Statement, values},
};

/// How many messages the pipeline sees of what was said before.
const HISTORY: u32 = 10;

const APPEND: Statement<5> = Statement::new(
    "append a message",
    "INSERT INTO messages (id, conversation, author, text, at) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (id) DO NOTHING",
);

const ACTIVE: Statement<2> = Statement::new(
    "note that a conversation is active",
    "UPDATE conversations SET active_at = $2 WHERE id = $1 AND active_at < $2",
);

const LAST: Statement<2> = Statement::new(
    "read the last messages",
    "SELECT * FROM messages WHERE conversation = $1 ORDER BY seq DESC LIMIT $2",
);

const AFTER: Statement<3> = Statement::new(
    "read new messages",
    "SELECT * FROM messages WHERE conversation = $1 AND seq > $2 ORDER BY seq LIMIT $3",
);

const ALL: Statement<1> = Statement::new(
    "read the messages of a conversation",
    "SELECT * FROM messages WHERE conversation = $1 AND seq > COALESCE(\
     (SELECT seq FROM messages WHERE conversation = $1 ORDER BY seq DESC LIMIT 1 OFFSET 1000), 0) \
     ORDER BY seq",
);

const KEEP_VALUES: Batch<4> = Batch {
    doing: "keep personal values",
    before: "INSERT INTO vault (conversation, placeholder, kind, value) ",
    after: " ON CONFLICT (conversation, placeholder) DO NOTHING",
};

const VALUES: Statement<1> = Statement::new(
    "read personal values",
    "SELECT placeholder, kind, value FROM vault WHERE conversation = $1 ORDER BY seq",
);

fn read(f: &Fields<'_>) -> Result<SequencedMessage, StoreError> {
    let message = StoredMessage {
        id: f.parsed("id")?,
        conversation: f.parsed("conversation")?,
        author: f.named("author")?,
        text: f.text("text")?,
        at: f.time("at")?,
    };
    Ok(SequencedMessage { seq: f.int("seq")?, message })
}

pub(super) async fn append(
    on: &mut SqliteConnection,
    message: &StoredMessage,
) -> Result<(), StoreError> {
    let new = APPEND
        .execute(
            &mut *on,
            values![
                message.id.as_str(),
                message.conversation.as_str(),
                message.author.as_str(),
                message.text.as_str(),
                message.at,
            ],
        )
        .await?;
    if new > 0 {
        ACTIVE.execute(on, values![message.conversation.as_str(), message.at]).await?;
    }
    Ok(())
}

/// The last messages of a conversation, oldest first.
pub(super) async fn history(
    on: &mut SqliteConnection,
    conversation: &ConversationId,
) -> Result<Vec<StoredMessage>, StoreError> {
    let rows = LAST.rows(on, values![conversation.as_str(), HISTORY]).await?;
    let mut messages = read_all("message", &rows, |f| read(f).map(|found| found.message))?;
    messages.reverse();
    Ok(messages)
}

pub(super) async fn after(
    on: &mut SqliteConnection,
    conversation: &ConversationId,
    seq: i64,
    limit: u32,
) -> Result<Vec<SequencedMessage>, StoreError> {
    read_all("message", &AFTER.rows(on, values![conversation.as_str(), seq, limit]).await?, read)
}

pub(super) async fn of_conversation(
    on: &mut SqliteConnection,
    conversation: &ConversationId,
) -> Result<Vec<SequencedMessage>, StoreError> {
    read_all("message", &ALL.rows(on, values![conversation.as_str()]).await?, read)
}

pub(super) async fn keep_values(
    on: &mut SqliteConnection,
    conversation: &ConversationId,
    entries: &[VaultEntry],
) -> Result<(), StoreError> {
    let rows = entries.iter().map(|entry| {
        values![
            conversation.as_str(),
            entry.placeholder.as_str(),
            entry.kind.as_str(),
            entry.value.as_str(),
        ]
    });
    KEEP_VALUES.rows(on, rows.collect()).await.map(drop)
}

pub(super) async fn vault(
    on: &mut SqliteConnection,
    conversation: &ConversationId,
) -> Result<Vec<VaultEntry>, StoreError> {
    read_all("personal value", &VALUES.rows(on, values![conversation.as_str()]).await?, |f| {
        Ok(VaultEntry {
            placeholder: f.text("placeholder")?,
            kind: f.text("kind")?,
            value: f.text("value")?,
        })
    })
}
