//! Values that cross the border between guest and host, with a liking for the ones
//! at which readers go wrong.

use arbitrary::{Result, Unstructured};
use postern_domain::{
    Audience, CallFailure, Completion, Condition, ConversationId, Document, Expected, FailureKind,
    HandOver, HostCall, HostReply, HttpMethod, HttpRequest, HttpResponse, Job, JobTime, LogLevel,
    LogLine, ModelMessage, ModelRequest, ModelRole, Passage, Priority, RecordStep, Retry, Severity,
    Ticket, TicketChange, TicketId, TicketStatus, Timestamp,
};
use serde_json::{Map, Number, Value};

type U<'a, 'b> = &'a mut Unstructured<'b>;

/// How deep JSON goes.
const DEEPEST: u32 = 6;

const TEXTS: [&str; 22] = [
    "",
    "\0",
    "a\0b",
    "\n",
    "\r\nX-Injected: 1\r\n\r\n",
    "\u{1b}[2J",
    "\u{7f}\u{80}\u{9f}",
    "\u{d7ff}\u{e000}\u{fffd}\u{ffff}\u{10ffff}",
    "\\ud800\\udc00",
    "\u{202e}\u{2066}\u{feff}",
    "e\u{301}\u{301}\u{301}\u{301}",
    "<EMAIL_1.abcdef>",
    "＜ＥＭＡＩＬ＿１．ａ＞",
    "orders",
    "customers",
    "../../../etc/passwd",
    "{\"a\":1}",
    "[[[[[[[[[[",
    "' OR 1=1 --",
    "%s%n%p",
    "order-1001",
    "0 0 31 2 *",
];

/// A text.
pub(crate) fn text(u: U<'_, '_>) -> Result<String> {
    Ok(match u.int_in_range(0..=5)? {
        0 | 1 => (*u.choose(&TEXTS)?).to_owned(),
        2 => {
            let unit: char = u.arbitrary()?;
            let most = if u.ratio(1, 10)? { 70_000 } else { 300 };
            unit.to_string().repeat(u.int_in_range(0..=most)?)
        }
        3 => format!("{}{}", u.choose(&TEXTS)?, u.choose(&TEXTS)?),
        _ => u.arbitrary()?,
    })
}

fn name(u: U<'_, '_>) -> Result<String> {
    let short = ["orders", "a", "x-y_z", "purpose", "o", "track"];
    if u.ratio(2, 3)? { Ok((*u.choose(&short)?).to_owned()) } else { text(u) }
}

fn number(u: U<'_, '_>) -> Result<u64> {
    let edges = [0, 1, 7, 100, 0xffff, 0xffff_ffff, 1 << 53, (1 << 53) + 1, u64::MAX];
    if u.arbitrary()? { Ok(*u.choose(&edges)?) } else { u.arbitrary() }
}

fn number32(u: U<'_, '_>) -> Result<u32> {
    Ok(u32::try_from(number(u)?).unwrap_or(u32::MAX))
}

fn list<T>(u: U<'_, '_>, mut one: impl FnMut(U<'_, '_>) -> Result<T>) -> Result<Vec<T>> {
    let length = if u.ratio(1, 20)? { u.int_in_range(0..=300)? } else { u.int_in_range(0..=4)? };
    (0..length).map(|_| one(u)).collect()
}

fn pair(u: U<'_, '_>) -> Result<(String, String)> {
    Ok((name(u)?, text(u)?))
}

fn bytes(u: U<'_, '_>) -> Result<Vec<u8>> {
    if u.ratio(1, 10)? {
        return Ok(vec![u.arbitrary()?; u.int_in_range(0..=100_000)?]);
    }
    u.arbitrary()
}

/// JSON, not too deep.
pub(crate) fn json(u: U<'_, '_>, depth: u32) -> Result<Value> {
    let kind = if depth < DEEPEST { u.int_in_range(0..=6)? } else { u.int_in_range(0..=4)? };
    Ok(match kind {
        0 => Value::Null,
        1 => Value::Bool(u.arbitrary()?),
        2 => Value::Number(number(u)?.into()),
        3 => match u.arbitrary::<f64>().map(Number::from_f64)? {
            Some(number) => Value::Number(number),
            None => Value::Number(u.arbitrary::<i64>()?.into()),
        },
        4 => Value::String(text(u)?),
        5 => Value::Array(list(u, |u| json(u, depth + 1))?),
        _ => Value::Object(object(u, depth + 1)?),
    })
}

fn object(u: U<'_, '_>, depth: u32) -> Result<Map<String, Value>> {
    let fields = list(u, |u| Ok((name(u)?, json(u, depth)?)))?;
    Ok(fields.into_iter().collect())
}

