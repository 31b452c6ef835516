//! One scenario, step by step.

use std::{collections::BTreeMap, path::Path};

use postern_domain::{
    ApprovalState, Approver, AuditKind, PendingTool, Role, Ticket, TicketId, TurnId,
};
use postern_scenario::{self as format, Difference, Expect, Scenario, Seen, Step, Usage, What};
use postern_store::{Change, Commit, Lease, Page, TurnRow, Work};
use serde_json::{Map, Value};

use super::{Outcome, RunError, Suite, host::Host, seen::Before};
use crate::{
    approvals,
    brain::Understanding,
    operators::{Actor, Desk},
    pipeline::{self, Action, Plan, PlanFile},
    privacy::{Vault, mark_of},
};

/// Rows of the audit log that are looked at.
const MOST_ROWS: u32 = 5_000;
/// Turns that one step can lead to: a yes lets a turn go on that waited.
const MOST_TURNS: usize = 8;

/// Runs a scenario on a host of its own.
pub(super) async fn scenario(suite: &Suite, file: &Path, scenario: &Scenario) -> Outcome {
    let mut outcome = Outcome {
        file: file.to_owned(),
        name: scenario.about.name.clone(),
        differences: Vec::new(),
        error: None,
        steps: Vec::new(),
        ended: Vec::new(),
        usage: Usage::default(),
        calls_took: Vec::new(),
        took: std::time::Duration::ZERO,
    };
    if let Err(error) = steps(suite, scenario, &mut outcome).await {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            let more = error.to_string();
            if !text.contains(&more) {
                text = format!("{text}: {more}");
            }
            cause = error.source();
        }
        outcome.error = Some(text);
    }
    outcome
}

async fn steps(suite: &Suite, scenario: &Scenario, outcome: &mut Outcome) -> Result<(), RunError> {
    let host = Host::new(suite, scenario).await?;
    for (number, step) in scenario.steps.iter().enumerate() {
        if let Some(after) = step.after {
            host.clock.advance_ms(i64::try_from(after.as_millis()).unwrap_or(i64::MAX));
        }
        let before = Before::look(&host).await?;
        take(&host, suite, number, step).await.map_err(|error| at(step, error))?;
        let (mut seen, ended) = before.compare(&host, &step.what).await?;
        look_up(&host, &step.expect, &mut seen).await?;
        let differences = format::check(&step.expect, &seen);
        outcome.differences.extend(differences.into_iter().map(|it| (Some(step.line), it)));
        outcome.ended.extend(ended);
        outcome.steps.push(seen);
    }
    host.edge.look(|edge| {
        for (request, nearest) in edge.unanswered() {
            let difference = Difference {
                what: "unexpected request".to_owned(),
                expected: "an answer in [[given.http]]".to_owned(),
                got: request.line(),
                hint: Some(nearest.why.clone()),
            };
            outcome.differences.push((None, difference));
        }
        if !scenario.given.allow_unused {
            for unused in edge.unused() {
                let difference = Difference {
                    what: "unused answer".to_owned(),
                    expected: unused,
                    got: "no such request".to_owned(),
                    hint: Some("[given] allow_unused = true lets it pass".to_owned()),
                };
                outcome.differences.push((None, difference));
            }
        }
    });
    for row in host.app.store.audit_tail(MOST_ROWS, Some(&host.conversation)).await? {
        let entry = row.entry;
        if let (AuditKind::HostCall, Some(took)) = (entry.kind, entry.took_us) {
            outcome.calls_took.push((entry.action, took));
        }
    }
    for (_, usage) in host.gauge.all() {
        outcome.usage.fuel += usage.fuel.unwrap_or_default();
        outcome.usage.memory_kib = outcome.usage.memory_kib.max(usage.memory_bytes >> 10);
        outcome.usage.host_calls += usage.host_calls;
    }
    let differences = format::check_limits(&scenario.limits, &outcome.usage);
    outcome.differences.extend(differences.into_iter().map(|it| (None, it)));
    Ok(())
}

fn at(step: &Step, error: RunError) -> RunError {
    match error {
        RunError::Impossible(reason) => {
            RunError::Impossible(format!("step in line {}: {reason}", step.line))
        }
        other => other,
    }
}

/// Lets a step happen, and everything that follows from it now.
async fn take(host: &Host, suite: &Suite, number: usize, step: &Step) -> Result<(), RunError> {
    match &step.what {
        What::Customer { text } => {
            let (lease, work) = host.arrive(number, text.clone()).await?;
            turn(host, &lease, work).await?;
        }
        What::Call { tool, arguments } => {
            if suite.manifest.tool(tool).is_none() {
                let known: Vec<_> =
                    suite.manifest.tools.iter().map(|it| it.name.as_str()).collect();
                return Err(RunError::Impossible(format!(
                    "the skill has no tool {tool:?}; it has {}",
                    known.join(", ")
                )));
            }
            let (lease, mut work) = host.arrive(number, "(a call)".to_owned()).await?;
            plan(host, suite, &lease, &mut work, tool, arguments.clone()).await?;
            turn(host, &lease, work).await?;
        }
        What::Approve { route } => decide(host, route, true).await?,
        What::Decline { route } => decide(host, route, false).await?,
    }
    for _ in 0..MOST_TURNS {
        let Some((lease, work)) = host.next().await? else { return Ok(()) };
        turn(host, &lease, work).await?;
    }
    Err(RunError::Impossible(format!("it leads to more than {MOST_TURNS} turns")))
}

