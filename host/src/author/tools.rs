//! What makes components of JavaScript and Python: packages in pinned versions, which
//! are fetched once and kept in the author's cache folder.

use std::{
    env,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant, SystemTime},
};

use postern_domain::Digest;
use tempfile::TempDir;

use super::{AuthorError, BuildOptions, embedded};
use crate::registry::read_manifest;

/// Where the tools are kept, if not in the cache folder.
const FOLDER: &str = "POSTERN_TOOLS";
/// What somebody began to install and did not finish, for instance because the power
/// went, is removed after this time.
const LEFT: Duration = Duration::from_secs(24 * 60 * 60);
const STAGED: &str = ".staged-";
/// How often a build that waits for another looks again.
const LOOK: Duration = Duration::from_millis(100);

/// Tools of one language.
pub(super) struct Tools {
    /// The language, for folders.
    pub(super) language: &'static str,
    /// The folder of the repository with the pins and the script that makes components.
    pub(super) folder: &'static str,
    /// Files with versions and digests. Other ones are other tools.
    pub(super) pins: &'static [&'static str],
    /// The script.
    pub(super) script: &'static str,
}

impl Tools {
    /// The folder in which these tools are, or will be. `made_with` says what they are
    /// tied to besides their pins, such as an interpreter.
    pub(super) fn place(&self, made_with: &str) -> Result<PathBuf, AuthorError> {
        let mut pinned = made_with.as_bytes().to_vec();
        for pins in self.pins {
            pinned.extend_from_slice(self.file(pins)?);
        }
        let digest = Digest::of_bytes(&pinned).short();
        Ok(cache()?.join(format!("{}-{digest}", self.language)))
    }

    /// Whether they are there.
    pub(super) fn are_installed(&self, made_with: &str) -> Result<bool, AuthorError> {
        Ok(self.place(made_with)?.is_dir())
    }

    /// The folder of the tools. If they are not there, `install` puts them into a folder
    /// that has the pins; then they are there as a whole.
    pub(super) fn installed(
        &self,
        options: &BuildOptions,
        made_with: &str,
        install: impl FnOnce(&Path) -> Result<(), AuthorError>,
    ) -> Result<PathBuf, AuthorError> {
        let place = self.place(made_with)?;
        if place.is_dir() {
            return Ok(place);
        }
        let cache = cache()?;
        fs::create_dir_all(&cache).map_err(AuthorError::io(&cache))?;
        let _alone = self.alone(&cache, options)?;
        if place.is_dir() {
            return Ok(place);
        }
        remove_left(&cache);
        let staged = tempfile::Builder::new().prefix(STAGED).tempdir_in(&cache);
        let staged = staged.map_err(AuthorError::io(&cache))?;
        let inside = staged.path().join(self.language);
        fs::create_dir(&inside).map_err(AuthorError::io(&inside))?;
        for pins in self.pins {
            let path = inside.join(pins);
            fs::write(&path, self.file(pins)?).map_err(AuthorError::io(&path))?;
        }
        install(&inside)?;
        fs::rename(&inside, &place).map_err(AuthorError::io(&place))?;
        Ok(place)
    }

    /// Waits until nobody else installs tools of this language, so that builds side by
    /// side do not all fetch them. The system gives the lock back when its holder ends.
    fn alone(&self, cache: &Path, options: &BuildOptions) -> Result<File, AuthorError> {
        let path = cache.join(format!(".lock-{}", self.language));
        let lock = File::create(&path).map_err(AuthorError::io(&path))?;
        let what = || "waiting for another build to fetch the tools".to_owned();
        // A time beyond all clocks never comes.
        let until = Instant::now().checked_add(options.wall);
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(lock),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(source)) => return Err(AuthorError::Io { path, source }),
            }
            if options.stop.is_told() {
                return Err(AuthorError::Interrupted { what: what() });
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return Err(AuthorError::Slow { what: what(), seconds: options.wall.as_secs() });
            }
            thread::sleep(LOOK);
        }
    }

    /// The script, beside the tools, where its language finds them. Programs of other
    /// versions may have others.
    pub(super) fn script(&self, place: &Path) -> Result<PathBuf, AuthorError> {
        let content = self.file(self.script)?;
        let name = format!("{}-{}", Digest::of_bytes(content).short(), self.script);
        let path = place.join(name);
        if !path.is_file() {
            let staged = tempfile::NamedTempFile::new_in(place).map_err(AuthorError::io(place))?;
            fs::write(staged.path(), content).map_err(AuthorError::io(staged.path()))?;
            staged.persist(&path).map_err(|error| AuthorError::io(&path)(error.error))?;
        }
        Ok(path)
    }

    fn file(&self, name: &str) -> Result<&'static [u8], AuthorError> {
        let found = embedded::below(self.folder).find(|(known, _)| *known == name);
        found.map(|(_, content)| content).ok_or_else(|| AuthorError::Embedded {
            reason: format!("{}/{name} is missing", self.folder),
        })
    }
}

