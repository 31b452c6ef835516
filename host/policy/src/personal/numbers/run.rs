//! Digits in groups with separators between them.

use std::ops::Range;

use crate::personal::token;

/// Digits in a row.
pub(super) type Group = Range<usize>;

/// Groups that a single number could be written in, and the text around them.
#[derive(Clone, Copy)]
pub(super) struct Run<'t> {
    pub(super) text: &'t str,
    pub(super) groups: &'t [Group],
}

/// Most digits that are gathered; no number that is looked for has more.
const MOST: usize = 20;

/// Digits of a few groups without what is between them.
#[derive(Clone, Copy)]
pub(super) struct Digits {
    bytes: [u8; MOST],
    len: usize,
}

impl Digits {
    /// The digits of groups, unless they are too many for any number.
    pub(super) fn of(text: &str, groups: &[Group]) -> Option<Self> {
        let mut digits = Self { bytes: [0; MOST], len: 0 };
        for group in groups {
            let end = digits.len + group.len();
            digits.bytes.get_mut(digits.len..end)?.copy_from_slice(text[group.clone()].as_bytes());
            digits.len = end;
        }
        Some(digits)
    }

    /// The digits in ASCII.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

/// Calls `each` for every run of a text.
pub(super) fn each(text: &str, mut each: impl FnMut(Run<'_>)) {
    let bytes = text.as_bytes();
    let mut groups: Vec<Group> = Vec::new();
    let mut at = 0;
    while let Some(skipped) = bytes[at..].iter().position(u8::is_ascii_digit) {
        let start = after_escape(bytes, at + skipped);
        let length = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let joined = groups.last().is_some_and(|last| is_separator(&bytes[last.end..start]));
        if !joined && !groups.is_empty() {
            each(Run { text, groups: &groups });
            groups.clear();
        }
        at = start + length;
        groups.push(start..at);
    }
    if !groups.is_empty() {
        each(Run { text, groups: &groups });
    }
}

/// Where the number begins if these digits begin with the code of an escaped character of
/// a URL: `%22`.
fn after_escape(bytes: &[u8], start: usize) -> usize {
    let is_escape = match bytes[..start] {
        [.., b'%', _, _, b'%'] => true,
        [.., before, b'%'] => !before.is_ascii_digit(),
        [.., b'%'] => true,
        _ => false,
    };
    let continues = matches!(bytes[start..], [_, b'0'..=b'9', b'0'..=b'9', ..]);
    if is_escape && continues { start + 2 } else { start }
}

fn is_separator(between: &[u8]) -> bool {
    match between {
        [one] => matches!(one, b' ' | b'-' | b'.' | b'/' | b')' | b'('),
        [b')' | b' ', b' ' | b'-'] | [b' ' | b'-', b'('] | [b'.', b' '] | [b' ', b'/'] => true,
        [b' ', b'-' | b'/', b' '] => true,
        _ => false,
    }
}

impl Run<'_> {
    /// The number of digits of these groups.
    pub(super) fn length(groups: &[Group]) -> usize {
        groups.iter().map(Range::len).sum()
    }

    /// What stands between a group and the next.
    pub(super) fn between(&self, index: usize) -> &str {
        match (self.groups.get(index), self.groups.get(index + 1)) {
            (Some(one), Some(next)) => &self.text[one.end..next.start],
            (Some(_), None) | (None, _) => "",
        }
    }

    /// Not part of a word, a longer code, or a number with a fraction: `JD0001`, `1-A2`,
    /// `1.50`, `10:30`.
    pub(super) fn stands_alone(&self, span: &Range<usize>) -> bool {
        self.is_no_code(span) && !self.has_fraction(span)
    }

    /// Not part of a word or a longer code. Chinese characters may touch a number.
    pub(super) fn is_no_code(&self, span: &Range<usize>) -> bool {
        let bytes = self.text.as_bytes();
        let before = match bytes[..span.start] {
            // An escape of JSON or of a URL ends before the number: `\n`, `%2B`.
            [.., b'\\', b'n' | b'r' | b't'] => true,
            [.., b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => true,
            [.., b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'#' | b'_'] => false,
            [.., one, b'-'] => !one.is_ascii_alphanumeric() && !self.is_taken(span.start - 1),
            [.., b']' | b'>'] => !self.is_taken(span.start),
            _ => true,
        };
        let after = match bytes[span.end..] {
            [b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_', ..] => false,
            [b'@', next, ..] => !next.is_ascii_alphanumeric(),
            [b'[' | b'<', ..] => !token::begins_at(bytes, span.end),
            _ => true,
        };
        before && after
    }

    fn has_fraction(&self, span: &Range<usize>) -> bool {
        let bytes = self.text.as_bytes();
        let before = match bytes[..span.start] {
            [.., b'0'..=b'9', b'.' | b':'] => true,
            [.., b']' | b'>', b'.' | b':' | b','] => self.is_taken(span.start - 1),
            [.., b'0'..=b'9', b','] => !matches!(bytes[span.start..], [_, _, _, b'0'..=b'9', ..]),
            _ => false,
        };
        let after = match bytes[span.end..] {
            [b'.' | b':', b'0'..=b'9', ..] => true,
            [b'.' | b':' | b',', b'[' | b'<', ..] => token::begins_at(bytes, span.end + 1),
            [b',', a, b, c, ref rest @ ..] => {
                // Thousands, not the next number of a list.
                [a, b, c].iter().all(u8::is_ascii_digit)
                    && !rest.first().is_some_and(u8::is_ascii_digit)
            }
            _ => false,
        };
        before || after
    }

    /// Whether a datum was taken out before this.
    fn is_taken(&self, end: usize) -> bool {
        token::ends_at(self.text.as_bytes(), end)
    }

    /// Whether an amount is written here: `$1234567`.
    pub(super) fn is_amount(&self, start: usize) -> bool {
        let before = self.text[..start].trim_end_matches(' ');
        before.ends_with(['$', '€', '£', '¥', '￥', '₹'])
    }
}
