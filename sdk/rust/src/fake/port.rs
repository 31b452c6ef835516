//! The functions that a component has from its host, answered by the fake one.

use super::{
    Call, Line,
    state::{State, with_existing},
};
use crate::{
    HostError, HostErrorKind, Severity, http,
    knowledge::Passage,
    message::Audience,
    model,
    records::{Record, Step},
    schedule::When,
    ticket::{Change, Priority, Ticket},
};

type Answer<T> = Result<T, HostError>;

fn perform<T>(call: Call, work: impl FnOnce(&mut State) -> Answer<T>) -> Answer<T> {
    let answer = with_existing(|state| {
        let answer = state.admit(call).and_then(|()| work(state));
        state.endings.push(answer.as_ref().err().map(|error| error.kind));
        answer
    });
    answer.unwrap_or_else(|| {
        let message = "there is no host; make one with `postern_sdk::fake::Host::new()`";
        Err(HostError::new(HostErrorKind::Unavailable, message))
    })
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

pub(crate) fn log(level: log::Level, message: &str, fields: Vec<(String, String)>) {
    // Without a host there is nobody to read the line.
    with_existing(|state| state.log.push(Line { level, message: message.to_owned(), fields }));
}

pub(crate) fn records_get(collection: &str, key: &str) -> Answer<Record<String>> {
    let call = Call::RecordsGet { collection: collection.to_owned(), key: key.to_owned() };
    perform(call, |state| state.get(collection, key))
}

pub(crate) fn records_query(
    collection: &str,
    conditions: &[(&str, &str)],
    limit: u32,
) -> Answer<Vec<Record<String>>> {
    let call = Call::RecordsQuery {
        collection: collection.to_owned(),
        conditions: pairs(conditions),
        limit,
    };
    perform(call, |state| state.query(collection, conditions, limit))
}

pub(crate) fn records_write(steps: &[Step]) -> Answer<Vec<u64>> {
    perform(Call::RecordsWrite { steps: steps.to_vec() }, |state| state.write(steps))
}

pub(crate) fn records_identify(
    collection: &str,
    details: &[(&str, &str)],
) -> Answer<(String, Record<String>)> {
    let call = Call::RecordsIdentify { collection: collection.to_owned(), details: pairs(details) };
    perform(call, |state| state.identify(collection, details))
}

pub(crate) fn http_send(request: &http::Request) -> Answer<http::Response> {
    perform(Call::HttpSend { request: request.clone() }, |state| state.send(request))
}

pub(crate) fn kv_get(key: &str) -> Answer<Option<Vec<u8>>> {
    perform(Call::KvGet { key: key.to_owned() }, |state| Ok(state.value(key)))
}

pub(crate) fn kv_set(key: &str, value: &[u8], ttl_s: u32) -> Answer<()> {
    perform(Call::KvSet { key: key.to_owned(), value: value.to_vec(), ttl_s }, |state| {
        state.set_value(key, Some(value));
        Ok(())
    })
}

pub(crate) fn kv_delete(key: &str) -> Answer<()> {
    perform(Call::KvDelete { key: key.to_owned() }, |state| {
        state.set_value(key, None);
        Ok(())
    })
}

pub(crate) fn ticket_create(subject: &str, priority: Priority) -> Answer<Ticket> {
    let call = Call::TicketCreate { subject: subject.to_owned(), priority };
    perform(call, |state| Ok(state.open_ticket(subject, priority)))
}

pub(crate) fn ticket_update(id: &str, change: &Change) -> Answer<Ticket> {
    let call = Call::TicketUpdate { id: id.to_owned(), change: change.clone() };
    perform(call, |state| state.change_ticket(id, change))
}

pub(crate) fn ticket_tag(id: &str, tag: &str) -> Answer<()> {
    perform(Call::TicketTag { id: id.to_owned(), tag: tag.to_owned() }, |state| {
        state.ticket(id)?.tags.push(tag.to_owned());
        Ok(())
    })
}

pub(crate) fn ticket_comment(id: &str, text: &str) -> Answer<()> {
    let call = Call::TicketComment { id: id.to_owned(), text: text.to_owned() };
    perform(call, |state| state.ticket(id).map(|_| ()))
}

pub(crate) fn ticket_history(limit: u32) -> Answer<Vec<Ticket>> {
    perform(Call::TicketHistory { limit }, |state| Ok(state.tickets(limit)))
}

pub(crate) fn hand_over(reason: &str, severity: Severity, summary: &str) -> Answer<String> {
    let (reason, summary) = (reason.to_owned(), summary.to_owned());
    perform(Call::HandOver { reason, severity, summary }, |_| Ok("people".to_owned()))
}

pub(crate) fn knowledge_find(query: &str, collection: &str, limit: u32) -> Answer<Vec<Passage>> {
    let (query, collection) = (query.to_owned(), collection.to_owned());
    let call = Call::KnowledgeFind { query, collection: collection.clone(), limit };
    perform(call, |state| state.passages(&collection, limit))
}

pub(crate) fn model_complete(request: &model::Request) -> Answer<model::Answer> {
    perform(Call::ModelComplete { request: request.clone() }, |state| state.next_completion())
}

pub(crate) fn message_send(audience: &Audience, text: &str) -> Answer<u32> {
    let call = Call::MessageSend { audience: audience.clone(), text: text.to_owned() };
    perform(call, |_| {
        Ok(match audience {
            Audience::Customer | Audience::Queue(_) => 1,
            Audience::Customers(keys) => u32::try_from(keys.len()).unwrap_or(u32::MAX),
        })
    })
}

pub(crate) fn schedule_create(tool: &str, arguments: &str, when: &When) -> Answer<String> {
    let call = Call::ScheduleCreate {
        tool: tool.to_owned(),
        arguments: arguments.to_owned(),
        when: when.clone(),
    };
    perform(call, |state| Ok(state.plan_job()))
}

pub(crate) fn schedule_cancel(id: &str) -> Answer<()> {
    perform(Call::ScheduleCancel { id: id.to_owned() }, |state| state.cancel_job(id))
}