fn document(u: U<'_, '_>) -> Result<Document> {
    Ok(Document {
        key: name(u)?,
        version: number(u)?,
        body: if u.ratio(3, 4)? { Value::Object(object(u, 0)?) } else { json(u, 0)? }.into(),
    })
}

fn conditions(u: U<'_, '_>) -> Result<Vec<Condition>> {
    list(u, |u| Ok(Condition { field: name(u)?, value: text(u)? }))
}

fn time(u: U<'_, '_>) -> Result<Timestamp> {
    Ok(Timestamp::from_millis(if u.arbitrary()? { u.arbitrary()? } else { number32(u)?.into() }))
}

fn priority(u: U<'_, '_>) -> Result<Priority> {
    Ok(*u.choose(&[Priority::P1, Priority::P2, Priority::P3, Priority::P4])?)
}

fn status(u: U<'_, '_>) -> Result<TicketStatus> {
    Ok(*u.choose(&[
        TicketStatus::New,
        TicketStatus::Open,
        TicketStatus::WaitingCustomer,
        TicketStatus::WaitingThirdParty,
        TicketStatus::Resolved,
        TicketStatus::Closed,
    ])?)
}

fn severity(u: U<'_, '_>) -> Result<Severity> {
    Ok(*u.choose(&[Severity::Low, Severity::Normal, Severity::High, Severity::Critical])?)
}

fn option<T>(u: U<'_, '_>, one: impl FnOnce(U<'_, '_>) -> Result<T>) -> Result<Option<T>> {
    if u.arbitrary()? { one(u).map(Some) } else { Ok(None) }
}

fn ticket_id(u: U<'_, '_>) -> Result<TicketId> {
    Ok(TicketId::derive(&[&name(u)?]))
}

fn ticket(u: U<'_, '_>) -> Result<Ticket> {
    Ok(Ticket {
        id: ticket_id(u)?,
        conversation: ConversationId::derive(&[&name(u)?]),
        customer: option(u, text)?,
        subject: text(u)?,
        status: status(u)?,
        priority: priority(u)?,
        queue: option(u, text)?,
        reason: option(u, text)?,
        tags: list(u, name)?,
        follows: option(u, ticket_id)?,
        created_at: time(u)?,
        updated_at: time(u)?,
    })
}

fn step(u: U<'_, '_>) -> Result<RecordStep> {
    let (collection, key) = (name(u)?, name(u)?);
    Ok(if u.arbitrary()? {
        let expected =
            if u.arbitrary()? { Expected::Absent } else { Expected::Version(number(u)?) };
        RecordStep::Put { collection, key, body: Value::Object(object(u, 0)?), expected }
    } else {
        RecordStep::Delete { collection, key, version: number(u)? }
    })
}

/// A request, with whatever a skill could say.
pub(crate) fn request(u: U<'_, '_>, url: String) -> Result<HttpRequest> {
    use HttpMethod::{Delete, Get, Head, Patch, Post, Put};
    Ok(HttpRequest {
        method: *u.choose(&[Get, Get, Get, Head, Post, Put, Patch, Delete])?,
        url,
        headers: list(u, pair)?,
        body: if u.arbitrary()? { Vec::new() } else { bytes(u)? },
        secrets: list(u, name)?,
        idempotent: u.arbitrary()?,
    })
}

