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
    engine::{GeneralPurpose, general_purpose},
};

use self::view::View;
use crate::config::EgressSecret;

/// What stands where a secret was.
const MASK: &[u8] = b"[redacted]";
/// Shorter pieces are found everywhere.
const LEAST_NEEDLE_BYTES: usize = 4;

/// Looks for secrets, in a time that grows with the text alone.
pub(super) struct Scanner {
    /// Plain and in base64.
    exact: AhoCorasick,
    /// Which needles of `exact` are base64: a letter beside them can hold some
    /// bits of the secret too.
    base64: Vec<bool>,
    /// In hexadecimal digits of either case.
    folded: AhoCorasick,
}

impl Scanner {
    /// A scanner for these secrets.
    pub(super) fn new<'s>(
        secrets: impl IntoIterator<Item = &'s EgressSecret>,
    ) -> Result<Self, BuildError> {
        let (mut exact, mut folded) = (Vec::new(), Vec::new());
        for secret in secrets {
            for value in worth_hiding(secret) {
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
        self.each(bytes, |_| ControlFlow::Break(())).is_break()
    }

    /// The bytes with every secret masked.
    pub(super) fn mask(&self, bytes: Vec<u8>) -> Vec<u8> {
        let mut found: Vec<Range<usize>> = Vec::new();
        let _end = self.each(&bytes, |range| {
            match found.last_mut() {
                Some(last) if range.start <= last.end && last.start <= range.end => {
                    *last = last.start.min(range.start)..last.end.max(range.end);
                }
                Some(_) | None => found.push(range),
            }
            ControlFlow::Continue(())
        });
        if found.is_empty() {
            return bytes;
        }
        found.sort_unstable_by_key(|range| range.start);
        let (mut masked, mut done) = (Vec::with_capacity(bytes.len()), 0);
        for range in found {
            if range.start >= done {
                masked.extend_from_slice(&bytes[done..range.start]);
                masked.extend_from_slice(MASK);
            }
            done = done.max(range.end);
        }
        masked.extend_from_slice(&bytes[done..]);
        masked
    }

    /// Where secrets stand, in every way in which the bytes can be read.
    fn each(
        &self,
        bytes: &[u8],
        mut found: impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if self.exact.patterns_len() == 0 {
            return ControlFlow::Continue(());
        }
        view::each(bytes, |view| self.each_in(view, &mut found))
    }

    fn each_in(
        &self,
        view: &View<'_>,
        found: &mut impl FnMut(Range<usize>) -> ControlFlow<()>,
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

/// A secret's value, and what is inside the credentials of `Basic` (RFC 7617),
/// which servers decode and may repeat.
fn worth_hiding(secret: &EgressSecret) -> Vec<Vec<u8>> {
    let value = secret.value.expose().as_bytes();
    let mut values = vec![value.to_vec()];
    if secret.prefix.trim().eq_ignore_ascii_case("basic")
        && let Ok(pair) = general_purpose::STANDARD.decode(value)
    {
        let password = pair.iter().position(|byte| *byte == b':').map(|at| pair[at + 1..].to_vec());
        values.extend(password);
        values.push(pair);
    }
    values.retain(|value| value.len() >= LEAST_NEEDLE_BYTES);
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
