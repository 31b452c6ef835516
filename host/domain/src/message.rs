//! Messages: what came in, what is kept, what goes out.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{ConversationId, MessageId, OutboxId, Timestamp};

/// Where a conversation takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// The Telegram Bot API.
    Telegram,
    /// The chat page that the host serves.
    Web,
    /// `postern chat` in a terminal.
    Terminal,
    /// The contact on file of a customer: codes go there, and nobody writes from
    /// there.
    Contact,
    /// An agent of somebody else, which calls tools by the Model Context Protocol.
    Mcp,
}

impl Channel {
    /// The name used in addresses, configuration and rules.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Telegram => "telegram",
            Self::Web => "web",
            Self::Terminal => "terminal",
            Self::Contact => "contact",
            Self::Mcp => "mcp",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Channel {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "telegram" => Ok(Self::Telegram),
            "web" => Ok(Self::Web),
            "terminal" => Ok(Self::Terminal),
            "contact" => Ok(Self::Contact),
            "mcp" => Ok(Self::Mcp),
            other => Err(format!("{other:?} is not a channel")),
        }
    }
}

/// What an inbound message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboundKind {
    /// Words of the customer, or the label of a button that was pressed.
    Text,
    /// A new text for an earlier message.
    Edit,
    /// Something without text: a picture, a sticker, a place.
    Unsupported,
    /// The word of the operator's own web site on who the visitor is, which the
    /// channel has checked; the text is the customer's key.
    Identity,
    /// An agent's call of a tool; the text is the call, as JSON.
    Call,
}

/// A verified, bounded message from a customer, before anything is done with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundMessage {
    /// The channel.
    pub channel: Channel,
    /// The configured account that received it.
    pub account: String,
    /// What the channel calls this delivery; unique per channel and account.
    pub dedupe_key: String,
    /// The chat, as the channel names it.
    pub chat: String,
    /// The person, as the channel names them.
    pub sender: String,
    /// The message, as the channel names it.
    pub external_id: String,
    /// Whether nobody but the sender reads the answers.
    pub private: bool,
    /// What it is.
    pub kind: InboundKind,
    /// The words, at most 16 KiB.
    pub text: String,
    /// The sender's language as a BCP 47 tag, where the channel tells.
    pub language: Option<String>,
    /// When the host received it.
    pub received_at: Timestamp,
}

impl InboundMessage {
    /// The id of this message: the same for every delivery of it.
    pub fn id(&self) -> MessageId {
        MessageId::derive(&[self.channel.as_str(), &self.account, &self.dedupe_key])
    }

    /// The conversation to which it belongs. In a group, each sender has a
    /// conversation of their own, because identity belongs to the sender.
    pub fn conversation_id(&self) -> ConversationId {
        ConversationId::derive(&[self.channel.as_str(), &self.account, &self.chat, &self.sender])
    }
}

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Author {
    /// The customer.
    Customer,
    /// The machine.
    Bot,
}

impl Author {
    /// The name used in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Bot => "bot",
        }
    }
}

/// A message of a conversation as it is kept: in placeholders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredMessage {
    /// Its id.
    pub id: MessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// Who wrote it.
    pub author: Author,
    /// The text, with personal data as placeholders.
    pub text: String,
    /// When it was kept.
    pub at: Timestamp,
}

/// How far an outgoing message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboxState {
    /// To be sent at `next_at`.
    Pending,
    /// An attempt was committed and its result is not known yet.
    Sending,
    /// The platform took it.
    Sent,
    /// The result of an attempt is unknown and it is not sent again.
    Uncertain,
    /// Given up: a dead letter.
    Dead,
}

impl OutboxState {
    /// The name used in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Uncertain => "uncertain",
            Self::Dead => "dead",
        }
    }
}

impl FromStr for OutboxState {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "pending" => Self::Pending,
            "sending" => Self::Sending,
            "sent" => Self::Sent,
            "uncertain" => Self::Uncertain,
            "dead" => Self::Dead,
            other => return Err(format!("{other:?} is not an outbox state")),
        })
    }
}

/// A message on its way to a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxItem {
    /// Its id; also the idempotency key where the platform takes one.
    pub id: OutboxId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// The channel.
    pub channel: Channel,
    /// The configured account that sends it.
    pub account: String,
    /// The chat, as the channel names it.
    pub chat: String,
    /// The text with placeholders; values are put in at the very edge.
    pub text: String,
    /// How far it has come.
    pub state: OutboxState,
    /// How often sending was tried.
    pub attempts: u32,
    /// When to try next.
    pub next_at: Timestamp,
    /// Whether an attempt with an unknown result came before the last one.
    pub possible_duplicate: bool,
    /// What the last failure was, without secrets or personal data.
    pub last_error: Option<String>,
    /// When it was written.
    pub created_at: Timestamp,
}
