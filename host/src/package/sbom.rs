//! What a component was built from, as it says itself.

use super::PackageError;

/// A CycloneDX document of what the component was built from, if it says so.
///
/// # Errors
/// It says so in a way that cannot be read, or says too much.
pub fn sbom(bytes: &[u8]) -> Result<Option<serde_json::Value>, PackageError> {
    let _ = bytes;
    Ok(None)
}
