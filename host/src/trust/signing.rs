//! Keys and signatures for those who publish skills, in minisign's forms.

use minisign::{KeyPair, SecretKey, SecretKeyBox};

use super::Statement;

/// Bytes of a secret key's file.
const MOST_KEY_BYTES: usize = 4 * 1024;

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
fn open(
    secret: &str,
    password: impl FnOnce() -> Option<String>,
) -> Result<SecretKey, SigningError> {
    if secret.len() > MOST_KEY_BYTES {
        return Err(SigningError::NoSecretKey);
    }
    let parse = || SecretKeyBox::from_string(secret).map_err(|_| SigningError::NoSecretKey);
    if let Ok(open) = parse()?.into_unencrypted_secret_key() {
        return Ok(open);
    }
    // Whether it is a key at all has to be known before anybody is asked for a password.
    let bytes = secret.lines().nth(1).and_then(decode).ok_or(SigningError::NoSecretKey)?;
    if !bytes.starts_with(b"EdSc") {
        return Err(SigningError::NoSecretKey);
    }
    let password = password().ok_or(SigningError::Locked)?;
    parse()?.into_secret_key(Some(password)).map_err(|_| SigningError::WrongPassword)
}

fn decode(line: &str) -> Option<Vec<u8>> {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    BASE64_STANDARD.decode(line.trim()).ok()
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
    let comment = statement.comment();
    let text = statement.text();
    minisign::sign(
        None,
        &key,
        text.as_bytes(),
        Some(&comment),
        Some("signature of a Postern skill"),
    )
    .map(minisign::SignatureBox::into_string)
    .map_err(|error| SigningError::Sign { reason: error.to_string() })
}
