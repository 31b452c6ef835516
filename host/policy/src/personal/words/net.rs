//! IP addresses and the addresses of network cards.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Scan, Token, after, before};
use crate::personal::DataKind;

/// The longest text of an IPv6 address, with an IPv4 address in it.
const LONGEST: usize = 45;
const LONGEST_ZONE: usize = 16;

/// Reads an address at a token, or nothing.
pub(super) fn at_token(scan: &mut Scan<'_>, token: Token) {
    let Token { start, end, .. } = token;
    let bytes = scan.text.as_bytes();
    match bytes.get(end) {
        Some(b':' | b'-') if end - start == 2 && card(scan, start, 2) => {}
        Some(b'.') if end - start == 4 && card(scan, start, 4) => {}
        Some(b':') if end - start <= 4 && begins(scan.text, start) => {
            six(scan, start);
        }
        Some(b'.') if end - start <= 3 && token.is_number() && start >= scan.read.dots => {
            four(scan, start);
        }
        Some(_) | None => {}
    }
}

/// Reads an address that begins with two colons.
pub(super) fn at_colons(scan: &mut Scan<'_>, start: usize) {
    let free = before(scan.text, start)
        .is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b':' | b'_'));
    if free {
        six(scan, start);
    }
}

/// Whether an IPv6 address can begin here: not within one, but after a label.
fn begins(text: &str, start: usize) -> bool {
    match before(text, start) {
        Some(b':') => {
            let label = text[..start - 1].bytes().rev().take(LONGEST);
            let mut label = label.take_while(u8::is_ascii_alphanumeric).peekable();
            label.peek().is_none_or(u8::is_ascii_alphabetic)
                && label.all(|byte| byte.is_ascii_alphabetic())
                && before(text, start - 1) != Some(b':')
        }
        Some(byte) => !matches!(byte, b'_' | b'.'),
        None => true,
    }
}

fn six(scan: &mut Scan<'_>, start: usize) {
    if start < scan.read.colons {
        return;
    }
    let rest = &scan.text.as_bytes()[start..];
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let width = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
    scan.read.colons = start + width;
    let mut run = &scan.text[start..start + width];
    run = run.trim_end_matches('.');
    if run.ends_with(':') && !run.ends_with("::") {
        run = &run[..run.len() - 1];
    }
    let cut = run.len() < width;
    let end = start + run.len();
    let next = after(scan.text, end);
    let is_glued = !cut && next.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if run.len() > LONGEST || is_glued || run.parse::<Ipv6Addr>().is_err() {
        // An IPv4 address that ends it can stand for itself.
        return;
    }
    scan.read.dots = end;
    let proves = run.bytes().any(|byte| byte.is_ascii_digit());
    let end = tail(scan.text, end, 128);
    let confidence = match run {
        "::" if end - start > 2 => 70,
        "::" => 40,
        _ if proves => 95,
        // `dead::beef` is code more often than an address.
        _ => 30,
    };
    scan.push(DataKind::IpAddress, start..end, confidence);
}

fn four(scan: &mut Scan<'_>, start: usize) {
    let rest = &scan.text.as_bytes()[start..];
    let is_part = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let width = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
    scan.read.dots = start + width;
    let run = scan.text[start..start + width].trim_end_matches('.');
    let end = start + run.len();
    let previous = before(scan.text, start);
    let is_glued = previous.is_some_and(|byte| matches!(byte, b'.' | b'_'))
        || after(scan.text, end).is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    if is_glued || run.parse::<Ipv4Addr>().is_err() {
        return;
    }
    let end = tail(scan.text, end, 32);
    let confidence = if is_version(scan.text, start) { 30 } else { 90 };
    scan.push(DataKind::IpAddress, start..end, confidence);
}

/// `Chrome/120.0.0.0`, `version 1.2.3.4`.
fn is_version(text: &str, start: usize) -> bool {
    let mut head = text.as_bytes()[..start].iter().rev();
    if before(text, start) == Some(b'/') {
        return head.nth(1).is_some_and(u8::is_ascii_alphanumeric);
    }
    let word: Vec<u8> = head
        .skip_while(|byte| matches!(byte, b' ' | b':' | b'='))
        .take(8)
        .take_while(|byte| byte.is_ascii_alphabetic())
        .map(u8::to_ascii_lowercase)
        .collect();
    matches!(&word[..], b"noisrev" | b"v" | b"rev" | b"erawmrif" | b"esaeler" | b"dliub")
}

/// Where an address ends with its zone or the width of its network.
fn tail(text: &str, end: usize, widest: u8) -> usize {
    let bytes = text.as_bytes();
    let mut end = end;
    if widest == 128 && bytes.get(end) == Some(&b'%') {
        let zone = bytes[end + 1..].iter().take(LONGEST_ZONE);
        let width = zone.take_while(|byte| byte.is_ascii_alphanumeric()).count();
        end += if width > 0 { width + 1 } else { 0 };
    }
    if bytes.get(end) != Some(&b'/') {
        return end;
    }
    let digits = bytes[end + 1..].iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    let close = end + 1 + digits;
    let is_glued = after(text, close).is_some_and(|b| b.is_ascii_alphanumeric() || b == b'/');
    match text[end + 1..close].parse::<u8>() {
        Ok(width) if width <= widest && !is_glued => close,
        Ok(_) | Err(_) => end,
    }
}

/// Reads the address of a card in groups of so many digits.
fn card(scan: &mut Scan<'_>, start: usize, group: usize) -> bool {
    let bytes = scan.text.as_bytes();
    let sign = bytes[start + group];
    let width = if group == 2 { 17 } else { 14 };
    let Some(run) = bytes.get(start..start + width) else { return false };
    let is_shaped = run.iter().enumerate().all(|(at, byte)| match at % (group + 1) == group {
        true => *byte == sign,
        false => byte.is_ascii_hexdigit(),
    });
    let ends = [before(scan.text, start), after(scan.text, start + width)];
    let is_label = ends[0] == Some(b':') && begins(scan.text, start);
    let is_glued = ends.iter().enumerate().any(|(side, byte)| {
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == sign)
            && !(side == 0 && is_label)
            && !(side == 1 && is_end(scan.text, start + width))
    });
    let digits = run.iter().filter(|byte| **byte != sign);
    let says_nothing = ["0", "f"]
        .iter()
        .any(|all| digits.clone().all(|byte| byte.eq_ignore_ascii_case(&all.as_bytes()[0])));
    // Grouped by dots or hyphens it could be a number of something else.
    let could_be = sign != b':' && digits.clone().all(u8::is_ascii_digit);
    if !is_shaped || is_glued || says_nothing {
        return false;
    }
    scan.read.dots = start + width;
    scan.push(DataKind::MacAddress, start..start + width, if could_be { 45 } else { 95 });
    true
}

/// A sign that ends a sentence rather than going on with the address.
fn is_end(text: &str, at: usize) -> bool {
    matches!(after(text, at), Some(b'.' | b':' | b'-'))
        && !after(text, at + 1).is_some_and(|byte| byte.is_ascii_alphanumeric())
}
