//! Keys and signatures in minisign's forms, for those who check them.

use std::{fmt, str::FromStr};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use minisign_verify as minisign;

use super::{MOST_SIGNATURE_BYTES, TrustError};

/// Bytes of a public key's file.
const MOST_KEY_BYTES: usize = 1024;

/// The name of a key: 16 hexadecimal digits. It is no proof of anything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(u64);

impl KeyId {
    /// As minisign keeps it in keys and signatures: the lowest byte first.
    pub(super) fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_le_bytes(bytes))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not an id.
    #[error("the id of a key is 16 hexadecimal digits, as `postern trust list` shows it")]
    Id,
    /// Not a public key.
    #[error(
        "this is no public key of minisign: give the text that begins with RW (56 letters and \
         digits), or a file that has it"
    )]
    PublicKey,
}

impl FromStr for KeyId {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        // minisign leaves out a leading zero. What is shorter is rather the beginning of a digest.
        if !(15..=16).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(KeyError::Id);
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| KeyError::Id)
    }
}

/// A key that verifies signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    id: KeyId,
    key: minisign::PublicKey,
    /// The one text of it: algorithm, id and key in base64.
    text: String,
}

impl PublicKey {
    /// Its name.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Whether it is the same key under whatever id.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let key =
            |key: &Self| BASE64_STANDARD.decode(&key.text).ok()?.get(10..).map(<[u8]>::to_vec);
        key(self) == key(other)
    }

    /// Whether this key made this signature of this text.
    pub(super) fn verifies(&self, text: &str, signature: &Signature) -> bool {
        self.key.verify(text.as_bytes(), &signature.signature, false).is_ok()
    }
}

impl fmt::Display for PublicKey {
    /// The text that minisign takes with `-P`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    /// A key's text, or all of a file that minisign wrote.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        if text.len() > MOST_KEY_BYTES {
            return Err(KeyError::PublicKey);
        }
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let text = match (lines.next(), lines.next(), lines.next()) {
            (Some(comment), Some(key), None) if comment.starts_with("untrusted comment:") => key,
            (Some(key), None, None) => key,
            _ => return Err(KeyError::PublicKey),
        };
        let text = text.trim().to_owned();
        let key = minisign::PublicKey::from_base64(&text).map_err(|_| KeyError::PublicKey)?;
        let bytes = BASE64_STANDARD.decode(&text).map_err(|_| KeyError::PublicKey)?;
        let Some([b'E', b'd', id @ ..]) = bytes.first_chunk::<10>() else {
            return Err(KeyError::PublicKey);
        };
        Ok(Self { id: KeyId::from_bytes(*id), key, text })
    }
}

/// A signature that was read and not yet verified.
pub(super) struct Signature {
    id: KeyId,
    signature: minisign::Signature,
}

impl Signature {
    /// Reads a signature's file.
    pub(super) fn read(text: &str) -> Result<Self, TrustError> {
        let no = |reason| TrustError::Signature { reason };
        if text.len() > MOST_SIGNATURE_BYTES {
            return Err(no("it is too long"));
        }
        let signature = minisign::Signature::decode(text)
            .map_err(|_| no("it must have four lines, as minisign writes them"))?;
        let line = text.lines().nth(1).unwrap_or_default();
        let bytes = BASE64_STANDARD.decode(line).unwrap_or_default();
        match bytes.first_chunk::<10>() {
            Some([b'E', b'D', id @ ..]) => Ok(Self { id: KeyId::from_bytes(*id), signature }),
            _ => Err(no("it is of an old form, without a hash; sign again without -l")),
        }
    }

    /// The key that it names.
    pub(super) fn key_id(&self) -> KeyId {
        self.id
    }

    /// What it says of itself.
    pub(super) fn comment(&self) -> &str {
        self.signature.trusted_comment()
    }
}
