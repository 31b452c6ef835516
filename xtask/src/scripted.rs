//! Test guests in Python and JavaScript. What makes components of them comes from
//! PyPI and npm, in the versions and with the digests that lie beside each guest,
//! into the guests' target folder.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io,
    path::{Path, PathBuf},
};

use crate::{
    run::{Failure, Run},
    target,
};

/// The WIT packages that the guests use.
const PACKAGES: [&str; 4] = ["http", "log", "records", "skill"];

/// A guest, and how its language becomes a component.
struct Guest {
    name: &'static str,
    language: &'static str,
    /// What must be here to build it.
    needs: &'static str,
    /// The file that pins the tools.
    pins: &'static str,
    /// Puts the tools into a folder, from the pins in another.
    install: fn(tools: &Path, sources: &Path) -> Result<(), Failure>,
    /// Makes a component of the sources.
    componentize: fn(tools: &Path, sources: &Path, component: &Path) -> Result<(), Failure>,
}

const GUESTS: [Guest; 2] = [
    Guest {
        name: "snake",
        language: "Python",
        needs: "python3 with venv (on Debian: apt-get install python3 python3-venv) and a \
                connection to PyPI",
        pins: "requirements.txt",
        install: install_python,
        componentize: componentize_python,
    },
    Guest {
        name: "squid",
        language: "JavaScript",
        needs: "node 20 or newer with npm (on Debian: apt-get install nodejs npm) and a \
                connection to the npm registry",
        pins: "package-lock.json",
        install: install_javascript,
        componentize: componentize_javascript,
    },
];

/// Builds those that changed. One whose tools cannot be had is left out and named,
/// which is a failure in CI.
pub(crate) fn build(root: &Path) -> Result<(), Failure> {
    for guest in &GUESTS {
        guest.build(root)?;
    }
    Ok(())
}

impl Guest {
    fn build(&self, root: &Path) -> Result<(), Failure> {
        let guests = root.join("tests").join("guests");
        let built = guests.join("target").join(target::NAME).join("release");
        let component = built.join(format!("{}.wasm", self.name));
        let work = guests.join("target").join("scripted").join(self.name);
        let stamp = work.join("built-from");
        let inputs = self.inputs(root).map_err(|error| self.cannot_read(&error))?;
        if component.exists() && is_stamped(&stamp, inputs) {
            return Ok(());
        }
        // A component of older sources would be tested as if it were this one.
        let _ = fs::remove_file(&component);
        let (tools, sources) = (work.join("tools"), work.join("sources"));
        self.lay_out(root, &sources).map_err(|error| self.cannot_read(&error))?;
        if self.tools(&tools, &sources).is_err() {
            return self.skip();
        }
        eprintln!("   Making a component of {} ({})", self.name, self.language);
        fs::create_dir_all(&built).map_err(|error| self.cannot_read(&error))?;
        let staged = work.join("component.wasm");
        (self.componentize)(&tools, &sources, &staged)?;
        fs::rename(&staged, &component)
            .and_then(|()| write_stamp(&stamp, inputs))
            .map_err(|error| self.cannot_read(&error))
    }

    /// Names everything that the component depends on.
    fn inputs(&self, root: &Path) -> io::Result<u64> {
        let mut hasher = DefaultHasher::new();
        let mut folders = vec![root.join("tests").join("guests").join(self.name)];
        folders.extend(PACKAGES.map(|package| root.join("wit").join(package)));
        for folder in folders {
            for file in files(&folder)? {
                // Manifests and lists of attacks are read when tests run.
                if file.extension().is_some_and(|end| end == "toml") {
                    continue;
                }
                file.hash(&mut hasher);
                fs::read(&file)?.hash(&mut hasher);
            }
        }
        Ok(hasher.finish())
    }

    /// Copies the guest and the interfaces that it uses, as the tools want them.
    fn lay_out(&self, root: &Path, sources: &Path) -> io::Result<()> {
        if sources.exists() {
            fs::remove_dir_all(sources)?;
        }
        copy(&root.join("tests").join("guests").join(self.name), sources)?;
        for package in PACKAGES {
            let dependencies = sources.join("wit").join("deps");
            copy(&root.join("wit").join(package), &dependencies.join(package))?;
        }
        Ok(())
    }

