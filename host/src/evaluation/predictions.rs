//! What was found, as a file.

use std::{
    fs,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use serde::Serialize;
use tempfile::NamedTempFile;

use super::EvaluationError;

/// A file of JSON Lines that is there whole or not at all.
pub struct PredictionsFile {
    path: PathBuf,
    staged: BufWriter<NamedTempFile>,
}

impl PredictionsFile {
    /// Begins a file beside the one that it will replace, which must not be `set`.
    ///
    /// # Errors
    /// The folder is not there or cannot be written, or the two are one file.
    pub fn create(path: &Path, set: &Path) -> Result<Self, EvaluationError> {
        let real = |path: &Path| fs::canonicalize(path).ok();
        if real(path).is_some_and(|path| real(set) == Some(path)) {
            return Err(EvaluationError::Same { path: path.display().to_string() });
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            Some(_) | None => Path::new("."),
        };
        let staged = NamedTempFile::new_in(folder);
        let staged = staged.map_err(|source| EvaluationError::unwritable(path, source))?;
        Ok(Self { path: path.to_owned(), staged: BufWriter::new(staged) })
    }

    /// Adds a line.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add<P: Serialize>(&mut self, prediction: &P) -> Result<(), EvaluationError> {
        let written = serde_json::to_writer(&mut self.staged, prediction)
            .map_err(Into::into)
            .and_then(|()| self.staged.write_all(b"\n"));
        written.map_err(|source| EvaluationError::unwritable(&self.path, source))
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(self) -> Result<(), EvaluationError> {
        let Self { path, staged } = self;
        let finished = staged.into_inner().map_err(|error| error.into_error()).and_then(|file| {
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            Ok(())
        });
        finished.map_err(|source| EvaluationError::unwritable(&path, source))
    }
}
