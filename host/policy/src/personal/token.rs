//! What stands in a text for data that was taken out: `[EMAIL]`, `<EMAIL_1.k3f9>`.
//!
//! Nothing is read out of them or past them. Otherwise what was taken out would change how
//! the rest reads, and taking out a second time would find more.

/// Bytes of such a token at most.
const LONGEST: usize = 64;

/// Whether a token ends here.
pub(super) fn ends_at(bytes: &[u8], end: usize) -> bool {
    let (inner, open) = match bytes[..end] {
        [ref inner @ .., b']'] => (inner, b'['),
        [ref inner @ .., b'>'] => (inner, b'<'),
        _ => return false,
    };
    let length = inner.iter().rev().take(LONGEST).take_while(|byte| is_inner(**byte)).count();
    let start = inner.len() - length;
    inner[..start].ends_with(&[open]) && is_name(&inner[start..], open)
}

/// Whether a token begins here.
pub(super) fn begins_at(bytes: &[u8], start: usize) -> bool {
    let (inner, open, close) = match bytes[start..] {
        [b'[', ref inner @ ..] => (inner, b'[', b']'),
        [b'<', ref inner @ ..] => (inner, b'<', b'>'),
        _ => return false,
    };
    let length = inner.iter().take(LONGEST).take_while(|byte| is_inner(**byte)).count();
    inner[length..].first() == Some(&close) && is_name(&inner[..length], open)
}

/// Writes something of this many bytes that begins and ends as tokens do.
pub(super) fn push(out: &mut String, width: usize) {
    match width {
        0..3 => out.extend(std::iter::repeat_n(' ', width)),
        3..6 => {
            out.push('[');
            out.extend(std::iter::repeat_n('X', width - 2));
            out.push(']');
        }
        6.. => {
            out.push_str("[X]");
            out.extend(std::iter::repeat_n(' ', width - 6));
            out.push_str("[X]");
        }
    }
}

/// Whether this is inside of a token.
pub(super) fn is_within(bytes: &[u8], at: usize) -> bool {
    let length = bytes[..at].iter().rev().take(LONGEST).take_while(|byte| is_inner(**byte)).count();
    (at - length).checked_sub(1).is_some_and(|start| begins_at(bytes, start))
}

fn is_inner(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')
}

/// `EMAIL` in square brackets, `EMAIL_1.k3f9` in pointed ones.
fn is_name(inner: &[u8], open: u8) -> bool {
    let kind = match (open, inner.iter().position(|byte| *byte == b'.')) {
        (b'[', None) => inner,
        (b'<', Some(dot)) => &inner[..dot],
        _ => return false,
    };
    let is_kind = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    kind.first().is_some_and(u8::is_ascii_uppercase) && kind.iter().all(is_kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_from_other_brackets() {
        for token in ["[EMAIL]", "[US_SSN]", "<EMAIL_1.k3f9>", "<MEMBER_NO_12.abcd>"] {
            assert!(begins_at(token.as_bytes(), 0) && ends_at(token.as_bytes(), token.len()));
            assert!((1..token.len()).all(|at| is_within(token.as_bytes(), at)));
        }
        for text in ["[email]", "[1]", "<tel>", "<TEL>", "[A B]", "[]", "EMAIL]", "<EMAIL"] {
            assert!(!begins_at(text.as_bytes(), 0) && !ends_at(text.as_bytes(), text.len()));
        }
    }
}
