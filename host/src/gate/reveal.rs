//! Puts personal values into a request, where a rule reveals their type to that
//! server in that field, and takes them out of its answer again.

mod echo;
mod fields;

use postern_domain::{Decision, HostCall, HttpRequest};
use postern_policy::{PolicyRequest, PolicySet, RevealRequest};
use serde_json::Value;

pub(super) use echo::hidden;

use crate::privacy::Vault;

/// Values that one request can hold.
const MOST_VALUES: usize = 50;

/// What was revealed: the value, and the placeholder that stands for it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Revealed {
    placeholder: String,
    kind: String,
    value: String,
}

/// The call as it is performed, and what of it was revealed: whole values in a body of
/// JSON or of a form (by their names), in the query (`query.NAME`) and in the path
/// (`path.NUMBER`, from 1). A placeholder that no rule reveals is sent as it is.
pub(super) fn into(
    policy: &PolicySet,
    asked: &PolicyRequest<'_>,
    vault: &Vault,
) -> (HostCall, Vec<Revealed>) {
    let (HostCall::HttpSend { request }, Some(endpoint)) = (asked.call, &asked.facts.endpoint)
    else {
        return (asked.call.clone(), Vec::new());
    };
    let mut revealed = Vec::new();
    let mut put = |field: &str, text: &mut String| {
        let entry = vault.resolve(text).filter(|_| revealed.len() < MOST_VALUES)?;
        let host = &endpoint.host;
        let question = RevealRequest { caller: *asked, datum: &entry.kind, host, field };
        if policy.judge_reveal(&question).decision == Decision::Allow {
            revealed.push(Revealed {
                placeholder: entry.placeholder.clone(),
                kind: entry.kind.clone(),
                value: entry.value.clone(),
            });
            entry.value.clone_into(text);
        }
        Some(())
    };
    let body = body(request, &mut put).unwrap_or_else(|| request.body.clone());
    let url = fields::of_url(&request.url, &mut put).unwrap_or_else(|| request.url.clone());
    let request = HttpRequest { body, url, ..request.clone() };
    (HostCall::HttpSend { request }, revealed)
}

/// What is done with a text under the name of its field.
type Put<'p> = dyn FnMut(&str, &mut String) -> Option<()> + 'p;

/// The body with values in it; none if it has no fields.
fn body(request: &HttpRequest, put: &mut Put<'_>) -> Option<Vec<u8>> {
    let is_type = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("content-type");
    let kind = request.headers.iter().find(is_type).map_or("", |(_, value)| value.as_str());
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let text = std::str::from_utf8(&request.body).ok()?;
        return Some(fields::of_form(text, "", put).into_bytes());
    }
    let mut value = serde_json::from_slice::<Value>(&request.body).ok()?;
    let before = value.clone();
    walk(&mut value, &mut String::new(), put);
    // A body in which nothing was revealed stays as it was written.
    (value != before).then(|| serde_json::to_vec(&value).ok())?
}

fn walk(value: &mut Value, path: &mut String, put: &mut Put<'_>) {
    match value {
        Value::String(text) => drop(put(path, text)),
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, path, put)),
        Value::Object(members) => {
            for (name, member) in members {
                let before = path.len();
                if before > 0 {
                    path.push('.');
                }
                path.push_str(name);
                walk(member, path, put);
                path.truncate(before);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The tokens of what was revealed, for audit.
pub(super) fn tokens(revealed: &[Revealed]) -> impl Iterator<Item = String> {
    revealed.iter().map(|one| format!("reveal:{}", one.kind))
}
