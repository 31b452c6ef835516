//! Compares what a step came to with what was expected of it.

mod calls;
mod requests;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    Difference, Expect, Limits, OutcomeKind, Request, TicketExpected, edge::bounded,
    expect::Decision, fits,
};

/// What a step came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// What it came to; none if no tool ran and nothing was asked.
    pub outcome: Option<OutcomeKind>,
    /// What the customer reads, or the skill said.
    pub text: String,
    /// The entity that is asked for.
    pub asks: Option<String>,
    /// Why a person should go on.
    pub reason: Option<String>,
    /// How soon.
    pub severity: Option<String>,
    /// For what it waits.
    pub waits_for: Option<String>,
    /// The tool that ran last.
    pub tool: Option<String>,
    /// The host calls, without log lines.
    pub calls: Vec<HostCallSeen>,
    /// The HTTP requests that went out.
    pub requests: Vec<Request>,
    /// The conversation's ticket afterwards.
    pub ticket: Option<TicketSeen>,
    /// Records afterwards that the expectation names, if they are there.
    pub records: BTreeMap<(String, String), Value>,
    /// Whether rules decided: natively there are none.
    pub judged: bool,
}

/// One host call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostCallSeen {
    /// The action.
    pub action: String,
    /// On what.
    pub resource: String,
    /// What rules said.
    pub decision: Decision,
    /// The rules that decided.
    pub rules: Vec<String>,
    /// The kind of failure that the skill got.
    pub fails: Option<String>,
    /// In whose words.
    pub message: Option<String>,
    /// Whether it had waited for somebody's word, who has decided since.
    pub awaited: bool,
}

/// A ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketSeen {
    /// Where it stands.
    pub status: String,
    /// `P1` to `P4`.
    pub priority: String,
    /// Where it waits for a person.
    pub queue: Option<String>,
    /// What it is about.
    pub subject: String,
    /// Its tags.
    pub tags: Vec<String>,
}

/// What calls of tools used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Units of fuel, all together.
    pub fuel: u64,
    /// The peak of memory in KiB.
    pub memory_kib: u64,
    /// Host calls, all together.
    pub host_calls: u32,
}

/// What differs from what was expected of a step.
pub fn check(expect: &Expect, seen: &Seen) -> Vec<Difference> {
    let mut differences = Vec::new();
    if let Some(outcome) = expect.outcome
        && seen.outcome != Some(outcome)
    {
        let got = seen.outcome.map_or("nothing: no tool ran".to_owned(), |got| got.to_string());
        let got =
            if seen.text.is_empty() { got } else { format!("{got}: {}", bounded(&seen.text)) };
        differences.push(Difference::new("outcome", outcome.as_str(), got));
    }
    texts(expect, seen, &mut differences);
    let same = [
        ("asks", &expect.asks, &seen.asks),
        ("reason", &expect.reason, &seen.reason),
        ("severity", &expect.severity, &seen.severity),
        ("tool", &expect.tool, &seen.tool),
    ];
    let judged = [("waits_for", &expect.waits_for, &seen.waits_for)];
    for (what, wanted, got) in same.into_iter().chain(judged.into_iter().filter(|_| seen.judged)) {
        if let Some(wanted) = wanted
            && got.as_ref() != Some(wanted)
        {
            let got = got.as_deref().unwrap_or("nothing");
            differences.push(Difference::new(what, wanted, got));
        }
    }
    calls::check(expect, seen, &mut differences);
    if let Some(wanted) = &expect.requests {
        requests::check(wanted, &seen.requests, &mut differences);
    }
    if let Some(wanted) = expect.ticket.as_ref().filter(|_| seen.judged) {
        ticket(wanted, seen.ticket.as_ref(), &mut differences);
    }
    records(expect, seen, &mut differences);
    differences
}

fn texts(expect: &Expect, seen: &Seen, differences: &mut Vec<Difference>) {
    let Seen { text, .. } = seen;
    if let Some(wanted) = &expect.text
        && wanted != text
    {
        differences.push(Difference::new("text", wanted, text));
    }
    for part in expect.contains.iter().filter(|part| !text.contains(*part)) {
        differences.push(Difference::new("text", format!("… {part} …"), text));
    }
    for part in expect.excludes.iter().filter(|part| text.contains(*part)) {
        differences.push(Difference::new("text", format!("without {part}"), text));
    }
}

fn ticket(wanted: &TicketExpected, got: Option<&TicketSeen>, differences: &mut Vec<Difference>) {
    let Some(got) = got else {
        differences.push(Difference::new("ticket", "a ticket", "none"));
        return;
    };
    let pairs = [
        ("ticket.status", &wanted.status, Some(&got.status)),
        ("ticket.priority", &wanted.priority, Some(&got.priority)),
        ("ticket.queue", &wanted.queue, got.queue.as_ref()),
        ("ticket.subject", &wanted.subject, Some(&got.subject)),
    ];
    for (what, wanted, got) in pairs {
        if let Some(wanted) = wanted
            && got != Some(wanted)
        {
            let got = got.map_or("none", String::as_str);
            differences.push(Difference::new(what, wanted, got));
        }
    }
    for tag in wanted.tags.iter().filter(|tag| !got.tags.contains(tag)) {
        differences.push(Difference::new("ticket.tags", tag, got.tags.join(", ")));
    }
}

fn records(expect: &Expect, seen: &Seen, differences: &mut Vec<Difference>) {
    for (collection, wanted) in &expect.records {
        for (key, wanted) in wanted {
            let what = format!("record {collection}/{key}");
            match seen.records.get(&(collection.clone(), key.clone())) {
                None => {
                    differences.push(Difference::new(what, wanted.to_string(), "no such record"));
                }
                Some(got) if !fits::value_fits(wanted, got) => {
                    differences.push(Difference::new(what, wanted.to_string(), got.to_string()));
                }
                Some(_) => {}
            }
        }
    }
    for name in &expect.gone {
        let (collection, key) = name.split_once('/').unwrap_or((name, ""));
        if let Some(got) = seen.records.get(&(collection.to_owned(), key.to_owned())) {
            differences.push(Difference::new(format!("record {name}"), "gone", got.to_string()));
        }
    }
}

/// What differs from what was expected of the use of the machine.
pub fn check_limits(limits: &Limits, used: &Usage) -> Vec<Difference> {
    let Limits { fuel, most_fuel, memory_kib, most_memory_kib, most_host_calls } = *limits;
    let exactly = [("fuel", fuel, used.fuel), ("memory_kib", memory_kib, used.memory_kib)];
    let most_host_calls = most_host_calls.map(u64::from);
    let at_most = [
        ("most_fuel", most_fuel, used.fuel),
        ("most_memory_kib", most_memory_kib, used.memory_kib),
        ("most_host_calls", most_host_calls, u64::from(used.host_calls)),
    ];
    let wrong = exactly
        .into_iter()
        .filter_map(|(what, wanted, got)| Some((what, wanted.filter(|it| *it != got)?, "", got)));
    let over = at_most.into_iter().filter_map(|(what, most, got)| {
        Some((what, most.filter(|it| got > *it)?, "at most ", got))
    });
    wrong
        .chain(over)
        .map(|(what, wanted, how, got)| {
            Difference::new(format!("limits.{what}"), format!("{how}{wanted}"), got.to_string())
        })
        .collect()
}

#[cfg(test)]
mod tests;
