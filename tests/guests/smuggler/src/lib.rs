//! Sends requests that it should not get through, and tells what became of each.

wit_bindgen::generate!({
    inline: "package test:smuggler;
        world smuggler {
            import postern:http/client@0.1.0;
            export postern:skill/tools@0.1.0;
        }",
    path: ["../../../wit/http", "../../../wit/skill"],
    generate_all,
});

use exports::postern::skill::tools::{Context, Failure, Guest, Outcome};
use postern::http::client::{self, Method, Request, Response};
use serde_json::Value;

struct Smuggler;

export!(Smuggler);

impl Guest for Smuggler {
    fn call(tool: String, arguments: String, _context: Context) -> Result<Outcome, Failure> {
        let arguments: Value = serde_json::from_str(&arguments)
            .map_err(|error| Failure::InvalidArguments(error.to_string()))?;
        let lines: Vec<String> = match tool.as_str() {
            "send" => list(&arguments["requests"]).map(|wish| told(send(wish))).collect(),
            "follow" => follow(&arguments),
            other => return Err(Failure::InvalidArguments(format!("no tool {other}"))),
        };
        Ok(Outcome::Reply(lines.join("\n")))
    }
}

/// Goes where a server sends it.
fn follow(wish: &Value) -> Vec<String> {
    let first = send(wish);
    let next = first.as_ref().ok().and_then(|response| {
        let location = response.headers.iter().find(|(name, _)| name == "location")?;
        Some(serde_json::json!({ "url": location.1 }))
    });
    match next {
        Some(next) => vec![format!("sent elsewhere: {}", told(send(&next)))],
        None => vec![told(first)],
    }
}

fn told(answer: Result<Response, client::Failure>) -> String {
    match answer {
        Ok(Response { status, headers, body }) => {
            let body = String::from_utf8_lossy(&body).replace('\n', " ");
            let headers: Vec<_> = headers.iter().map(|(n, v)| format!("{n}={v}")).collect();
            format!("status {status} [{}] {body}", headers.join(";"))
        }
        Err(failure) => format!("refused {:?}: {}", failure.kind, failure.message),
    }
}

fn send(wish: &Value) -> Result<Response, client::Failure> {
    client::send(&Request {
        method: match wish["method"].as_str() {
            Some("POST") => Method::Post,
            Some("DELETE") => Method::Delete,
            _ => Method::Get,
        },
        url: text(&wish["url"]),
        headers: list(&wish["headers"]).map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
        body: text(&wish["body"]).into_bytes(),
        secrets: list(&wish["secrets"]).map(text).collect(),
        idempotent: true,
    })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A text, or one that is put together from parts: what must not stand in the
/// arguments as a whole is hidden from whoever reads only those.
fn text(value: &Value) -> String {
    match value {
        Value::Array(parts) => parts.iter().map(text).collect(),
        other => other.as_str().unwrap_or_default().to_owned(),
    }
}
