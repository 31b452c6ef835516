//! Passwords, keys and tokens by the word that announces them.

use super::{Scan, keywords::Keyword};
use crate::personal::{DataKind, token};

/// What a word announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Password,
    /// A word that has other meanings: a sign has to follow.
    Pass,
    /// The digits of a card or a lock.
    Pin,
    Key,
    /// A key that can follow after nothing but a space.
    Token,
    Bearer,
    /// A user and a password in base64 (RFC 7617).
    Basic,
}

/// What stands between the word and its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Join {
    /// `:`, `=`.
    Sign,
    /// `is`, `是`.
    Verb,
    Space,
    /// The space after an option of a command: `--password x`.
    Option,
    /// `<password>x</password>`.
    Tag,
}

/// Where a value begins, and what ends it if it stands in quotes.
struct Opening {
    start: usize,
    close: Option<&'static str>,
    join: Join,
}

/// Bytes that are read to tell whether something is a secret, and of one.
const ENOUGH: usize = 256;
const LONGEST: usize = 8192;

const SIGNS: [&str; 8] = ["是:", "为:", "為:", "is:", "was:", ":=", "=>", ":"];
const VERBS: [&str; 6] = ["就是", "是", "为", "為", "は", "="];
const SPOKEN: [&str; 8] = ["is ", "was ", "are ", "es ", "est ", "ist ", "è ", "é "];
const QUOTES: [(&str, &str); 9] = [
    ("\\\"", "\\\""),
    ("\"", "\""),
    ("'", "'"),
    ("`", "`"),
    ("“", "”"),
    ("„", "“"),
    ("「", "」"),
    ("『", "』"),
    ("«", "»"),
];

/// Reads what a word announces: `password: …`, `token=…`, `密码是…`.
pub(super) fn read(scan: &mut Scan<'_>, keyword: &Keyword, said: Said) {
    if keyword.start < scan.read.secret {
        return;
    }
    let Some(Opening { start, close, join }) = opening(scan.text, keyword, said) else { return };
    let rest = &scan.text[start..];
    let mut value = &rest[..width(rest, close, join, ENOUGH)];
    if is_stand_in(value) || token::begins_at(rest.as_bytes(), 0) {
        return;
    }
    if close.is_none() {
        value = value.trim_end_matches(ENDS);
    }
    if !is_plausible(value, said, join, close.is_some()) {
        return;
    }
    if value.len() > ENOUGH / 2 {
        value = &rest[..width(rest, close, join, LONGEST)];
    }
    if close.is_none() {
        value = value.trim_end_matches(ENDS);
    }
    let end = start + value.len();
    scan.read.secret = end;
    let confidence = match (said, join) {
        // A code of six digits can be the one with which a customer proves who that is.
        (Said::Pin, _) if value.len() == 6 => 45,
        (Said::Pin, _) | (_, Join::Space) => 60,
        (_, Join::Sign | Join::Verb | Join::Option | Join::Tag) => 80,
    };
    scan.push(DataKind::Secret, start..end, confidence);
}

/// Signs that close a sentence or a bracket rather than a password.
const ENDS: [char; 8] = ['.', '!', '?', ')', '}', ']', ':', '\\'];

fn opening(text: &str, keyword: &Keyword, said: Said) -> Option<Opening> {
    let rest = &text[keyword.end..];
    let at = |value: &str, join| {
        let value = trim_spaces(value);
        let start = text.len() - value.len();
        let quote = QUOTES.iter().find(|(open, _)| value.starts_with(open));
        let (width, close) = quote.map_or((0, None), |(open, close)| (open.len(), Some(*close)));
        Some(Opening { start: start + width, close, join })
    };
    if matches!(said, Said::Bearer | Said::Basic) {
        return at(rest, Join::Space);
    }
    if let Some(value) = rest.strip_prefix('>') {
        return at(value, Join::Tag);
    }
    // `"password"` of JSON, which can be escaped; `password` of a sentence.
    let closed = ["\\\"", "\"", "'", "`", "”"].iter().find_map(|close| rest.strip_prefix(close));
    let open = trim_spaces(closed.unwrap_or(rest));
    let after = |joins: &[&str]| joins.iter().find_map(|join| open.strip_prefix(join));
    if let Some(value) = after(&SIGNS) {
        return at(value, Join::Sign);
    }
    if let Some(value) = open.strip_prefix('=') {
        return at(value, Join::Sign);
    }
    if said == Said::Pass {
        return None;
    }
    if let Some(value) = after(&VERBS) {
        return at(value, Join::Verb);
    }
    let value = rest.strip_prefix(' ')?;
    if let Some(value) = after(&SPOKEN) {
        return at(value, Join::Verb);
    }
    let head = text.as_bytes()[..keyword.start].iter().rev().take(16);
    let name = head.clone().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let is_option = head.skip(name).take(2).filter(|byte| **byte == b'-').count() == 2;
    at(value, if is_option { Join::Option } else { Join::Space })
}

