//! Asking the host's language model.

use crate::{Result, host};

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions of the skill.
    System,
    /// The customer.
    User,
    /// The model itself, earlier.
    Assistant,
}

/// A question, built message by message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What it is for: lower-case letters, digits, hyphens. Rules judge it.
    pub purpose: String,
    /// The conversation so far; personal values stay placeholders.
    pub messages: Vec<(Role, String)>,
    /// Tokens that the answer may have, 1 to 4096.
    pub max_tokens: u32,
}

/// What the model said: a proposal and never an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The text.
    pub text: String,
    /// Tokens of the question.
    pub input_tokens: u32,
    /// Tokens of the answer.
    pub output_tokens: u32,
}

impl Request {
    /// A question without messages, for this purpose.
    pub fn new(purpose: &str, max_tokens: u32) -> Self {
        Self { purpose: purpose.to_owned(), messages: Vec::new(), max_tokens }
    }

    /// The same question with one more message.
    #[must_use]
    pub fn message(mut self, role: Role, text: &str) -> Self {
        self.messages.push((role, text.to_owned()));
        self
    }

    /// Asks.
    ///
    /// # Errors
    /// The host refused or failed, or has no language model.
    pub fn complete(&self) -> Result<Answer> {
        Ok(host::model_complete(self)?)
    }
}
