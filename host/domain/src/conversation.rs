//! A conversation and what is remembered between its turns.

use serde::{Deserialize, Serialize};

use crate::{ApprovalId, Channel, ConversationId, OutboxId, SkillId, TicketId, Timestamp, TurnId};

/// How well the host knows who is writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum IdentityLevel {
    /// Nobody in particular.
    #[default]
    Unknown,
    /// Details that match a record: who somebody claims to be.
    Identified,
    /// Proven with a code or with a signed token.
    Verified,
}

impl IdentityLevel {
    /// The name used in rules and configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Identified => "identified",
            Self::Verified => "verified",
        }
    }
}

/// The customer of a conversation, as far as known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Customer {
    /// Key of the customer's record, once identified.
    pub key: Option<String>,
    /// How sure that is.
    pub level: IdentityLevel,
}

impl Customer {
    /// The key of the customer's record, if it is sure who they are.
    pub fn verified(&self) -> Option<&str> {
        self.key.as_deref().filter(|_| self.level >= IdentityLevel::Verified)
    }
}

/// A tool that waits for something the customer has to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingTool {
    /// The skill.
    pub skill: SkillId,
    /// The tool.
    pub tool: String,
    /// The intent that led here.
    pub intent: String,
    /// Arguments gathered so far; personal values are placeholders.
    pub arguments: serde_json::Map<String, serde_json::Value>,
}

/// What the last answer asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awaiting {
    /// Tools that wait, innermost last: an identity tool on top of the tool
    /// that needs an identified customer.
    pub stack: Vec<PendingTool>,
    /// The entity that was asked for.
    pub entity: String,
    /// The question, to be put again.
    pub question: String,
    /// How often it was put.
    pub asked: u32,
    /// The suspended call that the answer is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalId>,
}

/// A single-use code that the host has sent and waits for. The code itself is kept
/// nowhere: it follows from the host's key and from what stands here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// The customer whom it proves.
    pub customer: String,
    /// The turn that asked for it.
    pub turn: TurnId,
    /// The outgoing message that carries it; each has a code of its own.
    pub sent_as: OutboxId,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// How many more attempts it takes.
    pub attempts_left: u32,
    /// The last attempt. After a right one the code is used up.
    #[serde(default)]
    pub last: Option<Attempt>,
}

impl Challenge {
    /// Whether the right code would still prove something.
    pub fn is_open(&self, now: Timestamp) -> bool {
        let used = self.last.as_ref().is_some_and(|last| last.right);
        !used && self.attempts_left > 0 && now < self.expires_at
    }
}

/// An attempt at a code. A turn that runs again makes the same one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The turn in which it was made.
    pub turn: TurnId,
    /// Whether the code was right.
    pub right: bool,
}

/// What a conversation remembers between turns (version 1 of the stored form).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct ConversationState {
    /// An open question.
    pub awaiting: Option<Awaiting>,
    /// Number of the session: identity, context and placeholders end with it.
    #[serde(default)]
    pub session: u32,
    /// How much what was read in this session looks as if it wants to steer the
    /// machine, from 0 to 100.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub taint: u8,
    /// How many attempts to identify have failed.
    pub identify_failures: u32,
    /// The code that was sent and not answered yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<Challenge>,
    /// How many turns in a row were not understood.
    pub misses: u32,
    /// Entities mentioned before, by name: normal form.
    pub entities: std::collections::BTreeMap<String, String>,
    /// When `entities` and `customer` were last of use: a session ends after
    /// thirty idle minutes.
    pub last_active: Timestamp,
}

/// Whether nothing has to be stored.
fn is_zero(number: &u8) -> bool {
    *number == 0
}

/// One chat with one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// Where it takes place.
    pub channel: Channel,
    /// The configured account.
    pub account: String,
    /// The chat, as the channel names it.
    pub chat: String,
    /// The person, as the channel names them.
    pub sender: String,
    /// Whether nobody but the sender reads the answers.
    pub private: bool,
    /// Four characters that mark this conversation's placeholders.
    pub nonce: String,
    /// Language as a BCP 47 tag.
    pub language: String,
    /// Who is writing.
    pub customer: Customer,
    /// What is remembered.
    pub state: ConversationState,
    /// The current ticket.
    pub ticket: Option<TicketId>,
    /// When it began.
    pub created_at: Timestamp,
}

/// A personal value and the placeholder that stands for it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultEntry {
    /// For example `<EMAIL_1.k3f9>`.
    pub placeholder: String,
    /// For example `EMAIL`.
    pub kind: String,
    /// The value itself.
    pub value: String,
}

impl std::fmt::Debug for VaultEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VaultEntry")
            .field("placeholder", &self.placeholder)
            .field("kind", &self.kind)
            .field("value", &"[redacted]")
            .finish()
    }
}
