//! Programs that run beside a test and end with it.

use std::{fs, io, path::PathBuf, process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::SupportError;

/// A running program. It is killed when this is dropped. It stays in our process
/// group, so that whoever ends the group ends it too.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
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
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| SupportError::Start { what: name.to_owned(), source })?;
        let stdout = child.stdout.take();
        let process = Self { name: name.to_owned(), child };
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

    /// Its number; none once it was waited for, when the number may be another's.
    fn pid(&self) -> Option<Pid> {
        self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
    }

    /// Kills it at once, as a crash would, and waits until it is gone.
    pub(crate) async fn kill(&mut self) -> Result<(), SupportError> {
        match self.child.kill().await {
            Ok(()) => Ok(()),
            Err(problem) => Err(self.failed(problem.to_string())),
        }
    }

    /// Asks it to end, and kills it if it has not after `grace`.
    pub(crate) async fn stop(&mut self, grace: Duration) -> Result<(), SupportError> {
        if let Some(pid) = self.pid() {
            // It may end at this moment: then there is nothing to signal.
            let _ = kill_process(pid, Signal::TERM);
        }
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

    fn failed(&self, detail: String) -> SupportError {
        SupportError::Failed { what: self.name.clone(), detail }
    }
}

/// A program that leads a process group of its own, with programs that it
/// started itself. The whole group is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Group(pub(crate) Process);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0.pid() {
            // All may have ended already: then there is nothing to signal.
            let _ = kill_process_group(leader, Signal::KILL);
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
