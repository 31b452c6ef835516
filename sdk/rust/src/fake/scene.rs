//! The fake host as a scenario wants it.

use std::collections::BTreeMap;

use postern_scenario::{self as format, Edge, HostCallSeen, Request};
use serde_json::Value;

use super::{Call, state};
use crate::{HostError, HostErrorKind, knowledge::Passage, records::Step, ticket};

/// What a scenario sets up.
pub(crate) struct Scene;

impl Scene {
    /// Everything that is given.
    pub(crate) fn give(given: &format::Given) {
        state::with(|state| {
            for (collection, records) in &given.records {
                for (key, body) in records {
                    state.put(collection, key, body.clone());
                }
            }
            for (key, value) in &given.kv {
                state.set_value(key, Some(value.as_bytes()));
            }
            let mut articles = BTreeMap::<&str, Vec<Passage>>::new();
            for format::Passage { collection, id, title, text, relevance } in &given.knowledge {
                articles.entry(collection).or_default().push(Passage {
                    id: id.clone(),
                    title: title.clone(),
                    text: text.clone(),
                    relevance: *relevance,
                });
            }
            for (collection, passages) in articles {
                state.keep_passages(collection, passages);
            }
            for ticket in &given.tickets {
                let status = status(ticket.status);
                state.keep_ticket(
                    &ticket.subject,
                    priority(&ticket.priority),
                    status,
                    &ticket.tags,
                );
            }
            state.edge = Some(Edge::new(&without_secrets(&given.http)));
        });
    }

    /// Refuses from now on what is expected to be refused, and nothing else.
    pub(crate) fn refuse(expected: &[format::CallExpected]) {
        let denied = expected.iter().filter(|it| it.decision == Some(format::Decision::Deny));
        let denied: Vec<(String, Option<String>, String)> = denied
            .map(|it| {
                let rule = it.rule.clone().unwrap_or_else(|| "a rule".to_owned());
                (it.action.clone(), it.resource.clone(), rule)
            })
            .collect();
        state::with(|state| {
            state.forget_failures();
            for (action, resource, rule) in denied {
                let when = move |call: &Call| {
                    let (called, on) = named(call);
                    // Scenarios name the endpoint of a request, which only hosts know.
                    called == action
                        && (called == "http:send"
                            || resource.as_ref().is_none_or(|resource| *resource == on))
                };
                let message = format!("{rule} refuses it");
                state.fail_when(Box::new(when), HostError::new(HostErrorKind::Denied, message));
            }
        });
    }

    /// How far things have come: calls and requests.
    pub(crate) fn mark() -> (usize, usize) {
        state::with(|state| {
            let requests = state.edge.as_ref().map_or(0, |edge| edge.requests().len());
            (state.calls.len(), requests)
        })
    }

    /// Key of the customer who was found out since this was last asked.
    pub(crate) fn identified() -> Option<String> {
        state::with(|state| state.identified.take())
    }

    /// A record as it is now.
    pub(crate) fn record(collection: &str, key: &str) -> Option<Value> {
        state::with(|state| state.body(collection, key))
    }

    /// Looks at the edge.
    pub(crate) fn edge<T>(look: impl FnOnce(&Edge) -> T) -> Option<T> {
        state::with(|state| state.edge.as_ref().map(look))
    }
}

/// The calls and requests since a mark.
pub(crate) fn since((calls, requests): (usize, usize)) -> (Vec<HostCallSeen>, Vec<Request>) {
    state::with(|state| {
        let made = state.calls.iter().zip(&state.endings).skip(calls).map(|(call, ending)| {
            let (action, resource) = named(call);
            HostCallSeen {
                action: action.to_owned(),
                resource,
                decision: format::Decision::Allow,
                rules: Vec::new(),
                fails: ending.map(|kind| kind_of(kind).to_owned()),
                message: None,
                awaited: false,
            }
        });
        let asked = state.edge.as_ref().map(|edge| edge.requests()[requests..].to_vec());
        (made.collect(), asked.unwrap_or_default())
    })
}

