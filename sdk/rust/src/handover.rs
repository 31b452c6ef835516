//! Asking for a person.

use crate::{Result, Severity, host};

/// Puts the conversation in a queue for people, and answers the queue's name.
///
/// `reason` is short and machine-readable: lower-case letters, digits, hyphens.
/// `summary` is what the person should know first, without personal data.
///
/// # Errors
/// The host refused or failed.
pub fn request(reason: &str, severity: Severity, summary: &str) -> Result<String> {
    Ok(host::hand_over(reason, severity, summary)?)
}
