//! Who a visitor is, as the operator's own web site says: a signed token, checked
//! here, and taken up in order with the visitor's messages.

use std::sync::{Arc, PoisonError};

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
    http::HeaderMap,
    response::Response,
};
use postern_domain::{
    AuditEntry, AuditKind, Channel, ConversationId, Digest, InboundKind, InboundMessage, Timestamp,
};
use postern_store::{Accepted, Commit, StoreError};
use serde::Deserialize;

use super::{
    Chat, messages, refuse, refuse_for,
    session::{self, Visitor},
    token::{self, Claims, TokenError},
};
use crate::{channels::ErrorCode, identity, keys::Secret};

/// Seconds after which to try again when the host could not take a token.
const RETRY_S: u32 = 1;

/// Why a visitor is not who the token says, or not yet.
pub(super) enum Refusal {
    /// The token proves nothing.
    Unproven,
    /// Too many attempts; seconds until the next one.
    TooMany(u32),
    /// The host cannot take it now.
    Unavailable,
}

impl Refusal {
    pub(super) fn into_response(self) -> Response {
        match self {
            Self::Unproven => refuse(ErrorCode::Unauthorized),
            Self::TooMany(seconds) => refuse_for(ErrorCode::TooMany, seconds),
            Self::Unavailable => refuse_for(ErrorCode::Unavailable, RETRY_S),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "a token was not taken");
        Self::Unavailable
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sent {
    token: String,
}

/// `POST /chat/{site}/identify`: a visitor who writes already is a customer of the
/// site. The answer is that of a session, whose token is to be used from now on.
pub(super) async fn identify(
    State(chat): State<Arc<Chat>>,
    Path(site): Path<String>,
    headers: HeaderMap,
    body: Result<Json<Sent>, JsonRejection>,
) -> Response {
    if keys_of(&chat, &site).is_empty() {
        return refuse(ErrorCode::NotFound);
    }
    let Some(visitor) = session::visitor(&chat, &site, &headers) else {
        return refuse(ErrorCode::Unauthorized);
    };
    let sent = match body {
        Ok(Json(sent)) => sent,
        Err(rejection) => return refuse(messages::code_of(&rejection)),
    };
    match prove(&chat, &site, Some(visitor), &sent.token).await {
        Ok(visitor) => session::issued(&chat, &site, &visitor, &headers),
        Err(refusal) => refusal.into_response(),
    }
}

fn keys_of<'c>(chat: &'c Chat, site: &str) -> &'c [Secret] {
    chat.app.config.web.get(site).map_or(&[], |site| &site.identity_keys)
}

/// Checks a token and keeps what it says in the visitor's conversation. The visitor
/// is a new one unless the web site has named this one as the same customer before.
pub(super) async fn prove(
    chat: &Chat,
    site: &str,
    visitor: Option<Visitor>,
    token: &str,
) -> Result<Visitor, Refusal> {
    let now = chat.app.clock.now();
    if let Some(visitor) = &visitor {
        take(chat, &visitor.id, now)?;
    }
    let claims = match token::check(keys_of(chat, site), site, token, now) {
        Ok(claims) => claims,
        Err(error) => return Err(refused(chat, site, visitor.as_ref(), error.reason()).await?),
    };
    take(chat, &format!("customer:{}", claims.sub), now)?;
    let app = &chat.app;
    if identity::record_of(&*app.store, &app.config.collections, &claims.sub).await?.is_none() {
        return Err(refused(chat, site, visitor.as_ref(), "no such customer").await?);
    }
    let visitor = visitor_for(chat, site, visitor, &claims.sub).await?;
    match app.intake.accept(message(site, &visitor, &claims, token, now)).await {
        Ok(Accepted::New) => Ok(visitor),
        // The same token again says nothing new; one that counts once is used up.
        Ok(Accepted::Duplicate) if claims.jti.is_none() => Ok(visitor),
        Ok(Accepted::Duplicate) => Err(refused(chat, site, Some(&visitor), "used before").await?),
        Err(_) => Err(Refusal::Unavailable),
    }
}

