//! What can go wrong while playing the world.

use std::{io, path::PathBuf, time::Duration};

/// Why a helper could not do its part.
#[derive(Debug, thiserror::Error)]
pub enum SupportError {
    /// A program or a server of ours could not be started.
    #[error("cannot start {what}")]
    Start {
        /// The program.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// A program is not where it is built.
    #[error("{path} is missing; run `{next}` first")]
    NotBuilt {
        /// Where it was expected.
        path: PathBuf,
        /// The command that builds it.
        next: &'static str,
    },
    /// A program ended, or said something else than expected.
    #[error("{what} failed: {detail}")]
    Failed {
        /// The program and its arguments.
        what: String,
        /// What it said.
        detail: String,
    },
    /// Something did not happen in time.
    #[error("{what} did not happen within {} ms", waited.as_millis())]
    Late {
        /// What was waited for.
        what: String,
        /// For how long.
        waited: Duration,
    },
    /// A file could not be read or written.
    #[error("cannot use {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file does not say what it should.
    #[error("{path}: {problem}")]
    Content {
        /// The file.
        path: PathBuf,
        /// Where in it and what.
        problem: String,
    },
    /// A request got no answer.
    #[error("no answer to {what}")]
    Http {
        /// Method and path.
        what: String,
        /// Why.
        source: reqwest::Error,
    },
    /// A request got another answer than the contract says.
    #[error("{what} was answered with {status}: {body}")]
    Answer {
        /// Method and path.
        what: String,
        /// The status.
        status: u16,
        /// The beginning of the body.
        body: String,
    },
    /// The browser did not do as told.
    #[error("the browser: {0}")]
    Browser(String),
}

impl SupportError {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    pub(crate) fn http(what: impl Into<String>) -> impl FnOnce(reqwest::Error) -> Self {
        let what = what.into();
        move |source| Self::Http { what, source }
    }
}
