//! E-mail addresses in text.

use std::ops::Range;

use super::words::is_top_level;

/// RFC 5321 section 4.5.3.1.3, without the angle brackets.
const LONGEST: usize = 254;
/// RFC 5321 section 4.5.3.1.1.
const LONGEST_LOCAL: usize = 64;
const LONGEST_LABEL: usize = 63;
const MOST_LABELS: usize = 10;
/// Words before the name of somebody's account or site.
const WORDS: &[&str] = &[
    "and", "app", "find", "follow", "from", "here", "now", "online", "see", "site", "via", "visit",
];

/// Finds addresses in folded text: the dot-atom of RFC 5321 section 4.1.2 without rare
/// punctuation, and a domain name. Chinese characters are no part of one, so that an
/// address may touch them on both sides; other letters are (RFC 6531). What follows a
/// well-known end of a domain without a space, as in `ann@shop.example-thanks`, is none.
pub fn find(text: &str) -> impl Iterator<Item = Range<usize>> {
    let (mut at, mut done) = (0, 0);
    std::iter::from_fn(move || {
        loop {
            let sign = at + text.get(at..)?.find('@')?;
            at = sign + 1;
            if let (Some(start), Some(end)) = (local(text, done..sign), domain(text, sign + 1))
                && end - start <= LONGEST
            {
                (at, done) = (end, end);
                // Emphasis: `_ann@shop.example_`.
                let is_marked = text[start..].starts_with('_') && text[end..].starts_with('_');
                return Some(start + usize::from(is_marked)..end);
            }
        }
    })
}

/// Finds addresses with a space before the sign, which is a slip more often than two words:
/// `ann @shop.example`.
pub(super) fn find_apart(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.match_indices(" @").filter_map(move |(space, _)| {
        let start = local(text, 0..space)?;
        let part = &text[start..space];
        let is_word = WORDS.iter().any(|word| word.eq_ignore_ascii_case(part));
        let end = domain(text, space + 2)?;
        let top = text[space + 2..end].rsplit('.').next()?;
        (part.len() > 2 && !is_word && end - start <= LONGEST && is_top_level(top))
            .then_some(start..end)
    })
}

/// Where the part before the sign begins: of one that is too long, only the end is read.
fn local(text: &str, within: Range<usize>) -> Option<usize> {
    let is_local = |c: char| is_letter(c) || matches!(c, '.' | '_' | '%' | '+' | '\'' | '-');
    let Range { start: floor, end: sign } = within;
    let mut start = sign;
    for (at, c) in text[floor..sign].char_indices().rev() {
        if !is_local(c) || sign - (floor + at) > LONGEST_LOCAL {
            break;
        }
        start = floor + at;
    }
    // Two points in a row end what stands before.
    start = text[start..sign].rfind("..").map_or(start, |points| start + points + 2);
    let part = text[start..sign].trim_start_matches(['.', '%', '+', '\'', '-']);
    part.contains(is_letter).then(|| sign - part.len())
}

/// Where the part after the sign ends.
fn domain(text: &str, start: usize) -> Option<usize> {
    let mut found = None;
    let mut label = start;
    for _ in 0..MOST_LABELS {
        let rest = &text[label..];
        let is_label = |c: char| is_letter(c) || c == '-';
        let width = rest.find(|c| !is_label(c)).unwrap_or(rest.len());
        let part = &rest[..width.min(rest.floor_char_boundary(LONGEST_LABEL + 1))];
        if label > start {
            let head = part.find(|c: char| c == '-' || c.is_ascii_digit()).unwrap_or(part.len());
            if is_top(part) {
                found = Some(label + part.len());
            } else if head < part.len() && is_top_level(&part[..head]) {
                found = Some(label + head);
            }
        }
        let is_whole = !part.is_empty() && part.len() == width && width <= LONGEST_LABEL;
        let end = label + width;
        if !is_whole
            || part.starts_with('-')
            || part.ends_with('-')
            || !text[end..].starts_with('.')
        {
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
    // An accent that is a character of its own.
    let is_mark = ('\u{300}'..='\u{36f}').contains(&c);
    c.is_ascii_alphanumeric() || is_mark || ('\u{c0}'..'\u{e00}').contains(&c) && c.is_alphabetic()
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
    fn addresses_end_where_the_text_goes_on_without_a_space() {
        let ava = &["ava@example.com"];
        for text in [
            "邮箱ava@example.com--谢谢",
            "ava@example.com-thanks",
            "ava@example.com-",
            "ava@example.com-- thanks",
            "ava@example.com-work",
            "_ava@example.com_",
            "ava@example.com_x",
            "ava@example.com13800138000",
            "ava@example.com@y",
            "x..ava@example.com",
        ] {
            check(text, ava);
        }
        check("ava@shop.example-thanks", &["ava@shop.example"]);
        check("ava@a.com-pany.example", &["ava@a.com-pany.example"]);
        check("jose\u{301}@bu\u{308}cher.example", &["jose\u{301}@bu\u{308}cher.example"]);
        check("Ava.@example.com", &["Ava.@example.com"]);
        let long = format!("{}@example.com", "a".repeat(65));
        check(&long, &[&long[1..]]);
    }

    #[test]
    fn a_space_before_the_sign_is_a_slip() {
        let apart =
            |text: &'static str| find_apart(text).map(|range| &text[range]).collect::<Vec<&str>>();
        assert_eq!(apart("mail ava @example.com, bo @x.example"), ["ava @example.com"]);
        assert_eq!(apart("follow @shop.com, me @home, ask ann @desk.soon"), [""; 0]);
    }

    #[test]
    fn what_only_looks_like_one_is_left() {
        check("me@localhost, a@b, @ava, ava@, .@example.com, _@example.com, --@example.com", &[]);
        check("x@-example.com x@example-.com x@example.c x@y.nosuch-thing", &[]);
        check("客服@小王 上次说三天内回复我", &[]);
    }
}
