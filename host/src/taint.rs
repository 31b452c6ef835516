//! How hostile a text looks: whether it tries to instruct, to take on another
//! role, or to get at what it should not.
//!
//! What is found here raises a number that rules read; it never drops a
//! message. A text that asks for something ordinary in a place where nobody
//! should ask cannot be told by its words: there, structure protects.

mod evaluate;
mod signal;

pub use evaluate::{Label, Prediction, Rates, Report, Row, evaluate};
pub use signal::Signal;

/// The lowest score that counts as hostile: the shipped rules say
/// `taint > 70`.
pub const THRESHOLD: u8 = 71;

/// How hostile a text looks, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// From 0, harmless, to 100.
    pub score: u8,
    /// Whether the score is at least [`THRESHOLD`].
    pub flagged: bool,
    /// What was seen, for people to read; each once, in the order of the enum.
    pub signals: Vec<Signal>,
}

/// Says how hostile a text looks.
pub fn assess(text: &str) -> Assessment {
    let signals = signal::of_markup(text);
    let score = if signals.is_empty() { 0 } else { THRESHOLD };
    Assessment { score, flagged: score >= THRESHOLD, signals }
}
