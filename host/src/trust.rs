//! Whose skills an operator takes, and which must not run any more.
//!
//! A publisher signs a [`Statement`]: id, version and digest of a skill, as a minisign
//! signature. The operator pins keys to publishers in `trust.toml`. A key counts for its
//! own publisher only, and what is revoked stays revoked when its key is removed.

mod edit;
mod file;
mod key;
mod signing;

use std::path::Path;

use postern_domain::{Digest, Manifest, SkillId, Timestamp};

pub use self::{
    edit::{Edit, EditError, Revoke},
    file::{FILE_NAME, stamp},
    key::{KeyError, KeyId, PublicKey},
    signing::{Keys, SigningError, generate, sign},
};
use crate::{config::bounded, registry::SignedBy};

/// Bytes of a signature file.
pub const MOST_SIGNATURE_BYTES: usize = 4 * 1024;

/// What a publisher signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The skill.
    pub id: SkillId,
    /// Its version.
    pub version: semver::Version,
    /// Digest of the file: of everything in it, if it is a package.
    pub digest: Digest,
}

impl Statement {
    /// What is to be signed of a skill.
    pub fn of(manifest: &Manifest, digest: Digest) -> Self {
        let skill = &manifest.skill;
        Self { id: skill.id.clone(), version: skill.version.clone(), digest }
    }

    /// The text that is signed, byte for byte.
    pub fn text(&self) -> String {
        let Self { id, version, digest } = self;
        format!("postern skill 1\nid: {id}\nversion: {version}\nsha256: {}\n", digest.hex())
    }

    /// The trusted comment of its signatures.
    pub fn comment(&self) -> String {
        format!("postern skill {} {}", self.id, self.version)
    }
}

/// A key that counts for one publisher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    /// The publisher, as manifests name it.
    pub publisher: String,
    /// The key.
    pub key: PublicKey,
    /// Since when.
    pub added: Timestamp,
}

/// What must not run any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// Whatever this key signed.
    Key(KeyId),
    /// The component of this digest.
    Digest(Digest),
}

impl std::fmt::Display for Revoked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key(id) => write!(f, "key {id}"),
            Self::Digest(digest) => write!(f, "{digest}"),
        }
    }
}

/// That something must not run any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// What.
    pub what: Revoked,
    /// The key itself, if it was known: it does not come back under another id.
    pub key: Option<PublicKey>,
    /// Why, in the operator's words.
    pub reason: Option<String>,
    /// Since when.
    pub at: Timestamp,
}

impl std::fmt::Display for Revocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} was revoked on {}", self.what, self.at)?;
        match &self.reason {
            Some(reason) => write!(f, " ({})", bounded(reason)),
            None => Ok(()),
        }
    }
}

/// Whom an operator trusts. The default is nobody.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Trust {
    keys: Vec<Trusted>,
    revocations: Vec<Revocation>,
}

/// Why a skill is not taken. Nothing of it was compiled.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// There is no signature.
    #[error(
        "{skill} of publisher {} is not signed; ask its publisher for the signature (a file \
         .minisig), or install it with --allow-unsigned if you know these bytes",
        shown(publisher)
    )]
    Unsigned {
        /// Id and version.
        skill: String,
        /// The publisher that the manifest names.
        publisher: String,
    },
    /// Nobody said that this key may be trusted.
    #[error(
        "{skill} is signed with key {key}, which you do not trust for publisher {0}; compare \
         the key with the publisher over another way, then run \
         `postern trust add {0} PUBLIC-KEY`",
        shown(publisher)
    )]
    UnknownKey {
        /// Id and version.
        skill: String,
        /// The publisher that the manifest names.
        publisher: String,
        /// The key of the signature.
        key: KeyId,
    },
    /// The key belongs to somebody else.
    #[error(
        "{skill} says that its publisher is {}, but it is signed with key {key} of {}; do not \
         install it, and tell both of them",
        shown(publisher),
        shown(owner)
    )]
    OtherPublisher {
        /// Id and version.
        skill: String,
        /// The publisher that the manifest names.
        publisher: String,
        /// Whose key it is.
        owner: String,
        /// The key of the signature.
        key: KeyId,
    },
    /// The signature is not one of these bytes under this name.
    #[error(
        "the signature is not one of {skill} with {digest}: the file, its id or its version was \
         changed, or the signature is another one's{said}; get both from the publisher again"
    )]
    WrongSignature {
        /// Id and version.
        skill: String,
        /// The digest of what was given.
        digest: Digest,
        /// What the signature says that it is of, unless it says the same.
        said: Said,
    },
    /// The text is no signature.
    #[error("this is no minisign signature: {reason}; make one with `postern skill sign`")]
    Signature {
        /// Why.
        reason: &'static str,
    },
    /// The key must not be trusted any more.
    #[error(
        "{skill} is signed with a revoked key: {revocation}; ask its publisher for a version \
             that is signed with another one"
    )]
    RevokedKey {
        /// Id and version.
        skill: String,
        /// Since when, and why.
        revocation: Box<Revocation>,
    },
    /// The component must not run any more.
    #[error("{skill} must not run: {revocation}; install another version")]
    RevokedDigest {
        /// Id and version.
        skill: String,
        /// Since when, and why.
        revocation: Box<Revocation>,
    },
    /// The file system failed.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// There was a file.
    #[error(
        "{path} is gone, and with it what was revoked; restore it from a backup; if there is \
         none, write one with the line `version = 1`, and add keys and revocations again with \
         `postern trust`"
    )]
    Gone {
        /// The file.
        path: String,
    },
    /// The file is not what Postern writes; nobody is trusted then.
    #[error(
        "{path}: {reason}; nobody is trusted until it is mended: correct that place, or restore \
         the file from a backup; without it, what it revokes would be forgotten"
    )]
    File {
        /// The file.
        path: String,
        /// Where and what.
        reason: String,
    },
}