/// Any call.
pub(crate) fn call(u: U<'_, '_>) -> Result<HostCall> {
    Ok(match u.int_in_range(0..=19)? {
        0 => HostCall::Log {
            line: LogLine {
                level: *u.choose(&[
                    LogLevel::Trace,
                    LogLevel::Debug,
                    LogLevel::Info,
                    LogLevel::Warn,
                    LogLevel::Error,
                ])?,
                message: text(u)?,
                fields: list(u, pair)?,
            },
        },
        1 => HostCall::RecordsGet { collection: name(u)?, key: text(u)? },
        2 => HostCall::RecordsQuery {
            collection: name(u)?,
            conditions: conditions(u)?,
            limit: number32(u)?,
        },
        3 => HostCall::RecordsWrite { steps: list(u, step)? },
        4 => HostCall::RecordsIdentify { collection: name(u)?, details: conditions(u)? },
        5 => {
            let url = text(u)?;
            HostCall::HttpSend { request: request(u, url)? }
        }
        6 => HostCall::KvGet { key: text(u)? },
        7 => HostCall::KvSet { key: text(u)?, value: bytes(u)?, ttl_s: number32(u)? },
        8 => HostCall::KvDelete { key: text(u)? },
        9 => HostCall::TicketCreate { subject: text(u)?, priority: priority(u)? },
        10 => HostCall::TicketUpdate {
            id: ticket_id(u)?,
            change: TicketChange {
                subject: option(u, text)?,
                status: option(u, status)?,
                priority: option(u, priority)?,
            },
        },
        11 => HostCall::TicketTag { id: ticket_id(u)?, tag: name(u)? },
        12 => HostCall::TicketComment { id: ticket_id(u)?, text: text(u)? },
        13 => HostCall::TicketHistory { limit: number32(u)? },
        14 => HostCall::HandOver {
            request: HandOver { reason: name(u)?, severity: severity(u)?, summary: text(u)? },
        },
        15 => {
            HostCall::KnowledgeSearch { query: text(u)?, collection: name(u)?, limit: number32(u)? }
        }
        16 => {
            let roles = [ModelRole::System, ModelRole::User, ModelRole::Assistant];
            let message =
                |u: U<'_, '_>| Ok(ModelMessage { role: *u.choose(&roles)?, text: text(u)? });
            HostCall::ModelComplete {
                request: ModelRequest {
                    purpose: name(u)?,
                    messages: list(u, message)?,
                    max_tokens: number32(u)?,
                },
            }
        }
        17 => {
            let audience = match u.int_in_range(0..=2)? {
                0 => Audience::Customer,
                1 => Audience::Queue { name: name(u)? },
                _ => Audience::Customers { keys: list(u, text)? },
            };
            HostCall::MessageSend { audience, text: text(u)? }
        }
        18 => {
            let when = if u.arbitrary()? {
                JobTime::At { time: time(u)? }
            } else {
                JobTime::Cron { expression: text(u)? }
            };
            let arguments = Value::Object(object(u, 0)?);
            HostCall::ScheduleCreate { job: Job { tool: name(u)?, arguments, when } }
        }
        _ => HostCall::ScheduleCancel { id: text(u)? },
    })
}

/// Any reply, whatever was asked.
pub(crate) fn reply(u: U<'_, '_>) -> Result<HostReply> {
    let kind = u.int_in_range(0..=13)?;
    reply_of(kind, u)
}

/// A reply of the kind that a call gets.
pub(crate) fn reply_to(call: &str, u: U<'_, '_>) -> Result<HostReply> {
    let kind = match call {
        "records:get" => 1,
        "records:query" => 2,
        "records:write" => 3,
        "records:identify" => 4,
        "http:send" => 5,
        "kv:get" => 6,
        "ticket:create" | "ticket:update" => 7,
        "ticket:history" => 8,
        "handover:request" => 9,
        "knowledge:search" => 10,
        "model:complete" => 11,
        "message:send" => 12,
        "schedule:create" => 13,
        _ => 0,
    };
    reply_of(kind, u)
}

fn reply_of(kind: u8, u: U<'_, '_>) -> Result<HostReply> {
    Ok(match kind {
        0 => HostReply::Done,
        1 => HostReply::Document { document: document(u)? },
        2 => HostReply::Documents { documents: list(u, document)? },
        3 => HostReply::Versions { versions: list(u, number)? },
        4 => HostReply::Identity { key: text(u)?, document: document(u)? },
        5 => HostReply::Http {
            response: HttpResponse {
                status: u.arbitrary()?,
                headers: list(u, pair)?,
                body: bytes(u)?,
            },
        },
        6 => HostReply::Value { value: option(u, bytes)? },
        7 => HostReply::Ticket { ticket: ticket(u)? },
        8 => HostReply::Tickets { tickets: list(u, ticket)? },
        9 => HostReply::Queued { queue: text(u)? },
        10 => {
            let passage = |u: U<'_, '_>| {
                Ok(Passage {
                    id: name(u)?,
                    title: text(u)?,
                    text: text(u)?,
                    relevance: number32(u)?,
                })
            };
            HostReply::Passages { passages: list(u, passage)? }
        }
        11 => HostReply::Completion {
            completion: Completion {
                text: text(u)?,
                input_tokens: number32(u)?,
                output_tokens: number32(u)?,
            },
        },
        12 => HostReply::Sent { recipients: number32(u)? },
        _ => HostReply::Scheduled { id: text(u)? },
    })
}

/// Any failure.
pub(crate) fn failure(u: U<'_, '_>) -> Result<CallFailure> {
    Ok(CallFailure {
        kind: *u.choose(&[
            FailureKind::Denied,
            FailureKind::Invalid,
            FailureKind::NotFound,
            FailureKind::Conflict,
            FailureKind::Limited,
            FailureKind::Unavailable,
            FailureKind::Uncertain,
        ])?,
        message: text(u)?,
        retry: match u.int_in_range(0..=2)? {
            0 => Retry::Never,
            1 => Retry::Now,
            _ => Retry::AfterMs(number32(u)?),
        },
    })
}
