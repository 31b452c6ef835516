//! `limits.toml`: how much there is of what. Rules say to what it applies.

use std::collections::BTreeMap;

use postern_domain::Take;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::{
    PolicyError, PolicySource,
    error::of_toml,
    limits::{MAX_FILE_BYTES, MAX_NAMED},
    units::{milliseconds, minor_units},
};

/// For whom a limit is counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Each skill.
    Skill,
    /// Each customer; conversations in which nobody is identified count as
    /// customers of their own.
    Customer,
    /// Each conversation.
    Conversation,
    /// Each tool of each skill.
    Tool,
    /// Each account of a channel on which customers write.
    Account,
    /// Nobody: it is one for all.
    Global,
}

/// So many calls in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rate {
    /// For whom it is counted.
    pub per: Per,
    /// How many calls.
    pub count: u32,
    /// The period.
    pub window_ms: i64,
    /// How many of them may come at once; all of them if nothing is said.
    pub burst: u32,
}

impl Rate {
    /// What one call takes.
    pub fn take(&self) -> Take {
        let interval_ms = (self.window_ms / i64::from(self.count)).max(1);
        Take::Rate { interval_ms, burst: self.burst }
    }
}

/// A bound on money, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// For whom the sum is counted.
    pub per: Per,
    /// The most that one call may move.
    pub max: Option<i64>,
    /// The most that calls may move together.
    pub sum: Option<Sum>,
}

/// A bound on a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// The most, in minor units.
    pub most: i64,
    /// Within this time.
    pub window_ms: i64,
}

impl Amount {
    /// Whether a call that moves this much is within the bound by itself. An amount
    /// that is not known, or negative, never is.
    pub fn holds(&self, amount: Option<i64>) -> bool {
        let most = [self.max, self.sum.map(|sum| sum.most)].into_iter().flatten().min();
        amount.is_some_and(|amount| amount >= 0 && most.is_some_and(|most| amount <= most))
    }

    /// What a call that moves this much takes from the sum, if there is one.
    pub fn take(&self, amount: i64) -> Option<Take> {
        let take = |sum: Sum| Take::Sum { amount, most: sum.most, window_ms: sum.window_ms };
        self.sum.map(take)
    }
}

/// So many calls at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Concurrency {
    /// For whom they are counted.
    pub per: Per,
    /// How many.
    pub most: u32,
}

/// Everything in `limits.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quantities {
    pub(crate) rate: BTreeMap<String, Rate>,
    pub(crate) amount: BTreeMap<String, Amount>,
    pub(crate) concurrency: BTreeMap<String, Concurrency>,
}

