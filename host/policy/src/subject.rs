//! From a host call and its facts to what Cedar is asked: action, resource,
//! arguments.

use cedar_policy::RestrictedExpression as Expr;
use postern_domain::{Condition, HostCall, JobTime, LogLevel, RecordStep, TicketChange, TicketId};

use crate::{
    EndpointFacts, PolicyRequest, RecordFacts,
    vocabulary::{Thing, Vocabulary, count, entity, record, reference, string, strings, uid},
};

/// One question to Cedar. A write has one for each step.
pub(crate) struct Subject {
    /// The action's name.
    pub(crate) action: &'static str,
    /// On what.
    pub(crate) resource: Thing,
    /// What rules read as `context.arguments`, if the action has any.
    pub(crate) arguments: Option<Expr>,
    /// On what, in words without personal data.
    pub(crate) words: String,
}

/// Why a call cannot be put to Cedar. Each is a denial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SubjectError {
    /// The host brought other facts than the call needs.
    #[error("the facts do not fit the call: this is a fault of the host, please report it")]
    Facts,
    /// No rule could speak about the collection.
    #[error("the collection is not declared: the operator can declare it in the configuration")]
    Undeclared,
    /// Nothing to judge is no reason to allow.
    #[error("the write has no steps: name at least one record")]
    NoSteps,
}

/// The questions that a call raises, at least one.
///
/// # Errors
/// The call cannot be judged.
pub(crate) fn subjects(
    words: &Vocabulary,
    request: &PolicyRequest<'_>,
) -> Result<Vec<Subject>, SubjectError> {
    let (call, facts) = (request.call, request.facts);
    let one = |resource, arguments, words: &str| {
        Ok(vec![Subject { action: call.action(), resource, arguments, words: words.to_owned() }])
    };
    let skill = || ("skill", reference(&words.skill, request.skill.as_str()));
    let kv = || entity(uid(&words.kv_space, request.skill.as_str()), [skill()]);
    let schedule = || entity(uid(&words.schedule, request.skill.as_str()), [skill()]);
    let tickets = || entity(uid(&words.ticket_list, "own"), []);
    let ticket = |id: &TicketId| {
        entity(uid(&words.ticket, id.as_str()), [("own", Expr::new_bool(facts.own_ticket))])
    };
    match call {
        HostCall::Log { line } => {
            let fields: usize =
                line.fields.iter().map(|(name, value)| name.len() + value.len()).sum();
            let arguments = record([
                ("level", reference(&words.log_level, level_name(line.level))),
                ("bytes", count(line.message.len() + fields)),
            ]);
            let log = entity(uid(&words.log, request.skill.as_str()), [skill()]);
            one(log, Some(arguments), "its log")
        }
        HostCall::RecordsGet { collection, key } => {
            let [found] = &facts.records[..] else {
                return Err(SubjectError::Facts);
            };
            let resource = record_entity(words, found, collection, Some(key))?;
            one(resource, None, collection)
        }
        HostCall::RecordsQuery { collection, conditions, limit } => {
            let [found] = &facts.records[..] else {
                return Err(SubjectError::Facts);
            };
            let resource = record_entity(words, found, collection, None)?;
            let arguments = record([
                ("fields", fields(conditions)),
                ("limit", Expr::new_long((*limit).into())),
            ]);
            one(resource, Some(arguments), collection)
        }
        HostCall::RecordsIdentify { collection, details } => {
            let whole = RecordFacts { collection: collection.clone(), ..RecordFacts::default() };
            let resource = record_entity(words, &whole, collection, None)?;
            one(resource, Some(record([("fields", fields(details))])), collection)
        }
        HostCall::RecordsWrite { steps } => {
            if steps.is_empty() {
                return Err(SubjectError::NoSteps);
            }
            if steps.len() != facts.records.len() {
                return Err(SubjectError::Facts);
            }
            steps
                .iter()
                .zip(&facts.records)
                .map(|(step, found)| step_subject(words, step, found))
                .collect()
        }
        HostCall::HttpSend { request } => {
            let endpoint = facts.endpoint.as_ref().ok_or(SubjectError::Facts)?;
            let arguments = record([
                ("method", reference(&words.method, request.method.as_str())),
                ("body_bytes", count(request.body.len())),
                ("secrets", strings(request.secrets.iter().map(String::as_str))),
            ]);
            let name = listed_name(endpoint).map_or_else(
                || "a server that is not listed".to_owned(),
                |name| format!("the endpoint {name}"),
            );
            one(endpoint_entity(words, endpoint), Some(arguments), &name)
        }
        HostCall::KvGet { .. } | HostCall::KvDelete { .. } => one(kv(), None, "its own state"),
        HostCall::KvSet { key: _, value, ttl_s } => {
            let arguments =
                record([("bytes", count(value.len())), ("ttl_s", Expr::new_long((*ttl_s).into()))]);
            one(kv(), Some(arguments), "its own state")
        }
        HostCall::TicketCreate { subject: _, priority } => {
            let arguments = record([("priority", reference(&words.priority, priority.as_str()))]);
            one(tickets(), Some(arguments), "tickets")
        }
        HostCall::TicketHistory { limit: _ } => one(tickets(), None, "tickets"),
        HostCall::TicketUpdate { id, change } => {
            one(ticket(id), Some(change_arguments(words, change)), "a ticket")
        }
        HostCall::TicketTag { id, tag: _ } | HostCall::TicketComment { id, text: _ } => {
            one(ticket(id), None, "a ticket")
        }
        HostCall::HandOver { request } => {
            let arguments = record([
                ("reason", string(&request.reason)),
                ("severity", reference(&words.severity, request.severity.as_str())),
            ]);
            one(entity(uid(&words.queue, "people"), []), Some(arguments), "people")
        }
        HostCall::KnowledgeSearch { query, collection, limit } => {
            let arguments =
                record([("bytes", count(query.len())), ("limit", Expr::new_long((*limit).into()))]);
            one(entity(uid(&words.knowledge, collection), []), Some(arguments), collection)
        }
        HostCall::ModelComplete { request } => {
            let bytes = request.messages.iter().map(|message| message.text.len()).sum();
            let arguments = record([
                ("purpose", string(&request.purpose)),
                ("bytes", count(bytes)),
                ("max_tokens", Expr::new_long(request.max_tokens.into())),
            ]);
            one(entity(uid(&words.model, "default"), []), Some(arguments), "the language model")
        }
        HostCall::MessageSend { audience, text } => {
            let arguments =
                record([("recipients", count(audience.count())), ("bytes", count(text.len()))]);
            let resource = entity(uid(&words.audience, audience.as_str()), []);
            one(resource, Some(arguments), audience.as_str())
        }
        HostCall::ScheduleCreate { job } => {
            let arguments = record([
                ("tool", string(&job.tool)),
                ("repeats", Expr::new_bool(matches!(job.when, JobTime::Cron { .. }))),
            ]);
            one(schedule(), Some(arguments), "its own schedule")
        }
        HostCall::ScheduleCancel { id: _ } => one(schedule(), None, "its own schedule"),
    }
}

