//! Writes the reference for skill authors anew.

use std::fs;

use anyhow::Context as _;
use postern_test_support::{paths, reference};

fn main() -> anyhow::Result<()> {
    let root = paths::repository();
    let folder = root.join("docs").join("reference");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    for (name, text) in reference::pages(&root.join("wit"))? {
        let file = folder.join(format!("{name}.md"));
        fs::write(&file, text).with_context(|| file.display().to_string())?;
    }
    Ok(())
}
