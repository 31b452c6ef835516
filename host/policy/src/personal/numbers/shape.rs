//! How phone numbers are grouped.

use super::{
    phone::is_chinese_mobile,
    region,
    run::{Digits, Run},
};

/// Groups that look like a phone.
pub(super) struct Shape {
    pub(super) count: usize,
    pub(super) confidence: u8,
}

/// Groups that a number with an area code has at most.
const MOST_GROUPS: usize = 6;

/// The shape that begins with this group, if it is one that little else has.
pub(super) fn of(run: &Run<'_>, first: usize) -> Option<Shape> {
    let groups = &run.groups[first..];
    let lengths: [usize; 4] = std::array::from_fn(|i| groups.get(i).map_or(0, |group| group.len()));
    let fixed = match lengths {
        [11 | 13, ..] => is_mobile(run, first, 1).then_some((1, 75)),
        [2, 11, ..] => is_mobile(run, first, 2).then_some((2, 90)),
        [3, 4, 4, _] if is_mobile(run, first, 3) => Some((3, 85)),
        [2, 3, 4, 4] if is_mobile(run, first, 4) => Some((4, 90)),
        [3, 3, 4, _] => Some((3, 65)),
        [1, 3, 3, 4] if run.text[groups[0].clone()] == *"1" => Some((4, 70)),
        [5, 5, ..] | [2, 4 | 5, 4, _] => {
            let count = if lengths[0] == 5 { 2 } else { 3 };
            is_given_out(run, first, count).then_some((count, 55))
        }
        _ => None,
    };
    let fixed = fixed.filter(|(count, _)| {
        is_bounded(run, first, *count) && !is_date_or_address(run, first, *count)
    });
    fixed
        .map(|(count, confidence)| Shape { count, confidence })
        .or_else(|| with_area_code(run, first))
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
        let fits = if bracket { (7..=12).contains(&length) } else { (9..=12).contains(&length) };
        // "03262 2437 Main St": a postcode with its four more digits.
        let is_postcode = *count == 2 && length == 9 && run.between(first) == " ";
        fits && !is_postcode
            && groups[1..].iter().all(|group| (2..=8).contains(&group.len()))
            && is_bounded(run, first, *count)
            && !is_date_or_address(run, first, *count)
    })?;
    let confidence = match (bracket, is_given_out(run, first, count)) {
        (true, _) => 65,
        (false, true) => 70,
        (false, false) => 30,
    };
    Some(Shape { count, confidence })
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
    let are_years = count == 2 && is_year(0) && is_year(1);
    let is_address = count == 4
        && (first..first + 3).all(|index| run.between(index) == ".")
        && (0..4).all(|index| text(index).parse::<u8>().is_ok());
    is_date || are_years || is_address
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
