//! Calls every function of every frozen interface once and tells what came back.
//!
//! Built against the frozen files of `wit/frozen`, never against the living ones:
//! it stands for all skills that were built when these were released.

wit_bindgen::generate!({
    inline: "package test:golden;
        world golden {
            import postern:handover/people@0.1.0;
            import postern:http/client@0.1.0;
            import postern:kv/state@0.1.0;
            import postern:log/logging@0.1.0;
            import postern:records/store@0.1.0;
            import postern:ticket/tickets@0.1.0;
            export postern:skill/tools@0.1.0;
        }",
    path: [
        "../../../wit/frozen/handover-0.1.0",
        "../../../wit/frozen/http-0.1.0",
        "../../../wit/frozen/kv-0.1.0",
        "../../../wit/frozen/log-0.1.0",
        "../../../wit/frozen/records-0.1.0",
        "../../../wit/frozen/skill-0.1.0",
        "../../../wit/frozen/ticket-0.1.0",
    ],
    generate_all,
});

use exports::postern::skill::tools::{Context, Failure, Guest, Outcome};
use postern::{
    handover::people,
    http::client,
    kv::state,
    log::logging,
    records::store,
    skill::types::{HandOver, Question, Severity},
    ticket::tickets,
};

struct Golden;

export!(Golden);

impl Guest for Golden {
    fn call(tool: String, arguments: String, context: Context) -> Result<Outcome, Failure> {
        match tool.as_str() {
            "tour" => Ok(Outcome::Reply(tour(&context).join("\n"))),
            "refused" => Ok(Outcome::Reply(refused())),
            "ask" => Ok(Outcome::Ask(Question { entity: "order_id".into(), text: arguments })),
            "hand_over" => Ok(Outcome::HandOver(HandOver {
                reason: "golden".into(),
                severity: Severity::High,
                text: arguments,
            })),
            "done" => Ok(Outcome::Done),
            "invalid" => Err(Failure::InvalidArguments(arguments)),
            "denied" => Err(Failure::Denied(arguments)),
            "unavailable" => Err(Failure::Unavailable(arguments)),
            _ => Err(Failure::Internal(arguments)),
        }
    }
}

fn told<T, E>(name: &str, result: Result<T, E>, tell: impl FnOnce(T) -> String) -> String {
    [name, ": ", &result.map_or_else(|_| "refused".to_owned(), tell)].concat()
}

fn document(document: store::Document) -> String {
    [document.key, document.version.to_string(), document.body].join(" ")
}

fn ticket(ticket: tickets::Ticket) -> String {
    let tickets::Ticket { id, subject, status, priority, tags, created_ms } = ticket;
    let (status, priority) = ((status as u8).to_string(), (priority as u8).to_string());
    [id, subject, status, priority, tags.concat(), created_ms.to_string()].join(" ")
}

fn tour(context: &Context) -> Vec<String> {
    let equals = || vec![store::Equals { field: "user_id".into(), value: "u1".into() }];
    let put = store::Put {
        collection: "orders".into(),
        key: "#W1".into(),
        body: r#"{"status":"pending"}"#.into(),
        expected: store::Expected::Absent,
    };
    let again = store::Put { expected: store::Expected::Version(7), ..put.clone() };
    let delete = store::Delete { collection: "orders".into(), key: "#W2".into(), version: 2 };
    let steps = [store::Step::Put(put), store::Step::Put(again), store::Step::Delete(delete)];
    let request = client::Request {
        method: client::Method::Patch,
        url: "https://carrier.example/v1".into(),
        headers: vec![("accept".into(), "text/plain".into())],
        body: vec![0, 1, 255],
        secrets: vec!["token".into()],
        idempotent: true,
    };
    let change = tickets::Change {
        subject: Some("s".into()),
        status: Some(tickets::Status::Resolved),
        priority: None,
    };
    let wish = people::Request {
        reason: "angry".into(),
        severity: people::Severity::Critical,
        summary: "third time".into(),
    };
    let opened = tickets::create("s", tickets::Priority::P1);
    let id = opened.as_ref().map_or_else(|_| String::new(), |ticket| ticket.id.clone());
    logging::log(logging::Level::Error, "a line", &[("n".into(), "1".into())]);
    vec![
        [
            "context: ",
            &context.invocation_id,
            " ",
            &context.now_ms.to_string(),
            " ",
            &context.language,
            " ",
            context.customer.key.as_deref().unwrap_or("nobody"),
            " ",
            &(context.customer.level as u8).to_string(),
            " ",
            &context
                .settings
                .iter()
                .map(|(name, value)| [name, "=", value].concat())
                .collect::<String>(),
        ]
        .concat(),
        told("get", store::get("orders", "#W1"), document),
        told("query", store::query("orders", &equals(), 5), |found| {
            found.into_iter().map(document).collect::<Vec<_>>().join(", ")
        }),
        told("write", store::write(&steps), |versions| {
            versions.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")
        }),
        told("identify", store::identify("users", &equals()), |found| {
            [found.key, document(found.document)].join(" ")
        }),
        told("send", client::send(&request), |response| {
            let headers = response.headers.into_iter().map(|(name, value)| [name, value].join("="));
            let body = response.body.iter().map(u8::to_string).collect::<Vec<_>>().join(" ");
            [response.status.to_string(), headers.collect::<String>(), body].join(" ")
        }),
        told("kv get", state::get("k"), |value| {
            value.map_or_else(|| "nothing".to_owned(), |value| value.len().to_string())
        }),
        told("kv set", state::set("k", &[1, 2], 60), |()| "done".to_owned()),
        told("kv delete", state::delete("k"), |()| "done".to_owned()),
        told("create", opened, ticket),
        told("update", tickets::update(&id, &change), ticket),
        told("tag", tickets::tag(&id, "late"), |()| "done".to_owned()),
        told("comment", tickets::comment(&id, "a remark"), |()| "done".to_owned()),
        told("history", tickets::history(3), |found| {
            found.into_iter().map(ticket).collect::<Vec<_>>().join(", ")
        }),
        told("hand over", people::hand_over(&wish), |queue| queue),
    ]
}

/// How a refusal reaches a guest: kind, text and whether to try again.
fn refused() -> String {
    match state::get("k") {
        Ok(_) => "not refused".to_owned(),
        Err(state::Failure { kind, message, retry }) => {
            let retry = match retry {
                state::Retry::Never => "never".to_owned(),
                state::Retry::Now => "now".to_owned(),
                state::Retry::After(ms) => ms.to_string(),
            };
            [(kind as u8).to_string(), message, retry].join(" ")
        }
    }
}
