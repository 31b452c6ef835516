//! Personal data and secrets in texts.

use std::{collections::BTreeMap, sync::Arc};

use postern_policy::personal::{Detector, Purpose};
use serde::{Deserialize, Serialize};

use super::{
    Counts, Evaluation, Figures, Lines, Problem, Share, Span, Spans,
    spans::{compare, covered, published},
};

/// A row of a set of texts with personal data. Other members are ignored.
#[derive(Clone, Debug, Deserialize)]
pub struct PersonalRow {
    id: String,
    text: String,
    /// What is in the text, if the set says so.
    #[serde(default)]
    spans: Option<Vec<Span>>,
    /// What may be found, or not.
    #[serde(default)]
    unscored: Vec<Span>,
    /// The one type that the row is about.
    #[serde(default, rename = "type")]
    kind: Option<String>,
    /// Whether that is an international or common type.
    #[serde(default)]
    core: bool,
}

/// What is compared with the labels.
enum Finder {
    /// What a detector reports.
    Reported(Arc<Detector>),
    /// What a detector takes out for a purpose.
    TakenOut(Arc<Detector>, Purpose),
    /// What something else found, row by row.
    Given(Lines),
}

/// Compares what is found with labels.
pub struct Personal {
    finder: Finder,
    rows: u64,
    labelled: u64,
    finding: u64,
    found: BTreeMap<String, u64>,
    counts: BTreeMap<String, Counts>,
    leaking: Share,
    flagged: Share,
    passed: Passed,
}

/// Rows about one type of which all spans, and no others, were found exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Passed {
    /// Rows of core types in which something is to be found.
    pub core_with: Share,
    /// Rows of core types in which nothing is.
    pub core_without: Share,
    /// Rows of the other types in which something is to be found.
    pub other_with: Share,
    /// Rows of the other types in which nothing is.
    pub other_without: Share,
}

/// The figures of a set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PersonalReport {
    /// Rows.
    pub rows: u64,
    /// Rows with labels.
    pub labelled: u64,
    /// Rows in which something is found.
    pub finding: u64,
    /// How often each type is found.
    pub found: BTreeMap<String, u64>,
    /// By type, of those that have a label somewhere in the set.
    pub types: BTreeMap<String, Figures>,
    /// All types with labels as one.
    pub micro: Figures,
    /// The mean of the F1 of types with labels.
    pub macro_f1: Option<f64>,
    /// Rows with personal data of which some is not found as anything.
    pub leaking: Share,
    /// Labelled rows without personal data in which something is found.
    pub flagged: Share,
    /// Rows that name a type.
    pub passed: Passed,
    /// How often each type was found that has no label in the set.
    pub others: BTreeMap<String, u64>,
}

impl Personal {
    fn new(finder: Finder) -> Self {
        Self {
            finder,
            rows: 0,
            labelled: 0,
            finding: 0,
            found: BTreeMap::new(),
            counts: BTreeMap::new(),
            leaking: Share::default(),
            flagged: Share::default(),
            passed: Passed::default(),
        }
    }

    /// Of everything that a detector reports, however it is used.
    pub fn reported(detector: Arc<Detector>) -> Self {
        Self::new(Finder::Reported(detector))
    }

    /// Of what a detector takes out for a purpose.
    pub fn taken_out(detector: Arc<Detector>, purpose: Purpose) -> Self {
        Self::new(Finder::TakenOut(detector, purpose))
    }

    /// Of what something else found: a prediction for each row, in the same order.
    pub fn given(predictions: Lines) -> Self {
        Self::new(Finder::Given(predictions))
    }

    fn find(&mut self, row: &PersonalRow) -> Result<Vec<Span>, Problem> {
        match &mut self.finder {
            Finder::Reported(detector) => {
                Ok(published(&row.text, detector, &detector.report(&row.text)))
            }
            Finder::TakenOut(detector, purpose) => {
                Ok(published(&row.text, detector, &detector.find_for(&row.text, *purpose)))
            }
            Finder::Given(lines) => {
                let expected = "{\"id\", \"spans\"} for the row of the set at the same place";
                let Some(Spans { id, mut spans }) = lines.next(expected)? else {
                    return Err(lines.unfit("is the end", expected).into());
                };
                if id != row.id {
                    return Err(lines.unfit("has the id of another row", expected).into());
                }
                spans.sort_unstable();
                Ok(spans)
            }
        }
    }

    fn score(&mut self, row: &PersonalRow, labels: &[Span], found: &[Span]) {
        self.labelled += 1;
        // A row about one type can have something of another in it, without a label.
        let about = |one: &&Span| row.kind.as_ref().is_none_or(|kind| *kind == one.kind);
        let counted: Vec<Span> = found.iter().filter(about).cloned().collect();
        for (kind, counts) in compare(labels, &counted, &row.unscored) {
            self.counts.entry(kind).or_default().add(counts);
        }
        if labels.is_empty() {
            let excused = |one: &Span| row.unscored.iter().any(|excuse| excuse.touches(one));
            self.flagged.count(counted.iter().any(|one| !excused(one)));
        } else {
            self.leaking.count(!covered(labels, found));
        }
        if row.kind.is_some() {
            let share = match (row.core, labels.is_empty()) {
                (true, false) => &mut self.passed.core_with,
                (true, true) => &mut self.passed.core_without,
                (false, false) => &mut self.passed.other_with,
                (false, true) => &mut self.passed.other_without,
            };
            share.count(counted == labels);
        }
    }
}

impl Evaluation for Personal {
    type Row = PersonalRow;
    type Prediction = Spans;
    type Report = PersonalReport;

    const EXPECTED: &'static str = "an object with the texts \"id\" and \"text\", and if it is \
        labelled \"spans\": a list of {\"start\", \"end\", \"type\"} in code points";

    fn take(&mut self, mut row: PersonalRow) -> Result<Spans, Problem> {
        let mut length = None;
        for span in row.spans.iter().flatten().chain(&row.unscored) {
            let length = *length.get_or_insert_with(|| row.text.chars().count());
            if span.start >= span.end || span.end > length {
                return Err(Problem::Row("has a span outside of its text"));
            }
        }
        let spans = self.find(&row)?;
        self.rows += 1;
        self.finding += u64::from(!spans.is_empty());
        for span in &spans {
            *self.found.entry(span.kind.clone()).or_default() += 1;
        }
        if let Some(mut labels) = row.spans.take() {
            labels.sort_unstable();
            self.score(&row, &labels, &spans);
        }
        Ok(Spans { id: row.id, spans })
    }

    fn report(&self) -> PersonalReport {
        let (labelled, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
            self.counts.iter().partition(|(_, counts)| counts.labels > 0);
        let mut micro = Counts::default();
        labelled.values().for_each(|counts: &&Counts| micro.add(**counts));
        let types: BTreeMap<String, Figures> = labelled
            .into_iter()
            .map(|(kind, counts): (&String, &Counts)| (kind.clone(), counts.figures()))
            .collect();
        let f1: f64 = types.values().filter_map(|figures| figures.f1).sum();
        PersonalReport {
            rows: self.rows,
            labelled: self.labelled,
            finding: self.finding,
            found: self.found.clone(),
            macro_f1: (!types.is_empty()).then(|| f1 / types.len() as f64),
            types,
            micro: micro.figures(),
            leaking: self.leaking,
            flagged: self.flagged,
            passed: self.passed,
            others: others
                .into_iter()
                .map(|(kind, counts): (&String, &Counts)| (kind.clone(), counts.found))
                .collect(),
        }
    }
}
