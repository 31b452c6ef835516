//! Messages that came in.

use std::collections::HashMap;

use postern_domain::{
    ConversationId, ConversationState, IdentityLevel, InboundMessage, MessageId, Timestamp,
};
use sqlx::SqliteConnection;

use super::run::{Fields, engine, must_exist, read_one};
use crate::{
    Accepted, StoreError,
    form::Form,
    sql::{Batch, Statement, values},
};

/// The language of a conversation whose channel does not tell it (BCP 47:
/// undetermined).
const NO_LANGUAGE: &str = "und";

const KEEP: Batch<6> = Batch {
    doing: "keep messages",
    before: "INSERT INTO inbox (id, conversation, state, attempts, due_at, content) ",
    after: " ON CONFLICT (id) DO NOTHING RETURNING seq, id",
};

const OPEN: Batch<14> = Batch {
    doing: "open conversations",
    before: "INSERT INTO conversations (id, channel, account, chat, sender, private, nonce, \
             language, identity, state, created_at, active_at, inbox_seq, inbox_due_at) ",
    after: " ON CONFLICT (id) DO UPDATE SET \
             active_at = CASE WHEN conversations.active_at < excluded.active_at \
                         THEN excluded.active_at ELSE conversations.active_at END, \
             inbox_seq = COALESCE(conversations.inbox_seq, excluded.inbox_seq), \
             inbox_due_at = COALESCE(conversations.inbox_due_at, excluded.inbox_due_at)",
};

const DONE: Statement<1> = Statement::new(
    "mark a message as processed",
    "UPDATE inbox SET state = 'done', content = NULL WHERE id = $1 AND state = 'waiting' \
     RETURNING conversation",
);

const DEAD: Statement<2> = Statement::new(
    "give a message up",
    "UPDATE inbox SET state = 'dead', last_error = $2 WHERE id = $1 AND state = 'waiting' \
     RETURNING conversation",
);

const RETRY: Statement<3> = Statement::new(
    "put a message off",
    "UPDATE inbox SET attempts = attempts + 1, due_at = $2, last_error = $3 \
     WHERE id = $1 AND state = 'waiting' RETURNING conversation",
);

const PARK: Statement<1> = Statement::new(
    "park a message",
    "UPDATE inbox SET parked = 1 - woken, woken = 0 WHERE id = $1 AND state = 'waiting' \
     RETURNING conversation",
);

const WAKE: Statement<1> = Statement::new(
    "wake a message",
    "UPDATE inbox SET parked = 0, woken = 1 - parked, \
     attempts = CASE parked WHEN 0 THEN attempts ELSE 0 END, \
     due_at = CASE parked WHEN 0 THEN due_at ELSE 0 END \
     WHERE id = $1 AND state = 'waiting' RETURNING conversation",
);

const SET_HEAD: Statement<1> = Statement::new(
    "find a conversation's next message",
    "UPDATE conversations SET \
     inbox_seq = (SELECT min(seq) FROM inbox \
                  WHERE conversation = $1 AND state = 'waiting' AND parked = 0), \
     inbox_due_at = (SELECT due_at FROM inbox \
                     WHERE conversation = $1 AND state = 'waiting' AND parked = 0 \
                     ORDER BY seq LIMIT 1) \
     WHERE id = $1",
);

const NEXT: Statement<2> = Statement::new(
    "read a waiting message",
    "SELECT i.content, i.attempts FROM conversations c JOIN inbox i ON i.seq = c.inbox_seq \
     WHERE c.id = $1 AND c.inbox_due_at <= $2",
);

#[derive(Debug, thiserror::Error)]
#[error("there are {messages} messages but {nonces} nonces; each message needs one")]
struct Uneven {
    messages: usize,
    nonces: usize,
}