/// `POSTERN_TOOLS`, or a folder in the cache that the XDG base directory specification
/// names.
fn cache() -> Result<PathBuf, AuthorError> {
    let given = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    given(FOLDER)
        .or_else(|| given("XDG_CACHE_HOME").map(|cache| cache.join("postern").join("tools")))
        .or_else(|| given("HOME").map(|home| home.join(".cache").join("postern").join("tools")))
        .ok_or_else(|| AuthorError::Missing {
            what: "there is no folder for the tools: neither POSTERN_TOOLS nor HOME names one"
                .to_owned(),
            next: "set POSTERN_TOOLS to the absolute path of a folder".to_owned(),
        })
}

fn remove_left(cache: &Path) {
    let Ok(entries) = fs::read_dir(cache) else { return };
    for entry in entries.flatten() {
        let old = entry.metadata().and_then(|about| about.modified()).is_ok_and(|modified| {
            SystemTime::now().duration_since(modified).is_ok_and(|age| age > LEFT)
        });
        if old && entry.file_name().to_string_lossy().starts_with(STAGED) {
            // If it cannot be removed, it only takes space.
            let _kept = fs::remove_dir_all(entry.path());
        }
    }
}

/// A folder below the skill's `target` in which one component is made.
pub(super) struct Workplace {
    folder: TempDir,
    target: PathBuf,
}

impl Workplace {
    /// With the interfaces that the skill was written for, and room for a world.
    pub(super) fn of(skill: &Path) -> Result<Self, AuthorError> {
        let target = skill.join("target");
        fs::create_dir_all(&target).map_err(AuthorError::io(&target))?;
        let folder = tempfile::Builder::new().prefix(".making-").tempdir_in(&target);
        let folder = folder.map_err(AuthorError::io(&target))?;
        let place = Self { folder, target };
        let packages = skill.join("vendor").join("postern").join("wit");
        for entry in fs::read_dir(&packages).map_err(AuthorError::io(&packages))? {
            let package = entry.map_err(AuthorError::io(&packages))?.path();
            let Some(name) = package.file_name().filter(|_| package.is_dir()) else { continue };
            let into = place.wit().join("deps").join(name);
            fs::create_dir_all(&into).map_err(AuthorError::io(&into))?;
            for file in fs::read_dir(&package).map_err(AuthorError::io(&package))? {
                let file = file.map_err(AuthorError::io(&package))?.path();
                if let Some(name) = file.file_name().filter(|_| file.is_file()) {
                    fs::copy(&file, into.join(name)).map_err(AuthorError::io(&file))?;
                }
            }
        }
        Ok(place)
    }

    /// The script's arguments: the skill's folder, WIT, capabilities, and this folder.
    pub(super) fn arguments(&self, skill: &Path, command: &mut Command) -> Result<(), AuthorError> {
        let capabilities = capabilities(skill)?;
        let skill = fs::canonicalize(skill).map_err(AuthorError::io(skill))?;
        command.arg(skill).arg(self.wit()).arg(capabilities).arg(self.folder.path());
        Ok(())
    }

    /// Where the finished component stays.
    pub(super) fn finish(self, skill: &Path) -> Result<PathBuf, AuthorError> {
        let (made, kept) =
            (self.folder.path().join("component.wasm"), self.target.join("component.wasm"));
        if !made.is_file() {
            return Err(AuthorError::NoComponent { folder: skill.to_owned() });
        }
        fs::rename(&made, &kept).map_err(AuthorError::io(&kept))?;
        Ok(kept)
    }

    fn wit(&self) -> PathBuf {
        self.folder.path().join("wit")
    }
}

/// What the skill's manifest asks for, separated by commas.
fn capabilities(skill: &Path) -> Result<String, AuthorError> {
    let manifest = read_manifest(&skill.join("skill.toml"))
        .map_err(|error| AuthorError::Manifest(Box::new(error)))?;
    let names: Vec<_> = manifest.requested().iter().map(|interface| interface.as_str()).collect();
    Ok(names.join(","))
}
