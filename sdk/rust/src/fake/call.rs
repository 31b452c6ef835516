//! What the fake host remembers.

use crate::{
    Severity, http,
    message::Audience,
    model,
    records::Step,
    schedule::When,
    ticket::{Change, Priority},
};

/// A call to the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// [`crate::records::get`]
    RecordsGet {
        /// The collection.
        collection: String,
        /// The key.
        key: String,
    },
    /// [`crate::records::query`]
    RecordsQuery {
        /// The collection.
        collection: String,
        /// Fields and the texts that they must equal.
        conditions: Vec<(String, String)>,
        /// At most so many.
        limit: u32,
    },
    /// [`crate::records::write`]
    RecordsWrite {
        /// The steps.
        steps: Vec<Step>,
    },
    /// [`crate::records::identify`]
    RecordsIdentify {
        /// The collection.
        collection: String,
        /// Fields and what the customer gave.
        details: Vec<(String, String)>,
    },
    /// [`crate::http::Request::send`]
    HttpSend {
        /// The request.
        request: http::Request,
    },
    /// [`crate::kv::get`]
    KvGet {
        /// The key.
        key: String,
    },
    /// [`crate::kv::set`]
    KvSet {
        /// The key.
        key: String,
        /// The value.
        value: Vec<u8>,
        /// For so many seconds.
        ttl_s: u32,
    },
    /// [`crate::kv::delete`]
    KvDelete {
        /// The key.
        key: String,
    },
    /// [`crate::ticket::create`]
    TicketCreate {
        /// Its subject.
        subject: String,
        /// Its priority.
        priority: Priority,
    },
    /// [`crate::ticket::update`]
    TicketUpdate {
        /// The ticket.
        id: String,
        /// What to change.
        change: Change,
    },
    /// [`crate::ticket::tag`]
    TicketTag {
        /// The ticket.
        id: String,
        /// The tag.
        tag: String,
    },
    /// [`crate::ticket::comment`]
    TicketComment {
        /// The ticket.
        id: String,
        /// The remark.
        text: String,
    },
    /// [`crate::ticket::history`]
    TicketHistory {
        /// At most so many.
        limit: u32,
    },
    /// [`crate::handover::request`]
    HandOver {
        /// A short machine-readable reason.
        reason: String,
        /// How soon.
        severity: Severity,
        /// What the person should know first.
        summary: String,
    },
    /// [`crate::knowledge::find`]
    KnowledgeFind {
        /// The question.
        query: String,
        /// The collection of articles.
        collection: String,
        /// At most so many passages.
        limit: u32,
    },
    /// [`crate::model::Request::complete`]
    ModelComplete {
        /// The question.
        request: model::Request,
    },
    /// [`crate::message::send`]
    MessageSend {
        /// To whom.
        audience: Audience,
        /// The text.
        text: String,
    },
    /// [`crate::schedule::create`]
    ScheduleCreate {
        /// The tool.
        tool: String,
        /// Its arguments, as JSON.
        arguments: String,
        /// When.
        when: When,
    },
    /// [`crate::schedule::cancel`]
    ScheduleCancel {
        /// The job's name.
        id: String,
    },
}
