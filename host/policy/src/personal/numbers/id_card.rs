//! Chinese resident identity numbers.

use std::ops::Range;

use super::run::{Digits, Look, Run};

/// A number of this kind.
pub(super) struct IdCard {
    pub(super) span: Range<usize>,
    /// Groups that it takes.
    pub(super) count: usize,
    /// The check character fits.
    pub(super) proven: bool,
}

/// Weights of the digits and, by the remainder, the check character (GB 11643-1999).
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS: &[u8; 11] = b"10X98765432";

/// The number that begins with this group: area, date of birth, sequence, check.
pub(super) fn at(run: &Run<'_>, first: usize) -> Option<IdCard> {
    let mut length = 0;
    for (index, group) in run.groups[first..].iter().enumerate() {
        length += group.len();
        if length > 18 || index > 0 && !is_gap(run.between(first + index - 1)) {
            return None;
        }
        let id = if length >= 17 { read(run, first, index + 1) } else { None };
        if id.is_some() {
            return id;
        }
    }
    None
}

/// What can stand between groups: spaces, a hyphen, the end of a line.
fn is_gap(separator: &str) -> bool {
    separator.chars().all(|c| matches!(c, ' ' | '\t' | '\r' | '\n' | '-' | '·'))
}

/// How a number is written whose check character need not fit: in one, or by its parts.
fn is_usual(run: &Run<'_>, first: usize, count: usize) -> bool {
    let lengths: Vec<usize> = run.groups[first..first + count].iter().map(Range::len).collect();
    let is_grouped = matches!(lengths[..], [17 | 18] | [6, 8, 3 | 4] | [6, 4, 2, 2, 3 | 4]);
    let is_plain = |index| matches!(run.between(index), " " | "-");
    is_grouped && (first..first + count - 1).all(is_plain)
}

fn read(run: &Run<'_>, first: usize, count: usize) -> Option<IdCard> {
    let groups = &run.groups[first..first + count];
    let (start, end) = (groups[0].start, groups[count - 1].end);
    let digits = Digits::of(run.text, groups)?;
    let digits = digits.as_bytes();
    let (body, check, end) = match (digits.len(), run.text.as_bytes().get(end)) {
        (18, _) => (&digits[..17], digits[17], end),
        (17, Some(b'x' | b'X')) => (digits, b'X', end + 1),
        _ => return None,
    };
    let span = start..end;
    if !has_date(body) || !matches!(body[0], b'1'..=b'9') {
        return None;
    }
    let sum: u32 =
        body.iter().zip(WEIGHTS).map(|(byte, weight)| u32::from(byte - b'0') * weight).sum();
    let proven = CHECKS[(sum % 11) as usize] == check;
    let look = if proven { Look::Firm } else { Look::Loose };
    let is_written = proven || is_usual(run, first, count);
    (is_written && run.is_no_code(&span, look)).then_some(IdCard { span, count, proven })
}

/// Year, month and day of birth after the area's code.
fn has_date(body: &[u8]) -> bool {
    let number = |part: &[u8]| part.iter().fold(0, |n: u32, b| n * 10 + u32::from(b - b'0'));
    let (year, month, day) = (number(&body[6..10]), number(&body[10..12]), number(&body[12..14]));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) => 29,
        2 => 28,
        _ => 31,
    };
    (1850..2100).contains(&year) && (1..=12).contains(&month) && (1..=days).contains(&day)
}
