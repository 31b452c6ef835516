//! Compiles components in a process of their own.
//!
//! A compilation cannot be interrupted, and nobody knows before how much time and
//! memory it takes. So this program starts itself once more, with nothing of its
//! environment, and that process lowers its own limits before it reads the first
//! byte of a component. It is killed when its time is over or when its answer
//! is there, and it dies with this process.

mod child;

use std::{
    ffi::OsStr,
    io::{self, Read, Write as _},
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

pub use child::answer_if_asked;

/// The first argument of the process that compiles.
const SUBCOMMAND: &str = "internal-compile";

/// How an answer begins; changes with its form.
const MAGIC: &[u8; 8] = b"pstrn-c1";

/// Characters of a reason.
const REASON_CHARS: usize = 1_000;

/// Bytes of code. A component of the largest size becomes about twice as much.
const MOST_CODE_BYTES: u64 = 512 << 20;

/// How long a process that has closed its output may take to end by itself.
const ENDING: Duration = Duration::from_secs(2);

/// What one compilation may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// Time on all processors together, and time from start to end.
    pub time: Duration,
    /// Bytes of memory.
    pub memory_bytes: u64,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self { time: Duration::from_secs(60), memory_bytes: 2_048 << 20 }
    }
}

/// Why there is no compiled code.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// It takes too long.
    #[error(
        "it takes longer than {} s to compile; make the component smaller, or raise \
         `compile_seconds` under [limits] in postern.toml", .limit.as_secs_f64()
    )]
    Time {
        /// The limit.
        limit: Duration,
    },
    /// It needs too much memory.
    #[error(
        "compiling it needs more than {} MiB of memory; make the component smaller, or raise \
         `compile_mib` under [limits] in postern.toml", .limit_bytes >> 20
    )]
    Memory {
        /// The limit.
        limit_bytes: u64,
    },
    /// The engine does not take the component.
    #[error("{reason}; build it for wasm32-wasip2 with a current toolchain")]
    Refused {
        /// What the engine said, bounded.
        reason: String,
    },
    /// The process ended without an answer.
    #[error(
        "the process that compiles ended without an answer ({how}); \
         try again, and do not use the component if it happens again"
    )]
    Ended {
        /// How it ended.
        how: String,
    },
    /// The process did not start, or could not limit itself.
    #[error("the process that compiles does not start: {program}: {reason}")]
    Start {
        /// The program.
        program: String,
        /// Why.
        reason: String,
    },
    /// The program compiles for another engine.
    #[error("{program} compiles for another version of this host; start the host again")]
    OtherEngine {
        /// The program.
        program: String,
    },
}

/// Compiles components, one at a time: a compilation uses all processors anyway.
#[derive(Clone, Debug)]
pub struct Compiler {
    program: PathBuf,
    turn: Arc<Mutex<()>>,
    fuel: bool,
}

impl Compiler {
    /// Compiles with the program that runs now, which must be `postern`.
    pub fn this_program() -> Self {
        // Unlike its path, this is the running program even after an upgrade has
        // replaced the file.
        Self::program(Path::new("/proc/self/exe"))
    }

    /// Compiles with the `postern` program in this file. For other programs that
    /// use this library.
    pub fn program(postern: &Path) -> Self {
        Self { program: postern.to_owned(), turn: Arc::default(), fuel: false }
    }

    /// Compiles for a runtime that counts fuel.
    #[must_use]
    pub fn counting_fuel(self) -> Self {
        Self { fuel: true, ..self }
    }

    /// Compiles a component for the engine with this fingerprint. Blocks for as long
    /// as that takes, and for those that came before.
    ///
    /// # Errors
    /// The component is refused or needs too much, or there is no process for it.
    pub fn compile(
        &self,
        engine: &str,
        component: &[u8],
        limits: &CompileLimits,
    ) -> Result<Vec<u8>, CompileError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = child::Asked {
            seconds: limits.time.as_secs().max(1),
            memory_bytes: limits.memory_bytes,
            component_bytes: component.len() as u64,
            fuel: self.fuel,
        };
        let mut command = Command::new(&self.program);
        command
            .arg0("postern")
            .args(asked.arguments())
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().map_err(|error| self.start(&error.to_string()))?;
        let (answer, end) = converse(Process(child), component, limits.time);
        match answer {
            Some(Answer::Code { fingerprint, code }) if fingerprint == engine => Ok(code),
            Some(Answer::Code { .. }) => {
                Err(CompileError::OtherEngine { program: shown(self.program.as_os_str()) })
            }
            Some(Answer::Refused { reason }) => {
                Err(CompileError::Refused { reason: printable(&reason) })
            }
            Some(Answer::Memory) => Err(CompileError::Memory { limit_bytes: limits.memory_bytes }),
            Some(Answer::Start { reason }) => Err(self.start(&printable(&reason))),
            None => Err(ended(end, limits)),
        }
    }

    fn start(&self, reason: &str) -> CompileError {
        CompileError::Start { program: shown(self.program.as_os_str()), reason: reason.to_owned() }
    }
}

fn shown(program: &OsStr) -> String {
    printable(&program.to_string_lossy())
}

