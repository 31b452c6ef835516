//! From a host call and its facts to what the rules are asked: action, resource,
//! arguments, circumstances.

use postern_domain::{Condition, HostCall, JobTime, LogLevel, RecordStep, TicketChange};

use crate::{
    EndpointFacts, Facts, PolicyRequest, RecordFacts, RevealRequest,
    duty::DutyTable,
    value::{Members, Question, Thing, Value},
    vocabulary::{Vocabulary, uid},
};

/// Why a call cannot be put to the rules. Each is a denial.
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

/// What an action, its resource and its arguments are, without who asks and when.
struct Subject<'a> {
    action: &'static str,
    resource: Thing<'a>,
    sort: &'a str,
    arguments: Option<Members<'a>>,
    words: String,
    /// The money that it moves, as bounds see it.
    amount: Option<i64>,
}

impl<'a> Subject<'a> {
    fn new(
        action: &'static str,
        resource: Thing<'a>,
        arguments: Option<Members<'a>>,
        words: &str,
    ) -> Self {
        Self { action, resource, sort: "", arguments, words: words.to_owned(), amount: None }
    }
}

/// The questions that a call raises, at least one.
///
/// # Errors
/// The call cannot be judged.
pub(crate) fn questions<'a>(
    words: &'a Vocabulary,
    duties: &DutyTable,
    request: &PolicyRequest<'a>,
) -> Result<Vec<Question<'a>>, SubjectError> {
    let asked = |subject: Subject<'a>| Question {
        principal: caller(words, request),
        action: subject.action,
        now: duties.fulfilled(request.facts, subject.amount),
        resource: subject.resource,
        sort: subject.sort,
        context: circumstances(words, request.tool, request.facts, subject.arguments),
        words: subject.words,
    };
    Ok(subjects(words, request)?.into_iter().map(asked).collect())
}

/// The question whether a type of datum may be put into a request.
pub(crate) fn reveal<'a>(
    words: &'a Vocabulary,
    duties: &DutyTable,
    request: &RevealRequest<'a>,
) -> Question<'a> {
    let arguments =
        vec![("host", Value::Text(request.host)), ("field", Value::Text(request.field))];
    let RevealRequest { caller: asked, datum, .. } = request;
    Question {
        principal: caller(words, asked),
        action: "data:reveal",
        now: duties.fulfilled(asked.facts, None),
        resource: Thing::new(&words.datum, datum, Vec::new()),
        sort: "",
        context: circumstances(words, asked.tool, asked.facts, Some(arguments)),
        words: format!("a value of the type {datum}"),
    }
}

/// The skill, or its schedule, which is in the skill's group.
fn caller<'a>(words: &'a Vocabulary, request: &PolicyRequest<'a>) -> Thing<'a> {
    let id = request.skill.as_str();
    let mut attributes = vec![
        ("version", Value::Version(request.version)),
        ("publisher", Value::Text(request.publisher)),
    ];
    if request.facts.scheduled {
        attributes.push(("skill", Value::Name(&words.skill, id)));
        let group = Some(uid(&words.skill, id));
        return Thing { group, ..Thing::new(&words.schedule, id, attributes) };
    }
    Thing::new(&words.skill, id, attributes)
}

fn circumstances<'a>(
    words: &'a Vocabulary,
    tool: &'a str,
    facts: &'a Facts,
    arguments: Option<Members<'a>>,
) -> Members<'a> {
    let mut customer = vec![
        ("level", Value::Name(&words.identity_level, facts.customer.level.as_str())),
        ("failed_attempts", Value::Number(facts.identify_failures.into())),
    ];
    customer.extend(facts.customer.key.as_deref().map(|key| ("key", Value::Personal(key))));
    customer.extend(facts.tier.as_deref().map(|tier| ("tier", Value::Text(tier))));
    let mut conversation = vec![
        ("channel", Value::Name(&words.channel, facts.channel.as_str())),
        ("private", Value::Flag(facts.private)),
    ];
    conversation.extend(facts.agent.as_deref().map(|agent| ("agent", Value::Text(agent))));
    let mut context = vec![
        ("tool", Value::Text(tool)),
        ("customer", Value::Record(customer)),
        ("conversation", Value::Record(conversation)),
        ("taint", Value::Number(facts.taint.into())),
        ("now_ms", Value::Number(facts.now.millis())),
    ];
    context.extend(arguments.map(|arguments| ("arguments", Value::Record(arguments))));
    context
}

