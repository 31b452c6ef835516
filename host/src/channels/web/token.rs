//! JSON Web Tokens of the operator's web site: HS256 and nothing else (RFC 7519;
//! RFC 7515; RFC 8725 on what goes wrong).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use postern_domain::Timestamp;
use serde::Deserialize;
use sha2::Sha256;

use crate::keys::Secret;

/// Bytes of a token.
const MOST_BYTES: usize = 4 * 1024;
/// How far ahead a token may end, in seconds: an hour, and a minute for clocks that
/// differ.
const MOST_AHEAD_S: i64 = 60 * 60 + 60;
/// How far a token's beginning may lie ahead, in seconds, for the same reason.
const SKEW_S: i64 = 60;
/// Bytes of a customer's key, and of a token's own id.
const MOST_NAME_BYTES: usize = 200;

/// Why a token proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenError {
    /// It has more bytes than any honest one.
    TooLong,
    /// It has another shape, or a claim is missing.
    Malformed,
    /// No key of the site signed it.
    Signature,
    /// It names another algorithm, or asks for an extension.
    Algorithm,
    /// It is for another site.
    Audience,
    /// Its time is over.
    Expired,
    /// It would be good for too long.
    TooFar,
    /// Its time has not come.
    NotYet,
}

/// What a token says.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Claims {
    /// The customer's key.
    pub(super) sub: String,
    /// Its own id; with one, it counts once.
    pub(super) jti: Option<String>,
    aud: Audience,
    exp: i64,
    nbf: Option<i64>,
}

/// One audience, or several (RFC 7519, 4.1.3).
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    /// Extensions that must be understood (RFC 7515, 4.1.11); we know none.
    crit: Option<serde_json::Value>,
}

/// What a token says, if one of the keys signed it for this site and its time is
/// now.
pub(super) fn check(
    keys: &[Secret],
    site: &str,
    token: &str,
    now: Timestamp,
) -> Result<Claims, TokenError> {
    if token.len() > MOST_BYTES {
        return Err(TokenError::TooLong);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
    let signature = decode(signature)?;
    // All keys are tried, so that time does not tell which one is current.
    let genuine = keys.iter().fold(false, |known, key| known | is_signed(key, signed, &signature));
    if !genuine {
        return Err(TokenError::Signature);
    }
    let header: Header = parse(header)?;
    if header.alg != "HS256" || header.crit.is_some() {
        return Err(TokenError::Algorithm);
    }
    let claims: Claims = parse(payload)?;
    let name = |text: &str| (1..=MOST_NAME_BYTES).contains(&text.len());
    if !name(&claims.sub) || !claims.jti.as_deref().is_none_or(name) {
        return Err(TokenError::Malformed);
    }
    let ours = match &claims.aud {
        Audience::One(one) => one == site,
        Audience::Several(several) => several.iter().any(|one| one == site),
    };
    let now_s = now.millis() / 1_000;
    if !ours {
        Err(TokenError::Audience)
    } else if claims.exp <= now_s {
        Err(TokenError::Expired)
    } else if claims.exp > now_s + MOST_AHEAD_S {
        Err(TokenError::TooFar)
    } else if claims.nbf.is_some_and(|from| from > now_s + SKEW_S) {
        Err(TokenError::NotYet)
    } else {
        Ok(claims)
    }
}

fn is_signed(key: &Secret, signed: &str, signature: &[u8]) -> bool {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).expect("HMAC takes any key length");
    mac.update(signed.as_bytes());
    mac.verify_slice(signature).is_ok()
}

fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)
}

fn parse<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, TokenError> {
    serde_json::from_slice(&decode(part)?).map_err(|_| TokenError::Malformed)
}

