//! `privacy.toml`: an operator's own types of personal data, lists, and what is done with
//! each type.

mod file;
mod own;

#[cfg(test)]
mod tests;

use std::{borrow::Cow, sync::Arc};

pub(super) use self::own::Own;
use super::{Detector, Finding, Purpose, uses::Uses};
use crate::{PolicyError, PolicySource, restricted::Restricted};

/// What `privacy.toml` says, checked. Without the file nothing is said, and what comes
/// with Postern holds.
#[derive(Clone, Debug)]
pub struct PrivacyRules {
    pub(super) uses: Uses,
    pub(super) own: Arc<Own>,
    restricted: Arc<Restricted>,
}

impl Default for PrivacyRules {
    fn default() -> Self {
        Self {
            uses: Uses::standard(),
            own: Arc::new(Own::default()),
            restricted: Restricted::standard(),
        }
    }
}

/// What happens to an operator's own type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A placeholder stands for it, which a rule can have restored where it is needed.
    #[default]
    Placeholder,
    /// It is taken out for good: its replacement stands for it, and no rule reveals it.
    Redact,
    /// It is counted and shown where findings are, and stays.
    Report,
}

impl PrivacyRules {
    /// Reads the file.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its line.
    pub fn read(source: &PolicySource) -> Result<Self, Vec<PolicyError>> {
        file::read(source)
    }

    /// What finds restricted content, by the sections about it.
    pub fn restricted(&self) -> &Arc<Restricted> {
        &self.restricted
    }
}

impl Detector {
    /// The text without what an operator wants out for good; the rest is for placeholders.
    pub fn strike<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut found = self.find_for(text, Purpose::Placeholders);
        found.retain(|one| self.action(one.kind) == Action::Redact);
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for Finding { span, kind, .. } in found {
            out.push_str(&text[at..span.start]);
            out.push_str(&self.replacement(kind));
            at = span.end;
        }
        out.push_str(&text[at..]);
        Cow::Owned(out)
    }
}
