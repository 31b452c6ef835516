//! How phone numbers are grouped.

use std::ops::Range;

use super::{
    phone::is_chinese_mobile,
    region,
    run::{Digits, Group, Look, Run},
};

/// Groups that look like a phone.
pub(super) struct Shape {
    pub(super) count: usize,
    pub(super) confidence: u8,
    /// What says that it is one.
    pub(super) look: Look,
}

/// Groups that a number with an area code has at most.
const MOST_GROUPS: usize = 6;

/// The shape that begins with this group, if it is one that little else has.
pub(super) fn of(run: &Run<'_>, first: usize) -> Option<Shape> {
    let groups = &run.groups[first..];
    let lengths: [usize; 4] = std::array::from_fn(|i| groups.get(i).map_or(0, |group| group.len()));
    let mobile = match lengths {
        [11 | 13, ..] => Some((1, 75)),
        [2, 11, ..] => Some((2, 90)),
        [3, 4, 4, _] => Some((3, 85)),
        [2, 3, 4, 4] => Some((4, 90)),
        _ => None,
    };
    if let Some((count, confidence)) = mobile
        && is_mobile(run, first, count)
        && (count == 1 || is_bounded(run, first, count))
    {
        return Some(Shape { count, confidence, look: Look::Firm });
    }
    let fixed = match lengths {
        [3, 3, 4, _] => is_area_and_number(run, first).then_some((3, 65)),
        [1, 3, 3, 4] if run.text[groups[0].clone()] == *"1" => Some((4, 70)),
        [5, 5, ..] | [2, 4 | 5, 4, _] => {
            let count = if lengths[0] == 5 { 2 } else { 3 };
            let has_area = run.text[groups[0].start..].starts_with('0');
            (!has_area && is_given_out(run, first, count)).then_some((count, 55))
        }
        _ => None,
    };
    let fixed = fixed.filter(|(count, _)| {
        is_bounded(run, first, *count) && !is_date_or_address(run, first, *count)
    });
    fixed
        .map(|(count, confidence)| Shape { count, confidence, look: Look::Loose })
        .or_else(|| with_area_code(run, first))
}

/// Whether three, three and four digits are more than three amounts: one in brackets, one
/// that a country gives out, or a Chinese hotline.
fn is_area_and_number(run: &Run<'_>, first: usize) -> bool {
    let text = |index: usize| &run.text[run.groups[first + index].clone()];
    let are_round = run.between(first) == " " && (0..3).all(|index| text(index).ends_with('0'));
    let is_hotline = matches!(text(0), "400" | "800") && run.between(first) == "-";
    let is_bracket = run.between(first).starts_with(')') && run.between(first + 1) != " ";
    let is_given_out = || {
        Digits::of(run.text, &run.groups[first..first + 3])
            .is_some_and(|digits| region::is_in_three(digits.as_str()))
    };
    !are_round && (is_hotline || is_bracket || is_given_out())
}

fn is_mobile(run: &Run<'_>, first: usize, count: usize) -> bool {
    Digits::of(run.text, &run.groups[first..first + count])
        .is_some_and(|digits| is_chinese_mobile(digits.as_bytes()))
}

fn is_given_out(run: &Run<'_>, first: usize, count: usize) -> bool {
    Digits::of(run.text, &run.groups[first..first + count])
        .is_some_and(|digits| region::is_national(digits.as_str()))
}

/// `020 7946 0018`, `(71) 4233-6306`: an area code with a zero or in brackets.
fn with_area_code(run: &Run<'_>, first: usize) -> Option<Shape> {
    let area = &run.groups[first];
    let bracket = run.text[..area.start].ends_with('(') && run.text[area.end..].starts_with(')');
    let zero = run.text.as_bytes()[area.start] == b'0';
    if !(2..=5).contains(&area.len()) || !(bracket || zero) {
        return None;
    }
    let most = MOST_GROUPS.min(run.groups.len() - first);
    let count = (2..=most).rev().find(|count| {
        let groups = &run.groups[first..first + count];
        let length = Run::length(groups);
        let most = if bracket && zero { 13 } else { 12 };
        let fits = (if bracket { 7 } else { 9 }..=most).contains(&length);
        fits && !is_otherwise_grouped(run, first, *count)
            && (groups[1..].iter().all(|group| (2..=8).contains(&group.len()))
                || bracket && *count == 2 && groups[1].len() == 9 && is_foreign(run, groups))
            && is_bounded(run, first, *count)
            && !is_date_or_address(run, first, *count)
    })?;
    let confidence = match (bracket, is_given_out(run, first, count)) {
        (true, _) => 65,
        (false, true) => 70,
        (false, false) => 30,
    };
    Some(Shape { count, confidence, look: Look::Loose })
}

