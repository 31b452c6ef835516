//! The host's master key and what is derived from it.

use std::{fmt, io::Write as _, path::Path};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// A text that must not be shown: prints as `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `given` is this secret, in a time that does not depend on where
    /// they differ. Digests are compared, so lengths do not show either.
    pub fn matches(&self, given: &[u8]) -> bool {
        let ours = postern_domain::Digest::of_bytes(self.0.as_bytes());
        let theirs = postern_domain::Digest::of_bytes(given);
        ours.as_bytes().ct_eq(theirs.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The key from which tokens, seeds and marks are derived. It never leaves the
/// data folder.
#[derive(Clone)]
pub struct MasterKey([u8; 32]);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error(
        "{path}: {source}; `postern init` makes it in a new folder, later only a backup has it"
    )]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("{path}: must hold 64 hexadecimal digits; restore it from a backup")]
    Malformed {
        /// The file.
        path: String,
    },
    /// The machine gives no randomness.
    #[error("the operating system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

impl MasterKey {
    /// A fresh random key.
    ///
    /// # Errors
    /// The machine gives no randomness.
    pub fn generate() -> Result<Self, KeyError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(KeyError::Random)?;
        Ok(Self(bytes))
    }

    /// The key of hosts on which scenarios run. It keeps nothing from anybody: what is
    /// derived from it has to be the same everywhere.
    pub(crate) const fn of_scenarios() -> Self {
        Self(*b"postern scenarios keep no secret")
    }

    /// Reads a key from a file of 64 hexadecimal digits.
    ///
    /// # Errors
    /// The file is missing or malformed.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| KeyError::Io { path: shown.clone(), source })?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes)
            .map_err(|_| KeyError::Malformed { path: shown })?;
        Ok(Self(bytes))
    }

    /// Writes the key to a new file that only its owner can read.
    ///
    /// # Errors
    /// The file exists or cannot be written.
    pub fn write_new(&self, path: &Path) -> Result<(), KeyError> {
        write_private(path, hex::encode(self.0).as_bytes())
            .map_err(|source| KeyError::Io { path: path.display().to_string(), source })
    }

    /// 32 bytes that depend on the key, a purpose and the parts, and on where
    /// each part begins and ends.
    pub fn derive(&self, purpose: &str, parts: &[&str]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes any key length");
        for part in std::iter::once(&purpose).chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }
}

/// Writes a new file with mode 0600, durably.
///
/// # Errors
/// The file exists or cannot be written.
pub fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// A random token of 32 bytes in hexadecimal digits.
///
/// # Errors
/// The machine gives no randomness.
pub fn random_token() -> Result<String, KeyError> {
    MasterKey::generate().map(|key| hex::encode(key.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_print_redacted_and_compare_whole() {
        let secret = Secret::new("s3cret");
        assert_eq!(format!("{secret:?}"), "[redacted]");
        assert!(secret.matches(b"s3cret"));
        for other in [&b""[..], b"s3cre", b"s3cret ", b"S3cret"] {
            assert!(!secret.matches(other));
        }
    }

    #[test]
    fn derived_values_depend_on_purpose_and_borders() {
        let key = MasterKey::generate().unwrap();
        assert_eq!(key.derive("a", &["b"]), key.derive("a", &["b"]));
        assert_ne!(key.derive("a", &["b", "c"]), key.derive("a", &["bc"]));
        assert_ne!(key.derive("ab", &["c"]), key.derive("a", &["bc"]));
    }
}
