//! From a message to the words that the classifier sees.
//!
//! Values that differ from message to message (e-mail addresses, order
//! numbers, placeholders) become one mask each, so that no intent is learnt
//! from whose number stood in an example.

use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

/// Characters of a message that are looked at; the rest adds no meaning and
/// must not add work.
const MAX_CHARS: usize = 2_000;

/// Stands for an e-mail address. Private-use characters cannot be confused
/// with text: those in a message are dropped.
const EMAIL: char = '\u{e000}';
/// Stands for a number of an order, an account, a parcel.
const NUMBER: char = '\u{e001}';
/// Stands for a placeholder of another datum, such as a name.
const PLACEHOLDER: char = '\u{e002}';

/// So many digits make a word a number that means one particular thing.
const DIGITS_OF_AN_ID: usize = 4;

/// A run of letters and digits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Lower case, NFKC; or one mask.
    pub(super) text: String,
    /// Written in a script without spaces, so that each character is a word
    /// of its own for word n-grams.
    pub(super) unspaced: bool,
}

/// A placeholder of the host gets the mask of the datum that it stands for, so
/// that examples with the datum itself speak for it.
static MASKED: LazyLock<[(Regex, String); 3]> = LazyLock::new(|| {
    let mask = |pattern: &str, mask: char| {
        let pattern = Regex::new(pattern).expect("the pattern is constant and tested");
        (pattern, format!(" {mask} "))
    };
    const TAIL: &str = r"_[0-9]{1,6}(?:\.[0-9a-z]{1,16})?>";
    [
        mask(
            &format!(r"<email{TAIL}|[a-z0-9._%+'-]{{1,64}}@[a-z0-9.-]{{1,190}}\.[a-z]{{2,24}}"),
            EMAIL,
        ),
        mask(&format!("<(?:phone|card|postcode){TAIL}"), NUMBER),
        mask(&format!("<[a-z][a-z_]{{0,30}}{TAIL}"), PLACEHOLDER),
    ]
});

/// Splits a message into words.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut folded: String = text
        .nfkc()
        .flat_map(char::to_lowercase)
        .filter(|c| !is_private(*c))
        .take(MAX_CHARS)
        .collect();
    for (pattern, mask) in &*MASKED {
        if pattern.is_match(&folded) {
            folded = pattern.replace_all(&folded, mask).into_owned();
        }
    }
    split(&folded)
}

fn split(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut run = String::new();
    let mut unspaced = false;
    let mut end = |run: &mut String, unspaced: bool| {
        if !run.is_empty() {
            words.push(Word { text: masked(std::mem::take(run)), unspaced });
        }
    };
    for c in text.chars() {
        if is_unspaced(c) != unspaced {
            end(&mut run, unspaced);
            unspaced = !unspaced;
        }
        match c {
            '\'' | '’' => {} // "don't" and "dont" are one word
            _ if c.is_alphanumeric() || is_private(c) => run.push(c),
            _ => end(&mut run, unspaced),
        }
    }
    end(&mut run, unspaced);
    words
}

fn masked(word: String) -> String {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    if digits >= DIGITS_OF_AN_ID { NUMBER.to_string() } else { word }
}

fn is_private(c: char) -> bool {
    ('\u{e000}'..='\u{f8ff}').contains(&c)
}

/// Han and kana are written without spaces.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let words = words(text);
        let seen: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(seen, expected, "{text}");
    }

    #[test]
    fn words_are_lower_case_without_punctuation_and_apostrophes() {
        check("Where's my ORDER?!", &["wheres", "my", "order"]);
        check("ＡＢＣ-ｘ café", &["abc", "x", "café"]);
        check(" ?! \u{e001}", &[]);
    }

    #[test]
    fn chinese_runs_stand_apart_from_what_they_touch() {
        check("我的iPhone坏了", &["我的", "iphone", "坏了"]);
        assert_eq!(words("我的x").iter().map(|w| w.unspaced).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn values_and_their_placeholders_become_the_same_mask() {
        let (email, number, other) = ("\u{e000}", "\u{e001}", "\u{e002}");
        check("order #W1000001 or 4711 in 24h", &["order", number, "or", number, "in", "24h"]);
        check("订单W1000001到哪了", &["订单", number, "到哪了"]);
        check("me@x.example, <EMAIL_1.k3f9>", &[email, email]);
        check("<POSTCODE_1.k3f9> <FIRST_NAME_12.k3f9>", &[number, other]);
        check("<b> a<1", &["b", "a", "1"]);
    }
}