/// The visitor as whom the customer goes on: never one as whom another customer
/// has written, because the page shows what was said before; and never one without a
/// name, because whoever had that token before, and put it into this browser, would
/// read what the customer is told, and act as them.
async fn visitor_for(
    chat: &Chat,
    site: &str,
    visitor: Option<Visitor>,
    customer: &str,
) -> Result<Visitor, Refusal> {
    let key = &chat.app.key;
    if let Some(visitor) = visitor.filter(|visitor| visitor.is_named(key, site, customer)) {
        let row = chat.app.store.conversation_row(&visitor.conversation(site)).await?;
        let earlier = row.and_then(|conversation| conversation.customer.key);
        if earlier.is_none_or(|earlier| earlier == customer) {
            return Ok(visitor);
        }
    }
    let new = Visitor::new(chat.app.clock.now());
    new.map(|visitor| visitor.named(key, site, customer)).ok_or(Refusal::Unavailable)
}

/// What the token says, as a message that comes in order with the visitor's own.
fn message(
    site: &str,
    visitor: &Visitor,
    claims: &Claims,
    token: &str,
    now: Timestamp,
) -> InboundMessage {
    let digest = Digest::of_bytes(token.as_bytes());
    let dedupe_key = match &claims.jti {
        Some(jti) => format!("identity-once:{}", Digest::of_bytes(jti.as_bytes()).hex()),
        None => format!("identity:{}:{}", visitor.id, digest.hex()),
    };
    InboundMessage {
        channel: Channel::Web,
        account: site.to_owned(),
        dedupe_key,
        chat: visitor.id.clone(),
        sender: visitor.id.clone(),
        external_id: String::new(),
        private: true,
        kind: InboundKind::Identity,
        text: claims.sub.clone(),
        language: None,
        received_at: now,
    }
}

/// Takes one attempt from the allowance of a visitor or customer.
fn take(chat: &Chat, whose: &str, now: Timestamp) -> Result<(), Refusal> {
    let mut rates = chat.proofs.lock().unwrap_or_else(PoisonError::into_inner);
    rates.take(whose, now).map_err(Refusal::TooMany)
}

/// Writes a refused token down: of each site so many in a time, because anybody can
/// send tokens that prove nothing.
async fn refused(
    chat: &Chat,
    site: &str,
    visitor: Option<&Visitor>,
    reason: &'static str,
) -> Result<Refusal, Refusal> {
    let now = chat.app.clock.now();
    let row = chat.refusals.lock().unwrap_or_else(PoisonError::into_inner).take(site, now);
    if row.is_err() {
        tracing::warn!(site, reason, "refused tokens are no longer written down one by one");
        return Ok(Refusal::Unproven);
    }
    let resource = format!("{}/{site}", Channel::Web);
    let entry = AuditEntry {
        detail: format!("refused: {reason}"),
        conversation: visitor.map(|visitor| -> ConversationId { visitor.conversation(site) }),
        ..AuditEntry::new(now, AuditKind::Identity, "host", "identity:token", resource)
    };
    chat.app.store.commit(Commit { audit: vec![entry], ..Commit::default() }).await?;
    Ok(Refusal::Unproven)
}

impl TokenError {
    /// What is written down: nothing of the token itself.
    const fn reason(self) -> &'static str {
        match self {
            Self::TooLong => "too long",
            Self::Malformed => "not a JSON Web Token with the needed claims",
            Self::Signature => "not signed with a key of this site",
            Self::Algorithm => "another algorithm than HS256",
            Self::Audience => "for somebody else",
            Self::Expired => "expired",
            Self::TooFar => "good for more than an hour",
            Self::NotYet => "not good yet",
        }
    }
}

#[cfg(test)]
mod tests;
