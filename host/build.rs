//! Puts into the program what `postern skill new` needs: templates, the SDKs and the
//! interfaces, so that an author needs nothing but the program.

use std::{env, error::Error, fmt::Write as _, fs, path::Path};

/// Folders of the repository that new skills are made of.
const FOLDERS: [&str; 6] =
    ["sdk/js", "sdk/python", "sdk/rust", "sdk/scenario", "sdk/templates", "wit"];
/// The versions that the crates of the SDK inherit.
const WORKSPACE: &str = "Cargo.toml";
/// What tools leave behind, and what only tests of this repository read.
const NOT_FOLDERS: [&str; 7] =
    ["target", "node_modules", "__pycache__", "dist", "frozen", "venv", "build"];
/// More than this would mean that something was taken by mistake.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let here = env::var("CARGO_MANIFEST_DIR")?;
    let root = Path::new(&here).parent().ok_or("the host has no repository around it")?;
    let mut files = vec![WORKSPACE.to_owned()];
    for folder in FOLDERS {
        gather(root, folder, &mut files)?;
    }
    files.sort();
    let mut list = String::from("&[\n");
    let mut total = 0;
    for file in &files {
        let path = root.join(file);
        println!("cargo::rerun-if-changed={}", path.display());
        total += fs::metadata(&path)?.len();
        writeln!(list, "    ({file:?}, include_bytes!({:?})),", path.display().to_string())?;
    }
    list.push_str("]\n");
    if total > MOST_BYTES {
        return Err(
            format!("{total} bytes for new skills; is there something else in sdk/?").into()
        );
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("embedded.rs"), list)?;
    Ok(())
}

/// The files of a folder by their names from the root.
fn gather(root: &Path, folder: &str, files: &mut Vec<String>) -> Result<(), Box<dyn Error>> {
    // A new file changes its folder.
    println!("cargo::rerun-if-changed={}", root.join(folder).display());
    let entries = fs::read_dir(root.join(folder)).map_err(|error| format!("{folder}: {error}"))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().ok_or("a name in sdk/ is not UTF-8")?;
        let hidden = name.starts_with('.') && name != ".gitignore";
        let path = format!("{folder}/{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() && !hidden && !NOT_FOLDERS.contains(&name) && !name.ends_with(".egg-info")
        {
            gather(root, &path, files)?;
        } else if kind.is_file() && !hidden && !name.ends_with(".pyc") {
            files.push(path);
        }
    }
    Ok(())
}
