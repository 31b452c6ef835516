//! Puts personal values into a request, where a rule reveals their type to that
//! server in that field, and takes them out of its answer again.

use postern_domain::{Decision, HostCall, HostReply};
use postern_policy::{PolicyRequest, PolicySet, RevealRequest};
use serde_json::Value;

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

/// The call as it is performed, and what of it was revealed. A placeholder that no rule
/// reveals is sent as it is.
pub(super) fn into(
    policy: &PolicySet,
    asked: &PolicyRequest<'_>,
    vault: &Vault,
) -> (HostCall, Vec<Revealed>) {
    let unchanged = || (asked.call.clone(), Vec::new());
    let (HostCall::HttpSend { request }, Some(endpoint)) = (asked.call, &asked.facts.endpoint)
    else {
        return unchanged();
    };
    let Ok(mut body) = serde_json::from_slice::<Value>(&request.body) else { return unchanged() };
    let mut revealed = Vec::new();
    let mut put = |field: &str, text: &mut String| {
        let Some(entry) = vault.resolve(text).filter(|_| revealed.len() < MOST_VALUES) else {
            return;
        };
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
    };
    walk(&mut body, &mut String::new(), &mut put);
    match serde_json::to_vec(&body) {
        Ok(body) if !revealed.is_empty() => {
            let request = postern_domain::HttpRequest { body, ..request.clone() };
            (HostCall::HttpSend { request }, revealed)
        }
        Ok(_) | Err(_) => unchanged(),
    }
}

fn walk(value: &mut Value, path: &mut String, put: &mut impl FnMut(&str, &mut String)) {
    match value {
        Value::String(text) => put(path, text),
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

/// An answer in which what was revealed is a placeholder again: the server saw it, the
/// skill does not.
pub(super) fn hidden(reply: HostReply, revealed: &[Revealed]) -> HostReply {
    let HostReply::Http { mut response } = reply else { return reply };
    if !revealed.is_empty() {
        let hide = |text: &str| {
            revealed
                .iter()
                .fold(text.to_owned(), |text, one| text.replace(&one.value, &one.placeholder))
        };
        response.body = match std::str::from_utf8(&response.body) {
            Ok(text) => hide(text).into_bytes(),
            Err(_) => Vec::new(),
        };
        for (_, value) in &mut response.headers {
            *value = hide(value);
        }
    }
    HostReply::Http { response }
}
