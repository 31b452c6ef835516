//! Dates, with the time if it is joined to them as in ISO 8601, and dates of birth. A time
//! alone is no date, nor are fractions, scores, versions and amounts.

use std::ops::Range;

use super::{Scan, Token, before, keywords::Sense, month, year};
use crate::personal::DataKind;

/// Bytes between a date of birth and the word that says so.
const BIRTH_BEFORE: usize = 40;
const BIRTH_AFTER: usize = 12;

/// A date that was read.
struct Date {
    end: usize,
    confidence: u8,
}

/// Reads a date that begins with a number: `5/21/2021`, `21 May`, `2021年`, `1985`.
pub(super) fn at_number(scan: &mut Scan<'_>, token: Token) {
    if token.start < scan.read.date || is_within(scan.text, token.start) {
        return;
    }
    let text = Text(scan.text.as_bytes());
    let is_of_birth = is_of_birth(scan, token.start..token.end);
    let read = text
        .in_chinese(token)
        .or_else(|| text.year_first(token))
        .or_else(|| text.day_or_month_first(token))
        .or_else(|| text.named_month_after(token, is_of_birth))
        .or_else(|| (is_of_birth && text.is_compact(token)).then(|| date(token.end, 80)))
        .or_else(|| text.short(scan.text, token))
        .or_else(|| year::read(scan.text, token).map(|confidence| date(token.end, confidence)));
    push(scan, token.start, read);
}

/// Reads a date that begins with the name of a month: `May 5th, 2021`, `May-2021`.
pub(super) fn at_month(scan: &mut Scan<'_>, token: Token) {
    if token.start >= scan.read.date && !is_within(scan.text, token.start) {
        let read = Text(scan.text.as_bytes()).month_first(token);
        push(scan, token.start, read);
    }
}

const fn date(end: usize, confidence: u8) -> Date {
    Date { end, confidence }
}

fn push(scan: &mut Scan<'_>, start: usize, read: Option<Date>) {
    let Some(Date { end, confidence }) = read else { return };
    scan.read.date = end;
    let span = start..end;
    if is_of_birth(scan, span.clone()) {
        // A year alone says little of anybody.
        let confidence = if span.len() == 4 { 45 } else { 85 };
        scan.push(DataKind::BirthDate, span, confidence);
    } else {
        scan.push(DataKind::DateTime, span, confidence);
    }
}

fn is_of_birth(scan: &Scan<'_>, span: Range<usize>) -> bool {
    !scan.keywords.is_empty()
        && (scan.is_after(Sense::Birth, span.start, BIRTH_BEFORE)
            || scan.is_before(Sense::Birth, span.end, BIRTH_AFTER))
}

/// Whether a number goes on before this place: `12:5/21`, `1.5/21/21`, `$5`, `a/5`.
fn is_within(text: &str, start: usize) -> bool {
    let further = start.checked_sub(1).and_then(|sign| before(text, sign));
    match before(text, start) {
        Some(b'$' | b'#' | b'_' | b'+' | b'%' | b'@' | b'\\') => true,
        Some(b'/' | b'=') => {
            further.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'/')
        }
        Some(b'-' | b'.' | b',' | b':') => further.is_some_and(|byte| byte.is_ascii_digit()),
        Some(_) | None => text[..start].ends_with(['£', '€', '¥']),
    }
}

/// The bytes of a text, read from a place on.
#[derive(Clone, Copy)]
struct Text<'t>(&'t [u8]);

