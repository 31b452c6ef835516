//! Changes that become durable together.

use postern_domain::JournalEntry;
use sqlx::SqliteConnection;

use super::{
    approvals, audit, conversations, inbox, kv, lease, limits, messages, operators, outbox,
    records, tickets, turns,
};
use crate::{Change, Commit, Committed, StoreError, clean::CleanEntries};

/// Makes the changes of `commit`, its audit rows last. The caller ends the
/// transaction, or lets it go when this fails.
pub(super) async fn apply(
    on: &mut SqliteConnection,
    chain: &str,
    (commit, audit): (Commit, CleanEntries),
) -> Result<Committed, StoreError> {
    if let Some(lease) = &commit.lease {
        lease::check(&mut *on, lease).await?;
    }
    let mut made = Made::default();
    for change in commit.changes {
        make(&mut *on, change, &mut made).await?;
    }
    turns::put_journal(&mut *on, &made.journal).await?;
    audit::append(on, chain, audit).await?;
    Ok(Committed { versions: made.versions })
}

/// What the changes so far have come to.
#[derive(Default)]
struct Made {
    versions: Vec<u64>,
    /// Written in one statement at the end: an invocation makes many calls, and
    /// no other change looks at them.
    journal: Vec<JournalEntry>,
}

async fn make(
    on: &mut SqliteConnection,
    change: Change,
    made: &mut Made,
) -> Result<(), StoreError> {
    match change {
        Change::Turn(turn) => turns::put(on, &turn).await,
        Change::Invocation(invocation) => turns::put_invocation(on, &invocation).await,
        Change::Journal(entry) => {
            made.journal.push(entry);
            Ok(())
        }
        Change::Records(steps) => {
            made.versions.extend(records::apply(on, &steps).await?);
            Ok(())
        }
        Change::KvSet { skill, scope, key, value, expires_at } => {
            let name = kv::Name { skill: &skill, scope: &scope, key: &key };
            kv::set(on, name, value, expires_at).await
        }
        Change::KvDelete { skill, scope, key } => {
            kv::delete(on, kv::Name { skill: &skill, scope: &scope, key: &key }).await
        }
        Change::Ticket { ticket, events } => tickets::put(on, &ticket, &events).await,
        Change::Conversation(conversation) => conversations::update(on, &conversation).await,
        Change::Vault { conversation, entries } => {
            messages::keep_values(on, &conversation, &entries).await
        }
        Change::VaultIndex { conversation, customer, owner, tags } => {
            let whose = (customer.as_deref(), owner.as_deref());
            messages::keep_tags(on, &conversation, whose, &tags).await
        }
        Change::Message(message) => messages::append(on, &message).await,
        Change::Outbox(item) => outbox::append(on, &item).await,
        Change::InboxDone(message) => inbox::done(on, &message).await,
        Change::InboxDead { message, reason } => inbox::dead(on, &message, &reason).await,
        Change::InboxRetry { message, at, reason } => inbox::retry(on, &message, at, &reason).await,
        Change::Park(message) => inbox::park(on, &message).await,
        Change::Wake(message) => inbox::wake(on, &message).await,
        Change::OutboxUpdate(item) => outbox::update(on, &item).await,
        Change::Approval(approval) => approvals::put(on, &approval).await,
        Change::Take { uses, at } => limits::take(on, &uses, at).await,
        Change::Operator(operator) => operators::put(on, &operator).await,
        Change::OperatorToken(token) => operators::add_token(on, &token).await,
        Change::OperatorTokenGone(digest) => operators::drop_token(on, digest).await,
        Change::OperatorTokensGone(operator) => operators::drop_tokens(on, &operator).await,
        Change::Binding(binding) => operators::bind(on, &binding).await,
        Change::BindingGone { channel, account, sender } => {
            operators::unbind(on, channel, &account, &sender).await
        }
        Change::BindingCode(code) => operators::add_code(on, &code).await,
        Change::BindingCodeUsed { digest, at } => operators::use_code(on, digest, at).await,
    }
}
