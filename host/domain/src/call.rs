//! Host calls: everything that a skill can want from the world, as values.

use serde::{Deserialize, Serialize};

use crate::{
    Audience, Condition, HandOver, HttpRequest, Interface, Job, LogLine, ModelRequest, Priority,
    RecordStep, TicketChange, TicketId,
};

/// One thing that a skill wants from the host. Policy, gate, effects and audit
/// match on it without a wildcard, so a new variant does not compile until each
/// of them handles it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub enum HostCall {
    /// Write a log line.
    Log {
        /// The line.
        line: LogLine,
    },
    /// Read one record.
    RecordsGet {
        /// The collection.
        collection: String,
        /// The key.
        key: String,
    },
    /// Read records by equality.
    RecordsQuery {
        /// The collection.
        collection: String,
        /// All must hold.
        conditions: Vec<Condition>,
        /// At most so many.
        limit: u32,
    },
    /// Write records, all or none.
    RecordsWrite {
        /// The steps.
        steps: Vec<RecordStep>,
    },
    /// Find out who the customer claims to be.
    RecordsIdentify {
        /// The collection of customers.
        collection: String,
        /// What the customer gave.
        details: Vec<Condition>,
    },
    /// Send a request.
    HttpSend {
        /// The request.
        request: HttpRequest,
    },
    /// Read a value.
    KvGet {
        /// The key.
        key: String,
    },
    /// Keep a value.
    KvSet {
        /// The key.
        key: String,
        /// The value.
        value: Vec<u8>,
        /// For so many seconds.
        ttl_s: u32,
    },
    /// Forget a value.
    KvDelete {
        /// The key.
        key: String,
    },
    /// Open a ticket.
    TicketCreate {
        /// Its subject.
        subject: String,
        /// Its priority.
        priority: Priority,
    },
    /// Change a ticket.
    TicketUpdate {
        /// The ticket.
        id: TicketId,
        /// What to change.
        change: TicketChange,
    },
    /// Tag a ticket.
    TicketTag {
        /// The ticket.
        id: TicketId,
        /// The tag.
        tag: String,
    },
    /// Remark on a ticket.
    TicketComment {
        /// The ticket.
        id: TicketId,
        /// The remark.
        text: String,
    },
    /// Read this customer's earlier tickets.
    TicketHistory {
        /// At most so many.
        limit: u32,
    },
    /// Ask for a person.
    HandOver {
        /// The wish.
        request: HandOver,
    },
    /// Look something up in the knowledge base.
    KnowledgeSearch {
        /// The question.
        query: String,
        /// The collection of articles.
        collection: String,
        /// At most so many passages.
        limit: u32,
    },
    /// Ask a language model.
    ModelComplete {
        /// The question.
        request: ModelRequest,
    },
    /// Send a message.
    MessageSend {
        /// To whom.
        audience: Audience,
        /// The text, in placeholders.
        text: String,
    },
    /// Have a tool run later.
    ScheduleCreate {
        /// What and when.
        job: Job,
    },
    /// Have a tool not run later after all.
    ScheduleCancel {
        /// The job's name.
        id: String,
    },
}

impl HostCall {
    /// The interface through which it came.
    pub const fn interface(&self) -> Interface {
        match self {
            Self::Log { .. } => Interface::Log,
            Self::RecordsGet { .. }
            | Self::RecordsQuery { .. }
            | Self::RecordsWrite { .. }
            | Self::RecordsIdentify { .. } => Interface::Records,
            Self::HttpSend { .. } => Interface::Http,
            Self::KvGet { .. } | Self::KvSet { .. } | Self::KvDelete { .. } => Interface::Kv,
            Self::TicketCreate { .. }
            | Self::TicketUpdate { .. }
            | Self::TicketTag { .. }
            | Self::TicketComment { .. }
            | Self::TicketHistory { .. } => Interface::Ticket,
            Self::HandOver { .. } => Interface::Handover,
            Self::KnowledgeSearch { .. } => Interface::Knowledge,
            Self::ModelComplete { .. } => Interface::Model,
            Self::MessageSend { .. } => Interface::Message,
            Self::ScheduleCreate { .. } | Self::ScheduleCancel { .. } => Interface::Schedule,
        }
    }

    /// The action's name in rules and audit: `records:get`.
    pub const fn action(&self) -> &'static str {
        match self {
            Self::Log { .. } => "log:write",
            Self::RecordsGet { .. } => "records:get",
            Self::RecordsQuery { .. } => "records:query",
            Self::RecordsWrite { .. } => "records:write",
            Self::RecordsIdentify { .. } => "records:identify",
            Self::HttpSend { .. } => "http:send",
            Self::KvGet { .. } => "kv:get",
            Self::KvSet { .. } => "kv:set",
            Self::KvDelete { .. } => "kv:delete",
            Self::TicketCreate { .. } => "ticket:create",
            Self::TicketUpdate { .. } => "ticket:update",
            Self::TicketTag { .. } => "ticket:tag",
            Self::TicketComment { .. } => "ticket:comment",
            Self::TicketHistory { .. } => "ticket:history",
            Self::HandOver { .. } => "handover:request",
            Self::KnowledgeSearch { .. } => "knowledge:search",
            Self::ModelComplete { .. } => "model:complete",
            Self::MessageSend { .. } => "message:send",
            Self::ScheduleCreate { .. } => "schedule:create",
            Self::ScheduleCancel { .. } => "schedule:cancel",
        }
    }
}
