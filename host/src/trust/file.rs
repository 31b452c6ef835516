//! `trust.toml`: whom the operator trusts. Postern writes it; it can be read by people.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write as _},
    path::Path,
};

use postern_domain::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::{KeyId, PublicKey, Revocation, Revoked, Trust, TrustError, Trusted};
use crate::{config::located, durable::Folder};

/// The file in the data folder.
pub const FILE_NAME: &str = "trust.toml";

/// Held while it is changed. It is not empty once there was a file.
pub(super) const LOCK_NAME: &str = "trust.lock";

/// Bytes of the file.
pub(super) const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// What is said to whoever opens it.
const HEAD: &str = "\
# Whose skills this host takes, and what must not run any more.
# Written by `postern trust`, which also writes down who changed it; a running host
# follows within a second.

";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    keys: Vec<RawKey>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    revoked: Vec<RawRevocation>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKey {
    publisher: String,
    id: String,
    public_key: String,
    added: jiff::Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRevocation {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    at: jiff::Timestamp,
}

pub(super) fn path(data: &Path) -> String {
    data.join(FILE_NAME).display().to_string()
}

fn read(data: &Path) -> Result<Option<Vec<u8>>, TrustError> {
    let io = |source| TrustError::Io { path: path(data), source };
    let file = match File::open(data.join(FILE_NAME)) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            // Whoever loses the file must not lose what it revoked without a word.
            let was_there = fs::metadata(data.join(LOCK_NAME)).is_ok_and(|lock| lock.len() > 0);
            return if was_there { Err(TrustError::Gone { path: path(data) }) } else { Ok(None) };
        }
        Err(error) => return Err(io(error)),
    };
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(file, MOST_BYTES + 1), &mut bytes)
        .map_err(io)?;
    if bytes.len() as u64 > MOST_BYTES {
        let reason = format!("more than {MOST_BYTES} bytes");
        return Err(TrustError::File { path: path(data), reason });
    }
    Ok(Some(bytes))
}

/// See [`Trust::stamp`].
///
/// # Errors
/// The file cannot be read.
pub fn stamp(data: &Path) -> Result<Option<Digest>, TrustError> {
    Ok(read(data)?.map(|bytes| Digest::of_bytes(&bytes)))
}

pub(super) fn load(data: &Path) -> Result<Trust, TrustError> {
    let Some(bytes) = read(data)? else { return Ok(Trust::default()) };
    parse(&bytes).map_err(|reason| TrustError::File { path: path(data), reason })
}

fn parse(bytes: &[u8]) -> Result<Trust, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let raw: Raw = toml::from_str(text).map_err(|error| located(text, &error))?;
    if raw.version != 1 {
        return Err(format!("version {} is not known to this host; upgrade it", raw.version));
    }
    let mut trust = Trust::default();
    for (n, raw) in raw.keys.into_iter().enumerate() {
        let key = public_key(&raw.public_key, &raw.id).map_err(|why| format!("keys[{n}].{why}"))?;
        if trust.keys.iter().any(|other| other.key.id() == key.id()) {
            return Err(format!("keys[{n}].id: {} stands here twice", key.id()));
        }
        let added = Timestamp::from_millis(raw.added.as_millisecond());
        trust.keys.push(Trusted { publisher: raw.publisher, key, added });
    }
    for (n, raw) in raw.revoked.into_iter().enumerate() {
        trust.revocations.push(raw.check().map_err(|why| format!("revoked[{n}]{why}"))?);
    }
    Ok(trust)
}

fn public_key(text: &str, id: &str) -> Result<PublicKey, String> {
    let key: PublicKey = text.parse().map_err(|error| format!("public_key: {error}"))?;
    if key.id().to_string() == id { Ok(key) } else { Err(format!("id: the key says {}", key.id())) }
}

impl RawRevocation {
    fn check(self) -> Result<Revocation, String> {
        let what = match (&self.key, self.digest) {
            (Some(id), None) => {
                let id: KeyId = id.parse().map_err(|error| format!(".key: {error}"))?;
                Revoked::Key(id)
            }
            (None, Some(digest)) => Revoked::Digest(digest),
            _ => return Err(": must have either `key` or `digest`".to_owned()),
        };
        let key = match (&self.public_key, &self.key) {
            (None, _) => None,
            (Some(text), Some(id)) => {
                Some(public_key(text, id).map_err(|error| format!(".{error}"))?)
            }
            (Some(_), None) => return Err(".public_key: belongs to a key".to_owned()),
        };
        let at = Timestamp::from_millis(self.at.as_millisecond());
        Ok(Revocation { what, key, reason: self.reason, at })
    }
}

fn time(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at.millis()).unwrap_or_default()
}

/// The one text of it.
pub(super) fn text(trust: &Trust) -> String {
    let keys = trust.keys.iter().map(|trusted| RawKey {
        publisher: trusted.publisher.clone(),
        id: trusted.key.id().to_string(),
        public_key: trusted.key.to_string(),
        added: time(trusted.added),
    });
    let revoked = trust.revocations.iter().map(|revocation| {
        let (key, digest) = match &revocation.what {
            Revoked::Key(id) => (Some(id.to_string()), None),
            Revoked::Digest(digest) => (None, Some(*digest)),
        };
        let public_key = revocation.key.as_ref().map(ToString::to_string);
        let reason = revocation.reason.clone();
        RawRevocation { key, public_key, digest, reason, at: time(revocation.at) }
    });
    let raw = Raw { version: 1, keys: keys.collect(), revoked: revoked.collect() };
    let body = toml::to_string(&raw).expect("texts and lists of them are TOML");
    format!("{HEAD}{body}")
}

/// Writes it whole or not at all.
pub(super) fn save(data: &Path, trust: &Trust) -> Result<(), TrustError> {
    let io = |source| TrustError::Io { path: path(data), source };
    let folder = Folder::open(data, &[]).map_err(io)?;
    folder.write(FILE_NAME, text(trust).as_bytes()).map_err(io)
}

/// Writes down that there is a file. Where that fails, the next change does it.
pub(super) fn remember(mut lock: &File) {
    if lock.metadata().is_ok_and(|lock| lock.len() == 0) {
        let _again = lock.write_all(b"There is a trust.toml beside this file.\n");
        let _again = lock.sync_all();
    }
}
