//! The words of Postern: ids, messages, tickets, manifests and host calls.
//!
//! Pure data and rules: no I/O, no clock, no randomness. Every other crate
//! speaks in these types.

mod approval;
mod arguments;
mod audit;
mod call;
mod conversation;
mod digest;
mod id;
mod interface;
mod journal;
mod limit;
pub mod manifest;
mod message;
mod operator;
mod reply;
mod ticket;
mod time;

pub use approval::{Approval, ApprovalState, Approver, Counting, Escalate, Vote, VoteError};
pub use arguments::{
    Audience, Completion, Condition, Document, Expected, HandOver, HttpMethod, HttpRequest,
    HttpResponse, Job, JobTime, LogLevel, LogLine, ModelMessage, ModelRequest, ModelRole, Passage,
    RecordStep, Severity, TicketChange,
};
pub use audit::{
    AuditEntry, AuditFinding, AuditHead, AuditKind, AuditReport, AuditRow, AuditVerdict,
    AuditVerifier, Checkpoint, ScannedRow,
};
pub use call::HostCall;
pub use conversation::{
    Attempt, Awaiting, Challenge, Conversation, ConversationState, Customer, IdentityLevel,
    PendingTool, VaultEntry,
};
pub use digest::{Digest, DigestError, digest_of, stable_id};
pub use id::{
    ApprovalId, ConversationId, IdError, InvocationId, MessageId, OperatorId, OutboxId, RequestId,
    SkillId, TicketId, TurnId,
};
pub use interface::Interface;
pub use journal::{
    CallRecord, CallState, Decision, JournalEntry, Obligation, Outcome, SkillFailure,
};
pub use limit::{LimitUse, Take};
pub use manifest::Manifest;
pub use message::{
    Author, Channel, InboundKind, InboundMessage, OutboxItem, OutboxState, StoredMessage,
};
pub use operator::{BindingCode, Operator, OperatorBinding, OperatorToken, Role};
pub use reply::{CallFailure, FailureKind, HostReply, Retry};
pub use ticket::{Priority, Ticket, TicketEvent, TicketEventKind, TicketStatus, TransitionError};
pub use time::Timestamp;
