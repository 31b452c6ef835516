//! A new skill's folder, and the programs that work on it.

use std::{
    ffi::OsStr,
    fs::File,
    path::{Path, PathBuf},
    process::Output,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use postern_test_support::{host, notice, paths};
use tempfile::TempDir;
use tokio::process::Command;

/// A language that brings its interpreter along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    JavaScript,
    Python,
}

impl Language {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::JavaScript => "javascript",
            Self::Python => "python",
        }
    }

    /// As it is written on the command line, and the name of its folders.
    fn short(self) -> &'static str {
        match self {
            Self::JavaScript => "js",
            Self::Python => "python",
        }
    }

    /// The library in the repository.
    pub(super) fn library(self) -> PathBuf {
        paths::repository().join("sdk").join(self.short())
    }

    /// Whether its programs are here; if not, that is told.
    pub(super) async fn is_here(self) -> bool {
        let programs: [(&str, &[&str]); 2] = match self {
            Self::JavaScript => [("node", &["--version"]), ("npm", &["--version"])],
            Self::Python => {
                [("python3", &["--version"]), ("python3", &["-c", "import venv, ensurepip"])]
            }
        };
        for (program, question) in programs {
            let answered = run(Command::new(program).args(question)).await;
            if answered.is_err() {
                let how = format!(
                    "install what `{program}` needs: apt-get install nodejs npm \
                     python3 python3-venv"
                );
                notice::skip(&format!("skills in {}", self.name()), &how);
                return false;
            }
        }
        true
    }

    /// Runs tests that need no component.
    pub(super) async fn test(self, folder: &Path) -> Result<()> {
        let mut command = match self {
            Self::JavaScript => Command::new("npm"),
            Self::Python => Command::new("python3"),
        };
        match self {
            Self::JavaScript => command.arg("test"),
            Self::Python => command.args(["-B", "-m", "unittest"]),
        };
        run(command.current_dir(folder)).await.map(drop)
    }
}

/// Where the tools are kept between tests and runs.
pub(super) fn tools() -> PathBuf {
    paths::repository().join("target").join("tools")
}

/// The tools of one language, which a build has put there.
pub(super) fn tools_of(language: Language) -> Result<PathBuf> {
    let prefix = format!("{}-", language.name());
    let mut found: Vec<(std::time::SystemTime, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir(tools())? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            found.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    found.sort();
    Ok(found.pop().context("no tools were fetched")?.1)
}

/// A new skill.
pub(super) struct Workshop {
    _temporary: TempDir,
    language: Language,
    name: String,
    folder: PathBuf,
    path: Option<PathBuf>,
    began: Instant,
}

impl Workshop {
    /// Of a template; nothing if its language cannot be used here.
    pub(super) async fn new(language: Language, template: &str) -> Result<Option<Self>> {
        if !language.is_here().await {
            return Ok(None);
        }
        Self::make(language, template, None).await.map(Some)
    }

    /// On a machine that has no programs.
    pub(super) async fn without_programs(language: Language) -> Result<Option<Self>> {
        let nothing = paths::repository().join("tests").join("it").join("src");
        Self::make(language, "lookup", Some(nothing)).await.map(Some)
    }

    async fn make(language: Language, template: &str, path: Option<PathBuf>) -> Result<Self> {
        let temporary = tempfile::tempdir()?;
        let name = format!("my-{}-{template}", language.short());
        let began = Instant::now();
        let folder = temporary.path().join(&name);
        let within = temporary.path();
        let workshop =
            Self { language, name, folder, path, began, _temporary: tempfile::tempdir()? };
        let mut command = workshop.command(&["skill", "new", &workshop.name])?;
        command.args(["--lang", language.short(), "--template", template]).arg("--dir").arg(within);
        run(command.current_dir(within)).await?;
        Ok(Self { _temporary: temporary, ..workshop })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Time since it was begun.
    pub(super) fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// Builds it; whether it could be, which needs the tools.
    pub(super) async fn build(&self) -> Result<bool> {
        let built = self.postern(&["skill", "build"]).await;
        if built.is_err() && tools_of(self.language).is_err() {
            let what = format!("skills in {}", self.language.name());
            notice::skip(&what, "the tools are fetched once, from PyPI and the npm registry");
            return Ok(false);
        }
        built.map(|_| true)
    }

    /// Runs the tests that came with it.
    pub(super) async fn own_tests(&self) -> Result<()> {
        self.language.test(&self.folder).await
    }

    /// What `postern` says with these arguments, in the skill's folder.
    pub(super) async fn postern(&self, arguments: &[&str]) -> Result<String> {
        run(self.command(arguments)?.current_dir(&self.folder)).await
    }

    /// How `postern` ends with these arguments.
    pub(super) async fn try_postern(&self, arguments: &[&str]) -> Result<Output> {
        Ok(self.command(arguments)?.current_dir(&self.folder).output().await?)
    }

    /// What is said in the author's own world.
    pub(super) async fn chat(&self, lines: &str) -> Result<String> {
        let input = self.folder.join("target").join("said");
        std::fs::write(&input, lines)?;
        let mut command = self.command(&["--data", ".postern", "chat"])?;
        run(command.current_dir(&self.folder).stdin(File::open(&input)?)).await
    }

    fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(host::binary()?);
        command.args(arguments).env("POSTERN_TOOLS", tools()).kill_on_drop(true);
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        Ok(command)
    }
}

/// What a program prints, if all goes well; otherwise what it complains about.
pub(super) async fn run(command: &mut Command) -> Result<String> {
    let output = command.kill_on_drop(true).output().await;
    let command = command.as_std();
    let program = Path::new(command.get_program()).file_name().map(OsStr::to_string_lossy);
    let words: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
    let what = format!("{} {}", program.unwrap_or_default(), words.join(" "));
    let output = output.with_context(|| what.clone())?;
    let (out, complaints) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{what}: {}\n{out}\n{complaints}", output.status);
    Ok(out.into_owned())
}
