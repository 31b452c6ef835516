//! The ways in which bytes can be read: as they are, and with escapes undone.

use std::{
    borrow::Cow,
    ops::{ControlFlow, Range},
};

/// How often escapes are undone one inside the other.
const MOST_LAYERS: usize = 3;
/// Readings of the same bytes: as they are, without spaces, without zeros; and
/// for each kind of escape, and all of them, each layer with spaces and without.
#[cfg(test)]
pub(super) const MOST_VIEWS: usize = 3 + (Escape::ALL.len() + 1) * MOST_LAYERS * 2;

/// Bytes in one reading, and where each stands in the reading that it is made of.
pub(super) struct View<'a> {
    bytes: Cow<'a, [u8]>,
    below: Option<Below<'a>>,
}

struct Below<'a> {
    view: &'a View<'a>,
    /// For each byte, where that of which it was made begins; and the end.
    starts: Vec<u32>,
    /// Whether only bytes were left out, so that each stands for itself.
    is_sieve: bool,
}

impl View<'_> {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The place of a range, which is not empty, in the bytes as they are.
    pub(super) fn original(&self, range: Range<usize>) -> Range<usize> {
        let Some(below) = &self.below else { return range };
        let start = below.starts[range.start];
        let end = if below.is_sieve {
            below.starts[range.end - 1] + 1
        } else {
            // One escape can stand for several bytes: take all of it.
            let last = below.starts[range.end - 1];
            below.starts[range.end..].iter().copied().find(|at| *at != last).unwrap_or(last)
        };
        below.view.original(start as usize..end as usize)
    }
}

/// Shows every reading that differs from those before, a fixed number of them at most.
///
/// Each kind of escape is undone by itself, so that a secret which holds what
/// looks like another kind is found, then all of them; each several times, one
/// layer after the other. Line breaks, which base64 may have inside, are left out
/// as well, and so are the zeros of UTF-16.
pub(super) fn each(
    bytes: &[u8],
    mut show: impl FnMut(&View<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let plain = View { bytes: Cow::Borrowed(bytes), below: None };
    show(&plain)?;
    joined(&plain, &mut show)?;
    without(&plain, |byte| *byte == 0, &mut show)?;
    let alone = Escape::ALL.iter().map(std::slice::from_ref);
    for kinds in alone.chain([&Escape::ALL[..]]) {
        layers(&plain, kinds, MOST_LAYERS, &mut show)?;
    }
    ControlFlow::Continue(())
}

fn layers(
    view: &View<'_>,
    kinds: &[Escape],
    left: usize,
    show: &mut impl FnMut(&View<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    match undone(view, kinds) {
        Some(deeper) if left > 0 => {
            show(&deeper)?;
            joined(&deeper, show)?;
            layers(&deeper, kinds, left - 1, show)
        }
        Some(_) | None => ControlFlow::Continue(()),
    }
}

/// The reading without white space.
fn joined(view: &View<'_>, show: &mut impl FnMut(&View<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
    without(view, u8::is_ascii_whitespace, show)
}

/// The reading without some bytes, if there are any.
fn without(
    view: &View<'_>,
    is_left_out: impl Fn(&u8) -> bool,
    show: &mut impl FnMut(&View<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    if !view.bytes.iter().any(&is_left_out) {
        return ControlFlow::Continue(());
    }
    let kept = || view.bytes.iter().zip(0_u32..).filter(|(byte, _)| !is_left_out(byte));
    let below = Below { view, starts: kept().map(|(_, at)| at).collect(), is_sieve: true };
    let bytes = kept().map(|(byte, _)| *byte).collect();
    show(&View { bytes: Cow::Owned(bytes), below: Some(below) })
}

/// A way of writing a character as something else.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escape {
    /// `%2F` (RFC 3986).
    Percent,
    /// `\u002f`, `\/` and the like (RFC 8259, 7), and `\x2f`.
    Backslash,
    /// `&#47;`, `&#x2f;`, `&amp;` (HTML, XML).
    Entity,
}

impl Escape {
    const ALL: [Self; 3] = [Self::Percent, Self::Backslash, Self::Entity];

    const fn mark(self) -> u8 {
        match self {
            Self::Percent => b'%',
            Self::Backslash => b'\\',
            Self::Entity => b'&',
        }
    }

    /// What the escape at the beginning of `text` stands for, and its length.
    fn read(self, text: &[u8]) -> Option<(Piece, usize)> {
        match self {
            Self::Percent => Some((Piece::Byte(u8::try_from(hex(text.get(1..3)?)?).ok()?), 3)),
            Self::Backslash => backslash(text),
            Self::Entity => entity(text),
        }
    }
}

enum Piece {
    Byte(u8),
    Char(char),
}

/// The reading with these escapes undone, if there are any.
fn undone<'v>(view: &'v View<'v>, kinds: &[Escape]) -> Option<View<'v>> {
    let text = &*view.bytes;
    let escape = |byte: u8| kinds.iter().copied().find(|kind| kind.mark() == byte);
    let first = text.iter().position(|byte| escape(*byte).is_some())?;
    let mut bytes = Vec::with_capacity(text.len());
    let mut starts: Vec<u32> = Vec::with_capacity(text.len() + 1);
    let mut at = 0;
    let mut any = false;
    while at < text.len() {
        let read =
            if at < first { None } else { escape(text[at]).and_then(|e| e.read(&text[at..])) };
        let (piece, length) = read.unwrap_or((Piece::Byte(text[at]), 1));
        any |= length > 1;
        match piece {
            Piece::Byte(byte) => bytes.push(byte),
            Piece::Char(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        starts.resize(bytes.len(), place(at));
        at += length;
    }
    starts.push(place(at));
    let below = Below { view, starts, is_sieve: false };
    any.then_some(View { bytes: Cow::Owned(bytes), below: Some(below) })
}

/// Bodies are far below 4 GiB.
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn backslash(text: &[u8]) -> Option<(Piece, usize)> {
    let byte = match text.get(1)? {
        b'u' => return unicode(text),
        b'x' => return Some((Piece::Byte(u8::try_from(hex(text.get(2..4)?)?).ok()?), 4)),
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        other @ (b'/' | b'"' | b'\'' | b'\\') => *other,
        _ => return None,
    };
    Some((Piece::Byte(byte), 2))
}

fn unicode(text: &[u8]) -> Option<(Piece, usize)> {
    let high = hex(text.get(2..6)?)?;
    if let Some(c) = char::from_u32(high) {
        return Some((Piece::Char(c), 6));
    }
    let low = text.get(6..8).filter(|mark| mark == b"\\u").and_then(|_| hex(text.get(8..12)?))?;
    let pair = char::decode_utf16([u16::try_from(high).ok()?, u16::try_from(low).ok()?]).next()?;
    Some((Piece::Char(pair.ok()?), 12))
}

fn entity(text: &[u8]) -> Option<(Piece, usize)> {
    // The longest that stands for one character: &#x10FFFF;
    let end = text.iter().take(12).position(|byte| *byte == b';')?;
    let c = match &text[1..end] {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        [b'#', b'x' | b'X', digits @ ..] => char::from_u32(hex(digits)?)?,
        [b'#', digits @ ..] => char::from_u32(std::str::from_utf8(digits).ok()?.parse().ok()?)?,
        _ => return None,
    };
    Some((Piece::Char(c), end + 1))
}

fn hex(digits: &[u8]) -> Option<u32> {
    let all_are = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(digits).ok().filter(|_| all_are)?;
    u32::from_str_radix(text, 16).ok()
}
