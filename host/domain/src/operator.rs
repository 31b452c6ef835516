//! People who run a host.

use serde::{Deserialize, Serialize};

use crate::{Channel, Digest, OperatorId, Timestamp};

/// What an operator may do. Rules speak about roles; see `policies/operators.cedar`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Talks to customers and works on tickets.
    Agent,
    /// Decides approvals.
    Approver,
    /// Installs skills and writes rules for review.
    Author,
    /// Does everything, and manages operators.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] =
        [Self::Viewer, Self::Agent, Self::Approver, Self::Author, Self::Admin];

    /// The name in rules and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Agent => "agent",
            Self::Approver => "approver",
            Self::Author => "author",
            Self::Admin => "admin",
        }
    }
}

/// A person with a name of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// The name.
    pub id: OperatorId,
    /// What they may do; at least one.
    pub roles: Vec<Role>,
    /// Since when.
    pub created_at: Timestamp,
    /// Since when not any more. The name stays taken, because audit speaks of it.
    pub removed_at: Option<Timestamp>,
}

/// A token with which an operator signs in; only its digest is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorToken {
    /// SHA-256 of the token, which has 256 random bits.
    pub digest: Digest,
    /// Whose.
    pub operator: OperatorId,
    /// For what, in the operator's words.
    pub label: String,
    /// The roles to which it is confined; empty for all of the operator's.
    pub scope: Vec<Role>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it counts.
    pub expires_at: Timestamp,
}

/// An account of a channel from which an operator acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorBinding {
    /// Whose.
    pub operator: OperatorId,
    /// What they may do there: no more than the token with which they bound it.
    pub roles: Vec<Role>,
    /// The digest of that token. The binding ends when it is revoked.
    pub token: Digest,
    /// The channel.
    pub channel: Channel,
    /// The configured account of the channel.
    pub account: String,
    /// The person, as the channel names them.
    pub sender: String,
    /// The chat in which they are told of approvals.
    pub chat: String,
    /// Since when.
    pub created_at: Timestamp,
}

/// A one-time code with which an operator binds an account of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindingCode {
    /// SHA-256 of the code.
    pub digest: Digest,
    /// Who asked for it.
    pub operator: OperatorId,
    /// The roles of the token with which they were signed in.
    pub roles: Vec<Role>,
    /// The digest of that token. The code ends when it is revoked.
    pub token: Digest,
    /// Until when it counts; used once.
    pub expires_at: Timestamp,
}
