//! Training of the model, and what it is worth on texts that it never saw.

use std::collections::BTreeMap;

use super::{
    augment::augment,
    evaluate::{Label, Report, Row, report},
    features::{FEATURES, features},
    model::{Model, overall},
    views::{View, views},
    windows::windows,
};
use crate::understand::{
    features::Vector,
    svm::{Random, separate},
};

/// Rounds in which the telling part of each attack is chosen.
const ROUNDS: usize = 3;

/// Folds of the groups that are held out in turn.
const FOLDS: usize = 10;
/// The share of harmless texts that may be flagged among those held out. Less
/// than half of what is wanted, because other texts differ more than folds do.
const FALSE_ALARMS: f64 = 0.0015;

/// A tier that no reading of words can tell: an ordinary request where there
/// should be none. It would teach that ordinary requests are hostile.
const UNTOLD: &str = "plain_task";

/// Why nothing was trained.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrainError {
    /// A row does not say what it is.
    #[error("row {id:?} has no label; give it \"label\": \"attack\" or \"benign\"")]
    NoLabel {
        /// The row.
        id: String,
    },
    /// There is nothing to tell apart.
    #[error("{attacks} attacks and {benign} harmless texts; at least one of each is needed")]
    OneKind {
        /// Number of attacks.
        attacks: usize,
        /// Number of harmless texts.
        benign: usize,
    },
    /// No harmless row can be held out, so that no threshold can be chosen.
    #[error("no harmless row has a group; give rows that may be held out a \"group\"")]
    NothingHeldOut,
}

/// A trained model.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// The file.
    pub file: Vec<u8>,
    /// What models that did not see them say about the rows that have a group.
    pub held_out: Report,
}

/// Trains on rows, all of which have a label. Those with a group also serve to
/// choose the threshold: a group is held out as a whole. The same rows in the
/// same order always give the same file.
///
/// # Errors
/// If a label is missing, there is one kind of rows only, or nothing to hold out.
pub fn train(rows: &[Row]) -> Result<Trained, TrainError> {
    if let Some(row) = rows.iter().find(|row| row.label.is_none()) {
        return Err(TrainError::NoLabel { id: row.id.clone() });
    }
    let attacks = rows.iter().filter(|row| row.label == Some(Label::Attack)).count();
    if attacks == 0 || attacks == rows.len() {
        return Err(TrainError::OneKind { attacks, benign: rows.len() - attacks });
    }
    let examples: Vec<Example> =
        rows.iter().map(|row| Example::new(&row.text, row.label)).collect();
    let folds = folds(rows);
    let mut held: Vec<(&Row, f32)> = Vec::new();
    for fold in 0..FOLDS {
        if !folds.contains(&Some(fold)) {
            continue;
        }
        let model = fit(rows, &examples, |i| folds[i] != Some(fold));
        let out = (0..rows.len()).filter(|i| folds[*i] == Some(fold));
        held.extend(out.map(|i| (&rows[i], examples[i].margin(&model))));
    }
    let mut model = fit(rows, &examples, |_| true);
    model.threshold = threshold(&held).ok_or(TrainError::NothingHeldOut)?;
    model.sharpness = sharpness(&held, &model);
    let found = held.iter().map(|(row, margin)| {
        let score = model.score(*margin);
        (*row, score.flagged, f64::from(score.score) / 100.0)
    });
    Ok(Trained { file: model.write(), held_out: report(found) })
}

/// The features of a text: a vector for each part of each way to read it.
struct Example {
    attack: bool,
    ways: Vec<Vec<Vector>>,
}

impl Example {
    fn new(text: &str, label: Option<Label>) -> Self {
        let parts = |view: &View| {
            let parts = windows(&view.text).into_iter().map(features);
            parts.filter(|x| !x.0.is_empty()).collect()
        };
        let ways = views(text).iter().map(parts).collect();
        Self { attack: label == Some(Label::Attack), ways }
    }

    fn parts(&self) -> impl Iterator<Item = &Vector> {
        self.ways.iter().flatten()
    }

