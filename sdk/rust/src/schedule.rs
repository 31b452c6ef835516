//! Running a tool later.

use serde::Serialize;

use crate::{Error, HostError, HostErrorKind, Result, host};

/// When a tool runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// Once, in milliseconds since 1970-01-01T00:00:00Z.
    AtMs(u64),
    /// Again and again: minute, hour, day of month, month, day of week, in UTC.
    Cron(String),
}

/// Has a tool of this skill run later, and answers the job's name.
///
/// # Errors
/// The arguments are no JSON object, the host refused or failed, or it has no
/// schedule.
pub fn create(tool: &str, arguments: &impl Serialize, when: &When) -> Result<String> {
    let arguments = serde_json::to_string(arguments)
        .map_err(|error| HostError::new(HostErrorKind::Invalid, error.to_string()))
        .map_err(Error::from)?;
    Ok(host::schedule_create(tool, &arguments, when)?)
}

/// Has it not run after all.
///
/// # Errors
/// There is no such job, or the host refused or failed.
pub fn cancel(id: &str) -> Result<()> {
    Ok(host::schedule_cancel(id)?)
}
