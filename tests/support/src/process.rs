//! Programs that run beside a test and end with it.

use std::{fs, io, path::PathBuf, process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::SupportError;

/// A running program, the leader of a process group of its own. The whole group
/// is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    group: Option<Pid>,
}

impl Process {
    /// Starts a program, its complaints going to the end of `log`, and waits
    /// until `ready` finds in a line of its output what shows that it runs.
    pub(crate) async fn start<T>(
        name: &str,
        mut command: Command,
        log: PathBuf,
        limit: Duration,
        ready: impl Fn(&str) -> Option<T>,
    ) -> Result<(Self, T), SupportError> {
        let complaints = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(SupportError::file(&log))?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(complaints)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| SupportError::Start { what: name.to_owned(), source })?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let stdout = child.stdout.take();
        let process = Self { name: name.to_owned(), child, group };
        let Some(stdout) = stdout else {
            return Err(process.failed("its output was not piped".to_owned()));
        };
        let mut lines = BufReader::new(stdout).lines();
        let found = tokio::time::timeout(limit, first_match(&mut lines, ready)).await;
        let found = match found {
            Ok(Ok(Some(found))) => found,
            Ok(Ok(None)) => return Err(process.failed(tail(&log))),
            Ok(Err(problem)) => return Err(process.failed(problem.to_string())),
            Err(_) => {
                let what = format!("readiness of {name} (its log ends: {})", tail(&log));
                return Err(SupportError::Late { what, waited: limit });
            }
        };
        // Nobody reads on, but a full pipe would stop the program.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok((process, found))
    }

    /// Kills it at once, as a crash would, and waits until it is gone.
    pub(crate) async fn kill(&mut self) -> Result<(), SupportError> {
        self.signal(Signal::KILL);
        self.ended().await
    }

    /// Asks it to end, and kills it if it has not after `grace`.
    pub(crate) async fn stop(&mut self, grace: Duration) -> Result<(), SupportError> {
        self.signal(Signal::TERM);
        match tokio::time::timeout(grace, self.ended()).await {
            Ok(ended) => ended,
            Err(_) => self.kill().await,
        }
    }

    /// Waits until it ends by itself.
    pub(crate) async fn ended(&mut self) -> Result<(), SupportError> {
        match self.child.wait().await {
            Ok(_) => Ok(()),
            Err(problem) => Err(self.failed(problem.to_string())),
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // It may have ended already: then there is nothing to signal.
            let _ = kill_process_group(group, signal);
        }
    }

    fn failed(&self, detail: String) -> SupportError {
        SupportError::Failed { what: self.name.clone(), detail }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A program that was waited for is gone, and its number may be another's.
        if self.child.id().is_some() {
            self.signal(Signal::KILL);
        }
    }
}

async fn first_match<T>(
    lines: &mut Lines<BufReader<ChildStdout>>,
    ready: impl Fn(&str) -> Option<T>,
) -> io::Result<Option<T>> {
    while let Some(line) = lines.next_line().await? {
        if let Some(found) = ready(&line) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The last lines of a log.
fn tail(log: &PathBuf) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(8);
    lines.get(from..).unwrap_or_default().join("\n")
}
