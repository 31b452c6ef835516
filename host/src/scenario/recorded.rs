//! A scenario from what was recorded of a real call.

use std::collections::BTreeMap;

use postern_domain::{CallRecord, CallState, Document, HostCall, HostReply, IdentityLevel};
use serde_json::{Map, Value, json};
use url::Url;

use super::seen;
use crate::replay::Recording;

/// What stands for the customer's key: some shops make keys of names.
const CUSTOMER: &str = "customer-1";

/// The text of a scenario that gives what a recorded call got, and expects what it came
/// to. Values in placeholders stay in placeholders.
pub fn recorded(recording: &Recording) -> String {
    let Recording { row, calls, customer, .. } = recording;
    let mut given = Given::default();
    for record in calls {
        given.take(record);
    }
    let mut scenario = json!({
        "scenario": {
            "name": format!("As in {}", row.id),
            "description": format!("Recorded from {}@{} {}.", row.skill, row.version, row.tool),
        },
        "given": {
            "records": given.records,
            "kv": given.kv,
            "http": Some(given.http).filter(|http| !http.is_empty()),
        },
        "step": [{
            "call": row.tool,
            "arguments": row.arguments,
            "expect": expect(recording),
        }],
    });
    if let Some(key) = &customer.key {
        let level = match customer.level {
            IdentityLevel::Unknown => "unknown",
            IdentityLevel::Identified => "identified",
            IdentityLevel::Verified => "verified",
        };
        scenario["given"]["customer"] = json!({ "key": key, "level": level });
    }
    let known = customer.key.iter().chain(given.found.iter());
    known.for_each(|key| rename(&mut scenario, key));
    let text = toml::to_string_pretty(&plain(scenario)).unwrap_or_default();
    // A time is no JSON value, so it is put where it belongs afterwards.
    text.replacen("[scenario]\n", &format!("[scenario]\ntime = {}\n", row.at), 1)
}

#[derive(Default)]
struct Given {
    records: BTreeMap<String, BTreeMap<String, Value>>,
    kv: BTreeMap<String, String>,
    http: Vec<Value>,
    /// Keys of customers who were found out.
    found: Vec<String>,
}

impl Given {
    /// Takes over what a call got.
    fn take(&mut self, record: &CallRecord) {
        let reply = match &record.state {
            CallState::Done { reply } => Some(reply),
            CallState::Waiting { .. } | CallState::Intended | CallState::Failed { .. } => None,
        };
        if let Some(HostReply::Identity { key, .. }) = reply {
            self.found.push(key.clone());
        }
        match (&record.call, reply) {
            (
                HostCall::RecordsGet { collection, .. }
                | HostCall::RecordsIdentify { collection, .. },
                Some(HostReply::Document { document } | HostReply::Identity { document, .. }),
            ) => self.document(collection, document),
            (
                HostCall::RecordsQuery { collection, .. },
                Some(HostReply::Documents { documents }),
            ) => documents.iter().for_each(|document| self.document(collection, document)),
            (HostCall::KvGet { key }, Some(HostReply::Value { value: Some(value) })) => {
                let text = String::from_utf8_lossy(value).into_owned();
                self.kv.insert(key.clone(), text);
            }
            (HostCall::HttpSend { request }, reply) => {
                let Ok(url) = Url::parse(&request.url) else { return };
                let answer = match reply {
                    Some(HostReply::Http { response }) => {
                        let headers: Map<String, Value> = response
                            .headers
                            .iter()
                            .map(|(name, value)| (name.clone(), json!(value)))
                            .collect();
                        let text = String::from_utf8_lossy(&response.body);
                        json!({ "status": response.status, "headers": headers, "text": text })
                    }
                    Some(_) | None => json!({ "lost": true }),
                };
                let query: Map<String, Value> = url
                    .query_pairs()
                    .map(|(name, value)| (name.into_owned(), json!(value)))
                    .collect();
                self.http.push(json!({
                    "method": request.method.as_str(),
                    "host": url.host_str(),
                    "path": url.path(),
                    "query": query,
                    "times": 1,
                    "answer": answer,
                }));
            }
            _ => {}
        }
    }

    /// The first reading of a record is what was there before the call.
    fn document(&mut self, collection: &str, document: &Document) {
        let records = self.records.entry(collection.to_owned()).or_default();
        records.entry(document.key.clone()).or_insert_with(|| (*document.body).clone());
    }
}

fn expect(recording: &Recording) -> Value {
    let calls: Vec<Value> = recording
        .calls
        .iter()
        .filter(|record| !matches!(record.call, HostCall::Log { .. }))
        .map(|record| {
            json!({
                "action": record.call.action(),
                "decision": record.decision,
                "rule": record.rules.first(),
                "fails": seen::failure_of(record),
            })
        })
        .collect();
    let mut expect = json!({ "calls": calls });
    if let Some(result) = &recording.row.result {
        let (mut seen, outcome) = (postern_scenario::Seen::default(), seen::kind(result));
        let text = seen::told(&mut seen, result);
        expect["outcome"] = json!(outcome.as_str());
        expect["text"] = json!(Some(text).filter(|text| !text.is_empty()));
        expect["asks"] = json!(seen.asks);
        expect["reason"] = json!(seen.reason);
    }
    expect
}

/// Puts another key in the place of the customer's, wherever it stands alone.
fn rename(value: &mut Value, key: &str) {
    match value {
        Value::String(text) if text == key => CUSTOMER.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, key)),
        Value::Object(members) => {
            if let Some(member) = members.remove(key) {
                members.insert(CUSTOMER.to_owned(), member);
            }
            members.values_mut().for_each(|member| rename(member, key));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Without what TOML cannot say, and without what says nothing.
fn plain(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let says = |value: &Value| match value {
                Value::Null => false,
                Value::Object(members) => !members.is_empty(),
                Value::Array(_) | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
            };
            let members = members.into_iter().map(|(name, member)| (name, plain(member)));
            Value::Object(members.filter(|(_, member)| says(member)).collect())
        }
        Value::Array(items) => {
            Value::Array(items.into_iter().filter(|it| !it.is_null()).map(plain).collect())
        }
        other => other,
    }
}