/// At most two spaces: what stands further away belongs to something else.
fn trim_spaces(text: &str) -> &str {
    let once = text.strip_prefix(' ').unwrap_or(text);
    once.strip_prefix(' ').unwrap_or(once)
}

/// The bytes of a value, of at most so many.
fn width(text: &str, close: Option<&str>, join: Join, most: usize) -> usize {
    let text = &text[..text.floor_char_boundary(most)];
    let mut is_escaped = false;
    let is_end = |(at, c): &(usize, char)| match close {
        Some(close) => {
            let is_close = !is_escaped && text[*at..].starts_with(close) || *c == '\n';
            is_escaped = *c == '\\' && !is_escaped;
            is_close
        }
        None if join == Join::Tag => *c == '<' || c.is_control(),
        None => is_outside(*c) || is_list(&text[*at..]),
    };
    text.char_indices().find(is_end).map_or(text.len(), |(at, _)| at)
}

/// Whether a character is no part of a value without quotes. Chinese follows without a
/// space.
fn is_outside(c: char) -> bool {
    match c {
        '"' | '\'' | '<' | '>' => true,
        c if c.is_ascii() => !c.is_ascii_graphic(),
        c => !c.is_alphabetic() || c >= '\u{e00}',
    }
}

/// Whether a sign here comes before the next field, or before nothing: `;host=`.
fn is_list(text: &str) -> bool {
    let Some(rest) = text.strip_prefix([',', ';', '&', '|']) else { return false };
    let name =
        rest.bytes().take(32).take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    let next = rest.as_bytes().get(name);
    let is_field = name > 0 && next.is_some_and(|byte| matches!(byte, b'=' | b':'));
    is_field || rest.chars().next().is_none_or(is_outside)
}

/// Whether it stands for a value, or hides it: `${TOKEN}`, `[hidden]`, `****1234`.
fn is_stand_in(value: &str) -> bool {
    let within =
        |open: &str, close: char| value.strip_prefix(open).is_some_and(|rest| rest.contains(close));
    let is_word = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let bracketed = [("[", ']'), ("{", '}'), ("(", ')'), ("%", '%')].iter().any(|(open, close)| {
        let inner = value.strip_prefix(open).and_then(|rest| rest.split_once(*close));
        inner.is_some_and(|(name, _)| is_word(name))
    });
    let hidden = value.trim_start_matches(['*', '•']);
    let is_hidden = value.len() >= hidden.len() + 2 && hidden.len() <= 4;
    let name = value.strip_prefix('$').filter(|name| name.len() > 2);
    let is_variable =
        name.is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'));
    value.is_empty()
        || within("${", '}')
        || within("$(", ')')
        || within("{{", '}')
        || bracketed
        || is_hidden
        || is_variable
}

