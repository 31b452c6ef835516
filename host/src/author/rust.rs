//! Components from Rust, with cargo.

use std::path::{Path, PathBuf};

use super::{AuthorError, BuildOptions, Toolchain};

/// Rust's own toolchain.
pub(super) struct Cargo;

impl Toolchain for Cargo {
    fn check(&self, _folder: &Path) -> Result<(), AuthorError> {
        Ok(())
    }

    fn build(
        &self,
        folder: &Path,
        _options: &BuildOptions,
        _progress: &dyn Fn(&str),
    ) -> Result<PathBuf, AuthorError> {
        Err(AuthorError::NoComponent { component: folder.to_owned() })
    }
}
