//! Where inputs come from: what the repository has and builds.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};

/// Larger components take seconds to compile.
const LARGEST: u64 = 1 << 20;

/// The repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The text of a file of the repository.
pub(crate) fn text(path: &str) -> anyhow::Result<String> {
    let path = repository().join(path);
    fs::read_to_string(&path).with_context(|| path.display().to_string())
}

/// Every manifest, in order of its path.
pub(crate) fn manifests() -> anyhow::Result<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    for workspace in ["skills", "tests/guests"] {
        for folder in sorted(&repository().join(workspace))? {
            let manifest = folder.join("skill.toml");
            if manifest.is_file() {
                found.push(fs::read(&manifest).with_context(|| manifest.display().to_string())?);
            }
        }
    }
    ensure!(!found.is_empty(), "there are no manifests to begin with");
    Ok(found)
}

/// Every component that has been built and is small, in order of its path.
pub(crate) fn components() -> anyhow::Result<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    for workspace in ["skills", "tests/guests"] {
        let built = repository().join(workspace).join("target/wasm32-wasip2/release");
        ensure!(
            built.is_dir(),
            "{} is missing; run `cargo xtask build-skills` first",
            built.display()
        );
        for file in sorted(&built)? {
            let small = fs::metadata(&file).is_ok_and(|file| file.len() <= LARGEST);
            if small && file.extension().is_some_and(|extension| extension == "wasm") {
                found.push(fs::read(&file).with_context(|| file.display().to_string())?);
            }
        }
    }
    ensure!(!found.is_empty(), "no skills are built; run `cargo xtask build-skills` first");
    Ok(found)
}

/// One of the test guests.
pub(crate) fn guest(name: &str) -> anyhow::Result<Vec<u8>> {
    let file =
        repository().join("tests/guests/target/wasm32-wasip2/release").join(format!("{name}.wasm"));
    fs::read(&file)
        .with_context(|| format!("{}: run `cargo xtask build-skills` first", file.display()))
}

/// The entries of a folder in order of their names, so that a seed means the same
/// everywhere.
fn sorted(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<_>>>()
        .with_context(|| folder.display().to_string())?;
    paths.sort();
    Ok(paths)
}
