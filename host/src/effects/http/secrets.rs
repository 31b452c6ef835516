//! Finds configured secrets in what goes out and comes back, whichever of the
//! usual ways they are written in.
//!
//! This is a net for servers that echo what they got and for skills that came by
//! a secret in some other way. A server that wants to pass a secret on can always
//! invent another writing; so a secret goes only to the endpoint for which the
//! operator meant it.

mod view;

use std::ops::{ControlFlow, Range};

use aho_corasick::{AhoCorasick, BuildError};
use base64::{
    Engine as _,
    alphabet::{Alphabet, STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose},
};

use self::view::View;
use crate::config::EgressSecret;

/// What stands where a secret was.
const MASK: &[u8] = b"[redacted]";
/// Shorter pieces are found everywhere; the configuration refuses such secrets.
pub(crate) const LEAST_NEEDLE_BYTES: usize = 8;
/// Names of schemes that stand before a secret, in a value that holds both.
const SCHEMES: [&str; 6] = ["apikey", "basic", "bearer", "digest", "key", "token"];
/// Credentials of `Basic`, with their padding or without.
const BASIC: GeneralPurpose = GeneralPurpose::new(&STANDARD, INDIFFERENT);
const BASIC_URL_SAFE: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, INDIFFERENT);
const INDIFFERENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// Looks for secrets, in a time that grows with the text alone.
pub(super) struct Scanner {
    /// Plain and in base64.
    exact: AhoCorasick,
    /// Which needles of `exact` are base64: a letter beside them can hold some
    /// bits of the secret too.
    base64: Vec<bool>,
    /// In hexadecimal digits of either case, and what is made of them.
    folded: AhoCorasick,
}

impl Scanner {
    /// A scanner for these secrets.
    pub(super) fn new<'s>(
        secrets: impl IntoIterator<Item = &'s EgressSecret>,
    ) -> Result<Self, BuildError> {
        let (mut exact, mut folded) = (Vec::new(), Vec::new());
        for secret in secrets {
            let mut values = worth_hiding(&secret.prefix, secret.value.expose());
            values.retain(|value| value.len() >= LEAST_NEEDLE_BYTES);
            for value in values {
                if value.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-') {
                    // Servers write hexadecimal keys and UUIDs in either case.
                    folded.push(value.clone());
                }
                exact.push((value.clone(), false));
                for alphabet in [&STANDARD, &URL_SAFE] {
                    let pieces = (0..3).map(|before| base64_piece(&value, before, alphabet));
                    exact.extend(pieces.map(|piece| (piece, true)));
                }
                folded.push(hex::encode(&value).into_bytes());
            }
        }
        exact.retain(|(needle, is_base64)| !is_base64 || needle.len() >= LEAST_NEEDLE_BYTES);
        exact.sort();
        exact.dedup_by(|a, b| a.0 == b.0);
        Ok(Self {
            base64: exact.iter().map(|(_, is_base64)| *is_base64).collect(),
            exact: AhoCorasick::new(exact.into_iter().map(|(needle, _)| needle))?,
            folded: AhoCorasick::builder().ascii_case_insensitive(true).build(folded)?,
        })
    }

    /// Whether a secret stands in these bytes.
    pub(super) fn finds(&self, bytes: &[u8]) -> bool {
        self.views(bytes, |view| self.hits(view, |_| ControlFlow::Break(()))).is_break()
    }

    /// The bytes with every secret masked.
    pub(super) fn mask(&self, bytes: Vec<u8>) -> Vec<u8> {
        let mut found: Vec<Range<usize>> = Vec::new();
        let _end = self.views(&bytes, |view| {
            let end = self.hits(view, |range| {
                match found.last_mut() {
                    Some(last) if range.start <= last.end && last.start <= range.end => {
                        *last = last.start.min(range.start)..last.end.max(range.end);
                    }
                    Some(_) | None => found.push(range),
                }
                ControlFlow::Continue(())
            });
            // Readings find the same places: what is kept grows with the bytes,
            // not with the number of readings.
            coalesce(&mut found);
            end
        });
        if found.is_empty() {
            return bytes;
        }
        let (mut masked, mut done) = (Vec::with_capacity(bytes.len()), 0);
        for range in found {
            masked.extend_from_slice(&bytes[done..range.start]);
            masked.extend_from_slice(MASK);
            done = range.end;
        }
        masked.extend_from_slice(&bytes[done..]);
        masked
    }

    /// Every way in which the bytes can be read.
    fn views(
        &self,
        bytes: &[u8],
        show: impl FnMut(&View<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if self.exact.patterns_len() == 0 {
            return ControlFlow::Continue(());
        }
        view::each(bytes, show)
    }

    /// Where secrets stand in one reading.
    fn hits(
        &self,
        view: &View<'_>,
        mut found: impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let bytes = view.bytes();
        for hit in self.exact.find_overlapping_iter(bytes) {
            let mut range = hit.range();
            if self.base64[hit.pattern().as_usize()] {
                let is_letter = |at: usize| bytes.get(at).is_some_and(|b| is_base64(*b));
                range.start -= usize::from(range.start > 0 && is_letter(range.start - 1));
                range.end += usize::from(is_letter(range.end));
            }
            found(view.original(range))?;
        }
        for hit in self.folded.find_overlapping_iter(bytes) {
            found(view.original(hit.range()))?;
        }
        ControlFlow::Continue(())
    }
}

/// Sorts ranges and makes one of those that touch.
fn coalesce(ranges: &mut Vec<Range<usize>>) {
    ranges.sort_unstable_by_key(|range| range.start);
    ranges.dedup_by(|next, last| {
        let touches = next.start <= last.end;
        if touches {
            last.end = last.end.max(next.end);
        }
        touches
    });
}

/// Everything in a secret's value that must stay secret: the value, what stands
/// after the name of a scheme, and what is inside the credentials of `Basic`
/// (RFC 7617), which servers decode and may repeat: the pair, and its password,
/// or the user where the password is empty, as some services want it.
pub(crate) fn worth_hiding(prefix: &str, value: &str) -> Vec<Vec<u8>> {
    let mut values = vec![value.as_bytes().to_vec()];
    let (mut scheme, mut bare) = (prefix.trim(), value.trim());
    if let Some((word, rest)) = bare.split_once(' ')
        && SCHEMES.iter().any(|known| word.eq_ignore_ascii_case(known))
    {
        (scheme, bare) = (word, rest.trim());
    }
    if bare != value {
        values.push(bare.as_bytes().to_vec());
    }
    if scheme.eq_ignore_ascii_case("basic")
        && let Ok(pair) = BASIC.decode(bare).or_else(|_| BASIC_URL_SAFE.decode(bare))
    {
        if let Some(at) = pair.iter().position(|byte| *byte == b':') {
            let (user, password) = (&pair[..at], &pair[at + 1..]);
            values.push(if password.is_empty() { user } else { password }.to_vec());
        }
        values.push(pair);
    }
    values
}

/// What base64 makes of a secret that begins after `before` other bytes (modulo
/// three), without the letters that hold bits of what stands around it.
fn base64_piece(value: &[u8], before: usize, alphabet: &Alphabet) -> Vec<u8> {
    let engine = GeneralPurpose::new(alphabet, general_purpose::NO_PAD);
    let text = engine.encode([&[0; 3][..before], value].concat());
    let first = (before * 8).div_ceil(6);
    let end = (before + value.len()) * 8 / 6;
    text.as_bytes().get(first..end).unwrap_or_default().to_vec()
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

#[cfg(test)]
mod tests;
