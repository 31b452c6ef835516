//! The process that compiles: limits itself, reads a component, answers, ends.

use std::{
    env,
    error::Error,
    io::{self, Read as _, Write as _},
    process::ExitCode,
};

use postern_runtime::{CodeCompiler, RuntimeError};
use rustix::{
    process::{Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit},
    thread::set_no_new_privs,
};

use super::{MAGIC, REASON_CHARS, SUBCOMMAND};
use crate::redaction;

/// The body is the fingerprint of the engine and the code for it.
pub(super) const CODE: u8 = 0;

/// The body is the engine's reason.
pub(super) const REFUSED: u8 = 1;

/// The body is empty.
pub(super) const NO_MEMORY: u8 = 2;

/// The body tells what could not be limited.
pub(super) const NOT_STARTED: u8 = 3;

/// Length of a fingerprint: SHA-256 in hexadecimal digits.
pub(super) const FINGERPRINT_BYTES: usize = 64;

/// Files that the process may have open: its three pipes, and what the standard
/// library reads to know the number of processors.
const OPEN_FILES: u64 = 16;

/// What the process is asked in its arguments.
pub(super) struct Asked {
    pub(super) seconds: u64,
    pub(super) memory_bytes: u64,
    pub(super) component_bytes: u64,
    /// Whether the code is for a runtime that counts fuel.
    pub(super) fuel: bool,
}

impl Asked {
    pub(super) fn arguments(&self) -> [String; 5] {
        let Self { seconds, memory_bytes, component_bytes, fuel } = self;
        [
            SUBCOMMAND.to_owned(),
            seconds.to_string(),
            memory_bytes.to_string(),
            component_bytes.to_string(),
            u8::from(*fuel).to_string(),
        ]
    }

    fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let mut number = || arguments.next()?.parse().ok();
        let (seconds, memory_bytes, component_bytes) = (number()?, number()?, number()?);
        Some(Self { seconds, memory_bytes, component_bytes, fuel: number()? == 1 })
    }
}

/// Compiles the component on standard input, if this process was started for that.
/// A program that compiles with
/// [`Compiler::this_program`](super::Compiler::this_program) calls this before it
/// does anything else.
pub fn answer_if_asked() -> Option<ExitCode> {
    let mut arguments = env::args().skip(1);
    if arguments.next().as_deref() != Some(SUBCOMMAND) {
        return None;
    }
    let Some(asked) = Asked::parse(arguments) else {
        redaction::tell(&format!(
            "postern: {SUBCOMMAND} is for postern itself: `postern skill install` compiles"
        ));
        return Some(ExitCode::from(2));
    };
    let (kind, body) = match limit_self(&asked) {
        Ok(()) => compile(&asked),
        Err(error) => (NOT_STARTED, format!("it cannot limit itself: {error}").into_bytes()),
    };
    Some(match answer(kind, &body) {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody reads the answer any more.
        Err(_) => ExitCode::FAILURE,
    })
}

/// Gives up everything that compiling does not need.
fn limit_self(asked: &Asked) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    set_no_new_privs(true)?;
    lower(Resource::Core, 0, 0)?;
    lower(Resource::Fsize, 0, 0)?;
    lower(Resource::Nofile, OPEN_FILES, OPEN_FILES)?;
    // The signal at the soft limit tells the reason; the hard one is for a process
    // that does not mind it.
    lower(Resource::Cpu, asked.seconds, asked.seconds.saturating_add(1))?;
    // Private writable memory, wherever it comes from. Not address space: most of
    // what threads reserve of that is never used.
    lower(Resource::Data, asked.memory_bytes, asked.memory_bytes)
}

/// Sets a limit where it is not lower already.
fn lower(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let now = getrlimit(resource);
    let least = |now: Option<u64>, new: u64| Some(now.map_or(new, |now| now.min(new)));
    let new = Rlimit { current: least(now.current, soft), maximum: least(now.maximum, hard) };
    Ok(setrlimit(resource, new)?)
}

fn compile(asked: &Asked) -> (u8, Vec<u8>) {
    let mut component = Vec::new();
    if let Err(error) = io::stdin().lock().take(asked.component_bytes).read_to_end(&mut component) {
        return (NOT_STARTED, format!("it cannot read the component: {error}").into_bytes());
    }
    // What is missing would be part of what was asked for.
    if component.len() as u64 != asked.component_bytes {
        return (NOT_STARTED, b"it got only a part of the component".to_vec());
    }
    let compiler = if asked.fuel { CodeCompiler::counting_fuel() } else { CodeCompiler::new() };
    let compiled = compiler.and_then(|compiler| {
        let code = compiler.compile(&component)?;
        Ok((compiler.fingerprint(), code))
    });
    match compiled {
        Ok((fingerprint, code)) => {
            let mut body = fingerprint.into_bytes();
            body.extend_from_slice(&code);
            (CODE, body)
        }
        Err(RuntimeError::Memory) => (NO_MEMORY, Vec::new()),
        Err(error) => (REFUSED, reason(&error).into_bytes()),
    }
}

/// An error with its causes, bounded.
fn reason(error: &RuntimeError) -> String {
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        reason = format!("{reason}: {error}");
        cause = error.source();
    }
    reason.chars().take(REASON_CHARS).collect()
}

fn answer(kind: u8, body: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(MAGIC)?;
    stdout.write_all(&[kind])?;
    stdout.write_all(&(body.len() as u64).to_be_bytes())?;
    stdout.write_all(body)?;
    stdout.flush()
}
