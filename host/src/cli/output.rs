//! How commands speak: to people in lines, to machines in JSON.

use std::io::Write as _;

use serde::Serialize;

use super::Context;
use crate::redaction;

/// Sends the host's log to standard error, without anything personal. `POSTERN_LOG` chooses how much;
/// otherwise a serving host tells what happens and other commands what fails.
pub(super) fn log_to_stderr(serving: bool) {
    let usual = if serving { "warn,postern=info,skill=info,tool_calls=info" } else { "error" };
    let filter = tracing_subscriber::EnvFilter::try_from_env("POSTERN_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(usual));
    // A second call in one process keeps the first setting.
    let _set = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(redaction::Log)
        .with_ansi(false)
        .try_init();
}

/// Prints an error with its causes.
pub(super) fn error(context: &Context, error: &anyhow::Error) {
    // Files of others are quoted in errors.
    let text = words(&told(error));
    if context.json {
        redaction::tell(&serde_json::json!({ "error": redaction::clean(&text) }).to_string());
    } else {
        redaction::tell(&format!("postern: {text}"));
    }
}

/// An error and its causes, each once: many errors tell their cause themselves.
fn told(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// Prints one line; fails if nobody reads.
pub(super) fn line(text: std::fmt::Arguments<'_>) -> std::io::Result<()> {
    writeln!(std::io::stdout().lock(), "{text}")
}

/// Prints a line from a function that can fail.
macro_rules! out {
    ($($text:tt)*) => {
        $crate::cli::output::line(format_args!($($text)*))?
    };
}
pub(super) use out;

/// Whether a command ended because nobody reads its output any more, as in
/// `postern ticket list | head`.
pub(super) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let pipe = |cause: &(dyn std::error::Error + 'static)| {
        let io = cause.downcast_ref::<std::io::Error>();
        io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    };
    error.chain().any(pipe)
}

/// Prints one value as JSON on one line.
pub(super) fn json<T: Serialize>(value: &T) -> anyhow::Result<()> {
    out!("{}", serde_json::to_string(value)?);
    Ok(())
}

/// Prints rows in columns as wide as their widest cell.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> anyhow::Result<()> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([head[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &[String]| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        out!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
        anyhow::Ok(())
    };
    line(&head.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>())?;
    rows.iter().try_for_each(|row| line(row))
}

/// Somebody else's words, fit for a terminal: nothing in them moves the cursor,
/// hides what stands around them or turns it around.
pub(super) fn words(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '"' | '\'' | '\\' | '\n') {
            shown.push(c);
        } else {
            shown.extend(c.escape_debug());
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_others_cannot_steer_a_terminal() {
        assert_eq!(words("Größe \"L\"\nplease"), "Größe \"L\"\nplease");
        let told = words("\u{1b}[2Jgone\u{202e}\u{9b}\r");
        assert_eq!(told, "\\u{1b}[2Jgone\\u{202e}\\u{9b}\\r");
    }

    #[test]
    fn each_cause_is_told_once() {
        let io = std::io::Error::other("the disk is full");
        let error = anyhow::Error::new(io).context("x.toml: the disk is full").context("saving");
        assert_eq!(told(&error), "saving: x.toml: the disk is full");
        assert_eq!(told(&anyhow::anyhow!("alone")), "alone");
    }
}
