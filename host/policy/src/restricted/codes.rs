//! Security codes of payment cards: nobody may keep one, so they are not even given a
//! placeholder.

use std::{borrow::Cow, ops::Range, sync::LazyLock};

use regex::Regex;

use crate::personal::Folded;

/// What stands where a code was taken out.
const TAKEN_OUT: &str = "[CARD_CODE]";
/// Digits from which a number is longer than any code with an amount beside it.
const LONG_NUMBER: usize = 12;

/// The ways in which codes are told. Each is looked for by itself, so that taking out one
/// code uncovers no other.
static CODES: LazyLock<[Regex; 3]> = LazyLock::new(|| {
    const WORD: &str = r"cvv2?(?:/cvc2?)?|cvc2?(?:/cvv2?)?|cvn2?|csc|sec(?:urity)? (?:code|number)|verification (?:code|value)|card (?:verification|security|validation)? ?(?:value|code)";
    // Codes of other things.
    const OTHER: &str = "gift|loyalty|membership|promo|voucher|coupon|discount|qr|bar|scratch|serial|model|product|item|part|door|gate|error|status|area|zip|activation|tracking";
    const PLACE: &str = r"(?:(?:last )?(?:three|four|[34])[ -]?)?(?:digits?|numbers?|code|figures) (?:(?:that|which) )?(?:is |are )?(?:on|at|from|of|behind|by|near) (?:the |my |its )?(?:signature(?: strip| field| panel)?|(?:very )?back(?: side)?|reverse|front)(?: of (?:it|(?:the|my|this|that) (?:[a-z]+ )?card|the signature))?";
    const LENGTH: &str =
        r"(?:three|four|[34])[ -]?digits? (?:(?:card|security|cvv|secret) )?(?:code|number)";
    const CHINESE: &str = r"(?:安全|校[验驗])[码碼]|(?:卡片?的?(?:背[面后後]|后面?|後面?|反面)|背面|[签簽]名[栏欄条])[^0-9，。？！；,\n]{0,6}(?:[码碼]|字|[三四34] ?位数?)|(?:^|[^号號单單的])[后後]三[码碼]|[三3]位(?:安全|校验)码";
    // What may stand between: no words but these, so that an order's number or an amount
    // later in the sentence is none.
    const BETWEEN: &str = r"(?:[\s:：=#|*'()（）>～~-]|是|就是|应该|為|为|(?:'s|is|was|are|be|it|its|it's|reads|says|equals|should|number|code|value|no\.?|nr\.?|here|also|just|now|the|(?:of|on|for) (?:the|my|this|it) ?(?:card)?|(?:on|at) (?:the|my) (?:back|front|reverse)|(?:three|four|[34])[ -]?digits?)\b|[三四34] ?位|号|[数數]字|[码碼]){0,10}";
    const DIGITS: &str = "([0-9]{3,4}|[0-9](?:[ -][0-9]){2,3})";
    let after = format!(
        "(?P<other>(?:{OTHER})[ -]?)?(?:{WORD}|{PLACE}|{LENGTH}|{CHINESE}){BETWEEN}{DIGITS}"
    );
    let before = format!(
        r"([0-9]{{3,4}})(?: ?\((?:the |my )?| (?:is|was|as) (?:the |my |its |a )?)(?:{WORD})"
    );
    let card = r"[0-9][0-9 -]{13,18}[0-9](?:[ ,;/|]{1,3}(?:exp[a-z]* ?:? ?)?(?:0?[1-9]|1[0-2]) ?[/|-] ?[0-9]{2,4}|\|(?:0[1-9]|1[0-2])[0-9]{2})[ ,;/|]{1,3}([0-9]{3,4})";
    [after, before, card.to_owned()].map(|told| {
        // `\b` in ASCII, because codes touch Chinese characters.
        let told = told.replace(r"\b", r"(?-u:\b)");
        Regex::new(&format!(r"(?i)(?-u:\b{{start-half}}|\b)(?:{told})(?-u:\b{{end-half}})"))
            .expect("the expression is constant and tested")
    })
});

/// Where security codes stand in a text.
pub(super) fn codes(text: &str) -> Vec<Range<usize>> {
    if !text.bytes().any(|byte| byte.is_ascii_digit() || !byte.is_ascii()) {
        return Vec::new();
    }
    let folded = Folded::new(text);
    let all = folded.text();
    let [after, before, card] = &*CODES;
    let code = |found: regex::Captures<'_>| match found.iter().skip(1).flatten().last() {
        Some(code) if found.name("other").is_none() => Some(code.range()),
        Some(_) | None => None,
    };
    let told = after.captures_iter(all).chain(before.captures_iter(all)).filter_map(code);
    let mut codes: Vec<_> = told
        .filter(|code| is_by_itself(all, code) && !is_amount(&all[code.end..]))
        .chain(card.captures_iter(all).filter_map(code))
        .map(|code| folded.origin(code))
        .collect();
    codes.sort_by_key(|code| code.start);
    codes.dedup_by(|next, code| next.start < code.end);
    codes
}

/// A text without the security codes in it. Doing it again changes nothing.
pub fn without_codes(text: &str) -> Cow<'_, str> {
    let codes = codes(text);
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

