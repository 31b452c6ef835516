//! Nothing personal in what the host writes for people and machines to read: its log,
//! errors, metrics, audit rows, what it says on a terminal when something breaks.
//!
//! Each of these passes [`clean`] where it leaves the host, not where it is made, so
//! that no caller can forget it. What is looked for are the types that the rules in
//! force take out of logs, as they stand and as base64, hexadecimal digits, percent
//! signs, JSON or HTML escapes would hide them, one within another.

mod encoded;
mod errors;
mod lines;
mod stderr;
#[cfg(test)]
mod tests;
mod unescaped;

use std::{
    borrow::Cow,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
};

use postern_domain::SkillFailure;
use postern_policy::personal::{DataKind, Detector, Finding, Purpose};

pub(crate) use encoded::{Found, Hidden};
pub use errors::{LONGEST_ERROR, errors};
pub use lines::Stream;
pub use stderr::{Log, catch_panics, tell};

/// What is looked for: one for the process, because so are its log and its panics.
static CURRENT: RwLock<Option<Arc<Detector>>> = RwLock::new(None);

/// From now on, this detector says what is taken out.
pub fn set(detector: Arc<Detector>) {
    *CURRENT.write().unwrap_or_else(PoisonError::into_inner) = Some(detector);
}

/// The detector that says what is taken out: that of the rules that were read last,
/// before that the standard one.
pub fn current() -> Arc<Detector> {
    let current = CURRENT.read().unwrap_or_else(PoisonError::into_inner).clone();
    current.unwrap_or_else(Detector::standard)
}

/// A text with `[KIND]` in place of everything personal, whatever of the usual ways it
/// is written in. Cleaning twice changes nothing more.
pub fn clean(text: &str) -> Cow<'_, str> {
    lines::clean(text, &current())
}

/// What a purpose takes out of a text, as it stands and as base64, hexadecimal digits,
/// percent signs, JSON or HTML escapes hide it: in order, without overlap.
pub(crate) fn find(text: &str, detector: &Detector, purpose: Purpose) -> Vec<Finding> {
    find_values(text, detector, purpose).into_iter().map(|found| found.finding).collect()
}

/// The same with the values that encodings hide.
pub(crate) fn find_values(text: &str, detector: &Detector, purpose: Purpose) -> Vec<Found> {
    encoded::every(text, detector, purpose)
}

/// Every value that encodings hide in a text, also where something else was found.
pub(crate) fn hidden(text: &str, detector: &Detector, purpose: Purpose) -> Vec<Hidden> {
    encoded::hidden(text, detector, purpose)
}

/// A text in which escapes are what they stand for; none if nothing in it is escaped.
pub(crate) fn unescaped(text: &str) -> Option<String> {
    unescaped::Unescaped::of(text).map(|copy| copy.text)
}

/// Whether a finding is an address of an inner network, which tells nothing about anybody.
pub(crate) fn is_nobodys(kind: DataKind, text: &str) -> bool {
    let inner = |address: IpAddr| match address {
        IpAddr::V4(four) => four.is_private() || four.is_link_local(),
        IpAddr::V6(six) => six.is_unique_local() || six.is_unicast_link_local(),
    };
    let address = || text.trim_matches(['[', ']']).parse::<IpAddr>();
    encoded::is_this_machine(kind, text)
        || kind == DataKind::IpAddress && address().is_ok_and(inner)
}

/// A failure in a skill's own words, cleaned.
pub fn failure(failure: SkillFailure) -> SkillFailure {
    let clean = |message: String| clean(&message).into_owned();
    match failure {
        SkillFailure::InvalidArguments { message } => {
            SkillFailure::InvalidArguments { message: clean(message) }
        }
        SkillFailure::Denied { message } => SkillFailure::Denied { message: clean(message) },
        SkillFailure::Unavailable { message } => {
            SkillFailure::Unavailable { message: clean(message) }
        }
        SkillFailure::Internal { message } => SkillFailure::Internal { message: clean(message) },
        SkillFailure::Trap { message } => SkillFailure::Trap { message: clean(message) },
        SkillFailure::Limit { skill, limit, value } => SkillFailure::Limit { skill, limit, value },
    }
}
