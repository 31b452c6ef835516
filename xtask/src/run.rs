//! Other programs: started with what they need, their exit codes passed on.

use std::{
    ffi::{OsStr, OsString},
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};

/// Why a command of xtask did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A program ended with this code, having said why itself.
    Exit(u8),
    /// Something that has to be told, with the next step.
    Told(String),
}

impl Failure {
    /// What to print, unless the program that failed has done so.
    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Self::Exit(_) => None,
            Self::Told(message) => Some(message),
        }
    }

    /// The exit code.
    pub(crate) const fn code(&self) -> u8 {
        match self {
            Self::Exit(code) => *code,
            Self::Told(_) => 1,
        }
    }
}

/// A program about to be run.
#[derive(Debug)]
pub(crate) struct Run {
    program: PathBuf,
    command: Command,
}

impl Run {
    /// A program by its path, or by its name in `PATH`.
    pub(crate) fn new(program: impl Into<PathBuf>) -> Self {
        let program = program.into();
        let command = Command::new(&program);
        Self { program, command }
    }

    /// The cargo that runs us, in `folder`.
    pub(crate) fn cargo(folder: &Path) -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        Self::new(cargo).within(folder)
    }

    /// Runs in `folder`.
    pub(crate) fn within(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Adds arguments.
    pub(crate) fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets a variable of the environment.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it with our own input and output.
    pub(crate) fn run(mut self) -> Result<(), Failure> {
        let status = self.command.status().map_err(|error| self.cannot_start(&error))?;
        passed(status)
    }

    /// Runs it and answers what it printed; its complaints go to ours.
    pub(crate) fn output(mut self) -> Result<String, Failure> {
        self.command.stderr(std::process::Stdio::inherit());
        let output = self.command.output().map_err(|error| self.cannot_start(&error))?;
        passed(output.status)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Whether it exists and succeeds; what it prints is dropped.
    pub(crate) fn succeeds(mut self) -> bool {
        self.command.output().is_ok_and(|output| output.status.success())
    }

    fn cannot_start(&self, error: &io::Error) -> Failure {
        Failure::Told(format!("cannot start {}: {error}", self.program.display()))
    }
}

fn passed(status: ExitStatus) -> Result<(), Failure> {
    if status.success() {
        return Ok(());
    }
    // A program that a signal ended has no code.
    let code = status.code().and_then(|code| u8::try_from(code).ok()).filter(|code| *code != 0);
    Err(Failure::Exit(code.unwrap_or(1)))
}

/// Says what comes now.
pub(crate) fn step(number: usize, of: usize, what: &str) {
    let line = format!("[{number}/{of}] {what} …");
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    if colour {
        eprintln!("\u{1b}[1m{line}\u{1b}[0m");
    } else {
        eprintln!("{line}");
    }
}
