//! From a skill's folder to one file that can be installed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use postern_domain::{Digest, Manifest};
use tempfile::NamedTempFile;

use super::{AuthorError, BuildOptions, Language};
use crate::{
    package,
    registry::{MOST_COMPONENT_BYTES, read_assets, read_file, read_manifest},
};

/// Where a skill's folder has what was made of it.
const BUILT: &str = "target/skill";

/// A skill that was built.
#[derive(Debug)]
pub struct Built {
    /// The packed component.
    pub file: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// Digest of the file.
    pub digest: Digest,
    /// Size of the file.
    pub bytes: u64,
    /// In which language it is written.
    pub language: Language,
}

/// Where the packed component of a skill's folder lies, once it is built.
pub fn built_file(folder: &Path, manifest: &Manifest) -> PathBuf {
    folder.join(BUILT).join(format!("{}.wasm", manifest.skill.id))
}

/// Builds the skill in a folder and packs component, manifest and files into one. What
/// was built before stays until this is whole. `progress` is told what begins.
///
/// # Errors
/// The manifest or a file cannot be used, something that building needs is missing, or
/// the build failed.
pub fn build(
    folder: &Path,
    options: &BuildOptions,
    progress: &dyn Fn(&str),
) -> Result<Built, AuthorError> {
    let language = Language::of(folder)?;
    // First, because compiling takes long.
    let manifest = read_manifest(&folder.join("skill.toml"))?;
    let assets = read_assets(folder)?;
    let toolchain = language.toolchain();
    toolchain.check(folder)?;
    let component = toolchain.build(folder, options, progress)?;
    progress("packing");
    let bytes = read_file(&component, MOST_COMPONENT_BYTES)?;
    let packed = package::pack(&bytes, &manifest, &assets)?;
    let file = built_file(folder, &manifest);
    let within = folder.join(BUILT);
    fs::create_dir_all(&within).map_err(AuthorError::io(&within))?;
    replace(&file, &packed)?;
    let (digest, bytes) = (Digest::of_bytes(&packed), packed.len() as u64);
    Ok(Built { file, manifest, digest, bytes, language })
}

/// Writes a file as a whole: whoever reads it meanwhile has the old one or the new one.
pub(super) fn replace(file: &Path, content: &[u8]) -> Result<(), AuthorError> {
    let within = file.parent().unwrap_or_else(|| Path::new("."));
    let staged = NamedTempFile::new_in(within).map_err(AuthorError::io(within))?;
    fs::write(staged.path(), content).map_err(AuthorError::io(staged.path()))?;
    staged.persist(file).map_err(|error| AuthorError::io(file)(error.error))?;
    Ok(())
}
