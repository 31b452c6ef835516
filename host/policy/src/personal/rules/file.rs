//! The shape of the file, and the check of everything in it.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;
use toml::Spanned;

use super::{
    super::{DataKind, Purpose, uses::Uses},
    Action, PrivacyRules,
    own::{Lists, Own, OwnType, Pattern},
};
use crate::{
    PolicyError, PolicySource,
    error::did_you_mean,
    quantities::parse,
    restricted::{Restricted, RestrictedError, RestrictedRules},
};

/// Types of one file.
const MOST_TYPES: usize = 64;
const MOST_PATTERNS: usize = 128;
/// Words and values of one list.
const MOST_WORDS: usize = 10_000;
/// Bytes of an expression or a word.
const LONGEST: usize = 2_000;
/// Characters of a name: those that a placeholder has room for.
const LONGEST_NAME: usize = 24;
/// Bytes of a replacement.
const LONGEST_REPLACEMENT: usize = 64;
/// How sure a pattern is that says nothing about it.
const CONFIDENCE: u8 = 80;
/// The least confidence at which a type is taken out, if the file only says that it is.
const PLACEHOLDERS_AT: u8 = 50;
const LOGS_AT: u8 = 40;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    types: BTreeMap<String, Spanned<RawUse>>,
    #[serde(default)]
    pattern: Vec<Spanned<RawPattern>>,
    #[serde(default)]
    deny: Vec<Spanned<RawDeny>>,
    allow: Option<Spanned<RawAllow>>,
    #[serde(default)]
    restricted: RestrictedRules,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawUse {
    placeholders: Option<bool>,
    placeholders_at: Option<u8>,
    logs: Option<bool>,
    logs_at: Option<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPattern {
    r#type: String,
    regex: String,
    action: Option<Action>,
    replacement: Option<String>,
    confidence: Option<u8>,
    #[serde(default)]
    context: Vec<String>,
    #[serde(default)]
    not_context: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDeny {
    r#type: String,
    words: Vec<String>,
    action: Option<Action>,
    replacement: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAllow {
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    patterns: Vec<String>,
}

/// Reads the file, with everything that is wrong.
pub(super) fn read(source: &PolicySource) -> Result<PrivacyRules, Vec<PolicyError>> {
    let file: File = parse(source).map_err(|error| vec![error])?;
    let mut reader = Reader { source, errors: Vec::new(), types: Vec::new() };
    let mut patterns = Vec::new();
    reader.bound("pattern", file.pattern.len(), MOST_PATTERNS);
    for raw in &file.pattern {
        let named = &raw.get_ref().r#type;
        let found = reader.pattern(raw.get_ref());
        patterns.extend(reader.keep(&format!("pattern {named:?}"), raw, found));
    }
    let mut words = Vec::new();
    for raw in &file.deny {
        let named = &raw.get_ref().r#type;
        let found = reader.deny(raw.get_ref());
        words.extend(reader.keep(&format!("deny {named:?}"), raw, found).into_iter().flatten());
    }
    let allow = file.allow.map(|raw| {
        let found = check_words(&raw.get_ref().values)
            .and_then(|()| Lists::allowed(&raw.get_ref().values, &raw.get_ref().patterns));
        reader.keep("allow", &raw, found)
    });
    let mut uses = Uses::standard();
    for (place, own) in (0..).zip(&reader.types) {
        if own.action == Action::Report {
            uses.set(DataKind::Custom(place), Purpose::Placeholders, None);
            uses.set(DataKind::Custom(place), Purpose::Logs, None);
        }
    }
    for (name, raw) in &file.types {
        let found = reader.uses(name, raw.get_ref(), &mut uses);
        reader.keep(&format!("types {name:?}"), raw, found);
    }
    let lists = Lists::new(words, allow.flatten().unwrap_or_default()).unwrap_or_else(|message| {
        reader.errors.push(PolicyError::of_file(&source.file, format!("deny: {message}")));
        Lists::default()
    });
    let own = Own::new(std::mem::take(&mut reader.types), patterns, lists);
    let restricted = match Restricted::new(&file.restricted) {
        Ok(restricted) => Arc::new(restricted),
        Err(found) => {
            reader.errors.extend(found.iter().map(|error| of_section(source, error)));
            Restricted::standard()
        }
    };
    if !reader.errors.is_empty() {
        return Err(reader.errors);
    }
    for (raw, message) in file.pattern.iter().zip(own.unstable()) {
        let what = format!("pattern {:?}", raw.get_ref().r#type);
        reader.errors.extend(message.map(|message| at(source, raw, &what, message)));
    }
    match reader.errors.is_empty() {
        true => Ok(PrivacyRules { uses, own: Arc::new(own), restricted }),
        false => Err(reader.errors),
    }
}

fn at<T>(source: &PolicySource, raw: &Spanned<T>, what: &str, message: String) -> PolicyError {
    PolicyError::at(&source.file, &source.text, raw.span().start, format!("{what}: {message}"))
}

/// What is wrong with a section on restricted content, at its first line.
fn of_section(source: &PolicySource, error: &RestrictedError) -> PolicyError {
    let PolicySource { file, text } = source;
    let RestrictedError { section, message, hint } = error;
    let message = format!("restricted {section:?}: {message}");
    match text.find(&format!("[restricted.{section}")) {
        Some(offset) => PolicyError::at(file, text, offset, message),
        None => PolicyError::of_file(file, message),
    }
    .hint(hint.clone())
}

struct Reader<'s> {
    source: &'s PolicySource,
    errors: Vec<PolicyError>,
    types: Vec<OwnType>,
}

impl Reader<'_> {
    /// What was found, or nothing and an error at its place.
    fn keep<R, T>(&mut self, what: &str, raw: &Spanned<R>, found: Result<T, String>) -> Option<T> {
        found.map_err(|message| self.errors.push(at(self.source, raw, what, message))).ok()
    }

    fn bound(&mut self, what: &str, count: usize, most: usize) {
        if count > most {
            let message = format!("{count} entries `{what}`; a file has at most {most}");
            self.errors.push(PolicyError::of_file(&self.source.file, message));
        }
    }

    fn pattern(&mut self, raw: &RawPattern) -> Result<Pattern, String> {
        let kind = self.kind(&raw.r#type, raw.action, raw.replacement.as_deref())?;
        let confidence = raw.confidence.unwrap_or(CONFIDENCE);
        if !(1..=100).contains(&confidence) {
            return Err("`confidence` is a percentage: 1 to 100".to_owned());
        }
        if raw.regex.len() > LONGEST {
            return Err(format!("an expression has at most {LONGEST} bytes: make two of it"));
        }
        check_words(&raw.context)?;
        check_words(&raw.not_context)?;
        Pattern::new(kind, &raw.regex, confidence, &raw.context, &raw.not_context)
    }

    fn deny(&mut self, raw: &RawDeny) -> Result<Vec<(String, DataKind)>, String> {
        let kind = self.kind(&raw.r#type, raw.action, raw.replacement.as_deref())?;
        check_words(&raw.words)?;
        Ok(raw.words.iter().map(|word| (word.clone(), kind)).collect())
    }

    /// The type of this name, which is the operator's own if none comes with Postern.
    fn kind(
        &mut self,
        name: &str,
        action: Option<Action>,
        replacement: Option<&str>,
    ) -> Result<DataKind, String> {
        if let Some(kind) = DataKind::named(name) {
            return match action.is_some() || replacement.is_some() {
                true => Err(format!(
                    "`action` and `replacement` are for types of your own: what is done with \
                     {name} stands in [types.{name}]"
                )),
                false => Ok(kind),
            };
        }
        if !is_name(name) {
            return Err(format!(
                "the type has no name: use 1 to {LONGEST_NAME} capitals and `_`, a capital \
                 first and last, as in MEMBER_NO"
            ));
        }
        if let Some(text) = replacement {
            check_replacement(text)?;
        }
        let action = action.unwrap_or_default();
        let said = replacement.map(str::to_owned);
        if let Some(place) = self.types.iter().position(|own| own.name == name) {
            let own = &mut self.types[place];
            if own.action != action || said.is_some() && own.replacement != said {
                return Err(format!(
                    "{name} has another `action` or `replacement` above: write the same in all \
                     its entries"
                ));
            }
            return Ok(DataKind::Custom(u16::try_from(place).unwrap_or(u16::MAX)));
        }
        if self.types.len() == MOST_TYPES {
            return Err(format!("a file has at most {MOST_TYPES} types of its own"));
        }
        let place = u16::try_from(self.types.len()).unwrap_or(u16::MAX);
        self.types.push(OwnType { name: name.to_owned(), action, replacement: said });
        Ok(DataKind::Custom(place))
    }

    fn uses(&self, name: &str, raw: &RawUse, uses: &mut Uses) -> Result<(), String> {
        let own = self.types.iter().position(|own| own.name == name);
        let own = own.and_then(|place| u16::try_from(place).ok()).map(DataKind::Custom);
        let Some(kind) = DataKind::named(name).or(own) else {
            let known = DataKind::ALL.iter().map(|kind| kind.as_str());
            let known = known.chain(self.types.iter().map(|own| own.name.as_str()));
            let hint = did_you_mean(name, known).unwrap_or_else(|| {
                "write EMAIL, PHONE, … or a type that a pattern of this file has".to_owned()
            });
            return Err(format!("there is no such type: {hint}"));
        };
        let said = [
            (Purpose::Placeholders, "placeholders", raw.placeholders, raw.placeholders_at),
            (Purpose::Logs, "logs", raw.logs, raw.logs_at),
        ];
        for (purpose, field, taken, threshold) in said {
            if threshold.is_some_and(|threshold| !(1..=100).contains(&threshold)) {
                return Err(format!("`{field}_at` is a percentage: 1 to 100"));
            }
            let by_default = uses.takes(kind, purpose, 100);
            let standard = match purpose {
                Purpose::Placeholders => PLACEHOLDERS_AT,
                Purpose::Logs => LOGS_AT,
            };
            match (taken, threshold) {
                (None, None) => {}
                (Some(false), None) => uses.set(kind, purpose, None),
                (Some(true), threshold) => {
                    uses.set(kind, purpose, Some(threshold.unwrap_or(standard)));
                }
                (None, Some(threshold)) if by_default => uses.set(kind, purpose, Some(threshold)),
                (Some(false) | None, Some(_)) => {
                    return Err(format!(
                        "`{field}_at` says when, but {name} stays in: write `{field} = true`"
                    ));
                }
            }
        }
        Ok(())
    }
}

/// A name that placeholders and rules can hold.
fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        && !name.starts_with('_')
        && !name.ends_with('_')
}

fn check_words(words: &[String]) -> Result<(), String> {
    if words.len() > MOST_WORDS {
        return Err(format!("{} words; a list has at most {MOST_WORDS}", words.len()));
    }
    match words.iter().position(|word| word.trim().is_empty() || word.len() > LONGEST) {
        Some(place) => {
            Err(format!("word {} is empty or longer than {LONGEST} bytes: take it out", place + 1))
        }
        None => Ok(()),
    }
}

fn check_replacement(text: &str) -> Result<(), String> {
    let is_odd = |c: char| c.is_control() || matches!(c, '<' | '>');
    match text.is_empty() || text.len() > LONGEST_REPLACEMENT || text.contains(is_odd) {
        true => Err(format!(
            "`replacement` has 1 to {LONGEST_REPLACEMENT} bytes without `<` and `>`: write \
             \"[member]\""
        )),
        false => Ok(()),
    }
}
