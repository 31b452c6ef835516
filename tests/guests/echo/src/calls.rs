//! One host call by name, with arguments from JSON, and its answer as text.

use std::fmt::Debug;

use serde_json::Value;

use crate::postern::{
    handover::people,
    http::client,
    knowledge::search,
    kv::state,
    log::logging,
    message::sending,
    model::completion,
    records::store::{self, Delete, Equals, Expected, Put, Step},
    schedule::timer,
    ticket::tickets,
};

/// What the guest saw: `ok …` or `err …`.
fn told<T: Debug, E: Debug>(result: Result<T, E>) -> String {
    match result {
        Ok(value) => format!("ok {value:?}"),
        Err(failure) => format!("err {failure:?}"),
    }
}

pub(crate) fn perform(call: &str, a: &Value) -> String {
    let text = |name: &str| a[name].as_str().unwrap_or_default().to_owned();
    let number =
        |name: &str| u32::try_from(a[name].as_u64().unwrap_or_default()).unwrap_or(u32::MAX);
    let pairs = |name: &str| -> Vec<(String, String)> {
        let pair = |p: &Value| {
            (
                p[0].as_str().unwrap_or_default().to_owned(),
                p[1].as_str().unwrap_or_default().to_owned(),
            )
        };
        a[name].as_array().map(|list| list.iter().map(pair).collect()).unwrap_or_default()
    };
    let conditions = || -> Vec<Equals> {
        pairs("conditions").into_iter().map(|(field, value)| Equals { field, value }).collect()
    };
    match call {
        "log:write" => {
            logging::log(logging::Level::Warn, &text("message"), &pairs("fields"));
            "ok".into()
        }
        "records:get" => told(store::get(&text("collection"), &text("key"))),
        "records:query" => told(store::query(&text("collection"), &conditions(), number("limit"))),
        "records:write" => told(store::write(&[
            Step::Put(Put {
                collection: text("collection"),
                key: text("key"),
                body: text("body"),
                expected: Expected::Version(7),
            }),
            Step::Delete(Delete { collection: text("collection"), key: "old".into(), version: 2 }),
        ])),
        "records:identify" => told(store::identify(&text("collection"), &conditions())),
        "http:send" => told(client::send(&client::Request {
            method: client::Method::Post,
            url: text("url"),
            headers: pairs("headers"),
            body: text("body").into_bytes(),
            secrets: vec!["carrier".into()],
            idempotent: true,
        })),
        "kv:get" => told(state::get(&text("key"))),
        "kv:set" => told(state::set(&text("key"), text("value").as_bytes(), number("ttl_s"))),
        "kv:delete" => told(state::delete(&text("key"))),
        "ticket:create" => told(tickets::create(&text("subject"), tickets::Priority::P2)),
        "ticket:update" => told(tickets::update(
            &text("id"),
            &tickets::Change {
                subject: None,
                status: Some(tickets::Status::WaitingThirdParty),
                priority: None,
            },
        )),
        "ticket:tag" => told(tickets::tag(&text("id"), &text("tag"))),
        "ticket:comment" => told(tickets::comment(&text("id"), &text("text"))),
        "ticket:history" => told(tickets::history(number("limit"))),
        "handover:request" => told(people::hand_over(&people::Request {
            reason: text("reason"),
            severity: people::Severity::Critical,
            summary: text("summary"),
        })),
        "knowledge:search" => {
            told(search::find(&text("query"), &text("collection"), number("limit")))
        }
        "model:complete" => told(completion::complete(&completion::Request {
            purpose: text("purpose"),
            messages: vec![completion::Message {
                role: completion::Role::User,
                text: text("text"),
            }],
            max_tokens: number("max_tokens"),
        })),
        "message:send" => {
            let audience = match a["queue"].as_str() {
                Some(queue) => sending::Audience::Queue(queue.to_owned()),
                None => sending::Audience::Customer,
            };
            told(sending::send(&audience, &text("text")))
        }
        "schedule:create" => {
            let when = match a["cron"].as_str() {
                Some(cron) => timer::When::Cron(cron.to_owned()),
                None => timer::When::AtMs(a["at_ms"].as_u64().unwrap_or_default()),
            };
            let (tool, arguments) = (text("tool"), text("arguments"));
            told(timer::create(&timer::Job { tool, arguments, when }))
        }
        "schedule:cancel" => told(timer::cancel(&text("id"))),
        other => format!("no call {other}"),
    }
}
