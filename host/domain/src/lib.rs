//! The words of Postern: ids, messages, tickets, manifests and host calls.
//!
//! Pure data and rules: no I/O, no clock, no randomness. Every other crate
//! speaks in these types.

mod audit;
mod call;
mod conversation;
mod digest;
mod id;
mod journal;
pub mod manifest;
mod message;
mod reply;
mod ticket;
mod time;

pub use audit::{AuditEntry, AuditKind, AuditRow, AuditVerdict};
pub use call::{
    Condition, Document, Expected, HandOver, HostCall, HttpMethod, HttpRequest, HttpResponse,
    Interface, LogLevel, LogLine, RecordStep, Severity, TicketChange,
};
pub use conversation::{
    Awaiting, Conversation, ConversationState, Customer, IdentityLevel, PendingTool, VaultEntry,
};
pub use digest::{Digest, DigestError, digest_of, stable_id};
pub use id::{
    ConversationId, IdError, InvocationId, MessageId, OutboxId, RequestId, SkillId, TicketId,
    TurnId,
};
pub use journal::{
    CallRecord, CallState, Decision, JournalEntry, Obligation, Outcome, SkillFailure,
};
pub use manifest::Manifest;
pub use message::{
    Author, Channel, InboundKind, InboundMessage, OutboxItem, OutboxState, StoredMessage,
};
pub use reply::{CallFailure, FailureKind, HostReply, Retry};
pub use ticket::{Priority, Ticket, TicketEvent, TicketEventKind, TicketStatus, TransitionError};
pub use time::Timestamp;
