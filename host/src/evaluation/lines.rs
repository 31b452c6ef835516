//! JSON Lines, one at a time.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _},
    path::Path,
};

use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::EvaluationError;

/// Bytes of a line.
pub const MOST_LINE_BYTES: usize = 1024 * 1024;

/// The rows of a file; lines without anything are passed over.
pub struct Lines {
    path: String,
    input: Box<dyn BufRead>,
    line: u64,
    bytes: Vec<u8>,
}

impl Lines {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(path: &Path) -> Result<Self, EvaluationError> {
        if path == Path::new("-") {
            return Ok(Self::of("standard input".to_owned(), BufReader::new(io::stdin())));
        }
        let shown = path.display().to_string();
        match File::open(path) {
            Ok(file) => Ok(Self::of(shown, BufReader::new(file))),
            Err(source) => Err(EvaluationError::Unreadable { path: shown, source }),
        }
    }

    /// Rows from elsewhere; `path` is how errors call it.
    pub fn of(path: String, input: impl BufRead + 'static) -> Self {
        Self { path, input: Box::new(input), line: 0, bytes: Vec::new() }
    }

    /// The next row, if there is one.
    ///
    /// # Errors
    /// The file fails, or the line is too long or no such row.
    pub fn next<R: DeserializeOwned>(
        &mut self,
        expected: &'static str,
    ) -> Result<Option<R>, EvaluationError> {
        loop {
            if !self.read_line()? {
                return Ok(None);
            }
            let line = match self.bytes.strip_prefix(b"\xef\xbb\xbf") {
                Some(rest) if self.line == 1 => rest,
                Some(_) | None => &self.bytes,
            };
            let line = line.trim_ascii_end();
            if line.is_empty() {
                continue;
            }
            return match serde_json::from_slice(line) {
                Ok(row) => Ok(Some(row)),
                Err(error) => Err(self.unfit(&problem(&error), expected)),
            };
        }
    }

    /// The error of the line that was read last.
    pub(super) fn unfit(&self, problem: &str, expected: &'static str) -> EvaluationError {
        let (path, problem) = (self.path.clone(), problem.to_owned());
        EvaluationError::Unfit { path, line: self.line, problem, expected }
    }

    fn read_line(&mut self) -> Result<bool, EvaluationError> {
        self.bytes.clear();
        let most = MOST_LINE_BYTES as u64 + 1;
        let read = self.input.by_ref().take(most).read_until(b'\n', &mut self.bytes);
        let read =
            read.map_err(|source| EvaluationError::Unreadable { path: self.path.clone(), source })?;
        self.line += 1;
        if self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes).len() > MOST_LINE_BYTES {
            return Err(EvaluationError::TooLong { path: self.path.clone(), line: self.line });
        }
        Ok(read > 0)
    }
}

/// What is wrong with a line. What serde says can quote values, so its words are not
/// passed on.
fn problem(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Category::Eof => "ends too early",
        Category::Syntax => "is not JSON",
        Category::Data => "lacks a member or has one of another kind",
        Category::Io => "cannot be read",
    };
    format!("{what}, at column {}", error.column())
}
