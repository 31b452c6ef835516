//! Sections `[restricted.NAME]` of `privacy.toml`.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;

use super::Category;
use crate::limits::MAX_NAMED;

/// Sections of one file.
const MOST_SECTIONS: usize = 64;
/// Wordings of one kind in one section.
const MOST_WORDINGS: usize = 500;
/// Bytes of one wording.
const LONGEST_WORDING: usize = 1_000;
/// Bytes of one answer.
const LONGEST_ANSWER: usize = 2_000;

/// Whether tools are called for a message with restricted content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tools {
    /// The turn goes on as ever; people are asked besides.
    Run,
    /// No tool is called.
    Stop,
}

/// An operator's sections, by the names of their categories. A name that does not come
/// with Postern makes a category of its own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct RestrictedRules(BTreeMap<String, RestrictedRule>);

/// What an operator says about a category.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RestrictedRule {
    /// Whether it is looked for.
    pub enabled: bool,
    /// Wordings that tell it, besides those that come with Postern. Case, width and short
    /// forms make no difference, and words are found as a whole.
    pub phrases: Vec<String>,
    /// The same as regular expressions on the [canonical](super::canonical()) text.
    pub patterns: Vec<String>,
    /// Regular expressions for what is not meant: such parts of a text tell nothing.
    pub not: Vec<String>,
    /// The queue of those who look after it. Without it, it is that of escalations.
    pub team: Option<String>,
    /// What the customer is told, by language; it must not repeat anything.
    pub answer: BTreeMap<String, String>,
    /// Where help is to be had at once, such as the number to call in an emergency, by
    /// language. It follows the answer.
    pub emergency: BTreeMap<String, String>,
    /// Whether tools are called.
    pub tools: Option<Tools>,
}

impl Default for RestrictedRule {
    fn default() -> Self {
        Self {
            enabled: true,
            phrases: Vec::new(),
            patterns: Vec::new(),
            not: Vec::new(),
            team: None,
            answer: BTreeMap::new(),
            emergency: BTreeMap::new(),
            tools: None,
        }
    }
}

/// Something that is wrong with a section.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct RestrictedError {
    /// The section: `health`.
    pub section: String,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: String,
}

impl fmt::Display for RestrictedError {
    /// `restricted.health: what is wrong (what would be right)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "restricted.{}: {} ({})", self.section, self.message, self.hint)
    }
}

impl RestrictedError {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { section: String::new(), message: message.into(), hint: hint.into() }
    }

    /// With the section's name.
    pub(super) fn of(self, section: &str) -> Self {
        Self { section: section.to_owned(), ..self }
    }
}

impl RestrictedRules {
    /// Every category with its section; those that come with Postern first, whether or
    /// not the operator says something about them.
    pub(super) fn sections(
        &self,
        errors: &mut Vec<RestrictedError>,
    ) -> Vec<(Category, String, RestrictedRule)> {
        if self.0.len() > MOST_SECTIONS {
            let message = format!("{} sections", self.0.len());
            let hint = format!("there are at most {MOST_SECTIONS}");
            errors.push(RestrictedError::new(message, hint).of("*"));
            return Vec::new();
        }
        for (name, rule) in &self.0 {
            errors.extend(rule.check(name).map(|error| error.of(name)));
        }
        let standard = Category::ALL.into_iter().map(|category| {
            let name = category.as_str();
            (category, name.to_owned(), self.0.get(name).cloned().unwrap_or_default())
        });
        let own = self.0.iter().filter(|(name, _)| Category::named(name).is_none());
        let own = own
            .zip(0..)
            .map(|((name, rule), place)| (Category::Custom(place), name.clone(), rule.clone()));
        standard.chain(own).collect()
    }
}

impl RestrictedRule {
    /// What is wrong apart from the regular expressions.
    fn check(&self, name: &str) -> impl Iterator<Item = RestrictedError> {
        let is_name = |name: &str| {
            !name.is_empty()
                && name.len() <= MAX_NAMED
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        let mut errors = Vec::new();
        if !is_name(name) {
            let message = "a name of a category that is none";
            errors.push(RestrictedError::new(message, "use small letters, digits and `_`"));
        }
        let lists = [("phrases", &self.phrases), ("patterns", &self.patterns), ("not", &self.not)];
        for (field, list) in lists {
            if list.len() > MOST_WORDINGS {
                let message = format!("`{field}` has {} entries", list.len());
                errors.push(RestrictedError::new(message, format!("at most {MOST_WORDINGS}")));
            }
            let odd = |it: &String| it.trim().is_empty() || it.len() > LONGEST_WORDING;
            if let Some(place) = list.iter().position(odd) {
                let message = format!("`{field}[{place}]` is empty or too long");
                errors.push(RestrictedError::new(
                    message,
                    format!("an entry has 1 to {LONGEST_WORDING} bytes"),
                ));
            }
        }
        let is_own = Category::named(name).is_none();
        if is_own && self.phrases.is_empty() && self.patterns.is_empty() {
            let known: Vec<&str> = Category::ALL.iter().map(|category| category.as_str()).collect();
            let hint = crate::error::did_you_mean(name, known)
                .unwrap_or_else(|| "give it `phrases` or `patterns`".to_owned());
            errors.push(RestrictedError::new("nothing tells this category", hint));
        }
        for (field, texts) in [("answer", &self.answer), ("emergency", &self.emergency)] {
            for (language, text) in texts {
                if !(2..=3).contains(&language.len())
                    || !language.bytes().all(|b| b.is_ascii_lowercase())
                {
                    let message = format!("`{field}.{language}` is for no language");
                    errors.push(RestrictedError::new(message, "write `en` or `zh`"));
                }
                if text.trim().is_empty() || text.len() > LONGEST_ANSWER {
                    let message = format!("`{field}.{language}` is empty or too long");
                    let hint = format!("a text has 1 to {LONGEST_ANSWER} bytes");
                    errors.push(RestrictedError::new(message, hint));
                }
            }
        }
        if self.team.as_deref().is_some_and(|team| team.trim().is_empty()) {
            errors.push(RestrictedError::new("`team` is empty", "name a queue"));
        }
        errors.into_iter()
    }
}
