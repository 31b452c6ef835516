//! Figures, what they must and should be, and how they are shown.

use std::time::Duration;

use serde::Serialize;

/// The table.
#[derive(Default, Serialize)]
pub(crate) struct Table {
    figures: Vec<Figure>,
    /// What was not measured, and how it can be.
    left_out: Vec<String>,
}

/// One line of it.
#[derive(Serialize)]
struct Figure {
    what: String,
    measured: String,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    must: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aim: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<bool>,
}

/// What is asked of a figure.
#[derive(Clone, Copy)]
pub(crate) enum Bound {
    /// Not more than the first; better not more than the second.
    AtMost(f64, f64),
    /// Not less than the first; better not less than the second.
    AtLeast(f64, f64),
    /// Less than this.
    Below(f64),
    /// Better not more than this.
    Aim(f64),
    /// Nothing: it is only reported.
    None,
}

/// How a figure is written.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    Micros,
    Millis,
    Times,
    PerSecond,
    Kilobytes,
}

impl Unit {
    fn write(self, value: f64) -> String {
        match self {
            Self::Micros => format!("{value:.1} µs"),
            Self::Millis => format!("{value:.2} ms"),
            Self::Times => format!("{value:.2}×"),
            Self::PerSecond => format!("{value:.0} /s"),
            Self::Kilobytes => format!("{value:.0} KB"),
        }
    }
}

impl Table {
    /// Adds a line.
    pub(crate) fn add(&mut self, what: impl Into<String>, value: f64, unit: Unit, bound: Bound) {
        let write = |value| unit.write(value);
        let (must, aim, held) = match bound {
            Bound::AtMost(must, aim) => (
                Some(format!("≤ {}", write(must))),
                Some(format!("≤ {}", write(aim))),
                Some(value <= must),
            ),
            Bound::AtLeast(must, aim) => (
                Some(format!("≥ {}", write(must))),
                Some(format!("≥ {}", write(aim))),
                Some(value >= must),
            ),
            Bound::Below(limit) => (Some(format!("< {}", write(limit))), None, Some(value < limit)),
            Bound::Aim(aim) => (None, Some(format!("≤ {}", write(aim))), None),
            Bound::None => (None, None, None),
        };
        let (what, measured) = (what.into(), write(value));
        self.figures.push(Figure { what, measured, value, must, aim, held });
    }

    /// Tells that something was not measured.
    pub(crate) fn leave_out(&mut self, what: impl Into<String>) {
        self.left_out.push(what.into());
    }

    /// Whether every figure is as it must be.
    pub(crate) fn holds(&self) -> bool {
        self.figures.iter().all(|figure| figure.held != Some(false))
    }

    /// The table for people.
    pub(crate) fn show(&self) {
        let head = ["figure", "measured", "must", "aim", "held"].map(str::to_owned);
        let rows: Vec<[String; 5]> = std::iter::once(head)
            .chain(self.figures.iter().map(|figure| {
                let held = match figure.held {
                    Some(true) => "yes",
                    Some(false) => "NO",
                    None => "",
                };
                [
                    figure.what.clone(),
                    figure.measured.clone(),
                    figure.must.clone().unwrap_or_default(),
                    figure.aim.clone().unwrap_or_default(),
                    held.to_owned(),
                ]
            }))
            .collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        let widths: Vec<usize> = (0..5).map(|column| width(column).unwrap_or_default()).collect();
        for row in rows {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.chars().count())))
                .collect();
            println!("{}", cells.join("  ").trim_end());
        }
        for line in &self.left_out {
            println!("left out: {line}");
        }
    }
}

/// Times of one thing.
#[derive(Clone, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// Microseconds below which this part of the times is.
    pub(crate) fn part(&self, part: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = (sorted.len() as f64 * part) as usize;
        sorted.get(at.min(sorted.len().saturating_sub(1))).map_or(0.0, |t| t.as_secs_f64() * 1e6)
    }

    pub(crate) fn p50(&self) -> f64 {
        self.part(0.50)
    }

    pub(crate) fn p99(&self) -> f64 {
        self.part(0.99)
    }
}
