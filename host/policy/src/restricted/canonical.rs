//! One spelling for texts in which wordings are looked for.

use super::traditional::simplified;
use crate::personal::Folded;

/// A text in lower case and compatibility forms, without invisible characters; short
/// forms are written out (`I'm`, `dont`, `gonna`), traditional Chinese characters of the
/// wordings are simplified, spaces between Chinese characters are gone and others are
/// one. An empty line stays one.
pub fn canonical(text: &str) -> String {
    let folded = Folded::new(text);
    let mut out = String::with_capacity(folded.text().len() + 16);
    let mut word = String::new();
    let mut breaks = 0;
    let mut spaced = false;
    for c in folded.text().chars() {
        let c = simplified(c);
        let in_word = c.is_ascii_alphanumeric() || (c == '\'' && !word.is_empty());
        if in_word {
            if word.is_empty() {
                space(&mut out, &mut spaced, &mut breaks, false);
            }
            word.push(c.to_ascii_lowercase());
            continue;
        }
        end_word(&mut out, &mut word);
        if c.is_whitespace() {
            spaced = true;
            breaks += u8::from(c == '\n' && breaks < 2);
            continue;
        }
        space(&mut out, &mut spaced, &mut breaks, is_chinese(c));
        out.extend(c.to_lowercase());
    }
    end_word(&mut out, &mut word);
    out
}

/// Writes the space before what comes next, if there was any.
fn space(out: &mut String, spaced: &mut bool, breaks: &mut u8, chinese: bool) {
    if *spaced && !out.is_empty() {
        let touches = chinese && out.chars().next_back().is_some_and(is_chinese);
        match *breaks {
            2.. => out.push_str("\n\n"),
            _ if touches => {}
            _ => out.push(' '),
        }
    }
    (*spaced, *breaks) = (false, 0);
}

fn end_word(out: &mut String, word: &mut String) {
    if word.is_empty() {
        return;
    }
    let bare = word.trim_end_matches('\'');
    let quotes = word.len() - bare.len();
    match written_out(bare) {
        Some(long) => out.push_str(long),
        None => match bare.strip_suffix("n't") {
            Some(verb) => {
                out.push_str(verb);
                out.push_str(" not");
            }
            None => long_ending(out, bare),
        },
    }
    out.extend(std::iter::repeat_n('\'', quotes));
    word.clear();
}

/// A word with `'ll`, `'ve`, `'re`, `'d` or `'m` written out. Any other apostrophe goes,
/// unless it measures feet.
fn long_ending(out: &mut String, word: &str) {
    const ENDINGS: [(&str, &str); 5] =
        [("'ll", " will"), ("'ve", " have"), ("'re", " are"), ("'d", " would"), ("'m", " am")];
    for (short, long) in ENDINGS {
        if let Some(start) = word.strip_suffix(short) {
            out.push_str(start);
            out.push_str(long);
            return;
        }
    }
    let measures = word.starts_with(|c: char| c.is_ascii_digit());
    out.extend(word.chars().filter(|c| measures || *c != '\''));
}

/// Short forms that no ending tells.
fn written_out(word: &str) -> Option<&'static str> {
    Some(match word {
        "im" => "i am",
        "ive" => "i have",
        "he's" | "hes" => "he is",
        "she's" | "shes" => "she is",
        "it's" => "it is",
        "that's" | "thats" => "that is",
        "there's" | "theres" => "there is",
        "what's" | "whats" => "what is",
        "who's" => "who is",
        "let's" => "let us",
        "can't" | "cant" | "cannot" => "can not",
        "won't" | "wont" => "will not",
        "shan't" => "shall not",
        "dont" => "do not",
        "doesnt" => "does not",
        "didnt" => "did not",
        "isnt" => "is not",
        "arent" => "are not",
        "wasnt" => "was not",
        "wouldnt" => "would not",
        "couldnt" => "could not",
        "shouldnt" => "should not",
        "havent" => "have not",
        "hasnt" => "has not",
        "youre" => "you are",
        "youll" => "you will",
        "theyre" => "they are",
        "gonna" => "going to",
        "wanna" => "want to",
        "gotta" => "got to",
        "u" => "you",
        "ur" => "your",
        "pls" | "plz" => "please",
        "anymore" => "any more",
        _ => return None,
    })
}

/// Characters that are written without spaces.
fn is_chinese(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{303f}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, wanted: &str) {
        assert_eq!(canonical(text), wanted);
        assert_eq!(canonical(wanted), wanted, "twice changes nothing");
    }

    #[test]
    fn spellings_become_one() {
        check("I’m  12, DON'T\ntell", "i am 12, do not tell");
        check("im gonna… won't they'd", "i am going to... will not they would");
        check("ＣＶＶ：１２３", "cvv:123");
        check("k\u{200b}ill", "kill");
        check("my son's card, the boys'", "my sons card, the boys'");
        check("I'm 5'4\" tall", "i am 5'4\" tall");
    }

    #[test]
    fn chinese_is_written_without_spaces_and_simplified() {
        check("自 殺 了 ok 好", "自杀了 ok 好");
        check("律師函\n\n\n　再見", "律师函\n\n再见");
    }
}
