//! The interfaces of `wit/`, each call turned into a [`HostCall`] and back.
//!
//! A guest's values are checked here, once: whatever reaches the port is bounded
//! and well formed.

pub(crate) mod check;
mod handover;
mod http;
mod knowledge;
mod kv;
mod log;
mod message;
mod model;
mod records;
mod schedule;
mod ticket;
pub(crate) mod weight;

use postern_domain::{CallFailure, FailureKind, Retry};

use crate::bindings::postern;

/// What a guest gets: an answer, or a failure that it can handle. The outer error
/// ends it.
type Answer<T, F> = wasmtime::Result<Result<T, F>>;

/// The guest's answer to a call: the value out of the one reply that fits. The
/// bytes are those of the call's arguments as they came, before they are checked.
macro_rules! answer {
    ($state:ident.ask($interface:ident, $bytes:expr, $call:expr), $reply:pat => $value:expr) => {{
        let bytes: u64 = $bytes;
        let call: Result<postern_domain::HostCall, postern_domain::CallFailure> = $call;
        let action = call.as_ref().map_or("", postern_domain::HostCall::action);
        match $state.ask(postern_domain::Interface::$interface, bytes, call).await? {
            Ok($reply) => Ok(Ok($value)),
            Ok(_) => Err($state.wrong_reply(action)),
            Err(failure) => Ok(Err(failure.into())),
        }
    }};
}
pub(crate) use answer;

/// Each WIT package has a failure type of its own, all of one shape, because
/// packages are versioned by themselves.
macro_rules! failures {
    ($($package:ident::$interface:ident),*) => {$(
        impl From<CallFailure> for postern::$package::$interface::Failure {
            fn from(failure: CallFailure) -> Self {
                use postern::$package::$interface as wit;
                Self {
                    kind: match failure.kind {
                        FailureKind::Denied => wit::FailureKind::Denied,
                        FailureKind::Invalid => wit::FailureKind::Invalid,
                        FailureKind::NotFound => wit::FailureKind::NotFound,
                        FailureKind::Conflict => wit::FailureKind::Conflict,
                        FailureKind::Limited => wit::FailureKind::Limited,
                        FailureKind::Unavailable => wit::FailureKind::Unavailable,
                        FailureKind::Uncertain => wit::FailureKind::Uncertain,
                    },
                    message: failure.message,
                    retry: match failure.retry {
                        Retry::Never => wit::Retry::Never,
                        Retry::Now => wit::Retry::Now,
                        Retry::AfterMs(ms) => wit::Retry::After(ms),
                    },
                }
            }
        }
    )*};
}

failures!(
    handover::people,
    http::client,
    knowledge::search,
    kv::state,
    message::sending,
    model::completion,
    records::store,
    schedule::timer,
    ticket::tickets
);