fn subjects<'a>(
    words: &'a Vocabulary,
    request: &PolicyRequest<'a>,
) -> Result<Vec<Subject<'a>>, SubjectError> {
    let (call, facts) = (request.call, request.facts);
    let id = request.skill.as_str();
    let skill = || ("skill", Value::Name(&words.skill, id));
    let one = |resource, arguments, words: &str| {
        Ok(vec![Subject::new(call.action(), resource, arguments, words)])
    };
    let kv = || Thing::new(&words.kv_space, id, vec![skill()]);
    let schedule = || {
        let version = ("version", Value::Version(request.version));
        let publisher = ("publisher", Value::Text(request.publisher));
        let group = Some(uid(&words.skill, id));
        Thing { group, ..Thing::new(&words.schedule, id, vec![skill(), version, publisher]) }
    };
    let tickets = || Thing::new(&words.ticket_list, "own", Vec::new());
    let ticket =
        |id: &'a str| Thing::new(&words.ticket, id, vec![("own", Value::Flag(facts.own_ticket))]);
    match call {
        HostCall::Log { line } => {
            let fields: usize =
                line.fields.iter().map(|(name, value)| name.len() + value.len()).sum();
            let arguments = vec![
                ("level", Value::Name(&words.log_level, level_name(line.level))),
                ("bytes", Value::count(line.message.len() + fields)),
            ];
            one(Thing::new(&words.log, id, vec![skill()]), Some(arguments), "its log")
        }
        HostCall::RecordsGet { collection, key } => {
            let [found] = &facts.records[..] else {
                return Err(SubjectError::Facts);
            };
            Ok(vec![record(words, found, call.action(), collection, Some(key), None)?])
        }
        HostCall::RecordsQuery { collection, conditions, limit } => {
            let [found] = &facts.records[..] else {
                return Err(SubjectError::Facts);
            };
            let arguments =
                vec![("fields", fields(conditions)), ("limit", Value::Number((*limit).into()))];
            Ok(vec![record(words, found, call.action(), collection, None, Some(arguments))?])
        }
        HostCall::RecordsIdentify { collection, details } => {
            let arguments = Some(vec![("fields", fields(details))]);
            Ok(vec![of_collection(words, &WHOLE, call.action(), collection, None, arguments)?])
        }
        HostCall::RecordsWrite { steps } => write(words, steps, facts),
        HostCall::HttpSend { request } => {
            let endpoint = facts.endpoint.as_ref().ok_or(SubjectError::Facts)?;
            let mut arguments = vec![
                ("method", Value::Name(&words.method, request.method.as_str())),
                ("body_bytes", Value::count(request.body.len())),
                ("secrets", Value::Texts(request.secrets.iter().map(String::as_str).collect())),
                ("moves_money", Value::Flag(endpoint.moves_money)),
                ("irreversible", Value::Flag(endpoint.irreversible)),
            ];
            arguments.extend(endpoint.amount.map(|amount| ("amount", Value::Number(amount))));
            let name = listed_name(endpoint).map_or_else(
                || "a server that is not listed".to_owned(),
                |name| format!("the endpoint {name}"),
            );
            let subject = Subject::new(
                call.action(),
                endpoint_thing(words, endpoint),
                Some(arguments),
                &name,
            );
            Ok(vec![Subject { amount: endpoint.amount, ..subject }])
        }
        HostCall::KvGet { .. } | HostCall::KvDelete { .. } => one(kv(), None, "its own state"),
        HostCall::KvSet { key: _, value, ttl_s } => {
            let arguments = vec![
                ("bytes", Value::count(value.len())),
                ("ttl_s", Value::Number((*ttl_s).into())),
            ];
            one(kv(), Some(arguments), "its own state")
        }
        HostCall::TicketCreate { subject: _, priority } => {
            let arguments = vec![("priority", Value::Name(&words.priority, priority.as_str()))];
            one(tickets(), Some(arguments), "tickets")
        }
        HostCall::TicketHistory { limit: _ } => one(tickets(), None, "tickets"),
        HostCall::TicketUpdate { id, change } => {
            one(ticket(id.as_str()), Some(change_arguments(words, change)), "a ticket")
        }
        HostCall::TicketTag { id, tag: _ } | HostCall::TicketComment { id, text: _ } => {
            one(ticket(id.as_str()), None, "a ticket")
        }
        HostCall::HandOver { request } => {
            let arguments = vec![
                ("reason", Value::Text(&request.reason)),
                ("severity", Value::Name(&words.severity, request.severity.as_str())),
            ];
            one(Thing::new(&words.queue, "people", Vec::new()), Some(arguments), "people")
        }
        HostCall::KnowledgeSearch { query, collection, limit } => {
            let arguments = vec![
                ("bytes", Value::count(query.len())),
                ("limit", Value::Number((*limit).into())),
            ];
            let resource = Thing::new(&words.knowledge, collection, Vec::new());
            one(resource, Some(arguments), collection)
        }
        HostCall::ModelComplete { request } => {
            let bytes = request.messages.iter().map(|message| message.text.len()).sum();
            let arguments = vec![
                ("purpose", Value::Text(&request.purpose)),
                ("bytes", Value::count(bytes)),
                ("max_tokens", Value::Number(request.max_tokens.into())),
            ];
            let resource = Thing::new(&words.model, "default", Vec::new());
            one(resource, Some(arguments), "the language model")
        }
        HostCall::MessageSend { audience, text } => {
            let arguments = vec![
                ("recipients", Value::count(audience.count())),
                ("bytes", Value::count(text.len())),
            ];
            let resource = Thing::new(&words.audience, audience.as_str(), Vec::new());
            one(resource, Some(arguments), audience.as_str())
        }
        HostCall::ScheduleCreate { job } => {
            let arguments = vec![
                ("tool", Value::Text(&job.tool)),
                ("repeats", Value::Flag(matches!(job.when, JobTime::Cron { .. }))),
            ];
            one(schedule(), Some(arguments), "its own schedule")
        }
        HostCall::ScheduleCancel { id: _ } => one(schedule(), None, "its own schedule"),
    }
}

