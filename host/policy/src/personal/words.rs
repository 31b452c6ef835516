//! Personal data that is more than a number: addresses of the net, account codes,
//! secrets, dates, licences, and what fields call a name or an address.

mod announced;
mod code;
mod crypto;
mod date;
mod fields;
mod iban;
mod keywords;
mod licence;
mod month;
mod net;
mod secret;
mod top_level;
mod url;
mod year;

#[cfg(test)]
mod tests;

use std::ops::{Range, RangeInclusive};

use self::keywords::{Keyword, Sense};
pub(super) use self::top_level::is_top_level;
use super::{DataKind, Finding, email};

/// Digits of a phone number (ITU-T E.164).
const PHONE: RangeInclusive<usize> = 7..=15;

/// Finds them in folded text; spans are bytes of it.
///
/// One pass over the runs of ASCII letters and digits, each of which is looked at by the
/// families that it can belong to. A family that reads on beyond a run remembers how far,
/// so that no byte is read more than a few times.
pub(super) fn find(text: &str, out: &mut Vec<Finding>) {
    for span in email::find(text) {
        // The number that touches an address is read nowhere else, as a part of a name.
        let digits = text[span.end..].bytes().take_while(u8::is_ascii_digit).count();
        if PHONE.contains(&digits) {
            let span = span.end..span.end + digits;
            out.push(Finding { span, kind: DataKind::Phone, confidence: 55 });
        }
        out.push(Finding { span, kind: DataKind::Email, confidence: 95 });
    }
    for span in email::find_apart(text) {
        out.push(Finding { span, kind: DataKind::Email, confidence: 60 });
    }
    let keywords = keywords::find(text);
    let mut scan = Scan { text, keywords: &keywords, out, read: Read::default() };
    for keyword in &keywords {
        match keyword.sense {
            Sense::Prefix(shape) => secret::at_prefix(&mut scan, keyword.start, shape),
            Sense::Secret(said) => announced::read(&mut scan, keyword, said),
            Sense::PrivateKey => secret::private_key(&mut scan, keyword),
            Sense::Field(field) => fields::read(&mut scan, keyword, field),
            Sense::Thing | Sense::Birth | Sense::Licence | Sense::Permission => {}
        }
    }
    scan.run();
}

/// A text on the way through it.
struct Scan<'t> {
    text: &'t str,
    /// What was announced, in order.
    keywords: &'t [Keyword],
    out: &'t mut Vec<Finding>,
    read: Read,
}

/// Up to where each family has read.
#[derive(Default)]
struct Read {
    /// Numbers with dots.
    dots: usize,
    /// Numbers with colons.
    colons: usize,
    /// What was a URL or the name of a host.
    url: usize,
    /// What could have been the name of a host.
    name: usize,
    date: usize,
    secret: usize,
}

/// A run of ASCII letters and digits.
#[derive(Clone, Copy)]
struct Token {
    start: usize,
    end: usize,
    digits: usize,
}

impl Token {
    fn is_number(&self) -> bool {
        self.digits == self.end - self.start
    }
}

impl Scan<'_> {
    fn run(&mut self) {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if !byte.is_ascii_alphanumeric() {
                if *byte == b':' && bytes.get(at + 1) == Some(&b':') {
                    net::at_colons(self, at);
                }
                at += 1;
                continue;
            }
            at += escape(bytes, at);
            let token = token(bytes, at);
            self.token(token);
            at = token.end;
        }
    }

    fn token(&mut self, token: Token) {
        let bytes = self.text.as_bytes();
        let next = bytes.get(token.end).copied();
        if next == Some(b':') && bytes[token.end..].starts_with(b"://") {
            url::at_scheme(self, token);
        } else if next == Some(b'.') && token.start >= self.read.url {
            url::at_name(self, token);
        }
        if matches!(next, Some(b':' | b'.' | b'-')) {
            net::at_token(self, token);
        }
        if token.digits == 0 {
            if month::starts(bytes, token) {
                date::at_month(self, token);
            }
            return;
        }
        if token.start >= self.read.url {
            date::at_number(self, token);
        }
        if bytes[token.start].is_ascii_alphabetic() || token.end - token.start > 20 {
            code::at_token(self, token);
            licence::at_token(self, token);
        } else if !self.keywords.is_empty() {
            licence::at_token(self, token);
        }
        if next == Some(b':') && token.is_number() {
            secret::bot_token(self, token);
        }
    }

    fn push(&mut self, kind: DataKind, span: Range<usize>, confidence: u8) {
        self.out.push(Finding { span, kind, confidence });
    }

    /// Whether something with this sense is announced at most so many bytes before.
    fn is_after(&self, sense: Sense, at: usize, within: usize) -> bool {
        let until = self.keywords.partition_point(|keyword| keyword.end <= at);
        let near = self.keywords[..until].iter().rev().take(8);
        near.take_while(|keyword| keyword.end + within >= at).any(|keyword| keyword.sense == sense)
    }

    /// Whether something with this sense follows within so many bytes.
    fn is_before(&self, sense: Sense, at: usize, within: usize) -> bool {
        let from = self.keywords.partition_point(|keyword| keyword.start < at);
        let near = self.keywords[from..].iter().take(8);
        near.take_while(|keyword| keyword.start <= at + within)
            .any(|keyword| keyword.sense == sense)
    }
}

fn token(bytes: &[u8], start: usize) -> Token {
    let mut token = Token { start, end: start, digits: 0 };
    while let Some(byte) = bytes.get(token.end)
        && byte.is_ascii_alphanumeric()
    {
        token.digits += usize::from(byte.is_ascii_digit());
        token.end += 1;
    }
    token
}

/// The bytes of an escape of JSON or of a URL whose sign stands before this place, if a
/// letter or digit follows.
fn escape(bytes: &[u8], at: usize) -> usize {
    let are_hex = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
    let length = match (at.checked_sub(1).map(|sign| bytes[sign]), &bytes[at..]) {
        (Some(b'\\'), [b'u', a, b, c, d, ..]) if are_hex(&[*a, *b, *c, *d]) => 5,
        (Some(b'\\'), [b'n' | b'r' | b't' | b'f' | b'b', ..]) => 1,
        (Some(b'%'), [high, low, ..]) if are_hex(&[*high, *low]) => 2,
        (Some(_) | None, _) => 0,
    };
    if bytes.get(at + length).is_some_and(u8::is_ascii_alphanumeric) { length } else { 0 }
}

/// The byte before a place. Where an escape of JSON or of a URL ends there, `\n` or `%20`,
/// it is what that stands for.
fn before(text: &str, at: usize) -> Option<u8> {
    let hex = |digits: &[u8]| {
        let digits = std::str::from_utf8(digits).ok()?;
        u8::from_str_radix(digits, 16).ok()
    };
    match text.as_bytes()[..at] {
        [] => None,
        [.., b'\\', b'n' | b'r' | b't' | b'f' | b'b'] => Some(b' '),
        [.., b'%', high, low] => hex(&[high, low]).or(Some(low)),
        [.., b'\\', b'u', b'0', b'0', high, low] => hex(&[high, low]).or(Some(low)),
        [.., last] => Some(last),
    }
}

/// The byte at a place, which may be the end.
fn after(text: &str, at: usize) -> Option<u8> {
    text.as_bytes().get(at).copied()
}

/// Whether no ASCII letter or digit touches a part.
fn stands_alone(text: &str, part: &Range<usize>) -> bool {
    let is_word = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    !is_word(before(text, part.start)) && !is_word(after(text, part.end))
}
