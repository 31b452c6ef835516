//! How good what Postern finds in texts is, on labelled sets.
//!
//! A set is a file of JSON Lines. Its rows are read one after another, so that its
//! size is no limit; what was found about each is a line again, and the whole is a
//! report. Nothing of a text stands in an error or a report.

mod injection;
mod lines;
mod personal;
mod predictions;
mod restricted;
mod share;
mod spans;

use std::{io, path::Path};

use serde::{Serialize, de::DeserializeOwned};

pub use injection::{Injection, InjectionReport, Rated};
pub use lines::{Lines, MOST_LINE_BYTES};
pub use personal::{Passed, Personal, PersonalReport, PersonalRow};
pub use predictions::PredictionsFile;
pub use restricted::{RestrictedContent, RestrictedFigures, RestrictedReport};
pub use share::Share;
pub use spans::{Counts, Figures, Span, Spans};

/// Something that is found in texts and can be compared with labels.
pub trait Evaluation {
    /// A row of the set.
    type Row: DeserializeOwned;
    /// What was found about a row.
    type Prediction: Serialize;
    /// What was found about all rows.
    type Report: Serialize;

    /// What a line of the set has to be, for whoever wrote one that is not.
    const EXPECTED: &'static str;

    /// Looks at a row, and compares with the labels that it has.
    ///
    /// # Errors
    /// The row says something that cannot be.
    fn take(&mut self, row: Self::Row) -> Result<Self::Prediction, Problem>;

    /// The figures of all rows so far.
    fn report(&self) -> Self::Report;
}

/// Why a row is not evaluated.
#[derive(Debug)]
pub enum Problem {
    /// What is wrong with it; never what stands in it.
    Row(&'static str),
    /// Something else that was needed.
    Other(EvaluationError),
}

impl From<EvaluationError> for Problem {
    fn from(error: EvaluationError) -> Self {
        Self::Other(error)
    }
}

/// Why a set is not evaluated.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    /// A file cannot be read.
    #[error("{path}: {source}; check that it is a file that you may read")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// A line has more bytes than are read.
    #[error(
        "{path}: line {line} is longer than {} MiB; cut its text into several rows",
        MOST_LINE_BYTES / 1024 / 1024
    )]
    TooLong {
        /// The file.
        path: String,
        /// Which line, from 1.
        line: u64,
    },
    /// A line is not a row of such a set.
    #[error("{path}: line {line}: {problem}; each line must be {expected}")]
    Unfit {
        /// The file.
        path: String,
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it, without its text.
        problem: String,
        /// What it has to be.
        expected: &'static str,
    },
    /// The predictions would replace the set.
    #[error("{path} is the set itself; write the predictions to another file")]
    Same {
        /// The file.
        path: String,
    },
    /// The predictions cannot be written.
    #[error("{path}: {source}; choose a file in a folder in which you may write")]
    Unwritable {
        /// The file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
}

impl EvaluationError {
    fn unwritable(path: &Path, source: io::Error) -> Self {
        Self::Unwritable { path: path.display().to_string(), source }
    }
}

/// Takes every row of a set. `each` gets what was found, in the order of the rows.
///
/// # Errors
/// A line is no row of such a set, a file fails, or `each` does.
pub fn run<E: Evaluation>(
    evaluation: &mut E,
    lines: &mut Lines,
    mut each: impl FnMut(&E::Prediction) -> Result<(), EvaluationError>,
) -> Result<(), EvaluationError> {
    while let Some(row) = lines.next::<E::Row>(E::EXPECTED)? {
        let found = evaluation.take(row).map_err(|problem| match problem {
            Problem::Row(what) => lines.unfit(what, E::EXPECTED),
            Problem::Other(error) => error,
        })?;
        each(&found)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
