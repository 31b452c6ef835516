//! Payment card numbers.

use std::ops::Range;

use super::{
    super::context::{self, Sense},
    run::{Digits, Group, Look, Run},
};

/// A number of this kind.
pub(super) struct Card {
    /// Groups that it takes.
    pub(super) count: usize,
    /// As short as the number of a product, and not said to be a card.
    pub(super) doubtful: bool,
}

/// Digits of a card, and of one that is written in any groups.
const LEAST: usize = 12;
const MOST: usize = 19;
/// Digits of numbers of products (GTIN-12 and GTIN-13 of the GS1 specifications).
const LONGEST_PRODUCT: usize = 13;

/// The card number that begins with this group: the longest. Groups before `free` belong to
/// another number.
pub(super) fn at(run: &Run<'_>, free: usize, first: usize) -> Option<Card> {
    let mut length = 0;
    let mut found = None;
    for (index, group) in run.groups[first..].iter().enumerate() {
        length += group.len();
        if length > MOST || index > 0 && run.between(first + index - 1).contains(['(', ')']) {
            break;
        }
        if length >= LEAST {
            found = read(run, free, first, index + 1).or(found);
        }
    }
    found
}

fn read(run: &Run<'_>, free: usize, first: usize, count: usize) -> Option<Card> {
    let groups = &run.groups[first..first + count];
    let length = Run::length(groups);
    let is_printed = is_printed(run, first, groups, length);
    if !is_printed && !matches!(length, 15 | 16) {
        return None;
    }
    let digits = Digits::of(run.text, groups)?;
    let digits = digits.as_bytes();
    if !is_issued(digits) || !passes_luhn(digits) {
        return None;
    }
    let span = groups[0].start..groups[count - 1].end;
    let near = || context::before(run.text, span.start);
    let is_told = || near().is_some_and(|near| near.sense == Sense::Card && !near.crossed);
    let is_grouped = is_printed
        && (groups.len() < 3 || !is_among_fours(run, free, first, count) || is_told())
        || is_spread(run, free, first, groups, length, &is_told);
    let doubtful = digits.len() <= LONGEST_PRODUCT
        && !is_told()
        && (digits[0] == b'6'
            || groups.len() > 1
            || is_product(digits)
            || touches_other_script(run.text, &span)
            || near().is_some_and(|near| {
                near.adjacent && matches!(near.sense, Sense::Other | Sense::Amount | Sense::Vague)
            }));
    (is_grouped && run.is_no_code(&span, Look::Firm)).then_some(Card { count, doubtful })
}

/// In one row, in fours, or as some issuers print them.
fn is_printed(run: &Run<'_>, first: usize, groups: &[Group], length: usize) -> bool {
    let lengths_fit = match groups {
        [_] => true,
        [a, b] => matches!((a.len(), b.len()), (6, 10 | 13) | (8, 8)),
        [a, b, c] if (a.len(), b.len()) == (4, 6) => matches!(c.len(), 4 | 5),
        [fours @ .., last] => {
            fours.len() >= 2 && fours.iter().all(|group| group.len() == 4) && last.len() <= 4
        }
        [] => false,
    };
    let separator = run.between(first);
    let mut between = (first..first + groups.len() - 1).map(|index| run.between(index));
    lengths_fit
        && (groups.len() >= 3 && length >= 15
            || groups.len() == 1
            || matches!(separator, " " | "-" | "." | " - ") && between.all(|one| one == separator))
}

/// In any groups, by a card's word, digit by digit, or with nothing else beside it.
fn is_spread(
    run: &Run<'_>,
    free: usize,
    first: usize,
    groups: &[Group],
    length: usize,
    is_told: &impl Fn() -> bool,
) -> bool {
    let is_gap = |index: usize| {
        run.between(index).chars().all(|c| matches!(c, ' ' | '\t' | '\r' | '\n' | '-' | '·'))
    };
    let is_whole = first == free && first + groups.len() == run.groups.len();
    matches!(length, 15 | 16)
        && groups.len() > 1
        && (first..first + groups.len() - 1).all(is_gap)
        && (groups.iter().all(|group| group.len() == 1)
            || is_whole && (3..=6).contains(&groups.len())
            || is_told())
}

/// Whether more groups of four stand beside it, as in numbers of parcels, and they are no
/// other card and no month and year of expiry.
fn is_among_fours(run: &Run<'_>, free: usize, first: usize, count: usize) -> bool {
    let separator = run.between(first);
    let is_four = |index: usize| run.groups.get(index).is_some_and(|group| group.len() == 4);
    let before = first > free && is_four(first - 1) && run.between(first - 1) == separator;
    let last = first + count - 1;
    let after = (last..run.groups.len())
        .take(4)
        .take_while(|index| run.between(*index) == separator && is_four(index + 1))
        .count();
    let is_expiry = || {
        let next = run.groups[last + 1].clone();
        matches!(
            run.text.as_bytes()[next],
            [b'0', _, b'2' | b'3', _] | [b'1', b'0'..=b'2', b'2' | b'3', _]
        )
    };
    before || after == 2 || after == 1 && !is_expiry()
}

/// Whether Chinese characters touch it: China's cards are longer, its parcels are not.
fn touches_other_script(text: &str, span: &Range<usize>) -> bool {
    let bytes = text.as_bytes();
    let before = span.start.checked_sub(1).and_then(|at| bytes.get(at));
    [before, bytes.get(span.end)].into_iter().flatten().any(|byte| !byte.is_ascii())
}

/// The check digit of numbers of products (GS1 General Specifications, section 7.9).
fn is_product(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .zip([1, 3].into_iter().cycle())
        .map(|(byte, weight)| u32::from(byte - b'0') * weight)
        .sum();
    sum.is_multiple_of(10)
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
