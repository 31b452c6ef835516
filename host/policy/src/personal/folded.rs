//! A copy of a message in which look-alike characters are one, and the way
//! back to the message itself.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

/// NFKC character by character, without invisible characters, with plain
/// hyphens and apostrophes. So full-width digits and an e-mail address with a
/// soft hyphen in it are found like any other.
#[derive(Clone, Debug)]
pub struct Folded {
    text: String,
    /// For each byte of `text`, the character of the message that it came from.
    origins: Vec<Range<usize>>,
}

impl Folded {
    /// Folds a text.
    pub fn new(message: &str) -> Self {
        let mut folded = Self {
            text: String::with_capacity(message.len()),
            origins: Vec::with_capacity(message.len()),
        };
        for (start, c) in message.char_indices() {
            let origin = start..start + c.len_utf8();
            match c {
                _ if c.is_ascii() => folded.push(c, &origin),
                _ if is_invisible(c) => {}
                '\u{2010}'..='\u{2015}' | '\u{2212}' => folded.push('-', &origin),
                '\u{2018}' | '\u{2019}' => folded.push('\'', &origin),
                _ => std::iter::once(c).nfkc().for_each(|c| folded.push(c, &origin)),
            }
        }
        folded
    }

    fn push(&mut self, c: char, origin: &Range<usize>) {
        self.text.push(c);
        self.origins.resize(self.text.len(), origin.clone());
    }

    /// The copy.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where a part of the copy, which must not be empty, stands in the message.
    pub fn origin(&self, part: Range<usize>) -> Range<usize> {
        match self.origins.get(part) {
            Some([first, .., last]) => first.start..last.end,
            Some([only]) => only.clone(),
            Some([]) | None => 0..0,
        }
    }
}

/// Zero-width and joining characters, variation selectors, tags.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
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
    }

    #[test]
    fn a_part_is_found_again_in_the_message() {
        let message = "号\u{200b}１２\u{200b}３!";
        let copy = Folded::new(message);
        let at = copy.text().find("123").unwrap();
        let origin = copy.origin(at..at + 3);
        assert_eq!(&message[origin], "１２\u{200b}３");
    }
}
