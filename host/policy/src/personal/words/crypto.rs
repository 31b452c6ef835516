//! Addresses of wallets, and the keys to them.

use sha2::{Digest as _, Sha256};

use super::{Scan, Token};
use crate::personal::DataKind;

/// The shortest token that can be one.
pub(super) const SHORTEST: usize = 25;

/// The longest text of BIP 173.
const LONGEST: usize = 90;
/// A private key in the format for import has 51 or 52 digits.
const LONGEST_58: usize = 52;
/// `0x` and twenty bytes.
const ETHEREUM: usize = 42;

const DIGITS_58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const DIGITS_32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// Reads a token that is long enough.
pub(super) fn read(scan: &mut Scan<'_>, token: Token) {
    let bytes = &scan.text.as_bytes()[token.start..token.end];
    if bytes.len() > LONGEST {
        return;
    }
    let span = token.start..token.end;
    if bytes.len() == ETHEREUM && bytes.starts_with(b"0x") {
        if bytes[2..].iter().all(u8::is_ascii_hexdigit) {
            scan.push(DataKind::Crypto, span, 85);
        }
    } else if is_bech32(bytes) {
        scan.push(DataKind::Crypto, span, 98);
    } else {
        match base58_check(bytes) {
            // One byte for the chain, twenty of a digest.
            Some(21) => scan.push(DataKind::Crypto, span, 98),
            // A key of 32 bytes, perhaps marked as compressed.
            Some(33 | 34) => scan.push(DataKind::Secret, span, 98),
            Some(_) | None => {}
        }
    }
}

/// How many bytes a text holds before its checksum, which fits.
fn base58_check(text: &[u8]) -> Option<usize> {
    if text.len() > LONGEST_58 {
        return None;
    }
    let mut bytes = [0_u8; 40];
    let mut used = 0;
    for digit in text {
        let value = DIGITS_58.iter().position(|known| known == digit)?;
        let mut carry = u32::try_from(value).ok()?;
        for byte in &mut bytes[..used] {
            carry += u32::from(*byte) * 58;
            *byte = (carry & 0xff) as u8;
            carry >>= 8;
        }
        while carry > 0 {
            *bytes.get_mut(used)? = (carry & 0xff) as u8;
            used += 1;
            carry >>= 8;
        }
    }
    let zeros = text.iter().take_while(|digit| **digit == b'1').count();
    used += zeros;
    let bytes = bytes.get_mut(..used)?;
    bytes.reverse();
    let (payload, sum) = bytes.split_at(used.checked_sub(4)?);
    let twice = Sha256::digest(Sha256::digest(payload));
    twice.starts_with(sum).then_some(payload.len())
}

/// BIP 173 and BIP 350, for the chains whose addresses people send.
fn is_bech32(text: &[u8]) -> bool {
    let lower = text.to_ascii_lowercase();
    let prefix: &[u8] = match &lower[..] {
        [b'b', b'c', b'1', ..] => b"bc",
        [b't', b'b', b'1', ..] => b"tb",
        [b'l', b't', b'c', b'1', ..] => b"ltc",
        _ => return false,
    };
    let is_mixed = text != lower && text.iter().any(u8::is_ascii_lowercase);
    let value = |digit: &u8| DIGITS_32.iter().position(|known| known == digit);
    let data: Option<Vec<usize>> = lower[prefix.len() + 1..].iter().map(value).collect();
    let Some(data) = data.filter(|_| !is_mixed) else { return false };
    let high = prefix.iter().map(|byte| usize::from(byte >> 5));
    let low = prefix.iter().map(|byte| usize::from(byte & 31));
    let sum = high.chain([0]).chain(low).chain(data).fold(1_usize, |sum, value| {
        const GENERATOR: [usize; 5] =
            [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
        let top = sum >> 25;
        let next = (sum & 0x01ff_ffff) << 5 ^ value;
        let bits = GENERATOR.iter().enumerate().filter(|(bit, _)| top >> bit & 1 == 1);
        bits.fold(next, |sum, (_, word)| sum ^ word)
    });
    matches!(sum, 1 | 0x2bc8_30a3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::personal::words::tests::check;

    #[test]
    fn wallets_are_found_by_their_checksums() {
        for text in [
            "16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ",
            "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
            "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
            "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
            "bc1p5d7rjq7g6rdk2yhzks9smlaqtedr4dekq08ge8ztwac72sfr9rusxg3297",
            "0x52908400098527886E0F7030069857D2E4169EE7",
        ] {
            check(&format!("付到{text}。"), &[(DataKind::Crypto, text)]);
        }
        let key = "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ";
        check(key, &[(DataKind::Secret, key)]);
    }

    #[test]
    fn what_only_looks_like_one_is_left() {
        for text in [
            "16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ2",
            "16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1Boyz",
            "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdp",
            "0x52908400098527886E0F7030069857D2E4169E",
            "bc1",
        ] {
            check(text, &[]);
        }
    }
}
