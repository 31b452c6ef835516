//! What was revealed, in the answer to it.

use postern_domain::HostReply;
use regex::{Regex, RegexBuilder};

use super::{Revealed, fields};
use crate::privacy::{self, json};

/// Bytes that the expression for all values may take.
const LARGEST: usize = 4 << 20;
/// Digits of the shortest number that is no count or place.
const SHORTEST_NUMBER: usize = 4;
/// Digits of the shortest value that is told even between other digits.
const MANY_DIGITS: usize = 7;
/// Characters before a value that can be the writing of one: `\u000a`.
const LONGEST_ESCAPE: usize = 6;

/// An answer in which what was revealed is a placeholder again, also as it is written in
/// URLs and in JSON, and in capitals or small letters: the server saw it, the skill does
/// not.
pub(in crate::gate) fn hidden(reply: HostReply, revealed: &[Revealed]) -> HostReply {
    let HostReply::Http { mut response } = reply else { return reply };
    if !revealed.is_empty() {
        // An answer in which values cannot be looked for says nothing.
        let echo = Echo::of(revealed);
        let text = std::str::from_utf8(&response.body).ok().zip(echo.as_ref());
        response.body = text.map(|(text, echo)| echo.document(text)).unwrap_or_default().into();
        for (_, value) in &mut response.headers {
            *value = echo.as_ref().map(|echo| echo.text(value)).unwrap_or_default();
        }
    }
    HostReply::Http { response }
}

/// Looks for values in one pass.
struct Echo<'r> {
    /// Each value in each writing, the longest first.
    values: Vec<(String, &'r Revealed)>,
    /// A group for each of them.
    any: Regex,
}

impl<'r> Echo<'r> {
    fn of(revealed: &'r [Revealed]) -> Option<Self> {
        let mut values: Vec<_> = revealed
            .iter()
            .flat_map(|one| written(&one.value).into_iter().map(move |value| (value, one)))
            .filter(|(value, _)| !value.is_empty())
            .collect();
        values.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        let groups: Vec<_> =
            values.iter().map(|(value, _)| format!("({})", regex::escape(value))).collect();
        let mut any = RegexBuilder::new(&groups.join("|"));
        let any = any.case_insensitive(true).size_limit(LARGEST).build().ok()?;
        Some(Self { values, any })
    }

    /// A body: of JSON its texts, names and numbers, of anything else all of it.
    fn document(&self, text: &str) -> String {
        let hidden = if json::is_json(text) {
            json::changed(text, &mut |part| {
                let is_told = !part.is_number || part.text.len() >= SHORTEST_NUMBER;
                let whole = self.values.iter().find(|(value, _)| is_told && value == part.text);
                match whole {
                    Some((_, one)) => Some(one.placeholder.clone()),
                    None if part.is_number => None,
                    None => Some(self.text(part.text)).filter(|hidden| hidden != part.text),
                }
            })
        } else {
            Some(self.text(text))
        };
        hidden.unwrap_or_else(|| text.to_owned())
    }

    /// A text. What stands inside of a longer word is another word, and placeholders that
    /// are there stay.
    fn text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut kept = privacy::placed(text).peekable();
        let (mut copied, mut at) = (0, 0);
        while let Some(found) = self.any.captures_at(text, at) {
            let place = found.iter().skip(1).position(|group| group.is_some());
            let (Some(whole), Some((value, one))) =
                (found.get(0), place.and_then(|place| self.values.get(place)))
            else {
                break;
            };
            let span = whole.range();
            while kept.next_if(|kept| kept.end <= span.start).is_some() {}
            if let Some(kept) = kept.peek().filter(|kept| kept.start < span.end) {
                at = kept.end;
            } else if is_whole(text, &span, value) {
                out.push_str(&text[copied..span.start]);
                out.push_str(&one.placeholder);
                (copied, at) = (span.end, span.end);
            } else {
                at = text.ceil_char_boundary(span.start + 1);
            }
        }
        out.push_str(&text[copied..]);
        out
    }
}

/// The ways in which a value is written.
fn written(value: &str) -> Vec<String> {
    let in_json = serde_json::Value::from(value).to_string();
    let form = fields::encoded(value);
    let mut all = vec![value.to_owned(), in_json[1..in_json.len() - 1].to_owned()];
    all.extend([form.replace('+', "%20"), form]);
    all.sort();
    all.dedup();
    all
}

