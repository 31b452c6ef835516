//! Accounts of channels from which operators act, each bound once by a code.

use postern_domain::{
    AuditEntry, AuditKind, BindingCode, Channel, Digest, LimitUse, Operator, OperatorBinding,
    OperatorId, Role, Take, Timestamp,
};
use postern_policy::Act;
use postern_store::{Change, Commit, Store, StoreError};

use super::{ActError, Actor, Desk, OperatorError, entry};
use crate::keys::{KeyError, Secret};

/// How long a code counts, in milliseconds.
const CODE_MS: i64 = 10 * 60 * 1_000;
/// Letters and digits of a code. Those that look alike are left out.
const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// How many of them: 40 bits, of which ten minutes and five tries an hour find
/// nothing.
const CODE_LENGTH: usize = 8;
/// Tries of one chat: so many at once, then one each interval, which makes as many
/// an hour.
const TRIES: u32 = 5;
const TRY_INTERVAL_MS: i64 = 12 * 60 * 1_000;

/// What one person who is no operator here is heeded: so many at once, then one each
/// interval. What is more leaves no row and gets no answer.
const STRANGERS: u32 = 10;
const STRANGER_INTERVAL_MS: i64 = 10 * 60 * 1_000;

/// Where somebody writes from.
#[derive(Clone, PartialEq, Eq)]
pub struct Chat {
    /// The channel.
    pub channel: Channel,
    /// The configured account of the channel.
    pub account: String,
    /// The person, as the channel names them.
    pub sender: String,
    /// The chat, as the channel names it.
    pub chat: String,
}

impl Chat {
    /// The configured account, for audit: chats and people are personal data.
    pub fn place(&self) -> String {
        format!("{}/{}", self.channel, self.account)
    }

    fn digest(&self) -> String {
        let parts = [self.channel.as_str(), &self.account, &self.chat];
        postern_domain::stable_id(&parts)
    }
}

/// Why an account was not bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Rules or the store do not let it happen.
    #[error(transparent)]
    Act(#[from] ActError),
    /// Only somebody with a name of their own can act from a channel.
    #[error("{0} is no person; sign in with a token of `postern operator token`")]
    NoPerson(OperatorId),
    /// The code is not one, or its time is over.
    #[error("this code does not count; the operator page shows a new one")]
    Wrong,
    /// There were too many tries from this chat.
    #[error("too many tries; wait an hour")]
    TooMany,
    /// The machine gives no randomness.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl From<StoreError> for BindError {
    fn from(error: StoreError) -> Self {
        Self::Act(error.into())
    }
}

/// Makes a one-time code with which the actor binds an account of a channel.
///
/// # Errors
/// The actor has not signed in with a token of their own, or may not even look.
pub async fn new_code(desk: &Desk<'_>) -> Result<(Secret, BindingCode), BindError> {
    const ACTION: &str = "operator:bind-code";
    let id = desk.actor.id();
    let Some(token) = desk.actor.token() else {
        return Err(BindError::NoPerson(id.clone()));
    };
    let verdict = desk.allow(Act::View, ACTION, id.as_str()).await?;
    let mut bytes = [0; CODE_LENGTH];
    getrandom::fill(&mut bytes).map_err(KeyError::Random)?;
    let letter = |byte: &u8| char::from(LETTERS[usize::from(byte % 32)]);
    let secret = Secret::new(bytes.iter().map(letter).collect::<String>());
    let code = BindingCode {
        digest: digest_of(secret.expose()),
        operator: id.clone(),
        roles: desk.actor.roles().to_vec(),
        token,
        expires_at: desk.now.plus_millis(CODE_MS),
    };
    let change = Change::BindingCode(code.clone());
    desk.commit(vec![change], ACTION, id.as_str(), String::new(), verdict).await?;
    Ok((secret, code))
}

/// A code is read as people write it: in any case, with spaces and hyphens.
fn digest_of(code: &str) -> Digest {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    Digest::of_bytes(plain.to_ascii_uppercase().as_bytes())
}

