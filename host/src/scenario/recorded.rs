//! A scenario from what was recorded of a real call.

use std::collections::{BTreeMap, BTreeSet};

use postern_domain::{
    CallRecord, CallState, Decision, Document, FailureKind, HostCall, HostReply, IdentityLevel,
};
use serde_json::{Map, Value, json};
use url::Url;

use super::{RunError, seen};
use crate::replay::Recording;

/// What stands for the customer's key: some shops make keys of names.
const CUSTOMER: &str = "customer-1";

/// The text of a scenario that gives what a recorded call got, and expects what it came
/// to. Values in placeholders stay in placeholders.
///
/// # Errors
/// TOML cannot say what was recorded.
pub fn recorded(recording: &Recording) -> Result<String, RunError> {
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
    for key in known {
        // What the scenario is called has nothing of the customer in it.
        rename(&mut scenario["given"], key);
        rename(&mut scenario["step"], key);
    }
    let text = toml::to_string_pretty(&plain(scenario))
        .map_err(|error| RunError::Impossible(format!("{} as a scenario: {error}", row.id)))?;
    // A time is no JSON value, so it is put where it belongs afterwards.
    Ok(text.replacen("[scenario]\n", &format!("[scenario]\ntime = {}\n", row.at), 1))
}

#[derive(Default)]
struct Given {
    records: BTreeMap<String, BTreeMap<String, Value>>,
    kv: BTreeMap<String, String>,
    /// Keys whose first reading or writing was seen: what they hold later is of the
    /// call's own making.
    kv_known: BTreeSet<String>,
    /// Records that the call itself made.
    made: BTreeSet<(String, String)>,
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
            (HostCall::RecordsWrite { steps }, Some(_)) => {
                for (collection, key) in steps.iter().map(|step| step.target()) {
                    let read = self.records.get(collection).is_some_and(|it| it.contains_key(key));
                    if !read {
                        self.made.insert((collection.to_owned(), key.to_owned()));
                    }
                }
            }
            (HostCall::KvGet { key }, Some(HostReply::Value { value })) => {
                let first = self.kv_known.insert(key.clone());
                if let Some(value) = value.as_ref().filter(|_| first) {
                    self.kv.insert(key.clone(), String::from_utf8_lossy(value).into_owned());
                }
            }
            (HostCall::KvSet { key, .. } | HostCall::KvDelete { key }, Some(_)) => {
                self.kv_known.insert(key.clone());
            }
            (HostCall::HttpSend { request }, reply) if was_sent(record) => {
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

    /// The first reading of a record is what was there before the call, unless the call
    /// wrote it before.
    fn document(&mut self, collection: &str, document: &Document) {
        if self.made.contains(&(collection.to_owned(), document.key.clone())) {
            return;
        }
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

/// Whether a request left the host, so that a server had something to answer.
fn was_sent(record: &CallRecord) -> bool {
    record.decision != Decision::Deny
        && match &record.state {
            CallState::Done { .. } | CallState::Intended => true,
            CallState::Waiting { .. } => false,
            CallState::Failed { failure } => {
                matches!(failure.kind, FailureKind::Unavailable | FailureKind::Uncertain)
            }
        }
}

/// Puts another key in the place of the customer's, wherever it stands as a word: in
/// texts, paths, bodies and names of members.
fn rename(value: &mut Value, key: &str) {
    let mut forms = vec![key.to_owned()];
    // In URLs and in JSON within a text it may be written in another way.
    forms.extend(
        url::form_urlencoded::byte_serialize(key.as_bytes())
            .map(str::to_owned)
            .reduce(|all, part| all + &part),
    );
    forms.extend(
        serde_json::to_string(key).ok().map(|quoted| quoted[1..quoted.len() - 1].to_owned()),
    );
    forms.dedup();
    for form in forms.iter().filter(|form| !form.is_empty()) {
        rename_word(value, form);
    }
}

fn rename_word(value: &mut Value, key: &str) {
    match value {
        Value::String(text) => *text = renamed(text, key),
        Value::Array(items) => items.iter_mut().for_each(|item| rename_word(item, key)),
        Value::Object(members) => {
            *members = std::mem::take(members)
                .into_iter()
                .map(|(name, mut member)| {
                    rename_word(&mut member, key);
                    (renamed(&name, key), member)
                })
                .collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A text with another key where this one stands between other characters than letters
/// and digits.
fn renamed(text: &str, key: &str) -> String {
    let (mut new, mut from) = (String::with_capacity(text.len()), 0);
    for (at, _) in text.match_indices(key) {
        let after = at + key.len();
        let inside = text[..at].ends_with(char::is_alphanumeric)
            || text[after..].starts_with(char::is_alphanumeric);
        if !inside {
            new.push_str(&text[from..at]);
            new.push_str(CUSTOMER);
            from = after;
        }
    }
    new.push_str(&text[from..]);
    new
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_customers_key_stays_nowhere_as_a_word() {
        let mut value = json!({
            "path": "/v1/customers/ana/orders",
            "text": "{\"owner\":\"ana\",\"name\":\"banana\"}",
            "ana": { "cart_ana": ["ana", "mariana"], "left": 3 },
        });
        rename(&mut value, "ana");
        assert_eq!(
            value,
            json!({
                "path": "/v1/customers/customer-1/orders",
                "text": "{\"owner\":\"customer-1\",\"name\":\"banana\"}",
                "customer-1": { "cart_customer-1": ["customer-1", "mariana"], "left": 3 },
            })
        );
        let mut value = json!(["mail=ana%40shop.example", "to ana@shop.example"]);
        rename(&mut value, "ana@shop.example");
        assert_eq!(value, json!(["mail=customer-1", "to customer-1"]));
    }
}
