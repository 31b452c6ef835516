//! Whether a message is a plain yes or no.

use std::{collections::HashMap, sync::LazyLock};

/// A message with more words says more than yes or no.
const MAX_WORDS: usize = 12;
const MAX_BYTES: usize = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Yes,
    No,
    /// Politeness, or a word that only repeats the question.
    Nothing,
}

/// Phrases of up to [`LONGEST`] words; the longest that fits counts, so that
/// "don't do it" is not "do it". What can be meant either way ("cancel it",
/// "no problem") is missing on purpose.
const YES: &str = "yes|y|yep|yeah|yup|yea|ya|aye|sure|sure thing|ok|okay|k|alright|all right|fine|of course|certainly|definitely|absolutely|indeed|correct|right|exactly|that's right|thats right|that's correct|that is right|that is correct|affirmative|agreed|i agree|confirm|confirmed|i confirm|go ahead|go for it|proceed|do it|do that|do so|please do|sounds good|looks good|i do|i am sure|i'm sure|why not|by all means|yes i do|👍|✅|👌|是|是的|对|对的|好|好的|好吧|好啊|行|可以|没问题|确认|确定|同意|嗯|嗯嗯|要|需要|没错|当然|当然可以";
const NO: &str = "no|n|nope|nah|no thanks|no thank you|not now|not yet|no way|never|never mind|nevermind|don't|dont|do not|don't do it|dont do it|do not do it|don't do that|do not do that|please don't|i don't|i do not|i don't want to|i don't want that|i do not want that|i'd rather not|rather not|absolutely not|definitely not|certainly not|of course not|not really|wrong|incorrect|that's wrong|that is wrong|that's not right|that's incorrect|negative|i disagree|👎|❌|不|不是|不是的|不对|不要|不用|不用了|不行|不可以|不需要|不同意|不确认|别|否|算了|没有";
const NOTHING: &str = "please|pls|thanks|thank you|thx|then|and|it|that|this|so|with it|with that|now|i|would|like|want to|just|oh|well|um|uh|hi|ah|sir|that's fine|that's ok|that is fine|🙏|🙂|😊|谢谢|谢谢你|吧|啊|呀|的|了|哦|请|麻烦|您|你|我|那|就";
const LONGEST: usize = 5;

static PHRASES: LazyLock<HashMap<&str, Says>> = LazyLock::new(|| {
    [(NOTHING, Says::Nothing), (YES, Says::Yes), (NO, Says::No)]
        .into_iter()
        .flat_map(|(list, says)| list.split('|').map(move |phrase| (phrase, says)))
        .collect()
});

/// Yes, no, or neither, from folded text.
pub(super) fn read(text: &str) -> Option<bool> {
    if text.len() > MAX_BYTES || text.contains('?') {
        return None;
    }
    let words = split(&text.to_lowercase());
    if words.len() > MAX_WORDS {
        return None;
    }
    let (mut yes, mut no) = (false, false);
    let mut at = 0;
    while at < words.len() {
        let fits = (1..=LONGEST.min(words.len() - at)).rev().find_map(|count| {
            let part = &words[at..at + count];
            // Chinese characters stand without spaces, words with them.
            let phrase = if part.iter().all(|word| is_symbol(word)) {
                part.concat()
            } else {
                part.join(" ")
            };
            PHRASES.get(phrase.as_str()).map(|says| (count, *says))
        });
        let (count, says) = fits?;
        yes |= says == Says::Yes;
        no |= says == Says::No;
        at += count;
    }
    (yes != no).then_some(yes)
}

fn is_symbol(word: &str) -> bool {
    word.chars().all(|c| !c.is_ascii())
}

/// Words; each Chinese character and each emoji is one.
fn split(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    for c in text.chars() {
        let in_word = c.is_ascii_alphanumeric() || c == '\'';
        match words.last_mut() {
            Some(word) if in_word && open => word.push(c),
            _ if in_word => words.push(c.to_string()),
            _ if c.is_whitespace() || is_punctuation(c) => {}
            // The skin tone of the emoji before it.
            _ if ('\u{1f3fb}'..='\u{1f3ff}').contains(&c) => {}
            _ => words.push(c.to_string()),
        }
        open = in_word;
    }
    words
}

fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation() || matches!(c, '。' | '、' | '，' | '！' | '…' | '~' | '～')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: Option<bool>, texts: &[&str]) {
        for text in texts {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn a_yes_in_many_forms_is_a_yes() {
        check(
            Some(true),
            &[
                "yes",
                "Yes!",
                "Yep, please do.",
                "go ahead",
                "ok go ahead and do it",
                "sure, thanks",
                "yes yes",
                "That's right",
                "I confirm",
                "y",
                "of course",
                "👍🏽",
                "please proceed",
                "好的",
                "是",
                "是的，谢谢",
                "可以",
                "好的，麻烦你了",
                "没问题",
                "嗯",
            ],
        );
    }

    #[test]
    fn a_no_in_many_forms_is_a_no() {
        check(
            Some(false),
            &[
                "no",
                "No thanks",
                "don't",
                "nope",
                "please don't",
                "don't do it",
                "no, thank you",
                "absolutely not",
                "never mind",
                "I don't want that",
                "不",
                "不用了，谢谢",
                "不要",
                "算了",
            ],
        );
    }

    #[test]
    fn anything_else_is_neither() {
        check(
            None,
            &[
                "",
                "...",
                "maybe",
                "not sure",
                "I'm not sure",
                "yes?",
                "yes and no",
                "please",
                "yes but only the second one",
                "no problem",
                "cancel it",
                "where is my order",
                "no, go ahead",
                "don't stop",
                "thanks",
                "不知道",
                "好像不对",
                "我要退款",
                "yes yes yes yes yes yes yes yes yes yes yes yes yes",
            ],
        );
    }

    #[test]
    fn no_phrase_has_more_words_than_are_looked_at() {
        for phrase in PHRASES.keys() {
            assert!(split(phrase).len() <= LONGEST, "{phrase}");
            assert!(PHRASES.contains_key(phrase.to_lowercase().as_str()));
        }
    }
}
