//! Numbers of cards and identity documents that only the words before them tell: no check
//! digit proves them, or what was typed does not fit it.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use super::Category;
use crate::personal::{Finding, Folded};

/// Bytes before a number in which the word for a card makes it one.
const CARD_WORD_WITHIN: usize = 32;
/// How sure the detector is of a card number that needs no word, in percent.
const SURE: u8 = 80;

/// Words after which a number is that of a card of another sort.
const OTHER_CARDS: &str = "gift|loyalty|club|member(?:ship)?|rewards?|bonus|library|customer|student|insurance|store|sim|travel|bus|会员|會員|礼品|禮品|购物|購物|积分|積分|充值|门禁|校园|公交";

/// The number of a document behind the words for it.
static DOCUMENT: LazyLock<Regex> = LazyLock::new(|| {
    const IS: &str = r"(?:\s?(?:number|nr|num|no|id|details?|#|[号號][码碼]?))?(?:[\s.:#=,>-]|is|its|it's|是|为|為){1,8}";
    const NUMBER: &str =
        "[a-z]{0,5}[0-9]{2}[0-9a-z]{4,18}|[a-z]{0,2}[0-9]{3,5}(?:[ -][0-9]{2,6}){1,4}";
    let all = [
        format!("passports?{IS}([a-z]{{0,4}}[0-9]{{6,9}}[a-z]{{0,2}}|[a-z][0-9][0-9a-z]{{6,8}})"),
        format!("(?:driver'?s?|driving|drive) ?licen[cs]es?{IS}({NUMBER})"),
        format!(
            "(?:identity card|id card|national id|identification|residence permit|green card|aadhaar|pan card){IS}({NUMBER})"
        ),
        r"(?:national insurance|ni|nino)(?:[\s.:#=,-]|is|its|it's|number|no|num){0,8}([a-z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[a-d])".to_owned(),
        r"(?:social security|ssn|social)(?: (?:number|no|num|#))?[^0-9\n?!]{0,8}([0-9]{3}[ .-]?[0-9]{2}[ .-]?[0-9]{4})".to_owned(),
        r"nhs(?: (?:number|no|num))?[^0-9\n?!]{0,8}([0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4})".to_owned(),
        r"[护護]照[号號]?[码碼]?[是为為:：=\s]{0,3}([a-z]{0,3}[0-9]{7,9})".to_owned(),
        r"(?:通行[证證]|居住[证證]|[台臺]胞[证證]|回[乡鄉][证證]|[军軍]官[证證]|[驾駕][驶駛][证證]|[驾駕]照)[号號]?[码碼]?[是为為:：=\s]{0,3}([a-z]{0,2}[0-9]{7,18}x?)".to_owned(),
        r"(?:身份[证證]|[证證]件[号號])[^0-9。？\n]{0,8}([0-9](?: ?[0-9]){16} ?[0-9x])".to_owned(),
        r"(?:passport|doc(?:ument)?|id_?card|ssn|licen[cs]e)_?(?:no|number|nr|id)?=([a-z]{0,3}[0-9]{7,18}x?)".to_owned(),
    ];
    expression(&all.join("|"))
});

/// The number of a card behind the words for it.
static CARD: LazyLock<Regex> = LazyLock::new(|| {
    expression(&format!(
        r"(?P<other>(?:{OTHER_CARDS})[ -]?)?(?:card ?(?:number|no|#|num|nr)[ .:#]{{0,4}}(?:is )?|(?:信用|银行|銀行|储蓄|借记)卡[号號]?[码碼]?[是为為:： ]{{0,3}})(?P<number>[0-9][0-9 -]{{13,22}}[0-9])"
    ))
});

/// Words for a card that pays, or for one of another sort.
static CARD_WORD: LazyLock<Regex> = LazyLock::new(|| {
    expression(&format!(
        "(?P<other>(?:{OTHER_CARDS})[ -]?)?(?:cards?|visa|master ?card|amex|maestro|credit|debit|卡)"
    ))
});

