//! Passwords, keys and tokens: by how they begin, or by what announces them.

use super::{Scan, Token, after, before, keywords::Keyword};
use crate::personal::DataKind;

/// Of which characters a secret is made after what it begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// Capitals and digits.
    Upper,
    /// Hexadecimal digits.
    Hex,
    /// Letters and digits.
    Word,
    /// The same, `_` and `-`.
    Url,
    /// The same, and points between parts.
    Parts,
}

/// How the secrets of a service look.
pub(super) struct Shape {
    pub(super) prefix: &'static str,
    made: Made,
    /// How many characters follow, at least and at most.
    length: (usize, usize),
}

const fn shape(prefix: &'static str, made: Made, least: usize, most: usize) -> Shape {
    Shape { prefix, made, length: (least, most) }
}

/// What is published about tokens of services, mostly in the patterns of GitHub's secret
/// scanning; the last is Postern's own.
pub(super) const SHAPES: &[Shape] = &[
    shape("AKIA", Made::Upper, 16, 16),
    shape("ASIA", Made::Upper, 16, 16),
    shape("ABIA", Made::Upper, 16, 16),
    shape("LTAI", Made::Word, 12, 26),
    shape("AKID", Made::Word, 32, 32),
    shape("AIza", Made::Url, 35, 35),
    shape("ya29.", Made::Parts, 20, 2048),
    shape("GOCSPX-", Made::Url, 28, 28),
    shape("ghp_", Made::Word, 36, 255),
    shape("gho_", Made::Word, 36, 255),
    shape("ghu_", Made::Word, 36, 255),
    shape("ghs_", Made::Word, 36, 255),
    shape("ghr_", Made::Word, 36, 255),
    shape("github_pat_", Made::Url, 36, 255),
    shape("glpat-", Made::Parts, 20, 255),
    shape("glrt-", Made::Parts, 20, 255),
    shape("xoxb-", Made::Url, 10, 255),
    shape("xoxa-", Made::Url, 10, 255),
    shape("xoxp-", Made::Url, 10, 255),
    shape("xoxr-", Made::Url, 10, 255),
    shape("xoxs-", Made::Url, 10, 255),
    shape("xapp-", Made::Url, 10, 255),
    shape("sk_live_", Made::Word, 10, 255),
    shape("sk_test_", Made::Word, 10, 255),
    shape("rk_live_", Made::Word, 10, 255),
    shape("rk_test_", Made::Word, 10, 255),
    shape("whsec_", Made::Word, 16, 255),
    shape("sk-", Made::Url, 20, 255),
    shape("hf_", Made::Word, 30, 60),
    shape("gsk_", Made::Word, 40, 64),
    shape("SG.", Made::Parts, 60, 80),
    shape("SK", Made::Hex, 32, 32),
    shape("AC", Made::Hex, 32, 32),
    shape("key-", Made::Hex, 32, 32),
    shape("npm_", Made::Word, 36, 36),
    shape("pypi-", Made::Url, 50, 255),
    shape("dop_v1_", Made::Hex, 64, 64),
    shape("shpat_", Made::Hex, 32, 32),
    shape("shpss_", Made::Hex, 32, 32),
    shape("hvs.", Made::Url, 24, 255),
    shape("lin_api_", Made::Word, 32, 64),
    shape("EAAA", Made::Url, 56, 255),
    shape("eyJ", Made::Parts, 30, 8192),
    shape("pop_", Made::Url, 32, 128),
];

/// Bytes of a private key.
const LONGEST_KEY: usize = 8192;
/// Bytes of the line that begins one.
const LONGEST_LABEL: usize = 64;

impl Made {
    fn has(self, byte: u8) -> bool {
        match self {
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Word => byte.is_ascii_alphanumeric(),
            Self::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::Parts => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
        }
    }

    /// Whether it is more than words and numbers with hyphens between them.
    fn is_random(self, value: &str) -> bool {
        let has_digit = |part: &str| part.bytes().any(|byte| byte.is_ascii_digit());
        let has_letter = |part: &str| part.bytes().any(|byte| byte.is_ascii_alphabetic());
        match self {
            Self::Upper | Self::Hex | Self::Word => has_digit(value) || value.len() >= 40,
            Self::Url | Self::Parts => value
                .split(['-', '_', '.'])
                .any(|part| has_digit(part) && has_letter(part) || part.len() >= 20),
        }
    }
}

