//! Chinese resident identity numbers.

use std::ops::Range;

use super::run::{Digits, Group, Run};

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
    let groups = &run.groups[first..];
    [1, 3, 5].into_iter().filter(|count| *count <= groups.len()).find_map(|count| {
        let (groups, span) = (&groups[..count], groups[0].start..groups[count - 1].end);
        let is_grouped = match groups {
            [one] => matches!(one.len(), 17 | 18),
            [a, b, c] => (a.len(), b.len()) == (6, 8) && matches!(c.len(), 3 | 4),
            [a, y, m, d, c] => {
                (a.len(), y.len(), m.len(), d.len()) == (6, 4, 2, 2) && matches!(c.len(), 3 | 4)
            }
            _ => false,
        };
        (is_grouped && (first..first + count - 1).all(|index| is_plain(run.between(index))))
            .then(|| read(run, groups, span))
            .flatten()
    })
}

fn is_plain(separator: &str) -> bool {
    matches!(separator, " " | "-")
}

fn read(run: &Run<'_>, groups: &[Group], span: Range<usize>) -> Option<IdCard> {
    let digits = Digits::of(run.text, groups)?;
    let digits = digits.as_bytes();
    let (body, check, end) = match (digits.len(), run.text.as_bytes().get(span.end)) {
        (18, _) => (&digits[..17], digits[17], span.end),
        (17, Some(b'x' | b'X')) => (digits, b'X', span.end + 1),
        _ => return None,
    };
    let span = span.start..end;
    if !has_date(body) || !matches!(body[0], b'1'..=b'9') || !run.is_no_code(&span) {
        return None;
    }
    let sum: u32 =
        body.iter().zip(WEIGHTS).map(|(byte, weight)| u32::from(byte - b'0') * weight).sum();
    let proven = CHECKS[(sum % 11) as usize] == check;
    Some(IdCard { span, count: groups.len(), proven })
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
