//! How well restricted content is found, by labelled messages.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Restricted;
use crate::personal::{Detector, Purpose};

/// A message of a labelled set. Other fields are left alone.
#[derive(Clone, Debug, Deserialize)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// What was written.
    pub text: String,
    /// The categories that it belongs to. None if nobody has labelled it: then whatever
    /// is found in it counts as a false alarm.
    #[serde(default)]
    pub categories: Option<BTreeSet<String>>,
    /// The part of the set that it belongs to, such as `held`.
    #[serde(default)]
    pub split: Option<String>,
}

/// A category that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedHit {
    /// Its name.
    pub category: String,
    /// How sure that is, in percent.
    pub confidence: u8,
}

/// What was found in a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Prediction {
    /// The message's id.
    pub id: String,
    /// What was found.
    pub categories: Vec<NamedHit>,
}

/// Counts of one category, or of all together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Score {
    /// Found, and labelled so.
    pub found: u32,
    /// Found, and not labelled so.
    pub wrong: u32,
    /// Labelled so, and not found.
    pub missed: u32,
}

impl Score {
    /// The part of what was found that is labelled so; 1 if nothing was found.
    pub fn precision(&self) -> f64 {
        ratio(self.found, self.found + self.wrong)
    }

    /// The part of what is labelled so that was found; 1 if nothing is labelled so.
    pub fn recall(&self) -> f64 {
        ratio(self.found, self.found + self.missed)
    }

    /// The harmonic mean of both.
    pub fn f1(&self) -> f64 {
        ratio(2 * self.found, 2 * self.found + self.wrong + self.missed)
    }
}

/// What an evaluation came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Evaluation {
    /// For each message what was found.
    pub predictions: Vec<Prediction>,
    /// By category.
    pub by_category: BTreeMap<String, Score>,
    /// All categories together.
    pub all: Score,
    /// Messages that belong to no category, or that nobody has labelled.
    pub ordinary: u32,
    /// Those of them in which something was found.
    pub false_alarms: u32,
    /// Messages that belong to some category.
    pub sensitive: u32,
    /// Those of them in which nothing at all was found: nobody would look after them.
    pub overlooked: u32,
}

impl Evaluation {
    /// The part of ordinary messages in which something was found; 0 without any.
    pub fn false_alarm_rate(&self) -> f64 {
        match self.ordinary {
            0 => 0.0,
            ordinary => f64::from(self.false_alarms) / f64::from(ordinary),
        }
    }
}

/// Looks for restricted content in labelled messages, and compares.
pub fn evaluate<'r>(
    restricted: &Restricted,
    detector: &Detector,
    rows: impl IntoIterator<Item = &'r Row>,
) -> Evaluation {
    let mut evaluation = Evaluation::default();
    for row in rows {
        let findings = detector.find_for(&row.text, Purpose::Placeholders);
        let hits = restricted.find(&row.text, &findings);
        let categories: Vec<NamedHit> = hits
            .iter()
            .map(|hit| NamedHit {
                category: restricted.name(hit.category).to_owned(),
                confidence: hit.confidence,
            })
            .collect();
        evaluation.count(row, &categories);
        evaluation.predictions.push(Prediction { id: row.id.clone(), categories });
    }
    evaluation
}

impl Evaluation {
    fn count(&mut self, row: &Row, hits: &[NamedHit]) {
        let found: BTreeSet<&str> = hits.iter().map(|hit| hit.category.as_str()).collect();
        let labels: BTreeSet<&str> = row.categories.iter().flatten().map(String::as_str).collect();
        match labels.is_empty() {
            true => {
                self.ordinary += 1;
                self.false_alarms += u32::from(!found.is_empty());
            }
            false => {
                self.sensitive += 1;
                self.overlooked += u32::from(found.is_empty());
            }
        }
        for name in found.union(&labels) {
            let own = self.by_category.entry((*name).to_owned()).or_default();
            for score in [own, &mut self.all] {
                match (found.contains(name), labels.contains(name)) {
                    (true, true) => score.found += 1,
                    (true, false) => score.wrong += 1,
                    (false, _) => score.missed += 1,
                }
            }
        }
    }
}

fn ratio(part: u32, whole: u32) -> f64 {
    match whole {
        0 => 1.0,
        whole => f64::from(part) / f64::from(whole),
    }
}
