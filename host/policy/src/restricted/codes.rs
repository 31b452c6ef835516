//! Security codes of payment cards: nobody may keep one, so they are not even given a
//! placeholder.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;

use crate::personal::Folded;

/// What stands where a code was taken out.
const TAKEN_OUT: &str = "[CARD_CODE]";

/// Three or four digits after the words for them, before them, or after a card's number
/// and expiry. `\b` in ASCII, because codes touch Chinese characters.
static CODE: LazyLock<Regex> = LazyLock::new(|| {
    const WORD: &str = "cvv2?|cvc2?|cvn|security code|verification value|card (?:verification|security) (?:value|code|number)";
    const CHINESE: &str =
        "安全码|校验码|(?:后|背面)[^0-9，。？]{0,8}三[码位]|三位(?:数|码)|背面的?(?:数字|码)";
    const PLACE: &str =
        "(?:three|3|four|4)[ -]?(?:digits?|numbers?)[a-z ]{0,24}(?:back|front|behind|signature)";
    let after = format!(
        r"(?:{WORD}|{CHINESE}|{PLACE})(?:[^0-9?!？\n\[]|3 ?digits?|[34] ?位){{0,28}}([0-9]{{3,4}})"
    );
    let before = format!(r"([0-9]{{3,4}}) is (?:the |my |its )?(?:{WORD})");
    let card = r"[0-9][0-9 -]{13,18}[0-9][ ,;/]{1,3}(?:exp[a-z]* ?:? ?)?(?:0?[1-9]|1[0-2]) ?/ ?[0-9]{2,4}[ ,;/]{1,3}([0-9]{3,4})";
    Regex::new(&format!(
        r"(?i)(?-u:\b{{start-half}}|\b)(?:{after}|{before}|{card})(?-u:\b{{end-half}})"
    ))
    .expect("the expression is constant and tested")
});

/// A text without the security codes in it.
pub fn without_codes(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte.is_ascii_digit() || !byte.is_ascii()) {
        return Cow::Borrowed(text);
    }
    let folded = Folded::new(text);
    let codes: Vec<_> = CODE
        .captures_iter(folded.text())
        .filter_map(|found| found.iter().skip(1).flatten().last())
        .filter(|code| !is_of_longer_number(folded.text(), code.end()))
        .map(|code| folded.origin(code.range()))
        .collect();
    if codes.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for code in codes {
        out.push_str(&text[at..code.start]);
        out.push_str(TAKEN_OUT);
        at = code.end;
    }
    out.push_str(&text[at..]);
    Cow::Owned(out)
}

/// Whether another group of three digits follows: then it is a card's number, which is
/// taken out as a whole elsewhere.
fn is_of_longer_number(text: &str, end: usize) -> bool {
    let rest = &text.as_bytes()[end..];
    let rest = match rest {
        [b' ' | b'-', rest @ ..] => rest,
        rest => rest,
    };
    rest.len() >= 3 && rest[..3].iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, wanted: &str) {
        assert_eq!(without_codes(text), wanted);
        assert_eq!(without_codes(wanted), wanted, "twice changes nothing");
    }

    #[test]
    fn codes_leave_and_the_words_for_them_stay() {
        check("the CVV is 482, thanks", "the CVV is [CARD_CODE], thanks");
        check("cvc:９０５", "cvc:[CARD_CODE]");
        check("security code 1234 on the front", "security code [CARD_CODE] on the front");
        check("the 3 digits on the back are 737", "the 3 digits on the back are [CARD_CODE]");
        check("安全码123，帮我付", "安全码[CARD_CODE]，帮我付");
        check("卡背面的三位数是 731，谢谢", "卡背面的三位数是 [CARD_CODE]，谢谢");
        check("4111111111111111 12/27 123", "4111111111111111 12/27 [CARD_CODE]");
        check("4111 1111 1111 1111, CVV 482", "4111 1111 1111 1111, CVV [CARD_CODE]");
        check("cvv 905 12/30", "cvv [CARD_CODE] 12/30");
        check("731 is the cvv", "[CARD_CODE] is the cvv");
    }

    #[test]
    fn other_digits_stay() {
        for text in [
            "what is a cvv? order 123",
            "my security code is 482913",
            "I have 3 digits left of 1234",
            "CVV在哪看",
            "room 123",
            "the security code of 4111 1111 1111 1111",
            "4111 1111 1111 1111 and the cvv",
        ] {
            check(text, text);
        }
    }
}
