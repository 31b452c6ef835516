//! Messages on their way out.

use postern_domain::{Channel, ConversationId, OutboxId, OutboxItem, OutboxState, Timestamp};
use sqlx::SqliteConnection;

use super::run::{Fields, must_exist, read_all, read_one};
use crate::{
    Page, StoreError, UnknownSend,
    sql::{Statement, values},
};

const APPEND: Statement<12> = Statement::new(
    "append to the outbox",
    "INSERT INTO outbox (id, conversation, channel, account, chat, text, state, attempts, \
     next_at, possible_duplicate, last_error, created_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (id) DO NOTHING",
);

const UPDATE: Statement<6> = Statement::new(
    "update the outbox",
    "UPDATE outbox SET state = $2, attempts = $3, next_at = $4, possible_duplicate = $5, \
     last_error = $6 WHERE id = $1 RETURNING conversation",
);

/// Due is the oldest pending row, unless another one is being sent. What goes to the
/// contact on file has an order of its own and holds nothing up: when the chat goes on
/// must not tell whether there is a contact.
const SET_HEAD: Statement<1> = Statement::new(
    "find a conversation's next message to send",
    "UPDATE conversations SET (outbox_seq, outbox_due_at) = (SELECT seq, next_at FROM (\
     SELECT * FROM (SELECT seq, next_at FROM outbox \
       WHERE conversation = $1 AND state = 'pending' AND channel <> 'contact' \
       AND NOT EXISTS (SELECT 1 FROM outbox WHERE conversation = $1 AND state = 'sending' \
                       AND channel <> 'contact') ORDER BY seq LIMIT 1) \
     UNION ALL \
     SELECT * FROM (SELECT seq, next_at FROM outbox \
       WHERE conversation = $1 AND state = 'pending' AND channel = 'contact' \
       AND NOT EXISTS (SELECT 1 FROM outbox WHERE conversation = $1 AND state = 'sending' \
                       AND channel = 'contact') ORDER BY seq LIMIT 1)) \
     ORDER BY next_at, seq LIMIT 1) \
     WHERE id = $1",
);

const TAKE: Statement<2> = Statement::new(
    "claim conversations with messages to send",
    "UPDATE conversations SET outbox_due_at = NULL WHERE id IN \
     (SELECT id FROM conversations WHERE outbox_due_at <= $1 \
      ORDER BY outbox_due_at, outbox_seq LIMIT $2) \
     RETURNING outbox_seq",
);

const CLAIM: Statement<1> = Statement::new(
    "claim a message to send",
    "UPDATE outbox SET state = 'sending', attempts = attempts + 1 \
     WHERE seq = $1 AND state = 'pending' RETURNING *",
);

const RECOVER: Statement<3> = Statement::new(
    "recover interrupted sends",
    "UPDATE outbox SET \
     state = CASE WHEN $1 AND NOT possible_duplicate THEN 'pending' ELSE 'uncertain' END, \
     possible_duplicate = ($1 OR possible_duplicate), next_at = $2, last_error = $3 \
     WHERE state = 'sending' RETURNING *",
);

const ONE: Statement<1> = Statement::new("read the outbox", "SELECT * FROM outbox WHERE id = $1");

const OF_CONVERSATION: Statement<1> = Statement::new(
    "read the outbox of a conversation",
    "SELECT * FROM outbox WHERE conversation = $1 AND seq > COALESCE(\
     (SELECT seq FROM outbox WHERE conversation = $1 ORDER BY seq DESC LIMIT 1 OFFSET 1000), 0) \
     ORDER BY seq",
);

const UNDELIVERED: Statement<2> = Statement::new(
    "read undelivered messages",
    "SELECT * FROM outbox WHERE state IN ('dead', 'uncertain') \
     ORDER BY seq DESC LIMIT $1 OFFSET $2",
);

const WHAT: &str = "outgoing message";
const INTERRUPTED: &str = "the host stopped while this was being sent";

