//! Visitors: signed tokens that say which one it is, and nothing else.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use postern_domain::{Channel, ConversationId, Timestamp};
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq as _;

use super::{Chat, identity, refuse};
use crate::{
    channels::ErrorCode,
    http::{bearer, cookie, origin},
    keys::{self, MasterKey},
};

/// How long a token is valid, in seconds.
const LIFE_S: i64 = 30 * 24 * 60 * 60;
const COOKIE: &str = "postern_chat";
const VERSION: &str = "v1";
/// The version of tokens of visitors whom the web site has named.
const NAMED: &str = "v2";

/// A visitor of a site, as the token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Visitor {
    /// 64 hexadecimal digits.
    pub(super) id: String,
    /// When the first token was issued.
    issued_at: Timestamp,
    /// A digest of the customer whom the web site named. It outlives the session of
    /// the conversation, because what was said stays on the page.
    named: Option<String>,
}

impl Visitor {
    /// Somebody of whom nothing is known, if the machine gives randomness.
    pub(super) fn new(now: Timestamp) -> Option<Self> {
        match keys::random_token() {
            Ok(id) => Some(Self { id, issued_at: now, named: None }),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "no session");
                None
            }
        }
    }

    /// A new visitor, named by the web site as this customer.
    pub(super) fn named(self, key: &MasterKey, site: &str, customer: &str) -> Self {
        Self { named: Some(name_of(key, site, customer)), ..self }
    }

    /// Whether the web site has named this visitor as this customer.
    pub(super) fn is_named(&self, key: &MasterKey, site: &str, customer: &str) -> bool {
        self.named.as_ref() == Some(&name_of(key, site, customer))
    }

    /// The visitor's one conversation at a site.
    pub(super) fn conversation(&self, site: &str) -> ConversationId {
        ConversationId::derive(&[Channel::Web.as_str(), site, &self.id, &self.id])
    }

    /// When the token stops being valid.
    pub(super) fn ends_at(&self) -> Timestamp {
        self.issued_at.plus_millis(LIFE_S * 1_000)
    }

    /// The token: version, visitor, time of issue in milliseconds, customer if one
    /// was named, signature.
    fn token(&self, key: &MasterKey, site: &str) -> String {
        let (id, issued) = (&self.id, self.issued_at.millis());
        let signed = match &self.named {
            None => format!("{VERSION}.{id}.{issued}"),
            Some(name) => format!("{NAMED}.{id}.{issued}.{name}"),
        };
        let signature = hex::encode(sign(key, site, &signed));
        format!("{signed}.{signature}")
    }

    /// The visitor of a token that was issued for this site and is still valid.
    fn of_token(key: &MasterKey, site: &str, token: &str, now: Timestamp) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let parts: Vec<&str> = signed.split('.').collect();
        let (id, issued, named) = match parts[..] {
            [VERSION, id, issued] => (id, issued, None),
            [NAMED, id, issued, name] => (id, issued, Some(name.to_owned())),
            _ => return None,
        };
        let mut given = [0; 32];
        hex::decode_to_slice(signature, &mut given).ok()?;
        let genuine: bool = sign(key, site, signed).ct_eq(&given).into();
        if !genuine {
            return None;
        }
        let issued_at = Timestamp::from_millis(issued.parse().ok()?);
        let visitor = Self { id: id.to_owned(), issued_at, named };
        (now < visitor.ends_at()).then_some(visitor)
    }
}

fn name_of(key: &MasterKey, site: &str, customer: &str) -> String {
    hex::encode(&key.derive("web-customer", &[site, customer])[..16])
}

fn sign(key: &MasterKey, site: &str, signed: &str) -> [u8; 32] {
    key.derive("web-session", &[site, signed])
}