    fn margin(&self, model: &Model) -> f32 {
        let margins = self
            .ways
            .iter()
            .map(|parts| overall(&mut parts.iter().map(|x| model.margin(x)).collect::<Vec<_>>()));
        margins.fold(f32::NEG_INFINITY, f32::max)
    }

    /// The part that speaks most for an attack.
    fn telling(&self, model: &Model) -> Option<usize> {
        let margins = self.parts().map(|x| model.margin(x)).enumerate();
        margins.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(part, _)| part)
    }
}

/// Gives each group a fold; rows without one are never held out.
fn folds(rows: &[Row]) -> Vec<Option<usize>> {
    let mut fold_of: BTreeMap<&str, usize> =
        rows.iter().filter_map(|row| Some((row.group.as_deref()?, 0))).collect();
    let mut order: Vec<usize> = (0..fold_of.len()).collect();
    Random::new().shuffle(&mut order);
    order.iter().zip(fold_of.values_mut()).for_each(|(place, fold)| *fold = place % FOLDS);
    rows.iter().map(|row| fold_of.get(row.group.as_deref()?).copied()).collect()
}

/// Trains on the chosen rows and on texts made of them.
fn fit(rows: &[Row], examples: &[Example], chosen: impl Fn(usize) -> bool) -> Model {
    let told = |i: &usize| rows[*i].tier.as_deref() != Some(UNTOLD);
    let chosen: Vec<usize> = (0..rows.len()).filter(|i| chosen(*i)).filter(told).collect();
    let texts: Vec<&Row> = chosen.iter().map(|i| &rows[*i]).collect();
    let made: Vec<Example> = augment(&texts)
        .iter()
        .map(|(text, attack)| {
            Example::new(text, Some(if *attack { Label::Attack } else { Label::Benign }))
        })
        .collect();
    let all: Vec<&Example> = chosen.iter().map(|i| &examples[*i]).chain(made.iter()).collect();
    let mut model = None;
    for _ in 0..ROUNDS {
        model = Some(plane(&all, model.as_ref()));
    }
    model.expect("there is more than one round")
}

/// Separates all parts of harmless texts from those of attacks; with an earlier
/// model, from the telling part of each attack only, because others may be
/// harmless.
fn plane(examples: &[&Example], earlier: Option<&Model>) -> Model {
    let mut vectors = Vec::new();
    let mut positive = Vec::new();
    for example in examples {
        let telling = earlier.filter(|_| example.attack).and_then(|model| example.telling(model));
        for (part, x) in example.parts().enumerate() {
            if telling.is_none_or(|telling| telling == part) {
                vectors.push(x.clone());
                positive.push(example.attack);
            }
        }
    }
    let plane = separate(&vectors, &positive, FEATURES);
    Model::round(&plane.weights, plane.bias)
}

/// The lowest margin that no more than the accepted share of harmless rows has.
fn threshold(held: &[(&Row, f32)]) -> Option<f32> {
    let benign = held.iter().filter(|(row, _)| row.label == Some(Label::Benign));
    let mut margins: Vec<f32> = benign.map(|(_, margin)| *margin).collect();
    margins.sort_by(|a, b| b.total_cmp(a));
    let accepted = (margins.len() as f64 * FALSE_ALARMS) as usize;
    margins.get(accepted).map(|margin| margin.next_up())
}

/// The sharpness under which the labels of held-out rows are most probable.
fn sharpness(held: &[(&Row, f32)], model: &Model) -> f32 {
    let loss = |sharpness: f32| -> f64 {
        let model = model.with_sharpness(sharpness);
        let losses = held.iter().map(|(row, margin)| {
            let p = f64::from(model.probability(*margin));
            let right = if row.label == Some(Label::Attack) { p } else { 1.0 - p };
            -right.max(1e-9).ln()
        });
        losses.sum()
    };
    let steps = (2..=40).map(|step| step as f32 / 4.0);
    steps.min_by(|a, b| loss(*a).total_cmp(&loss(*b))).unwrap_or(1.0)
}

#[cfg(test)]
mod tests;
