//! Tickets and their life.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{ConversationId, TicketId, Timestamp};

/// How urgent a ticket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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

impl Priority {
    /// The name in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::P1 => "p1",
            Self::P2 => "p2",
            Self::P3 => "p3",
            Self::P4 => "p4",
        }
    }
}

impl FromStr for Priority {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "p1" => Ok(Self::P1),
            "p2" => Ok(Self::P2),
            "p3" => Ok(Self::P3),
            "p4" => Ok(Self::P4),
            other => Err(format!("{other:?} is not a priority (p1, p2, p3, p4)")),
        }
    }
}

/// Where a ticket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketStatus {
    /// Nobody has done anything.
    New,
    /// Somebody works on it, or should.
    Open,
    /// The customer was asked something.
    WaitingCustomer,
    /// Somebody else was asked something.
    WaitingThirdParty,
    /// Answered; a further message reopens it.
    Resolved,
    /// Over; a further message opens a follow-up.
    Closed,
}

impl TicketStatus {
    /// The name in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Open => "open",
            Self::WaitingCustomer => "waiting_customer",
            Self::WaitingThirdParty => "waiting_third_party",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for TicketStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TicketStatus {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "new" => Self::New,
            "open" => Self::Open,
            "waiting_customer" => Self::WaitingCustomer,
            "waiting_third_party" => Self::WaitingThirdParty,
            "resolved" => Self::Resolved,
            "closed" => Self::Closed,
            other => return Err(format!("{other:?} is not a ticket status")),
        })
    }
}

/// A matter that a customer has with us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Its id.
    pub id: TicketId,
    /// The conversation in which it arose.
    pub conversation: ConversationId,
    /// Key of the customer's record, once known.
    pub customer: Option<String>,
    /// What it is about, without personal data.
    pub subject: String,
    /// Where it stands.
    pub status: TicketStatus,
    /// How urgent it is.
    pub priority: Priority,
    /// The queue in which it waits for a person, if it does.
    pub queue: Option<String>,
    /// Why it is where it is: the last reason for an escalation or failure.
    pub reason: Option<String>,
    /// Tags, sorted.
    pub tags: Vec<String>,
    /// The closed ticket that this one follows.
    pub follows: Option<TicketId>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Something that happens to a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum TicketEventKind {
    /// It was opened.
    Opened,
    /// The machine answered the customer.
    Answered,
    /// The customer was asked something.
    Asked,
    /// The customer wrote again.
    CustomerWrote,
    /// A person is needed.
    Escalated {
        /// A short machine-readable reason.
        reason: String,
        /// How urgent it is now.
        priority: Priority,
        /// The queue.
        queue: String,
    },
    /// A skill failed; the turn was answered civilly.
    SkillFailed {
        /// What failed and why, without personal data.
        reason: String,
    },
    /// Fields were set.
    Changed {
        /// A new subject.
        subject: Option<String>,
        /// A new status.
        status: Option<TicketStatus>,
        /// A new priority.
        priority: Option<Priority>,
    },
    /// A tag was added.
    Tagged {
        /// The tag.
        tag: String,
    },
    /// A remark was added.
    Commented {
        /// The remark.
        text: String,
    },
}

/// An event with its time and author.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketEvent {
    /// When.
    pub at: Timestamp,
    /// Who: `customer`, `host`, `skill:…`, `operator:…`.
    pub actor: String,
    /// What.
    pub kind: TicketEventKind,
}

/// An event that a ticket cannot take.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TransitionError {
    /// A closed ticket takes only remarks.
    #[error("ticket {id} is closed; open a follow-up instead")]
    Closed {
        /// The ticket.
        id: TicketId,
    },
}

