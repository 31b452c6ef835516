//! A scenario as it is written.

use std::{path::Path, time::Duration};

use serde::Deserialize;
use serde_json::{Map, Value};
use toml::Spanned;

use crate::{Expect, Given, Limits, Moment, ScenarioError, time};

/// Steps of a scenario.
const MOST_STEPS: usize = 50;

/// One scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// What it is about.
    pub about: About,
    /// What is given.
    pub given: Given,
    /// What happens.
    pub steps: Vec<Step>,
    /// What its calls may use.
    pub limits: Limits,
}

/// What a scenario is about.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Its name.
    pub name: String,
    /// In a sentence or two.
    #[serde(default)]
    pub description: String,
    /// When it begins.
    #[serde(default)]
    pub time: Moment,
    /// The customer's language, as a BCP 47 tag.
    #[serde(default = "english")]
    pub language: String,
    /// The channel on which they write.
    #[serde(default = "web")]
    pub channel: String,
}

fn english() -> String {
    "en".to_owned()
}

fn web() -> String {
    "web".to_owned()
}

/// One thing that happens, and what is expected of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Where it stands in its file, from 1.
    pub line: usize,
    /// Time that passes before.
    pub after: Option<Duration>,
    /// What happens.
    pub what: What,
    /// What is expected.
    pub expect: Expect,
}

/// What happens in a step.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// The customer writes.
    Customer {
        /// The message.
        text: String,
    },
    /// A tool is called.
    Call {
        /// The tool.
        tool: String,
        /// Its arguments.
        arguments: Map<String, Value>,
    },
    /// Somebody allows what waits for people.
    Approve {
        /// Their route.
        route: String,
    },
    /// Somebody forbids what waits for people.
    Decline {
        /// Their route.
        route: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScenario {
    scenario: About,
    #[serde(default)]
    given: Given,
    #[serde(default)]
    step: Vec<Spanned<RawStep>>,
    #[serde(default)]
    expect: RawExpect,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawExpect {
    limits: Limits,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    customer: Option<String>,
    call: Option<String>,
    arguments: Option<Map<String, Value>>,
    approve: Option<String>,
    decline: Option<String>,
    #[serde(default, deserialize_with = "time::duration")]
    after: Option<Duration>,
    #[serde(default)]
    expect: Expect,
}

impl Scenario {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// It is not a scenario; the error says where and why.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ScenarioError> {
        let wrong = |at: usize, reason: String| {
            let (line, column) = place(text, at);
            ScenarioError::Syntax { path: path.to_owned(), line, column, reason }
        };
        let raw: RawScenario = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            wrong(at, error.message().to_owned())
        })?;
        if raw.scenario.name.trim().is_empty() {
            return Err(wrong(0, "[scenario] needs a `name` that says what is tested".to_owned()));
        }
        if raw.step.is_empty() {
            let reason = "nothing happens: write a [[step]] with `customer` or `call`";
            return Err(wrong(text.len(), reason.to_owned()));
        }
        if raw.step.len() > MOST_STEPS {
            let reason = format!("{} steps; at most {MOST_STEPS}", raw.step.len());
            return Err(wrong(0, reason));
        }
        let mut steps = Vec::with_capacity(raw.step.len());
        for step in raw.step {
            let at = step.span().start;
            let (line, _) = place(text, at);
            let (what, after, expect) =
                step.into_inner().read().map_err(|reason| wrong(at, reason.to_owned()))?;
            steps.push(Step { line, after, what, expect });
        }
        let (about, given, limits) = (raw.scenario, raw.given, raw.expect.limits);
        Ok(Self { about, given, steps, limits })
    }
}

impl RawStep {
    fn read(self) -> Result<(What, Option<Duration>, Expect), &'static str> {
        let Self { customer, call, arguments, approve, decline, after, expect } = self;
        if arguments.is_some() && call.is_none() {
            return Err("`arguments` belong to a `call`");
        }
        let what = match (customer, call, approve, decline) {
            (Some(text), None, None, None) => What::Customer { text },
            (None, Some(tool), None, None) => {
                What::Call { tool, arguments: arguments.unwrap_or_default() }
            }
            (None, None, Some(route), None) => What::Approve { route },
            (None, None, None, Some(route)) => What::Decline { route },
            _ => {
                return Err(
                    "a step has exactly one of `customer`, `call`, `approve` and `decline`",
                );
            }
        };
        Ok((what, after, expect))
    }
}

/// Line and column of a place in a text, both from 1.
pub(crate) fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    (line, column)
}

#[cfg(test)]
mod tests;
