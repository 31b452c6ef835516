//! Figures and how they are shown.

use std::time::Duration;

use serde::Serialize;

/// All that was measured.
#[derive(Default, Serialize)]
pub(super) struct Report {
    pub(super) figures: Vec<Figure>,
}

/// One figure.
#[derive(Serialize)]
pub(super) struct Figure {
    what: String,
    value: f64,
    unit: &'static str,
}

impl Figure {
    pub(super) fn cells(&self) -> Vec<String> {
        vec![self.what.clone(), format!("{:.2}", self.value), self.unit.to_owned()]
    }
}

impl Report {
    /// How many there were in a second.
    pub(super) fn rate(&mut self, what: &str, number: usize, time: Duration) {
        let value = number as f64 / time.as_secs_f64().max(1e-9);
        self.figures.push(Figure { what: what.to_owned(), value, unit: "per second" });
    }

    /// Median and 99th percentile.
    pub(super) fn times(&mut self, what: &str, mut times: Vec<Duration>) {
        times.sort_unstable();
        for (name, part) in [("p50", 0.50), ("p99", 0.99)] {
            let at = ((times.len() as f64 * part) as usize).min(times.len().saturating_sub(1));
            let value = times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e3);
            self.figures.push(Figure { what: format!("{what}, {name}"), value, unit: "ms" });
        }
    }

    /// How many times as long one thing took as another, by medians.
    pub(super) fn ratio(&mut self, what: &str, of: &[Duration], to: &[Duration]) {
        let median = |times: &[Duration]| {
            let mut times = times.to_vec();
            times.sort_unstable();
            times.get(times.len() / 2).map_or(0.0, Duration::as_secs_f64)
        };
        let value = median(of) / median(to).max(1e-12);
        self.figures.push(Figure { what: what.to_owned(), value, unit: "times" });
    }
}
