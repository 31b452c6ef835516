//! Digits in groups with separators between them.

use std::ops::Range;

use crate::personal::{
    context::{self, Near, Sense},
    token,
};

/// Digits in a row.
pub(super) type Group = Range<usize>;

/// Groups that a single number could be written in, and the text around them.
#[derive(Clone, Copy)]
pub(super) struct Run<'t> {
    pub(super) text: &'t str,
    pub(super) groups: &'t [Group],
}

/// What says that a number is one of its kind, which decides what may touch it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// A checksum, or the shape of a Chinese mobile: little else looks like that.
    Firm,
    /// Groups and words.
    Loose,
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

/// Calls `each` for every run of a text, as wide as a number can be spread that its checksum
/// proves; [`Run::narrow`] has what others can be.
pub(super) fn each(text: &str, mut each: impl FnMut(Run<'_>)) {
    let bytes = text.as_bytes();
    let mut groups: Vec<Group> = Vec::new();
    let mut at = 0;
    while let Some(skipped) = bytes[at..].iter().position(u8::is_ascii_digit) {
        let start = after_escape(bytes, at + skipped);
        let length = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let joined = groups.last().is_some_and(|last| is_wide(&bytes[last.end..start]));
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

/// Bytes between two groups at most: a dot of two bytes between spaces.
const WIDEST: usize = 4;

/// Signs, spaces and ends of lines.
fn is_wide(between: &[u8]) -> bool {
    (1..=WIDEST).contains(&between.len())
        && between.iter().enumerate().all(|(at, byte)| match byte {
            b' ' | b'\t' | b'\r' | b'\n' => true,
            b'-' | b'_' | b'.' | b'/' | b',' | b'(' | b')' => true,
            // The middle dot.
            0xc2 => between.get(at + 1) == Some(&0xb7),
            0xb7 => at > 0 && between[at - 1] == 0xc2,
            _ => false,
        })
}

fn is_narrow(between: &[u8]) -> bool {
    match between {
        // A number that a line's end cuts.
        [b'-', b'\n'] | [b'-', b'\r', b'\n'] => true,
        [one] => matches!(one, b' ' | b'-' | b'.' | b'/' | b')' | b'('),
        [b')' | b' ', b' ' | b'-'] | [b' ' | b'-', b'('] | [b'.', b' '] | [b' ', b'/'] => true,
        [b' ', b'-' | b'/', b' '] => true,
        _ => false,
    }
}

impl<'t> Run<'t> {
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

    /// The parts whose groups stand as near to each other as those of a number do that no
    /// checksum proves.
    pub(super) fn narrow(self) -> impl Iterator<Item = Run<'t>> {
        let bytes = self.text.as_bytes();
        self.groups
            .chunk_by(|one, next| is_narrow(&bytes[one.end..next.start]))
            .map(move |groups| Run { text: self.text, groups })
    }

    /// Not part of a word, a longer code, or a number with a fraction: `JD0001`, `1-A2`,
    /// `1.50`, `10:30`.
    pub(super) fn stands_alone(&self, span: &Range<usize>, look: Look) -> bool {
        self.is_no_code(span, look) && !self.has_fraction(span, look)
    }

    /// Not part of a word or a longer code. Chinese characters may touch a number, and so
    /// may a word that says what it is: `card4111…`, `tel-138…`, `account #1234`.
    pub(super) fn is_no_code(&self, span: &Range<usize>, look: Look) -> bool {
        let bytes = self.text.as_bytes();
        let before = match bytes[..span.start] {
            // An escape of JSON or of a URL ends before the number: `\n`, `%2B`.
            [.., b'\\', b'n' | b'r' | b't'] => true,
            [.., b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => true,
            [.., b'0'..=b'9'] => false,
            // "wx" is how a WeChat name is given, which often is a mobile.
            [.., b'w' | b'v', b'x'] if look == Look::Firm => true,
            [.., b'a'..=b'z' | b'A'..=b'Z'] => self.is_told(span.start, look, true),
            [.., b'_'] => {
                (look == Look::Firm || self.is_told(span.start, look, false))
                    && !token::is_within(bytes, span.start)
            }
            [.., b'#'] => self.is_told(span.start, Look::Loose, false),
            [.., one, b'-'] if one.is_ascii_alphanumeric() => {
                self.is_joined_word(span.start - 1, look) || self.is_told(span.start, look, false)
            }
            [.., _, b'-'] => !self.is_taken(span.start - 1),
            [.., b']' | b'>'] => !self.is_taken(span.start),
            _ => true,
        };
        let after = match bytes[span.end..] {
            [b'0'..=b'9', ..] => false,
            [b'a'..=b'z' | b'A'..=b'Z', ref rest @ ..] => {
                // A letter behind a card in groups: no code is written so.
                let is_grouped = bytes[span.clone()].iter().any(|byte| !byte.is_ascii_digit());
                look == Look::Firm
                    && is_grouped
                    && !rest.first().is_some_and(u8::is_ascii_alphanumeric)
            }
            [b'_', ..] => look == Look::Firm,
            [b'@', next, ..] => !next.is_ascii_alphanumeric(),
            [b'[' | b'<', ..] => !token::begins_at(bytes, span.end),
            _ => true,
        };
        before && after
    }

    /// Whether the word before says that a number of a person follows, and touches it where
    /// it must. Of a firm number, any word that numbers follow will do: `id-1101…`.
    fn is_told(&self, start: usize, look: Look, touching: bool) -> bool {
        context::before(self.text, start).is_some_and(
            |Near { sense, adjacent, touches, .. }| {
                let tells = match sense {
                    Sense::Phone
                    | Sense::Card
                    | Sense::Bank
                    | Sense::Account
                    | Sense::Passport
                    | Sense::SocialSecurity
                    | Sense::Health
                    | Sense::Identity => true,
                    Sense::Vague => look == Look::Firm,
                    Sense::Talk | Sense::Number | Sense::Other | Sense::Amount => false,
                };
                tells && if touching { touches } else { adjacent }
            },
        )
    }

    /// Whether what a hyphen joins to a number is a word, `user-138…`, or another number
    /// before a firm one, and no code: `JD-138…`, `a716-4466…`.
    fn is_joined_word(&self, hyphen: usize, look: Look) -> bool {
        let code = self.text.as_bytes()[..hyphen].iter().rev();
        let mut code = code.take_while(|byte| byte.is_ascii_alphanumeric()).take(MOST);
        let (mut digits, mut letters, mut small) = (false, false, false);
        code.by_ref().for_each(|byte| {
            digits |= byte.is_ascii_digit();
            letters |= byte.is_ascii_alphabetic();
            small |= byte.is_ascii_lowercase();
        });
        match (digits, letters) {
            (true, true) => false,
            (true, false) => look == Look::Firm,
            (false, _) => small,
        }
    }

    fn has_fraction(&self, span: &Range<usize>, look: Look) -> bool {
        let bytes = self.text.as_bytes();
        let digits = |end: usize| {
            bytes[..end].iter().rev().take(MOST).take_while(|byte| byte.is_ascii_digit()).count()
        };
        let before = match bytes[..span.start] {
            // The number of a line in a list is no fraction.
            [.., b'0'..=b'9', b'.'] => look == Look::Loose || digits(span.start - 1) > 2,
            [.., b'0'..=b'9', b':'] => look == Look::Loose,
            [.., b']' | b'>', b'.' | b':' | b','] => self.is_taken(span.start - 1),
            [.., b'0'..=b'9', b','] => {
                let count = digits(span.start - 1);
                // Thousands, not the next number of a list.
                count <= 3
                    && !matches!(bytes[..span.start - 1 - count], [.., b'0'..=b'9', b' ' | b'-'])
                    && !matches!(bytes[span.start..], [_, _, _, b'0'..=b'9', ..])
            }
            _ => false,
        };
        let after = match bytes[span.end..] {
            // Not what follows a full stop and is a number itself.
            [b'.', b'0'..=b'9', ref rest @ ..] => {
                let more = rest.iter().take_while(|byte| byte.is_ascii_digit()).take(MOST).count();
                look == Look::Loose || more < 10
            }
            [b':', b'0'..=b'9', ..] => digits(span.end) <= 2,
            [b'.' | b':' | b',', b'[' | b'<', ..] => token::begins_at(bytes, span.end + 1),
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
