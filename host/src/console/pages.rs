//! The first page and the lists.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use postern_domain::{
    ApprovalState, AuditRow, ConversationId, OutboxItem, Ticket, TicketEvent, TicketEventKind,
    TicketId, TicketStatus,
};
use postern_policy::RuleSummary;
use postern_store::{ConversationSummary, Page, TicketDetail};
use serde::Deserialize;

use super::{
    Console, format,
    reply::{Asked, ENTRIES, Entries, Failure, Frame, PageError, Part, one_more, page},
};

/// Rows of the audit log that are shown at once.
const MOST_AUDIT_ROWS: u32 = 500;

type Shown = Result<Response, PageError>;

#[derive(Template)]
#[template(path = "console/home.html")]
struct Home {
    frame: Frame,
    /// Messages that wait to be processed.
    inbox: u64,
    /// Messages that wait to be sent.
    outbox: u64,
    undelivered: Vec<OutboxItem>,
    /// Approvals that wait, as many as one page shows.
    approvals: usize,
    /// Files of rules that are not as they are in force.
    differing: usize,
    /// Among the last tickets, those that wait for a person.
    waiting: Vec<Ticket>,
    conversations: Vec<ConversationSummary>,
    collections: Vec<(String, u64)>,
    skills: usize,
    rules: usize,
}

/// `GET /`
pub(super) async fn home(State(console): State<Arc<Console>>) -> Shown {
    let store = &console.app.store;
    let (inbox, outbox) = store.backlog().await?;
    let last = |limit| Page { limit, offset: 0 };
    let mut waiting = store.tickets(last(ENTRIES)).await?;
    waiting.retain(|ticket| ticket.queue.is_some() && is_open(ticket.status));
    let template = Home {
        frame: Frame::of("home", "Overview"),
        inbox,
        outbox,
        approvals: store.approvals(Some(ApprovalState::Pending), last(ENTRIES)).await?.len(),
        differing: console.app.policy.differing().len(),
        undelivered: store.undelivered(last(ENTRIES)).await?,
        waiting,
        conversations: store.conversations(last(10)).await?,
        collections: store.collections().await?.into_iter().collect(),
        skills: console.app.skills().active.len(),
        rules: console.app.policy.current().rules().count(),
    };
    Ok(page(StatusCode::OK, &template))
}

fn is_open(status: TicketStatus) -> bool {
    match status {
        TicketStatus::New
        | TicketStatus::Open
        | TicketStatus::WaitingCustomer
        | TicketStatus::WaitingThirdParty => true,
        TicketStatus::Resolved | TicketStatus::Closed => false,
    }
}

#[derive(Template)]
#[template(path = "console/conversations.html")]
struct Conversations {
    frame: Frame,
    list: Entries<ConversationSummary>,
}

/// `GET /conversations`
pub(super) async fn conversations(
    State(console): State<Arc<Console>>,
    Asked(part, _): Asked<Part, PageError>,
) -> Shown {
    let asked = part.page()?;
    let found = console.app.store.conversations(one_more(asked)).await?;
    let frame = Frame::of("conversations", "Conversations");
    Ok(page(StatusCode::OK, &Conversations { frame, list: Entries::new(asked, found) }))
}

#[derive(Template)]
#[template(path = "console/tickets.html")]
struct Tickets {
    frame: Frame,
    list: Entries<Ticket>,
}

/// `GET /tickets`
pub(super) async fn tickets(
    State(console): State<Arc<Console>>,
    Asked(part, _): Asked<Part, PageError>,
) -> Shown {
    let asked = part.page()?;
    let found = console.app.store.tickets(one_more(asked)).await?;
    let frame = Frame::of("tickets", "Tickets");
    Ok(page(StatusCode::OK, &Tickets { frame, list: Entries::new(asked, found) }))
}

#[derive(Template)]
#[template(path = "console/ticket.html")]
struct TicketPage {
    frame: Frame,
    ticket: Ticket,
    events: Vec<TicketEvent>,
}