/// Binds an account of a channel to the operator who asked for the code. `with`
/// becomes durable in the same moment. `once` is the same for each delivery of the
/// message that brought the code.
///
/// # Errors
/// The code does not count, there were too many tries, or the store fails. A try
/// that failed is in the audit log.
pub async fn bind(
    store: &dyn Store,
    chat: &Chat,
    code: &str,
    once: &str,
    now: Timestamp,
    with: impl FnOnce(&OperatorId) -> Vec<Change>,
) -> Result<OperatorId, BindError> {
    take_try(store, chat, once, now).await?;
    let digest = digest_of(code);
    let found = match store.binding_code(digest).await? {
        Some(code) if now < code.expires_at => {
            let operator = store.operator(&code.operator).await?;
            operator.filter(|operator| operator.removed_at.is_none()).zip(Some(code))
        }
        Some(_) | None => None,
    };
    let Some((operator, code)) = found else {
        failed(store, chat, "the code does not count", now).await?;
        return Err(BindError::Wrong);
    };
    let actor = Actor::in_channel(operator.id.clone(), code.roles.clone());
    let binding = OperatorBinding {
        operator: operator.id.clone(),
        roles: code.roles,
        token: code.token,
        channel: chat.channel,
        account: chat.account.clone(),
        sender: chat.sender.clone(),
        chat: chat.chat.clone(),
        created_at: now,
    };
    let mut changes = vec![Change::BindingCodeUsed { digest, at: now }, Change::Binding(binding)];
    changes.extend(with(&operator.id));
    let audit = vec![entry(&actor, now, "operator:bind", &chat.place(), None)];
    match store.commit(Commit { lease: None, changes, audit }).await {
        Ok(_) => Ok(operator.id),
        Err(StoreError::Stale { .. }) => {
            failed(store, chat, "the code was used before", now).await?;
            Err(BindError::Wrong)
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether somebody who is no operator here, and wants what operators do, is answered
/// and written down. `once` is the same for each delivery of what they sent.
///
/// # Errors
/// The store fails.
pub(crate) async fn heeds(
    store: &dyn Store,
    chat: &Chat,
    once: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Chat { channel, account, sender, .. } = chat;
    let person = postern_domain::stable_id(&[channel.as_str(), account, sender]);
    let wanted = LimitUse {
        limit: "operator-strangers".to_owned(),
        scope: format!("person:{person}"),
        take: Take::Rate { interval_ms: STRANGER_INTERVAL_MS, burst: STRANGERS },
        reservation: format!("operator-stranger-{once}"),
    };
    let changes = vec![Change::Take { uses: vec![wanted], at: now }];
    match store.commit(Commit { changes, ..Commit::default() }).await {
        Ok(_) => Ok(true),
        Err(StoreError::LimitReached { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Counts a try in the store, so that a restart forgets none.
async fn take_try(
    store: &dyn Store,
    chat: &Chat,
    once: &str,
    now: Timestamp,
) -> Result<(), BindError> {
    let wanted = LimitUse {
        limit: "operator-bind".to_owned(),
        scope: format!("chat:{}", chat.digest()),
        take: Take::Rate { interval_ms: TRY_INTERVAL_MS, burst: TRIES },
        reservation: format!("operator-bind-{once}"),
    };
    let changes = vec![Change::Take { uses: vec![wanted], at: now }];
    match store.commit(Commit { changes, ..Commit::default() }).await {
        Ok(_) => Ok(()),
        Err(StoreError::LimitReached { .. }) => {
            failed(store, chat, "too many tries", now).await?;
            Err(BindError::TooMany)
        }
        Err(error) => Err(error.into()),
    }
}

async fn failed(
    store: &dyn Store,
    chat: &Chat,
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (kind, actor) = (AuditKind::Operator, format!("channel:{}", chat.place()));
    let row = AuditEntry {
        detail: format!("refused: {why}"),
        ..AuditEntry::new(now, kind, actor, "operator:bind", chat.place())
    };
    super::keep(store, Vec::new(), row).await
}

/// Who acts from this account of a channel, if it is bound.
///
/// # Errors
/// The store fails.
pub async fn bound(store: &dyn Store, chat: &Chat) -> Result<Option<Actor>, StoreError> {
    let found = store.binding(chat.channel, &chat.account, &chat.sender).await?;
    let Some(binding) = found else { return Ok(None) };
    let operator = store.operator(&binding.operator).await?;
    let operator = operator.filter(|operator| operator.removed_at.is_none());
    Ok(operator.map(|operator| {
        let roles = roles_in(&operator, &binding);
        Actor::in_channel(operator.id, roles)
    }))
}

/// What an operator may do from an account: of their roles, those of the token with
/// which it was bound.
pub(crate) fn roles_in(operator: &Operator, binding: &OperatorBinding) -> Vec<Role> {
    operator.roles.iter().copied().filter(|role| binding.roles.contains(role)).collect()
}

/// Takes an account of a channel from an operator: the one with this number among
/// theirs, from 1, as [`super::show`] lists them.
///
/// # Errors
/// There is no such account, or the actor may not.
pub async fn unbind(
    desk: &Desk<'_>,
    id: &OperatorId,
    number: usize,
) -> Result<OperatorBinding, OperatorError> {
    const ACTION: &str = "operator:unbind";
    let verdict = desk.manage(ACTION, id.as_str()).await?;
    super::active(desk.store, id).await?;
    let mut bindings = desk.store.bindings(Some(id)).await?;
    let found = bindings.len();
    let Some(place) = number.checked_sub(1).filter(|place| *place < found) else {
        return Err(OperatorError::Binding { operator: id.clone(), number, found });
    };
    let binding = bindings.swap_remove(place);
    let gone = Change::BindingGone {
        channel: binding.channel,
        account: binding.account.clone(),
        sender: binding.sender.clone(),
    };
    let detail = format!("{}/{}", binding.channel, binding.account);
    desk.commit(vec![gone], ACTION, id.as_str(), detail, verdict).await?;
    Ok(binding)
}
