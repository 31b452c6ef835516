//! Tickets of this conversation's customer.

use crate::{Result, host};

/// Where a ticket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nobody has done anything.
    New,
    /// Somebody works on it, or should.
    Open,
    /// The customer was asked something.
    WaitingCustomer,
    /// Somebody else was asked something.
    WaitingThirdParty,
    /// Answered.
    Resolved,
    /// Over.
    Closed,
}

/// How urgent a ticket is; `P1` is the most urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Drop everything.
    P1,
    /// Soon.
    P2,
    /// In turn.
    P3,
    /// Some time.
    P4,
}

/// A ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Its id.
    pub id: String,
    /// What it is about.
    pub subject: String,
    /// Where it stands.
    pub status: Status,
    /// How urgent it is.
    pub priority: Priority,
    /// Its tags.
    pub tags: Vec<String>,
    /// When it was opened, in milliseconds since 1970-01-01T00:00:00Z.
    pub created_ms: u64,
}

/// What to change; `None` leaves a field as it is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Change {
    /// A new subject.
    pub subject: Option<String>,
    /// A new status.
    pub status: Option<Status>,
    /// A new priority.
    pub priority: Option<Priority>,
}

/// Opens a ticket and makes it the conversation's current one.
///
/// # Errors
/// The host refused or failed.
pub fn create(subject: &str, priority: Priority) -> Result<Ticket> {
    Ok(host::ticket_create(subject, priority)?)
}

/// Changes a ticket of this conversation.
///
/// # Errors
/// The host refused or failed, or there is no such ticket.
pub fn update(id: &str, change: &Change) -> Result<Ticket> {
    Ok(host::ticket_update(id, change)?)
}

/// Adds a tag: lower-case letters, digits and hyphens, at most 40.
///
/// # Errors
/// The host refused or failed, or there is no such ticket.
pub fn tag(id: &str, tag: &str) -> Result<()> {
    Ok(host::ticket_tag(id, tag)?)
}

/// Adds a remark for the people who work on the ticket.
///
/// # Errors
/// The host refused or failed, or there is no such ticket.
pub fn comment(id: &str, text: &str) -> Result<()> {
    Ok(host::ticket_comment(id, text)?)
}

/// This customer's earlier tickets and what became of them, newest first, at
/// most `limit` (1 to 50).
///
/// # Errors
/// The host refused or failed.
pub fn history(limit: u32) -> Result<Vec<Ticket>> {
    Ok(host::ticket_history(limit)?)
}