/// What is known of a collection as a whole.
static WHOLE: RecordFacts = RecordFacts {
    collection: String::new(),
    key: None,
    exists: false,
    owner: None,
    new_owner: None,
    fields: std::collections::BTreeMap::new(),
    amount: None,
    changes_access: false,
    changes_irreversibly: false,
};

/// A subject for each step.
fn write<'a>(
    words: &'a Vocabulary,
    steps: &'a [RecordStep],
    facts: &'a Facts,
) -> Result<Vec<Subject<'a>>, SubjectError> {
    if steps.is_empty() {
        return Err(SubjectError::NoSteps);
    }
    if steps.len() != facts.records.len() {
        return Err(SubjectError::Facts);
    }
    let deletes = steps.iter().filter(|step| matches!(step, RecordStep::Delete { .. })).count();
    let subject = |(step, found): (&'a RecordStep, &'a RecordFacts)| {
        let (collection, key) = step.target();
        let (action, arguments) = match step {
            RecordStep::Put { body, .. } => {
                let names = body.as_object().into_iter().flat_map(|body| body.keys());
                let mut arguments = vec![
                    ("fields", Value::Texts(names.map(String::as_str).collect())),
                    ("changes_access", Value::Flag(found.changes_access)),
                    ("changes_irreversibly", Value::Flag(found.changes_irreversibly)),
                ];
                arguments.extend(found.amount.map(|amount| ("amount", Value::Number(amount))));
                ("records:put", arguments)
            }
            RecordStep::Delete { .. } => {
                ("records:delete", vec![("deletes", Value::count(deletes))])
            }
        };
        let subject = record(words, found, action, collection, Some(key), Some(arguments))?;
        Ok(Subject { amount: found.amount, ..subject })
    };
    steps.iter().zip(&facts.records).map(subject).collect()
}

fn fields(conditions: &[Condition]) -> Value<'_> {
    Value::Texts(conditions.iter().map(|condition| condition.field.as_str()).collect())
}

fn change_arguments<'a>(words: &'a Vocabulary, change: &TicketChange) -> Members<'a> {
    let status = change.status.map(|to| ("status", Value::Name(&words.ticket_status, to.as_str())));
    let priority =
        change.priority.map(|to| ("priority", Value::Name(&words.priority, to.as_str())));
    status.into_iter().chain(priority).collect()
}

/// A record or collection of a call. The facts must be about the same one.
fn record<'a>(
    words: &'a Vocabulary,
    found: &'a RecordFacts,
    action: &'static str,
    collection: &'a str,
    key: Option<&'a str>,
    arguments: Option<Members<'a>>,
) -> Result<Subject<'a>, SubjectError> {
    if found.collection != collection {
        return Err(SubjectError::Facts);
    }
    of_collection(words, found, action, collection, key, arguments)
}

fn of_collection<'a>(
    words: &'a Vocabulary,
    found: &'a RecordFacts,
    action: &'static str,
    collection: &'a str,
    key: Option<&'a str>,
    arguments: Option<Members<'a>>,
) -> Result<Subject<'a>, SubjectError> {
    if found.key.as_deref() != key {
        return Err(SubjectError::Facts);
    }
    let declared = words.collections.get(collection).ok_or(SubjectError::Undeclared)?;
    let mut attributes = vec![
        ("collection", Value::Text(collection)),
        ("exists", Value::Flag(found.exists)),
        ("owned", Value::Flag(declared.owned)),
        ("fields", Value::Fields(declared, &found.fields)),
    ];
    let personal = [
        ("key", key),
        ("owner", found.owner.as_deref()),
        ("new_owner", found.new_owner.as_deref()),
    ];
    attributes.extend(
        personal.into_iter().filter_map(|(name, value)| Some((name, Value::Personal(value?)))),
    );
    let resource = Thing::new(&declared.kind, key.unwrap_or_default(), attributes);
    Ok(Subject { sort: collection, ..Subject::new(action, resource, arguments, collection) })
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

fn endpoint_thing<'a>(words: &'a Vocabulary, endpoint: &'a EndpointFacts) -> Thing<'a> {
    let name = listed_name(endpoint);
    Thing::new(
        &words.endpoint,
        name.unwrap_or_default(),
        vec![
            ("listed", Value::Flag(name.is_some())),
            ("scheme", Value::Text(&endpoint.scheme)),
            ("host", Value::Text(&endpoint.host)),
            ("port", Value::Number(endpoint.port.into())),
            ("path", Value::Text(&endpoint.path)),
            ("private", Value::Flag(endpoint.private)),
        ],
    )
}
