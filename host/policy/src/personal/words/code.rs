//! Codes of letters and digits that prove themselves.

use super::{Scan, Token, crypto, iban};

/// Reads an account or a wallet at a token.
pub(super) fn at_token(scan: &mut Scan<'_>, token: Token) {
    let bytes = &scan.text.as_bytes()[token.start..token.end];
    if let [a, b, c, d, ..] = bytes
        && a.is_ascii_alphabetic()
        && b.is_ascii_alphabetic()
        && c.is_ascii_digit()
        && d.is_ascii_digit()
    {
        iban::read(scan, token);
    }
    if bytes.len() >= crypto::SHORTEST {
        crypto::read(scan, token);
    }
}
