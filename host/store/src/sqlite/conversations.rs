//! Conversations.

use postern_domain::{Conversation, ConversationId, Customer};
use sqlx::SqliteConnection;

use super::{
    messages, outbox,
    run::{Fields, must_exist, read_all, read_one},
    tickets, turns,
};
use crate::{
    ConversationDetail, ConversationSummary, Page, StoreError,
    form::Form,
    sql::{Statement, values},
};

const UPDATE: Statement<7> = Statement::new(
    "update a conversation",
    "UPDATE conversations SET private = $2, language = $3, customer = $4, identity = $5, \
     state = $6, ticket = $7 WHERE id = $1",
);

const ONE: Statement<1> =
    Statement::new("read a conversation", "SELECT * FROM conversations WHERE id = $1");

const LIST: Statement<2> = Statement::new(
    "list conversations",
    "SELECT c.*, (SELECT count(*) FROM messages WHERE conversation = c.id) AS message_count, \
     COALESCE(m.at, c.created_at) AS last_at, COALESCE(m.text, '') AS last_text \
     FROM conversations c LEFT JOIN messages m \
     ON m.seq = (SELECT max(seq) FROM messages WHERE conversation = c.id) \
     ORDER BY c.active_at DESC, c.id DESC LIMIT $1 OFFSET $2",
);

const WHAT: &str = "conversation";

fn read(f: &Fields<'_>) -> Result<Conversation, StoreError> {
    Ok(Conversation {
        id: f.parsed("id")?,
        channel: f.parsed("channel")?,
        account: f.text("account")?,
        chat: f.text("chat")?,
        sender: f.text("sender")?,
        private: f.flag("private")?,
        nonce: f.text("nonce")?,
        language: f.text("language")?,
        customer: Customer { key: f.text_or_none("customer")?, level: f.named("identity")? },
        state: f.form("state")?,
        ticket: f.parsed_or_none("ticket")?,
        created_at: f.time("created_at")?,
    })
}

/// Replaces what is known and remembered. Where a conversation takes place, its
/// nonce and when it began never change.
pub(super) async fn update(
    on: &mut SqliteConnection,
    conversation: &Conversation,
) -> Result<(), StoreError> {
    let met = UPDATE
        .execute(
            on,
            values![
                conversation.id.as_str(),
                conversation.private,
                conversation.language.as_str(),
                conversation.customer.key.as_deref(),
                conversation.customer.level.as_str(),
                conversation.state.to_form(),
                conversation.ticket.as_ref().map(|ticket| ticket.as_str()),
            ],
        )
        .await?;
    must_exist(met > 0, UPDATE.doing, WHAT, conversation.id.as_str())
}

pub(super) async fn one(
    on: &mut SqliteConnection,
    id: &ConversationId,
) -> Result<Option<Conversation>, StoreError> {
    let row = ONE.row(on, values![id.as_str()]).await?;
    read_one(WHAT, row.as_ref(), read)
}

pub(super) async fn list(
    on: &mut SqliteConnection,
    page: Page,
) -> Result<Vec<ConversationSummary>, StoreError> {
    read_all(WHAT, &LIST.rows(on, values![page.limit, page.offset]).await?, |f| {
        Ok(ConversationSummary {
            conversation: read(f)?,
            messages: f.number("message_count")?,
            last_at: f.time("last_at")?,
            last_text: f.text("last_text")?,
        })
    })
}

pub(super) async fn detail(
    on: &mut SqliteConnection,
    id: &ConversationId,
) -> Result<Option<ConversationDetail>, StoreError> {
    let Some(conversation) = one(&mut *on, id).await? else {
        return Ok(None);
    };
    Ok(Some(ConversationDetail {
        conversation,
        messages: messages::of_conversation(&mut *on, id).await?,
        turns: turns::of_conversation(&mut *on, id).await?,
        invocations: turns::invocations_of_conversation(&mut *on, id).await?,
        journal: turns::journal_of_conversation(&mut *on, id).await?,
        outbox: outbox::of_conversation(&mut *on, id).await?,
        tickets: tickets::of_conversation(on, id).await?,
    }))
}
