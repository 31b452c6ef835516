//! Performs what the gate permitted, and nothing else.

pub mod http;
mod kv;
mod log;
mod people;
mod records;

use std::sync::Arc;

use postern_domain::{CallFailure, FailureKind, HostCall, HostReply, Retry, Timestamp};
use postern_store::StoreError;

pub(crate) use log::masked;
pub(crate) use records::{record_changes, versions_after};

use crate::{
    config::Collections,
    gate::{Caller, Permit},
    ledger::Ledger,
};

/// What effects work with.
pub struct Ports {
    /// The way to other servers.
    pub http: http::HttpClient,
    /// What is declared about collections.
    pub collections: Arc<Collections>,
    /// The queue for people.
    pub queue: String,
}

/// Performs a permitted call. The inner failure is for the skill.
pub(crate) async fn perform(
    permit: Permit,
    ports: &Ports,
    ledger: &mut Ledger,
    caller: &Caller,
    now: Timestamp,
) -> Result<Result<HostReply, CallFailure>, StoreError> {
    let (call, prepared, idempotency_key) = permit.into_parts();
    let material = prepared.material;
    match call {
        HostCall::Log { line } => {
            log::write(&line, caller);
            Ok(Ok(HostReply::Done))
        }
        HostCall::RecordsGet { collection, .. } => {
            Ok(records::get(ports, ledger, &collection, material))
        }
        HostCall::RecordsQuery { collection, limit, .. } => {
            records::query(ports, ledger, &collection, material, limit).await
        }
        HostCall::RecordsIdentify { collection, .. } => {
            records::identify(ports, ledger, &collection, material).await
        }
        HostCall::RecordsWrite { .. } => {
            // Writes commit with their journal entry, which only the gate can do.
            Ok(Err(CallFailure::invalid("records are written through the gate's own commit")))
        }
        HostCall::HttpSend { request } => {
            Ok(ports.http.send(request, material, &idempotency_key).await)
        }
        HostCall::KvGet { key } => kv::get(ledger, caller, &key, now).await,
        HostCall::KvSet { key, value, ttl_s } => {
            let expires_at = now.plus_millis(i64::from(ttl_s) * 1_000);
            kv::set(ledger, caller, key, value, now, expires_at).await
        }
        HostCall::KvDelete { key } => Ok(kv::delete(ledger, caller, key)),
        HostCall::TicketCreate { subject, priority } => {
            let ticket =
                ledger.open_ticket(&idempotency_key, &subject, priority, &caller.actor(), now);
            Ok(Ok(HostReply::Ticket { ticket }))
        }
        HostCall::TicketUpdate { change, .. } => Ok(people::update(ledger, caller, change, now)),
        HostCall::TicketTag { tag, .. } => Ok(people::tag(ledger, caller, tag, now)),
        HostCall::TicketComment { text, .. } => Ok(people::comment(ledger, caller, text, now)),
        HostCall::TicketHistory { limit } => people::history(ledger, limit).await,
        HostCall::HandOver { request } => {
            Ok(people::hand_over(ledger, caller, ports, request, &idempotency_key, now))
        }
        HostCall::KnowledgeSearch { .. } => Ok(Err(no_backend("knowledge base"))),
        HostCall::ModelComplete { .. } => Ok(Err(no_backend("language model"))),
        HostCall::MessageSend { .. } => Ok(Err(no_backend("way to send further messages"))),
        HostCall::ScheduleCreate { .. } | HostCall::ScheduleCancel { .. } => {
            Ok(Err(no_backend("schedule")))
        }
    }
}

/// The interface is there so that skills can be built against it, and says
/// plainly that this host has nothing behind it.
fn no_backend(what: &str) -> CallFailure {
    CallFailure {
        kind: FailureKind::Unavailable,
        message: format!("this host has no {what}: go on without it, or hand over to a person"),
        retry: Retry::Never,
    }
}
