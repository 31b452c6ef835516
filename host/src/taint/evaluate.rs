//! How well hostile texts are told from others, on a labelled set.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::assess;

/// What a labelled text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// It is hostile.
    Attack,
    /// It is not.
    Benign,
}

/// A text of a set, a line of its file. Other fields of the line are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Row {
    /// The name of the row within the set.
    pub id: String,
    /// The text.
    pub text: String,
    /// What it is, if the set says so.
    #[serde(default)]
    pub label: Option<Label>,
    /// The kind of attack or of harmless text.
    #[serde(default)]
    pub tier: Option<String>,
    /// The language, ISO 639-1.
    #[serde(default)]
    pub lang: Option<String>,
    /// Where the text comes from.
    #[serde(default)]
    pub source: Option<String>,
    /// Rows of one group are variants of one another.
    #[serde(default)]
    pub group: Option<String>,
}

/// What was found about a row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// The row.
    pub id: String,
    /// Whether the text counts as hostile.
    pub flagged: bool,
    /// How hostile it looks, from 0 to 1.
    pub score: f64,
}

/// How many attacks were caught, and how many harmless texts were flagged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rates {
    /// Number of attacks.
    pub attacks: usize,
    /// Attacks that were flagged.
    pub caught: usize,
    /// Number of harmless texts.
    pub benign: usize,
    /// Harmless texts that were flagged.
    pub false_alarms: usize,
}

impl Rates {
    /// The share of attacks that were flagged, if there are any.
    pub fn true_positive_rate(&self) -> Option<f64> {
        share(self.caught, self.attacks)
    }

    /// The share of harmless texts that were flagged, if there are any.
    pub fn false_positive_rate(&self) -> Option<f64> {
        share(self.false_alarms, self.benign)
    }

    fn count(&mut self, label: Label, flagged: bool) {
        match label {
            Label::Attack => {
                self.attacks += 1;
                self.caught += usize::from(flagged);
            }
            Label::Benign => {
                self.benign += 1;
                self.false_alarms += usize::from(flagged);
            }
        }
    }
}

/// What was found about a set.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// One for each row, in their order.
    pub predictions: Vec<Prediction>,
    /// All rows that have a label.
    pub overall: Rates,
    /// Attacks that can be told by their words (tiers `explicit` and
    /// `obfuscated`), against all harmless texts.
    pub main: Rates,
    /// By tier, where rows name one.
    pub by_tier: BTreeMap<String, Rates>,
    /// By language, where rows name one.
    pub by_lang: BTreeMap<String, Rates>,
    /// By source, where rows name one.
    pub by_source: BTreeMap<String, Rates>,
}

/// Tiers of attacks that can be told by their words.
const MAIN_TIERS: [&str; 2] = ["explicit", "obfuscated"];

/// Assesses every row and compares with the labels that there are.
pub fn evaluate(rows: &[Row]) -> Report {
    let found = rows.iter().map(|row| {
        let assessment = assess(&row.text);
        (row, assessment.flagged, f64::from(assessment.score) / 100.0)
    });
    report(found)
}

/// The report on rows with what was found about each.
pub(super) fn report<'a>(found: impl Iterator<Item = (&'a Row, bool, f64)>) -> Report {
    let mut report = Report::default();
    for (row, flagged, score) in found {
        report.predictions.push(Prediction { id: row.id.clone(), flagged, score });
        let Some(label) = row.label else { continue };
        report.overall.count(label, flagged);
        let in_main = match label {
            Label::Attack => row.tier.as_deref().is_some_and(|tier| MAIN_TIERS.contains(&tier)),
            Label::Benign => true,
        };
        if in_main {
            report.main.count(label, flagged);
        }
        for (by, key) in [
            (&mut report.by_tier, &row.tier),
            (&mut report.by_lang, &row.lang),
            (&mut report.by_source, &row.source),
        ] {
            if let Some(key) = key {
                by.entry(key.clone()).or_default().count(label, flagged);
            }
        }
    }
    report
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(label: Option<Label>, tier: &str) -> Row {
        Row {
            id: format!("{label:?}-{tier}"),
            text: String::new(),
            label,
            tier: Some(tier.to_owned()),
            lang: Some("en".to_owned()),
            source: None,
            group: None,
        }
    }

    #[test]
    fn rates_count_attacks_and_harmless_texts_apart() {
        let rows = [
            (row(Some(Label::Attack), "explicit"), true),
            (row(Some(Label::Attack), "obfuscated"), false),
            (row(Some(Label::Attack), "plain_task"), true),
            (row(Some(Label::Benign), "message"), true),
            (row(Some(Label::Benign), "message"), false),
            (row(None, "message"), true),
        ];
        let found = report(rows.iter().map(|(row, flagged)| (row, *flagged, 0.5)));
        assert_eq!(found.predictions.len(), 6);
        assert_eq!(found.overall, Rates { attacks: 3, caught: 2, benign: 2, false_alarms: 1 });
        assert_eq!(found.main, Rates { attacks: 2, caught: 1, benign: 2, false_alarms: 1 });
        assert_eq!(found.main.true_positive_rate(), Some(0.5));
        assert_eq!(found.by_tier["message"].true_positive_rate(), None);
        assert_eq!(found.by_lang["en"], found.overall);
        assert!(found.by_source.is_empty());
    }

    #[test]
    fn a_line_of_a_set_may_have_fields_that_nobody_reads() {
        let line = r#"{"id":"a","text":"b","label":"attack","placement":"message","method":"x"}"#;
        let row: Row = serde_json::from_str(line).expect("a row");
        assert_eq!(row.label, Some(Label::Attack));
        assert_eq!(row.tier, None);
    }
}
