//! Standard error, cleaned: the log, what commands say when they fail, panics.

use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;

use super::clean;

/// Writes a line to standard error.
pub fn tell(text: &str) {
    let mut line = clean(text).into_owned();
    line.push('\n');
    write(&line);
}

/// Nobody is left to be told that standard error is gone.
fn write(text: &str) {
    let _gone = io::stderr().lock().write_all(text.as_bytes());
}

/// Lets panics speak through [`tell`]: their message can quote what they broke on.
pub fn catch_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("<unnamed>");
        tell(&format!("thread '{name}' {panic}"));
    }));
}

/// Where the host's log goes: each event to standard error, cleaned as a whole.
#[derive(Clone, Copy, Debug, Default)]
pub struct Log;

impl<'w> MakeWriter<'w> for Log {
    type Writer = Event<fn(&str)>;

    fn make_writer(&'w self) -> Self::Writer {
        Event::new(write)
    }
}

/// One event on its way into the log.
pub struct Event<W: Fn(&str)> {
    bytes: Vec<u8>,
    write: W,
}

impl<W: Fn(&str)> Event<W> {
    /// An event that `write` gets in one piece, cleaned, when it is dropped.
    pub fn new(write: W) -> Self {
        Self { bytes: Vec::new(), write }
    }
}

impl<W: Fn(&str)> Write for Event<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Fn(&str)> Drop for Event<W> {
    fn drop(&mut self) {
        if !self.bytes.is_empty() {
            (self.write)(&clean(&String::from_utf8_lossy(&self.bytes)));
        }
    }
}
