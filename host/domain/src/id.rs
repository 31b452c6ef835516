//! One type per id, checked once.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::stable_id;

/// A text that is not an id of the wanted kind.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{text:?} is not {wanted}")]
pub struct IdError {
    text: String,
    wanted: &'static str,
}

macro_rules! text_of {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id that these facts determine.
            pub fn derive(parts: &[&str]) -> Self {
                Self(format!("{}{}", $prefix, stable_id(parts)))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let digits = text.strip_prefix($prefix).unwrap_or_default();
                if digits.len() == 24 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
                    Ok(Self(text.to_owned()))
                } else {
                    let text = text.chars().take(40).collect();
                    Err(IdError { text, wanted: concat!("`", $prefix, "` and 24 hexadecimal digits") })
                }
            }
        }

        text_of! { $name }
    )*};
}

ids! {
    /// A message that came in or went out.
    MessageId = "msg_";
    /// A conversation: one chat of one account of one channel.
    ConversationId = "cnv_";
    /// A ticket.
    TicketId = "tkt_";
    /// What the pipeline did about one inbound message.
    TurnId = "trn_";
    /// One call of one tool.
    InvocationId = "inv_";
    /// A message on its way out.
    OutboxId = "out_";
    /// One request from outside, named in answers and logs.
    RequestId = "req_";
    /// A call that waits for somebody's word.
    ApprovalId = "apr_";
}

impl RequestId {
    /// The id of the request that brought a message: the same in the log of the
    /// intake and in every audit row about what followed.
    pub fn of_message(message: &MessageId) -> Self {
        Self::derive(&[message.as_str()])
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let fits = (1..=64).contains(&text.len())
                    && text.starts_with(|c: char| c.is_ascii_lowercase())
                    && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
                if fits {
                    Ok(Self(text.to_owned()))
                } else {
                    let text = text.chars().take(80).collect();
                    let wanted = concat!(
                        $what,
                        ": 1 to 64 lower-case letters, digits and hyphens, a letter first"
                    );
                    Err(IdError { text, wanted })
                }
            }
        }

        text_of! { $name }
    )*};
}

names! {
    /// The name of a skill: lower-case letters, digits and hyphens, 1 to 64, and a
    /// letter first.
    SkillId = "a skill id";
    /// The name of a person who runs a host, formed as a skill's.
    OperatorId = "an operator's name";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_know_their_kind() {
        let id = TicketId::derive(&["a"]);
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        assert!(id.as_str().parse::<MessageId>().is_err());
        assert!("tkt_../../etc".parse::<TicketId>().is_err());
    }

    #[test]
    fn skill_ids_are_safe_names() {
        for good in ["a", "order-status", "x9"] {
            assert!(good.parse::<SkillId>().is_ok(), "{good}");
        }
        for bad in ["", "9a", "-a", "A", "a/b", "..", "a b", &"a".repeat(65)] {
            assert!(bad.parse::<SkillId>().is_err(), "{bad}");
        }
    }
}
