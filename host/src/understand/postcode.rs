//! Postcodes in text.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

/// Shapes that letters make unmistakable: United Kingdom, Canada, Netherlands,
/// Ireland; then digits with a fixed hyphen: United States, Brazil, Portugal,
/// Poland, Japan.
const MARKED: &str = r"[a-z]{1,2}[0-9][0-9a-z]? ?[0-9][a-z]{2}|[a-z][0-9][a-z][ -]?[0-9][a-z][0-9]|[0-9]{4} ?[a-z]{2}|[a-z][0-9][0-9w] ?[0-9a-z]{4}|[0-9]{5}-[0-9]{4}|[0-9]{5}-[0-9]{3}|[0-9]{4}-[0-9]{3}|[0-9]{2}-[0-9]{3}|[0-9]{3}-[0-9]{4}";
/// Digits alone, or as Sweden, Greece and India group them.
const DIGITS: &str = r"[0-9]{4,6}|[0-9]{3} [0-9]{2,3}";
const LABEL: &str = r"zip ?code|zip|post ?code|postal ?code|plz|pin ?code|邮政编码|邮编";

static LABELLED: LazyLock<Regex> = LazyLock::new(|| {
    compile(&format!(
        r"(?:(?-u:\b)(?:and |with |in |at )?(?:my |the )?)?(?:{LABEL})(?: number)?(?: is|:|=|是|为)?[ :]*(?<code>{MARKED}|{DIGITS})(?-u:\b)"
    ))
});
static ALONE: LazyLock<Regex> =
    LazyLock::new(|| compile(&format!(r"(?-u:\b)(?<code>{MARKED}|{DIGITS})(?-u:\b)")));

fn compile(pattern: &str) -> Regex {
    Regex::new(&format!("(?i){pattern}")).expect("the pattern is constant and tested")
}

/// A postcode in folded text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Postcode {
    /// The postcode alone.
    pub(super) code: Range<usize>,
    /// With the words that announce it.
    pub(super) whole: Range<usize>,
}

/// Finds the postcode of a text: the one that is announced, otherwise the last
/// that is not another number.
pub(super) fn find(text: &str) -> Option<Postcode> {
    let read = |pattern: &Regex, last: bool| {
        let mut all = pattern.captures_iter(text).filter_map(|found| {
            let whole = found.get(0)?.range();
            let code = found.name("code")?.range();
            is_alone(text, &code).then_some(Postcode { code, whole })
        });
        if last { all.last() } else { all.next() }
    };
    read(&LABELLED, false).or_else(|| read(&ALONE, true))
}

/// Not part of a longer code, and not announced as another number.
fn is_alone(text: &str, range: &Range<usize>) -> bool {
    let before = &text[..range.start];
    let after = text[range.end..].chars().next();
    let word =
        before.trim_end_matches([' ', ':', '#']).rsplit([' ', ',']).next().unwrap_or_default();
    let other =
        ["order", "number", "no", "no.", "phone", "tel", "tracking", "card", "apt", "suite"];
    !before.ends_with(['#', '-', '@', '.', '/', '+', '_', '\''])
        && !after.is_some_and(|c| matches!(c, '-' | '@' | '_' | '/' | '\''))
        && !other.contains(&word.to_lowercase().as_str())
        && !before.ends_with("订单")
}

/// The form in which postcodes are compared: upper case, one space before the
/// second part of a British, Canadian, Dutch or Irish one, none elsewhere.
pub fn normal_postcode(text: &str) -> String {
    let folded = postern_policy::personal::Folded::new(text);
    let code: String = folded.text().chars().filter(|c| !c.is_whitespace()).collect();
    let code = code.to_uppercase();
    let has = |range: Range<usize>, class: fn(&char) -> bool| {
        code.get(range).is_some_and(|part| part.chars().all(|c| class(&c)))
    };
    let digit: fn(&char) -> bool = char::is_ascii_digit;
    let letter: fn(&char) -> bool = char::is_ascii_uppercase;
    let n = code.len();
    let second = match n {
        // A1A1A1 and A1A-1A1
        6 | 7
            if has(0..1, letter)
                && has(1..2, digit)
                && has(2..3, letter)
                && has(n - 3..n - 2, digit)
                && has(n - 2..n - 1, letter)
                && has(n - 1..n, digit) =>
        {
            let (first, second) = (&code[..3], &code[n - 3..]);
            return format!("{first} {second}");
        }
        // 1234AB
        6 if has(0..4, digit) && has(4..6, letter) => 4,
        // D02AF30, D6WXY12
        7 if has(0..1, letter) && has(1..2, digit) && !has(5..7, letter) => 3,
        // SW1A1AA
        5..=7 if has(0..1, letter) && has(n - 3..n - 2, digit) && has(n - 2..n, letter) => n - 3,
        _ => return code,
    };
    let (first, second) = code.split_at(second);
    format!("{first} {second}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let found = find(text).map(|found| normal_postcode(&text[found.code]));
        assert_eq!(found.as_deref(), expected, "{text}");
    }

    #[test]
    fn postcodes_of_many_countries_are_found() {
        check("Yusuf Rossi, 19122", Some("19122"));
        check("zip code 80279-1234", Some("80279-1234"));
        check("postcode sw1a1aa", Some("SW1A 1AA"));
        check("M1 1AE", Some("M1 1AE"));
        check("it is k1a 0b1", Some("K1A 0B1"));
        check("1012ab Amsterdam", Some("1012 AB"));
        check("D02 AF30", Some("D02 AF30"));
        check("邮编100000", Some("100000"));
        check("SE-114 55", None);
        check("114 55 Stockholm", Some("11455"));
        check("01310-100", Some("01310-100"));
    }

    #[test]
    fn an_announced_postcode_counts_before_another_number() {
        check("zip 19122, house 4711", Some("19122"));
        check("house 4711, 19122", Some("19122"));
    }

    #[test]
    fn other_numbers_are_no_postcodes() {
        for text in [
            "#W1234567",
            "order 12345",
            "order: #12345",
            "call 5551234567",
            "ava19122@x.example",
            "12",
            "order number 12345",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn the_normal_form_is_the_same_for_every_spelling() {
        for spelling in ["sw1a 1aa", "SW1A1AA", " Sw1A  1aA ", "ＳＷ１Ａ１ＡＡ"] {
            assert_eq!(normal_postcode(spelling), "SW1A 1AA");
        }
        assert_eq!(normal_postcode("K1A-0B1"), "K1A 0B1");
        assert_eq!(normal_postcode("日本国内"), "日本国内");
    }
}
