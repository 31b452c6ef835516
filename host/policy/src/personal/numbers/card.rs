//! Payment card numbers.

use super::run::{Digits, Group, Run};

/// 19 digits in fours.
const MOST_GROUPS: usize = 5;

/// How many groups from `first` on are a card number, if they are one: the longest.
pub(super) fn at(run: &Run<'_>, first: usize) -> Option<usize> {
    let most = (run.groups.len() - first).min(MOST_GROUPS);
    (1..=most).rev().find(|count| is_card(run, first, *count))
}

fn is_card(run: &Run<'_>, first: usize, count: usize) -> bool {
    let groups = &run.groups[first..first + count];
    let length = Run::length(groups);
    if !(12..=19).contains(&length) || !is_grouped(run, first, groups) {
        return false;
    }
    Digits::of(run.text, groups).is_some_and(|digits| {
        let digits = digits.as_bytes();
        is_issued(digits) && passes_luhn(digits)
    }) && run.is_no_code(&(groups[0].start..groups[count - 1].end))
}

/// In one row, in fours, or as some issuers print them.
fn is_grouped(run: &Run<'_>, first: usize, groups: &[Group]) -> bool {
    let is_printed = match groups {
        [_] => true,
        [a, b] => (a.len(), b.len()) == (6, 13) || (a.len(), b.len()) == (8, 8),
        [a, b, c] if (a.len(), b.len()) == (4, 6) => matches!(c.len(), 4 | 5),
        [fours @ .., last] => {
            fours.len() >= 2 && fours.iter().all(|group| group.len() == 4) && last.len() <= 4
        }
        [] => false,
    };
    let separator = run.between(first);
    is_printed
        && (groups.len() == 1 || matches!(separator, " " | "-" | "." | " - "))
        && (first..first + groups.len() - 1).all(|index| run.between(index) == separator)
}

/// Whether an issuer has this prefix at this length (ISO/IEC 7812; the issuers' published
/// ranges, and those of Chinese and Indian banks).
fn is_issued(digits: &[u8]) -> bool {
    let prefix = |n: usize| {
        digits[..n].iter().fold(0, |number: u32, byte| number * 10 + u32::from(byte - b'0'))
    };
    let (two, three, four) = (prefix(2), prefix(3), prefix(4));
    // Maestro's length is up to the bank; UnionPay and Discover lie in the same range.
    let maestro = matches!(two, 50 | 56..=58 | 60..=69);
    let diners = matches!(three, 300..=305 | 309) || matches!(two, 36 | 38 | 39);
    // Old ranges of JCB are still seen, and Maestro's in Ireland.
    let jcb = two == 35;
    let maestro = maestro || four == 604;
    maestro
        || match digits.len() {
            13 => digits[0] == b'4',
            14 => diners,
            15 => matches!(two, 34 | 37) || matches!(four, 1800 | 2131),
            16 => {
                matches!(two, 40..=49 | 51..=55 | 81 | 82 | 95 | 98 | 99)
                    || matches!(four, 2200..=2204 | 2221..=2720 | 9792)
                    || jcb
                    || diners
            }
            17..=19 => {
                digits[0] == b'4'
                    || matches!(two, 81 | 95 | 98 | 99)
                    || matches!(four, 2200..=2204)
                    || jcb
                    || diners
            }
            _ => false,
        }
}

/// The check digit of ISO/IEC 7812-1 annex B; not of digits that are all the same.
fn passes_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            match (place % 2, digit) {
                (0, _) => digit,
                (_, 0..=4) => 2 * digit,
                _ => 2 * digit - 9,
            }
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != digits[0])
}
