//! What the fake host knows.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, VecDeque},
};

use postern_scenario::Edge;
use serde_json::Value;

use super::{Call, Line};
use crate::{
    HostError, HostErrorKind,
    http::{Method, Request, Response},
    knowledge::Passage,
    model,
    records::{Expected, Record, Step},
    ticket::{Change, Priority, Status, Ticket},
};

thread_local! {
    static STATE: RefCell<Option<State>> = const { RefCell::new(None) };
}

/// Sets the state of this thread.
pub(super) fn replace(state: Option<State>) {
    STATE.with_borrow_mut(|current| *current = state);
}

/// Works with the state of this thread, for a holder of a [`super::Host`].
pub(super) fn with<T>(work: impl FnOnce(&mut State) -> T) -> T {
    STATE.with_borrow_mut(|state| work(state.get_or_insert_default()))
}

/// Works with the state of this thread if there is one.
pub(super) fn with_existing<T>(work: impl FnOnce(&mut State) -> T) -> Option<T> {
    STATE.with_borrow_mut(|state| state.as_mut().map(work))
}

type When = Box<dyn Fn(&Call) -> bool>;
type Answer<T> = Result<T, HostError>;

#[derive(Default)]
pub(super) struct State {
    pub(super) calls: Vec<Call>,
    /// How each call failed, if it did.
    pub(super) endings: Vec<Option<HostErrorKind>>,
    /// Who the customer turned out to be.
    pub(super) identified: Option<String>,
    /// Answers requests in the place of single answers, while a scenario runs.
    pub(super) edge: Option<Edge>,
    pub(super) log: Vec<Line>,
    records: BTreeMap<(String, String), (u64, Value)>,
    answers: Vec<(Method, String, Response)>,
    failures: Vec<(When, HostError)>,
    values: BTreeMap<String, Vec<u8>>,
    tickets: Vec<Ticket>,
    articles: BTreeMap<String, Vec<Passage>>,
    completions: VecDeque<model::Answer>,
    jobs: BTreeSet<String>,
    planned: u32,
}

fn error(kind: HostErrorKind, message: impl Into<String>) -> HostError {
    HostError::new(kind, message)
}

fn key_of(collection: &str, key: &str) -> (String, String) {
    (collection.to_owned(), key.to_owned())
}

impl State {
    /// Remembers a call, and fails if a test wants it to.
    pub(super) fn admit(&mut self, call: Call) -> Answer<()> {
        let failure = self.failures.iter().find(|(when, _)| when(&call));
        let result = failure.map_or(Ok(()), |(_, error)| Err(error.clone()));
        self.calls.push(call);
        result
    }

    pub(super) fn fail_when(&mut self, when: When, error: HostError) {
        self.failures.push((when, error));
    }

    pub(super) fn forget_failures(&mut self) {
        self.failures.clear();
    }

    pub(super) fn answer(&mut self, method: Method, url: &str, response: Response) {
        self.answers.retain(|(known, at, _)| (*known, at.as_str()) != (method, url));
        self.answers.push((method, url.to_owned(), response));
    }

    pub(super) fn send(&mut self, request: &Request) -> Answer<Response> {
        if let Some(edge) = &mut self.edge {
            return super::edge::ask(edge, request);
        }
        let found = self
            .answers
            .iter()
            .find(|(method, url, _)| *method == request.method && *url == request.url);
        found.map(|(_, _, response)| response.clone()).ok_or_else(|| {
            error(HostErrorKind::Unavailable, format!("{} does not answer", request.url))
        })
    }

    pub(super) fn put(&mut self, collection: &str, key: &str, body: Value) -> u64 {
        let (version, kept) =
            self.records.entry(key_of(collection, key)).or_insert((0, Value::Null));
        *version += 1;
        *kept = body;
        *version
    }

    pub(super) fn body(&self, collection: &str, key: &str) -> Option<Value> {
        self.records.get(&key_of(collection, key)).map(|(_, body)| body.clone())
    }

    pub(super) fn get(&self, collection: &str, key: &str) -> Answer<Record<String>> {
        let found = self.records.get(&key_of(collection, key));
        let (version, body) = found.ok_or_else(|| {
            error(HostErrorKind::NotFound, format!("{collection} has no record {key}"))
        })?;
        Ok(Record { key: key.to_owned(), version: *version, body: body.to_string() })
    }

    pub(super) fn query(
        &self,
        collection: &str,
        conditions: &[(&str, &str)],
        limit: u32,
    ) -> Answer<Vec<Record<String>>> {
        if conditions.is_empty() || !(1..=100).contains(&limit) {
            let message = "a query needs a condition and a limit from 1 to 100";
            return Err(error(HostErrorKind::Invalid, message));
        }
        Ok(self.matching(collection, conditions).take(limit as usize).collect())
    }

    pub(super) fn identify(
        &mut self,
        collection: &str,
        details: &[(&str, &str)],
    ) -> Answer<(String, Record<String>)> {
        let mut found = self.matching(collection, details);
        match (found.next(), found.next()) {
            (Some(record), None) if !details.is_empty() => {
                drop(found);
                self.identified = Some(record.key.clone());
                Ok((record.key.clone(), record))
            }
            _ => Err(error(HostErrorKind::NotFound, "no single record has these details")),
        }
    }

