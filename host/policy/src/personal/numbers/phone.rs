//! Phone numbers: international ones, those that are grouped like one, and those that the
//! words around them announce.

use std::ops::Range;

use super::{
    super::context::{self, Near, Sense},
    region,
    run::{Digits, Group, Look, Run},
    shape::{self, Shape},
};
use crate::personal::{DataKind, Finding};

/// Digits of a phone number with its country code (ITU-T E.164 section 6.2.1), and the
/// least of one within a country that has an area code.
const E164: usize = 15;
const LEAST: usize = 7;
const LEAST_INTERNATIONAL: usize = 8;
/// Groups that a number is written in at most.
const MOST_GROUPS: usize = 7;

struct Phone {
    span: Range<usize>,
    confidence: u8,
    count: usize,
}

/// Finds phones among the groups of a run.
pub(super) fn find(run: &Run<'_>, out: &mut Vec<Finding>) {
    let mut first = 0;
    let mut rest = 0;
    while first < run.groups.len() {
        match international(run, first).or_else(|| grouped(run, first)) {
            Some(phone) => {
                announced(run, rest..first, out);
                first += phone.count;
                rest = first;
                push(phone, out);
            }
            None => first += 1,
        }
    }
    announced(run, rest..run.groups.len(), out);
}

fn push(phone: Phone, out: &mut Vec<Finding>) {
    let Phone { span, confidence, count: _ } = phone;
    out.push(Finding { span, kind: DataKind::Phone, confidence });
}

/// `+44 20 7946 0018`, `(+49) 30 1234567`, `001-518-640-0854`.
fn international(run: &Run<'_>, first: usize) -> Option<Phone> {
    let bytes = run.text.as_bytes();
    let start = run.groups[first].start;
    let (start, zeros) = match bytes[..start] {
        [.., b'(', b'+'] => (start - 2, 0),
        [.., b'+'] => (start - 1, 0),
        // A plus in a URL.
        [.., b'%', b'2', b'B' | b'b'] => (start, 0),
        _ if run.text[start..].starts_with("00") => (opening(run.text, start), 2),
        _ => return None,
    };
    let mut longest = None;
    for count in (1..=MOST_GROUPS.min(run.groups.len() - first)).rev() {
        let groups = &run.groups[first..first + count];
        if zeros == 2 && count == 1 && groups[0].len() < 2 + LEAST_INTERNATIONAL + 2 {
            continue;
        }
        let Some(digits) = code_and_number(run, first, groups, zeros) else { continue };
        let end = shape::with_extension(run.text, groups[count - 1].end);
        let span = start..end;
        if !(LEAST_INTERNATIONAL..=E164).contains(&digits.as_bytes().len())
            || !run.is_no_code(&span, Look::Loose)
        {
            continue;
        }
        if is_chinese_mobile(digits.as_bytes()) || region::is_international(digits.as_str()) {
            return Some(Phone { span, confidence: 95, count });
        }
        longest.get_or_insert((span, count));
    }
    let (span, count) = longest?;
    let own = &run.text[run.groups[first].clone()];
    let is_other = shape::is_compact_date(own) || is_counted(run.text, span.end);
    // Twelve zeros are nobody's number, and neither is an offset of a file.
    (zeros == 0 && !is_other).then_some(Phone { span, confidence: 60, count })
}

/// The digits without the prefix `00` and without the `(0)` that is only for calls within
/// the country.
fn code_and_number(run: &Run<'_>, first: usize, groups: &[Group], zeros: usize) -> Option<Digits> {
    let mut own: [Group; MOST_GROUPS] = Default::default();
    let mut count = 0;
    for (index, group) in groups.iter().enumerate() {
        let is_trunk = index > 0
            && &run.text[group.clone()] == "0"
            && run.between(first + index - 1).ends_with('(')
            && run.text[group.end..].starts_with(')');
        if !is_trunk {
            own[count] = group.clone();
            count += 1;
        }
    }
    own[0].start += zeros;
    Digits::of(run.text, &own[..count])
}

