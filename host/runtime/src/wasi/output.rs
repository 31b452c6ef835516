//! What a guest prints, line by line.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use postern_domain::{LogLevel, LogLine};
use tokio::io::AsyncWrite;
use wasmtime_wasi::{
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamResult},
};

/// Bytes after which a line is ended although it has no end.
const LINE_BYTES: usize = 4 << 10;

/// Bytes that a guest may write at a time.
const WRITE_BYTES: usize = 64 << 10;

/// Where a guest prints.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stream {
    Out,
    Err,
}

/// Finished lines that nobody has fetched yet, and the unfinished ones.
pub(crate) struct Output {
    queue: Mutex<Queue>,
}

struct Queue {
    lines: VecDeque<LogLine>,
    unfinished_out: Vec<u8>,
    unfinished_err: Vec<u8>,
    dropped: u32,
    lines_left: u32,
    bytes_left: u64,
}

impl Output {
    /// Takes no more lines and bytes than the log will take anyway.
    pub(super) fn new(lines_left: u32, bytes_left: u64) -> Self {
        let queue = Queue {
            lines: VecDeque::new(),
            unfinished_out: Vec::new(),
            unfinished_err: Vec::new(),
            dropped: 0,
            lines_left,
            bytes_left,
        };
        Self { queue: Mutex::new(queue) }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The finished lines, at the `end` also the unfinished ones, and how many were
    /// dropped since the last time.
    pub(crate) fn take(&self, end: bool) -> (VecDeque<LogLine>, u32) {
        let mut queue = self.queue();
        if end {
            queue.finish(Stream::Out);
            queue.finish(Stream::Err);
        }
        (std::mem::take(&mut queue.lines), std::mem::take(&mut queue.dropped))
    }
}

impl Queue {
    fn line(&mut self, stream: Stream) -> &mut Vec<u8> {
        match stream {
            Stream::Out => &mut self.unfinished_out,
            Stream::Err => &mut self.unfinished_err,
        }
    }

    fn write(&mut self, stream: Stream, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (piece, ends) = match piece.strip_suffix(b"\n") {
                Some(piece) => (piece, true),
                None => (piece, false),
            };
            for chunk in piece.chunks(LINE_BYTES) {
                if self.line(stream).len() + chunk.len() > LINE_BYTES {
                    self.finish(stream);
                }
                self.line(stream).extend_from_slice(chunk);
            }
            if ends {
                self.finish(stream);
            }
        }
    }

    fn finish(&mut self, stream: Stream) {
        let bytes = std::mem::take(self.line(stream));
        if bytes.is_empty() {
            return;
        }
        let length = bytes.len() as u64;
        if self.lines_left == 0 || self.bytes_left < length {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        self.lines_left -= 1;
        self.bytes_left -= length;
        let level = match stream {
            Stream::Out => LogLevel::Info,
            Stream::Err => LogLevel::Warn,
        };
        let message = String::from_utf8_lossy(&bytes).into_owned();
        self.lines.push_back(LogLine { level, message, fields: Vec::new() });
    }
}

/// Standard output or standard error.
#[derive(Clone)]
pub(super) struct Printer {
    output: Arc<Output>,
    stream: Stream,
}

impl Printer {
    pub(super) fn new(output: &Arc<Output>, stream: Stream) -> Self {
        Self { output: Arc::clone(output), stream }
    }
}

impl IsTerminal for Printer {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Printer {
    /// For WASI 0.3, which is not linked.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for Printer {
    async fn ready(&mut self) {}
}

impl OutputStream for Printer {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        self.output.queue().write(self.stream, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        (lines, bytes): (u32, u64),
        writes: &[&str],
        end: bool,
        wanted: &[&str],
        dropped: u32,
    ) {
        let output = Output::new(lines, bytes);
        for text in writes {
            output.queue().write(Stream::Out, text.as_bytes());
        }
        let (lines, lost) = output.take(end);
        let lines: Vec<_> = lines.iter().map(|line| line.message.as_str()).collect();
        assert_eq!((lines.as_slice(), lost), (wanted, dropped), "{writes:?}");
    }

    #[test]
    fn writes_become_lines() {
        let limits = (100, 64 << 10);
        check(limits, &["a", "b\nc", "\n\n", "d"], false, &["ab", "c"], 0);
        check(limits, &["a\nb"], true, &["a", "b"], 0);
        let long = "x".repeat(LINE_BYTES + 1);
        check(limits, &[&long], true, &[&long[..LINE_BYTES], "x"], 0);
    }

    #[test]
    fn lines_over_a_cap_are_dropped_and_counted() {
        check((1, 64 << 10), &["a\nb\nc\n"], false, &["a"], 2);
        check((100, 4), &["long line\nab\n"], false, &["ab"], 1);
    }
}