/// `GET /tickets/{id}`
pub(super) async fn ticket(State(console): State<Arc<Console>>, Path(id): Path<String>) -> Shown {
    let id: TicketId = id.parse().map_err(|_| PageError(Failure::NotFound))?;
    let found = console.app.store.ticket(&id).await?.ok_or(PageError(Failure::NotFound))?;
    let TicketDetail { ticket, events } = found;
    let frame = Frame::of("tickets", "Ticket");
    Ok(page(StatusCode::OK, &TicketPage { frame, ticket, events }))
}

/// What happened to a ticket, in a sentence.
fn sentence(kind: &TicketEventKind) -> String {
    match kind {
        TicketEventKind::Opened => "opened".to_owned(),
        TicketEventKind::Answered => "the customer was answered".to_owned(),
        TicketEventKind::Asked => "the customer was asked something".to_owned(),
        TicketEventKind::CustomerWrote => "the customer wrote again".to_owned(),
        TicketEventKind::Escalated { reason, priority, queue } => {
            format!("a person is needed: {reason} ({}, queue {queue})", priority.as_str())
        }
        TicketEventKind::SkillFailed { reason } => format!("a skill failed: {reason}"),
        TicketEventKind::Changed { subject, status, priority } => {
            let changes = [
                subject.as_ref().map(|subject| format!("subject: {subject}")),
                status.map(|status| format!("status: {status}")),
                priority.map(|priority| format!("priority: {}", priority.as_str())),
            ];
            format!("changed: {}", changes.into_iter().flatten().collect::<Vec<_>>().join(", "))
        }
        TicketEventKind::Tagged { tag } => format!("tagged {tag}"),
        TicketEventKind::Commented { text } => format!("remark: {}", format::clipped(text)),
    }
}

#[derive(Template)]
#[template(path = "console/rules.html")]
struct Rules {
    frame: Frame,
    digest: String,
    generation: u64,
    differing: Vec<String>,
    rules: Vec<RuleSummary>,
}

/// `GET /rules`
pub(super) async fn rules(State(console): State<Arc<Console>>) -> Response {
    let policy = console.app.policy.current();
    let template = Rules {
        frame: Frame::of("rules", "Rules"),
        digest: policy.digest().to_string(),
        generation: console.app.policy.generation(),
        differing: console.app.policy.differing(),
        rules: policy.rules().cloned().collect(),
    };
    page(StatusCode::OK, &template)
}

/// Which rows of the audit log are asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AuditPart {
    limit: Option<u32>,
    conversation: Option<ConversationId>,
}

impl AuditPart {
    /// The number of rows, if it is within bounds.
    pub(super) fn limit(&self) -> Result<u32, Failure> {
        let limit = self.limit.unwrap_or(ENTRIES);
        let fits = (1..=MOST_AUDIT_ROWS).contains(&limit);
        if fits { Ok(limit) } else { Err(Failure::Unreadable) }
    }

    /// The rows, oldest first.
    pub(super) async fn rows<E>(&self, console: &Console) -> Result<Vec<AuditRow>, E>
    where
        E: From<Failure> + From<postern_store::StoreError>,
    {
        let store = &console.app.store;
        Ok(store.audit_tail(self.limit()?, self.conversation.as_ref()).await?)
    }
}

#[derive(Template)]
#[template(path = "console/audit.html")]
struct Audit {
    frame: Frame,
    conversation: Option<ConversationId>,
    /// Newest first.
    rows: Vec<AuditRow>,
}

/// `GET /audit`
pub(super) async fn audit(
    State(console): State<Arc<Console>>,
    Asked(part, _): Asked<AuditPart, PageError>,
) -> Shown {
    let mut rows = part.rows::<PageError>(&console).await?;
    rows.reverse();
    let frame = Frame::of("audit", "Audit");
    Ok(page(StatusCode::OK, &Audit { frame, conversation: part.conversation, rows }))
}
