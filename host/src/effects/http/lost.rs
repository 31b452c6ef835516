//! Requests whose answer did not come.

use std::{error::Error, io};

use postern_domain::{CallFailure, FailureKind};

use super::address::AddressRefused;

/// Why an answer did not come, for the skill. Only the failure to connect proves
/// that nothing happened.
pub(super) fn lost(error: &reqwest::Error, repeatable: bool) -> CallFailure {
    if cause::<AddressRefused>(error).is_some() {
        let reason = "the server's name leads to an address that is not public: the operator can \
                      name its network under `private` of the endpoint";
        return CallFailure::new(FailureKind::Denied, reason);
    }
    let what = if error.is_timeout() {
        "the server did not answer in time"
    } else if cause::<rustls::Error>(error).is_some() && error.is_connect() {
        "no secure connection to the server: the operator can check its certificate"
    } else if error.is_connect() {
        "the server cannot be reached"
    } else {
        "the connection broke"
    };
    if error.is_connect() {
        return CallFailure::new(FailureKind::Unavailable, what);
    }
    unanswered(what, repeatable)
}

/// Nobody answered in time.
pub(super) fn no_answer(repeatable: bool) -> CallFailure {
    unanswered("the server did not answer in time", repeatable)
}

fn unanswered(what: &str, repeatable: bool) -> CallFailure {
    if repeatable {
        return CallFailure::new(FailureKind::Unavailable, what);
    }
    let message = format!("{what}; whether the request took effect is not known");
    CallFailure::new(FailureKind::Uncertain, message)
}

/// The first error of a type in a chain. An `io::Error` hides the one that it
/// wraps from `source`.
fn cause<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}