fn read(f: &Fields<'_>) -> Result<OutboxItem, StoreError> {
    Ok(OutboxItem {
        id: f.parsed("id")?,
        conversation: f.parsed("conversation")?,
        channel: f.parsed("channel")?,
        account: f.text("account")?,
        chat: f.text("chat")?,
        text: f.text("text")?,
        state: f.parsed::<OutboxState>("state")?,
        attempts: f.number("attempts")?,
        next_at: f.time("next_at")?,
        possible_duplicate: f.flag("possible_duplicate")?,
        last_error: f.text_or_none("last_error")?,
        created_at: f.time("created_at")?,
    })
}

pub(super) async fn append(on: &mut SqliteConnection, item: &OutboxItem) -> Result<(), StoreError> {
    let new = APPEND
        .execute(
            &mut *on,
            values![
                item.id.as_str(),
                item.conversation.as_str(),
                item.channel.as_str(),
                item.account.as_str(),
                item.chat.as_str(),
                item.text.as_str(),
                item.state.as_str(),
                item.attempts,
                item.next_at,
                item.possible_duplicate,
                item.last_error.as_deref(),
                item.created_at,
            ],
        )
        .await?;
    if new > 0 {
        SET_HEAD.execute(on, values![item.conversation.as_str()]).await?;
    }
    Ok(())
}

pub(super) async fn update(on: &mut SqliteConnection, item: &OutboxItem) -> Result<(), StoreError> {
    let met = UPDATE
        .row(
            &mut *on,
            values![
                item.id.as_str(),
                item.state.as_str(),
                item.attempts,
                item.next_at,
                item.possible_duplicate,
                item.last_error.as_deref(),
            ],
        )
        .await?;
    must_exist(met.is_some(), UPDATE.doing, WHAT, item.id.as_str())?;
    if let Some(conversation) = read_one(WHAT, met.as_ref(), |f| f.text("conversation"))? {
        SET_HEAD.execute(on, values![conversation]).await?;
    }
    Ok(())
}

pub(super) async fn claim(
    on: &mut SqliteConnection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<OutboxItem>, StoreError> {
    let rows = TAKE.rows(&mut *on, values![now, limit]).await?;
    let mut places = read_all(WHAT, &rows, |f| f.int("outbox_seq"))?;
    places.sort_unstable();
    let mut claimed = Vec::with_capacity(places.len());
    for place in places {
        let row = CLAIM.row(&mut *on, values![place]).await?;
        let Some(item) = read_one(WHAT, row.as_ref(), read)? else { continue };
        if item.channel == Channel::Contact {
            SET_HEAD.execute(&mut *on, values![item.conversation.as_str()]).await?;
        }
        claimed.push(item);
    }
    Ok(claimed)
}

pub(super) async fn recover(
    on: &mut SqliteConnection,
    unknown_send: UnknownSend,
    now: Timestamp,
) -> Result<Vec<OutboxItem>, StoreError> {
    let resend = match unknown_send {
        UnknownSend::Resend => true,
        UnknownSend::Hold => false,
    };
    let rows = RECOVER.rows(&mut *on, values![resend, now, INTERRUPTED]).await?;
    let mut interrupted = read_all(WHAT, &rows, |f| Ok((f.int("seq")?, read(f)?)))?;
    interrupted.sort_unstable_by_key(|(seq, _)| *seq);
    for (_, item) in &interrupted {
        SET_HEAD.execute(&mut *on, values![item.conversation.as_str()]).await?;
    }
    Ok(interrupted.into_iter().map(|(_, item)| item).collect())
}

pub(super) async fn one(
    on: &mut SqliteConnection,
    id: &OutboxId,
) -> Result<Option<OutboxItem>, StoreError> {
    let row = ONE.row(on, values![id.as_str()]).await?;
    read_one(WHAT, row.as_ref(), read)
}

pub(super) async fn of_conversation(
    on: &mut SqliteConnection,
    conversation: &ConversationId,
) -> Result<Vec<OutboxItem>, StoreError> {
    read_all(WHAT, &OF_CONVERSATION.rows(on, values![conversation.as_str()]).await?, read)
}

pub(super) async fn undelivered(
    on: &mut SqliteConnection,
    page: Page,
) -> Result<Vec<OutboxItem>, StoreError> {
    read_all(WHAT, &UNDELIVERED.rows(on, values![page.limit, page.offset]).await?, read)
}
