//! What host calls take and give.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Priority, TicketStatus, Timestamp};

/// How loud a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Finest.
    Trace,
    /// For the author.
    Debug,
    /// For the operator.
    Info,
    /// Something is odd.
    Warn,
    /// Something failed.
    Error,
}

/// One log line of a skill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// How loud.
    pub level: LogLevel,
    /// The message.
    pub message: String,
    /// Names and values that belong to it.
    pub fields: Vec<(String, String)>,
}

/// A field of a record and the text it must equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// A dotted name: `address.zip`.
    pub field: String,
    /// The text; a placeholder where the field is personal.
    pub value: String,
}

/// What must be true of a record for a write to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// Nothing is stored under the key.
    Absent,
    /// The record has this version.
    Version(u64),
}

/// One step of an atomic write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum RecordStep {
    /// Write a record.
    Put {
        /// The collection.
        collection: String,
        /// The key.
        key: String,
        /// The whole new object; personal values are placeholders.
        body: serde_json::Value,
        /// The condition.
        expected: Expected,
    },
    /// Delete a record.
    Delete {
        /// The collection.
        collection: String,
        /// The key.
        key: String,
        /// The version that is to be deleted.
        version: u64,
    },
}

impl RecordStep {
    /// The collection and the key.
    pub fn target(&self) -> (&str, &str) {
        match self {
            Self::Put { collection, key, .. } | Self::Delete { collection, key, .. } => {
                (collection, key)
            }
        }
    }
}

/// A record as a skill sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The key.
    pub key: String,
    /// Grows by one with each change.
    pub version: u64,
    /// The object; personal values are placeholders. Shared, because a skill gets
    /// what the journal keeps.
    #[serde(with = "shared")]
    pub body: Arc<serde_json::Value>,
}

/// A shared value in the form of the value itself.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;

    pub(super) fn serialize<S: Serializer>(value: &Arc<Value>, to: S) -> Result<S::Ok, S::Error> {
        Value::serialize(value, to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<Value>, D::Error> {
        Value::deserialize(from).map(Arc::new)
    }
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    /// GET
    Get,
    /// HEAD
    Head,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
}

impl HttpMethod {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether RFC 9110 section 9.2.1 calls the method safe.
    pub const fn is_safe(self) -> bool {
        matches!(self, Self::Get | Self::Head)
    }
}

/// One request that a skill wants sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// The method.
    pub method: HttpMethod,
    /// The absolute URL.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Names of secrets for the host to put in.
    pub secrets: Vec<String>,
    /// Whether performing it twice does no harm.
    pub idempotent: bool,
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// How soon a person should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Some time.
    Low,
    /// In turn.
    Normal,
    /// Soon.
    High,
    /// Now.
    Critical,
}

impl Severity {
    /// The name used in rules.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The priority that a ticket gets from it.
    pub const fn priority(self) -> Priority {
        match self {
            Self::Critical => Priority::P1,
            Self::High => Priority::P2,
            Self::Normal => Priority::P3,
            Self::Low => Priority::P4,
        }
    }
}

/// A wish for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOver {
    /// A short machine-readable reason.
    pub reason: String,
    /// How soon.
    pub severity: Severity,
    /// What the person should know first.
    pub summary: String,
}

/// What to change of a ticket; `None` leaves a field as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct TicketChange {
    /// A new subject.
    pub subject: Option<String>,
    /// A new status.
    pub status: Option<TicketStatus>,
    /// A new priority.
    pub priority: Option<Priority>,
}

/// A question to a language model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelRequest {
    /// A short machine-readable purpose, which rules judge.
    pub purpose: String,
    /// The conversation so far, in placeholders.
    pub messages: Vec<ModelMessage>,
    /// Tokens that the answer may have.
    pub max_tokens: u32,
}

/// Who speaks to a language model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelRole {
    /// The skill, with instructions.
    System,
    /// The customer.
    User,
    /// The model itself, earlier.
    Assistant,
}

/// One message to a language model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelMessage {
    /// Who speaks.
    pub role: ModelRole,
    /// What.
    pub text: String,
}

/// A language model's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// The text, in placeholders.
    pub text: String,
    /// Tokens of the question.
    pub input_tokens: u32,
    /// Tokens of the answer.
    pub output_tokens: u32,
}

/// A piece of the knowledge base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    /// Its name, the same as long as its text is.
    pub id: String,
    /// Title of the article that it is from.
    pub title: String,
    /// The text.
    pub text: String,
    /// How well it fits the question, from 0 to 1000.
    pub relevance: u32,
}

/// Who gets a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "snake_case")]
pub enum Audience {
    /// The customer of the conversation.
    Customer,
    /// The people of a queue.
    Queue {
        /// Its name.
        name: String,
    },
    /// Customers by their keys; more than one is a mass send.
    Customers {
        /// The keys.
        keys: Vec<String>,
    },
}

impl Audience {
    /// The name used in rules.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Queue { .. } => "queue",
            Self::Customers { .. } => "customers",
        }
    }

    /// How many get the message; a queue counts as one.
    pub fn count(&self) -> usize {
        match self {
            Self::Customer | Self::Queue { .. } => 1,
            Self::Customers { keys } => keys.len(),
        }
    }
}

/// A tool that is to run later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// A tool of the same skill.
    pub tool: String,
    /// Its arguments: a JSON object, in placeholders.
    pub arguments: serde_json::Value,
    /// When.
    pub when: JobTime,
}

/// When a tool is to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "when", rename_all = "snake_case")]
pub enum JobTime {
    /// Once.
    At {
        /// The time.
        time: Timestamp,
    },
    /// Again and again.
    Cron {
        /// Five fields, in UTC.
        expression: String,
    },
}
