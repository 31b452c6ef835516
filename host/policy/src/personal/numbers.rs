//! Phone and card numbers in text.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use super::{DataKind, Finding};

/// Finds phone and card numbers of a folded text.
///
/// Numbers of orders and parcels look like phone numbers, so ten digits in a
/// row are a phone number only after a `+`, after a word such as "phone", or
/// grouped like one. Card numbers must pass their checksum.
pub(super) fn find(text: &str, out: &mut Vec<Finding>) {
    let chinese = text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    let numbers = Numbers { text, chinese };
    let mut found = Vec::new();
    for run in NUMBER.find_iter(text) {
        if is_alone(text, run.range()) {
            numbers.read(run.range(), &mut found);
        }
    }
    out.extend(found.into_iter().map(|(span, kind)| Finding { span, kind, confidence: 90 }));
}

/// Digits, in groups with at most two separators between them.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\+?\(?[0-9]+(?:[ ().\-]{1,2}[0-9]+)*").expect("the pattern is constant and tested")
});

/// Words that announce a phone number …
static PHONE_WORD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)(?-u:\b)(?:phone|telephone|tel|mobile|cell|whatsapp|sms|fax|dial(?:led)?|(?:call|text|ring|reach)(?:ed|ing)?(?: (?:me|us|him|her|them|someone))?(?: back)?(?: (?:on|at))?)(?-u:\b)|电话|手机|号码|新号|来电|回电|致电|拨打|联系方式",
    )
    .expect("the pattern is constant and tested")
});

/// … and words that announce another number.
static OTHER_WORD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)(?-u:\b)(?:orders?|tracking|trace|parcel|package|shipment|invoice|ticket|ref|reference|sku|barcode|item|serial|session|ts)(?-u:\b)|订单|单号|流水|运单|编号|批次|条码|序列号",
    )
    .expect("the pattern is constant and tested")
});

/// Characters before a number in which such words count.
const CONTEXT: usize = 32;

/// Not part of a word or a longer code: `#1234`, `JD0001`, `1234-A`.
fn is_alone(text: &str, range: Range<usize>) -> bool {
    let before = text[..range.start].chars().next_back();
    let after = text[range.end..].chars().next();
    !before.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '#' | '_' | '-' | '+'))
        && !after.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A message whose numbers are read.
struct Numbers<'a> {
    text: &'a str,
    chinese: bool,
}

impl Numbers<'_> {
    /// Cards within a run of digit groups; what is between them may be phones.
    fn read(&self, run: Range<usize>, found: &mut Vec<(Range<usize>, DataKind)>) {
        let groups = self.groups(run.clone());
        let (mut rest, mut first) = (0, 0);
        while first < groups.len() {
            let card = (first..groups.len().min(first + MOST_CARD_GROUPS))
                .rev()
                .find(|&last| is_card(self.text, &groups[first..=last]));
            if let Some(last) = card {
                found.extend(self.phone(run.start, &groups[rest..first]));
                found.push((groups[first].start..groups[last].end, DataKind::Card));
                rest = last + 1;
                first = rest;
            } else {
                first += 1;
            }
        }
        found.extend(self.phone(run.start, &groups[rest..]));
    }

    fn groups(&self, run: Range<usize>) -> Vec<Range<usize>> {
        let mut groups: Vec<Range<usize>> = Vec::new();
        for at in run {
            let is_digit = self.text.as_bytes()[at].is_ascii_digit();
            match groups.last_mut() {
                _ if !is_digit => {}
                Some(group) if group.end == at => group.end += 1,
                _ => groups.push(at..at + 1),
            }
        }
        groups
    }

    fn phone(&self, run_start: usize, groups: &[Range<usize>]) -> Option<(Range<usize>, DataKind)> {
        let first = groups.first()?;
        // The sign or bracket that opens the run belongs to its first group.
        let opens = self.text[run_start..first.start].chars().all(|c| matches!(c, '+' | '('));
        let start = if opens { run_start } else { first.start };
        let international = self.text[start..].starts_with('+');
        let mut groups = groups;
        if international {
            // "+44 20 7946 0018 12 34 56": what is too long is not part of it.
            let fits =
                (0..groups.len()).take_while(|&last| length(&groups[..=last]) <= E164).count();
            groups = &groups[..fits];
        }
        let is_phone = if international {
            length(groups) >= 8
        } else {
            (7..=E164).contains(&length(groups)) && self.is_national_phone(start, groups)
        };
        let end = groups.last()?.end;
        is_phone.then_some((start..end, DataKind::Phone))
    }

    fn is_national_phone(&self, start: usize, groups: &[Range<usize>]) -> bool {
        let digits = digits(self.text, groups);
        let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
        match announced(self.text, start) {
            Some(Announced::Phone) => true,
            Some(Announced::Other) => false,
            None => match lengths.as_slice() {
                [3, 3, 4] | [1, 3, 3, 4] => true,
                [3, 4, 4] if is_chinese_mobile(&digits) => true,
                [area, _, ..] if *area >= 2 && digits.len() >= 9 && digits.starts_with('0') => true,
                _ => self.chinese && is_chinese_mobile(&digits),
            },
        }
    }
}