    fn matching(
        &self,
        collection: &str,
        conditions: &[(&str, &str)],
    ) -> impl Iterator<Item = Record<String>> {
        self.records
            .iter()
            .filter(move |((kept, _), (_, body))| {
                kept == collection
                    && conditions.iter().all(|(field, text)| field_equals(body, field, text))
            })
            .map(|((_, key), (version, body))| Record {
                key: key.clone(),
                version: *version,
                body: body.to_string(),
            })
    }

    pub(super) fn write(&mut self, steps: &[Step]) -> Answer<Vec<u64>> {
        let mut bodies = Vec::new();
        for step in steps {
            let (collection, key, wanted) = match step {
                Step::Put { collection, key, expected: Expected::Absent, .. } => {
                    (collection, key, None)
                }
                Step::Put { collection, key, expected: Expected::Version(version), .. }
                | Step::Delete { collection, key, version } => (collection, key, Some(*version)),
            };
            let version = self.records.get(&key_of(collection, key)).map(|(version, _)| *version);
            if version != wanted {
                let message = format!("{collection} {key} is not in the expected version");
                return Err(error(HostErrorKind::Conflict, message));
            }
            bodies.push(match step {
                Step::Put { body, .. } => Some(serde_json::from_str(body).map_err(|_| {
                    error(HostErrorKind::Invalid, format!("{collection} {key}: body is not JSON"))
                })?),
                Step::Delete { .. } => None,
            });
        }
        Ok(steps.iter().zip(bodies).map(|(step, body)| self.apply(step, body)).collect())
    }

    fn apply(&mut self, step: &Step, body: Option<Value>) -> u64 {
        match step {
            Step::Put { collection, key, .. } => {
                self.put(collection, key, body.unwrap_or(Value::Null))
            }
            Step::Delete { collection, key, .. } => {
                self.records.remove(&key_of(collection, key));
                0
            }
        }
    }

    pub(super) fn value(&self, key: &str) -> Option<Vec<u8>> {
        self.values.get(key).cloned()
    }

    pub(super) fn set_value(&mut self, key: &str, value: Option<&[u8]>) {
        match value {
            Some(value) => self.values.insert(key.to_owned(), value.to_vec()),
            None => self.values.remove(key),
        };
    }

    /// A ticket of before.
    pub(super) fn keep_ticket(
        &mut self,
        subject: &str,
        priority: Priority,
        status: Status,
        tags: &[String],
    ) {
        let opened = self.open_ticket(subject, priority);
        if let Ok(ticket) = self.ticket(&opened.id) {
            ticket.status = status;
            ticket.tags = tags.to_vec();
        }
    }

    pub(super) fn open_ticket(&mut self, subject: &str, priority: Priority) -> Ticket {
        let ticket = Ticket {
            id: format!("tkt_{}", self.tickets.len() + 1),
            subject: subject.to_owned(),
            status: Status::New,
            priority,
            tags: Vec::new(),
            created_ms: 0,
        };
        self.tickets.push(ticket.clone());
        ticket
    }

    pub(super) fn ticket(&mut self, id: &str) -> Answer<&mut Ticket> {
        let found = self.tickets.iter_mut().find(|ticket| ticket.id == id);
        found.ok_or_else(|| error(HostErrorKind::NotFound, format!("no ticket {id}")))
    }

    pub(super) fn change_ticket(&mut self, id: &str, change: &Change) -> Answer<Ticket> {
        let ticket = self.ticket(id)?;
        if let Some(subject) = &change.subject {
            ticket.subject.clone_from(subject);
        }
        ticket.status = change.status.unwrap_or(ticket.status);
        ticket.priority = change.priority.unwrap_or(ticket.priority);
        Ok(ticket.clone())
    }

    pub(super) fn keep_passages(&mut self, collection: &str, passages: Vec<Passage>) {
        self.articles.insert(collection.to_owned(), passages);
    }

    pub(super) fn passages(&self, collection: &str, limit: u32) -> Answer<Vec<Passage>> {
        let found = self.articles.get(collection).ok_or_else(|| {
            error(HostErrorKind::Unavailable, "the fake host has no knowledge base of this name")
        })?;
        Ok(found.iter().take(limit as usize).cloned().collect())
    }

    pub(super) fn keep_completion(&mut self, answer: model::Answer) {
        self.completions.push_back(answer);
    }

    pub(super) fn next_completion(&mut self) -> Answer<model::Answer> {
        self.completions.pop_front().ok_or_else(|| {
            error(HostErrorKind::Unavailable, "the fake host was told no more completions")
        })
    }

    /// The name of a new job.
    pub(super) fn plan_job(&mut self) -> String {
        self.planned += 1;
        let id = format!("job_{}", self.planned);
        self.jobs.insert(id.clone());
        id
    }

    pub(super) fn cancel_job(&mut self, id: &str) -> Answer<()> {
        match self.jobs.remove(id) {
            true => Ok(()),
            false => Err(error(HostErrorKind::NotFound, format!("no job {id}"))),
        }
    }

    pub(super) fn tickets(&self, limit: u32) -> Vec<Ticket> {
        self.tickets.iter().rev().take(limit as usize).cloned().collect()
    }
}

fn field_equals(body: &Value, field: &str, text: &str) -> bool {
    let found = field.split('.').try_fold(body, |at, name| at.get(name));
    found.is_some_and(|value| match value {
        Value::String(kept) => kept == text,
        Value::Bool(kept) => kept.to_string() == text,
        Value::Number(kept) => kept.to_string() == text,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    })
}
