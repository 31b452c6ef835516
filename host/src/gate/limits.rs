//! Limits that a permitted call is taken from.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use postern_domain::{LimitUse, Obligation, Take, stable_id};
use postern_policy::{Per, PolicySet};

use super::Caller;
use crate::ledger::Ledger;

/// How many calls are being performed under limits of concurrency, in this host.
#[derive(Default)]
pub struct Concurrency(Mutex<HashMap<(String, String), u32>>);

/// A call that is being performed; ends when it is dropped.
pub(super) struct Running {
    of: Arc<Concurrency>,
    key: (String, String),
}

impl Concurrency {
    /// Counts a call, unless there are as many as there may be.
    fn begin(self: &Arc<Self>, limit: &str, scope: String, most: u32) -> Option<Running> {
        let key = (limit.to_owned(), scope);
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = running.entry(key.clone()).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Running { of: Arc::clone(self), key })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut running = self.of.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = running.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                running.remove(&self.key);
            }
        }
    }
}

/// What a call needs of limits.
#[derive(Default)]
pub(super) struct Needed {
    /// What is counted in the store, in the same transaction as the call.
    pub(super) uses: Vec<LimitUse>,
    /// Held while the call is performed.
    pub(super) running: Vec<Running>,
}

/// Works out what the duties of a permitted call take.
///
/// # Errors
/// The name of a limit of concurrency that is used up.
pub(super) fn needed(
    policy: &PolicySet,
    concurrency: &Arc<Concurrency>,
    duties: &[Obligation],
    (caller, ledger, seq): (&Caller, &Ledger, u32),
    amount: Option<i64>,
) -> Result<Needed, String> {
    let mut needed = Needed::default();
    let take = |limit: &str, per: Per, take: Take| {
        let scope = scope(per, caller, ledger);
        let reservation = format!("{}-{seq}-{limit}", caller.invocation);
        LimitUse { limit: limit.to_owned(), scope, take, reservation }
    };
    for duty in duties {
        match duty {
            Obligation::Limit { name } => {
                if let Some(rate) = policy.rate(name) {
                    needed.uses.push(take(name, rate.per, rate.take()));
                } else if let Some(most) = policy.concurrency(name) {
                    let scope = scope(most.per, caller, ledger);
                    match concurrency.begin(name, scope, most.most) {
                        Some(running) => needed.running.push(running),
                        None => return Err(name.clone()),
                    }
                }
            }
            Obligation::MaxAmount { name } => {
                if let (Some(bound), Some(amount)) = (policy.amount(name), amount)
                    && let Some(sum) = bound.take(amount)
                {
                    needed.uses.push(take(name, bound.per, sum));
                }
            }
            Obligation::Confirm
            | Obligation::Identity { .. }
            | Obligation::Approval { .. }
            | Obligation::Redact { .. }
            | Obligation::Notify { .. } => {}
        }
    }
    Ok(needed)
}

/// For whom something is counted. Customers and chats are not named in the
/// counters: their keys can be personal.
fn scope(per: Per, caller: &Caller, ledger: &Ledger) -> String {
    let conversation = &ledger.conversation;
    match per {
        Per::Skill => format!("skill:{}", caller.skill),
        Per::Tool => format!("tool:{}/{}", caller.skill, caller.tool),
        Per::Customer => match &conversation.customer.key {
            Some(key) => format!("customer:{}", stable_id(&["limit", key])),
            None => format!("conversation:{}", conversation.id),
        },
        Per::Conversation => format!("conversation:{}", conversation.id),
        Per::Account => format!("account:{}/{}", conversation.channel, conversation.account),
        Per::Global => "global".to_owned(),
    }
}