/// Most digits of a phone number, by ITU-T E.164 section 6.2.1.
const E164: usize = 15;
/// 19 digits in fours.
const MOST_CARD_GROUPS: usize = 5;

fn digits(text: &str, groups: &[Range<usize>]) -> String {
    groups.iter().map(|group| &text[group.clone()]).collect()
}

fn length(groups: &[Range<usize>]) -> usize {
    groups.iter().map(|group| group.len()).sum()
}

/// Eleven digits from 13 to 19, perhaps after the country's code.
fn is_chinese_mobile(digits: &str) -> bool {
    let national = digits.strip_prefix("86").unwrap_or(digits);
    national.len() == 11 && matches!(national.as_bytes(), [b'1', b'3'..=b'9', ..])
}

/// What the words before a number say that it is.
enum Announced {
    Phone,
    Other,
}

/// The nearer word counts.
fn announced(text: &str, start: usize) -> Option<Announced> {
    let from = text[..start].char_indices().rev().take(CONTEXT).last().map_or(start, |(i, _)| i);
    let before = &text[from..start];
    let last = |pattern: &Regex| pattern.find_iter(before).last().map(|found| found.end());
    match (last(&PHONE_WORD), last(&OTHER_WORD)) {
        (phone, Some(other)) if phone < Some(other) => Some(Announced::Other),
        (Some(_), _) => Some(Announced::Phone),
        (None, _) => None,
    }
}

/// Whether groups are written like a card number and pass the checks.
fn is_card(text: &str, groups: &[Range<usize>]) -> bool {
    let separators = groups.windows(2).map(|pair| &text[pair[0].end..pair[1].start]);
    if separators.clone().any(|separator| !matches!(separator, " " | "-")) {
        return false;
    }
    if !(13..=19).contains(&length(groups)) {
        return false;
    }
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let grouped = match lengths.as_slice() {
        [_] | [4, 6, 4 | 5] | [6, 13] => true,
        [fours @ .., last] => fours.len() >= 3 && fours.iter().all(|n| *n == 4) && *last <= 4,
        [] => false,
    };
    let digits = digits(text, groups);
    // ISO/IEC 7812: ranges of issuers that have these lengths; 1 is airlines.
    let issued = match (digits.len(), digits.as_bytes()) {
        (13, [first, ..]) => *first == b'4',
        (14, [b'3', second, ..]) => matches!(second, b'0' | b'6' | b'8' | b'9'),
        (15, _) => ["34", "37", "1800", "2131"].iter().any(|range| digits.starts_with(range)),
        (16..=19, [first, ..]) => matches!(first, b'2'..=b'9'),
        _ => false,
    };
    grouped && issued && passes_luhn(&digits)
}

/// ISO/IEC 7812-1 annex B.
fn passes_luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, byte)| {
            let digit = u32::from(byte - b'0');
            match (i % 2, digit) {
                (0, _) => digit,
                (_, 0..=4) => 2 * digit,
                _ => 2 * digit - 9,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}