fn step_subject(
    words: &Vocabulary,
    step: &RecordStep,
    found: &RecordFacts,
) -> Result<Subject, SubjectError> {
    let (collection, key) = step.target();
    let resource = record_entity(words, found, collection, Some(key))?;
    let (action, arguments) = match step {
        RecordStep::Put { body, .. } => {
            let names = body.as_object().into_iter().flat_map(|body| body.keys());
            let fields = strings(names.map(String::as_str));
            ("records:put", Some(record([("fields", fields)])))
        }
        RecordStep::Delete { .. } => ("records:delete", None),
    };
    Ok(Subject { action, resource, arguments, words: collection.to_owned() })
}

fn fields(conditions: &[Condition]) -> Expr {
    strings(conditions.iter().map(|condition| condition.field.as_str()))
}

fn change_arguments(words: &Vocabulary, change: &TicketChange) -> Expr {
    let status = change.status.map(|to| ("status", reference(&words.ticket_status, to.as_str())));
    let priority = change.priority.map(|to| ("priority", reference(&words.priority, to.as_str())));
    record(status.into_iter().chain(priority))
}

/// The record or collection of a call. The facts must be about the same one.
fn record_entity(
    words: &Vocabulary,
    found: &RecordFacts,
    collection: &str,
    key: Option<&str>,
) -> Result<Thing, SubjectError> {
    if found.collection != collection || found.key.as_deref() != key {
        return Err(SubjectError::Facts);
    }
    let declared = words.collections.get(collection).ok_or(SubjectError::Undeclared)?;
    let mut attributes = vec![
        ("collection", string(collection)),
        ("exists", Expr::new_bool(found.exists)),
        ("owned", Expr::new_bool(declared.owned)),
        ("fields", declared.fields(&found.fields)),
    ];
    attributes.extend(key.map(|key| ("key", string(key))));
    attributes.extend(found.owner.as_deref().map(|owner| ("owner", string(owner))));
    attributes.extend(found.new_owner.as_deref().map(|owner| ("new_owner", string(owner))));
    Ok(Thing { uid: uid(&declared.kind, key.unwrap_or_default()), attributes })
}

/// A level's name in the schema.
const fn level_name(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Trace => "trace",
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    }
}

/// The operator's name of a server; an empty name would name nothing.
fn listed_name(endpoint: &EndpointFacts) -> Option<&str> {
    endpoint.name.as_deref().filter(|name| !name.is_empty())
}

fn endpoint_entity(words: &Vocabulary, endpoint: &EndpointFacts) -> Thing {
    let name = listed_name(endpoint);
    entity(
        uid(&words.endpoint, name.unwrap_or_default()),
        [
            ("listed", Expr::new_bool(name.is_some())),
            ("scheme", string(&endpoint.scheme)),
            ("host", string(&endpoint.host)),
            ("port", Expr::new_long(endpoint.port.into())),
            ("path", string(&endpoint.path)),
            ("private", Expr::new_bool(endpoint.private)),
        ],
    )
}
