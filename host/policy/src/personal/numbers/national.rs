//! Numbers of US social security and of the UK's National Health Service.

use super::{
    super::context::{self, Sense},
    Found,
    run::{Digits, Look, Run},
};
use crate::personal::DataKind;

/// Published examples, which are nobody's (the SSA's list of misused numbers).
const SAMPLES: [&[u8]; 4] = [b"078051120", b"219099999", b"123456789", b"987654320"];

/// A social security number that begins with this group, if the digits can be one.
pub(super) fn social_security(run: &Run<'_>, first: usize) -> Option<Found> {
    let groups = &run.groups[first..];
    let (count, separator) = match groups {
        [a, b, c, ..] if (a.len(), b.len(), c.len()) == (3, 2, 4) => {
            // The end of a line can stand behind a hyphen.
            let separator = unwrapped(run.between(first));
            let is_grouped = matches!(separator, " " | "-" | ".")
                && unwrapped(run.between(first + 1)) == separator
                && run.between(first + 2) != separator;
            is_grouped.then_some((3, separator))?
        }
        [one, ..] if one.len() == 9 => (1, ""),
        _ => return None,
    };
    let span = groups[0].start..groups[count - 1].end;
    let digits = Digits::of(run.text, &groups[..count])?;
    if !is_assigned(digits.as_bytes()) || !run.stands_alone(&span, Look::Loose) {
        return None;
    }
    let near = context::before(run.text, span.start).map(|near| (near.sense, near.adjacent));
    let confidence = match (near, separator) {
        (Some((Sense::SocialSecurity, _)), _) => 90,
        (
            Some((
                Sense::Other
                | Sense::Amount
                | Sense::Vague
                | Sense::Phone
                | Sense::Talk
                | Sense::Number,
                true,
            )),
            _,
        ) => 5,
        (_, "-") => 80,
        (_, " ") => 45,
        (_, ".") => 35,
        (_, _) => 20,
    };
    Some(Found { span, kind: DataKind::UsSsn, confidence, count })
}

fn unwrapped(separator: &str) -> &str {
    separator.trim_end_matches(['\r', '\n'])
}

/// Area, group and serial are never zero; area 666 and those from 900 on are not given out.
fn is_assigned(digits: &[u8]) -> bool {
    let (area, group, serial) = (&digits[..3], &digits[3..5], &digits[5..]);
    let never = area == b"000" || area == b"666" || area[0] == b'9';
    let zero = group == b"00" || serial == b"0000";
    let alike = digits.iter().all(|digit| *digit == digits[0]);
    !never && !zero && !alike && !SAMPLES.contains(&digits)
}

/// A health service number that begins with this group, if its check digit fits. One in
/// eleven numbers of ten digits has a check digit that fits, so it proves little alone.
pub(super) fn health(run: &Run<'_>, first: usize) -> Option<Found> {
    let groups = &run.groups[first..];
    let (count, grouped) = match groups {
        [a, b, c, ..] if (a.len(), b.len(), c.len()) == (3, 3, 4) => {
            let separator = run.between(first);
            let is_grouped = matches!(separator, " " | "-") && run.between(first + 1) == separator;
            is_grouped.then_some((3, true))?
        }
        [one, ..] if one.len() == 10 => (1, false),
        _ => return None,
    };
    let span = groups[0].start..groups[count - 1].end;
    let digits = Digits::of(run.text, &groups[..count])?;
    if !has_check_digit(digits.as_bytes()) || !run.stands_alone(&span, Look::Loose) {
        return None;
    }
    let sense = context::before(run.text, span.start).map(|near| near.sense);
    let confidence = match (sense, grouped) {
        (Some(Sense::Health), _) => 97,
        (
            Some(
                Sense::Other
                | Sense::Amount
                | Sense::Vague
                | Sense::Phone
                | Sense::Talk
                | Sense::Number,
            ),
            _,
        ) => 5,
        (_, true) => 30,
        (_, false) => 20,
    };
    Some(Found { span, kind: DataKind::UkNhs, confidence, count })
}

/// Modulus 11 with weights 10 to 2 (NHS data dictionary, "NHS NUMBER").
fn has_check_digit(digits: &[u8]) -> bool {
    let sum: u32 =
        digits[..9].iter().zip((2..=10).rev()).map(|(byte, w)| u32::from(byte - b'0') * w).sum();
    let check = (11 - sum % 11) % 11;
    check == u32::from(digits[9] - b'0') && digits.iter().any(|digit| *digit != digits[0])
}
