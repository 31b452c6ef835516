//! Host calls and their answers in names and values.

use postern_domain::{
    CallFailure, CallState, Document, Expected, FailureKind, HostCall, HostReply, JobTime,
    ModelRole, RecordStep, Ticket,
};

use super::format::{bytes, clipped, json, name};

/// A name and a value; the value may have several lines.
pub(super) type Fact = (&'static str, String);

/// What a call is about, in a few words.
pub(super) fn subject(call: &HostCall) -> String {
    match call {
        HostCall::Log { line } => clipped(&line.message),
        HostCall::RecordsGet { collection, key } => format!("{collection}/{key}"),
        HostCall::RecordsQuery { collection, .. }
        | HostCall::RecordsIdentify { collection, .. } => collection.clone(),
        HostCall::RecordsWrite { steps } => {
            let targets: Vec<_> = steps
                .iter()
                .map(|step| {
                    let (collection, key) = step.target();
                    format!("{collection}/{key}")
                })
                .collect();
            targets.join(", ")
        }
        HostCall::HttpSend { request } => format!("{} {}", request.method.as_str(), request.url),
        HostCall::KvGet { key } | HostCall::KvSet { key, .. } | HostCall::KvDelete { key } => {
            key.clone()
        }
        HostCall::TicketCreate { subject, .. } => subject.clone(),
        HostCall::TicketUpdate { id, .. }
        | HostCall::TicketTag { id, .. }
        | HostCall::TicketComment { id, .. } => id.to_string(),
        HostCall::TicketHistory { .. } => "tickets of this customer".to_owned(),
        HostCall::HandOver { request } => request.reason.clone(),
        HostCall::KnowledgeSearch { collection, .. } => collection.clone(),
        HostCall::ModelComplete { request } => request.purpose.clone(),
        HostCall::MessageSend { audience, .. } => audience.as_str().to_owned(),
        HostCall::ScheduleCreate { job } => job.tool.clone(),
        HostCall::ScheduleCancel { id } => id.clone(),
    }
}

/// The arguments of a call, beyond its subject.
pub(super) fn arguments(call: &HostCall) -> Vec<Fact> {
    match call {
        HostCall::Log { line } => {
            let mut facts = vec![("level", name(&line.level))];
            facts.extend(
                line.fields.iter().map(|(key, value)| ("field", format!("{key} = {value}"))),
            );
            facts
        }
        HostCall::RecordsGet { .. } | HostCall::KvGet { .. } | HostCall::KvDelete { .. } => vec![],
        HostCall::RecordsQuery { conditions, limit, .. } => {
            let mut facts = conditions_of(conditions);
            facts.push(("at most", limit.to_string()));
            facts
        }
        HostCall::RecordsIdentify { details, .. } => conditions_of(details),
        HostCall::RecordsWrite { steps } => steps.iter().map(step).collect(),
        HostCall::HttpSend { request } => {
            let headers =
                request.headers.iter().map(|(key, value)| ("header", format!("{key}: {value}")));
            let mut facts: Vec<Fact> = headers.collect();
            facts.extend(request.secrets.iter().map(|secret| ("secret put in", secret.clone())));
            if !request.body.is_empty() {
                facts.push(("body", bytes(&request.body)));
            }
            facts.push(("may be repeated", yes_no(request.idempotent || request.method.is_safe())));
            facts
        }
        HostCall::KvSet { value, ttl_s, .. } => {
            vec![("value", bytes(value)), ("seconds to live", ttl_s.to_string())]
        }
        HostCall::TicketCreate { priority, .. } => vec![("priority", priority.as_str().to_owned())],
        HostCall::TicketUpdate { change, .. } => [
            ("subject", change.subject.clone()),
            ("status", change.status.map(|status| status.to_string())),
            ("priority", change.priority.map(|priority| priority.as_str().to_owned())),
        ]
        .into_iter()
        .filter_map(|(field, value)| value.map(|value| (field, value)))
        .collect(),
        HostCall::TicketTag { tag, .. } => vec![("tag", tag.clone())],
        HostCall::TicketComment { text, .. } => vec![("text", clipped(text))],
        HostCall::TicketHistory { limit } => vec![("at most", limit.to_string())],
        HostCall::HandOver { request } => vec![
            ("severity", request.severity.as_str().to_owned()),
            ("summary", clipped(&request.summary)),
        ],
        HostCall::KnowledgeSearch { query, limit, .. } => {
            vec![("query", clipped(query)), ("at most", limit.to_string())]
        }
        HostCall::ModelComplete { request } => {
            let mut facts = vec![("tokens at most", request.max_tokens.to_string())];
            facts.extend(request.messages.iter().map(|m| (role(m.role), clipped(&m.text))));
            facts
        }
        HostCall::MessageSend { audience, text } => {
            vec![("recipients", audience.count().to_string()), ("text", clipped(text))]
        }
        HostCall::ScheduleCreate { job } => vec![
            (
                "when",
                match &job.when {
                    JobTime::At { time } => time.to_string(),
                    JobTime::Cron { expression } => expression.clone(),
                },
            ),
            ("arguments", json(&job.arguments)),
        ],
        HostCall::ScheduleCancel { .. } => vec![],
    }
}

fn role(role: ModelRole) -> &'static str {
    match role {
        ModelRole::System => "system",
        ModelRole::User => "user",
        ModelRole::Assistant => "assistant",
    }
}

