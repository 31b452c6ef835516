//! A copy of a message in which look-alike characters are one, and the way
//! back to the message itself.

use std::{borrow::Cow, ops::Range};

use unicode_normalization::UnicodeNormalization;

/// NFKC character by character, without invisible characters, with plain digits, hyphens,
/// apostrophes and full stops. So full-width digits and an e-mail address with a soft hyphen
/// in it are found like any other.
///
/// A message in which nothing folds is not copied, and the way back is only as long as the
/// message has characters that fold.
#[derive(Clone, Debug)]
pub struct Folded<'m> {
    text: Cow<'m, str>,
    /// Where characters folded, in order: what lies between is as in the message.
    folds: Vec<Fold>,
}

/// A character of the message and what stands for it in the copy, both perhaps empty.
#[derive(Clone, Debug)]
struct Fold {
    copy: Range<usize>,
    message: Range<usize>,
}

impl<'m> Folded<'m> {
    /// Folds a text.
    pub fn new(message: &'m str) -> Self {
        let Some(first) = next_fold(message, 0) else {
            return Self { text: Cow::Borrowed(message), folds: Vec::new() };
        };
        let mut text = String::with_capacity(message.len());
        let mut folds = Vec::new();
        let (mut done, mut next) = (0, Some(first));
        while let Some((at, c)) = next {
            text.push_str(&message[done..at]);
            let start = text.len();
            done = at + c.len_utf8();
            push(&mut text, message, at..done, c);
            folds.push(Fold { copy: start..text.len(), message: at..done });
            next = next_fold(message, done);
        }
        text.push_str(&message[done..]);
        Self { text: Cow::Owned(text), folds }
    }

    /// The copy.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where a part of the copy, which must not be empty, stands in the message.
    pub fn origin(&self, part: Range<usize>) -> Range<usize> {
        if part.is_empty() {
            return 0..0;
        }
        // The characters of the first and of the last byte.
        self.character(part.start).start..self.character(part.end - 1).end
    }

    /// The bytes of the message that a byte of the copy stands for: a whole character that
    /// folded, or the byte itself.
    fn character(&self, byte: usize) -> Range<usize> {
        let after = self.folds.partition_point(|fold| fold.copy.start <= byte);
        // Of those that left nothing, the last begins where the next character does.
        match after.checked_sub(1).map(|last| &self.folds[last]) {
            Some(fold) if byte < fold.copy.end => fold.message.clone(),
            Some(fold) => {
                let start = fold.message.end + (byte - fold.copy.end);
                start..start + 1
            }
            None => byte..byte + 1,
        }
    }
}

/// The next character that is not itself in the copy.
fn next_fold(message: &str, from: usize) -> Option<(usize, char)> {
    let bytes = message.as_bytes();
    let mut at = from;
    loop {
        at += bytes[at..].iter().position(|byte| !byte.is_ascii())?;
        let c = message[at..].chars().next()?;
        let end = at + c.len_utf8();
        if folds(c, bytes.get(end).copied()) {
            return Some((at, c));
        }
        at = end;
    }
}

/// Whether a character has another form in the copy.
fn folds(c: char, next: Option<u8>) -> bool {
    match c {
        // Letters with accents, Greek, Cyrillic, kana, Chinese, Hangul, pictures: nearly all
        // that people write, and quick to tell.
        '\u{c0}'..='\u{131}' | '\u{14a}'..='\u{17e}' | '\u{388}'..='\u{3ce}' => false,
        '\u{400}'..='\u{52f}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fe}' => false,
        '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{1f300}'..='\u{1faff}' => false,
        STOP => is_within(next),
        _ => {
            is_invisible(c)
                || decimal(c).is_some()
                || sign(c).is_some()
                || std::iter::once(c).nfkc().ne(std::iter::once(c))
        }
    }
}

/// The full stop of Chinese, which can stand in an address for that of ASCII (UTS 46).
const STOP: char = '。';

/// Whether an address goes on behind a full stop.
fn is_within(next: Option<u8>) -> bool {
    next.is_some_and(|byte| byte.is_ascii_alphanumeric())
}

/// What stands for a character in the copy.
fn push(text: &mut String, message: &str, at: Range<usize>, c: char) {
    match decimal(c).or_else(|| sign(c)) {
        Some(plain) => text.push(plain),
        None if is_invisible(c) => {}
        None if c == STOP && is_within(message.as_bytes().get(at.end).copied()) => text.push('.'),
        None if is_label(c) && !is_spelt(message, at, c) => text.push(' '),
        None => text.extend(std::iter::once(c).nfkc()),
    }
}