impl Ticket {
    /// The ticket after an event.
    ///
    /// # Errors
    /// A closed ticket takes only remarks.
    pub fn apply(
        mut self,
        event: &TicketEventKind,
        now: Timestamp,
    ) -> Result<Self, TransitionError> {
        use TicketEventKind as E;
        if self.status == TicketStatus::Closed && !matches!(event, E::Commented { .. }) {
            return Err(TransitionError::Closed { id: self.id });
        }
        match event {
            E::Opened | E::Commented { .. } => {}
            // A ticket that waits for a person stays with the person, whatever
            // the machine says meanwhile.
            E::Answered if self.queue.is_none() => self.status = TicketStatus::Resolved,
            E::Asked if self.queue.is_none() => self.status = TicketStatus::WaitingCustomer,
            E::Answered | E::Asked => {}
            E::CustomerWrote => match self.status {
                TicketStatus::Resolved | TicketStatus::WaitingCustomer => {
                    self.status = TicketStatus::Open;
                }
                TicketStatus::New
                | TicketStatus::Open
                | TicketStatus::WaitingThirdParty
                | TicketStatus::Closed => {}
            },
            E::Escalated { reason, priority, queue } => {
                self.status = TicketStatus::Open;
                self.priority = self.priority.min(*priority);
                self.queue = Some(queue.clone());
                self.reason = Some(reason.clone());
            }
            E::SkillFailed { reason } => {
                self.status = TicketStatus::Open;
                self.reason = Some(reason.clone());
            }
            E::Changed { subject, status, priority } => {
                if let Some(subject) = subject {
                    self.subject.clone_from(subject);
                }
                if let Some(status) = status {
                    self.status = *status;
                }
                if let Some(priority) = priority {
                    self.priority = *priority;
                }
            }
            E::Tagged { tag } => {
                if let Err(place) = self.tags.binary_search(tag) {
                    self.tags.insert(place, tag.clone());
                }
            }
        }
        self.updated_at = now;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(status: TicketStatus) -> Ticket {
        Ticket {
            id: TicketId::derive(&["t"]),
            conversation: ConversationId::derive(&["c"]),
            customer: None,
            subject: "order status".into(),
            status,
            priority: Priority::P3,
            queue: None,
            reason: None,
            tags: vec![],
            follows: None,
            created_at: Timestamp::from_millis(0),
            updated_at: Timestamp::from_millis(0),
        }
    }

    fn check(from: TicketStatus, event: TicketEventKind, to: Option<TicketStatus>) {
        let after = ticket(from).apply(&event, Timestamp::from_millis(9));
        assert_eq!(after.as_ref().ok().map(|t| t.status), to, "{from} {event:?}");
        if let Ok(after) = after {
            assert_eq!(after.updated_at.millis(), 9);
        }
    }

    #[test]
    fn life_of_a_ticket() {
        use TicketEventKind as E;
        use TicketStatus as S;
        check(S::New, E::Answered, Some(S::Resolved));
        check(S::Resolved, E::CustomerWrote, Some(S::Open));
        check(S::Open, E::Asked, Some(S::WaitingCustomer));
        check(S::WaitingThirdParty, E::CustomerWrote, Some(S::WaitingThirdParty));
        check(S::Closed, E::CustomerWrote, None);
        check(S::Closed, E::Commented { text: "later".into() }, Some(S::Closed));
        check(S::Resolved, E::SkillFailed { reason: "trap".into() }, Some(S::Open));
    }

    #[test]
    fn an_escalated_ticket_stays_with_people_and_never_loses_urgency() {
        let escalated = TicketEventKind::Escalated {
            reason: "asked-for-person".into(),
            priority: Priority::P4,
            queue: "support".into(),
        };
        let now = Timestamp::from_millis(1);
        let ticket = ticket(TicketStatus::New).apply(&escalated, now).unwrap();
        assert_eq!(ticket.priority, Priority::P3);
        let ticket = ticket.apply(&TicketEventKind::Answered, now).unwrap();
        assert_eq!(ticket.status, TicketStatus::Open);
        assert_eq!(ticket.queue.as_deref(), Some("support"));
    }
}
