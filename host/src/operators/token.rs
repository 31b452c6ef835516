//! Tokens: made, shown once, revoked, recognised.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use postern_domain::{Digest, OperatorId, OperatorToken, Role, Timestamp};
use postern_store::{Change, Store, StoreError};

use super::{Actor, Desk, OperatorError, active, in_order, told};
use crate::keys::{KeyError, Secret};

/// How every operator's token begins, so that scanners for lost secrets know it.
pub const TOKEN_PREFIX: &str = "pop_";
/// For how many days a token counts unless it is asked for otherwise.
pub const TOKEN_DAYS: u32 = 90;

/// For how many days a token counts at most.
const MOST_DAYS: u32 = 366;
/// Characters of a label.
const MOST_LABEL: usize = 80;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Which token is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// For what, in the operator's words; may be empty.
    pub label: String,
    /// The roles to which it is confined; empty for all of the operator's.
    pub scope: Vec<Role>,
    /// For how many days it counts.
    pub days: u32,
}

/// Makes a token for an operator. The secret is answered here and kept nowhere.
///
/// # Errors
/// There is no such operator, the request makes no sense, or the actor may not.
pub async fn make(
    desk: &Desk<'_>,
    id: &OperatorId,
    request: &TokenRequest,
) -> Result<(Secret, OperatorToken), OperatorError> {
    let verdict = desk.manage("operator:token", id.as_str()).await?;
    let operator = active(desk.store, id).await?;
    let scope = in_order(&request.scope);
    if let Some(role) = scope.iter().find(|role| !operator.roles.contains(role)) {
        return Err(OperatorError::Scope { operator: id.clone(), role: *role });
    }
    let label = request.label.trim();
    if label.chars().count() > MOST_LABEL || label.chars().any(char::is_control) {
        return Err(OperatorError::Label { most: MOST_LABEL });
    }
    if !(1..=MOST_DAYS).contains(&request.days) {
        return Err(OperatorError::Days { most: MOST_DAYS });
    }
    let secret = random()?;
    let token = OperatorToken {
        digest: Digest::of_bytes(secret.expose().as_bytes()),
        operator: id.clone(),
        label: label.to_owned(),
        scope,
        created_at: desk.now,
        expires_at: desk.now.plus_millis(i64::from(request.days) * DAY_MS),
    };
    let roles = if token.scope.is_empty() { &operator.roles } else { &token.scope };
    let detail =
        format!("token {}: {}, until {}", token.digest.short(), told(roles), token.expires_at);
    let change = Change::OperatorToken(token.clone());
    desk.commit(vec![change], "operator:token", id.as_str(), detail, verdict).await?;
    Ok((secret, token))
}

/// Revokes the token whose digest begins like this; whoever is signed in with it
/// is not any more, and accounts of channels that were bound with it are not bound.
///
/// # Errors
/// There is no such token, or more than one, or the actor may not.
pub async fn revoke(
    desk: &Desk<'_>,
    id: &OperatorId,
    begins: &str,
) -> Result<OperatorToken, OperatorError> {
    let verdict = desk.manage("operator:revoke", id.as_str()).await?;
    active(desk.store, id).await?;
    let fits = |token: &OperatorToken| !begins.is_empty() && token.digest.hex().starts_with(begins);
    let mut tokens = desk.store.operator_tokens(id).await?;
    tokens.retain(fits);
    let found = tokens.len();
    let Some(token) = tokens.pop().filter(|_| found == 1) else {
        let (operator, given) = (id.clone(), begins.chars().take(80).collect());
        return Err(OperatorError::Token { operator, given, found });
    };
    let change = Change::OperatorTokenGone(token.digest);
    let detail = format!("token {}", token.digest.short());
    desk.commit(vec![change], "operator:revoke", id.as_str(), detail, verdict).await?;
    Ok(token)
}

/// Who has this token, if it counts: the token of the configuration, or one of an
/// operator.
///
/// # Errors
/// The store fails.
pub async fn sign_in(
    store: &dyn Store,
    configured: &Secret,
    given: &str,
    now: Timestamp,
) -> Result<Option<Actor>, StoreError> {
    let given = given.trim();
    if configured.matches(given.as_bytes()) {
        return Ok(Some(Actor::root()));
    }
    // The digest of 256 random bits tells nothing, so finding it needs no constant
    // time.
    still_signed_in(store, Digest::of_bytes(given.as_bytes()), now).await
}

/// Who has the token with this digest, if it counts now.
///
/// # Errors
/// The store fails.
pub async fn still_signed_in(
    store: &dyn Store,
    digest: Digest,
    now: Timestamp,
) -> Result<Option<Actor>, StoreError> {
    let Some((token, operator)) = store.operator_by_token(digest).await? else { return Ok(None) };
    if now >= token.expires_at || operator.removed_at.is_some() {
        return Ok(None);
    }
    let within = |role: &Role| token.scope.is_empty() || token.scope.contains(role);
    let roles = operator.roles.into_iter().filter(within).collect();
    Ok(Some(Actor::with_token(operator.id, roles, digest)))
}

fn random() -> Result<Secret, KeyError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(KeyError::Random)?;
    Ok(Secret::new(format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))))
}
