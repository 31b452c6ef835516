//! Tickets and what happened to them.

use postern_domain::{ConversationId, Ticket, TicketEvent, TicketId};
use sqlx::SqliteConnection;

use super::run::{Fields, read_all, read_one};
use crate::{
    Page, StoreError, TicketDetail,
    form::{Form, write},
    sql::{Batch, Statement, values},
};

const PUT: Statement<12> = Statement::new(
    "write a ticket",
    "INSERT INTO tickets (id, conversation, customer, subject, status, priority, queue, reason, \
     tags, follows, created_at, updated_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
     ON CONFLICT (id) DO UPDATE SET customer = excluded.customer, subject = excluded.subject, \
     status = excluded.status, priority = excluded.priority, queue = excluded.queue, \
     reason = excluded.reason, tags = excluded.tags, follows = excluded.follows, \
     updated_at = excluded.updated_at",
);

const APPEND_EVENTS: Batch<4> = Batch {
    doing: "append ticket events",
    before: "INSERT INTO ticket_events (ticket, at, actor, kind) ",
    after: "",
};

const ONE: Statement<1> = Statement::new("read a ticket", "SELECT * FROM tickets WHERE id = $1");

const EVENTS: Statement<1> = Statement::new(
    "read ticket events",
    "SELECT at, actor, kind FROM ticket_events WHERE ticket = $1 ORDER BY seq",
);

const LIST: Statement<2> = Statement::new(
    "list tickets",
    "SELECT * FROM tickets ORDER BY created_at DESC, id DESC LIMIT $1 OFFSET $2",
);

const OF_CUSTOMER: Statement<2> = Statement::new(
    "list the tickets of a customer",
    "SELECT * FROM tickets WHERE customer = $1 ORDER BY created_at DESC, id DESC LIMIT $2",
);

const OF_CONVERSATION: Statement<1> = Statement::new(
    "list the tickets of a conversation",
    "SELECT * FROM tickets WHERE conversation = $1 ORDER BY created_at, id",
);

fn read(f: &Fields<'_>) -> Result<Ticket, StoreError> {
    Ok(Ticket {
        id: f.parsed("id")?,
        conversation: f.parsed("conversation")?,
        customer: f.text_or_none("customer")?,
        subject: f.text("subject")?,
        status: f.parsed("status")?,
        priority: f.parsed("priority")?,
        queue: f.text_or_none("queue")?,
        reason: f.text_or_none("reason")?,
        tags: f.json("tags")?,
        follows: f.parsed_or_none("follows")?,
        created_at: f.time("created_at")?,
        updated_at: f.time("updated_at")?,
    })
}

fn read_event(f: &Fields<'_>) -> Result<TicketEvent, StoreError> {
    Ok(TicketEvent { at: f.time("at")?, actor: f.text("actor")?, kind: f.form("kind")? })
}

pub(super) async fn put(
    on: &mut SqliteConnection,
    ticket: &Ticket,
    events: &[TicketEvent],
) -> Result<(), StoreError> {
    PUT.execute(
        &mut *on,
        values![
            ticket.id.as_str(),
            ticket.conversation.as_str(),
            ticket.customer.as_deref(),
            ticket.subject.as_str(),
            ticket.status.as_str(),
            ticket.priority.as_str(),
            ticket.queue.as_deref(),
            ticket.reason.as_deref(),
            write(&ticket.tags),
            ticket.follows.as_ref().map(|ticket| ticket.as_str()),
            ticket.created_at,
            ticket.updated_at,
        ],
    )
    .await?;
    let rows = events.iter().map(|event| {
        values![ticket.id.as_str(), event.at, event.actor.as_str(), event.kind.to_form()]
    });
    APPEND_EVENTS.rows(on, rows.collect()).await.map(drop)
}

pub(super) async fn one(
    on: &mut SqliteConnection,
    id: &TicketId,
) -> Result<Option<Ticket>, StoreError> {
    let row = ONE.row(on, values![id.as_str()]).await?;
    read_one("ticket", row.as_ref(), read)
}

pub(super) async fn detail(
    on: &mut SqliteConnection,
    id: &TicketId,
) -> Result<Option<TicketDetail>, StoreError> {
    let Some(ticket) = one(&mut *on, id).await? else {
        return Ok(None);
    };
    let rows = EVENTS.rows(on, values![id.as_str()]).await?;
    Ok(Some(TicketDetail { ticket, events: read_all("ticket event", &rows, read_event)? }))
}

pub(super) async fn list(on: &mut SqliteConnection, page: Page) -> Result<Vec<Ticket>, StoreError> {
    read_all("ticket", &LIST.rows(on, values![page.limit, page.offset]).await?, read)
}

pub(super) async fn of_customer(
    on: &mut SqliteConnection,
    customer: &str,
    limit: u32,
) -> Result<Vec<Ticket>, StoreError> {
    read_all("ticket", &OF_CUSTOMER.rows(on, values![customer, limit]).await?, read)
}

pub(super) async fn of_conversation(
    on: &mut SqliteConnection,
    conversation: &ConversationId,
) -> Result<Vec<Ticket>, StoreError> {
    read_all("ticket", &OF_CONVERSATION.rows(on, values![conversation.as_str()]).await?, read)
}
