//! `postern:ticket`

use postern_domain::{HostCall, HostReply, Priority, Ticket, TicketChange, TicketId, TicketStatus};

use super::{
    Answer, answer,
    check::{self, Checked},
    weight,
};
use crate::{
    bindings::postern::ticket::tickets::{self as wit, Change, Failure, Host},
    state::State,
};

impl Host for State {
    async fn create(
        &mut self,
        subject: String,
        priority: wit::Priority,
    ) -> Answer<wit::Ticket, Failure> {
        let bytes = weight::of_texts([&subject]);
        let call = create(subject, priority);
        answer!(self.ask(Ticket, bytes, call), HostReply::Ticket { ticket } => ticket.into())
    }

    async fn update(&mut self, id: String, change: Change) -> Answer<wit::Ticket, Failure> {
        let bytes = weight::of_texts([&id].into_iter().chain(&change.subject));
        let call = update(&id, change);
        answer!(self.ask(Ticket, bytes, call), HostReply::Ticket { ticket } => ticket.into())
    }

    async fn tag(&mut self, id: String, tag: String) -> Answer<(), Failure> {
        let bytes = weight::of_texts([&id, &tag]);
        answer!(self.ask(Ticket, bytes, add_tag(&id, tag)), HostReply::Done => ())
    }

    async fn comment(&mut self, id: String, text: String) -> Answer<(), Failure> {
        let bytes = weight::of_texts([&id, &text]);
        answer!(self.ask(Ticket, bytes, comment(&id, text)), HostReply::Done => ())
    }

    async fn history(&mut self, limit: u32) -> Answer<Vec<wit::Ticket>, Failure> {
        answer!(self.ask(Ticket, 0, history(limit)), HostReply::Tickets { tickets } => {
            tickets.into_iter().map(Into::into).collect()
        })
    }
}

fn create(subject: String, priority: wit::Priority) -> Checked<HostCall> {
    check::line("subject", &subject, 1, 200)?;
    Ok(HostCall::TicketCreate { subject, priority: priority.into() })
}

fn update(id: &str, change: Change) -> Checked<HostCall> {
    let Change { subject, status, priority } = change;
    if let Some(subject) = &subject {
        check::line("subject", subject, 1, 200)?;
    }
    let change = TicketChange {
        subject,
        status: status.map(Into::into),
        priority: priority.map(Into::into),
    };
    Ok(HostCall::TicketUpdate { id: ticket_id(id)?, change })
}

fn add_tag(id: &str, tag: String) -> Checked<HostCall> {
    check::slug("tag", &tag, 40)?;
    Ok(HostCall::TicketTag { id: ticket_id(id)?, tag })
}

fn comment(id: &str, text: String) -> Checked<HostCall> {
    check::length("text", text.len(), 1, 4_000)?;
    Ok(HostCall::TicketComment { id: ticket_id(id)?, text })
}

fn history(limit: u32) -> Checked<HostCall> {
    check::range("limit", limit, 1, 50)?;
    Ok(HostCall::TicketHistory { limit })
}

fn ticket_id(id: &str) -> Checked<TicketId> {
    id.parse().map_err(|error| check::wrong("id", error))
}

impl From<wit::Priority> for Priority {
    fn from(priority: wit::Priority) -> Self {
        match priority {
            wit::Priority::P1 => Self::P1,
            wit::Priority::P2 => Self::P2,
            wit::Priority::P3 => Self::P3,
            wit::Priority::P4 => Self::P4,
        }
    }
}

impl From<Priority> for wit::Priority {
    fn from(priority: Priority) -> Self {
        match priority {
            Priority::P1 => Self::P1,
            Priority::P2 => Self::P2,
            Priority::P3 => Self::P3,
            Priority::P4 => Self::P4,
        }
    }
}

impl From<wit::Status> for TicketStatus {
    fn from(status: wit::Status) -> Self {
        match status {
            wit::Status::New => Self::New,
            wit::Status::Open => Self::Open,
            wit::Status::WaitingCustomer => Self::WaitingCustomer,
            wit::Status::WaitingThirdParty => Self::WaitingThirdParty,
            wit::Status::Resolved => Self::Resolved,
            wit::Status::Closed => Self::Closed,
        }
    }
}

impl From<TicketStatus> for wit::Status {
    fn from(status: TicketStatus) -> Self {
        match status {
            TicketStatus::New => Self::New,
            TicketStatus::Open => Self::Open,
            TicketStatus::WaitingCustomer => Self::WaitingCustomer,
            TicketStatus::WaitingThirdParty => Self::WaitingThirdParty,
            TicketStatus::Resolved => Self::Resolved,
            TicketStatus::Closed => Self::Closed,
        }
    }
}

impl From<Ticket> for wit::Ticket {
    fn from(ticket: Ticket) -> Self {
        Self {
            id: ticket.id.into(),
            subject: ticket.subject,
            status: ticket.status.into(),
            priority: ticket.priority.into(),
            tags: ticket.tags,
            created_ms: u64::try_from(ticket.created_at.millis()).unwrap_or_default(),
        }
    }
}
