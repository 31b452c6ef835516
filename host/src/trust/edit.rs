//! Changes of whom an operator trusts: one at a time, whole or not at all.

use std::{
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
    str::FromStr,
};

use postern_domain::{Digest, Timestamp};

use super::{KeyId, PublicKey, Revocation, Revoked, Trust, TrustError, Trusted, file, shown};

/// Keys that can be trusted.
const MOST_KEYS: usize = 1_000;

/// Revocations that can be kept.
const MOST_REVOCATIONS: usize = 10_000;

/// Bytes of a publisher's name, and of a reason.
const MOST_TEXT: usize = 400;

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The file.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The key counts already.
    #[error("key {key} is already the one of {}; `postern trust list` shows all", shown(owner))]
    Taken {
        /// The key.
        key: KeyId,
        /// Whose it is.
        owner: String,
    },
    /// The key was revoked.
    #[error(
        "{revocation}; if that was a mistake, run `postern trust unrevoke {key} --reason WHY` first"
    )]
    Revoked {
        /// The key that was to be added.
        key: KeyId,
        /// Since when, and why.
        revocation: Box<Revocation>,
    },
    /// There is no such key.
    #[error("key {0} is not trusted; `postern trust list` shows which are")]
    NoKey(KeyId),
    /// It is revoked.
    #[error("{0}")]
    Already(Box<Revocation>),
    /// It is not revoked.
    #[error("{0} is not revoked; `postern trust list` shows what is")]
    NotRevoked(Revoked),
    /// There are too many.
    #[error("there are {most} {what} already, and no more are kept")]
    Full {
        /// Of what.
        what: &'static str,
        /// How many there can be.
        most: usize,
    },
    /// A text that cannot be kept.
    #[error("the {what} must have 1 to {MOST_TEXT} bytes and no control characters")]
    Text {
        /// Which.
        what: &'static str,
    },
}

/// What is to be revoked: a digest or a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoke(pub Revoked);

impl FromStr for Revoke {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        // A wrong guess would revoke nothing: all 16 digits, with the leading zero.
        if text.len() == 16
            && let Ok(id) = text.parse()
        {
            return Ok(Self(Revoked::Key(id)));
        }
        if is_hex && (1..64).contains(&text.len()) {
            return Err(format!(
                "{} hexadecimal digits are neither the id of a key (16, with leading zeros, as \
                 `postern trust list` shows it) nor a digest: give all 64 of that, as `postern \
                 skill list --json` or `postern skill inspect` shows them",
                text.len()
            ));
        }
        let digest: Result<Digest, _> =
            if text.contains(':') { text.parse() } else { format!("sha256:{text}").parse() };
        digest.map(|digest| Self(Revoked::Digest(digest))).map_err(|_| {
            "give a digest (`sha256:` and 64 hexadecimal digits, as `postern skill list --json` \
             shows it) or the id of a key (16 hexadecimal digits)"
                .to_owned()
        })
    }
}

/// Whom an operator trusts, while nobody else can change it.
#[derive(Debug)]
pub struct Edit {
    data: PathBuf,
    trust: Trust,
    /// Held until the change is there or given up.
    lock: File,
}

impl Edit {
    /// Waits until nobody else changes it, and reads it.
    ///
    /// # Errors
    /// The file cannot be read or is damaged.
    pub fn begin(data: &Path) -> Result<Self, TrustError> {
        let path = data.join(file::LOCK_NAME);
        let io = |source| TrustError::Io { path: path.display().to_string(), source };
        let lock = OpenOptions::new().append(true).create(true).open(&path).map_err(io)?;
        lock.lock().map_err(io)?;
        Ok(Self { data: data.to_owned(), trust: Trust::load(data)?, lock })
    }

    /// What it is so far.
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Lets a key count for a publisher.
    ///
    /// # Errors
    /// It counts for somebody already, or was revoked.
    pub fn add(
        &mut self,
        publisher: &str,
        key: PublicKey,
        now: Timestamp,
    ) -> Result<(), EditError> {
        check_text("publisher", publisher)?;
        let id = key.id();
        let same = |revocation: &&Revocation| {
            revocation.what == Revoked::Key(id)
                || revocation.key.as_ref().is_some_and(|revoked| revoked.is_same(&key))
        };
        if let Some(revocation) = self.trust.revocations.iter().find(same) {
            let key = match revocation.what {
                Revoked::Key(revoked) => revoked,
                Revoked::Digest(_) => id,
            };
            return Err(EditError::Revoked { key, revocation: Box::new(revocation.clone()) });
        }
        let known = |trusted: &&Trusted| trusted.key.id() == id || trusted.key.is_same(&key);
        if let Some(taken) = self.trust.keys.iter().find(known) {
            return Err(EditError::Taken { key: id, owner: taken.publisher.clone() });
        }
        if self.trust.keys.len() >= MOST_KEYS {
            return Err(EditError::Full { what: "keys", most: MOST_KEYS });
        }
        self.trust.keys.push(Trusted { publisher: publisher.to_owned(), key, added: now });
        Ok(())
    }

    /// Lets a key count no more for skills that are installed from now on, and answers whose
    /// it was. What is installed goes on.
    ///
    /// # Errors
    /// There is no such key.
    pub fn remove(&mut self, id: KeyId) -> Result<String, EditError> {
        let keys = &mut self.trust.keys;
        let at = keys.iter().position(|trusted| trusted.key.id() == id);
        at.map(|at| keys.remove(at).publisher).ok_or(EditError::NoKey(id))
    }

    /// Stops a digest, or whatever a key signed, everywhere on this host.
    ///
    /// # Errors
    /// It is stopped.
    pub fn revoke(
        &mut self,
        what: Revoked,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<(), EditError> {
        if let Some(reason) = &reason {
            check_text("reason", reason)?;
        }
        if let Some(already) = self.trust.revocation(&what) {
            return Err(EditError::Already(already));
        }
        if self.trust.revocations.len() >= MOST_REVOCATIONS {
            return Err(EditError::Full { what: "revocations", most: MOST_REVOCATIONS });
        }
        // The key is not only stopped, it counts for nobody from now on.
        let mut key = None;
        if let Revoked::Key(id) = what
            && let Some(at) = self.trust.keys.iter().position(|trusted| trusted.key.id() == id)
        {
            key = Some(self.trust.keys.remove(at).key);
        }
        self.trust.revocations.push(Revocation { what, key, reason, at: now });
        Ok(())
    }

    /// Takes a revocation back. A key does not count again: it has to be added.
    ///
    /// # Errors
    /// There is none.
    pub fn unrevoke(&mut self, what: &Revoked) -> Result<Revocation, EditError> {
        let revocations = &mut self.trust.revocations;
        let at = revocations.iter().position(|revocation| revocation.what == *what);
        at.map(|at| revocations.remove(at)).ok_or_else(|| EditError::NotRevoked(what.clone()))
    }

    /// Keeps the change.
    ///
    /// # Errors
    /// The file cannot be written; then it is what it was.
    pub fn save(self) -> Result<(), TrustError> {
        file::save(&self.data, &self.trust)?;
        file::remember(&self.lock);
        Ok(())
    }
}

fn check_text(what: &'static str, text: &str) -> Result<(), EditError> {
    let fits = !text.trim().is_empty() && text.len() <= MOST_TEXT;
    if fits && !text.chars().any(char::is_control) { Ok(()) } else { Err(EditError::Text { what }) }
}
