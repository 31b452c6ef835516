//! What changes in a skill's folder.
//!
//! The folder is looked at again and again rather than asking the system to tell: it is
//! small, editors replace files in many ways, and some file systems tell nothing.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Files that are looked at. Those beyond change nothing.
const MOST_FILES: usize = 10_000;
/// Folders in which nobody writes a skill.
const NOT_FOLDERS: [&str; 6] = ["target", "node_modules", "__pycache__", "dist", "vendor", "venv"];

/// What there was at one look: size and time of every file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched(BTreeMap<PathBuf, (u64, Option<SystemTime>)>);

impl Watched {
    /// Looks at a folder. Hidden folders, and those that builds make, are left out.
    pub fn look(folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            // What is gone meanwhile is seen at the next look.
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                if name.starts_with('.') || NOT_FOLDERS.contains(&name.as_ref()) {
                    continue;
                }
                let Ok(about) = entry.metadata() else { continue };
                if about.is_dir() {
                    folders.push(entry.path());
                } else if about.is_file() && files.len() < MOST_FILES {
                    files.insert(entry.path(), (about.len(), about.modified().ok()));
                }
            }
        }
        Self(files)
    }

    /// The files that are new, gone or other than before.
    pub fn since<'a>(&'a self, before: &'a Self) -> Vec<&'a Path> {
        let changed = self.0.iter().filter(|(path, about)| before.0.get(*path) != Some(about));
        let gone = before.0.keys().filter(|path| !self.0.contains_key(*path));
        changed.map(|(path, _)| path).chain(gone).map(PathBuf::as_path).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_other_or_gone_is_seen_and_what_builds_make_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for folder in ["src", "target", ".postern", "vendor"] {
            fs::create_dir(at(folder)).unwrap();
        }
        fs::write(at("src/lib.rs"), "a").unwrap();
        fs::write(at("skill.toml"), "a").unwrap();
        let before = Watched::look(folder.path());
        assert_eq!(Watched::look(folder.path()).since(&before), Vec::<&Path>::new());
        fs::write(at("target/x"), "a").unwrap();
        fs::write(at(".postern/x"), "a").unwrap();
        fs::write(at("vendor/x"), "a").unwrap();
        assert_eq!(Watched::look(folder.path()), before);
        fs::write(at("src/lib.rs"), "longer").unwrap();
        fs::write(at("src/new.rs"), "").unwrap();
        fs::remove_file(at("skill.toml")).unwrap();
        let after = Watched::look(folder.path());
        assert_eq!(after.since(&before), [at("src/lib.rs"), at("src/new.rs"), at("skill.toml")]);
    }
}