/// Whether digits are no part of a longer number, such as a card's: that is taken out as
/// a whole elsewhere. A code before or after a whole card number is by itself.
fn is_by_itself(text: &str, code: &Range<usize>) -> bool {
    let bytes = text.as_bytes();
    let digits = |part: Range<usize>| -> Vec<u8> {
        bytes[part].iter().copied().filter(u8::is_ascii_digit).collect()
    };
    let end = run_end(bytes, code.end);
    let start = run_start(bytes, code.start);
    if digits(start..end).len() < LONG_NUMBER {
        return true;
    }
    let (before, after) = (digits(start..code.start), digits(code.end..end));
    (before.is_empty() && is_card(&after)) || (after.is_empty() && is_card(&before))
}

/// Where a number that goes on at `at` ends: its groups have one space or hyphen between.
fn run_end(bytes: &[u8], mut at: usize) -> usize {
    loop {
        at = match &bytes[at..] {
            [b'0'..=b'9', ..] => at + 1,
            [b' ' | b'-', b'0'..=b'9', ..] => at + 2,
            _ => return at,
        };
    }
}

/// Where a number that goes on before `at` begins.
fn run_start(bytes: &[u8], mut at: usize) -> usize {
    loop {
        at = match &bytes[..at] {
            [.., b'0'..=b'9'] => at - 1,
            [.., b'0'..=b'9', b' ' | b'-'] => at - 2,
            _ => return at,
        };
    }
}

/// Whether digits are a whole card number by their check digit (ISO/IEC 7812-1).
fn is_card(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (u32::from(digit - b'0'), place % 2) {
            (value, 0) => value,
            (value, _) => value * 2 / 10 + value * 2 % 10,
        })
        .sum();
    (13..=19).contains(&digits.len()) && sum.is_multiple_of(10)
}

/// Whether what follows digits makes an amount or a count of them.
fn is_amount(rest: &str) -> bool {
    const UNITS: [&str; 17] = [
        "元", "块", "塊", "号", "页", "错误", "錯誤", "€", "%", "eur", "euro", "euros", "usd",
        "dollars", "pounds", "times", "days",
    ];
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    let word: String = rest.chars().take_while(char::is_ascii_alphabetic).take(8).collect();
    UNITS.iter().any(|unit| match unit.is_ascii() && *unit != "%" {
        true => word.eq_ignore_ascii_case(unit),
        false => rest.starts_with(unit),
    })
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
        check("cvv (3 digits on the back): 737", "cvv (3 digits on the back): [CARD_CODE]");
        check("CSC: 123", "CSC: [CARD_CODE]");
        check("cvv\n482", "cvv\n[CARD_CODE]");
        check("cvv 4 8 2", "cvv [CARD_CODE]");
        check("the code on the back is 831", "the code on the back is [CARD_CODE]");
        check("3-digit code: 482", "3-digit code: [CARD_CODE]");
        check("安全码123，帮我付", "安全码[CARD_CODE]，帮我付");
        check("卡背面的三位数是 731，谢谢", "卡背面的三位数是 [CARD_CODE]，谢谢");
        check("731 is the cvv", "[CARD_CODE] is the cvv");
    }

    #[test]
    fn codes_beside_other_numbers() {
        check("4111111111111111 12/27 123", "4111111111111111 12/27 [CARD_CODE]");
        check("4111111111111111|12|27|482", "4111111111111111|12|27|[CARD_CODE]");
        check("4111111111111111|1227|482", "4111111111111111|1227|[CARD_CODE]");
        check("4111 1111 1111 1111, CVV 482", "4111 1111 1111 1111, CVV [CARD_CODE]");
        check("CVV 482 4111 1111 1111 1111", "CVV [CARD_CODE] 4111 1111 1111 1111");
        check("4111 1111 1111 1111 482 is my cvv", "4111 1111 1111 1111 [CARD_CODE] is my cvv");
        check("cvv 482 100 euros", "cvv [CARD_CODE] 100 euros");
        check("cvv 905 12/30", "cvv [CARD_CODE] 12/30");
        check("cvv 111 222 is the cvv 333", "cvv [CARD_CODE] [CARD_CODE] is the cvv [CARD_CODE]");
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
            "security code 4111 1111 1111 1111",
            "4111 1111 1111 1111 and the cvv",
            "cvv was rejected for order 4471",
            "my security code does not work, order 1234",
            "the four digits behind the W are 4471",
            "the code on the back of the router is 4471",
            "the security code, room 123",
            "the security code costs 399 euros",
            "security code 399 euros",
            "gift card code 1234",
            "the promo code on the back is 2024",
            "价格是三位数，大概399元",
            "校验码 404 错误",
            "订单号的后三位是471",
            "校验码收不到，订单4471",
            "安全码收费399元",
        ] {
            check(text, text);
        }
    }

    proptest::proptest! {
        /// However codes and other numbers stand beside one another.
        #[test]
        fn twice_changes_nothing(
            text in "(cvv|csc| is | the |my |安全码|是|security code|[0-9]{3,4}|4111 1111 1111 1111|[ :,|/(-]|12/27|code on the back|三位){0,14}",
        ) {
            let once = without_codes(&text).into_owned();
            proptest::prop_assert_eq!(without_codes(&once), once.as_str());
        }
    }
}
