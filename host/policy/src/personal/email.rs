//! E-mail addresses in text.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

/// The shape that addresses have in practice: the dot-atom of RFC 5321 section
/// 4.1.2 without rare punctuation, and a domain name in ASCII. ASCII alone, so
/// that an address may touch Chinese characters on both sides.
static SHAPE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i-u)[a-z0-9_][a-z0-9._%+'-]{0,63}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z]{2,24}",
    )
    .expect("the pattern is constant and tested")
});

/// RFC 5321 section 4.5.3.1.3, without the angle brackets.
const LONGEST: usize = 254;

/// Finds addresses in folded text.
pub fn find(text: &str) -> impl Iterator<Item = Range<usize>> {
    SHAPE.find_iter(text).map(|found| found.range()).filter(move |range| {
        let local = text[range.clone()].split('@').next().unwrap_or_default();
        let before = text[..range.start].chars().next_back();
        let after = text[range.end..].chars().next();
        range.len() <= LONGEST
            && !local.contains("..")
            && !local.ends_with('.')
            && !before.is_some_and(|c| c.is_ascii_alphanumeric())
            && !after.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '@'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, addresses: &[&str]) {
        let found: Vec<&str> = find(text).map(|range| &text[range]).collect();
        assert_eq!(found, addresses, "{text}");
    }

    #[test]
    fn addresses_are_found_in_sentences() {
        check("it's ava.moore+shop@mail.example.co.uk.", &["ava.moore+shop@mail.example.co.uk"]);
        check("<o'neil@example.com>, b_1@x.example", &["o'neil@example.com", "b_1@x.example"]);
        check("邮箱h.liu88@mail.example.com.cn没收到", &["h.liu88@mail.example.com.cn"]);
        check("mailto:A.B-C@EXAMPLE.CN?", &["A.B-C@EXAMPLE.CN"]);
    }

    #[test]
    fn what_only_looks_like_one_is_left() {
        check("me@localhost, a@b, @ava, ava@, a..b@example.com, a.@example.com", &[]);
        check("x@-example.com x@example-.com x@example.c x@example.com@y", &[]);
        check(&format!("{}@example.com", "a".repeat(65)), &[]);
    }
}
