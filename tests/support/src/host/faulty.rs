//! A host that dies where it is told to.

use std::{
    fs,
    path::PathBuf,
    process::{Output, Stdio},
};

use tokio::process::Command;

use super::{DataFolder, Host, START_LIMIT, binary, ready};
use crate::{SupportError, process::Process};

/// What the host writes to its log as its last act, before the name of the place.
const LAST_WORDS: &str = "fault: killed at ";

/// Where the host that can be told to die is: beside the other one.
///
/// # Errors
/// Where it has not been built.
pub fn faulty_binary() -> Result<PathBuf, SupportError> {
    let path = binary()?.with_file_name(format!("postern-faulty{}", std::env::consts::EXE_SUFFIX));
    if path.is_file() {
        return Ok(path);
    }
    let next = "cargo build --package postern --bin postern-faulty --features fault-injection";
    Err(SupportError::NotBuilt { path, next })
}

/// A host that was told to die.
#[derive(Debug)]
pub struct Faulty {
    data: PathBuf,
    /// Where its part of the log begins.
    log_from: usize,
    host: Option<Host>,
}

impl Faulty {
    /// Starts a host on a data folder that dies at `fault` (see the host's module
    /// `fault`), which may be before it is ready.
    ///
    /// # Errors
    /// Where it ends for another reason, or is not ready within a minute.
    pub async fn start(data: &DataFolder, fault: &str) -> Result<Self, SupportError> {
        let log_from = log(data.path().into())?.len();
        let mut faulty = Self { data: data.path().into(), log_from, host: None };
        let mut command = Command::new(faulty_binary()?);
        command.arg("--data").arg(data.path()).args(["serve", "--json"]);
        command.env("POSTERN_FAULT_AT", fault);
        let log = data.path().join("host.log");
        let started = Process::start("postern-faulty serve", command, log, START_LIMIT, ready);
        match started.await {
            Ok((process, ready)) => {
                let token = data.operator_token()?;
                faulty.host = Some(Host { process, ready, token });
            }
            // It may have died before it could say that it is ready.
            Err(error) if faulty.died_at()?.is_none() => return Err(error),
            Err(_) => {}
        }
        Ok(faulty)
    }

    /// The host, unless it died before it was ready.
    pub fn host(&mut self) -> Option<&mut Host> {
        self.host.as_mut()
    }

    /// At which place it died, if it did.
    ///
    /// # Errors
    /// Where its log cannot be read.
    pub fn died_at(&self) -> Result<Option<String>, SupportError> {
        let text = log(self.data.clone())?;
        let own = text.get(self.log_from..).unwrap_or_default();
        let last = own.lines().filter_map(|line| line.strip_prefix(LAST_WORDS)).next_back();
        Ok(last.map(str::to_owned))
    }

    /// Ends it with `SIGKILL`, wherever it is.
    ///
    /// # Errors
    /// Where the system does not tell how it ended.
    pub async fn kill(&mut self) -> Result<(), SupportError> {
        match self.host.take() {
            Some(host) => host.kill().await,
            None => Ok(()),
        }
    }
}

/// What hosts of a data folder have written to their log.
fn log(data: PathBuf) -> Result<String, SupportError> {
    let path = data.join("host.log");
    match fs::read(&path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(SupportError::file(path)(error)),
    }
}

/// Runs a command that is to die at `fault`, and answers at which place it did, if it did,
/// with how it ended.
///
/// # Errors
/// Where it cannot be started.
pub async fn run_faulty(
    data: &DataFolder,
    fault: &str,
    arguments: &[&str],
) -> Result<(Option<String>, Output), SupportError> {
    let ended = Command::new(faulty_binary()?)
        .arg("--data")
        .arg(data.path())
        .args(arguments)
        .env("POSTERN_FAULT_AT", fault)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|source| SupportError::Start { what: "postern-faulty".to_owned(), source })?;
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    let last = said.lines().filter_map(|line| line.strip_prefix(LAST_WORDS)).next_back();
    Ok((last.map(str::to_owned), ended))
}
