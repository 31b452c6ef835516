//! Log lines of skills, in the host's own log.

use postern_domain::{LogLevel, LogLine};
use tracing::Level;

use crate::{gate::Caller, redaction};

/// A line with everything personal masked.
pub(crate) fn masked(line: &LogLine) -> LogLine {
    LogLine {
        level: line.level,
        message: masked_text(&line.message),
        fields: line
            .fields
            .iter()
            .map(|(name, value)| (masked_text(name), masked_text(value)))
            .collect(),
    }
}

/// A text with everything personal masked. A skill sees placeholders, but may
/// have been given values in places that nobody declared personal.
fn masked_text(text: &str) -> String {
    redaction::clean(text).into_owned()
}

/// Writes one line, if anybody listens.
pub(super) fn write(line: &LogLine, caller: &Caller) {
    let heard = match line.level {
        LogLevel::Trace => tracing::enabled!(target: "skill", Level::TRACE),
        LogLevel::Debug => tracing::enabled!(target: "skill", Level::DEBUG),
        LogLevel::Info => tracing::enabled!(target: "skill", Level::INFO),
        LogLevel::Warn => tracing::enabled!(target: "skill", Level::WARN),
        LogLevel::Error => tracing::enabled!(target: "skill", Level::ERROR),
    };
    if !heard {
        return;
    }
    let LogLine { level, message, fields } = masked(line);
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let fields = fields.join(" ");
    let (skill, invocation) = (caller.skill.as_str(), caller.invocation.as_str());
    match level {
        LogLevel::Trace => tracing::trace!(target: "skill", skill, invocation, fields, "{message}"),
        LogLevel::Debug => tracing::debug!(target: "skill", skill, invocation, fields, "{message}"),
        LogLevel::Info => tracing::info!(target: "skill", skill, invocation, fields, "{message}"),
        LogLevel::Warn => tracing::warn!(target: "skill", skill, invocation, fields, "{message}"),
        LogLevel::Error => tracing::error!(target: "skill", skill, invocation, fields, "{message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::masked_text;

    #[test]
    fn personal_values_are_masked() {
        assert_eq!(masked_text("mail ann@shop.example now"), "mail [EMAIL] now");
        assert_eq!(masked_text("nothing here"), "nothing here");
    }
}