const NAME_OF_RATE: &str = "a rate has this name already: choose another";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rate: BTreeMap<String, Spanned<RawRate>>,
    #[serde(default)]
    amount: BTreeMap<String, Spanned<RawAmount>>,
    #[serde(default)]
    concurrency: BTreeMap<String, Spanned<RawConcurrency>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRate {
    per: Per,
    count: u32,
    window: String,
    burst: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAmount {
    per: Per,
    max: Option<String>,
    sum: Option<String>,
    window: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConcurrency {
    per: Per,
    most: u32,
}

impl Quantities {
    /// Reads the file. What is wrong goes to `errors`.
    pub(crate) fn read(source: &PolicySource, errors: &mut Vec<PolicyError>) -> Self {
        let mut all = Self::default();
        let file: File = match parse(source) {
            Ok(file) => file,
            Err(error) => {
                errors.push(error);
                return all;
            }
        };
        let mut check = Check { source, errors };
        for (name, raw) in file.rate {
            if let Some(rate) = check.entry("rate", &name, &raw, RawRate::checked) {
                all.rate.insert(name, rate);
            }
        }
        for (name, raw) in file.amount {
            // What is reserved in the store is known by name.
            let taken = all.rate.contains_key(&name);
            let checked = |raw: &RawAmount| match taken {
                true => Err(NAME_OF_RATE.to_owned()),
                false => raw.checked(),
            };
            if let Some(amount) = check.entry("amount", &name, &raw, checked) {
                all.amount.insert(name, amount);
            }
        }
        for (name, raw) in file.concurrency {
            // Both are what `@limit` names.
            let taken = all.rate.contains_key(&name);
            let checked = |raw: &RawConcurrency| match taken {
                true => Err(NAME_OF_RATE.to_owned()),
                false => raw.checked(),
            };
            if let Some(concurrency) = check.entry("concurrency", &name, &raw, checked) {
                all.concurrency.insert(name, concurrency);
            }
        }
        all
    }

    /// The names that `@limit` can give.
    pub(crate) fn limits(&self) -> impl Iterator<Item = &str> {
        self.rate.keys().chain(self.concurrency.keys()).map(String::as_str)
    }
}

impl RawRate {
    fn checked(&self) -> Result<Rate, String> {
        let burst = self.burst.unwrap_or(self.count);
        if self.count == 0 || burst == 0 {
            return Err("`count` and `burst` are at least 1".to_owned());
        }
        if burst > self.count {
            return Err("`burst` is at most `count`".to_owned());
        }
        let window_ms = milliseconds(&self.window)?;
        Ok(Rate { per: self.per, count: self.count, window_ms, burst })
    }
}

impl RawAmount {
    fn checked(&self) -> Result<Amount, String> {
        let max = self.max.as_deref().map(minor_units).transpose()?;
        let most = self.sum.as_deref().map(minor_units).transpose()?;
        let window_ms = self.window.as_deref().map(milliseconds).transpose()?;
        let sum = match (most, window_ms) {
            (Some(most), Some(window_ms)) => Some(Sum { most, window_ms }),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err("`sum` and `window` belong together".to_owned());
            }
        };
        if max.is_none() && sum.is_none() {
            return Err("it bounds nothing: give `max`, or `sum` and `window`".to_owned());
        }
        Ok(Amount { per: self.per, max, sum })
    }
}

impl RawConcurrency {
    fn checked(&self) -> Result<Concurrency, String> {
        if self.most == 0 {
            return Err("`most` is at least 1".to_owned());
        }
        Ok(Concurrency { per: self.per, most: self.most })
    }
}

/// Reads a TOML file of a known shape.
///
/// # Errors
/// It is too large, no TOML, or of another shape.
pub(crate) fn parse<T: for<'de> Deserialize<'de>>(source: &PolicySource) -> Result<T, PolicyError> {
    if source.text.len() > MAX_FILE_BYTES {
        let message = format!("{} bytes; a file has at most {MAX_FILE_BYTES}", source.text.len());
        return Err(PolicyError::of_file(&source.file, message));
    }
    toml::from_str(&source.text).map_err(|error| of_toml(source, &error))
}

/// Checks entries one by one.
pub(crate) struct Check<'a> {
    pub(crate) source: &'a PolicySource,
    pub(crate) errors: &'a mut Vec<PolicyError>,
}

impl Check<'_> {
    /// An entry as it was meant, or an error at its place.
    pub(crate) fn entry<R, T>(
        &mut self,
        kind: &str,
        name: &str,
        raw: &Spanned<R>,
        checked: impl FnOnce(&R) -> Result<T, String>,
    ) -> Option<T> {
        let found = match is_name(name) {
            true => checked(raw.get_ref()),
            false => Err(format!(
                "the name is not one: use 1 to {MAX_NAMED} lower-case letters, digits and \
                 hyphens, a letter first"
            )),
        };
        found
            .map_err(|message| {
                let message = format!("{kind} {name:?}: {message}");
                let PolicySource { file, text } = self.source;
                self.errors.push(PolicyError::at(file, text, raw.span().start, message));
            })
            .ok()
    }
}

/// Whether something can have this name in rules.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=MAX_NAMED).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}
