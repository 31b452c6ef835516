//! Which intent a message is about, learnt from the example sentences of the
//! installed skills.

use std::collections::BTreeMap;

use super::{
    calibrate::{self, HeldOut},
    features::{Counts, FEATURES, Rarity, Vector, counts},
    model::Model,
    svm::{Plane, Random, separate},
};

/// Most examples that a classifier is trained on.
pub const MAX_EXAMPLES: usize = 50_000;
/// Most intents that a classifier tells apart.
pub const MAX_INTENTS: usize = 1_000;
/// Number of intents that a [`Classification`] names.
const RANKED: usize = 3;
/// Number of meaningless messages from which the threshold's floor is learnt.
const NOISE: usize = 200;

/// A sentence as a customer might write it, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The intent.
    pub intent: String,
    /// The sentence.
    pub text: String,
}

/// Why no classifier could be trained.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrainError {
    /// There is nothing to learn from.
    #[error("there are no example sentences; install a skill that declares intents")]
    NoExamples,
    /// More examples than [`MAX_EXAMPLES`].
    #[error(
        "{count} example sentences; at most {MAX_EXAMPLES}: remove a skill or shorten its lists"
    )]
    TooManyExamples {
        /// How many there are.
        count: usize,
    },
    /// More intents than [`MAX_INTENTS`].
    #[error("{count} intents; at most {MAX_INTENTS}: remove a skill")]
    TooManyIntents {
        /// How many there are.
        count: usize,
    },
    /// An example in which there is not one word.
    #[error("example {text:?} of intent {intent:?} has no words; write a sentence or remove it")]
    NoWords {
        /// The intent.
        intent: String,
        /// The example.
        text: String,
    },
}

/// An intent and how probable it is, given that the message is about one.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Ranked {
    /// The intent.
    pub intent: String,
    /// From 0 to 1; calibrated on held-out examples.
    pub probability: f32,
}

/// What a message seems to be about.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Classification {
    /// The most probable intents, best first, at most three. Their
    /// probabilities and those of the intents that are not named add up to 1.
    pub ranked: Vec<Ranked>,
    /// Whether the message is about any of the intents at all.
    pub in_scope: bool,
    /// How much the message resembles the examples of the best intent: about 1
    /// for an example itself, about -1 for something else.
    pub score: f32,
    /// The lowest score that counts as in scope.
    pub threshold: f32,
}

impl Classification {
    /// The best intent, if the message is about one.
    pub fn intent(&self) -> Option<&str> {
        self.ranked.first().filter(|_| self.in_scope).map(|ranked| ranked.intent.as_str())
    }
}

/// A trained classifier. The same examples in the same order always give the
/// same one.
#[derive(Clone, Debug)]
pub struct Classifier {
    intents: Vec<String>,
    rarity: Rarity,
    model: Model,
    sharpness: f32,
    threshold: f32,
}

impl Classifier {
    /// Trains on examples; 15 or more for each intent make a good classifier.
    ///
    /// # Errors
    /// If there are no examples, too many, or one without words.
    pub fn train(examples: &[Example]) -> Result<Self, TrainError> {
        if examples.is_empty() {
            return Err(TrainError::NoExamples);
        }
        if examples.len() > MAX_EXAMPLES {
            return Err(TrainError::TooManyExamples { count: examples.len() });
        }
        let mut numbers: BTreeMap<&str, usize> =
            examples.iter().map(|example| (example.intent.as_str(), 0)).collect();
        if numbers.len() > MAX_INTENTS {
            return Err(TrainError::TooManyIntents { count: numbers.len() });
        }
        (0..).zip(numbers.values_mut()).for_each(|(number, slot)| *slot = number);
        let mut set = Set { counts: Vec::new(), labels: Vec::new(), intents: numbers.len() };
        for example in examples {
            let counts = counts(&example.text);
            if counts.is_empty() {
                let Example { intent, text } = example.clone();
                return Err(TrainError::NoWords { intent, text });
            }
            set.counts.push(counts);
            set.labels.push(numbers[example.intent.as_str()]);
        }
        let held_out = set.held_out();
        let all: Vec<usize> = (0..set.labels.len()).collect();
        let (rarity, planes) = set.fit(&all);
        let mut classifier = Self {
            intents: numbers.into_keys().map(str::to_owned).collect(),
            rarity,
            model: Model::collect(planes),
            sharpness: calibrate::sharpness(&held_out),
            threshold: f32::NEG_INFINITY,
        };
        let noise: Vec<f32> =
            noise(examples).iter().map(|text| classifier.classify(text).score).collect();
        classifier.threshold = calibrate::threshold(&held_out, &noise);
        Ok(classifier)
    }