pub(super) async fn accept(
    on: &mut SqliteConnection,
    messages: &[InboundMessage],
    nonces: &[String],
) -> Result<Vec<Accepted>, StoreError> {
    if messages.len() != nonces.len() {
        let uneven = Uneven { messages: messages.len(), nonces: nonces.len() };
        return Err(engine("accept messages")(uneven));
    }
    let rows = messages.iter().map(|message| {
        values![
            message.id().as_str(),
            message.conversation_id().as_str(),
            "waiting",
            0_i64,
            message.received_at,
            message.to_form(),
        ]
    });
    let mut kept: HashMap<MessageId, i64> = HashMap::new();
    for row in KEEP.rows(on, rows.collect()).await? {
        let fields = Fields::of("inbound message", &row);
        kept.insert(fields.parsed("id")?, fields.int("seq")?);
    }

    // Only a new message opens a conversation, and only the first of several in
    // a conversation can be its next one.
    let mut accepted = Vec::with_capacity(messages.len());
    let mut opened: HashMap<ConversationId, _> = HashMap::new();
    for (message, nonce) in messages.iter().zip(nonces) {
        let Some(seq) = kept.remove(&message.id()) else {
            accepted.push(Accepted::Duplicate);
            continue;
        };
        accepted.push(Accepted::New);
        opened.entry(message.conversation_id()).or_insert((message, nonce, seq));
    }
    let rows = opened.into_iter().map(|(id, (message, nonce, seq))| {
        let state =
            ConversationState { last_active: message.received_at, ..ConversationState::default() };
        values![
            id.as_str(),
            message.channel.as_str(),
            message.account.as_str(),
            message.chat.as_str(),
            message.sender.as_str(),
            message.private,
            nonce.as_str(),
            message.language.as_deref().unwrap_or(NO_LANGUAGE),
            IdentityLevel::default().as_str(),
            state.to_form(),
            message.received_at,
            message.received_at,
            seq,
            message.received_at,
        ]
    });
    OPEN.rows(on, rows.collect()).await?;
    Ok(accepted)
}

pub(super) async fn done(on: &mut SqliteConnection, id: &MessageId) -> Result<(), StoreError> {
    let met = DONE.row(&mut *on, values![id.as_str()]).await?;
    settle(on, met.as_ref(), DONE.doing, id).await
}

pub(super) async fn dead(
    on: &mut SqliteConnection,
    id: &MessageId,
    reason: &str,
) -> Result<(), StoreError> {
    let met = DEAD.row(&mut *on, values![id.as_str(), reason]).await?;
    settle(on, met.as_ref(), DEAD.doing, id).await
}

pub(super) async fn retry(
    on: &mut SqliteConnection,
    id: &MessageId,
    at: Timestamp,
    reason: &str,
) -> Result<(), StoreError> {
    let met = RETRY.row(&mut *on, values![id.as_str(), at, reason]).await?;
    settle(on, met.as_ref(), RETRY.doing, id).await
}

pub(super) async fn park(on: &mut SqliteConnection, id: &MessageId) -> Result<(), StoreError> {
    let met = PARK.row(&mut *on, values![id.as_str()]).await?;
    settle(on, met.as_ref(), PARK.doing, id).await
}

pub(super) async fn wake(on: &mut SqliteConnection, id: &MessageId) -> Result<(), StoreError> {
    let met = WAKE.row(&mut *on, values![id.as_str()]).await?;
    set_head(on, met.as_ref()).await
}

async fn settle(
    on: &mut SqliteConnection,
    met: Option<&sqlx::sqlite::SqliteRow>,
    doing: &'static str,
    id: &MessageId,
) -> Result<(), StoreError> {
    must_exist(met.is_some(), doing, "waiting message", id.as_str())?;
    set_head(on, met).await
}

/// Finds the next message of the conversation of which one has changed.
async fn set_head(
    on: &mut SqliteConnection,
    met: Option<&sqlx::sqlite::SqliteRow>,
) -> Result<(), StoreError> {
    if let Some(conversation) = read_one("inbound message", met, |f| f.text("conversation"))? {
        SET_HEAD.execute(on, values![conversation]).await?;
    }
    Ok(())
}

/// The next message of a conversation, if it is due, and its failed attempts.
pub(super) async fn next(
    on: &mut SqliteConnection,
    conversation: &ConversationId,
    now: Timestamp,
) -> Result<Option<(InboundMessage, u32)>, StoreError> {
    let row = NEXT.row(on, values![conversation.as_str(), now]).await?;
    read_one("inbound message", row.as_ref(), |f| Ok((f.form("content")?, f.number("attempts")?)))
}