    /// Installs the tools, unless those of the same pins are there.
    fn tools(&self, tools: &Path, sources: &Path) -> Result<(), Failure> {
        let told = |error: io::Error| self.cannot_read(&error);
        let mut hasher = DefaultHasher::new();
        fs::read(sources.join(self.pins)).map_err(told)?.hash(&mut hasher);
        let pins = hasher.finish();
        let stamp = tools.join("installed-from");
        if is_stamped(&stamp, pins) {
            return Ok(());
        }
        eprintln!("   Installing what makes components of {}", self.language);
        if tools.exists() {
            fs::remove_dir_all(tools).map_err(told)?;
        }
        fs::create_dir_all(tools).map_err(told)?;
        (self.install)(tools, sources)?;
        write_stamp(&stamp, pins).map_err(told)
    }

    fn skip(&self) -> Result<(), Failure> {
        let message = format!(
            "the test guest {} in {} is not built: that needs {}",
            self.name, self.language, self.needs
        );
        if std::env::var("CI").as_deref() == Ok("true") {
            return Err(Failure::Told(message));
        }
        eprintln!("skipped: {message}");
        Ok(())
    }

    fn cannot_read(&self, error: &io::Error) -> Failure {
        Failure::Told(format!("cannot prepare the test guest {}: {error}", self.name))
    }
}

fn install_python(tools: &Path, sources: &Path) -> Result<(), Failure> {
    Run::new("python3").args(["-m", "venv"]).args([tools]).run()?;
    Run::new(tools.join("bin").join("pip"))
        .args(["install", "--quiet", "--disable-pip-version-check", "--no-input"])
        .args(["--require-hashes", "--no-deps", "--only-binary", ":all:", "--requirement"])
        .args([sources.join("requirements.txt")])
        .run()
}

fn componentize_python(tools: &Path, sources: &Path, component: &Path) -> Result<(), Failure> {
    Run::new(tools.join("bin").join("componentize-py"))
        .within(sources)
        .args(["--quiet", "--wit-path", "wit", "componentize", "app", "--output"])
        .args([component])
        .run()
}

fn install_javascript(tools: &Path, sources: &Path) -> Result<(), Failure> {
    for file in ["package.json", "package-lock.json"] {
        fs::copy(sources.join(file), tools.join(file))
            .map_err(|error| Failure::Told(format!("cannot copy {file}: {error}")))?;
    }
    Run::new("npm")
        .within(tools)
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"])
        .args(["--loglevel", "error"])
        .run()
}

fn componentize_javascript(tools: &Path, sources: &Path, component: &Path) -> Result<(), Failure> {
    // A module finds its packages beside itself.
    let script = tools.join("build.mjs");
    fs::copy(sources.join("build.mjs"), &script)
        .map_err(|error| Failure::Told(format!("cannot copy build.mjs: {error}")))?;
    Run::new("node")
        .args([script, sources.join("squid.js"), sources.join("wit"), component.to_owned()])
        .run()
}

fn is_stamped(stamp: &Path, value: u64) -> bool {
    fs::read_to_string(stamp).is_ok_and(|text| text == value.to_string())
}

fn write_stamp(stamp: &Path, value: u64) -> io::Result<()> {
    fs::write(stamp, value.to_string())
}

/// The files in a folder and below, sorted.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for file in files(from)? {
        let below = file.strip_prefix(from).expect("a file lies below its folder");
        let copied = to.join(below);
        fs::create_dir_all(copied.parent().expect("a file lies in a folder"))?;
        fs::copy(&file, &copied)?;
    }
    Ok(())
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn guests_are_where_they_are_looked_for_and_pin_their_tools() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
        for guest in &GUESTS {
            let folder = root.join("tests").join("guests").join(guest.name);
            let pins = fs::read_to_string(folder.join(guest.pins)).expect("pins");
            assert!(pins.contains("sha512-") || pins.contains("sha256:"), "{}", guest.name);
            assert_eq!(guest.inputs(root).expect("inputs"), guest.inputs(root).expect("inputs"));
        }
    }
}
