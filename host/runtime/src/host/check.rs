//! What a guest's values must look like.

use std::fmt::Display;

use postern_domain::CallFailure;
use serde_json::Value;

/// Longest reason for a hand-over, in bytes.
pub(crate) const REASON_BYTES: usize = 64;

/// Longest name of an entity, in bytes.
pub(crate) const ENTITY_BYTES: usize = 64;

pub(crate) type Checked<T = ()> = Result<T, CallFailure>;

/// Refuses the call and says which argument is wrong and what would be right. The
/// value itself is not repeated: it may be personal.
pub(super) fn wrong(argument: impl Display, reason: impl Display) -> CallFailure {
    CallFailure::invalid(format!("{argument}: {reason}"))
}

pub(super) fn ensure(holds: bool, argument: impl Display, reason: impl Display) -> Checked {
    if holds { Ok(()) } else { Err(wrong(argument, reason)) }
}

/// Between `least` and `most` bytes.
pub(super) fn length(argument: &str, bytes: usize, least: usize, most: usize) -> Checked {
    let fits = (least..=most).contains(&bytes);
    ensure(fits, argument, format_args!("has {bytes} bytes; {least} to {most} are accepted"))
}

/// Between `least` and `most` items.
pub(super) fn count(argument: &str, items: usize, least: usize, most: usize) -> Checked {
    let fits = (least..=most).contains(&items);
    ensure(fits, argument, format_args!("has {items} items; {least} to {most} are accepted"))
}

/// Between `least` and `most`.
pub(super) fn range(argument: &str, value: u32, least: u32, most: u32) -> Checked {
    let fits = (least..=most).contains(&value);
    ensure(fits, argument, format_args!("is {value}; {least} to {most} are accepted"))
}

/// A text without control characters, not even ends of lines.
pub(super) fn line(argument: &str, text: &str, least: usize, most: usize) -> Checked {
    length(argument, text.len(), least, most)?;
    ensure(!text.contains(char::is_control), argument, "must not contain control characters")
}

/// Lower-case letters, digits, and those of `also`.
pub(crate) fn name(argument: &str, text: &str, also: &str, most: usize) -> Checked {
    length(argument, text.len(), 1, most)?;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || also.contains(c);
    let wanted = format_args!("use lower-case letters, digits and any of {also:?}");
    ensure(text.chars().all(fits), argument, wanted)
}

/// A token as RFC 9110 section 5.6.2 has it.
pub(super) fn token(argument: &str, text: &str, most: usize) -> Checked {
    length(argument, text.len(), 1, most)?;
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    ensure(text.bytes().all(fits), argument, "is no header name (RFC 9110)")
}

/// A collection of records.
pub(super) fn collection(text: &str) -> Checked {
    name("collection", text, "_-", 64)
}

/// The key of a record or of a value.
pub(super) fn key(text: &str) -> Checked {
    line("key", text, 1, 200)
}

/// A short machine-readable reason or tag.
pub(crate) fn slug(argument: &str, text: &str, most: usize) -> Checked {
    name(argument, text, "-", most)
}

/// The text of a JSON object.
pub(super) fn object(argument: &str, text: &str, most: usize) -> Checked<Value> {
    length(argument, text.len(), 2, most)?;
    // The parser's own words may repeat the text, so only the place is told.
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let place = format!("is not JSON: line {}, column {}", error.line(), error.column());
        wrong(argument, place)
    })?;
    ensure(value.is_object(), argument, "must be a JSON object")?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(checked: Checked, wanted: Option<&str>) {
        assert_eq!(checked.err().map(|f| f.message).as_deref(), wanted);
    }

    #[test]
    fn a_failure_names_the_argument_and_what_is_right() {
        check(collection("orders"), None);
        check(key("#W1000001"), None);
        check(collection(""), Some("collection: has 0 bytes; 1 to 64 are accepted"));
        check(
            collection("../orders"),
            Some("collection: use lower-case letters, digits and any of \"_-\""),
        );
        check(key("a\nb"), Some("key: must not contain control characters"));
        check(range("limit", 101, 1, 100), Some("limit: is 101; 1 to 100 are accepted"));
        check(token("headers", "x-id", 100), None);
        check(token("headers", "x id", 100), Some("headers: is no header name (RFC 9110)"));
        check(
            slug("tag", "Ümlaut", 40),
            Some("tag: use lower-case letters, digits and any of \"-\""),
        );
    }
}
