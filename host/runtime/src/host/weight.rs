//! How many bytes a call or a reply carries over the border. Texts, bodies and
//! values count; what is of fixed size does not.

use std::io;

use postern_domain::{
    Audience, Completion, Condition, Document, HandOver, HostCall, HostReply, HttpRequest,
    HttpResponse, Job, JobTime, LogLine, ModelRequest, Passage, RecordStep, Ticket, TicketChange,
};
use serde_json::Value;

/// Bytes of a call's arguments.
pub(crate) fn of_call(call: &HostCall) -> u64 {
    match call {
        HostCall::Log { line } => of_line(line),
        HostCall::RecordsGet { collection, key } => text(collection) + text(key),
        HostCall::RecordsQuery { collection, conditions: list, limit: _ }
        | HostCall::RecordsIdentify { collection, details: list } => {
            text(collection) + sum(list, condition)
        }
        HostCall::RecordsWrite { steps } => sum(steps, step),
        HostCall::HttpSend { request } => http_request(request),
        HostCall::KvGet { key } | HostCall::KvDelete { key } => text(key),
        HostCall::KvSet { key, value, ttl_s: _ } => text(key) + value.len() as u64,
        HostCall::TicketCreate { subject, priority: _ } => text(subject),
        HostCall::TicketUpdate { id, change } => {
            let TicketChange { subject, status: _, priority: _ } = change;
            text(id.as_str()) + subject.as_deref().map_or(0, text)
        }
        HostCall::TicketTag { id, tag } => text(id.as_str()) + text(tag),
        HostCall::TicketComment { id, text: remark } => text(id.as_str()) + text(remark),
        HostCall::TicketHistory { limit: _ } => 0,
        HostCall::HandOver { request } => {
            let HandOver { reason, severity: _, summary } = request;
            text(reason) + text(summary)
        }
        HostCall::KnowledgeSearch { query, collection, limit: _ } => text(query) + text(collection),
        HostCall::ModelComplete { request } => {
            let ModelRequest { purpose, messages, max_tokens: _ } = request;
            text(purpose) + sum(messages, |message| text(&message.text))
        }
        HostCall::MessageSend { audience, text: body } => {
            let to = match audience {
                Audience::Customer => 0,
                Audience::Queue { name } => text(name),
                Audience::Customers { keys } => sum(keys, |key| text(key)),
            };
            to + text(body)
        }
        HostCall::ScheduleCreate { job } => {
            let Job { tool, arguments, when } = job;
            let when = match when {
                JobTime::At { .. } => 0,
                JobTime::Cron { expression } => text(expression),
            };
            text(tool) + json(arguments) + when
        }
        HostCall::ScheduleCancel { id } => text(id),
    }
}

/// Bytes of a reply.
pub(crate) fn of_reply(reply: &HostReply) -> u64 {
    match reply {
        HostReply::Done => 0,
        HostReply::Document { document: one } => document(one),
        HostReply::Documents { documents } => sum(documents, document),
        HostReply::Versions { versions } => versions.len() as u64 * 8,
        HostReply::Identity { key, document: one } => text(key) + document(one),
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

fn condition(condition: &Condition) -> u64 {
    text(&condition.field) + text(&condition.value)
}

fn step(step: &RecordStep) -> u64 {
    let (collection, key) = step.target();
    let body = match step {
        RecordStep::Put { body, .. } => json(body),
        RecordStep::Delete { .. } => 0,
    };
    text(collection) + text(key) + body
}

fn document(document: &Document) -> u64 {
    text(&document.key) + json(&document.body)
}

fn passage(passage: &Passage) -> u64 {
    let Passage { id, title, text: body, relevance: _ } = passage;
    text(id) + text(title) + text(body)
}

fn http_request(request: &HttpRequest) -> u64 {
    let HttpRequest { method: _, url, headers, body, secrets, idempotent: _ } = request;
    text(url) + sum(headers, pair) + body.len() as u64 + sum(secrets, |name| text(name))
}

/// Only what a guest gets of a ticket.
fn ticket(ticket: &Ticket) -> u64 {
    text(ticket.id.as_str()) + text(&ticket.subject) + sum(&ticket.tags, |tag| text(tag))
}

/// Bytes of the JSON text, without writing it.
fn json(value: &Value) -> u64 {
    struct Count(u64);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    serde_json::to_writer(&mut count, value)
        .expect("a JSON value can be written, and counting cannot fail");
    count.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_bodies_count() {
        let body = serde_json::json!({"status": "déjà \"vu\"", "items": [1, null]});
        let length = body.to_string().len() as u64;
        let document = Document { key: "#W1".into(), version: 3, body };
        assert_eq!(of_reply(&HostReply::Document { document }), 3 + length);
        let call = HostCall::KvSet { key: "k".into(), value: vec![0; 10], ttl_s: 60 };
        assert_eq!(of_call(&call), 11);
    }
}
