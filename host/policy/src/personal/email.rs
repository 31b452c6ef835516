//! E-mail addresses in text.

use std::ops::Range;

/// RFC 5321 section 4.5.3.1.3, without the angle brackets.
const LONGEST: usize = 254;
/// RFC 5321 section 4.5.3.1.1.
const LONGEST_LOCAL: usize = 64;
const LONGEST_LABEL: usize = 63;
const MOST_LABELS: usize = 10;

/// Finds addresses in folded text: the dot-atom of RFC 5321 section 4.1.2 without rare
/// punctuation, and a domain name. Chinese characters are no part of one, so that an
/// address may touch them on both sides; other letters are (RFC 6531).
pub fn find(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let sign = at + text.get(at..)?.find('@')?;
            at = sign + 1;
            if let (Some(start), Some(end)) = (local(text, sign), domain(text, sign + 1))
                && end - start <= LONGEST
            {
                at = end;
                return Some(start..end);
            }
        }
    })
}

/// Where the part before the sign begins.
fn local(text: &str, sign: usize) -> Option<usize> {
    let is_local = |c: char| is_letter(c) || matches!(c, '.' | '_' | '%' | '+' | '\'' | '-');
    let before = &text[..sign];
    let mut start = sign;
    for (at, c) in before.char_indices().rev() {
        if !is_local(c) {
            break;
        }
        start = at;
        if sign - start > LONGEST_LOCAL {
            return None;
        }
    }
    let part = &before[start..];
    let part = part.trim_start_matches(['.', '%', '+', '\'', '-']);
    let is_fine = !part.is_empty() && !part.ends_with('.') && !part.contains("..");
    is_fine.then(|| sign - part.len())
}

/// Where the part after the sign ends.
fn domain(text: &str, start: usize) -> Option<usize> {
    let mut found = None;
    let mut label = start;
    for _ in 0..MOST_LABELS {
        let rest = &text[label..];
        let is_label = |c: char| is_letter(c) || c == '-';
        let width = rest.find(|c| !is_label(c)).unwrap_or(rest.len());
        let part = &rest[..width];
        if part.is_empty() || width > LONGEST_LABEL || part.starts_with('-') || part.ends_with('-')
        {
            break;
        }
        let end = label + width;
        let next = text[end..].chars().next();
        if label > start && is_top(part) {
            found = (!matches!(next, Some('_' | '@'))).then_some(end);
        }
        if next != Some('.') {
            break;
        }
        label = end + 1;
    }
    found
}

/// A name that can stand at the end of a domain.
fn is_top(label: &str) -> bool {
    match label.strip_prefix("xn--") {
        Some(code) => !code.is_empty(),
        None => (2..=24).contains(&label.len()) && label.chars().all(char::is_alphabetic),
    }
}

/// A letter or digit of an address: not of a script that is written without spaces.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || ('\u{c0}'..'\u{e00}').contains(&c) && c.is_alphabetic()
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
        check("'ava@example.com', -bo@example.com", &["ava@example.com", "bo@example.com"]);
    }

    #[test]
    fn addresses_of_other_scripts_are_found() {
        check("josé@bücher.example", &["josé@bücher.example"]);
        check("ann@xn--bcher-kva.xn--p1ai!", &["ann@xn--bcher-kva.xn--p1ai"]);
        check("写信给ann@example.com吧", &["ann@example.com"]);
    }

    #[test]
    fn what_only_looks_like_one_is_left() {
        check("me@localhost, a@b, @ava, ava@, a..b@example.com, a.@example.com", &[]);
        check("x@-example.com x@example-.com x@example.c x@example.com@y", &[]);
        check(&format!("{}@example.com", "a".repeat(65)), &[]);
        check("客服@小王 上次说三天内回复我", &[]);
    }
}
