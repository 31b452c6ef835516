//! What skills see of what is outside: the values that nobody declared personal become
//! placeholders of the conversation, too. So the journal, audit and replay have none.

use std::sync::Arc;

use postern_domain::{Document, HandOver, HostCall, HostReply, HttpResponse, Ticket, TicketChange};
use postern_policy::personal::Detector;

use crate::{
    config::{Collection, Collections},
    ledger::Ledger,
    privacy::{Hider, Whose},
    redaction,
};

/// A call in which free texts for people have placeholders for the values that the skill
/// has written itself, or knew from elsewhere. A reason is a word for machines, in which a
/// placeholder has no place. What a skill keeps has to come back as it was.
pub(super) fn call(call: HostCall, detector: &Detector, ledger: &mut Ledger) -> HostCall {
    let mut hider = Hider::new(detector, &mut ledger.vault);
    let mut hidden = |said: String| hider.text(&said).unwrap_or(said);
    match call {
        HostCall::TicketCreate { subject, priority } => {
            HostCall::TicketCreate { subject: hidden(subject), priority }
        }
        HostCall::TicketUpdate { id, change } => {
            let change = TicketChange { subject: change.subject.map(hidden), ..change };
            HostCall::TicketUpdate { id, change }
        }
        HostCall::TicketTag { id, tag } => HostCall::TicketTag { id, tag: hidden(tag) },
        HostCall::TicketComment { id, text } => HostCall::TicketComment { id, text: hidden(text) },
        HostCall::HandOver { request } => {
            let HandOver { reason, severity, summary } = request;
            let reason = redaction::clean(&reason).into_owned();
            HostCall::HandOver { request: HandOver { reason, severity, summary: hidden(summary) } }
        }
        call @ (HostCall::Log { .. }
        | HostCall::RecordsGet { .. }
        | HostCall::RecordsQuery { .. }
        | HostCall::RecordsIdentify { .. }
        | HostCall::RecordsWrite { .. }
        | HostCall::HttpSend { .. }
        | HostCall::KvGet { .. }
        | HostCall::KvSet { .. }
        | HostCall::KvDelete { .. }
        | HostCall::TicketHistory { .. }
        | HostCall::KnowledgeSearch { .. }
        | HostCall::ModelComplete { .. }
        | HostCall::MessageSend { .. }
        | HostCall::ScheduleCreate { .. }
        | HostCall::ScheduleCancel { .. }) => call,
    }
}

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
    // Whatever its type says, one byte that is no UTF-8 makes no text of a picture.
    let body = match String::from_utf8(body) {
        Ok(text) => hider.document(&text).unwrap_or(text).into_bytes(),
        Err(error) => latin(error.into_bytes(), hider),
    };
    for (_, value) in &mut headers {
        text(value, hider);
    }
    HttpResponse { status, headers, body }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::Vault;

    #[test]
    fn one_bad_byte_hides_nothing_from_the_detector() {
        let detector = Detector::standard();
        for kind in ["application/json", "application/octet-stream", "text/plain"] {
            let mut vault = Vault::new("k3f9", vec![]);
            let headers = vec![("content-type".to_owned(), kind.to_owned())];
            let body = b"\xff {\"to\":\"ann@shop.example\"} \xe9".to_vec();
            let response = HttpResponse { status: 200, headers, body };
            let seen = http(response, &mut Hider::new(&detector, &mut vault));
            assert_eq!(seen.body, b"\xff {\"to\":\"<EMAIL_1.k3f9>\"} \xe9", "{kind}");
        }
        let picture: Vec<u8> = (0..=255).rev().cycle().take(4_096).collect();
        let response = HttpResponse { status: 200, headers: vec![], body: picture.clone() };
        let mut vault = Vault::new("k3f9", vec![]);
        assert_eq!(http(response, &mut Hider::new(&detector, &mut vault)).body, picture);
    }
}
