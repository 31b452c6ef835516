//! Keys and signatures for those who publish skills, in minisign's forms.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use minisign::{KeyPair, PublicKey as MinisignPublicKey, SecretKey, SecretKeyBox};

use super::Statement;

/// Bytes of a secret key's file.
const MOST_KEY_BYTES: usize = 4 * 1024;

/// Bytes of a secret key: three algorithms, salt and cost of the password, id, key, checksum.
const KEY_BYTES: usize = 158;

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// There are no random numbers, or no memory for the password's key.
    #[error("no key can be made: {reason}")]
    Generate {
        /// What the library said.
        reason: String,
    },
    /// Not a secret key.
    #[error(
        "this is no secret key of minisign; `postern trust keygen` makes one, and the public key \
         (.pub) cannot sign"
    )]
    NoSecretKey,
    /// A password is needed.
    #[error(
        "the key is locked with a password; give it with --password-file, or run this in a terminal"
    )]
    Locked,
    /// The password does not open the key.
    #[error("the password does not open this key")]
    WrongPassword,
    /// What was signed cannot be verified.
    #[error("the secret key is damaged; nothing was signed; restore it from a backup")]
    Damaged,
    /// The library refused.
    #[error("nothing was signed: {reason}")]
    Sign {
        /// What it said.
        reason: String,
    },
}

/// The two files of a new key.
pub struct Keys {
    /// What nobody else may see.
    pub secret: String,
    /// What operators get.
    pub public: String,
}

/// Makes a key. Without a password, whoever reads the file can sign.
///
/// # Errors
/// The machine gives no random numbers or no memory.
pub fn generate(password: Option<String>) -> Result<Keys, SigningError> {
    let failed = |error: minisign::PError| SigningError::Generate { reason: error.to_string() };
    let (pair, comment) = match password {
        None => (KeyPair::generate_unencrypted_keypair(), "minisign unencrypted secret key"),
        Some(password) => {
            (KeyPair::generate_encrypted_keypair(Some(password)), "minisign encrypted secret key")
        }
    };
    let KeyPair { pk, sk } = pair.map_err(failed)?;
    let secret = sk.to_box(Some(comment)).map_err(failed)?.into_string();
    let public = pk.to_box().map_err(failed)?.into_string();
    Ok(Keys { secret, public })
}

/// Opens a secret key; `password` is asked only if there is one.
///
/// minisign writes no checksum into keys that are not locked: whether such a key is whole
/// shows when what it signed is verified.
fn open(
    secret: &str,
    password: impl FnOnce() -> Option<String>,
) -> Result<SecretKey, SigningError> {
    let no_key = || SigningError::NoSecretKey;
    if secret.len() > MOST_KEY_BYTES {
        return Err(no_key());
    }
    let line = secret.lines().nth(1).ok_or_else(no_key)?;
    let bytes = BASE64_STANDARD.decode(line.trim()).map_err(|_| no_key())?;
    if bytes.len() != KEY_BYTES {
        return Err(no_key());
    }
    if bytes.starts_with(b"Ed\0\0B2") {
        return SecretKey::from_bytes(&bytes).map_err(|_| no_key());
    }
    if !bytes.starts_with(b"EdScB2") {
        return Err(no_key());
    }
    let password = password().ok_or(SigningError::Locked)?;
    let locked = SecretKeyBox::from_string(secret).map_err(|_| no_key())?;
    locked.into_secret_key(Some(password)).map_err(|_| SigningError::WrongPassword)
}

/// Signs a statement and answers the signature's file. `password` is asked only if the key
/// is locked.
///
/// # Errors
/// The text is no secret key, or its password is missing or wrong.
pub fn sign(
    statement: &Statement,
    secret: &str,
    password: impl FnOnce() -> Option<String>,
) -> Result<String, SigningError> {
    let key = open(secret, password)?;
    let failed = |error: minisign::PError| SigningError::Sign { reason: error.to_string() };
    let public = MinisignPublicKey::from_secret_key(&key).map_err(failed)?;
    let (text, comment) = (statement.text(), statement.comment());
    let untrusted = Some("signature of a Postern skill");
    minisign::sign(Some(&public), &key, text.as_bytes(), Some(&comment), untrusted)
        .map(minisign::SignatureBox::into_string)
        .map_err(|_| SigningError::Damaged)
}