/// A token as a web site makes it.
#[cfg(test)]
pub(super) fn signed(key: &str, header: &serde_json::Value, claims: &serde_json::Value) -> String {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let signed = format!(
        "{}.{}",
        encode(header.to_string().as_bytes()),
        encode(claims.to_string().as_bytes())
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", encode(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";
    const NOW_S: i64 = 1_700_000_000;

    fn keys() -> Vec<Secret> {
        vec![Secret::new("a newer key of thirty-two bytes.."), Secret::new(KEY)]
    }

    fn verdict(token: &str) -> Result<String, TokenError> {
        let now = Timestamp::from_millis(NOW_S * 1_000 + 999);
        check(&keys(), "main", token, now).map(|claims| claims.sub)
    }

    fn hs256() -> Value {
        json!({"alg": "HS256", "typ": "JWT"})
    }

    fn good() -> Value {
        json!({"sub": "ann", "aud": "main", "exp": NOW_S + 3_600})
    }

    fn with(change: Value) -> String {
        let mut claims = good();
        for (name, value) in change.as_object().unwrap() {
            match value {
                Value::Null => claims.as_object_mut().unwrap().remove(name),
                value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
            };
        }
        signed(KEY, &hs256(), &claims)
    }

    #[test]
    fn a_signed_token_names_its_customer() {
        for change in [
            json!({}),
            json!({"exp": NOW_S + 1}),
            json!({"aud": ["other", "main"]}),
            json!({"jti": "1", "nbf": NOW_S, "iat": NOW_S, "name": "Ann"}),
        ] {
            assert_eq!(verdict(&with(change.clone())), Ok("ann".to_owned()), "{change}");
        }
        let current = signed("a newer key of thirty-two bytes..", &hs256(), &good());
        assert_eq!(verdict(&current), Ok("ann".to_owned()), "each of the site's keys");
    }

    #[test]
    fn claims_that_do_not_fit_prove_nothing() {
        use TokenError::{Audience, Expired, Malformed, NotYet, TooFar};
        for (change, error) in [
            (json!({"exp": NOW_S}), Expired),
            (json!({"exp": NOW_S - 1}), Expired),
            (json!({"exp": NOW_S + 3_661}), TooFar),
            (json!({"exp": i64::MAX}), TooFar),
            (json!({"exp": i64::MIN}), Expired),
            (json!({"exp": null}), Malformed),
            (json!({"exp": "soon"}), Malformed),
            (json!({"aud": "other"}), Audience),
            (json!({"aud": []}), Audience),
            (json!({"aud": null}), Malformed),
            (json!({"sub": null}), Malformed),
            (json!({"sub": ""}), Malformed),
            (json!({"sub": 7}), Malformed),
            (json!({"sub": "x".repeat(201)}), Malformed),
            (json!({"jti": ""}), Malformed),
            (json!({"nbf": NOW_S + 61}), NotYet),
        ] {
            assert_eq!(verdict(&with(change.clone())), Err(error), "{change}");
        }
    }

    #[test]
    fn only_hs256_with_a_key_of_the_site_signs() {
        use TokenError::{Algorithm, Malformed, Signature, TooLong};
        for header in [
            json!({"alg": "none"}),
            json!({"alg": "HS512"}),
            json!({"alg": "hs256"}),
            json!({"alg": "HS256", "crit": ["exp"]}),
        ] {
            assert_eq!(verdict(&signed(KEY, &header, &good())), Err(Algorithm), "{header}");
        }
        assert_eq!(verdict(&signed(KEY, &json!({}), &good())), Err(Malformed));
        let token = with(json!({}));
        let (unsigned, _) = token.rsplit_once('.').unwrap();
        assert_eq!(verdict(&format!("{unsigned}.")), Err(Signature));
        let none = signed("", &json!({"alg": "none"}), &good());
        assert_eq!(verdict(&format!("{}.", none.rsplit_once('.').unwrap().0)), Err(Signature));
        let foreign = signed("another site's key of 32 bytes ...", &hs256(), &good());
        assert_eq!(verdict(&foreign), Err(Signature));
        for junk in ["", ".", "..", "a.b", "a.b.c.d", "é.é.é", &format!("{token}=")] {
            let error = verdict(junk).unwrap_err();
            assert!(matches!(error, Malformed | Signature), "{junk}: {error:?}");
        }
        assert_eq!(verdict(&with(json!({"x": "x".repeat(4_096)}))), Err(TooLong));
        assert_eq!(check(&[], "main", &token, Timestamp::from_millis(0)), Err(Signature));
    }

    #[test]
    fn a_token_changed_anywhere_proves_nothing() {
        let token = with(json!({}));
        for place in 0..token.len() - 1 {
            let mut changed = token.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(verdict(&changed).is_err(), "{changed}");
        }
    }
}
