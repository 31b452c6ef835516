//! Writes what came into a scenario's file, as what is expected from now on.

use std::path::Path;

use postern_scenario::{
    self as format, CallExpected, Expect, HostCallSeen, Seen, Step, Usage, What,
};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

use super::{Outcome, RunError};

/// Puts what came to pass in the place of what a scenario expects, and keeps
/// everything else: comments, order, and expectations of kinds that nothing new was
/// seen of. Calls that are still as expected stay as they are written. Fuel and memory are
/// written where they stand already.
///
/// # Errors
/// The file cannot be read or written, or the scenario did not run to its end.
pub fn record(file: &Path, steps: &[Step], outcome: &Outcome) -> Result<(), RunError> {
    if let Some(error) = &outcome.error {
        return Err(RunError::Impossible(format!("{}: {error}", file.display())));
    }
    let io = |source| RunError::Io { path: file.to_owned(), source };
    let text = std::fs::read_to_string(file).map_err(io)?;
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        RunError::Form { path: file.to_owned(), reason: error.message().to_owned() }
    })?;
    if let Some(tables) = document.get_mut("step").and_then(Item::as_array_of_tables_mut) {
        for ((table, seen), step) in tables.iter_mut().zip(&outcome.steps).zip(steps) {
            let expect = table.entry("expect").or_insert_with(|| Item::Table(Table::new()));
            if let Some(expect) = expect.as_table_like_mut() {
                expected(expect, seen, step);
            }
        }
    }
    if let Some(limits) = document
        .get_mut("expect")
        .and_then(|expect| expect.get_mut("limits"))
        .and_then(Item::as_table_like_mut)
    {
        measured(limits, &outcome.usage);
    }
    let text = document.to_string();
    let staged = file.with_extension("toml.new");
    std::fs::write(&staged, text).map_err(io)?;
    std::fs::rename(&staged, file).map_err(io)
}

fn expected(expect: &mut dyn TableLike, seen: &Seen, step: &Step) {
    let mut set = |name: &str, new: Option<&str>| match new {
        Some(new) => drop(expect.insert(name, value(new))),
        None => drop(expect.remove(name)),
    };
    set("outcome", seen.outcome.map(|outcome| outcome.as_str()));
    set("asks", seen.asks.as_deref());
    set("waits_for", seen.waits_for.as_deref());
    set("reason", seen.reason.as_deref());
    set("severity", seen.severity.as_deref());
    if matches!(step.what, What::Customer { .. }) {
        set("tool", seen.tool.as_deref());
    }
    // Parts of the text that still hold say what matters better than all of it.
    let holds = |expect: &dyn TableLike| {
        let parts = expect.get("contains").and_then(Item::as_array)?;
        Some(parts.iter().all(|part| part.as_str().is_some_and(|part| seen.text.contains(part))))
    };
    if expect.contains_key("text") || holds(expect) != Some(true) {
        expect.remove("contains");
        if seen.text.is_empty() {
            expect.remove("text");
        } else {
            expect.insert("text", value(seen.text.as_str()));
        }
    }
    if calls_hold(&step.expect, seen) {
        return;
    }
    let mut written: Vec<&CallExpected> = step.expect.calls.iter().flatten().collect();
    let mut calls = Array::new();
    for call in &seen.calls {
        let mut entry = InlineTable::new();
        entry.insert("action", call.action.as_str().into());
        entry.insert("resource", call.resource.as_str().into());
        entry.insert("decision", call.decision.as_str().into());
        if let Some(rule) = rule_of(&mut written, call) {
            entry.insert("rule", rule.into());
        }
        if let Some(fails) = &call.fails {
            entry.insert("fails", fails.as_str().into());
        }
        let mut entry = Value::InlineTable(entry);
        entry.decor_mut().set_prefix("\n  ");
        calls.push_formatted(entry);
    }
    if !calls.is_empty() {
        calls.set_trailing("\n");
        calls.set_trailing_comma(true);
    }
    expect.insert("calls", value(calls));
}

/// Whether the calls that are written down are those that came.
fn calls_hold(expect: &Expect, seen: &Seen) -> bool {
    let Expect { calls, any_order, other_calls, .. } = expect.clone();
    let only = Expect { calls, any_order, other_calls, ..Expect::default() };
    only.calls.is_some() && format::check(&only, seen).is_empty()
}

/// The rule that was written down for such a call, if it still decides. Each one is used
/// once.
fn rule_of<'e>(written: &mut Vec<&'e CallExpected>, call: &HostCallSeen) -> Option<&'e str> {
    let same = |it: &&CallExpected| {
        it.action == call.action && it.resource.as_ref().is_none_or(|it| *it == call.resource)
    };
    let at = written.iter().position(same)?;
    let rule = written.remove(at).rule.as_deref();
    rule.filter(|rule| call.rules.iter().any(|by| by == rule))
}

/// Writes measured numbers where numbers stand.
fn measured(limits: &mut dyn TableLike, used: &Usage) {
    for (name, number) in [("fuel", used.fuel), ("memory_kib", used.memory_kib)] {
        if limits.contains_key(name) {
            limits.insert(name, value(i64::try_from(number).unwrap_or(i64::MAX)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(action: &str, rule: &str) -> HostCallSeen {
        HostCallSeen {
            action: action.to_owned(),
            resource: "orders".to_owned(),
            decision: format::Decision::Allow,
            rules: vec![rule.to_owned()],
            fails: None,
            message: None,
            awaited: false,
        }
    }

    #[test]
    fn a_rule_stays_where_it_still_decides() {
        let written = |action: &str, rule: &str| CallExpected {
            action: action.to_owned(),
            rule: Some(rule.to_owned()),
            ..CallExpected::default()
        };
        let all = [written("records:query", "old"), written("records:query", "own")];
        let mut left: Vec<_> = all.iter().collect();
        assert_eq!(rule_of(&mut left, &call("kv:get", "old")), None);
        assert_eq!(rule_of(&mut left, &call("records:query", "new")), None);
        assert_eq!(rule_of(&mut left, &call("records:query", "own")), Some("own"));
        assert!(left.is_empty());
    }

    #[test]
    fn calls_that_hold_are_left_alone() {
        let calls = vec![call("records:query", "own")];
        let seen = Seen { calls, judged: true, ..Seen::default() };
        let action = "records:query".to_owned();
        let expected = CallExpected { action, ..CallExpected::default() };
        let expect = |calls| Expect { calls, ..Expect::default() };
        assert!(calls_hold(&expect(Some(vec![expected])), &seen));
        assert!(!calls_hold(&expect(Some(Vec::new())), &seen));
        assert!(!calls_hold(&expect(None), &seen));
    }
}
