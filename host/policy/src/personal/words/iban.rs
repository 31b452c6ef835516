//! International bank account numbers (ISO 13616).

use super::{Scan, Token, stands_alone};
use crate::personal::DataKind;

/// How many characters of which class.
type Part = (usize, u8);

/// Countries, and how the account is built: `n` digits, `a` letters, `c` both. From the
/// IBAN registry of SWIFT.
const COUNTRIES: &[(&[u8; 2], &[Part])] = &[
    (b"AD", &[(8, N), (12, C)]),
    (b"AE", &[(19, N)]),
    (b"AL", &[(8, N), (16, C)]),
    (b"AT", &[(16, N)]),
    (b"AZ", &[(4, A), (20, C)]),
    (b"BA", &[(16, N)]),
    (b"BE", &[(12, N)]),
    (b"BG", &[(4, A), (6, N), (8, C)]),
    (b"BH", &[(4, A), (14, C)]),
    (b"BI", &[(23, N)]),
    (b"BR", &[(23, N), (1, A), (1, C)]),
    (b"BY", &[(4, C), (4, N), (16, C)]),
    (b"CH", &[(5, N), (12, C)]),
    (b"CR", &[(18, N)]),
    (b"CY", &[(8, N), (16, C)]),
    (b"CZ", &[(20, N)]),
    (b"DE", &[(18, N)]),
    (b"DJ", &[(23, N)]),
    (b"DK", &[(14, N)]),
    (b"DO", &[(4, C), (20, N)]),
    (b"EE", &[(16, N)]),
    (b"EG", &[(25, N)]),
    (b"ES", &[(20, N)]),
    (b"FI", &[(14, N)]),
    (b"FK", &[(2, A), (12, N)]),
    (b"FO", &[(14, N)]),
    (b"FR", &[(10, N), (11, C), (2, N)]),
    (b"GB", &[(4, A), (14, N)]),
    (b"GE", &[(2, A), (16, N)]),
    (b"GI", &[(4, A), (15, C)]),
    (b"GL", &[(14, N)]),
    (b"GR", &[(7, N), (16, C)]),
    (b"GT", &[(4, C), (20, C)]),
    (b"HN", &[(4, A), (20, N)]),
    (b"HR", &[(17, N)]),
    (b"HU", &[(24, N)]),
    (b"IE", &[(4, A), (14, N)]),
    (b"IL", &[(19, N)]),
    (b"IQ", &[(4, A), (15, N)]),
    (b"IS", &[(22, N)]),
    (b"IT", &[(1, A), (10, N), (12, C)]),
    (b"JO", &[(4, A), (4, N), (18, C)]),
    (b"KW", &[(4, A), (22, C)]),
    (b"KZ", &[(3, N), (13, C)]),
    (b"LB", &[(4, N), (20, C)]),
    (b"LC", &[(4, A), (24, C)]),
    (b"LI", &[(5, N), (12, C)]),
    (b"LT", &[(16, N)]),
    (b"LU", &[(3, N), (13, C)]),
    (b"LV", &[(4, A), (13, C)]),
    (b"LY", &[(21, N)]),
    (b"MC", &[(10, N), (11, C), (2, N)]),
    (b"MD", &[(2, C), (18, C)]),
    (b"ME", &[(18, N)]),
    (b"MK", &[(3, N), (10, C), (2, N)]),
    (b"MN", &[(16, N)]),
    (b"MR", &[(23, N)]),
    (b"MT", &[(4, A), (5, N), (18, C)]),
    (b"MU", &[(4, A), (19, N), (3, A)]),
    (b"NI", &[(4, A), (20, N)]),
    (b"NL", &[(4, A), (10, N)]),
    (b"NO", &[(11, N)]),
    (b"OM", &[(3, N), (16, C)]),
    (b"PK", &[(4, A), (16, C)]),
    (b"PL", &[(24, N)]),
    (b"PS", &[(4, A), (21, C)]),
    (b"PT", &[(21, N)]),
    (b"QA", &[(4, A), (21, C)]),
    (b"RO", &[(4, A), (16, C)]),
    (b"RS", &[(18, N)]),
    (b"RU", &[(14, N), (15, C)]),
    (b"SA", &[(2, N), (18, C)]),
    (b"SC", &[(4, A), (20, N), (3, A)]),
    (b"SD", &[(14, N)]),
    (b"SE", &[(20, N)]),
    (b"SI", &[(15, N)]),
    (b"SK", &[(20, N)]),
    (b"SM", &[(1, A), (10, N), (12, C)]),
    (b"SO", &[(19, N)]),
    (b"ST", &[(21, N)]),
    (b"SV", &[(4, A), (20, N)]),
    (b"TL", &[(19, N)]),
    (b"TN", &[(20, N)]),
    (b"TR", &[(5, N), (1, N), (16, C)]),
    (b"UA", &[(6, N), (19, C)]),
    (b"VA", &[(18, N)]),
    (b"VG", &[(4, A), (16, N)]),
    (b"XK", &[(16, N)]),
    (b"YE", &[(4, A), (4, N), (18, C)]),
];