    /// Says what a message is about. Only its first 2,000 characters count.
    pub fn classify(&self, text: &str) -> Classification {
        let counts = counts(text);
        let margins = self.model.margins(&self.rarity.weigh(&counts));
        let score = calibrate::highest(&margins);
        let probabilities = calibrate::probabilities(&margins, self.sharpness);
        let mut order: Vec<usize> = (0..margins.len()).collect();
        order.sort_by(|a, b| margins[*b].total_cmp(&margins[*a]));
        let ranked = order
            .into_iter()
            .take(RANKED)
            .map(|i| Ranked { intent: self.intents[i].clone(), probability: probabilities[i] })
            .collect();
        let in_scope = !counts.is_empty() && score >= self.threshold;
        Classification { ranked, in_scope, score, threshold: self.threshold }
    }

    /// The intents that it tells apart, by name.
    pub fn intents(&self) -> &[String] {
        &self.intents
    }

    /// Bytes of memory that the weights take.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.model.size() + 4 * FEATURES
    }
}

/// Examples with their intents as numbers.
struct Set {
    counts: Vec<Counts>,
    labels: Vec<usize>,
    intents: usize,
}

impl Set {
    /// Trains one plane for each intent on some of the examples, lazily: a
    /// plane is large, and the caller need not keep more than one.
    fn fit(&self, chosen: &[usize]) -> (Rarity, impl Iterator<Item = Plane>) {
        let rarity = Rarity::learn(chosen.iter().map(|&i| &self.counts[i]));
        let vectors: Vec<Vector> = chosen.iter().map(|&i| rarity.weigh(&self.counts[i])).collect();
        let labels: Vec<usize> = chosen.iter().map(|&i| self.labels[i]).collect();
        let planes = (0..self.intents).map(move |intent| {
            let positive: Vec<bool> = labels.iter().map(|&label| label == intent).collect();
            separate(&vectors, &positive, FEATURES)
        });
        (rarity, planes)
    }

    /// The margins of each example under a model that did not see it.
    fn held_out(&self) -> Vec<HeldOut> {
        let count = calibrate::number_of_folds(self.labels.len());
        let fold_of = calibrate::folds(&self.labels, count);
        let mut all = Vec::with_capacity(self.labels.len());
        for fold in 0..count {
            let (held, kept): (Vec<usize>, Vec<usize>) =
                (0..self.labels.len()).partition(|&i| fold_of[i] == Some(fold));
            if held.is_empty() {
                continue;
            }
            let (rarity, planes) = self.fit(&kept);
            let vectors: Vec<Vector> =
                held.iter().map(|&i| rarity.weigh(&self.counts[i])).collect();
            let mut margins = vec![Vec::with_capacity(self.intents); held.len()];
            for plane in planes {
                for (margins, x) in margins.iter_mut().zip(&vectors) {
                    margins.push(plane.margin(x));
                }
            }
            for (margins, i) in margins.into_iter().zip(held) {
                all.push(HeldOut { margins, intent: self.labels[i] });
            }
        }
        all
    }
}

/// Messages as long as the examples, of the same characters, without meaning.
fn noise(examples: &[Example]) -> Vec<String> {
    let chosen: Vec<&str> =
        (0..NOISE).map(|i| examples[i * examples.len() / NOISE].text.as_str()).collect();
    let mut letters: Vec<char> =
        chosen.iter().flat_map(|text| text.chars()).filter(|c| c.is_alphanumeric()).collect();
    Random::new().shuffle(&mut letters);
    let mut letters = letters.into_iter();
    let mut scramble = |c: char| if c.is_alphanumeric() { letters.next().unwrap_or(c) } else { c };
    chosen.iter().map(|text| text.chars().map(&mut scramble).collect()).collect()
}

#[cfg(test)]
mod tests;