/// Numbers that are grouped like a phone and like little else.
fn grouped(run: &Run<'_>, first: usize) -> Option<Phone> {
    let Shape { count, confidence, look } = shape::of(run, first)?;
    let groups = &run.groups[first..first + count];
    let start = opening(run.text, groups[0].start);
    let end = shape::with_extension(run.text, groups[count - 1].end);
    let span = start..end;
    if !run.stands_alone(&span, look) || run.is_amount(start) {
        return None;
    }
    let confidence = match context::before(run.text, start) {
        Some(Near { sense: Sense::Phone | Sense::Talk | Sense::Number, .. }) => confidence.max(85),
        // An id or an error can name a mobile: logs can do without the number.
        Some(Near { sense: Sense::Vague, adjacent: true, .. }) if look == Look::Firm => 45,
        Some(Near {
            sense: Sense::Other | Sense::Amount | Sense::Vague, adjacent: true, ..
        }) => return None,
        Some(Near {
            sense:
                Sense::Card
                | Sense::Bank
                | Sense::Passport
                | Sense::SocialSecurity
                | Sense::Health
                | Sense::Identity,
            adjacent: true,
            ..
        }) => 30,
        Some(_) | None if is_counted(run.text, end) => 30,
        Some(_) | None => confidence,
    };
    Some(Phone { span, confidence, count })
}

/// Whether what follows says what the number counts.
fn is_counted(text: &str, end: usize) -> bool {
    context::after(text, end) == Some(Sense::Other)
}

/// Numbers that the words around them make phones.
fn announced(run: &Run<'_>, range: Range<usize>, out: &mut Vec<Finding>) {
    let mut first = range.start;
    while first < range.end {
        let found = (1..=MOST_GROUPS.min(range.end - first))
            .rev()
            .filter(|count| is_possible(run, first, *count))
            .find_map(|count| told(run, first, count));
        match found {
            Some(phone) => {
                first += phone.count;
                push(phone, out);
            }
            None => first += 1,
        }
    }
}

fn is_possible(run: &Run<'_>, first: usize, count: usize) -> bool {
    let groups = &run.groups[first..first + count];
    let (length, single) = (Run::length(groups), count == 1);
    let sizes_fit = |least: usize| {
        groups[0].len() <= 5 && groups[1..].iter().all(|g| (least..=8).contains(&g.len()))
    };
    // `012 9 040` is one only behind the word for it.
    let is_told = || {
        context::before(run.text, groups[0].start)
            .is_some_and(|near| near.sense == Sense::Phone && near.adjacent)
    };
    (LEAST..=E164).contains(&length)
        && (single || sizes_fit(2) || sizes_fit(1) && is_told())
        && !shape::is_date_or_address(run, first, count)
}

fn told(run: &Run<'_>, first: usize, count: usize) -> Option<Phone> {
    let groups = &run.groups[first..first + count];
    let start = opening(run.text, groups[0].start);
    let end = shape::with_extension(run.text, groups[count - 1].end);
    let span = start..end;
    if !run.stands_alone(&span, Look::Loose) || run.is_amount(start) {
        return None;
    }
    let (before, after) = (context::before(run.text, start), context::after(run.text, end));
    let length = Run::length(groups);
    let own = &run.text[groups[0].clone()];
    let is_date = count == 1 && shape::is_compact_date(own);
    let is_round = count == 1 && own.ends_with("000");
    let is_schedule = || shape::is_schedule(run, first, count);
    let confidence = match (before.map(|near| (near.sense, near)), after) {
        (_, Some(Sense::Phone)) => 80,
        (_, Some(Sense::Other | Sense::Amount)) => return None,
        (Some((Sense::Phone, near)), _) if is_date && (near.touches || !near.adjacent) => {
            return None;
        }
        (Some((Sense::Phone, near)), _) if is_round && !near.adjacent => return None,
        (Some((Sense::Phone, near)), _) => match (near.crossed, count, length) {
            (false, _, _) => 80,
            (true, 2.., _) | (true, 1, 10..) => 60,
            (true, _, _) => 30,
        },
        (Some((Sense::Talk | Sense::Number, _)), _) if count > 1 && !is_schedule() => 70,
        (Some((Sense::Talk, near)), _) if count == 1 && near.adjacent && length >= 8 => {
            if is_date || is_round {
                return None;
            }
            55
        }
        (Some((Sense::Number, near)), _) if count == 1 && near.adjacent && length >= 9 => 55,
        _ => return None,
    };
    Some(Phone { span, confidence, count })
}

/// A bracket that opens before the first group and closes within the number.
fn opening(text: &str, start: usize) -> usize {
    let closes = text[start..].bytes().find(|byte| !byte.is_ascii_digit()) == Some(b')');
    if closes && text[..start].ends_with('(') { start - 1 } else { start }
}

/// Eleven digits from 13 to 19, perhaps after the country's code.
pub(super) fn is_chinese_mobile(digits: &[u8]) -> bool {
    let national = digits.strip_prefix(b"86").unwrap_or(digits);
    national.len() == 11 && matches!(national, [b'1', b'3'..=b'9', ..])
}
