//! In a component: the WIT bindings behind the types of this crate.

mod convert;

use crate::{
    HostError, Severity, http,
    knowledge::Passage,
    message::Audience,
    model,
    records::{Record, Step},
    schedule::When,
    ticket::{Change, Priority, Ticket},
};
use bindings::postern::{
    handover::people, http::client, knowledge::search, kv::state, log::logging, message::sending,
    model::completion, records::store, schedule::timer, ticket::tickets,
};

/// The generated bindings.
#[allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    clippy::all,
    reason = "generated; the WIT files hold the documentation"
)]
pub mod bindings {
    wit_bindgen::generate!({
        inline: "
            package postern:sdk@0.1.0;

            world component {
                import postern:log/logging@0.1.0;
                import postern:records/store@0.1.0;
                import postern:http/client@0.1.0;
                import postern:kv/state@0.1.0;
                import postern:knowledge/search@0.1.0;
                import postern:model/completion@0.1.0;
                import postern:ticket/tickets@0.1.0;
                import postern:message/sending@0.1.0;
                import postern:handover/people@0.1.0;
                import postern:schedule/timer@0.1.0;
                export postern:skill/tools@0.1.0;
            }
        ",
        path: [
            "../../wit/skill",
            "../../wit/log",
            "../../wit/records",
            "../../wit/http",
            "../../wit/kv",
            "../../wit/knowledge",
            "../../wit/model",
            "../../wit/ticket",
            "../../wit/message",
            "../../wit/handover",
            "../../wit/schedule",
        ],
        generate_all,
        pub_export_macro: true,
        default_bindings_module: "postern_sdk::__private::bindings",
    });
}

/// The names that the export in [`crate::skill!`] uses.
pub mod guest {
    pub use super::bindings::exports::postern::skill::tools::{Context, Failure, Guest, Outcome};
}

type Answer<T> = Result<T, HostError>;

pub(crate) fn log(level: log::Level, message: &str, fields: Vec<(String, String)>) {
    logging::log(level.into(), message, &fields);
}

pub(crate) fn records_get(collection: &str, key: &str) -> Answer<Record<String>> {
    Ok(store::get(collection, key)?.into())
}

pub(crate) fn records_query(
    collection: &str,
    conditions: &[(&str, &str)],
    limit: u32,
) -> Answer<Vec<Record<String>>> {
    let found = store::query(collection, &convert::equals(conditions), limit)?;
    Ok(found.into_iter().map(Into::into).collect())
}

pub(crate) fn records_write(steps: &[Step]) -> Answer<Vec<u64>> {
    let steps: Vec<_> = steps.iter().map(Into::into).collect();
    Ok(store::write(&steps)?)
}

pub(crate) fn records_identify(
    collection: &str,
    details: &[(&str, &str)],
) -> Answer<(String, Record<String>)> {
    let identity = store::identify(collection, &convert::equals(details))?;
    Ok((identity.key, identity.document.into()))
}

pub(crate) fn http_send(request: &http::Request) -> Answer<http::Response> {
    Ok(client::send(&request.into())?.into())
}

pub(crate) fn kv_get(key: &str) -> Answer<Option<Vec<u8>>> {
    Ok(state::get(key)?)
}

pub(crate) fn kv_set(key: &str, value: &[u8], ttl_s: u32) -> Answer<()> {
    Ok(state::set(key, value, ttl_s)?)
}

pub(crate) fn kv_delete(key: &str) -> Answer<()> {
    Ok(state::delete(key)?)
}

pub(crate) fn ticket_create(subject: &str, priority: Priority) -> Answer<Ticket> {
    Ok(tickets::create(subject, priority.into())?.into())
}

pub(crate) fn ticket_update(id: &str, change: &Change) -> Answer<Ticket> {
    Ok(tickets::update(id, &change.into())?.into())
}

pub(crate) fn ticket_tag(id: &str, tag: &str) -> Answer<()> {
    Ok(tickets::tag(id, tag)?)
}

pub(crate) fn ticket_comment(id: &str, text: &str) -> Answer<()> {
    Ok(tickets::comment(id, text)?)
}

pub(crate) fn ticket_history(limit: u32) -> Answer<Vec<Ticket>> {
    Ok(tickets::history(limit)?.into_iter().map(Into::into).collect())
}

pub(crate) fn hand_over(reason: &str, severity: Severity, summary: &str) -> Answer<String> {
    Ok(people::hand_over(&people::Request {
        reason: reason.to_owned(),
        severity: severity.into(),
        summary: summary.to_owned(),
    })?)
}

pub(crate) fn knowledge_find(query: &str, collection: &str, limit: u32) -> Answer<Vec<Passage>> {
    Ok(search::find(query, collection, limit)?.into_iter().map(Into::into).collect())
}

pub(crate) fn model_complete(request: &model::Request) -> Answer<model::Answer> {
    Ok(completion::complete(&request.into())?.into())
}

pub(crate) fn message_send(audience: &Audience, text: &str) -> Answer<u32> {
    Ok(sending::send(&audience.into(), text)?)
}

pub(crate) fn schedule_create(tool: &str, arguments: &str, when: &When) -> Answer<String> {
    Ok(timer::create(&timer::Job {
        tool: tool.to_owned(),
        arguments: arguments.to_owned(),
        when: when.into(),
    })?)
}

pub(crate) fn schedule_cancel(id: &str) -> Answer<()> {
    Ok(timer::cancel(id)?)
}
