//! Driver's licences of the states of the US, by the words around them.

use super::{Scan, Token, before, keywords::Sense};
use crate::personal::DataKind;

/// Bytes between the word and the number.
const BEFORE: usize = 40;
const AFTER: usize = 24;

/// Reads a licence at a token, which may go on in groups.
pub(super) fn at_token(scan: &mut Scan<'_>, token: Token) {
    let end = grouped(scan.text, token);
    let number = &scan.text.as_bytes()[token.start..end];
    if !is_number(number) || before(scan.text, token.start).is_some_and(is_joined) {
        return;
    }
    let span = token.start..end;
    let announced = (scan.is_after(Sense::Licence, token.start, BEFORE)
        || scan.is_before(Sense::Licence, end, AFTER))
        && !scan.is_after(Sense::Permission, token.start, BEFORE)
        && !scan.is_before(Sense::Permission, end, AFTER);
    let letters = number.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    if announced {
        scan.push(DataKind::DriverLicense, span, 65);
    } else if scan.text.trim().len() == number.len() && letters > 0 && end == token.end {
        scan.push(DataKind::DriverLicense, span, 20);
    }
}

/// Where the number ends: Florida and others write it in groups of digits.
fn grouped(text: &str, token: Token) -> usize {
    const MOST: usize = 4;
    let bytes = text.as_bytes();
    let mut end = token.end;
    for _ in 0..MOST {
        let rest = bytes.get(end + 1..).unwrap_or_default();
        let digits = rest.iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
        let goes_on = rest.get(digits).is_some_and(u8::is_ascii_alphanumeric);
        if bytes.get(end) != Some(&b'-') || !(1..=5).contains(&digits) || goes_on {
            break;
        }
        end += 1 + digits;
    }
    end
}

fn is_joined(byte: u8) -> bool {
    matches!(byte, b'-' | b'_' | b'/' | b'.' | b'@' | b'$' | b'+')
}

/// What the states have in common: a few letters, and digits. From the formats that the
/// American Association of Motor Vehicle Administrators keeps.
fn is_number(number: &[u8]) -> bool {
    let digits = number.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = number.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let first = number.first().is_some_and(u8::is_ascii_alphabetic);
    let upper = !number.iter().any(u8::is_ascii_lowercase);
    match letters {
        0 => matches!(digits, 6..=14 | 16),
        1 => matches!(digits, 4..=14 | 18) && (first || digits >= 7),
        2 | 3 => upper && matches!(digits, 3..=9),
        // Washington: letters of the name, then letters and digits.
        4..=9 => upper && first && digits >= 3 && number.len() == 12,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::personal::words::tests::check;

    const LICENCE: DataKind = DataKind::DriverLicense;

    #[test]
    fn licences_are_found_by_the_words_around_them() {
        check("my driver's license number is D1234567.", &[(LICENCE, "D1234567")]);
        check("DL# F255-921-50-094-0 please", &[(LICENCE, "F255-921-50-094-0")]);
        check("H12345678 is my driving licence", &[(LICENCE, "H12345678")]);
        check("licence: 99 12345678", &[(LICENCE, "12345678")]);
        check("driver license SMITHJ456K12", &[(LICENCE, "SMITHJ456K12")]);
        check("driver license SMITHJM456K12", &[]);
    }

    #[test]
    fn other_codes_are_left() {
        for text in [
            "the driver left JD0001969267863 at the door",
            "my licence expired, what now?",
            "order D1234567",
            "W1234567",
            "license plate 7ABC123",
            "software license 12345678",
            "my Windows licence is 12345678",
        ] {
            check(text, &[]);
        }
    }
}
