//! Years that stand alone in prose, told from amounts and counts by the words around them.

use super::{Token, after, before, month};

const FIRST: u32 = 1900;
const LAST: u32 = 2050;

/// After these a number of that size is a year, unless something is counted.
const SINCE: &[&str] = &[
    "since",
    "year",
    "circa",
    "copyright",
    "spring",
    "summer",
    "autumn",
    "winter",
    "class",
    "vintage",
    "signed",
    "dated",
    "built",
    "founded",
    "released",
    "issued",
    "opened",
];
/// After these it is one if it is not round.
const IN: &[&str] = &[
    "in", "until", "till", "during", "before", "after", "by", "early", "late", "mid", "around",
    "between", "from", "for",
];
/// What has a year after `of`.
const OF: &[&str] = &[
    "act",
    "acts",
    "agreement",
    "amendment",
    "autumn",
    "beginning",
    "bill",
    "class",
    "code",
    "constitution",
    "convention",
    "crash",
    "crisis",
    "declaration",
    "early",
    "earthquake",
    "edition",
    "election",
    "elections",
    "end",
    "fall",
    "flood",
    "games",
    "generation",
    "half",
    "late",
    "law",
    "middle",
    "month",
    "olympics",
    "ordinance",
    "quarter",
    "recession",
    "regulations",
    "revolution",
    "season",
    "session",
    "spring",
    "start",
    "statute",
    "summer",
    "treaty",
    "war",
    "winter",
    "year",
];
/// What is counted or paid.
const UNITS: &[&str] = &[
    "amount",
    "balance",
    "bucks",
    "calories",
    "cash",
    "cents",
    "charge",
    "charges",
    "credit",
    "customers",
    "deposit",
    "deposits",
    "dollar",
    "dollars",
    "euro",
    "euros",
    "eur",
    "feet",
    "fee",
    "ft",
    "gbp",
    "grams",
    "hours",
    "hp",
    "items",
    "kg",
    "kilometers",
    "km",
    "kwh",
    "limit",
    "limits",
    "mah",
    "maximum",
    "meters",
    "metres",
    "mg",
    "mile",
    "miles",
    "minimum",
    "minutes",
    "ml",
    "orders",
    "payment",
    "payments",
    "pcs",
    "people",
    "percent",
    "pieces",
    "point",
    "points",
    "pound",
    "pounds",
    "purchase",
    "quid",
    "refund",
    "rmb",
    "rpm",
    "rupee",
    "rupees",
    "seconds",
    "sq",
    "square",
    "steps",
    "times",
    "transaction",
    "transactions",
    "transfer",
    "transfers",
    "units",
    "usd",
    "users",
    "watt",
    "watts",
    "withdrawal",
    "words",
    "yards",
    "yen",
    "yuan",
];

/// How sure it is that a number of four digits is a year.
pub(super) fn read(text: &str, token: Token) -> Option<u8> {
    if !token.is_number() || token.digits != 4 {
        return None;
    }
    let year: u32 = text[token.start..token.end].parse().ok()?;
    if !(FIRST..=LAST).contains(&year) || goes_on(text, token) {
        return None;
    }
    let (word, at) = word_before(text, token.start);
    let next = word_after(text, token.end);
    let is = |list: &[&str], word: &str| list.iter().any(|one| one.eq_ignore_ascii_case(word));
    let is_of = |word: &str| is(OF, word) || is(&month::NAMES, word);
    if is(UNITS, next) {
        return None;
    }
    let is_round = year.is_multiple_of(100);
    let found = match before(text, token.start) {
        Some(b'(') => after(text, token.end) == Some(b')') && !word.is_empty() && !is_round,
        Some(b' ') => {
            let is_one = ["a", "an", "the"].iter().any(|one| word.eq_ignore_ascii_case(one));
            // `may 2020` is as likely a permission.
            is(SINCE, word)
                || is(&month::NAMES, word) && !word.eq_ignore_ascii_case("may")
                || word == "on" && is_birth(word_before(text, at).0)
                || is(IN, word) && (!is_round || next.is_empty() && word.len() == 2)
                || word.eq_ignore_ascii_case("of") && is_of(word_before(text, at).0)
                || is_one && !is_round && !next.is_empty()
                || ["and", "to"].contains(&word) && is_range(text, at)
        }
        Some(_) | None => false,
    };
    found.then_some(45)
}

/// `born on 1985`.
fn is_birth(word: &str) -> bool {
    ["born", "birth", "birthday"].iter().any(|one| one.eq_ignore_ascii_case(word))
}

/// Whether a number goes on, or is joined to something.
fn goes_on(text: &str, token: Token) -> bool {
    let further = |at| after(text, at + 1).is_some_and(|byte| byte.is_ascii_alphanumeric());
    match after(text, token.end) {
        Some(b'.' | b',' | b':' | b'-' | b'/') => further(token.end),
        Some(b'%' | b'_' | b'+' | b'=' | b'$') => true,
        Some(_) | None => text[token.end..].starts_with(['€', '£', '¥', '元', '块']),
    }
}

/// `1999 and 2004`: whether a year stands before this place.
fn is_range(text: &str, at: usize) -> bool {
    let head = text[..at].trim_end_matches(' ').as_bytes();
    let digits = head.iter().rev().take(5).take_while(|byte| byte.is_ascii_digit()).count();
    digits == 4 && matches!(head[head.len() - 4], b'1' | b'2')
}

/// The word before a place, after one space or bracket, and where it begins.
pub(super) fn word_before(text: &str, at: usize) -> (&str, usize) {
    const LONGEST: usize = 12;
    let head = &text.as_bytes()[..at];
    let gap =
        head.iter().rev().take(3).take_while(|byte| matches!(byte, b' ' | b'(' | b':')).count();
    let end = at - gap;
    let letters = head[..end].iter().rev().take(LONGEST);
    let width = letters.take_while(|byte| byte.is_ascii_alphabetic()).count();
    (&text[end - width..end], end - width)
}

/// The word after a place, behind one space.
fn word_after(text: &str, at: usize) -> &str {
    const LONGEST: usize = 14;
    let rest = text[at..].strip_prefix([' ', '-']).unwrap_or_default();
    let letters = rest.bytes().take(LONGEST).take_while(u8::is_ascii_alphabetic).count();
    &rest[..letters]
}

/// Whether a day and a month without a year can follow this word.
pub(super) fn is_when(word: &str, is_wide: bool) -> bool {
    let clear = [
        "today",
        "date",
        "dated",
        "since",
        "until",
        "till",
        "due",
        "exp",
        "expires",
        "expiry",
        "expiration",
        "yesterday",
        "tomorrow",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let unclear = ["is", "on", "by", "before", "after", "from", "to"];
    let is = |list: &[&str]| list.iter().any(|one| one.eq_ignore_ascii_case(word));
    is(&clear) || is_wide && is(&unclear)
}
