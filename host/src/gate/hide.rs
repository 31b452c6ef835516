//! What skills see of what is outside: the values that nobody declared personal become
//! placeholders of the conversation, too. So the journal, audit and replay have none.

use std::sync::Arc;

use postern_domain::{Document, HostCall, HostReply, HttpResponse, Ticket};
use postern_policy::personal::Detector;

use crate::{
    config::{Collection, Collections},
    ledger::Ledger,
    privacy::{Hider, Whose},
};

/// A reply as the skill may see it; `rules` are those of the records in it.
pub(super) fn reply(
    reply: HostReply,
    rules: Option<&Collection>,
    detector: &Detector,
    ledger: &mut Ledger,
) -> HostReply {
    let customer = ledger.conversation.customer.key.clone();
    let mut hider = Hider::new(detector, &mut ledger.vault);
    match reply {
        HostReply::Document { document } => {
            HostReply::Document { document: record(document, rules, (hider, customer)) }
        }
        HostReply::Documents { documents } => {
            let mut hide = |document| {
                let hider = Hider::new(detector, &mut ledger.vault);
                record(document, rules, (hider, customer.clone()))
            };
            HostReply::Documents { documents: documents.into_iter().map(&mut hide).collect() }
        }
        HostReply::Identity { key, document } => {
            HostReply::Identity { key, document: record(document, rules, (hider, customer)) }
        }
        HostReply::Http { response } => HostReply::Http { response: http(response, &mut hider) },
        HostReply::Value { value } => {
            HostReply::Value { value: value.map(|value| bytes(value, &mut hider)) }
        }
        HostReply::Ticket { ticket } => HostReply::Ticket { ticket: people(ticket, &mut hider) },
        HostReply::Tickets { tickets } => {
            let tickets = tickets.into_iter().map(|ticket| people(ticket, &mut hider)).collect();
            HostReply::Tickets { tickets }
        }
        HostReply::Passages { mut passages } => {
            for passage in &mut passages {
                text(&mut passage.title, &mut hider);
                text(&mut passage.text, &mut hider);
            }
            HostReply::Passages { passages }
        }
        HostReply::Completion { mut completion } => {
            text(&mut completion.text, &mut hider);
            HostReply::Completion { completion }
        }
        reply @ (HostReply::Done
        | HostReply::Versions { .. }
        | HostReply::Queued { .. }
        | HostReply::Sent { .. }
        | HostReply::Scheduled { .. }) => reply,
    }
}

/// What is declared about the records that a call reads.
pub(super) fn rules_of<'c>(
    call: &HostCall,
    collections: &'c Collections,
) -> Option<&'c Collection> {
    match call {
        HostCall::RecordsGet { collection, .. }
        | HostCall::RecordsQuery { collection, .. }
        | HostCall::RecordsIdentify { collection, .. } => collections.get(collection),
        HostCall::Log { .. }
        | HostCall::RecordsWrite { .. }
        | HostCall::HttpSend { .. }
        | HostCall::KvGet { .. }
        | HostCall::KvSet { .. }
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
        | HostCall::ScheduleCancel { .. } => None,
    }
}

/// A record in which declared values are hidden already. What rules read and records
/// are found by stays: skills ask with it again.
fn record(
    document: Document,
    rules: Option<&Collection>,
    (hider, customer): (Hider<'_>, Option<String>),
) -> Document {
    let owner = rules.and_then(|rules| rules.owner_of(&document.body));
    let whose = match (owner, customer) {
        (Some(owner), Some(customer)) if owner == customer => Whose::Customer,
        (Some(_) | None, Some(_) | None) => Whose::Unknown,
    };
    let leaves = |path: &[String]| rules.is_some_and(|rules| rules.is_plain(path));
    let Document { key, version, body } = document;
    let mut body = Arc::unwrap_or_clone(body);
    hider.of_record(whose).value(&mut body, &mut Vec::new(), &leaves);
    Document { key, version, body: Arc::new(body) }
}

fn http(response: HttpResponse, hider: &mut Hider<'_>) -> HttpResponse {
    let HttpResponse { status, mut headers, body } = response;
    let is_type = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("content-type");
    let kind = headers.iter().find(is_type).map(|(_, value)| value.to_ascii_lowercase());
    let body = match String::from_utf8(body) {
        Ok(text) => hider.document(&text).unwrap_or(text).into_bytes(),
        Err(error) if kind.as_deref().is_some_and(is_latin) => latin(error.into_bytes(), hider),
        Err(error) => error.into_bytes(),
    };
    for (_, value) in &mut headers {
        text(value, hider);
    }
    HttpResponse { status, headers, body }
}

/// Whether bytes that are no UTF-8 are a text in which ASCII is written as ASCII.
fn is_latin(content_type: &str) -> bool {
    content_type.contains("iso-8859-1") || content_type.starts_with("text/")
}

/// A text of which each byte is one character (ISO 8859-1).
fn latin(bytes: Vec<u8>, hider: &mut Hider<'_>) -> Vec<u8> {
    let said: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    match hider.document(&said) {
        Some(hidden) => hidden.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect(),
        None => bytes,
    }
}

/// A value that a skill has kept, if it is a text.
fn bytes(value: Vec<u8>, hider: &mut Hider<'_>) -> Vec<u8> {
    match String::from_utf8(value) {
        Ok(text) => hider.document(&text).unwrap_or(text).into_bytes(),
        Err(error) => error.into_bytes(),
    }
}

fn people(ticket: Ticket, hider: &mut Hider<'_>) -> Ticket {
    let Ticket { mut subject, mut reason, mut tags, .. } = ticket.clone();
    text(&mut subject, hider);
    reason.iter_mut().for_each(|reason| text(reason, hider));
    tags.iter_mut().for_each(|tag| text(tag, hider));
    Ticket { subject, reason, tags, ..ticket }
}

fn text(text: &mut String, hider: &mut Hider<'_>) {
    if let Some(hidden) = hider.text(text) {
        *text = hidden;
    }
}
