//! What has to leave one line, however it is encoded.

use std::{net::IpAddr, ops::Range};

use postern_policy::personal::{DataKind, Detector, Finding, Purpose};

use super::unescaped::Unescaped;

/// A part of a line that has to leave it, and what is written in its place.
pub(super) type Taken = (Range<usize>, DataKind);

/// What was found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Where, and what it is.
    pub(crate) finding: Finding,
    /// The values that an encoding hides there, the first of the type that was found.
    /// Empty if the value stands there as it is.
    pub(crate) hidden: Vec<Hidden>,
}

/// A value that was encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hidden {
    /// What it is.
    pub(crate) kind: DataKind,
    /// As it stands after decoding.
    pub(crate) value: String,
    /// Whether the encoded text is this value and nothing else.
    pub(crate) is_all: bool,
}

/// Encodings within one another that are looked through.
const DEEPEST: u8 = 2;
/// Characters of the shortest base64 that can hide something: `a@b.cd`.
const SHORTEST_BASE64: usize = 8;
/// The same as hexadecimal digits.
const SHORTEST_HEX: usize = 12;
/// Bytes of text that a decoded datum has at least.
const SHORTEST_TEXT: usize = 6;

/// Finds what has to leave a text: in order, without overlap.
pub(super) fn find(text: &str, detector: &Detector) -> Vec<Taken> {
    let mut found = Vec::new();
    Looking { detector, purpose: Purpose::Logs }.look(text, 0, &mut found);
    found.sort_by_key(|one| (one.span.start, std::cmp::Reverse(one.span.end)));
    let mut joined: Vec<Taken> = Vec::with_capacity(found.len());
    for Seen { span, kind, .. } in found {
        match joined.last_mut() {
            Some((last, _)) if span.start < last.end => last.end = last.end.max(span.end),
            Some(_) | None => joined.push((span, kind)),
        }
    }
    joined
}

/// The text with what stands for each type in place of what was found.
pub(super) fn without(text: &str, taken: &[Taken], detector: &Detector) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (span, kind) in taken {
        out.push_str(&text[at..span.start]);
        out.push_str(&detector.replacement(*kind));
        at = span.end;
    }
    out.push_str(&text[at..]);
    out
}

/// What a purpose takes out of a text, as it stands and as encodings hide it: in order,
/// without overlap.
pub(super) fn every(text: &str, detector: &Detector, purpose: Purpose) -> Vec<Found> {
    let as_it_stands = |finding| Found { finding, hidden: Vec::new() };
    let mut standing = detector.find_for(text, purpose).into_iter().map(as_it_stands).peekable();
    let mut inside = Vec::new();
    Looking { detector, purpose }.look_inside(text, 0, &mut inside);
    inside.sort_by_key(|one| (one.span.start, std::cmp::Reverse(one.span.end)));
    // Both are in order, so that each is looked at once.
    let (mut found, mut taken) = (Vec::new(), 0);
    for Seen { span, kind, hidden } in inside {
        while let Some(one) = standing.next_if(|one| one.finding.span.end <= span.start) {
            found.push(one);
        }
        let next = standing.peek().map_or(text.len(), |one| one.finding.span.start);
        if taken <= span.start && span.end <= next {
            taken = span.end;
            found.push(Found { finding: Finding { span, kind, confidence: HIDDEN }, hidden });
        }
    }
    found.extend(standing);
    found
}

/// Every value that encodings hide in a text, also where something else was found.
pub(super) fn hidden(text: &str, detector: &Detector, purpose: Purpose) -> Vec<Hidden> {
    let mut inside = Vec::new();
    Looking { detector, purpose }.look_inside(text, 0, &mut inside);
    inside.into_iter().flat_map(|one| one.hidden).collect()
}

/// Nobody encodes what only looks like a datum.
const HIDDEN: u8 = 80;

/// Something personal in a text, with the values that an encoding hides there.
struct Seen {
    span: Range<usize>,
    kind: DataKind,
    hidden: Vec<Hidden>,
}

/// What is looked for.
struct Looking<'d> {
    detector: &'d Detector,
    purpose: Purpose,
}

