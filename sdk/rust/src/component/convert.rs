//! Conversions between the types of this crate and the generated ones.

use super::{
    client, completion, guest, logging, people, search, sending, state, store, tickets, timer,
};
use crate::{
    Context, Customer, Failure, HostError, HostErrorKind, IdentityLevel, Outcome, Retry, Severity,
    component::bindings::postern::skill::types,
    http,
    knowledge::Passage,
    message::Audience,
    model,
    records::{Expected, Record, Step},
    schedule::When,
    ticket::{Change, Priority, Status, Ticket},
};

/// Each WIT package has a failure of its own, all of one shape.
macro_rules! failures {
    ($($package:ident),+) => {
        $(impl From<$package::Failure> for HostError {
            fn from(failure: $package::Failure) -> Self {
                let kind = match failure.kind {
                    $package::FailureKind::Denied => HostErrorKind::Denied,
                    $package::FailureKind::Invalid => HostErrorKind::Invalid,
                    $package::FailureKind::NotFound => HostErrorKind::NotFound,
                    $package::FailureKind::Conflict => HostErrorKind::Conflict,
                    $package::FailureKind::Limited => HostErrorKind::Limited,
                    $package::FailureKind::Unavailable => HostErrorKind::Unavailable,
                    $package::FailureKind::Uncertain => HostErrorKind::Uncertain,
                };
                let retry = match failure.retry {
                    $package::Retry::Never => Retry::Never,
                    $package::Retry::Now => Retry::Now,
                    $package::Retry::After(ms) => Retry::AfterMs(ms),
                };
                Self { kind, message: failure.message, retry }
            }
        })+
    };
}

failures!(store, client, search, completion, state, tickets, sending, people, timer);

/// Enums with the same cases on both sides.
macro_rules! same_cases {
    ($from:path => $to:path { $($case:ident),+ }) => {
        impl From<$from> for $to {
            fn from(value: $from) -> Self {
                match value {
                    $(<$from>::$case => <$to>::$case,)+
                }
            }
        }
    };
}

same_cases!(log::Level => logging::Level { Trace, Debug, Info, Warn, Error });
same_cases!(http::Method => client::Method { Get, Head, Post, Put, Patch, Delete });
same_cases!(Severity => people::Severity { Low, Normal, High, Critical });
same_cases!(Severity => types::Severity { Low, Normal, High, Critical });
same_cases!(model::Role => completion::Role { System, User, Assistant });
same_cases!(types::IdentityLevel => IdentityLevel { Unknown, Identified, Verified });
same_cases!(Priority => tickets::Priority { P1, P2, P3, P4 });
same_cases!(tickets::Priority => Priority { P1, P2, P3, P4 });
same_cases!(Status => tickets::Status {
    New, Open, WaitingCustomer, WaitingThirdParty, Resolved, Closed
});
same_cases!(tickets::Status => Status {
    New, Open, WaitingCustomer, WaitingThirdParty, Resolved, Closed
});

impl From<guest::Context> for Context {
    fn from(context: guest::Context) -> Self {
        Self {
            invocation_id: context.invocation_id,
            now_ms: context.now_ms,
            language: context.language,
            customer: Customer { key: context.customer.key, level: context.customer.level.into() },
            settings: context.settings,
        }
    }
}

impl From<Outcome> for guest::Outcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Reply(text) => Self::Reply(text),
            Outcome::Ask { entity, text } => Self::Ask(types::Question { entity, text }),
            Outcome::HandOver { reason, severity, text } => {
                Self::HandOver(types::HandOver { reason, severity: severity.into(), text })
            }
            Outcome::Done => Self::Done,
        }
    }
}

impl From<Failure> for guest::Failure {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::InvalidArguments(text) => Self::InvalidArguments(text),
            Failure::Denied(text) => Self::Denied(text),
            Failure::Unavailable(text) => Self::Unavailable(text),
            Failure::Internal(text) => Self::Internal(text),
        }
    }
}

pub(super) fn equals(conditions: &[(&str, &str)]) -> Vec<store::Equals> {
    let equals = |&(field, value): &(&str, &str)| store::Equals {
        field: field.to_owned(),
        value: value.to_owned(),
    };
    conditions.iter().map(equals).collect()
}

impl From<store::Document> for Record<String> {
    fn from(document: store::Document) -> Self {
        Self { key: document.key, version: document.version, body: document.body }
    }
}

impl From<&Step> for store::Step {
    fn from(step: &Step) -> Self {
        match step {
            Step::Put { collection, key, body, expected } => Self::Put(store::Put {
                collection: collection.clone(),
                key: key.clone(),
                body: body.clone(),
                expected: match expected {
                    Expected::Absent => store::Expected::Absent,
                    Expected::Version(version) => store::Expected::Version(*version),
                },
            }),
            Step::Delete { collection, key, version } => Self::Delete(store::Delete {
                collection: collection.clone(),
                key: key.clone(),
                version: *version,
            }),
        }
    }
}

impl From<&http::Request> for client::Request {
    fn from(request: &http::Request) -> Self {
        Self {
            method: request.method.into(),
            url: request.url.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
            secrets: request.secrets.clone(),
            idempotent: request.idempotent,
        }
    }
}

impl From<client::Response> for http::Response {
    fn from(response: client::Response) -> Self {
        Self { status: response.status, headers: response.headers, body: response.body }
    }
}

impl From<tickets::Ticket> for Ticket {
    fn from(ticket: tickets::Ticket) -> Self {
        Self {
            id: ticket.id,
            subject: ticket.subject,
            status: ticket.status.into(),
            priority: ticket.priority.into(),
            tags: ticket.tags,
            created_ms: ticket.created_ms,
        }
    }
}

impl From<&Change> for tickets::Change {
    fn from(change: &Change) -> Self {
        Self {
            subject: change.subject.clone(),
            status: change.status.map(Into::into),
            priority: change.priority.map(Into::into),
        }
    }
}

impl From<search::Passage> for Passage {
    fn from(passage: search::Passage) -> Self {
        let search::Passage { id, title, text, relevance } = passage;
        Self { id, title, text, relevance }
    }
}

impl From<&model::Request> for completion::Request {
    fn from(request: &model::Request) -> Self {
        let message = |(role, text): &(model::Role, String)| completion::Message {
            role: (*role).into(),
            text: text.clone(),
        };
        Self {
            purpose: request.purpose.clone(),
            messages: request.messages.iter().map(message).collect(),
            max_tokens: request.max_tokens,
        }
    }
}

impl From<completion::Answer> for model::Answer {
    fn from(answer: completion::Answer) -> Self {
        let completion::Answer { text, input_tokens, output_tokens } = answer;
        Self { text, input_tokens, output_tokens }
    }
}

impl From<&Audience> for sending::Audience {
    fn from(audience: &Audience) -> Self {
        match audience {
            Audience::Customer => Self::Customer,
            Audience::Queue(name) => Self::Queue(name.clone()),
            Audience::Customers(keys) => Self::Customers(keys.clone()),
        }
    }
}

impl From<&When> for timer::When {
    fn from(when: &When) -> Self {
        match when {
            When::AtMs(ms) => Self::AtMs(*ms),
            When::Cron(expression) => Self::Cron(expression.clone()),
        }
    }
}
