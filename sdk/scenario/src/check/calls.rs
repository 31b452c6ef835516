//! Host calls against what was expected of them.

use super::{HostCallSeen, Seen};
use crate::{Difference, Expect, expect::CallExpected, expect::Decision};

pub(super) fn check(expect: &Expect, seen: &Seen, differences: &mut Vec<Difference>) {
    let Some(wanted) = &expect.calls else {
        return refusals(expect, seen, differences);
    };
    let fits =
        |wanted: &CallExpected, got: &HostCallSeen| misfit(wanted, got, seen.judged).is_none();
    let (missing, left) = if expect.any_order {
        match_any_order(wanted, &seen.calls, fits)
    } else {
        match_in_order(wanted, &seen.calls, fits)
    };
    for i in &missing {
        let nearest = left
            .iter()
            .map(|at| &seen.calls[*at])
            .find(|got| got.action == wanted[*i].action)
            .or_else(|| left.first().map(|at| &seen.calls[*at]));
        let got = nearest.map_or("no such call".to_owned(), told);
        let what = format!("call {}", i + 1);
        let mut difference = Difference::new(what, wanted_told(&wanted[*i]), got);
        if let Some(misfit) = nearest.and_then(|got| misfit(&wanted[*i], got, seen.judged)) {
            difference = difference.hint(format!("nearest call: {misfit}"));
        }
        differences.push(difference);
    }
    // What stands beside a missing call was told with it.
    if !expect.other_calls && left.len() > missing.len() {
        for at in left.iter().skip(missing.len()) {
            let got = told(&seen.calls[*at]);
            differences.push(Difference::new("unexpected call", "no such call", got));
        }
    }
}

/// Without a list of calls, a refused one is unexpected, unless the tool was
/// expected to fail by it.
fn refusals(expect: &Expect, seen: &Seen, differences: &mut Vec<Difference>) {
    if expect.other_calls || expect.outcome == Some(crate::OutcomeKind::Denied) {
        return;
    }
    let refused = |call: &&HostCallSeen| call.decision == Decision::Deny && !call.awaited;
    for call in seen.calls.iter().filter(refused) {
        let hint = "if it should be refused, list it in `calls` with decision = \"deny\"";
        differences
            .push(Difference::new("unexpected refusal", "no refused call", told(call)).hint(hint));
    }
}

type Left = (Vec<usize>, Vec<usize>);

/// The longest way to pair wanted calls with those that came, in order: indexes of
/// wanted ones without a partner, and of others that came.
fn match_in_order(
    wanted: &[CallExpected],
    got: &[HostCallSeen],
    fits: impl Fn(&CallExpected, &HostCallSeen) -> bool,
) -> Left {
    let (rows, columns) = (wanted.len(), got.len());
    let mut best = vec![vec![0_usize; columns + 1]; rows + 1];
    for i in (0..rows).rev() {
        for j in (0..columns).rev() {
            best[i][j] = best[i + 1][j].max(best[i][j + 1]);
            if fits(&wanted[i], &got[j]) {
                best[i][j] = best[i][j].max(best[i + 1][j + 1] + 1);
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let (mut missing, mut left) = (Vec::new(), Vec::new());
    while i < rows && j < columns {
        if fits(&wanted[i], &got[j]) && best[i][j] == best[i + 1][j + 1] + 1 {
            i += 1;
            j += 1;
        } else if best[i + 1][j] >= best[i][j + 1] {
            missing.push(i);
            i += 1;
        } else {
            left.push(j);
            j += 1;
        }
    }
    missing.extend(i..rows);
    left.extend(j..columns);
    (missing, left)
}

/// Pairs each wanted call with the first that fits and is left. Those that say the
/// most choose first.
fn match_any_order(
    wanted: &[CallExpected],
    got: &[HostCallSeen],
    fits: impl Fn(&CallExpected, &HostCallSeen) -> bool,
) -> Left {
    let said = |call: &CallExpected| {
        [
            call.resource.is_some(),
            call.decision.is_some(),
            call.rule.is_some(),
            call.fails.is_some(),
        ]
        .into_iter()
        .filter(|said| *said)
        .count()
    };
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(said(&wanted[*i])));
    let (mut left, mut missing): (Vec<usize>, Vec<usize>) = ((0..got.len()).collect(), Vec::new());
    for i in order {
        match left.iter().position(|at| fits(&wanted[i], &got[*at])) {
            Some(place) => {
                left.remove(place);
            }
            None => missing.push(i),
        }
    }
    missing.sort_unstable();
    (missing, left)
}

/// The first thing of a call that is not as wanted.
fn misfit(wanted: &CallExpected, got: &HostCallSeen, judged: bool) -> Option<String> {
    if wanted.action != got.action {
        return Some(format!("the action is {}", got.action));
    }
    // Natively nobody knows what endpoints are called.
    if let Some(resource) = &wanted.resource
        && (judged || wanted.action != "http:send")
        && *resource != got.resource
    {
        return Some(format!("the resource is {}", got.resource));
    }
    if let Some(fails) = &wanted.fails
        && got.fails.as_ref() != Some(fails)
    {
        let got = got.fails.as_deref().unwrap_or("an answer");
        return Some(format!("the skill got {got}"));
    }
    if !judged {
        return None;
    }
    if let Some(decision) = wanted.decision
        && decision != got.decision
    {
        return Some(format!("the decision is {}", got.decision.as_str()));
    }
    let rule = wanted.rule.as_ref().filter(|rule| !got.rules.contains(rule))?;
    Some(format!("{rule} did not decide"))
}

fn told(call: &HostCallSeen) -> String {
    let HostCallSeen { action, resource, decision, rules, fails, message, .. } = call;
    let by = if rules.is_empty() { String::new() } else { format!(" by {}", rules.join(", ")) };
    let mut told = format!("{action} {resource} → {}{by}", decision.as_str());
    if let Some(fails) = fails {
        told += &format!("; the skill got {fails}");
    }
    if let Some(message) = message {
        told += &format!(": {message}");
    }
    told
}

fn wanted_told(call: &CallExpected) -> String {
    let CallExpected { action, resource, decision, rule, fails } = call;
    let mut told = action.clone();
    if let Some(resource) = resource {
        told += &format!(" {resource}");
    }
    if let Some(decision) = decision {
        told += &format!(" → {}", decision.as_str());
    }
    if let Some(rule) = rule {
        told += &format!(" by {rule}");
    }
    if let Some(fails) = fails {
        told += &format!("; the skill gets {fails}");
    }
    told
}
