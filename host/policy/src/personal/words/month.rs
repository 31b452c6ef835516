//! Names of months, in English.

use super::Token;

/// The whole names.
pub(super) const NAMES: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Whether a token can be one: the quick look.
pub(super) fn starts(bytes: &[u8], token: Token) -> bool {
    let first = bytes[token.start] | 0x20;
    (3..=9).contains(&(token.end - token.start))
        && matches!(first, b'j' | b'f' | b'm' | b'a' | b's' | b'o' | b'n' | b'd')
        && is_name(&bytes[token.start..token.end])
}

/// Whether this is the name of a month, whole or in three letters, or `Sept`.
pub(super) fn is_name(word: &[u8]) -> bool {
    NAMES.iter().any(|name| {
        word.eq_ignore_ascii_case(name.as_bytes())
            || word.eq_ignore_ascii_case(&name.as_bytes()[..3])
    }) || word.eq_ignore_ascii_case(b"sept")
}

/// Whether the word means nothing else.
pub(super) fn is_clear(word: &[u8]) -> bool {
    let unclear = ["may", "march", "mar", "jan", "dec", "sep", "august"];
    let is_lower = !word[0].is_ascii_uppercase();
    !(is_lower && unclear.iter().any(|name| word.eq_ignore_ascii_case(name.as_bytes())))
}
