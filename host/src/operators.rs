//! The people who run a host: their names, their roles, the tokens with which
//! they sign in, and the accounts of channels from which they act.
//!
//! Whatever they do passes the same rules as the calls of skills, but for whoever
//! works on the command line without a token: the data folder is theirs, and no
//! rule in it could hold them.

mod act;
mod bind;
mod reveal;
mod token;

use postern_domain::{
    AuditEntry, AuditKind, AuditVerdict, Operator, OperatorBinding, OperatorId, OperatorToken,
    Role, Timestamp,
};
use postern_store::{Change, Commit, Store, StoreError};

pub use act::{ActError, Actor, Desk};
pub use bind::{BindError, Chat, bind, bound, new_code, unbind};
pub(crate) use bind::{heeds, roles_in};
pub use reveal::{RevealError, Revealed, reveal};
pub use token::{
    TOKEN_DAYS, TOKEN_PREFIX, TokenRequest, make as make_token, revoke as revoke_token, sign_in,
    still_signed_in,
};

use crate::keys::KeyError;

/// The operator of the configuration's own token.
pub const ROOT: &str = "root";
/// Whoever works on the command line without a token.
pub const LOCAL: &str = "cli";

/// Why an operator or a token is not as it was asked for. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// Rules or the store do not let it happen.
    #[error(transparent)]
    Act(#[from] ActError),
    /// The name means somebody whom the host has by itself.
    #[error("{0} is a name of the host's own; choose another")]
    Reserved(OperatorId),
    /// The name is or was somebody's.
    #[error("{0} is or was an operator already, and audit speaks of them; choose another name")]
    Exists(OperatorId),
    /// There is nobody of this name.
    #[error("there is no operator {0}; `postern operator list` shows them")]
    Unknown(OperatorId),
    /// They were removed.
    #[error("{0} was removed; `postern operator add` makes another")]
    Removed(OperatorId),
    /// Nobody can be without a role.
    #[error("an operator has at least one role: viewer, agent, approver, author or admin")]
    NoRole,
    /// A token cannot do more than its operator.
    #[error("{operator} is no {}, so a token of theirs cannot be either", .role.as_str())]
    Scope {
        /// Whose token it would be.
        operator: OperatorId,
        /// The role that they do not have.
        role: Role,
    },
    /// A label is too long or has none of the wanted characters.
    #[error("a label has at most {most} characters, all of them printable")]
    Label {
        /// How many.
        most: usize,
    },
    /// A token counts for some days.
    #[error("a token counts for 1 to {most} days")]
    Days {
        /// How many at most.
        most: u32,
    },
    /// No token, or more than one, begins like this.
    #[error(
        "{given:?} begins {found} of the tokens of {operator}; \
         `postern operator tokens {operator}` shows them"
    )]
    Token {
        /// Whose.
        operator: OperatorId,
        /// What was given.
        given: String,
        /// How many begin so.
        found: usize,
    },
    /// They do not act from so many accounts.
    #[error(
        "{operator} acts from {found} accounts, and none has the number {number}; \
         `postern operator show {operator}` shows them"
    )]
    Binding {
        /// Whose.
        operator: OperatorId,
        /// What was given.
        number: usize,
        /// How many they have.
        found: usize,
    },
    /// The machine gives no randomness.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl From<StoreError> for OperatorError {
    fn from(error: StoreError) -> Self {
        Self::Act(error.into())
    }
}

/// An operator with what hangs on them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct OperatorDetail {
    /// The operator.
    pub operator: Operator,
    /// Their tokens, oldest first, expired ones included.
    pub tokens: Vec<OperatorToken>,
    /// The accounts from which they act.
    pub bindings: Vec<OperatorBinding>,
}

/// Adds an operator with these roles.
///
/// # Errors
/// The name is taken, there is no role, or the actor may not.
pub async fn add(
    desk: &Desk<'_>,
    id: OperatorId,
    roles: &[Role],
) -> Result<Operator, OperatorError> {
    let verdict = desk.manage("operator:add", id.as_str()).await?;
    if id.as_str() == ROOT || id.as_str() == LOCAL {
        return Err(OperatorError::Reserved(id));
    }
    if desk.store.operator(&id).await?.is_some() {
        return Err(OperatorError::Exists(id));
    }
    let roles = in_order(roles);
    if roles.is_empty() {
        return Err(OperatorError::NoRole);
    }
    let operator = Operator { id, roles, created_at: desk.now, removed_at: None };
    let detail = format!("roles: {}", told(&operator.roles));
    let change = Change::Operator(operator.clone());
    desk.commit(vec![change], "operator:add", operator.id.as_str(), detail, verdict).await?;
    Ok(operator)
}

/// Removes an operator: no token and no account of a channel counts any more, and
/// whoever is signed in with one is not, at once. The name stays taken.
///
/// # Errors
/// There is no such operator, or the actor may not.
pub async fn remove(desk: &Desk<'_>, id: &OperatorId) -> Result<(), OperatorError> {
    let verdict = desk.manage("operator:remove", id.as_str()).await?;
    let operator = active(desk.store, id).await?;
    let bindings = desk.store.bindings(Some(id)).await?;
    let removed = Operator { removed_at: Some(desk.now), ..operator };
    let mut changes = vec![Change::Operator(removed), Change::OperatorTokensGone(id.clone())];
    changes.extend(bindings.into_iter().map(|binding| Change::BindingGone {
        channel: binding.channel,
        account: binding.account,
        sender: binding.sender,
    }));
    desk.commit(changes, "operator:remove", id.as_str(), String::new(), verdict).await?;
    Ok(())
}

/// An operator with their tokens and bindings.
///
/// # Errors
/// There is no such operator, or the store fails.
pub async fn show(store: &dyn Store, id: &OperatorId) -> Result<OperatorDetail, OperatorError> {
    let found = store.operator(id).await?;
    Ok(OperatorDetail {
        operator: found.ok_or_else(|| OperatorError::Unknown(id.clone()))?,
        tokens: store.operator_tokens(id).await?,
        bindings: store.bindings(Some(id)).await?,
    })
}

/// An operator who was not removed.
async fn active(store: &dyn Store, id: &OperatorId) -> Result<Operator, OperatorError> {
    match store.operator(id).await? {
        None => Err(OperatorError::Unknown(id.clone())),
        Some(operator) if operator.removed_at.is_some() => Err(OperatorError::Removed(id.clone())),
        Some(operator) => Ok(operator),
    }
}

/// Roles by name, for people.
pub fn told(roles: &[Role]) -> String {
    roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ")
}

/// Roles, each once, in their own order.
fn in_order(roles: &[Role]) -> Vec<Role> {
    Role::ALL.into_iter().filter(|role| roles.contains(role)).collect()
}

/// Makes an operator's act durable together with its audit row.
async fn keep(
    store: &dyn Store,
    changes: Vec<Change>,
    entry: AuditEntry,
) -> Result<(), StoreError> {
    store.commit(Commit { lease: None, changes, audit: vec![entry] }).await.map(|_| ())
}

/// The audit row of an operator's act.
fn entry(
    actor: &Actor,
    now: Timestamp,
    action: &str,
    resource: &str,
    verdict: Option<AuditVerdict>,
) -> AuditEntry {
    AuditEntry {
        verdict,
        ..AuditEntry::new(now, AuditKind::Operator, actor.name(), action, resource)
    }
}

#[cfg(test)]
mod tests;
