//! What can be wrong with scenarios.

use std::path::PathBuf;

/// Why a scenario cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// A file or folder cannot be read.
    #[error("{}: {source}", .path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is too large, or there are too many.
    #[error("{}: {what}", .path.display())]
    TooMuch {
        /// The file or folder.
        path: PathBuf,
        /// What is too much, and how much would be taken.
        what: String,
    },
    /// A file is not of the known form.
    #[error("{}:{line}:{column}: {reason}", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// Two scenarios have one name.
    #[error(
        "{}: the scenario {name:?} stands in {} too: give one of them another name",
        .path.display(), .other.display()
    )]
    Twice {
        /// The file.
        path: PathBuf,
        /// The other file.
        other: PathBuf,
        /// The name.
        name: String,
    },
    /// There is no scenario.
    #[error("{}: no scenarios; write the first one as NAME.toml, as the page on testing skills shows", .path.display())]
    None {
        /// The folder.
        path: PathBuf,
    },
}
