//! How a call and its end are written down for people, without personal data.

use postern_domain::{CallState, HostCall, HostReply, HttpRequest};
use postern_policy::Facts;
use serde_json::Value;
use url::Url;

use crate::{effects, redaction};

/// On what a call acts: a collection and key, an endpoint, a ticket.
/// Values of conditions, bodies and texts are left out, and so are keys of
/// customers: some shops make them of names. `customers` tells whether the
/// records of a collection are customers, `endpoint` what to say of a request:
/// never its host or path as the skill wrote them.
pub(super) fn resource(
    call: &HostCall,
    customers: impl Fn(&str) -> bool,
    endpoint: impl Fn(&HttpRequest) -> String,
) -> String {
    let record = |collection: &str, key: &str| {
        let key = if customers(collection) { "(customer)" } else { key };
        format!("{collection}/{key}")
    };
    match call {
        HostCall::Log { line } => format!("{:?}", line.level).to_lowercase(),
        HostCall::RecordsGet { collection, key } => record(collection, key),
        HostCall::RecordsQuery { collection, conditions, .. } => {
            let fields: Vec<_> = conditions.iter().map(|c| c.field.as_str()).collect();
            format!("{collection}?{}", fields.join("&"))
        }
        HostCall::RecordsIdentify { collection, details } => {
            let fields: Vec<_> = details.iter().map(|c| c.field.as_str()).collect();
            format!("{collection}?{}", fields.join("&"))
        }
        HostCall::RecordsWrite { steps } => {
            let targets: Vec<_> =
                steps.iter().map(|step| step.target()).map(|(c, k)| record(c, k)).collect();
            targets.join(", ")
        }
        HostCall::HttpSend { request } => endpoint(request),
        HostCall::KvGet { key } | HostCall::KvSet { key, .. } | HostCall::KvDelete { key } => {
            format!("kv/{key}")
        }
        HostCall::TicketCreate { .. } => "ticket".to_owned(),
        HostCall::TicketUpdate { id, .. }
        | HostCall::TicketTag { id, .. }
        | HostCall::TicketComment { id, .. } => id.to_string(),
        HostCall::TicketHistory { .. } => "tickets of this customer".to_owned(),
        HostCall::HandOver { request } => format!("people ({})", request.reason),
        HostCall::KnowledgeSearch { collection, .. } => format!("knowledge/{collection}"),
        HostCall::ModelComplete { request } => format!("model ({})", request.purpose),
        HostCall::MessageSend { audience, .. } => {
            format!("{} ({})", audience.as_str(), audience.count())
        }
        HostCall::ScheduleCreate { job } => format!("schedule/{}", job.tool),
        HostCall::ScheduleCancel { id } => format!("schedule/{id}"),
    }
}

/// Whether to do a call twice is more than to do it once. What a skill keeps for itself
/// does not count.
pub(crate) const fn changes(call: &HostCall) -> bool {
    match call {
        HostCall::RecordsWrite { .. }
        | HostCall::TicketCreate { .. }
        | HostCall::TicketUpdate { .. }
        | HostCall::TicketTag { .. }
        | HostCall::TicketComment { .. }
        | HostCall::HandOver { .. }
        | HostCall::MessageSend { .. }
        | HostCall::ScheduleCreate { .. }
        | HostCall::ScheduleCancel { .. } => true,
        HostCall::HttpSend { request } => !request.method.is_safe(),
        HostCall::Log { .. }
        | HostCall::RecordsGet { .. }
        | HostCall::RecordsQuery { .. }
        | HostCall::RecordsIdentify { .. }
        | HostCall::KvGet { .. }
        | HostCall::KvSet { .. }
        | HostCall::KvDelete { .. }
        | HostCall::TicketHistory { .. }
        | HostCall::KnowledgeSearch { .. }
        | HostCall::ModelComplete { .. } => false,
    }
}

/// A call that was permitted, as people are told of it.
pub(crate) fn effect(call: &HostCall) -> String {
    let server = |request: &HttpRequest| {
        let server = Url::parse(&request.url).map(|url| url.origin().ascii_serialization());
        format!("{} {}", request.method.as_str(), server.as_deref().unwrap_or("(not a URL)"))
    };
    format!("{} on {}", call.action(), resource(call, |_| true, server))
}

/// A call as the journal keeps it. Log lines and kept values are masked: skills see
/// placeholders, but may have been given values in places that nobody declared
/// personal. The digest beside it is that of the call as it was made.
pub(super) fn kept(call: &HostCall) -> HostCall {
    match call {
        HostCall::Log { line } => HostCall::Log { line: effects::masked(line) },
        HostCall::KvSet { key, value, ttl_s } => {
            let value = match std::str::from_utf8(value) {
                Ok(text) => redaction::clean(text).into_owned().into_bytes(),
                Err(_) => value.clone(),
            };
            HostCall::KvSet { key: key.clone(), value, ttl_s: *ttl_s }
        }
        HostCall::RecordsGet { .. }
        | HostCall::RecordsQuery { .. }
        | HostCall::RecordsWrite { .. }
        | HostCall::RecordsIdentify { .. }
        | HostCall::HttpSend { .. }
        | HostCall::KvGet { .. }
        | HostCall::KvDelete { .. }
        | HostCall::TicketCreate { .. }
        | HostCall::TicketUpdate { .. }
        | HostCall::TicketTag { .. }
        | HostCall::TicketComment { .. }
        | HostCall::TicketHistory { .. }
        | HostCall::HandOver { .. }
        | HostCall::KnowledgeSearch { .. }
        | HostCall::ModelComplete { .. }
        | HostCall::MessageSend { .. }
        | HostCall::ScheduleCreate { .. }
        | HostCall::ScheduleCancel { .. } => call.clone(),
    }
}

/// What policy was told, as the journal keeps it: keys of customers too, which
/// stand in the recorded call and its reply as well.
pub(super) fn facts(facts: &Facts) -> Value {
    serde_json::to_value(facts).unwrap_or_default()
}

/// How a call ended, in a few words.
pub(super) fn state(state: &CallState) -> String {
    match state {
        CallState::Waiting { approval } => format!("waits for {approval}"),
        CallState::Intended => "about to happen".to_owned(),
        CallState::Done { reply } => match reply {
            HostReply::Done => "done".to_owned(),
            HostReply::Document { document } => format!("version {}", document.version),
            HostReply::Documents { documents } => format!("{} found", documents.len()),
            HostReply::Versions { versions } => format!("{} written", versions.len()),
            HostReply::Identity { .. } => "identified".to_owned(),
            HostReply::Http { response } => {
                format!("status {}, {} bytes", response.status, response.body.len())
            }
            HostReply::Value { value } => match value {
                Some(value) => format!("{} bytes", value.len()),
                None => "nothing kept".to_owned(),
            },
            HostReply::Ticket { ticket } => ticket.id.to_string(),
            HostReply::Tickets { tickets } => format!("{} tickets", tickets.len()),
            HostReply::Queued { queue } => format!("waits in {queue}"),
            HostReply::Passages { passages } => format!("{} passages", passages.len()),
            HostReply::Completion { completion } => {
                format!("{} tokens", completion.output_tokens)
            }
            HostReply::Sent { recipients } => format!("to {recipients}"),
            HostReply::Scheduled { id } => format!("schedule/{id}"),
        },
        CallState::Failed { failure } => failure.message.clone(),
    }
}
