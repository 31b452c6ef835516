//! Components from Python, with componentize-py.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    AuthorError, BuildOptions, Toolchain, answer_of, run,
    tools::{Tools, Workplace},
};

const TOOLS: Tools = Tools {
    language: "python",
    folder: "sdk/python/tools",
    pins: &["requirements.txt"],
    script: "build.py",
};
/// The oldest Python that runs the tools.
const OLDEST: (u32, u32) = (3, 10);
/// Says the version, if there is all that a folder for packages needs.
const QUESTION: &str = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])";

/// Says which interpreter it is. A virtual environment works with the one that made it
/// only.
const IDENTITY: &str = "import sys; print(sys.executable, sys.version)";

/// componentize-py in a virtual environment of its own.
pub(super) struct ComponentizePy;

impl Toolchain for ComponentizePy {
    fn check(&self, _folder: &Path) -> Result<(), AuthorError> {
        let (major, minor) = OLDEST;
        let missing = |what: String| AuthorError::Missing {
            what,
            next: format!(
                "install Python {major}.{minor} or newer with venv (on Debian: apt-get install \
                 python3 python3-venv)"
            ),
        };
        if answer_of(python("python3").arg("--version")).is_none() {
            return Err(missing("`python3` is missing, which makes components".to_owned()));
        }
        let version = answer_of(python("python3").args(["-c", QUESTION]))
            .ok_or_else(|| missing("`python3` has no module venv".to_owned()))?;
        if numbers(&version).is_none_or(|numbers| numbers < OLDEST) {
            let shown: String = version.chars().take(40).collect();
            return Err(missing(format!("`python3` is too old: {shown}")));
        }
        Ok(())
    }

    fn build(
        &self,
        folder: &Path,
        options: &BuildOptions,
        progress: &dyn Fn(&str),
    ) -> Result<PathBuf, AuthorError> {
        let place = Workplace::of(folder)?;
        let interpreter = answer_of(python("python3").args(["-c", IDENTITY])).unwrap_or_default();
        let tools = TOOLS.installed(options, &interpreter, |into| {
            progress("fetching the tools for Python (once, 70 MB)");
            install(into, options)
        })?;
        progress("making a component of the Python");
        // Not the programs beside it: they name the folder in which they were installed.
        let mut make = python(tools.join("venv").join("bin").join("python"));
        make.arg(TOOLS.script(&tools)?);
        place.arguments(folder, &mut make)?;
        run("making the component", &mut make, options)?;
        place.finish(folder)
    }
}

/// Packages exactly as they are pinned, of which nothing is built here.
fn install(into: &Path, options: &BuildOptions) -> Result<(), AuthorError> {
    let venv = into.join("venv");
    run("fetching the tools", python("python3").args(["-m", "venv"]).arg(&venv), options)?;
    let mut pip = python(venv.join("bin").join("python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"])
        .args(["--require-hashes", "--no-deps", "--only-binary", ":all:", "--requirement"])
        .arg(into.join("requirements.txt"));
    run("fetching the tools", &mut pip, options)
}

/// Python without what the author's own work may have set for it.
fn python(program: impl AsRef<Path>) -> Command {
    let mut python = Command::new(program.as_ref());
    python.env_remove("PYTHONPATH").env_remove("PYTHONHOME").env_remove("VIRTUAL_ENV");
    python
}

/// `(3, 11)` of `3.11`.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_python_are_read_as_numbers() {
        assert_eq!(numbers("3.11"), Some((3, 11)));
        assert!(numbers("3.9") < Some(OLDEST));
        assert_eq!(numbers("Python 3"), None);
    }
}
