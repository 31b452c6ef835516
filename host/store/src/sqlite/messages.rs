//! Messages as they are kept, and what their placeholders stand for.

use postern_domain::{ConversationId, StoredMessage, VaultEntry};
use sqlx::SqliteConnection;

use super::run::{Fields, read_all};
use crate::{
    SequencedMessage, Standing, StoreError, VaultHit, VaultTag,
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

/// Of a value that many have, so many rows of one standing are kept: it is nobody's then.
const KEEP_TAGS: Batch<8> = Batch {
    doing: "keep tags of personal values",
    before: "WITH new (tag, whole, conversation, words, kind, customer, owner, standing) AS (",
    after: ") INSERT INTO vault_index \
            (tag, whole, conversation, words, kind, customer, owner, standing) \
            SELECT tag, whole, conversation, words, kind, customer, owner, standing \
            FROM new WHERE (SELECT COUNT(*) FROM (SELECT 1 FROM vault_index AS known \
            WHERE known.tag = new.tag AND known.whole = new.whole \
            AND known.standing = new.standing AND known.conversation <> new.conversation \
            LIMIT 64)) < 64 \
            ON CONFLICT (tag, whole, conversation) DO UPDATE SET \
            customer = COALESCE(excluded.customer, vault_index.customer), \
            owner = COALESCE(excluded.owner, vault_index.owner), \
            standing = MAX(excluded.standing, vault_index.standing)",
};

const HITS: Batch<3> = Batch {
    doing: "look for tags of personal values",
    before: "WITH asked (tag, conversation, customer) AS (",
    after: ") SELECT found.tag, found.whole, found.words, MIN(found.kind) AS kind, \
            MAX(CASE WHEN found.conversation = asked.conversation \
            OR found.customer = asked.customer THEN 1 ELSE 0 END) AS own, \
            MAX(found.standing) AS standing, COUNT(DISTINCT CASE WHEN found.standing = 2 \
            THEN COALESCE(found.owner, found.conversation) END) AS recorded, \
            COUNT(DISTINCT CASE WHEN found.standing = 1 \
            THEN COALESCE(found.owner, found.conversation) END) AS said \
            FROM asked JOIN vault_index AS found ON found.tag = asked.tag \
            AND found.whole IN (SELECT DISTINCT one.whole FROM vault_index AS one \
            WHERE one.tag = asked.tag LIMIT 1000) \
            GROUP BY found.tag, found.whole, found.words",
};

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

pub(super) async fn keep_tags(
    on: &mut SqliteConnection,
    conversation: &ConversationId,
    (customer, owner): (Option<&str>, Option<&str>),
    tags: &[VaultTag],
) -> Result<(), StoreError> {
    let rows = tags.iter().map(|tag| {
        values![
            tag.tag.as_str(),
            tag.whole.as_str(),
            conversation.as_str(),
            tag.words,
            tag.kind.as_str(),
            customer,
            owner,
            match tag.standing {
                Standing::Mentioned => 0_u32,
                Standing::Said => 1,
                Standing::Recorded => 2,
            },
        ]
    });
    KEEP_TAGS.rows(on, rows.collect()).await.map(drop)
}

pub(super) async fn hits(
    on: &mut SqliteConnection,
    conversation: &ConversationId,
    customer: Option<&str>,
    tags: &[String],
) -> Result<Vec<VaultHit>, StoreError> {
    let asked = tags.iter().map(|tag| values![tag.as_str(), conversation.as_str(), customer]);
    read_all("tag of a value", &HITS.rows(on, asked.collect()).await?, |f| {
        let (recorded, said) = (f.number("recorded")?, f.number("said")?);
        let standing = match f.int("standing")? {
            ..=0 => Standing::Mentioned,
            1 => Standing::Said,
            2.. => Standing::Recorded,
        };
        Ok(VaultHit {
            tag: VaultTag {
                tag: f.text("tag")?,
                whole: f.text("whole")?,
                words: f.number("words")?,
                kind: f.text("kind")?,
                standing,
            },
            own: f.int("own")? > 0,
            owners: if recorded > 0 { recorded } else { said },
        })
    })
}
