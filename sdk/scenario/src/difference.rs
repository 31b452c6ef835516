//! What differs from what was expected.

use std::fmt;

/// One thing that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is about, such as `outcome`.
    pub what: String,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub got: String,
    /// What may help, if anything.
    pub hint: Option<String>,
}

impl Difference {
    pub(crate) fn new(
        what: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> Self {
        Self { what: what.into(), expected: expected.into(), got: got.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let indented = |text: &str| text.replace('\n', "\n            ");
        writeln!(f, "{}", self.what)?;
        writeln!(f, "  expected: {}", indented(&self.expected))?;
        write!(f, "  got:      {}", indented(&self.got))?;
        match &self.hint {
            Some(hint) => write!(f, "\n  {}", indented(hint)),
            None => Ok(()),
        }
    }
}