/// What the comment of a signature claims, for errors.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Said(Option<String>);

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Some(comment) => write!(f, " (its comment says {:?})", bounded(comment)),
            None => Ok(()),
        }
    }
}

/// A name of somebody else's choosing as one word of a shell, so that a command in an
/// error can be copied without doing more than it says.
fn shown(name: &str) -> String {
    format!("'{}'", bounded(name).replace('\'', "'\\''"))
}

impl Trust {
    /// Reads whom the operator of a data folder trusts: nobody, if there is no file.
    ///
    /// # Errors
    /// The file cannot be read, or is not exactly of the known form.
    pub fn load(data: &Path) -> Result<Self, TrustError> {
        file::load(data)
    }

    /// Whoever trusts this key alone.
    pub fn only(publisher: &str, key: PublicKey) -> Self {
        let added = Timestamp::default();
        let keys = vec![Trusted { publisher: publisher.to_owned(), key, added }];
        Self { keys, revocations: Vec::new() }
    }

    /// Changes whenever the file does, and is cheap to ask for; none if there is no file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn stamp(data: &Path) -> Result<Option<Digest>, TrustError> {
        stamp(data)
    }

    /// The keys that count.
    pub fn keys(&self) -> &[Trusted] {
        &self.keys
    }

    /// Nobody, and of the revocations this one: to see what it stops.
    pub fn only_revoked(&self, what: &Revoked) -> Self {
        let revocations = self.revocations.iter().filter(|it| it.what == *what).cloned();
        Self { keys: Vec::new(), revocations: revocations.collect() }
    }

    /// What must not run any more.
    pub fn revocations(&self) -> &[Revocation] {
        &self.revocations
    }

    /// Who signed what is stated, for a skill whose manifest names this publisher.
    ///
    /// # Errors
    /// Why it is not taken, with what would allow it.
    pub fn judge(
        &self,
        publisher: &str,
        statement: &Statement,
        signature: Option<&str>,
    ) -> Result<SignedBy, TrustError> {
        let skill = format!("{}@{}", statement.id, statement.version);
        if let Some(revocation) = self.revocation(&Revoked::Digest(statement.digest)) {
            return Err(TrustError::RevokedDigest { skill, revocation });
        }
        let publisher = publisher.to_owned();
        let Some(signature) = signature else {
            return Err(TrustError::Unsigned { skill, publisher });
        };
        let signature = key::Signature::read(signature)?;
        let key = signature.key_id();
        if let Some(revocation) = self.revocation(&Revoked::Key(key)) {
            return Err(TrustError::RevokedKey { skill, revocation });
        }
        let Some(trusted) = self.keys.iter().find(|trusted| trusted.key.id() == key) else {
            return Err(TrustError::UnknownKey { skill, publisher, key });
        };
        // First whether it is theirs at all: a false claim accuses nobody.
        if !trusted.key.verifies(&statement.text(), &signature) {
            let (comment, digest) = (signature.comment(), statement.digest);
            let said = (comment != statement.comment()).then(|| comment.to_owned());
            return Err(TrustError::WrongSignature { skill, digest, said: Said(said) });
        }
        if trusted.publisher != publisher {
            let owner = trusted.publisher.clone();
            return Err(TrustError::OtherPublisher { skill, publisher, owner, key });
        }
        Ok(SignedBy { publisher, key: key.to_string() })
    }

    /// Why what has this digest and was signed so must not run any more.
    pub fn revoked(&self, digest: Digest, signed_by: Option<&SignedBy>) -> Option<Revocation> {
        let key = || signed_by?.key.parse().ok().map(Revoked::Key);
        self.revocation(&Revoked::Digest(digest))
            .or_else(|| self.revocation(&key()?))
            .map(|revocation| *revocation)
    }

    fn revocation(&self, what: &Revoked) -> Option<Box<Revocation>> {
        let found = self.revocations.iter().find(|revocation| revocation.what == *what);
        found.cloned().map(Box::new)
    }
}

#[cfg(test)]
mod tests;
