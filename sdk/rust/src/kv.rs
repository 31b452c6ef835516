//! Small state of a skill, kept apart for each customer, with a quota.

use crate::{Result, host};

/// Reads a value; none if it is missing or expired.
///
/// # Errors
/// The host refused or failed.
pub fn get(key: &str) -> Result<Option<Vec<u8>>> {
    Ok(host::kv_get(key)?)
}

/// Keeps a value for `ttl_s` seconds (1 to 31,536,000).
///
/// # Errors
/// The host refused or failed, or the quota is used up.
pub fn set(key: &str, value: &[u8], ttl_s: u32) -> Result<()> {
    Ok(host::kv_set(key, value, ttl_s)?)
}

/// Forgets a value. Forgetting a missing one is no error.
///
/// # Errors
/// The host refused or failed.
pub fn delete(key: &str) -> Result<()> {
    Ok(host::kv_delete(key)?)
}