const N: u8 = b'n';
const A: u8 = b'a';
const C: u8 = b'c';

/// The longest number of the registry, and a margin.
const LONGEST: usize = 34;

/// Reads a number whose country and check digits begin a token: in one piece or in groups
/// with one space, hyphen or point between them.
pub(super) fn read(scan: &mut Scan<'_>, token: Token) {
    let bytes = scan.text.as_bytes();
    let country =
        [bytes[token.start].to_ascii_uppercase(), bytes[token.start + 1].to_ascii_uppercase()];
    let Ok(place) = COUNTRIES.binary_search_by_key(&&country, |(name, _)| name) else { return };
    let parts = COUNTRIES[place].1;
    let length = 4 + parts.iter().map(|(count, _)| count).sum::<usize>();
    let mut digits = [0; LONGEST];
    let Some(end) = collect(&bytes[token.start..], &mut digits[..length]) else { return };
    let span = token.start..token.start + end;
    if stands_alone(scan.text, &span)
        && is_built(&digits[4..length], parts)
        && is_proven(&digits[..length])
    {
        scan.push(DataKind::Iban, span, 98);
    }
}

/// Takes so many letters and digits, and tells where they end.
fn collect(bytes: &[u8], digits: &mut [u8]) -> Option<usize> {
    let mut at = 0;
    for (count, digit) in digits.iter_mut().enumerate() {
        // A group that ends early is no country with its check digits.
        if count >= 4 && matches!(bytes.get(at), Some(b' ' | b'-' | b'.')) {
            at += 1;
        }
        *digit = bytes.get(at).filter(|byte| byte.is_ascii_alphanumeric())?.to_ascii_uppercase();
        at += 1;
    }
    Some(at)
}

fn is_built(account: &[u8], parts: &[Part]) -> bool {
    let mut rest = account;
    parts.iter().all(|(count, class)| {
        let (part, after) = rest.split_at(*count);
        rest = after;
        match *class {
            N => part.iter().all(u8::is_ascii_digit),
            A => part.iter().all(u8::is_ascii_uppercase),
            _ => true,
        }
    })
}

/// ISO 7064, MOD 97-10: country and check digits are read last.
fn is_proven(digits: &[u8]) -> bool {
    let (head, account) = digits.split_at(4);
    let rest = account.iter().chain(head).fold(0_u32, |rest, digit| match digit {
        b'0'..=b'9' => (rest * 10 + u32::from(digit - b'0')) % 97,
        letter => (rest * 100 + u32::from(letter - b'A') + 10) % 97,
    });
    rest == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::personal::words::tests::check;

    const IBAN: DataKind = DataKind::Iban;

    #[test]
    fn countries_are_in_order() {
        assert!(COUNTRIES.is_sorted_by_key(|(name, _)| name));
    }

    #[test]
    fn numbers_are_found_in_one_piece_and_in_groups() {
        for text in [
            "GB82WEST12345698765432",
            "GB82 WEST 1234 5698 7654 32",
            "gb82-west-1234-5698-7654-32",
            "DE89 3704 0044 0532 0130 00",
            "FR1420041010050500013M02606",
            "NL91 ABNA 0417 1643 00",
            "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
            "CH93 0076 2011 6238 5295 7",
        ] {
            check(text, &[(IBAN, text)]);
            check(&format!("账号{text}，请查"), &[(IBAN, text)]);
        }
    }

    #[test]
    fn what_only_looks_like_one_is_left() {
        for text in [
            "GB82WEST12345698765433",
            "GB82WEST123456987654321",
            "xGB82WEST12345698765432",
            "GB82 WEST 1234  5698 7654 32",
            "GB82/WEST/1234/5698/7654/32",
            "ZZ82WEST12345698765432",
            "GB82",
        ] {
            check(text, &[]);
        }
    }
}
