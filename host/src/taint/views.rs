//! The ways to read a text: as it stands, and with each disguise undone.

use super::{
    cipher,
    common::segment,
    decode::decode,
    fold::{Folded, fold},
    scrambled,
    signal::Signal,
    spaced,
};

/// A way to read a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct View {
    /// Folded, in lower case.
    pub(super) text: String,
    /// What had to be undone, if anything.
    pub(super) undone: Option<Signal>,
}

/// How often what was decoded is decoded again.
const DEPTH: usize = 3;
/// Letters with lookalikes, invisible or standing alone, from which on a text
/// counts as disguised.
const DISGUISED: usize = 4;

/// All ways to read a text; the first is the text as people see it.
pub(super) fn views(text: &str) -> Vec<View> {
    let mut views = Vec::with_capacity(4);
    read(text, None, DEPTH, &mut views);
    views
}

fn read(text: &str, undone: Option<Signal>, depth: usize, views: &mut Vec<View>) {
    let Folded { text: mut seen, hidden, invisible, lookalikes } = fold(text);
    let mut how = undone;
    if invisible >= DISGUISED {
        how = how.or(Some(Signal::Invisible));
    } else if lookalikes >= DISGUISED {
        how = how.or(Some(Signal::Disguised));
    }
    if let Some((joined, letters)) = spaced::join(&seen) {
        how = how.or((letters > 2 * DISGUISED).then_some(Signal::Disguised));
        seen = joined;
        let words: Vec<String> = seen
            .split(' ')
            .map(|word| segment(&word.to_ascii_lowercase()).unwrap_or_else(|| word.to_owned()))
            .collect();
        seen = words.join(" ");
    }
    let decoded = decode(&seen);
    views.push(View { text: decoded.rest.to_lowercase(), undone: how });
    for (rewritten, signal) in [
        (cipher::leet(&seen), Signal::Disguised),
        (cipher::rotated(&seen), Signal::Encoded),
        (cipher::backwards(&seen), Signal::Disguised),
        (scrambled::capitals(&seen), Signal::Disguised),
        (scrambled::letters(&seen), Signal::Disguised),
        (scrambled::spaces(&seen), Signal::Disguised),
    ] {
        if let Some(text) = rewritten {
            views.push(View { text: text.to_lowercase(), undone: Some(undone.unwrap_or(signal)) });
        }
    }
    if depth > 0 {
        for (inner, signal) in [(hidden, Signal::Invisible), (decoded.parts, Signal::Encoded)] {
            if !inner.trim().is_empty() {
                read(&inner, Some(undone.unwrap_or(signal)), depth - 1, views);
            }
        }
    }
}
