//! For people who write skills: a new folder, the component made of it, and a host
//! that follows the folder while it changes.
//!
//! A skill's folder holds the same files in every language (manifest, proposed
//! rules, scenarios, records for trying); only how its source becomes a component
//! is said per [`Toolchain`].

mod build;
mod embedded;
mod javascript;
mod new;
mod process;
mod python;
mod rust;
mod stand_in;
mod tools;
mod watch;
mod world;

use std::{
    io,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use crate::{package::PackageError, registry::RegistryError};

pub(crate) use self::process::{answer_of, run};
pub use self::{
    build::{Built, build, built_file},
    new::{NewSkill, Template},
    process::Stop,
    stand_in::StandIns,
    watch::Watched,
    world::{Server, World},
};

/// Time that one build may take. The first one fetches and compiles dependencies.
pub const BUILD_WALL: Duration = Duration::from_secs(20 * 60);

/// Why something that an author asked for did not happen.
#[derive(Debug, thiserror::Error)]
pub enum AuthorError {
    /// A file or folder cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Nothing in the folder says in which language the skill is written.
    #[error(
        "{folder} is no skill's folder: there is no Cargo.toml (Rust), package.json (JavaScript), \
         pyproject.toml or requirements.txt (Python); `postern skill new NAME` makes one"
    )]
    NoLanguage {
        /// The folder.
        folder: PathBuf,
    },
    /// No such language.
    #[error("`{0}` is no language of the templates; choose rust, js or python")]
    UnknownLanguage(String),
    /// A program that building needs is not here, or is too old.
    #[error("{what}. Next step: {next}")]
    Missing {
        /// What is missing.
        what: String,
        /// What to install, as a command where there is one.
        next: String,
    },
    /// A program cannot be started.
    #[error("{program} cannot be started: {source}")]
    Start {
        /// The program.
        program: String,
        /// What the system says.
        source: io::Error,
    },
    /// A program ended with an error, which it told itself.
    #[error("{what} failed ({status}); what went wrong stands above")]
    Failed {
        /// What was being done.
        what: String,
        /// How the program ended.
        status: String,
    },
    /// A program did not end in time.
    #[error("{what} was ended after {seconds} s; `--timeout` gives it more time")]
    Slow {
        /// What was being done.
        what: String,
        /// Time that it had.
        seconds: u64,
    },
    /// Somebody interrupted it.
    #[error("{what} was interrupted")]
    Interrupted {
        /// What was being done.
        what: String,
    },
    /// The build ended well, but there is no component.
    #[error(
        "the build of {folder} ended well, but made no component; in Rust, `[lib]` needs \
         `crate-type = [\"cdylib\"]`"
    )]
    NoComponent {
        /// The skill's folder.
        folder: PathBuf,
    },
    /// No such template.
    #[error("`{0}` is no template; choose lookup, http, action or escalation")]
    UnknownTemplate(String),
    /// A skill cannot be called that.
    #[error("the name `{name}` {reason}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A publisher cannot be called that.
    #[error("the publisher's name must be one line of at most 200 bytes, without quotes")]
    Publisher,
    /// Something is where the new skill should be.
    #[error("{folder} exists already; choose another name, or another folder with --dir")]
    Exists {
        /// The folder.
        folder: PathBuf,
    },
    /// The skill's manifest or files cannot be used.
    #[error(transparent)]
    Manifest(Box<RegistryError>),
    /// What was built cannot be packed.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// A file of the author's world makes no sense.
    #[error("{file}: {reason}")]
    Config {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A data folder that is not for trying.
    #[error(
        "{data} is somebody's data folder, and not one of `postern skill dev`; name another with \
         --data, or none for FOLDER/.postern"
    )]
    NotOurs {
        /// The data folder.
        data: PathBuf,
    },
    /// This program was put together wrongly.
    #[error("this program's own templates cannot be used: {reason}; install it anew")]
    Embedded {
        /// What does not fit.
        reason: String,
    },
}

impl AuthorError {
    /// For `map_err` of what the system refuses about a file.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

impl From<RegistryError> for AuthorError {
    fn from(error: RegistryError) -> Self {
        Self::Manifest(Box::new(error))
    }
}

/// A language that there are templates and a toolchain for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// Rust, with cargo.
    Rust,
    /// JavaScript and TypeScript, with componentize-js.
    JavaScript,
    /// Python, with componentize-py.
    Python,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rust, Self::JavaScript, Self::Python];

    /// As it is written on the command line, and the name of its templates' folder.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::JavaScript => "js",
            Self::Python => "python",
        }
    }

    /// The language of the skill in a folder, by what lies in it.
    ///
    /// # Errors
    /// Nothing in it belongs to a language that is known.
    pub fn of(folder: &Path) -> Result<Self, AuthorError> {
        let found = Self::ALL
            .into_iter()
            .find(|language| language.files().iter().any(|file| folder.join(file).is_file()));
        found.ok_or_else(|| AuthorError::NoLanguage { folder: folder.to_owned() })
    }

    /// Files of which one lies in each skill's folder of this language.
    fn files(self) -> &'static [&'static str] {
        match self {
            Self::Rust => &["Cargo.toml"],
            Self::JavaScript => &["package.json"],
            Self::Python => &["pyproject.toml", "requirements.txt"],
        }
    }

    /// What makes components of this language.
    pub fn toolchain(self) -> Box<dyn Toolchain> {
        match self {
            Self::Rust => Box::new(rust::Cargo),
            Self::JavaScript => Box::new(javascript::ComponentizeJs),
            Self::Python => Box::new(python::ComponentizePy),
        }
    }
}

impl FromStr for Language {
    type Err = AuthorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "rust" => Ok(Self::Rust),
            "js" | "javascript" | "ts" | "typescript" => Ok(Self::JavaScript),
            "python" | "py" => Ok(Self::Python),
            other => Err(AuthorError::UnknownLanguage(other.chars().take(40).collect())),
        }
    }
}

/// How a skill is built.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// Quicker to build, larger, easier to debug. Where a language knows no
    /// difference, this changes nothing.
    pub debug: bool,
    /// The lock file must fit as it is.
    pub locked: bool,
    /// Time that each program may take.
    pub wall: Duration,
    /// Ends the build early.
    pub stop: Stop,
}

impl Default for BuildOptions {
    fn default() -> Self {
        Self { debug: false, locked: false, wall: BUILD_WALL, stop: Stop::default() }
    }
}

/// Makes components of the sources of one language. Programs are started with
/// `run`, which bounds them and shows what they say as it is.
pub trait Toolchain {
    /// Whether everything that building needs is on this machine.
    ///
    /// # Errors
    /// [`AuthorError::Missing`] names what is not, and the command that installs it.
    fn check(&self, folder: &Path) -> Result<(), AuthorError>;

    /// Builds the skill in a folder and answers where its component lies, which
    /// carries no manifest yet. `progress` is told what begins, in a few words.
    ///
    /// # Errors
    /// A program is missing, failed, was too slow, or was interrupted.
    fn build(
        &self,
        folder: &Path,
        options: &BuildOptions,
        progress: &dyn Fn(&str),
    ) -> Result<PathBuf, AuthorError>;
}
