//! Tickets, and asking for a person.

use postern_domain::{
    CallFailure, Customer, HandOver, HostReply, IdentityLevel, TicketChange, TicketEventKind,
    Timestamp, TransitionError,
};
use postern_store::StoreError;

use super::Ports;
use crate::{
    gate::Caller,
    ledger::{Ledger, Wish},
};

type Answer = Result<HostReply, CallFailure>;

fn refused(error: TransitionError) -> CallFailure {
    CallFailure::invalid(error.to_string())
}

fn happen(
    ledger: &mut Ledger,
    caller: &Caller,
    kind: TicketEventKind,
    now: Timestamp,
) -> Result<(), CallFailure> {
    ledger.ticket_event(kind, &caller.actor(), now).map_err(refused)
}

pub(super) fn update(
    ledger: &mut Ledger,
    caller: &Caller,
    change: TicketChange,
    now: Timestamp,
) -> Answer {
    let TicketChange { subject, status, priority } = change;
    happen(ledger, caller, TicketEventKind::Changed { subject, status, priority }, now)?;
    match &ledger.ticket {
        Some(ticket) => Ok(HostReply::Ticket { ticket: ticket.clone() }),
        None => Err(CallFailure::invalid("this conversation has no ticket")),
    }
}

pub(super) fn tag(ledger: &mut Ledger, caller: &Caller, tag: String, now: Timestamp) -> Answer {
    happen(ledger, caller, TicketEventKind::Tagged { tag }, now)?;
    Ok(HostReply::Done)
}

pub(super) fn comment(
    ledger: &mut Ledger,
    caller: &Caller,
    text: String,
    now: Timestamp,
) -> Answer {
    happen(ledger, caller, TicketEventKind::Commented { text }, now)?;
    Ok(HostReply::Done)
}

pub(super) async fn history(ledger: &Ledger, limit: u32) -> Result<Answer, StoreError> {
    let Customer { key, level } = &ledger.conversation.customer;
    let mut tickets = match key {
        Some(customer) => ledger.store().tickets_of(customer, limit).await?,
        None => Vec::new(),
    };
    // Conversations are joined only when it is sure that they are one customer's.
    if *level < IdentityLevel::Verified {
        tickets.retain(|ticket| ticket.conversation == ledger.conversation.id);
    }
    Ok(Ok(HostReply::Tickets { tickets }))
}

/// Puts the conversation in the queue for people; a ticket is opened if there
/// is none that can still take it.
pub(super) fn hand_over(
    ledger: &mut Ledger,
    caller: &Caller,
    ports: &Ports,
    request: HandOver,
    key: &str,
    now: Timestamp,
) -> Answer {
    let subject = request.reason.replace('-', " ");
    let wish = Wish {
        reason: request.reason,
        priority: request.severity.priority(),
        queue: ports.queue.clone(),
    };
    ledger.escalate(key, &subject, wish, &caller.actor(), now);
    happen(ledger, caller, TicketEventKind::Commented { text: request.summary }, now)?;
    Ok(HostReply::Queued { queue: ports.queue.clone() })
}
