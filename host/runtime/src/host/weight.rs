//! How many bytes a call or a reply carries over the border. Texts, bodies and
//! values count; what is of fixed size does not.

use postern_domain::{Completion, HostReply, HttpResponse, LogLine, Passage, Ticket};

/// Bytes of texts.
pub(crate) fn of_texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> u64 {
    texts.into_iter().map(|text| text.as_ref().len() as u64).sum()
}

/// Bytes of a reply, but for the bodies of records: those are counted when they
/// are written for the guest.
pub(crate) fn of_reply(reply: &HostReply) -> u64 {
    match reply {
        HostReply::Done => 0,
        HostReply::Document { document } => text(&document.key),
        HostReply::Documents { documents } => sum(documents, |one| text(&one.key)),
        HostReply::Versions { versions } => versions.len() as u64 * 8,
        HostReply::Identity { key, document } => text(key) + text(&document.key),
        HostReply::Http { response } => {
            let HttpResponse { status: _, headers, body } = response;
            sum(headers, pair) + body.len() as u64
        }
        HostReply::Value { value } => value.as_ref().map_or(0, |value| value.len() as u64),
        HostReply::Ticket { ticket: one } => ticket(one),
        HostReply::Tickets { tickets } => sum(tickets, ticket),
        HostReply::Queued { queue } => text(queue),
        HostReply::Passages { passages } => sum(passages, passage),
        HostReply::Completion { completion: Completion { text: answer, .. } } => text(answer),
        HostReply::Sent { .. } => 4,
        HostReply::Scheduled { id } => text(id),
    }
}

/// Bytes of a log line.
pub(crate) fn of_line(line: &LogLine) -> u64 {
    text(&line.message) + sum(&line.fields, pair)
}

fn text(text: &str) -> u64 {
    text.len() as u64
}

fn sum<T>(items: &[T], weigh: impl Fn(&T) -> u64) -> u64 {
    items.iter().map(weigh).sum()
}

fn pair((name, value): &(String, String)) -> u64 {
    text(name) + text(value)
}

fn passage(passage: &Passage) -> u64 {
    let Passage { id, title, text: body, relevance: _ } = passage;
    text(id) + text(title) + text(body)
}

/// Only what a guest gets of a ticket.
fn ticket(ticket: &Ticket) -> u64 {
    text(ticket.id.as_str()) + text(&ticket.subject) + sum(&ticket.tags, |tag| text(tag))
}
