//! What a store gives.

use postern_domain::{
    Approval, Conversation, ConversationId, Digest, InboundMessage, InvocationId, JournalEntry,
    MessageId, OutboxItem, Outcome, SkillFailure, SkillId, StoredMessage, Ticket, TicketEvent,
    Timestamp, TurnId, VaultEntry,
};
use serde::{Deserialize, Serialize};

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It is durable and will be processed.
    New,
    /// It was accepted before; nothing more happens.
    Duplicate,
}

/// The exclusive right to work on a conversation. Every commit under it checks
/// `fence`, so a worker that lost its lease can change nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The conversation.
    pub conversation: ConversationId,
    /// Grows with each lease of the conversation.
    pub fence: i64,
}

/// What the pipeline did about a message (or is doing).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TurnRow {
    /// Its id.
    pub id: TurnId,
    /// The conversation.
    pub conversation: ConversationId,
    /// The inbound message.
    pub message: MessageId,
    /// What was understood and decided, as the pipeline's own versioned JSON.
    pub plan: serde_json::Value,
    /// Digest of the generation of skills and policy under which it runs.
    pub generation: String,
    /// What happened in each stage, once complete, as the pipeline's JSON.
    pub summary: Option<serde_json::Value>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was complete.
    pub completed_at: Option<Timestamp>,
}

/// One call of one tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvocationRow {
    /// Its id.
    pub id: InvocationId,
    /// The turn.
    pub turn: TurnId,
    /// Its place in the turn, from 0.
    pub step: u32,
    /// The skill.
    pub skill: SkillId,
    /// Its version.
    pub version: String,
    /// Digest of the component.
    pub digest: Digest,
    /// The tool.
    pub tool: String,
    /// The arguments, in placeholders.
    pub arguments: serde_json::Value,
    /// What it came to; none while it runs.
    pub result: Option<Result<Outcome, SkillFailure>>,
    /// The context's time.
    pub at: Timestamp,
    /// Microseconds from start to end, host calls included; 0 if the component
    /// did not run.
    pub took_us: u64,
    /// Microseconds of guest CPU time.
    pub cpu_us: u64,
    /// Most bytes of linear memory in use.
    pub memory_bytes: u64,
    /// Host calls, without log lines.
    pub host_calls: u32,
}

/// What one run of a component used, and how it failed if it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UseRow {
    /// Microseconds from start to end, host calls included.
    pub took_us: u64,
    /// Microseconds of guest CPU time.
    pub cpu_us: u64,
    /// Most bytes of linear memory in use.
    pub memory_bytes: u64,
    /// Host calls, without log lines.
    pub host_calls: u32,
    /// Why it gave no outcome.
    pub failure: Option<SkillFailure>,
}

/// A record with what it is found by.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexedDocument {
    /// The key.
    pub key: String,
    /// The object.
    pub body: serde_json::Value,
    /// Field names and normalised values under which a query finds it.
    pub index: Vec<(String, String)>,
}

/// A record as kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredRecord {
    /// The collection.
    pub collection: String,
    /// The key.
    pub key: String,
    /// From 1, growing by one with each change.
    pub version: u64,
    /// The object, with real values.
    pub body: serde_json::Value,
}

/// All that is needed to process the next message of a leased conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// The message.
    pub message: InboundMessage,
    /// How often processing it has failed.
    pub attempts: u32,
    /// The conversation.
    pub conversation: Conversation,
    /// The last ten messages, oldest first.
    pub history: Vec<StoredMessage>,
    /// What stands for what.
    pub vault: Vec<VaultEntry>,
    /// The current ticket.
    pub ticket: Option<Ticket>,
    /// The turn, if it began before.
    pub turn: Option<TurnRow>,
    /// Invocations of the turn, in order of their steps.
    pub invocations: Vec<InvocationRow>,
    /// Journal of the turn's invocations, in order of invocation and sequence.
    pub journal: Vec<JournalEntry>,
    /// Approvals of the turn's invocations, in order of invocation and age.
    pub approvals: Vec<Approval>,
}

/// What to do with a send whose result is unknown after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum UnknownSend {
    /// Send once more and mark it as a possible duplicate.
    #[default]
    Resend,
    /// Do not send; show it to people.
    Hold,
}

/// A message with its place in its conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequencedMessage {
    /// Grows with each message of the store; the `id:` of server-sent events.
    pub seq: i64,
    /// The message.
    pub message: StoredMessage,
}

/// A line of the list of conversations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationSummary {
    /// The conversation.
    pub conversation: Conversation,
    /// How many messages it has.
    pub messages: u64,
    /// When the last one was kept.
    pub last_at: Timestamp,
    /// The last message's text, in placeholders.
    pub last_text: String,
}

/// A conversation with everything that happened in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConversationDetail {
    /// The conversation.
    pub conversation: Conversation,
    /// Its messages, oldest first.
    pub messages: Vec<SequencedMessage>,
    /// Its turns, oldest first.
    pub turns: Vec<TurnRow>,
    /// Its invocations, by turn and step.
    pub invocations: Vec<InvocationRow>,
    /// Their journal, by invocation and sequence.
    pub journal: Vec<JournalEntry>,
    /// What was or is to be sent, oldest first.
    pub outbox: Vec<OutboxItem>,
    /// Its tickets, oldest first.
    pub tickets: Vec<Ticket>,
}

/// A ticket with its events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketDetail {
    /// The ticket.
    pub ticket: Ticket,
    /// What happened to it, oldest first.
    pub events: Vec<TicketEvent>,
}

/// Which part of a list, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most so many.
    pub limit: u32,
    /// After so many.
    pub offset: u32,
}

/// Under what a personal value is found again without telling it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultTag {
    /// A keyed hash: of the first two words of a name or address, of any other value as
    /// a whole.
    pub tag: String,
    /// A keyed hash of the whole value.
    pub whole: String,
    /// How many words the whole has; 0 for a value that is not compared by words.
    pub words: u32,
    /// What kind of datum it is.
    pub kind: String,
    /// How well it is known whose it is.
    pub standing: Standing,
}

/// How well it is known that a value is a customer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Somebody said it who may know anything: it is theirs to hear, and keeps nobody
    /// else from hearing it.
    Mentioned,
    /// A customer said it.
    Said,
    /// It stands in a record of the customer.
    Recorded,
}

/// A tag that is known, and whether the value is of the conversation that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultHit {
    /// The tag with the whole to which it belongs.
    pub tag: VaultTag,
    /// Whether the value is one of this conversation or of a customer who is verified
    /// in both.
    pub own: bool,
    /// How many have it: customers in whose records it stands; if it stands in none,
    /// those who said it.
    pub owners: u32,
}
