//! Sending messages beyond the answer to the customer's own.

use crate::{Result, host};

/// Who gets a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The customer of the conversation.
    Customer,
    /// The people of a queue.
    Queue(String),
    /// Customers by their keys, 1 to 1000; more than one is a mass send.
    Customers(Vec<String>),
}

/// Sends a text, and answers to how many it goes.
///
/// # Errors
/// The host refused or failed, or cannot send further messages.
pub fn send(audience: &Audience, text: &str) -> Result<u32> {
    Ok(host::message_send(audience, text)?)
}
