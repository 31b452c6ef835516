//! Which tools came to which outcomes.

use std::{collections::BTreeMap, fmt};

use crate::OutcomeKind;

/// How one call of a tool ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The tool.
    pub tool: String,
    /// What it came to.
    pub outcome: OutcomeKind,
}

/// How often each tool came to each outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage(BTreeMap<String, [u32; COLUMNS.len()]>);

/// What is counted: failures of every kind together.
const COLUMNS: [&str; 6] = ["reply", "ask", "hand_over", "done", "waits", "failure"];

const fn column(outcome: OutcomeKind) -> usize {
    match outcome {
        OutcomeKind::Reply => 0,
        OutcomeKind::Ask => 1,
        OutcomeKind::HandOver => 2,
        OutcomeKind::Done => 3,
        OutcomeKind::Waits => 4,
        OutcomeKind::InvalidArguments
        | OutcomeKind::Denied
        | OutcomeKind::Unavailable
        | OutcomeKind::Internal
        | OutcomeKind::Limit
        | OutcomeKind::Trap => 5,
    }
}

impl Coverage {
    /// Of these tools, none of which was called yet.
    pub fn of<'t>(tools: impl IntoIterator<Item = &'t str>) -> Self {
        Self(tools.into_iter().map(|tool| (tool.to_owned(), [0; COLUMNS.len()])).collect())
    }

    /// Counts a call.
    pub fn count(&mut self, ended: &Ended) {
        self.0.entry(ended.tool.clone()).or_default()[column(ended.outcome)] += 1;
    }

    /// Tools that were never called.
    pub fn uncalled(&self) -> impl Iterator<Item = &str> {
        let never = |(_, counts): &(&String, &[u32; COLUMNS.len()])| counts.iter().all(|n| *n == 0);
        self.0.iter().filter(never).map(|(tool, _)| tool.as_str())
    }

    /// Counts by tool and outcome.
    pub fn rows(&self) -> impl Iterator<Item = (&str, impl Iterator<Item = (&'static str, u32)>)> {
        self.0.iter().map(|(tool, counts)| (tool.as_str(), COLUMNS.into_iter().zip(*counts)))
    }
}

impl fmt::Display for Coverage {
    /// A line for each tool: `order_status: reply 3, ask 1; never: hand_over …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (tool, counts)) in self.0.iter().enumerate() {
            let with = |wanted: fn(u32) -> bool| {
                COLUMNS.into_iter().zip(*counts).filter(move |(_, count)| wanted(*count))
            };
            let came: Vec<String> =
                with(|count| count > 0).map(|(name, count)| format!("{name} {count}")).collect();
            let never: Vec<&str> = with(|count| count == 0).map(|(name, _)| name).collect();
            let came = if came.is_empty() { "never called".to_owned() } else { came.join(", ") };
            let line_end = if i == 0 { "" } else { "\n" };
            write!(f, "{line_end}{tool}: {came}")?;
            if counts.iter().any(|count| *count > 0) && !never.is_empty() {
                write!(f, "; never: {}", never.join(", "))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_came_and_what_never_did() {
        let mut coverage = Coverage::of(["pay", "look"]);
        for outcome in [OutcomeKind::Reply, OutcomeKind::Denied, OutcomeKind::Trap] {
            coverage.count(&Ended { tool: "look".into(), outcome });
        }
        let text =
            "look: reply 1, failure 2; never: ask, hand_over, done, waits\npay: never called";
        assert_eq!(coverage.to_string(), text);
        assert_eq!(coverage.uncalled().collect::<Vec<_>>(), ["pay"]);
    }
}