/// A secret is put in by the host, so natively it is not there.
fn without_secrets(answers: &[format::HttpAnswer]) -> Vec<format::HttpAnswer> {
    let plain = |answer: &format::HttpAnswer| {
        let mut answer = answer.clone();
        answer.headers.retain(|_, value| !value.contains("scenario-secret-"));
        answer
    };
    answers.iter().map(plain).collect()
}

const fn kind_of(kind: HostErrorKind) -> &'static str {
    match kind {
        HostErrorKind::Denied => "denied",
        HostErrorKind::Invalid => "invalid",
        HostErrorKind::NotFound => "not_found",
        HostErrorKind::Conflict => "conflict",
        HostErrorKind::Limited => "limited",
        HostErrorKind::Unavailable => "unavailable",
        HostErrorKind::Uncertain => "uncertain",
    }
}

const fn status(status: format::TicketStatus) -> ticket::Status {
    match status {
        format::TicketStatus::New => ticket::Status::New,
        format::TicketStatus::Open => ticket::Status::Open,
        format::TicketStatus::WaitingCustomer => ticket::Status::WaitingCustomer,
        format::TicketStatus::WaitingThirdParty => ticket::Status::WaitingThirdParty,
        format::TicketStatus::Resolved => ticket::Status::Resolved,
        format::TicketStatus::Closed => ticket::Status::Closed,
    }
}

fn priority(name: &str) -> ticket::Priority {
    match name {
        "P1" => ticket::Priority::P1,
        "P2" => ticket::Priority::P2,
        "P4" => ticket::Priority::P4,
        _ => ticket::Priority::P3,
    }
}

/// A call's action and on what it acts, as scenarios name them.
fn named(call: &Call) -> (&'static str, String) {
    match call {
        Call::RecordsGet { collection, key } => ("records:get", format!("{collection}/{key}")),
        Call::RecordsQuery { collection, .. } => ("records:query", collection.clone()),
        Call::RecordsIdentify { collection, .. } => ("records:identify", collection.clone()),
        Call::RecordsWrite { steps } => {
            let target = |step: &Step| match step {
                Step::Put { collection, key, .. } | Step::Delete { collection, key, .. } => {
                    format!("{collection}/{key}")
                }
            };
            let targets: Vec<_> = steps.iter().map(target).collect();
            ("records:write", targets.join(", "))
        }
        Call::HttpSend { request } => ("http:send", request.url.clone()),
        Call::KvGet { key } => ("kv:get", key.clone()),
        Call::KvSet { key, .. } => ("kv:set", key.clone()),
        Call::KvDelete { key } => ("kv:delete", key.clone()),
        Call::TicketCreate { .. } => ("ticket:create", "ticket".to_owned()),
        Call::TicketUpdate { .. } => ("ticket:update", "ticket".to_owned()),
        Call::TicketTag { .. } => ("ticket:tag", "ticket".to_owned()),
        Call::TicketComment { .. } => ("ticket:comment", "ticket".to_owned()),
        Call::TicketHistory { .. } => ("ticket:history", "ticket".to_owned()),
        Call::HandOver { reason, .. } => ("handover:request", reason.clone()),
        Call::KnowledgeFind { collection, .. } => ("knowledge:search", collection.clone()),
        Call::ModelComplete { request } => ("model:complete", request.purpose.clone()),
        Call::MessageSend { audience, .. } => {
            let audience = match audience {
                crate::message::Audience::Customer => "customer",
                crate::message::Audience::Queue(_) => "queue",
                crate::message::Audience::Customers(_) => "customers",
            };
            ("message:send", audience.to_owned())
        }
        Call::ScheduleCreate { tool, .. } => ("schedule:create", tool.clone()),
        Call::ScheduleCancel { id } => ("schedule:cancel", id.clone()),
    }
}