/// The visitor who sends a request, by header or else by cookie.
pub(super) fn visitor(chat: &Chat, site: &str, headers: &HeaderMap) -> Option<Visitor> {
    let token = bearer(headers).or_else(|| cookie(headers, COOKIE))?;
    Visitor::of_token(&chat.app.key, site, token, chat.app.clock.now())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opening {
    /// The web site's token that says who the visitor is.
    identity: String,
}

/// `POST /chat/{site}/session`: the visitor's token, a new one if the request
/// has none. Nothing is kept until the visitor writes, or the web site says who
/// the visitor is.
pub(super) async fn open(
    State(chat): State<Arc<Chat>>,
    Path(site): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let known = visitor(&chat, &site, &headers);
    if body.is_empty() {
        return match known.or_else(|| Visitor::new(chat.app.clock.now())) {
            Some(visitor) => issued(&chat, &site, &visitor, &headers),
            None => refuse(ErrorCode::Unavailable),
        };
    }
    let Ok(opening) = serde_json::from_slice::<Opening>(&body) else {
        return refuse(ErrorCode::BadRequest);
    };
    match identity::prove(&chat, &site, known, &opening.identity).await {
        Ok(visitor) => issued(&chat, &site, &visitor, &headers),
        Err(refusal) => refusal.into_response(),
    }
}

/// The answer that gives a visitor their token.
pub(super) fn issued(chat: &Chat, site: &str, visitor: &Visitor, headers: &HeaderMap) -> Response {
    let now = chat.app.clock.now();
    let token = visitor.token(&chat.app.key, site);
    let age = visitor.ends_at().millis_since(now) / 1_000;
    // We may stand behind a proxy that ends TLS; the page's origin tells.
    let secure = matches!(origin(headers), Ok(Some(origin)) if origin.starts_with("https://"));
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!(
        "{COOKIE}={token}; Path=/chat/{site}; Max-Age={age}; HttpOnly; SameSite=Strict{secure}"
    );
    let body = json!({ "token": token, "conversation": visitor.conversation(site) });
    let mut response = Json(body).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match HeaderValue::from_str(&cookie) {
        Ok(cookie) => response.headers_mut().insert(header::SET_COOKIE, cookie),
        // Only a site's name could have such characters; its tokens still work.
        Err(_) => None,
    };
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitor(issued_at: i64) -> Visitor {
        let issued_at = Timestamp::from_millis(issued_at);
        Visitor { id: "ab".repeat(32), issued_at, named: None }
    }

    #[test]
    fn a_visitor_keeps_the_name_that_the_site_gave() {
        let key = MasterKey::generate().unwrap();
        let ann = visitor(5).named(&key, "main", "ann");
        let token = ann.token(&key, "main");
        let again = Visitor::of_token(&key, "main", &token, Timestamp::from_millis(9));
        assert_eq!(again, Some(ann.clone()));
        assert!(ann.is_named(&key, "main", "ann"));
        assert!(!ann.is_named(&key, "main", "bob") && !ann.is_named(&key, "other", "ann"));
        assert!(!visitor(5).is_named(&key, "main", "ann"));
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let unnamed = signed.replace("v2", "v1").rsplit_once('.').unwrap().0.to_owned();
        let forged = format!("{unnamed}.{signature}");
        assert_eq!(Visitor::of_token(&key, "main", &forged, Timestamp::from_millis(9)), None);
    }

    #[test]
    fn a_token_names_its_visitor_until_it_ends() {
        let key = MasterKey::generate().unwrap();
        let token = visitor(5).token(&key, "main");
        let at = |ms| Visitor::of_token(&key, "main", &token, Timestamp::from_millis(ms));
        assert_eq!(at(5), Some(visitor(5)));
        assert_eq!(at(5 + LIFE_S * 1_000 - 1), Some(visitor(5)));
        assert_eq!(at(5 + LIFE_S * 1_000), None);
    }

    #[test]
    fn a_changed_or_foreign_token_names_nobody() {
        let key = MasterKey::generate().unwrap();
        let now = Timestamp::from_millis(9);
        let token = visitor(5).token(&key, "main");
        let check = |site: &str, token: &str| Visitor::of_token(&key, site, token, now);
        assert_eq!(check("other", &token), None, "another site");
        let other_key = MasterKey::generate().unwrap();
        assert_eq!(Visitor::of_token(&other_key, "main", &token, now), None, "another host");
        for place in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(check("main", &changed), None, "{changed}");
        }
        for junk in
            ["", "v1", "v1...", "v1.a.b.c.d", &format!("{token}.x"), &token[..token.len() - 1]]
        {
            assert_eq!(check("main", junk), None, "{junk}");
        }
    }
}
