//! Small state of skills.

use postern_domain::{CallFailure, Customer, FailureKind, HostReply, IdentityLevel, Timestamp};
use postern_store::{Change, StoreError};

use crate::{gate::Caller, ledger::Ledger};

/// Bytes of one value.
const MOST_VALUE_BYTES: usize = 64 * 1024;
/// Values that a skill can keep for one customer.
const MOST_VALUES: u64 = 100;
/// Bytes that a skill can keep for one customer.
const MOST_BYTES: u64 = 1024 * 1024;

/// Whose values these are: the customer's, on every channel, once it is sure who
/// writes, and until then those of the conversation's session.
fn scope(ledger: &Ledger) -> String {
    let conversation = &ledger.conversation;
    match &conversation.customer {
        Customer { key: Some(key), level: IdentityLevel::Verified } => format!("customer:{key}"),
        Customer { .. } => {
            format!("conversation:{}:{}", conversation.id, conversation.state.session)
        }
    }
}

type Answer = Result<HostReply, CallFailure>;

pub(super) async fn get(
    ledger: &Ledger,
    caller: &Caller,
    key: &str,
    now: Timestamp,
) -> Result<Answer, StoreError> {
    let value = read(ledger, caller, &scope(ledger), key, now).await?;
    Ok(Ok(HostReply::Value { value }))
}

/// The value as this turn sees it.
async fn read(
    ledger: &Ledger,
    caller: &Caller,
    scope: &str,
    key: &str,
    now: Timestamp,
) -> Result<Option<Vec<u8>>, StoreError> {
    match ledger.kv_seen(&caller.skill, scope, key) {
        Some(value) => Ok(value.clone()),
        None => ledger.store().kv_get(&caller.skill, scope, key, now).await,
    }
}

pub(super) async fn set(
    ledger: &mut Ledger,
    caller: &Caller,
    key: String,
    value: Vec<u8>,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<Answer, StoreError> {
    if value.len() > MOST_VALUE_BYTES {
        let reason = format!("a value has at most {MOST_VALUE_BYTES} bytes");
        return Ok(Err(CallFailure::invalid(reason)));
    }
    let scope = scope(ledger);
    let (kept, kept_bytes) = ledger.store().kv_usage(&caller.skill, &scope).await?;
    let (pending, pending_bytes) = ledger.kv_pending(&caller.skill, &scope);
    let size = (key.len() + value.len()) as u64;
    let another = read(ledger, caller, &scope, &key, now).await?.is_none();
    if (another && kept + pending >= MOST_VALUES) || kept_bytes + pending_bytes + size > MOST_BYTES
    {
        let reason = format!("at most {MOST_VALUES} values and {MOST_BYTES} bytes for a customer");
        return Ok(Err(CallFailure::new(FailureKind::Limited, reason)));
    }
    ledger.kv_note(&caller.skill, &scope, &key, Some(value.clone()));
    ledger.push(Change::KvSet { skill: caller.skill.clone(), scope, key, value, expires_at });
    Ok(Ok(HostReply::Done))
}

pub(super) fn delete(ledger: &mut Ledger, caller: &Caller, key: String) -> Answer {
    let scope = scope(ledger);
    ledger.kv_note(&caller.skill, &scope, &key, None);
    ledger.push(Change::KvDelete { skill: caller.skill.clone(), scope, key });
    Ok(HostReply::Done)
}
