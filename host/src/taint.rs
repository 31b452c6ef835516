//! How hostile a text looks: whether it tries to instruct, to take on another
//! role, or to get at what it should not.
//!
//! A text is read in several ways (`views`: as it stands, and with each
//! disguise undone), every way is cut into parts that overlap (`windows`), and
//! a linear model judges each part by its words and by what they mean
//! (`concepts`). The most hostile part counts.
//!
//! What is found here raises a number that rules read; it never drops a
//! message. A text that asks for something ordinary in a place where nobody
//! should ask cannot be told by its words: there, structure protects.

mod augment;
mod cipher;
mod common;
mod concepts;
mod decode;
mod disguise;
mod evaluate;
mod features;
mod fold;
mod model;
mod scrambled;
mod signal;
mod spaced;
mod train;
mod views;
mod windows;

use std::{collections::BTreeSet, sync::LazyLock};

use self::{concepts::Concepts, model::Model, views::views, windows::windows};
pub use self::{
    evaluate::{Label, Prediction, Rates, Report, Row, evaluate},
    signal::Signal,
    train::{TrainError, Trained, train},
};

/// The lowest score that counts as hostile: the shipped rules say
/// `taint > 70`.
pub const THRESHOLD: u8 = 71;
/// The lowest score of a part whose signals people are told.
const NOTEWORTHY: u8 = 30;

/// How hostile a text looks, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assessment {
    /// From 0, harmless, to 100.
    pub score: u8,
    /// Whether the score is at least [`THRESHOLD`].
    pub flagged: bool,
    /// What was seen, for people to read; each once, in the order of the enum.
    pub signals: Vec<Signal>,
}

impl Assessment {
    /// The score and what was seen, for people.
    pub fn line(&self) -> String {
        let signs: Vec<&str> = self.signals.iter().map(|signal| signal.sentence()).collect();
        format!("looks hostile ({} of 100): {}", self.score, signs.join(" "))
    }
}

/// The model that the host ships, trained by `postern taint train`.
static MODEL: LazyLock<Model> = LazyLock::new(|| {
    Model::read(include_bytes!("../assets/taint/model.bin"))
        .expect("the file is constant and tested")
});

/// Says how hostile a text looks. Of one that is longer than 64 KiB, the first
/// 48 and the last 16 KiB are looked at.
pub fn assess(text: &str) -> Assessment {
    let mut assessment = Assessment::default();
    let mut signals = BTreeSet::new();
    for view in views(&windows::bounded(text)) {
        let parts = windows(&view.text);
        let judged = parts.iter().map(|part| (part, features::features(part)));
        let mut judged: Vec<(&str, f32)> = judged
            .filter(|(_, x)| !x.0.is_empty())
            .map(|(part, x)| (*part, MODEL.margin(&x)))
            .collect();
        let mut margins: Vec<f32> = judged.iter().map(|(_, margin)| *margin).collect();
        let found = MODEL.score(model::overall(&mut margins));
        assessment.score = assessment.score.max(found.score);
        assessment.flagged |= found.flagged;
        judged.retain(|(_, margin)| MODEL.score(*margin).score >= NOTEWORTHY);
        if found.score >= NOTEWORTHY {
            for (part, _) in judged {
                signals.extend(signal::signals(&Concepts::get().of(part)));
                signals.extend(view.undone);
            }
        }
    }
    if assessment.flagged && signals.is_empty() {
        signals.insert(Signal::Resemblance);
    }
    assessment.signals = signals.into_iter().collect();
    assessment
}

#[cfg(test)]
mod tests;