/// Whether groups are a postcode with its four more digits, "03262 2437 Main St", those of a
/// US social security number, or a place and a year, "room (101) 2024-2025".
fn is_otherwise_grouped(run: &Run<'_>, first: usize, count: usize) -> bool {
    let separator = run.between(first);
    match run.groups[first..first + count] {
        [ref area, ref rest] => {
            let is_postcode = area.len() + rest.len() == 9
                && (separator == " " || separator == "-" && area.len() == 5);
            is_postcode || rest.len() == 4 && run.text[rest.start..].starts_with("20")
        }
        [ref area, ref group, ref rest] => {
            separator == "-" && (area.len(), group.len(), rest.len()) == (3, 2, 4)
        }
        _ => false,
    }
}

/// `(351) 919825979`: a country's code in brackets.
fn is_foreign(run: &Run<'_>, groups: &[Group]) -> bool {
    Digits::of(run.text, groups).is_some_and(|digits| region::is_international(digits.as_str()))
}

/// Whether the groups before and after are no part of the same number: what joins them to
/// it is not what joins its own groups.
fn is_bounded(run: &Run<'_>, first: usize, count: usize) -> bool {
    let own = |separator: &str| {
        separator != " " && (first..first + count - 1).any(|index| run.between(index) == separator)
            || matches!(separator, "-" | ".") && count == 1
    };
    let before = first > 0 && own(run.between(first - 1));
    let after = own(run.between(first + count - 1));
    !before && !after
}

/// Whether groups are a date, years, or an address of the net.
pub(super) fn is_date_or_address(run: &Run<'_>, first: usize, count: usize) -> bool {
    let groups = &run.groups[first..first + count];
    let text = |index: usize| &run.text[groups[index].clone()];
    let is_year = |index: usize| {
        groups[index].len() == 4 && (text(index).starts_with("19") || text(index).starts_with("20"))
    };
    let is_short = |index: usize| groups[index].len() <= 2;
    let separator = run.between(first);
    let same = count >= 3 && run.between(first + 1) == separator && separator != " ";
    let is_date = same
        && (is_year(0) && is_short(1) && is_short(2) || is_short(0) && is_short(1) && is_year(2));
    let are_years = count >= 2 && is_year(count - 2) && is_year(count - 1);
    let is_address = count == 4
        && (first..first + 3).all(|index| run.between(index) == ".")
        && (0..4).all(|index| text(index).parse::<u8>().is_ok());
    is_date || are_years || is_address
}

/// Whether groups are times of day, a postcode of the US with its four more digits, or days
/// before a year: what somebody who is to be called is told as well.
pub(super) fn is_schedule(run: &Run<'_>, first: usize, count: usize) -> bool {
    let groups = &run.groups[first..first + count];
    let text = |index: usize| &run.text[groups[index].clone()];
    let is_time = |index: usize| {
        matches!(text(index).as_bytes(), [b'0' | b'1', _, b'0'..=b'5', _])
            || matches!(text(index).as_bytes(), [b'2', b'0'..=b'4', b'0'..=b'5', _])
    };
    let is_year = |index: usize| {
        groups[index].len() == 4 && (text(index).starts_with("19") || text(index).starts_with("20"))
    };
    match groups {
        [a, b] if (a.len(), b.len()) == (4, 4) => is_time(0) && is_time(1),
        [a, b] if (a.len(), b.len()) == (5, 4) => run.between(first) == "-",
        [days @ .., _] => is_year(count - 1) && days.iter().all(|group| group.len() <= 2),
        [] => false,
    }
}

/// Whether eight digits are a date: `20240315`.
pub(super) fn is_compact_date(digits: &str) -> bool {
    let part = |range: Range<usize>| digits.get(range).and_then(|part| part.parse::<u16>().ok());
    digits.len() == 8
        && part(0..4).is_some_and(|year| (1900..2100).contains(&year))
        && part(4..6).is_some_and(|month| (1..=12).contains(&month))
        && part(6..8).is_some_and(|day| (1..=31).contains(&day))
}

/// The end with an extension: ` ext. 12`, `x12`, `转12`.
pub(super) fn with_extension(text: &str, end: usize) -> usize {
    let after = text[end..].trim_start_matches(' ');
    let Some(after) = EXTENSIONS.iter().find_map(|word| strip_word(after, word)) else {
        return end;
    };
    let after = after.trim_start_matches(['.', ':', ' ']);
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    let ends = !after[digits..].starts_with(|c: char| c.is_ascii_alphanumeric());
    if (1..=6).contains(&digits) && ends { text.len() - after.len() + digits } else { end }
}

const EXTENSIONS: [&str; 7] = ["extension", "ext", "extn", "x", "分机", "转", "転"];

fn strip_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let head = text.get(..word.len())?;
    head.eq_ignore_ascii_case(word).then(|| &text[word.len()..])
}