/// Whether it is more than a word of a sentence about passwords.
fn is_plausible(value: &str, said: Said, join: Join, quoted: bool) -> bool {
    let value = value.trim_start_matches(['(', '[', '{']).as_bytes();
    let has = |class: fn(&u8) -> bool| value.iter().any(class);
    let (digit, letter) = (has(u8::is_ascii_digit), has(|byte| byte.is_ascii_alphabetic()));
    let sign = has(|byte| b"#$%^&*@!~+=".contains(byte));
    let odd = has(|byte| !byte.is_ascii_alphanumeric());
    let inner = value.windows(2).any(|pair| {
        (pair[0].is_ascii_lowercase() || pair[0].is_ascii_digit()) && pair[1].is_ascii_uppercase()
    });
    let mixed = digit && letter;
    let long = value.len();
    match said {
        Said::Password | Said::Pass => match join {
            Join::Sign => long >= 4 && (digit || odd || inner || quoted),
            Join::Verb => long >= 4 && (digit || sign || inner || quoted),
            Join::Space if quoted => long >= 4 && (digit || sign),
            Join::Space => long >= 6 && mixed,
            Join::Option => long > 0 && !value.starts_with(b"-"),
            Join::Tag => long > 0,
        },
        Said::Pin => {
            join != Join::Space && (4..=8).contains(&long) && value.iter().all(u8::is_ascii_digit)
        }
        Said::Token if join == Join::Space => long >= 8 && mixed,
        Said::Key if join == Join::Space => false,
        Said::Key | Said::Token => {
            long >= 8 && (mixed || inner && long >= 16) || long >= 16 && digit && !odd
        }
        Said::Bearer => long >= 8 && (mixed || inner || value.ends_with(b"=")),
        Said::Basic => long >= 8 && (inner || value.ends_with(b"=")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::personal::words::tests::check;

    const SECRET: DataKind = DataKind::Secret;

    #[test]
    fn announced_secrets_are_found() {
        for (text, secret) in [
            ("my password is hunter2!", "hunter2"),
            ("密码是abc12345，登不上", "abc12345"),
            ("密码:Qwerty!9", "Qwerty!9"),
            (r#"{"password":"correct horse"}"#, "correct horse"),
            ("GET /x?token=ab12cd34ef&ts=1", "ab12cd34ef"),
            ("db_passwd=s3cret;", "s3cret"),
            ("Authorization: Bearer abc.DEF-123_x", "abc.DEF-123_x"),
            ("authorization: basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
            ("token = ab12cd34ef", "ab12cd34ef"),
            ("my token : ab12cd34ef", "ab12cd34ef"),
            ("the token is ab12cd34ef", "ab12cd34ef"),
            ("token ab12cd34ef", "ab12cd34ef"),
            ("密码 abc12345", "abc12345"),
            ("密碼是abc12345", "abc12345"),
            ("пароль: qwerty12", "qwerty12"),
            ("mysql --password x -h db", "x"),
            ("<password>x y</password>", "x y"),
            ("passwords: abc123", "abc123"),
            ("pw: abc123", "abc123"),
            ("PIN: 4821.", "4821"),
            ("api_key=12345678901234567", "12345678901234567"),
            ("Passwort: Schlüssel9", "Schlüssel9"),
        ] {
            check(text, &[(SECRET, secret)]);
        }
    }

    #[test]
    fn values_are_taken_whole() {
        for (text, secret) in [
            ("password: P@ss;word123", "P@ss;word123"),
            ("password=ab12;host=y", "ab12"),
            ("password: $ecret123", "$ecret123"),
            ("password: *star*123", "*star*123"),
            ("password: (a1b2c3", "(a1b2c3"),
            (r#"{\"password\":\"hunter2x\"}"#, "hunter2x"),
            (r#"{"password":"ab\"cd12"}"#, r#"ab\"cd12"#),
            ("密码是“abc12345”", "abc12345"),
        ] {
            check(text, &[(SECRET, secret)]);
        }
        let long = "aB3".repeat(1000);
        check(&format!("token={long} x"), &[(SECRET, &long)]);
    }

    #[test]
    fn talk_about_passwords_is_left() {
        for text in [
            "my password is not working",
            "my password is case-sensitive",
            "the password is auto-generated, is incorrect.Please help",
            "my password is blocked/expired",
            "Basic package123, basic information, the secret is out",
            "password: forgotten",
            "token expired",
            "password: <SECRET_1.k3f9> password=[SECRET] token=${TOKEN_1} pwd: ****1234",
            "password: [hidden] password: {password} password: $PASSWORD password: ********",
            "密码是什么？ 密码忘了怎么办",
            "session=3a642131d28ec9b5",
            "PIN code 560001, my pass is 12345678, my PIN is blocked",
            "验证码482913过期了, OTP 482913",
        ] {
            check(text, &[]);
        }
    }
}
