//! Spans in texts, found and labelled, and how they agree.

use std::{collections::BTreeMap, ops::Range};

use postern_policy::personal::{DataKind, Detector, Finding};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct as _};

/// A part of a text that is of some type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// The first of its characters, in Unicode code points from 0.
    pub start: usize,
    /// The character after it.
    pub end: usize,
    /// The type, by its published name.
    #[serde(rename = "type")]
    pub kind: String,
}

impl Span {
    const fn len(&self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Whether the two share a character.
    pub(super) fn touches(&self, other: &Self) -> bool {
        self.shared(other) > 0
    }

    fn shared(&self, other: &Self) -> usize {
        self.end.min(other.end).saturating_sub(self.start.max(other.start))
    }

    /// Whether the two are the same thing: of one type, and what they share is at
    /// least half of each.
    fn agrees(&self, other: &Self) -> bool {
        let shared = 2 * self.shared(other);
        self.kind == other.kind && shared > 0 && shared >= self.len() && shared >= other.len()
    }
}

/// What was found in a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spans {
    /// The row.
    pub id: String,
    /// In the order in which they start.
    pub spans: Vec<Span>,
}

/// What a detector found, in code points and by published names.
pub(super) fn published(text: &str, detector: &Detector, found: &[Finding]) -> Vec<Span> {
    let place = Places::of(text);
    let span = |one: &Finding| Span {
        start: place.at(one.span.start),
        end: place.at(one.span.end),
        kind: name(detector, one.kind).to_owned(),
    };
    let mut spans: Vec<Span> = found.iter().map(span).collect();
    spans.sort_unstable();
    spans.dedup();
    spans
}

/// The name of a type in published sets; an operator's own type has the operator's.
fn name(detector: &Detector, kind: DataKind) -> &str {
    if let DataKind::Custom(_) = kind { detector.name(kind) } else { kind.published_name() }
}

/// Where the characters of a text stand in its bytes; nothing if they are the same.
struct Places(Option<Vec<usize>>);

impl Places {
    fn of(text: &str) -> Self {
        Self((!text.is_ascii()).then(|| text.char_indices().map(|(byte, _)| byte).collect()))
    }

    fn at(&self, byte: usize) -> usize {
        match &self.0 {
            Some(starts) => starts.partition_point(|start| *start < byte),
            None => byte,
        }
    }
}

/// How often a type was labelled, found, and both in one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Labels.
    pub labels: u64,
    /// What was found.
    pub found: u64,
    /// What was found where a label is.
    pub right: u64,
}

impl Counts {
    /// Adds those of another row or type.
    pub fn add(&mut self, other: Self) {
        self.labels += other.labels;
        self.found += other.found;
        self.right += other.right;
    }

    /// The usual figures of these counts.
    pub fn figures(self) -> Figures {
        let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        Figures {
            counts: self,
            precision: share(self.right, self.found),
            recall: share(self.right, self.labels),
            f1: share(2 * self.right, self.labels + self.found),
        }
    }
}

/// Counts, and what is made of them. A figure of nothing is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// The counts.
    pub counts: Counts,
    /// The part of what was found that is right.
    pub precision: Option<f64>,
    /// The part of the labels that was found.
    pub recall: Option<f64>,
    /// The harmonic mean of both.
    pub f1: Option<f64>,
}

impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut figures = serializer.serialize_struct("Figures", 6)?;
        figures.serialize_field("labels", &self.counts.labels)?;
        figures.serialize_field("found", &self.counts.found)?;
        figures.serialize_field("right", &self.counts.right)?;
        figures.serialize_field("precision", &self.precision)?;
        figures.serialize_field("recall", &self.recall)?;
        figures.serialize_field("f1", &self.f1)?;
        figures.end()
    }
}

/// Counts what agrees, each label and each finding once. A finding that agrees with no
/// label and touches an unscored part of the text does not count at all. Both lists are
/// in order.
pub(super) fn compare(
    labels: &[Span],
    found: &[Span],
    unscored: &[Span],
) -> BTreeMap<String, Counts> {
    let mut counts = BTreeMap::<String, Counts>::new();
    let mut taken = vec![false; found.len()];
    let mut before = 0;
    for label in labels {
        let count = counts.entry(label.kind.clone()).or_default();
        count.labels += 1;
        // Only what is over for this label is over for all that follow.
        while found.get(before).is_some_and(|one| one.end <= label.start) {
            before += 1;
        }
        let near = found.iter().zip(&mut taken).skip(before);
        let best = near
            .take_while(|(one, _)| one.start < label.end)
            .filter(|(one, taken)| !**taken && one.agrees(label))
            .max_by_key(|(one, _)| one.shared(label));
        if let Some((_, taken)) = best {
            *taken = true;
            count.right += 1;
        }
    }
    for (one, taken) in found.iter().zip(taken) {
        if taken || !unscored.iter().any(|excuse| excuse.touches(one)) {
            counts.entry(one.kind.clone()).or_default().found += 1;
        }
    }
    counts
}

/// Whether every labelled character was found as something. What was found is in order.
pub(super) fn covered(labels: &[Span], found: &[Span]) -> bool {
    let mut covers: Vec<Range<usize>> = Vec::new();
    for one in found {
        match covers.last_mut() {
            Some(last) if one.start <= last.end => last.end = last.end.max(one.end),
            Some(_) | None => covers.push(one.start..one.end),
        }
    }
    labels.iter().all(|label| {
        let after = covers.partition_point(|cover| cover.start <= label.start);
        after.checked_sub(1).is_some_and(|at| covers[at].end >= label.end)
    })
}