impl Looking<'_> {
    fn look(&self, text: &str, depth: u8, found: &mut Vec<Seen>) {
        for Finding { span, kind, .. } in self.detector.find_for(text, self.purpose) {
            if !is_this_machine(kind, &text[span.clone()]) {
                found.push(Seen { span, kind, hidden: Vec::new() });
            }
        }
        if let Some(at) = key_in(text) {
            let end = text[at..].find(KEY_ENDS).map_or(text.len(), |end| {
                let name = at + end + KEY_ENDS.len();
                text[name..].find(DASHES).map_or(text.len(), |dashes| name + dashes + DASHES.len())
            });
            found.push(Seen { span: at..end, kind: DataKind::Secret, hidden: Vec::new() });
        }
        self.look_inside(text, depth, found);
    }

    /// What encodings hide.
    fn look_inside(&self, text: &str, depth: u8, found: &mut Vec<Seen>) {
        if depth == DEEPEST {
            return;
        }
        for token in tokens(text, is_base64, SHORTEST_BASE64) {
            let bytes = &text.as_bytes()[token.clone()];
            let held = (0..4).find_map(|skip| self.held(&from_base64(&bytes[skip..]), depth + 1));
            let padding = text[token.end..].bytes().take(2).take_while(|b| *b == b'=').count();
            let span = token.start..token.end + padding;
            found.extend(held.map(|(kind, hidden)| Seen { span, kind, hidden }));
        }
        for token in tokens(text, |byte| byte.is_ascii_hexdigit(), SHORTEST_HEX) {
            let bytes = &text.as_bytes()[token.clone()];
            let held = (0..2).find_map(|skip| self.held(&from_hex(&bytes[skip..]), depth + 1));
            found.extend(held.map(|(kind, hidden)| Seen { span: token, kind, hidden }));
        }
        if let Some(copy) = Unescaped::of(text) {
            let mut inside = Vec::new();
            self.look(&copy.text, depth + 1, &mut inside);
            found.extend(inside.into_iter().map(|one| {
                let Seen { span, kind, hidden } = one.decoded(&copy.text);
                Seen { span: copy.origin(span), kind, hidden }
            }));
        }
    }

    /// The values in the text parts of bytes, and the type of the first.
    fn held(&self, bytes: &[u8], depth: u8) -> Option<(DataKind, Vec<Hidden>)> {
        let mut held = Vec::new();
        for chunk in bytes.utf8_chunks() {
            let is_no_text = |c: char| c.is_control() && !c.is_whitespace();
            for text in chunk.valid().split(is_no_text).filter(|it| it.len() >= SHORTEST_TEXT) {
                let mut found = Vec::new();
                self.look(text, depth, &mut found);
                let values = found.into_iter().flat_map(|one| {
                    let is_all = text.trim().len() == one.span.len() && text.len() == bytes.len();
                    let hidden = one.decoded(text).hidden.into_iter();
                    hidden.map(move |one| Hidden { is_all: one.is_all && is_all, ..one })
                });
                held.extend(values);
            }
        }
        Some((held.first()?.kind, held))
    }
}

impl Seen {
    /// With the values of this text, in which it was seen.
    fn decoded(self, text: &str) -> Self {
        if !self.hidden.is_empty() {
            return self;
        }
        let value = text[self.span.clone()].to_owned();
        let hidden = vec![Hidden { kind: self.kind, value, is_all: true }];
        Self { hidden, ..self }
    }
}

/// Addresses that are the same on every machine tell nothing about anybody.
pub(super) fn is_this_machine(kind: DataKind, text: &str) -> bool {
    kind == DataKind::IpAddress
        && text
            .trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback() || address.is_unspecified())
}

const KEY_BEGINS: &str = "-----BEGIN ";
const KEY_ENDS: &str = "-----END ";
const DASHES: &str = "-----";
/// Characters of the longest label of a private key (RFC 7468, section 4).
const LONGEST_LABEL: usize = 48;

/// Where a private key begins (RFC 7468).
pub(super) fn key_in(text: &str) -> Option<usize> {
    text.match_indices(KEY_BEGINS).map(|(at, _)| at).find(|at| {
        let label = at + KEY_BEGINS.len();
        let label = &text[label..text.floor_char_boundary(label + LONGEST_LABEL)];
        label.split(DASHES).next().is_some_and(|label| label.contains("PRIVATE KEY"))
    })
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// Runs of an alphabet that are long enough to hide something.
fn tokens(
    text: &str,
    is_in: impl Fn(u8) -> bool,
    shortest: usize,
) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let length = bytes[at..].iter().take_while(|byte| is_in(**byte)).count();
            let token = at..at + length;
            at += length.max(1);
            if length >= shortest {
                return Some(token);
            }
        }
        None
    })
}

/// Both alphabets (RFC 4648, 4 and 5), with whatever number of characters: the first
/// need not be the first of what was encoded.
fn from_base64(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut number) = (0_u32, 0);
    for c in text {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' | b'-' => 62,
            _ => 63,
        };
        bits = bits << 6 | u32::from(value);
        number += 6;
        if number >= 8 {
            number -= 8;
            bytes.push((bits >> number & 0xff) as u8);
        }
    }
    bytes
}

fn from_hex(digits: &[u8]) -> Vec<u8> {
    let value = |digit: u8| char::from(digit).to_digit(16).unwrap_or_default() as u8;
    digits.as_chunks::<2>().0.iter().map(|[high, low]| value(*high) << 4 | value(*low)).collect()
}