fn conditions_of(conditions: &[postern_domain::Condition]) -> Vec<Fact> {
    conditions.iter().map(|c| ("condition", format!("{} = {}", c.field, c.value))).collect()
}

fn step(step: &RecordStep) -> Fact {
    match step {
        RecordStep::Put { collection, key, body, expected } => {
            let expected = match expected {
                Expected::Absent => "new".to_owned(),
                Expected::Version(version) => format!("over version {version}"),
            };
            ("put", format!("{collection}/{key} ({expected})\n{}", json(body)))
        }
        RecordStep::Delete { collection, key, version } => {
            ("delete", format!("{collection}/{key} (version {version})"))
        }
    }
}

fn yes_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

/// How a call ended.
pub(super) struct Ending {
    /// `done`, `refused`, `failed` or `under way`: also the style's name for it.
    pub(super) state: &'static str,
    /// In a few words, if there is more to say.
    pub(super) summary: String,
    /// What came back.
    pub(super) facts: Vec<Fact>,
}

/// How a call ended, or that it has not.
pub(super) fn ending(state: &CallState) -> Ending {
    match state {
        CallState::Waiting { approval } => {
            Ending { state: "under way", summary: format!("waits for {approval}"), facts: vec![] }
        }
        CallState::Intended => Ending {
            state: "under way",
            summary: "begun; its result is not known yet".to_owned(),
            facts: vec![],
        },
        CallState::Done { reply } => {
            let (summary, facts) = reply_of(reply);
            Ending { state: "done", summary, facts }
        }
        CallState::Failed { failure } => failed(failure),
    }
}

fn failed(failure: &CallFailure) -> Ending {
    let state = match failure.kind {
        FailureKind::Denied => "refused",
        FailureKind::Invalid
        | FailureKind::NotFound
        | FailureKind::Conflict
        | FailureKind::Limited
        | FailureKind::Unavailable
        | FailureKind::Uncertain => "failed",
    };
    let summary = format!("{}: {}", name(&failure.kind), clipped(&failure.message));
    Ending { state, summary, facts: vec![] }
}

fn reply_of(reply: &HostReply) -> (String, Vec<Fact>) {
    match reply {
        HostReply::Done => (String::new(), vec![]),
        HostReply::Document { document } => ("one record".to_owned(), vec![document_of(document)]),
        HostReply::Documents { documents } => {
            (format!("{} records", documents.len()), documents.iter().map(document_of).collect())
        }
        HostReply::Versions { versions } => {
            let versions: Vec<_> = versions.iter().map(u64::to_string).collect();
            (format!("written; new versions: {}", versions.join(", ")), vec![])
        }
        HostReply::Identity { key, document } => {
            (format!("identified as {key}"), vec![document_of(document)])
        }
        HostReply::Http { response } => {
            (format!("status {}", response.status), vec![("body", bytes(&response.body))])
        }
        HostReply::Value { value: Some(value) } => {
            ("a value".to_owned(), vec![("value", bytes(value))])
        }
        HostReply::Value { value: None } => ("no value".to_owned(), vec![]),
        HostReply::Ticket { ticket } => ("a ticket".to_owned(), vec![ticket_of(ticket)]),
        HostReply::Tickets { tickets } => {
            (format!("{} tickets", tickets.len()), tickets.iter().map(ticket_of).collect())
        }
        HostReply::Queued { queue } => (format!("waits in queue {queue}"), vec![]),
        HostReply::Passages { passages } => {
            let titles = passages.iter().map(|p| ("passage", p.title.clone()));
            (format!("{} passages", passages.len()), titles.collect())
        }
        HostReply::Completion { completion } => (
            format!("{} tokens", completion.output_tokens),
            vec![("text", clipped(&completion.text))],
        ),
        HostReply::Sent { recipients } => (format!("sent to {recipients}"), vec![]),
        HostReply::Scheduled { id } => (format!("scheduled as {id}"), vec![]),
    }
}

fn document_of(document: &Document) -> Fact {
    ("record", format!("{} (version {})\n{}", document.key, document.version, json(&document.body)))
}

fn ticket_of(ticket: &Ticket) -> Fact {
    ("ticket", format!("{} {}: {}", ticket.id, ticket.status, ticket.subject))
}