/// A text of somebody else's, bounded and without what moves a terminal's cursor.
fn printable(text: &str) -> String {
    text.chars().take(REASON_CHARS).flat_map(char::escape_debug).collect()
}

/// What the process says at the end.
enum Answer {
    /// Code, and the fingerprint of the engine that made it.
    Code { fingerprint: String, code: Vec<u8> },
    /// The engine's reason.
    Refused { reason: String },
    /// There was no memory left.
    Memory,
    /// It could not lower its own limits.
    Start { reason: String },
}

/// How a process ended that gave no answer.
enum End {
    /// We ended it, because its time was over.
    Late,
    /// By itself, with these last words; none if it did not end.
    Itself { status: Option<ExitStatus>, words: String },
}

/// A process that does not outlive this value.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Both only fail for a process that is gone already.
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

impl Process {
    /// How it ended, if it does so soon.
    fn ending(&mut self) -> Option<ExitStatus> {
        let until = Instant::now() + ENDING;
        loop {
            match self.0.try_wait() {
                Ok(None) if Instant::now() < until => thread::sleep(Duration::from_millis(2)),
                Ok(status) => return status,
                Err(_) => return None,
            }
        }
    }
}

/// Gives the process its component and waits for what it says. The process has
/// ended when this returns.
fn converse(mut process: Process, component: &[u8], time: Duration) -> (Option<Answer>, End) {
    let (stdin, stdout, stderr) =
        (process.0.stdin.take(), process.0.stdout.take(), process.0.stderr.take());
    thread::scope(|scope| {
        // Each pipe has a thread, so that none waits for another; they end when the
        // process does.
        scope.spawn(move || {
            // A process that does not read any more says why.
            stdin.map(|mut stdin| stdin.write_all(component))
        });
        let words = scope.spawn(move || stderr.map(last_words).unwrap_or_default());
        let (send, receive) = mpsc::sync_channel(1);
        scope.spawn(move || send.send(stdout.and_then(read_answer)));
        let answer = receive.recv_timeout(time);
        let status = match &answer {
            Ok(None) => process.ending(),
            Ok(Some(_)) | Err(_) => None,
        };
        drop(process);
        match answer {
            Ok(answer) => {
                let words = words.join().unwrap_or_default();
                (answer, End::Itself { status, words })
            }
            Err(_) => (None, End::Late),
        }
    })
}

/// The beginning of what is written to standard error, all of which is read.
fn last_words(mut stderr: impl Read) -> String {
    let mut words = Vec::new();
    // Words that cannot be read are as good as none.
    let _ = stderr.by_ref().take(4 * REASON_CHARS as u64).read_to_end(&mut words);
    let _ = io::copy(&mut stderr, &mut io::sink());
    String::from_utf8_lossy(&words).into_owned()
}

/// An answer as [`child`] writes it: [`MAGIC`], what kind it is, the length of what
/// follows as eight bytes, highest first, and that. None if it is anything else or
/// ends too early.
fn read_answer(mut stdout: impl Read) -> Option<Answer> {
    let mut head = [0; 17];
    stdout.read_exact(&mut head).ok()?;
    let rest = head.strip_prefix(MAGIC)?;
    let (kind, length) = rest.split_first()?;
    let length = u64::from_be_bytes(length.try_into().ok()?);
    if length > MOST_CODE_BYTES {
        return None;
    }
    let mut body = Vec::with_capacity(usize::try_from(length).ok()?);
    stdout.take(length).read_to_end(&mut body).ok()?;
    if body.len() as u64 != length {
        return None;
    }
    let text = |body: Vec<u8>| String::from_utf8_lossy(&body).into_owned();
    match *kind {
        child::CODE => {
            if body.len() < child::FINGERPRINT_BYTES {
                return None;
            }
            let code = body.split_off(child::FINGERPRINT_BYTES);
            Some(Answer::Code { fingerprint: text(body), code })
        }
        child::REFUSED => Some(Answer::Refused { reason: text(body) }),
        child::NO_MEMORY => Some(Answer::Memory),
        child::NOT_STARTED => Some(Answer::Start { reason: text(body) }),
        _ => None,
    }
}

/// What it means that a process ended without an answer.
fn ended(end: End, limits: &CompileLimits) -> CompileError {
    let (status, words) = match end {
        End::Late => return CompileError::Time { limit: limits.time },
        End::Itself { status, words } => (status, words),
    };
    if status.and_then(|status| status.signal()) == Some(rustix::process::Signal::XCPU.as_raw()) {
        return CompileError::Time { limit: limits.time };
    }
    // What the standard library and the system say when an allocation, a mapping or
    // a thread's stack does not fit; the process has no memory left to say it better.
    let no_memory =
        ["memory allocation of", "Cannot allocate memory", "Resource temporarily unavailable"];
    if no_memory.iter().any(|sign| words.contains(sign)) {
        return CompileError::Memory { limit_bytes: limits.memory_bytes };
    }
    let how = status.map_or_else(|| "it closed its output".to_owned(), |status| status.to_string());
    let first = words.lines().find(|line| !line.is_empty()).unwrap_or_default();
    let how = if first.is_empty() { how } else { format!("{how}: {}", printable(first)) };
    CompileError::Ended { how }
}

#[cfg(test)]
mod tests;