/// Whether a value stands for itself there. One letter says nothing but where it is all
/// that is said; a long number is a number also where others touch it.
fn is_whole(text: &str, span: &std::ops::Range<usize>, value: &str) -> bool {
    let (before, after) = (&text[..span.start], &text[span.end..]);
    if value.chars().nth(1).is_none() {
        return before.is_empty() && after.is_empty();
    }
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    if digits >= MANY_DIGITS && !value.chars().any(char::is_alphabetic) {
        return true;
    }
    let joined = |a: Option<char>, b: Option<char>| {
        a.zip(b).is_some_and(|(a, b)| is_of_word(a) && is_of_word(b))
    };
    let goes_on = joined(value.chars().next_back(), after.chars().next());
    !goes_on && (!joined(before.chars().next_back(), value.chars().next()) || is_escape(before))
}

/// Whether a character is one of a word that has its ends: Chinese has none.
fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() && c < '\u{2e80}'
}

/// Whether a text ends with the writing of one character, such as `%20` or `\n`.
fn is_escape(before: &str) -> bool {
    let start = before.floor_char_boundary(before.len().saturating_sub(LONGEST_ESCAPE));
    let Some(at) = before[start..].rfind(['\\', '%']) else { return false };
    let (sign, rest) = before[start..][at..].split_at(1);
    let is_hex = |length| rest.len() == length && rest.bytes().all(|b| b.is_ascii_hexdigit());
    match sign {
        "%" => is_hex(2),
        _ => match rest.strip_prefix('u') {
            Some(hex) => hex.len() == 4 && hex.bytes().all(|b| b.is_ascii_hexdigit()),
            None => matches!(rest, "b" | "f" | "n" | "r" | "t"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[(&str, &str)], text: &str, wanted: &str) {
        let revealed: Vec<_> = values
            .iter()
            .map(|(kind, value)| Revealed {
                placeholder: format!("<{kind}_1.k3f9>"),
                kind: (*kind).to_owned(),
                value: (*value).to_owned(),
            })
            .collect();
        assert_eq!(Echo::of(&revealed).unwrap().document(text), wanted);
    }

    #[test]
    fn a_value_is_hidden_where_it_is_a_word() {
        let name = [("LAST_NAME", "Li")];
        check(
            &name,
            r#"{"List":["Line 1","to Li,","LI\nLi"],"by":"\u674e Li","Li":1}"#,
            r#"{"List":["Line 1","to <LAST_NAME_1.k3f9>,","<LAST_NAME_1.k3f9>\n<LAST_NAME_1.k3f9>"],"by":"\u674e <LAST_NAME_1.k3f9>","<LAST_NAME_1.k3f9>":1}"#
                .replace("\\u674e", "李")
                .as_str(),
        );
        check(
            &name,
            "List: li; q=a%20Li\\nLI",
            "List: <LAST_NAME_1.k3f9>; q=a%20<LAST_NAME_1.k3f9>\\n<LAST_NAME_1.k3f9>",
        );
        check(
            &[("LAST_NAME", "Ruiz")],
            "RUIZ, ruiz and Ruizmann",
            "<LAST_NAME_1.k3f9>, <LAST_NAME_1.k3f9> and Ruizmann",
        );
        check(&[("FIRST_NAME", "小明")], "王小明先生", "王<FIRST_NAME_1.k3f9>先生");
    }

    #[test]
    fn placeholders_stay_and_the_longest_value_is_taken() {
        let values =
            [("EMAIL", "ann@shop.example"), ("LAST_NAME", "EMAIL"), ("CITY", "1"), ("NAME", "ann")];
        check(
            &values,
            "<EMAIL_1.k3f9> is ann@shop.example, item 1 of EMAIL",
            "<EMAIL_1.k3f9> is <EMAIL_1.k3f9>, item 1 of <LAST_NAME_1.k3f9>",
        );
        check(&values, "<EMAIL_1.k3f9>", "<EMAIL_1.k3f9>");
        check(&values, r#"["1","11",1]"#, r#"["<CITY_1.k3f9>","11",1]"#);
    }

    #[test]
    fn numbers_and_writings_of_a_value_are_hidden_and_json_stays_json() {
        let values = [("PHONE", "13800138000"), ("NAME", "Inés Ruiz"), ("POSTCODE", "28004")];
        check(
            &values,
            r#"{"p":13800138000,"zip":28004,"t":128004,"n":"In\u00e9s Ruiz","u":"?n=In%c3%a9s+Ruiz&p=%2B8613800138000"}"#,
            r#"{"p":"<PHONE_1.k3f9>","zip":"<POSTCODE_1.k3f9>","t":128004,"n":"<NAME_1.k3f9>","u":"?n=<NAME_1.k3f9>&p=%2B86<PHONE_1.k3f9>"}"#,
        );
    }
}
