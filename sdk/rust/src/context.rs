//! What the host says about a call.

use crate::{Error, Result};

/// Facts about the call, made by the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Names this call in logs and audit.
    pub invocation_id: String,
    /// Milliseconds since 1970-01-01T00:00:00Z, fixed for the whole call.
    pub now_ms: u64,
    /// Language of the customer, as a BCP 47 tag.
    pub language: String,
    /// Who is writing.
    pub customer: Customer,
    /// Values of the operator for this skill: name and value.
    pub settings: Vec<(String, String)>,
}

/// The customer of the conversation.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Customer {
    /// Key of the customer's own record, once there is one.
    pub key: Option<String>,
    /// How well the host knows who is writing.
    pub level: IdentityLevel,
}

/// How well the host knows who is writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum IdentityLevel {
    /// Nobody in particular.
    #[default]
    Unknown,
    /// A channel account or details that match a record: who somebody claims to be.
    Identified,
    /// Proven with a code or with a signed token.
    Verified,
}

impl Context {
    /// The value of a setting that the manifest declares.
    ///
    /// # Errors
    /// The setting has neither a value nor a default.
    pub fn setting(&self, name: &str) -> Result<&str> {
        let found = self.settings.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).ok_or_else(|| Error::MissingSetting(name.to_owned()))
    }

    /// Key of the customer's own record.
    ///
    /// # Errors
    /// The customer is not identified. A tool whose manifest asks for an
    /// identity is not called before there is one.
    pub fn customer_key(&self) -> Result<&str> {
        self.customer.key.as_deref().ok_or(Error::NotIdentified)
    }
}