/// A sign with digits or letters in it that stands before or behind something and is no part
/// of it: `①`, `⒈`, `℡`, `№`, `Ⅳ`, `½`, `㎏`.
fn is_label(c: char) -> bool {
    matches!(c, '\u{bc}'..='\u{be}' | '\u{2100}'..='\u{2101}' | '\u{2105}'..='\u{2106}'
        | '\u{2116}' | '\u{2120}'..='\u{2122}' | '\u{213b}' | '\u{2150}'..='\u{2189}'
        | '\u{2460}'..='\u{249b}' | '\u{24ea}' | '\u{3250}'..='\u{325f}' | '\u{32b1}'..='\u{32cf}'
        | '\u{3358}'..='\u{33ff}')
}

/// Whether a digit in a circle stands beside another: so a number is spelt, not a list.
fn is_spelt(message: &str, at: Range<usize>, c: char) -> bool {
    let is_circled = |c: char| matches!(c, '\u{2460}'..='\u{2468}' | '\u{24ea}');
    is_circled(c)
        && (message[..at.start].ends_with(is_circled) || message[at.end..].starts_with(is_circled))
}

/// The sign of ASCII that is written in place of a hyphen or an apostrophe.
fn sign(c: char) -> Option<char> {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{fe58}' => Some('-'),
        '\u{2018}' | '\u{2019}' => Some('\''),
        _ => None,
    }
}

/// The digit that a decimal digit of another script is (Unicode, general category Nd).
fn decimal(c: char) -> Option<char> {
    const ZEROS: [char; 14] = [
        '\u{660}', '\u{6f0}', '\u{7c0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}',
        '\u{be6}', '\u{c66}', '\u{ce6}', '\u{e50}', '\u{ed0}', '\u{1040}',
    ];
    let value = ZEROS.iter().find_map(|zero| {
        let value = u32::from(c).checked_sub(u32::from(*zero))?;
        (value < 10).then_some(value)
    })?;
    char::from_digit(value, 10)
}

/// Zero-width and joining characters, marks of direction, variation selectors, tags.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}'
        | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(message: &str, folded: &str) {
        let copy = Folded::new(message);
        assert_eq!(copy.text(), folded);
        assert_eq!(copy.origin(0..folded.len()), 0..message.len());
    }

    #[test]
    fn look_alikes_become_one() {
        check("Ｗ１２３＠ｘ", "W123@x");
        check("O’Neil 12–34", "O'Neil 12-34");
        check("é好", "é好");
        check("٠١٢ ३४५ 𝟏𝟐𝟑", "012 345 123");
        check("a＠b。com。", "a@b.com。");
    }

    #[test]
    fn signs_that_label_something_do_not_touch_it() {
        check("①13800138000 ②139", " 13800138000  139");
        check("℡138 №4111 ⒈Ⅳ㎏½", " 138  4111     ");
        check("①③⑧⓪", "1380");
        check("ﬁ ℂ Ⓐ", "fi C A");
    }

    #[test]
    fn a_text_in_which_nothing_folds_is_not_copied() {
        for text in ["plain", "Où est mon café, Zoë?", "你好、我是王小明。", "Привет, Ελλάδα 🙂"]
        {
            assert!(matches!(Folded::new(text).text, Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn a_part_is_found_again_in_the_message() {
        let message = "号\u{200b}１２\u{200b}３!";
        let copy = Folded::new(message);
        let at = copy.text().find("123").unwrap();
        let origin = copy.origin(at..at + 3);
        assert_eq!(&message[origin], "１２\u{200b}３");
    }

    proptest! {
        #[test]
        fn parts_lead_to_whole_characters_of_the_message(message in "\\PC{0,30}|[aé１\u{200b}ﬁ。·]{0,30}") {
            let copy = Folded::new(&message);
            let mut before = 0..0;
            for (at, c) in copy.text().char_indices() {
                let origin = copy.origin(at..at + c.len_utf8());
                prop_assert!(message.get(origin.clone()).is_some_and(|part| !part.is_empty()));
                prop_assert!(origin.start >= before.end || origin == before);
                before = origin;
            }
        }
    }
}
