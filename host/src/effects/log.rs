//! Log lines of skills, in the host's own log.

use postern_domain::{LogLevel, LogLine};

use crate::{gate::Caller, understand};

/// A text with everything personal masked. A skill sees placeholders, but may
/// have been given values in places that nobody declared personal.
fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for span in understand::personal_spans(text) {
        out.push_str(&text[at..span.start]);
        out.push_str("[redacted]");
        at = span.end;
    }
    out.push_str(&text[at..]);
    out
}

/// Writes one line.
pub(super) fn write(line: &LogLine, caller: &Caller) {
    let message = masked(&line.message);
    let fields: Vec<String> =
        line.fields.iter().map(|(name, value)| format!("{name}={}", masked(value))).collect();
    let fields = fields.join(" ");
    let (skill, invocation) = (caller.skill.as_str(), caller.invocation.as_str());
    match line.level {
        LogLevel::Trace => tracing::trace!(target: "skill", skill, invocation, fields, "{message}"),
        LogLevel::Debug => tracing::debug!(target: "skill", skill, invocation, fields, "{message}"),
        LogLevel::Info => tracing::info!(target: "skill", skill, invocation, fields, "{message}"),
        LogLevel::Warn => tracing::warn!(target: "skill", skill, invocation, fields, "{message}"),
        LogLevel::Error => tracing::error!(target: "skill", skill, invocation, fields, "{message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn personal_values_are_masked() {
        assert_eq!(masked("mail ann@shop.example now"), "mail [redacted] now");
        assert_eq!(masked("nothing here"), "nothing here");
    }
}
