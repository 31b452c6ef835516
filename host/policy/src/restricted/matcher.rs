//! The wordings of one category, compiled.

use regex::{Regex, RegexBuilder};

use super::{RestrictedError, RestrictedRule, canonical, lexicon::Wordings};

/// Bytes to which one expression of an operator may compile.
const MOST_OF_ONE: usize = 1 << 20;
/// Bytes to which the expressions of a category may compile together.
const MOST_OF_ALL: usize = 64 << 20;
/// Parts of a text that are left out at most; what comes after them tells what it tells.
const MOST_LEFT_OUT: usize = 64;
/// What stands for a part that is left out.
const LEFT_OUT: &str = "\u{1}";

/// Neither begins nor ends within a word or number. Chinese has no such borders.
const BORDERS: [&str; 2] = [r"(?-u:\b{start-half}|\b)(?:", r")(?-u:\b{end-half}|\b)"];

/// Finds the wordings of a category.
#[derive(Debug)]
pub(super) struct Matcher {
    wordings: Option<Regex>,
    not: Option<Regex>,
}

impl Matcher {
    /// Those that come with Postern and those of the operator.
    pub(super) fn new(
        standard: &Wordings,
        rule: &RestrictedRule,
    ) -> Result<Self, Vec<RestrictedError>> {
        let mut errors = Vec::new();
        let mut own = |field: &str, patterns: &[String]| -> Vec<String> {
            for (place, pattern) in patterns.iter().enumerate() {
                if let Err(found) = compiled(pattern, MOST_OF_ONE) {
                    let message = format!("`{field}[{place}]` is no usable expression: {found}");
                    let hint = "see https://docs.rs/regex/1/regex/#syntax";
                    errors.push(RestrictedError::new(message, hint));
                }
            }
            patterns.iter().map(|pattern| format!("(?i:{pattern})")).collect()
        };
        let (patterns, not) = (own("patterns", &rule.patterns), own("not", &rule.not));
        if !errors.is_empty() {
            return Err(errors);
        }
        let phrases = rule.phrases.iter().map(|phrase| regex::escape(canonical(phrase).trim()));
        let wordings = standard.patterns.iter().cloned().chain(patterns).chain(phrases);
        let not = standard.not.iter().cloned().chain(not);
        let any = |all: Vec<String>| {
            let alternatives = all.join("|");
            let all = (!all.is_empty()).then(|| compiled(&alternatives, MOST_OF_ALL)).transpose();
            all.map_err(|found| {
                let hint = "leave some of them out";
                vec![RestrictedError::new(format!("too much together: {found}"), hint)]
            })
        };
        Ok(Self { wordings: any(wordings.collect())?, not: any(not.collect())? })
    }

    /// How many wordings a canonical text has; it stops counting at two.
    pub(super) fn wordings(&self, text: &str) -> usize {
        let Some(wordings) = &self.wordings else { return 0 };
        if !wordings.is_match(text) {
            return 0;
        }
        let rest = match &self.not {
            Some(not) => not.replacen(text, MOST_LEFT_OUT, LEFT_OUT),
            None => text.into(),
        };
        wordings.find_iter(&rest).take(2).count()
    }
}

/// An expression between borders of words.
fn compiled(pattern: &str, most: usize) -> Result<Regex, String> {
    let [start, end] = BORDERS;
    RegexBuilder::new(&format!("{start}{pattern}{end}")).size_limit(most).build().map_err(|error| {
        match error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            other => other.to_string().lines().last().unwrap_or_default().to_owned(),
        }
    })
}
