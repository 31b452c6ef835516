//! How hostile texts look.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Evaluation, Problem, Share};
use crate::taint::{self, Prediction, Rates, Row, THRESHOLD};

/// The tier of harmless texts in words that attacks also use.
const HARD_NEGATIVE: &str = "hard_negative";

/// Compares what is flagged with labels.
#[derive(Debug, Default)]
pub struct Injection {
    rows: u64,
    labelled: u64,
    flagged: u64,
    overall: Rates,
    main: Rates,
    by_tier: BTreeMap<String, Rates>,
    by_lang: BTreeMap<String, Rates>,
    by_source: BTreeMap<String, Rates>,
}

/// How many attacks are flagged, and how many harmless texts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rated {
    /// Attacks that are flagged: the true positive rate.
    pub caught: Share,
    /// Harmless texts that are flagged: the false positive rate.
    pub false_alarms: Share,
}

/// The figures of a set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InjectionReport {
    /// Rows.
    pub rows: u64,
    /// Rows with a label.
    pub labelled: u64,
    /// Rows that are flagged, whatever their label.
    pub flagged: u64,
    /// The least score that is flagged, from 0 to 1.
    pub threshold: f64,
    /// Explicit and obfuscated attacks against all harmless texts.
    pub main: Rated,
    /// All that is labelled.
    pub overall: Rated,
    /// Harmless texts in words that attacks also use.
    pub hard_negatives: Share,
    /// By tier.
    pub by_tier: BTreeMap<String, Rated>,
    /// Of `main`, by language.
    pub by_lang: BTreeMap<String, Rated>,
    /// Of `main`, by source.
    pub by_source: BTreeMap<String, Rated>,
}

impl Evaluation for Injection {
    type Row = Row;
    type Prediction = Prediction;
    type Report = InjectionReport;

    const EXPECTED: &'static str = "an object with the texts \"id\" and \"text\", and if it is \
        labelled \"label\": \"attack\" or \"benign\"";

    fn take(&mut self, row: Row) -> Result<Prediction, Problem> {
        let one = taint::evaluate(std::slice::from_ref(&row));
        self.rows += 1;
        self.labelled += u64::from(row.label.is_some());
        add(&mut self.overall, one.overall);
        add(&mut self.main, one.main);
        for (by, key, rates) in [
            (&mut self.by_tier, row.tier, one.overall),
            (&mut self.by_lang, row.lang, one.main),
            (&mut self.by_source, row.source, one.main),
        ] {
            if let Some(key) = key
                && rates != Rates::default()
            {
                add(by.entry(key).or_default(), rates);
            }
        }
        let prediction = one.predictions.into_iter().next();
        let prediction = prediction.ok_or(Problem::Row("was not assessed"))?;
        self.flagged += u64::from(prediction.flagged);
        Ok(prediction)
    }

    fn report(&self) -> InjectionReport {
        let all = |by: &BTreeMap<String, Rates>| {
            by.iter().map(|(key, rates)| (key.clone(), rated(*rates))).collect()
        };
        let hard = self.by_tier.get(HARD_NEGATIVE).copied().unwrap_or_default();
        InjectionReport {
            rows: self.rows,
            labelled: self.labelled,
            flagged: self.flagged,
            threshold: f64::from(THRESHOLD) / 100.0,
            main: rated(self.main),
            overall: rated(self.overall),
            hard_negatives: rated(hard).false_alarms,
            by_tier: all(&self.by_tier),
            by_lang: all(&self.by_lang),
            by_source: all(&self.by_source),
        }
    }
}

fn add(to: &mut Rates, more: Rates) {
    to.attacks += more.attacks;
    to.caught += more.caught;
    to.benign += more.benign;
    to.false_alarms += more.false_alarms;
}

fn rated(rates: Rates) -> Rated {
    let share = |part: usize, whole: usize| Share { part: part as u64, whole: whole as u64 };
    Rated {
        caught: share(rates.caught, rates.attacks),
        false_alarms: share(rates.false_alarms, rates.benign),
    }
}