async fn turn(host: &Host, lease: &Lease, work: Work) -> Result<(), RunError> {
    pipeline::turn_now(&host.app, lease, work).await?;
    Ok(host.app.store.release(lease).await?)
}

/// Makes of a message's turn one that has begun already, with a plan that is a call.
/// Details of the customer among its arguments are hidden as in a message.
async fn plan(
    host: &Host,
    suite: &Suite,
    lease: &Lease,
    work: &mut Work,
    tool: &str,
    mut arguments: Map<String, Value>,
) -> Result<(), RunError> {
    let conversation = &work.conversation;
    let mut vault = Vault::new(&mark_of(conversation), work.vault.clone());
    for (name, value) in &mut arguments {
        if let (Some(kind), Value::String(text)) = (kind_of(name), &mut *value) {
            *text = vault.placeholder(kind, text);
        }
    }
    let new = vault.take_new();
    work.vault.extend(new.iter().cloned());
    let pending = PendingTool {
        skill: suite.manifest.skill.id.clone(),
        tool: tool.to_owned(),
        intent: String::new(),
        arguments,
    };
    let plan = Plan {
        text: "(a call)".to_owned(),
        understanding: Understanding { ranked: Vec::new(), in_scope: true, entities: Vec::new() },
        action: Action::Call { stack: vec![pending] },
        subject: Some("a call".to_owned()),
        customer: conversation.customer.clone(),
        session: Some(conversation.state.session),
        language: Some(conversation.language.clone()),
        restricted: None,
        mark: None,
    };
    let now = host.app.clock.now();
    let message = work.message.id();
    let plan = serde_json::to_value(PlanFile::V1 { plan }).map_err(pipeline::TurnError::Plan)?;
    let turn = TurnRow {
        id: TurnId::derive(&[message.as_str()]),
        conversation: conversation.id.clone(),
        message,
        plan,
        generation: host.app.skills().number.to_string(),
        summary: None,
        started_at: now,
        completed_at: None,
    };
    let mut changes = vec![Change::Vault { conversation: conversation.id.clone(), entries: new }];
    if work.ticket.is_none() {
        let ticket = Ticket {
            id: TicketId::derive(&["scenario", "now"]),
            conversation: conversation.id.clone(),
            customer: conversation.customer.key.clone(),
            subject: "a call".to_owned(),
            status: postern_domain::TicketStatus::Open,
            priority: postern_domain::Priority::P3,
            queue: None,
            reason: None,
            tags: Vec::new(),
            follows: None,
            created_at: now,
            updated_at: now,
        };
        changes.push(Change::Ticket { ticket: ticket.clone(), events: Vec::new() });
        work.ticket = Some(ticket);
    }
    let commit = Commit { lease: Some(lease.clone()), changes, audit: Vec::new() };
    host.app.store.commit(commit).await?;
    work.turn = Some(turn);
    Ok(())
}

/// What kind of personal datum an argument of this name is, as the host recognises it
/// in messages.
fn kind_of(argument: &str) -> Option<&'static str> {
    match argument {
        "email" => Some("EMAIL"),
        "first_name" => Some("FIRST_NAME"),
        "last_name" => Some("LAST_NAME"),
        "postcode" => Some("POSTCODE"),
        _ => None,
    }
}

/// Somebody of a route decides what waits for them.
async fn decide(host: &Host, route: &str, approve: bool) -> Result<(), RunError> {
    let (store, rules) = (&*host.app.store, host.app.policy.current());
    let page = Page { limit: 50, offset: 0 };
    let pending = approvals::list(store, Some(ApprovalState::Pending), page).await?;
    let waits = |approver: &Approver| approver.route() == Some(route);
    let Some(approval) = pending.into_iter().find(|approval| waits(&approval.approver)) else {
        return Err(RunError::Impossible(format!("nothing waits for {route}")));
    };
    let role = rules.route(route).map_or(Role::Approver, |route| route.role);
    let actor = Actor::in_scenario(role);
    let desk = Desk { store, policy: &rules, actor: &actor, now: host.app.clock.now() };
    let decided = approvals::decide(&desk, &approval.id, approve, "as the scenario says").await;
    let decided = decided.map_err(|error| RunError::Impossible(error.to_string()))?;
    match decided.state {
        ApprovalState::Pending => {
            Err(RunError::Impossible(format!("{route} wants more than one person's word")))
        }
        _ => Ok(()),
    }
}

/// Reads the records that are expected to be there, or not.
async fn look_up(host: &Host, expect: &Expect, seen: &mut Seen) -> Result<(), RunError> {
    let mut names: Vec<(String, String)> = Vec::new();
    for (collection, records) in &expect.records {
        names.extend(records.keys().map(|key| (collection.clone(), key.clone())));
    }
    let gone = expect.gone.iter().filter_map(|name| name.split_once('/'));
    names.extend(gone.map(|(collection, key)| (collection.to_owned(), key.to_owned())));
    let mut records = BTreeMap::new();
    for (collection, key) in names {
        if let Some(record) = host.app.store.record(&collection, &key).await? {
            records.insert((collection, key), record.body);
        }
    }
    seen.records = records;
    Ok(())
}
