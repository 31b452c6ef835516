//! A copy of a text in which escapes are the characters that they stand for, and the way
//! back to the text itself.

use std::ops::Range;

/// Percent signs (RFC 3986, 2.1), the escapes of JSON (RFC 8259, 7) and of Rust's debug
/// output, and the character references of HTML that stand for what addresses and
/// numbers are made of.
pub(super) struct Unescaped {
    pub(super) text: String,
    /// For each byte of the copy, what it came from.
    origins: Vec<Range<usize>>,
}

impl Unescaped {
    /// The copy of a text; none if nothing in it is escaped.
    pub(super) fn of(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let first = bytes.iter().position(|byte| matches!(byte, b'%' | b'\\' | b'&'))?;
        let mut made = Made { bytes: Vec::with_capacity(bytes.len()), origins: Vec::new() };
        let mut escaped = false;
        let mut at = 0;
        while at < bytes.len() {
            let read = if at < first { None } else { read(&bytes[at..]) };
            match read {
                Some((stands_for, length)) => {
                    escaped = true;
                    made.push(stands_for, at..at + length);
                    at += length;
                }
                None => {
                    made.push(Stands::Byte(bytes[at]), at..at + 1);
                    at += 1;
                }
            }
        }
        escaped.then(|| made.finish())
    }

    /// Where a part of the copy, which must not be empty, stands in the text.
    pub(super) fn origin(&self, part: Range<usize>) -> Range<usize> {
        let part = &self.origins[part];
        part[0].start..part[part.len() - 1].end
    }
}

/// What an escape stands for: percent signs and `\x` write bytes, others characters.
#[derive(Clone, Copy)]
enum Stands {
    Byte(u8),
    Char(char),
}

struct Made {
    bytes: Vec<u8>,
    origins: Vec<Range<usize>>,
}

impl Made {
    fn push(&mut self, stands_for: Stands, origin: Range<usize>) {
        match stands_for {
            Stands::Byte(byte) => self.bytes.push(byte),
            Stands::Char(c) => {
                self.bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        self.origins.resize(self.bytes.len(), origin);
    }

    /// Bytes that are no text become a mark that nothing is made of.
    fn finish(self) -> Unescaped {
        let mut text = String::with_capacity(self.bytes.len());
        let mut origins = Vec::with_capacity(self.bytes.len());
        let mut at = 0;
        for chunk in self.bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            origins.extend_from_slice(&self.origins[at..at + chunk.valid().len()]);
            at += chunk.valid().len();
            if !chunk.invalid().is_empty() {
                let end = at + chunk.invalid().len();
                text.push(char::REPLACEMENT_CHARACTER);
                let origin = self.origins[at].start..self.origins[end - 1].end;
                origins.resize(text.len(), origin);
                at = end;
            }
        }
        Unescaped { text, origins }
    }
}

/// The escape with which bytes begin, and its length.
fn read(bytes: &[u8]) -> Option<(Stands, usize)> {
    match bytes {
        [b'%', high, low, ..] => Some((Stands::Byte(byte(*high, *low)?), 3)),
        [b'\\', b'x', high, low, ..] => Some((Stands::Byte(byte(*high, *low)?), 4)),
        [b'\\', b'u', b'{', rest @ ..] => {
            let digits = rest.iter().take(7).position(|byte| *byte == b'}')?;
            let c = char::from_u32(number(&rest[..digits], 16)?)?;
            Some((Stands::Char(c), digits + 4))
        }
        [b'\\', b'u', rest @ ..] => unit(rest),
        [b'\\', escaped, ..] => {
            let c = match escaped {
                b'"' | b'\'' | b'\\' | b'/' => char::from(*escaped),
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'b' | b'f' | b'0' => ' ',
                _ => return None,
            };
            Some((Stands::Char(c), 2))
        }
        [b'&', rest @ ..] => {
            let length = rest.iter().take(9).position(|byte| *byte == b';')?;
            Some((Stands::Char(reference(&rest[..length])?), length + 2))
        }
        _ => None,
    }
}

/// `\uXXXX`, or two of them for a character that needs two (RFC 8259, 7).
fn unit(rest: &[u8]) -> Option<(Stands, usize)> {
    let first = number(rest.get(..4)?, 16)?;
    if let Some(c) = char::from_u32(first) {
        return Some((Stands::Char(c), 6));
    }
    let pair = match rest.get(4..10) {
        Some([b'\\', b'u', digits @ ..]) => number(digits, 16),
        Some(_) | None => None,
    };
    let both = pair.filter(|second| (0xdc00..0xe000).contains(second) && first < 0xdc00);
    Some(match both {
        Some(second) => {
            let c = char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
            (Stands::Char(c?), 12)
        }
        None => (Stands::Char(char::REPLACEMENT_CHARACTER), 6),
    })
}

/// The character that a reference of HTML stands for (HTML, 13.5).
fn reference(name: &[u8]) -> Option<char> {
    match name {
        [b'#', b'x' | b'X', digits @ ..] => char::from_u32(number(digits, 16)?),
        [b'#', digits @ ..] => char::from_u32(number(digits, 10)?),
        b"commat" => Some('@'),
        b"period" => Some('.'),
        b"colon" => Some(':'),
        b"sol" => Some('/'),
        b"plus" => Some('+'),
        b"hyphen" | b"dash" => Some('-'),
        b"lowbar" => Some('_'),
        b"nbsp" => Some(' '),
        b"amp" => Some('&'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        _ => None,
    }
}

fn byte(high: u8, low: u8) -> Option<u8> {
    u8::try_from(number(&[high, low], 16)?).ok()
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, plain: &str) {
        let copy = Unescaped::of(text).expect(text);
        assert_eq!(copy.text, plain);
        assert_eq!(copy.origin(0..copy.text.len()), 0..text.len());
    }

    #[test]
    fn escapes_are_what_they_stand_for() {
        check("ann%40shop.example", "ann@shop.example");
        check(r"ann\u0040shop\u002eexample", "ann@shop.example");
        check(r"ann\u{40}shop\x2eexample", "ann@shop.example");
        check("ann&#64;shop&#x2e;example&commat;", "ann@shop.example@");
        check("%E6%89%8B\\u673a\\/\\\"", "手机/\"");
        check(r"\ud83d\ude00 \ud83d", "😀 \u{fffd}");
        check("%ff%41", "\u{fffd}A");
    }

    #[test]
    fn what_is_no_escape_stays() {
        for text in ["100 %", r"C:\dir \u00", "a & b; &unknown;", "%zz", r"\u{}", "&#;"] {
            assert!(Unescaped::of(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_part_is_found_again_with_all_of_its_escapes() {
        let text = "x ann%40shop%2Eexample y";
        let copy = Unescaped::of(text).unwrap();
        let at = copy.text.find("@shop.").unwrap();
        assert_eq!(&text[copy.origin(at..at + 6)], "%40shop%2E");
    }
}