/// Reads what begins like a secret.
pub(super) fn at_prefix(scan: &mut Scan<'_>, start: usize, place: usize) {
    let Shape { prefix, made, length } = &SHAPES[place];
    let free = !before(scan.text, start).is_some_and(|byte| byte.is_ascii_alphanumeric());
    if start < scan.read.secret || !free || !scan.text[start..].starts_with(prefix) {
        return;
    }
    let from = start + prefix.len();
    let rest = &scan.text.as_bytes()[from..];
    let most = rest.len().min(length.1 + 1);
    let width = rest[..most].iter().take_while(|byte| made.has(**byte)).count();
    let value = scan.text[from..from + width].trim_end_matches(['.', '-', '_']);
    let end = from + value.len();
    scan.read.secret = end;
    let is_glued = value.len() == width
        && after(scan.text, end).is_some_and(|byte| byte.is_ascii_alphanumeric());
    let is_token = !prefix.starts_with("eyJ") || value.matches('.').count() >= 2;
    if (length.0..=length.1).contains(&value.len())
        && !is_glued
        && is_token
        && made.is_random(value)
    {
        scan.push(DataKind::Secret, start..end, 97);
    }
}

/// Reads a private key from its first line to its last.
pub(super) fn private_key(scan: &mut Scan<'_>, keyword: &Keyword) {
    if keyword.start < scan.read.secret {
        return;
    }
    let rest = &scan.text[keyword.end..];
    let line = &rest.as_bytes()[..rest.len().min(LONGEST_LABEL)];
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if !line.windows(11).any(|words| words == b"PRIVATE KEY") {
        return;
    }
    let most = keyword.end + rest.len().min(LONGEST_KEY);
    let most = (0..4).map(|back| most - back).find(|at| scan.text.is_char_boundary(*at));
    let end = most.unwrap_or(keyword.end);
    let body = &scan.text[keyword.end..end];
    let end = match body.find("-----END ") {
        Some(last) => {
            let line = &body[last + 9..];
            let width = line.find("-----").map_or(0, |at| at + 5);
            keyword.end + last + 9 + width
        }
        None => end,
    };
    scan.read.secret = end;
    scan.push(DataKind::Secret, keyword.start..end, 98);
}

/// Reads the token of a Telegram bot, which begins with the bot's number.
pub(super) fn bot_token(scan: &mut Scan<'_>, number: Token) {
    const LENGTH: usize = 35;
    let rest = &scan.text.as_bytes()[number.end + 1..];
    let width = rest.iter().take(LENGTH + 1).take_while(|byte| Made::Url.has(**byte)).count();
    if (8..=10).contains(&number.digits) && width == LENGTH {
        scan.push(DataKind::Secret, number.start..number.end + 1 + LENGTH, 97);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::personal::words::tests::check;

    const SECRET: DataKind = DataKind::Secret;

    #[test]
    fn secrets_are_found_by_how_they_begin() {
        let tail = "aB3dE5gH7jK9mN1pQ3sT5vW7xY9zA1cD3eF5";
        let long = "aB3dE5gH7jK9mN1pQ3sT5v.aB3dE5gH7jK9mN1pQ3sT5vW7xY9zA1cD3eF5gH7jK9m";
        for secret in [
            "AKIAIOSFODNN7EXAMPLE".to_owned(),
            format!("ghp_{tail}"),
            format!("github_pat_{tail}"),
            "glpat-aB3dE5gH7jK9mN1pQ3sT".to_owned(),
            "xoxb-123456789012-aB3dE5gH7jK9".to_owned(),
            format!("sk_live_{tail}"),
            format!("sk-proj-{tail}"),
            format!("AIza{}", &tail[1..]),
            format!("SG.{long}"),
            format!("npm_{tail}"),
            format!("pypi-{tail}{tail}"),
            format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{tail}"),
            format!("123456789:{}", &tail[1..]),
            format!("pop_{tail}"),
        ] {
            check(&format!("用{secret}吧"), &[(SECRET, &secret)]);
            check(&format!("x{secret}"), &[]);
        }
        let tail = format!("sk_live_{tail}");
        for before in ["\\n", "%3D", "_", "-", "\\u003d"] {
            check(&format!("{before}{tail}_"), &[(SECRET, &tail)]);
        }
        check("sk-2024-summer-collection-shoes", &[]);
        check("sk-please-do-not-take-this-one AKIA1234 ghp_short task-force-12345678901234", &[]);
    }

    #[test]
    fn private_keys_are_found_whole() {
        let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----";
        check(&format!("here:\n{key}\nthanks"), &[(SECRET, key)]);
        check("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", &[]);
    }
}
