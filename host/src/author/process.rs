//! Programs that building starts: bounded in time, and ended with whoever waits for
//! them.

use std::{
    io::Read as _,
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

use super::{AuthorError, BuildOptions};

/// How often a program is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// Time between the polite signal and the one that cannot be refused.
const GRACE: Duration = Duration::from_secs(3);
/// Time for a question such as `--version`.
const QUESTION: Duration = Duration::from_secs(60);
/// Bytes that a program may say to other programs.
const MOST_SAID: u64 = 16 * 1024 * 1024;
/// Bytes of an answer that are read.
const MOST_ANSWER: u64 = 64 * 1024;

/// Tells programs that are running to end. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Ends what is running now and whatever is started with this later.
    pub fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was told.
    pub fn is_told(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Runs a program to its end. What it prints goes to standard error as it is, since
/// standard output belongs to the command's own answer.
///
/// # Errors
/// It is not there, fails, takes too long, or somebody interrupted it.
pub(crate) fn run(
    what: &str,
    command: &mut Command,
    options: &BuildOptions,
) -> Result<(), AuthorError> {
    command.stdin(Stdio::null()).stdout(std::io::stderr()).stderr(Stdio::inherit());
    let mut group = Group::start(command)?;
    let status = group.wait(what, options.wall, Some(&options.stop))?;
    if status.success() {
        return Ok(());
    }
    Err(AuthorError::Failed { what: what.to_owned(), status: status.to_string() })
}

/// As [`run`], but what it prints on standard output is the answer: what a program says
/// for other programs, at most 16 MiB.
pub(super) fn run_and_read(
    what: &str,
    command: &mut Command,
    options: &BuildOptions,
) -> Result<String, AuthorError> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut group = Group::start(command)?;
    let stdout = group.child.stdout.take();
    let read = thread::spawn(move || {
        let mut text = Vec::new();
        // What was read counts; more than the bound ends the program by its closed pipe.
        let _read = stdout.map(|stdout| stdout.take(MOST_SAID).read_to_end(&mut text));
        text
    });
    let status = group.wait(what, options.wall, Some(&options.stop))?;
    if !status.success() {
        return Err(AuthorError::Failed { what: what.to_owned(), status: status.to_string() });
    }
    Ok(String::from_utf8_lossy(&read.join().unwrap_or_default()).into_owned())
}

/// What a program says to a short question such as `--version`; nothing if it is not
/// there, fails or takes long.
pub(crate) fn answer_of(command: &mut Command) -> Option<String> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut group = Group::start(command).ok()?;
    let stdout = group.child.stdout.take()?;
    let read = thread::spawn(move || {
        let mut text = Vec::new();
        stdout.take(MOST_ANSWER).read_to_end(&mut text).ok().map(|_| text)
    });
    let status = group.wait("a question", QUESTION, None).ok()?;
    let text = read.join().ok()??;
    status.success().then(|| String::from_utf8_lossy(&text).trim().to_owned())
}

/// A program with everything that it starts.
struct Group {
    child: Child,
    ended: bool,
}

impl Group {
    fn start(command: &mut Command) -> Result<Self, AuthorError> {
        // A group of its own, so that compilers end with the program that started them.
        let child = command.process_group(0).spawn().map_err(|source| AuthorError::Start {
            program: command.get_program().to_string_lossy().into_owned(),
            source,
        })?;
        Ok(Self { child, ended: false })
    }

    fn wait(
        &mut self,
        what: &str,
        wall: Duration,
        stop: Option<&Stop>,
    ) -> Result<std::process::ExitStatus, AuthorError> {
        let what = || what.to_owned();
        // A time beyond all clocks never comes.
        let until = Instant::now().checked_add(wall);
        loop {
            let looked = self.child.try_wait();
            let looked = looked.map_err(|source| AuthorError::Start { program: what(), source })?;
            if let Some(status) = looked {
                self.ended = true;
                return Ok(status);
            }
            if stop.is_some_and(Stop::is_told) {
                return Err(AuthorError::Interrupted { what: what() });
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return Err(AuthorError::Slow { what: what(), seconds: wall.as_secs() });
            }
            thread::sleep(LOOK);
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // It may have ended by itself.
            let _gone = kill_process_group(group, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        self.signal(Signal::TERM);
        let until = Instant::now() + GRACE;
        while Instant::now() < until {
            if !matches!(self.child.try_wait(), Ok(None)) {
                break;
            }
            thread::sleep(LOOK);
        }
        self.signal(Signal::KILL);
        let _reaped = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn what_a_program_says_is_heard() {
        assert_eq!(answer_of(&mut shell("echo 1.95")).as_deref(), Some("1.95"));
        assert_eq!(answer_of(&mut shell("echo no; exit 3")), None);
        assert_eq!(answer_of(&mut Command::new("/no/such/program")), None);
    }

    #[test]
    fn a_failure_and_a_missing_program_are_told_apart() {
        let options = BuildOptions::default();
        assert!(run("nothing", &mut shell("exit 0"), &options).is_ok());
        let failed = run("compiling", &mut shell("exit 7"), &options).unwrap_err();
        assert!(failed.to_string().contains("compiling failed (exit status: 7)"), "{failed}");
        let missing = run("x", &mut Command::new("/no/such/program"), &options).unwrap_err();
        assert!(matches!(missing, AuthorError::Start { .. }), "{missing}");
    }

    #[test]
    fn a_program_ends_with_what_it_started_when_its_time_is_over_or_somebody_says_so() {
        // The pipe closes only when the last of the group has ended.
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut command = shell("sleep 600 & sleep 600");
        command.stdout(writer);
        let mut group = Group::start(&mut command).unwrap();
        drop(command);
        let error = group.wait("sleeping", Duration::ZERO, None).unwrap_err();
        assert!(error.to_string().contains("sleeping was ended after 0 s"), "{error}");
        drop(group);
        assert_eq!(reader.read(&mut [0]).unwrap(), 0);

        let options = BuildOptions::default();
        options.stop.now();
        let error = run("sleeping", &mut shell("sleep 600"), &options).unwrap_err();
        assert!(matches!(error, AuthorError::Interrupted { .. }), "{error}");
    }
}
