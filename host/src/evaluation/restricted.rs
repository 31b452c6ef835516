//! Messages that people look after.

use std::{collections::BTreeMap, slice, sync::Arc};

use postern_policy::{
    personal::Detector,
    restricted::{self, Prediction, Row, Score},
};
use serde::Serialize;

use super::{Counts, Evaluation, Figures, Problem, Share};

/// Compares the categories that are found with labels.
pub struct RestrictedContent {
    restricted: Arc<restricted::Restricted>,
    detector: Arc<Detector>,
    rows: u64,
    whole: Part,
    by_category: BTreeMap<String, Counts>,
    by_split: BTreeMap<String, Part>,
}

/// Counts of all rows, or of those of one part of the set.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    counts: Counts,
    false_alarms: Share,
    overlooked: Share,
}

/// The figures of all rows, or of those of one part of the set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RestrictedFigures {
    /// All categories as one.
    pub micro: Figures,
    /// Rows of no category, or without labels, in which something is found.
    pub false_alarms: Share,
    /// Rows of some category in which nothing is found.
    pub overlooked: Share,
}

/// The figures of a set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RestrictedReport {
    /// Rows.
    pub rows: u64,
    /// All of them.
    pub whole: RestrictedFigures,
    /// By category.
    pub by_category: BTreeMap<String, Figures>,
    /// By the part of the set that rows name.
    pub by_split: BTreeMap<String, RestrictedFigures>,
}

impl RestrictedContent {
    /// Of the categories that `restricted` finds, with what `detector` finds.
    pub fn new(restricted: Arc<restricted::Restricted>, detector: Arc<Detector>) -> Self {
        Self {
            restricted,
            detector,
            rows: 0,
            whole: Part::default(),
            by_category: BTreeMap::new(),
            by_split: BTreeMap::new(),
        }
    }
}

impl Evaluation for RestrictedContent {
    type Row = Row;
    type Prediction = Prediction;
    type Report = RestrictedReport;

    const EXPECTED: &'static str = "an object with the texts \"id\" and \"text\", and if it is \
        labelled \"categories\": a list of names";

    fn take(&mut self, row: Row) -> Result<Prediction, Problem> {
        let one = restricted::evaluate(&self.restricted, &self.detector, slice::from_ref(&row));
        let share = |part: u32, whole: u32| Share { part: part.into(), whole: whole.into() };
        let part = Part {
            counts: counts(one.all),
            false_alarms: share(one.false_alarms, one.ordinary),
            overlooked: share(one.overlooked, one.sensitive),
        };
        self.rows += 1;
        self.whole.add(part);
        if let Some(split) = row.split {
            self.by_split.entry(split).or_default().add(part);
        }
        for (category, score) in one.by_category {
            self.by_category.entry(category).or_default().add(counts(score));
        }
        one.predictions.into_iter().next().ok_or(Problem::Row("was not looked at"))
    }

    fn report(&self) -> RestrictedReport {
        let figures = |(name, counts): (&String, &Counts)| (name.clone(), counts.figures());
        let part = |(name, part): (&String, &Part)| (name.clone(), part.figures());
        RestrictedReport {
            rows: self.rows,
            whole: self.whole.figures(),
            by_category: self.by_category.iter().map(figures).collect(),
            by_split: self.by_split.iter().map(part).collect(),
        }
    }
}

impl Part {
    fn add(&mut self, more: Self) {
        self.counts.add(more.counts);
        self.false_alarms.add(more.false_alarms);
        self.overlooked.add(more.overlooked);
    }

    fn figures(self) -> RestrictedFigures {
        let Self { counts, false_alarms, overlooked } = self;
        RestrictedFigures { micro: counts.figures(), false_alarms, overlooked }
    }
}

fn counts(score: Score) -> Counts {
    let Score { found, wrong, missed } = score;
    Counts { labels: (found + missed).into(), found: (found + wrong).into(), right: found.into() }
}