impl Text<'_> {
    fn at(&self, at: usize) -> Option<u8> {
        self.0.get(at).copied()
    }

    /// A number of at most so many digits: where it ends, and what it is.
    fn number(&self, at: usize, most: usize) -> Option<(usize, u32)> {
        let rest = self.0.get(at..)?;
        let width = rest.iter().take(most + 1).take_while(|byte| byte.is_ascii_digit()).count();
        let value =
            rest[..width].iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
        (1..=most).contains(&width).then_some((at + width, value))
    }

    fn has(&self, at: usize, text: &str) -> bool {
        self.0.get(at..).is_some_and(|rest| rest.starts_with(text.as_bytes()))
    }

    /// Whether a date ends here: no letter or digit follows, and no further part.
    fn is_end(&self, at: usize) -> bool {
        let is_digit = |at: usize| self.at(at).is_some_and(|byte| byte.is_ascii_digit());
        match self.at(at) {
            Some(b'/' | b'-') => {
                !self.at(at + 1).is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'/')
            }
            Some(b'.' | b',' | b':') => !is_digit(at + 1),
            Some(b'%' | b'_') => false,
            Some(byte) => !byte.is_ascii_alphanumeric(),
            None => true,
        }
    }

    /// `2021年5月3日`, `5月3号`; `2021年` alone says little.
    fn in_chinese(&self, token: Token) -> Option<Date> {
        if !token.is_number() || !self.has(token.end, "年") && !self.has(token.end, "月") {
            return None;
        }
        let mut end = token.end;
        let mut month = token.start;
        if self.has(end, "年") {
            let (_, year) = self.number(token.start, 4)?;
            if !is_year(year) {
                return None;
            }
            end += "年".len();
            month = end;
        }
        let Some((month_end, 1..=12)) = self.number(month, 2) else {
            return (month > token.start).then(|| date(end, 35));
        };
        if !self.has(month_end, "月") {
            return (month > token.start).then(|| date(end, 35));
        }
        let after_month = month_end + "月".len();
        let day = self.number(after_month, 2).filter(|(_, day)| is_day(*day));
        match day {
            Some((day, _)) if self.has(day, "日") || self.has(day, "号") => {
                Some(date(day + "日".len(), 70))
            }
            // `3月` alone says how long as often as when.
            Some(_) | None => (month > token.start).then(|| date(after_month, 60)),
        }
    }

    /// `2024-03-15`, `2024/3/15`, `2024-03-15T14:30:00.5+02:00`.
    fn year_first(&self, token: Token) -> Option<Date> {
        if token.end - token.start != 4 {
            return None;
        }
        let (sign, year) = self.number(token.start, 4)?;
        let separator = self.at(sign).filter(|byte| matches!(byte, b'-' | b'/' | b'.'))?;
        let (next, month) = self.number(sign + 1, 2)?;
        let (end, day) = self.number(next + 1, 2)?;
        let is_fine = is_year(year) && is_month(month) && is_day(day);
        if !is_fine || self.at(next) != Some(separator) {
            return None;
        }
        if matches!(self.at(end), Some(b'T' | b't')) {
            return self.time(end + 1).map(|end| date(end, 90));
        }
        self.is_end(end).then(|| date(end, 75))
    }

    /// `14:30`, `14:30:00.123456Z`, `14:30-05:00`.
    fn time(&self, at: usize) -> Option<usize> {
        let (mut end, hour) = self.number(at, 2)?;
        let next = |end: &mut usize| {
            let (to, value) = self.number(*end + 1, 2).filter(|_| self.at(*end) == Some(b':'))?;
            *end = to;
            Some(value)
        };
        let minute = next(&mut end)?;
        let second = next(&mut end).unwrap_or(0);
        if hour > 24 || minute > 59 || second > 60 {
            return None;
        }
        if self.at(end) == Some(b'.') {
            end = self.number(end + 1, 9).map_or(end, |(to, _)| to);
        }
        let zone = match self.at(end) {
            Some(b'Z' | b'z') => Some(end + 1),
            Some(b'+' | b'-') => self.number(end + 1, 4).map(|(to, _)| {
                let minutes = self.number(to + 1, 2).filter(|_| self.at(to) == Some(b':'));
                minutes.map_or(to, |(to, _)| to)
            }),
            Some(_) | None => None,
        };
        let end = zone.unwrap_or(end);
        self.is_end(end).then_some(end)
    }

    /// `5/21/2021`, `21.5.2021`, `5-20-2021`, `05/2021`.
    fn day_or_month_first(&self, token: Token) -> Option<Date> {
        let (sign, first) = self.number(token.start, 2)?;
        let separator = self.at(sign).filter(|byte| matches!(byte, b'-' | b'/' | b'.'))?;
        let (next, second) = self.number(sign + 1, 4)?;
        let wide = next - sign - 1;
        if separator == b'/' && wide == 4 {
            let is_fine = is_month(first) && is_year(second) && self.is_end(next);
            return is_fine.then(|| date(next, 50));
        }
        let (end, year) = self.number(next + 1, 4)?;
        let is_pair = is_month(first) && is_day(second) || is_day(first) && is_month(second);
        let is_year = match end - next - 1 {
            4 => is_year(year),
            // Of points and hyphens there are many: versions, parts, scores.
            2 => separator == b'/' || sign - token.start == 2 && wide == 2,
            _ => false,
        };
        let is_fine = is_pair && is_year && wide <= 2 && self.at(next) == Some(separator);
        (is_fine && self.is_end(end)).then(|| date(end, 75))
    }

    /// `5-MAY-2021`, `21 May`, `5th of May, 2021`; a date of birth with spaces.
    fn named_month_after(&self, token: Token, is_of_birth: bool) -> Option<Date> {
        let (mut at, day) = self.number(token.start, 2)?;
        let is_counted = self.suffix(&mut at);
        if !is_day(day) || at != token.end {
            return None;
        }
        let sign = self.at(at).filter(|byte| matches!(byte, b' ' | b'-' | b'/' | b'.'))?;
        if is_of_birth
            && sign == b' '
            && let Some(end) = self.spaced(at, day)
        {
            return Some(date(end, 80));
        }
        at += 1;
        let of = sign == b' ' && self.has(at, "of ");
        at += if of { 3 } else { 0 };
        let word = self.word(at);
        let name = &self.0[at..word];
        if !month::is_name(name) || !(month::is_clear(name) || is_counted || of || sign != b' ') {
            // The year tells that `may` is a month.
            return month::is_name(name)
                .then(|| self.year_after(word, b' '))
                .flatten()
                .map(|end| date(end, 75));
        }
        let mut end = word;
        if self.at(end) == Some(b'.') && name.len() <= 4 {
            end += 1;
        }
        match self.year_after(end, sign) {
            Some(end) => Some(date(end, 75)),
            None => self.is_end(word).then(|| date(word, 60)),
        }
    }

    /// `05 03 1985`, from the first space on.
    fn spaced(&self, at: usize, first: u32) -> Option<usize> {
        let (next, second) = self.number(at + 1, 2)?;
        let (end, year) = self.number(next + 1, 4)?;
        let is_pair = is_month(first) && is_day(second) || is_day(first) && is_month(second);
        (is_pair && is_year(year) && self.at(next) == Some(b' ') && self.is_end(end)).then_some(end)
    }

    /// `May 5`, `May 5th, 2021`, `May 2021`, `May-21`.
    fn month_first(&self, token: Token) -> Option<Date> {
        let name = &self.0[token.start..token.end];
        let mut at = token.end;
        if self.at(at) == Some(b'.') && name.len() <= 4 {
            at += 1;
        }
        let sign = self.at(at).filter(|byte| matches!(byte, b' ' | b'-' | b',' | b'/'))?;
        if sign != b','
            && let Some((mut end, day)) = self.number(at + 1, 2)
            && is_day(day)
        {
            let is_counted = self.suffix(&mut end);
            if let Some(end) = self.year_after(end, sign) {
                return Some(date(end, 75));
            }
            let is_clear = month::is_clear(name) && name.len() > 3 || is_counted || sign == b'-';
            let is_clear = is_clear || name[0].is_ascii_uppercase();
            return (is_clear && self.is_end(end)).then(|| date(end, 55));
        }
        self.year_after(at, sign).map(|end| date(end, 60))
    }

    /// Steps over the letters of `5th`.
    fn suffix(&self, at: &mut usize) -> bool {
        let letters = self.0.get(*at..*at + 2).map(<[u8]>::to_ascii_lowercase);
        let is_counted = matches!(letters.as_deref(), Some(b"st" | b"nd" | b"rd" | b"th"));
        *at += if is_counted { 2 } else { 0 };
        is_counted
    }

    /// Where a word of letters ends.
    fn word(&self, at: usize) -> usize {
        let rest = self.0.get(at..).unwrap_or_default();
        at + rest.iter().take(10).take_while(|byte| byte.is_ascii_alphabetic()).count()
    }

    /// A year after a day or a month: ` 2021`, `, 2021`, `-21`.
    fn year_after(&self, at: usize, sign: u8) -> Option<usize> {
        let mut from = at;
        while from < at + 2 && matches!(self.at(from), Some(b',' | b' ' | b'-' | b'/')) {
            from += 1;
        }
        let (end, year) = self.number(from, 4).filter(|_| from > at)?;
        let is_short = end - from == 2 && sign == b'-' && self.at(at) == Some(b'-');
        let is_fine = end - from == 4 && is_year(year) || is_short;
        (is_fine && self.is_end(end)).then_some(end)
    }

    /// `19850503`.
    fn is_compact(&self, token: Token) -> bool {
        let part = |at: usize, width: usize| {
            let digits = &self.0[token.start + at..token.start + at + width];
            digits.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'))
        };
        token.is_number()
            && token.digits == 8
            && is_year(part(0, 4))
            && is_month(part(4, 2))
            && is_day(part(6, 2))
    }

    /// `05/21`: a day or a year of two digits, where something says that it is a date.
    fn short(&self, text: &str, token: Token) -> Option<Date> {
        let (sign, first) = self.number(token.start, 2)?;
        let (end, second) = self.number(sign + 1, 2).filter(|_| self.at(sign) == Some(b'/'))?;
        let is_pair = is_month(first) && is_day(second) || is_day(first) && is_month(second);
        if !is_pair || !self.is_end(end) {
            return None;
        }
        let is_wide = sign - token.start == 2 && end - sign == 3;
        let (word, _) = year::word_before(text, token.start);
        Some(date(end, if year::is_when(word, is_wide) { 45 } else { 30 }))
    }
}

const fn is_year(year: u32) -> bool {
    matches!(year, 1850..=2150)
}

const fn is_month(month: u32) -> bool {
    matches!(month, 1..=12)
}

const fn is_day(day: u32) -> bool {
    matches!(day, 1..=31)
}