/// Words for a card of another sort right before its number.
static OTHER_CARD: LazyLock<Regex> = LazyLock::new(|| {
    expression(&format!(
        r"(?:{OTHER_CARDS})[ -]?(?:cards?|卡)? ?(?:number|no|#|num|nr|code|[号號][码碼]?)?[\s.:#=：是为為]{{0,4}}(?:is )?$"
    ))
});

fn expression(all: &str) -> Regex {
    // `\b` in ASCII, because numbers touch Chinese characters.
    Regex::new(&format!(r"(?i)(?-u:\b{{start-half}}|\b)(?:{all})(?-u:\b{{end-half}})"))
        .expect("the expression is constant and tested")
}

/// Where numbers of documents stand that nothing but the words before them tells, and that
/// are not among the `findings`. They are to be replaced like these.
pub fn announced_documents(text: &str, findings: &[Finding]) -> Vec<Range<usize>> {
    let mut spans = told(text, Category::IdDocument);
    spans.retain(|span| {
        let overlaps = |found: &Finding| found.span.start < span.end && span.start < found.span.end;
        !findings.iter().any(overlaps)
    });
    spans
}

/// Where numbers of cards or documents stand behind the words for them.
pub(super) fn told(text: &str, category: Category) -> Vec<Range<usize>> {
    let folded = Folded::new(text);
    let number = |found: regex::Captures<'_>| match found.name("other") {
        Some(_) => None,
        None => Some(folded.origin(found.iter().skip(1).flatten().last()?.range())),
    };
    let expression = match category {
        Category::PaymentCard => &CARD,
        Category::IdDocument => &DOCUMENT,
        Category::Health
        | Category::LegalThreat
        | Category::SelfHarm
        | Category::Minors
        | Category::Custom(_) => return Vec::new(),
    };
    expression.captures_iter(folded.text()).filter_map(number).collect()
}

/// Whether a finding is a value of a card that pays: many long numbers have a check digit
/// that fits, so an unsure one needs the word for it, and other cards have numbers as well.
pub(super) fn is_card(text: &str, finding: &Finding) -> bool {
    let mut start = finding.span.start.saturating_sub(CARD_WORD_WITHIN);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let before = Folded::new(text.get(start..finding.span.start).unwrap_or_default());
    let pays = |word: regex::Captures<'_>| word.name("other").is_none();
    let told = || CARD_WORD.captures_iter(before.text()).any(pays);
    !OTHER_CARD.is_match(before.text()) && (finding.confidence >= SURE || told())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::personal::{Detector, Purpose};

    #[track_caller]
    fn check(text: &str, wanted: &[&str]) {
        let findings = Detector::standard().find_for(text, Purpose::Placeholders);
        let spans = announced_documents(text, &findings);
        let found: Vec<&str> = spans.into_iter().map(|span| &text[span]).collect();
        assert_eq!(found, wanted, "{text}");
    }

    #[test]
    fn numbers_that_only_words_tell_are_found_as_they_are_written() {
        check("my national insurance number is QQ 12 34 56 C, thanks", &["QQ 12 34 56 C"]);
        check("NI no: ＱＱ123456C", &["ＱＱ123456C"]);
        check("台胞证号码是01234567，帮我实名", &["01234567"]);
        check("我的回鄉證號碼是H0123456701", &["H0123456701"]);
        check("residence permit no. is L01X00T47", &["L01X00T47"]);
    }

    #[test]
    fn other_words_and_numbers_stay() {
        for text in [
            "my driving licence 2 weeks ago it expired",
            "national insurance is due on 12 May",
            "the id card is 3 pages long",
            "通行证怎么办",
            "passport photo size 35 45",
        ] {
            check(text, &[]);
        }
    }

    #[test]
    fn what_the_detector_finds_is_left_to_it() {
        let text = "身份证110101199003074493";
        check(text, &[]);
        assert_eq!(told(text, Category::IdDocument).len(), 1);
    }
}
