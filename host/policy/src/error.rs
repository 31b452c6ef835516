//! What is wrong with a policy, and where.

use std::fmt;

use miette::Diagnostic;

use crate::PolicySource;

/// Something that is wrong with a schema, a rule or a declared collection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct PolicyError {
    /// The file as it was named to [`PolicySet::load`](crate::PolicySet::load),
    /// or `configuration` for declared collections.
    pub file: String,
    /// The line from 1, or 0 for the file as a whole.
    pub line: u32,
    /// The column from 1 in characters, or 0 for the file as a whole.
    pub column: u32,
    /// The rule's id, where it has one.
    pub rule: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

impl fmt::Display for PolicyError {
    /// `policies/base.cedar:12:3: rule x: what is wrong (what would be right)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        f.write_str(": ")?;
        if let Some(rule) = &self.rule {
            write!(f, "rule {rule}: ")?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl PolicyError {
    /// About a file as a whole.
    pub(crate) fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: 0,
            column: 0,
            rule: None,
            message: message.into(),
            hint: None,
        }
    }

    /// About a place in a file's text.
    pub(crate) fn at(file: &str, text: &str, offset: usize, message: impl Into<String>) -> Self {
        let (line, column) = position(text, offset);
        Self { line, column, ..Self::of_file(file, message) }
    }

    /// What Cedar said about a file's text. Of several places the first counts.
    pub(crate) fn of_diagnostic(file: &str, text: &str, found: &dyn Diagnostic) -> Self {
        let message = bounded(&found.to_string());
        let label = found.labels().and_then(|mut labels| labels.next());
        let hint = found
            .help()
            .map(|help| help.to_string())
            .or_else(|| label.as_ref().and_then(|l| l.label()).map(str::to_owned));
        let error = match label {
            Some(label) => Self::at(file, text, label.offset(), message),
            None => Self::of_file(file, message),
        };
        error.hint(hint.map(|hint| bounded(&hint)))
    }

    /// With the rule's id.
    #[must_use]
    pub(crate) fn rule(self, id: &str) -> Self {
        Self { rule: Some(id.to_owned()), ..self }
    }

    /// With what would be right.
    #[must_use]
    pub(crate) fn hint(self, hint: impl Into<Option<String>>) -> Self {
        Self { hint: hint.into(), ..self }
    }
}

/// Line and column, both from 1, of a byte offset.
fn position(text: &str, offset: usize) -> (u32, u32) {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before[line_start..].chars().count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

/// What is wrong with a TOML file's syntax or shape.
pub(crate) fn of_toml(source: &PolicySource, found: &toml::de::Error) -> PolicyError {
    let message = bounded(found.message());
    match found.span() {
        Some(span) => PolicyError::at(&source.file, &source.text, span.start, message),
        None => PolicyError::of_file(&source.file, message),
    }
}

/// Messages can quote the input: they end after a while, on one line.
fn bounded(message: &str) -> String {
    const MOST: usize = 400;
    let mut line: String = message.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(MOST) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// The known word that `word` was probably meant to be.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min()
        .map(|(_, candidate)| format!("did you mean `{candidate}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_and_survive_bad_offsets() {
        let text = "ä\nbç d";
        assert_eq!(position(text, 0), (1, 1));
        assert_eq!(position(text, 1), (1, 1));
        assert_eq!(position(text, text.find('d').unwrap()), (2, 4));
        assert_eq!(position(text, 10_000), (2, 5));
    }

    #[test]
    fn hints_are_close_words_only() {
        assert_eq!(did_you_mean("confrim", ["confirm", "id"]).unwrap(), "did you mean `confirm`?");
        assert_eq!(did_you_mean("colour", ["confirm", "id"]), None);
    }

    #[test]
    fn prints_place_rule_message_and_hint() {
        let error = PolicyError::at("a.cedar", "\n  x", 3, "no").rule("r").hint("yes".to_owned());
        assert_eq!(error.to_string(), "a.cedar:2:3: rule r: no (yes)");
        assert_eq!(PolicyError::of_file("a.cedar", "no").to_string(), "a.cedar: no");
    }
}
