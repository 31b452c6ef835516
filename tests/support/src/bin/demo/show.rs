//! Shows what happens: for people, or as JSON lines for programs.

mod calls;
mod pretty;

use std::{io::IsTerminal as _, time::Duration};

use postern_domain::{Outcome, SkillFailure};
use serde::Serialize;

use crate::expect::Observed;

/// Something to show.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event<'a> {
    /// A part of the preparation.
    Preparing { what: &'a str },
    /// A conversation begins.
    Scene { number: usize, title: &'a str, place: &'a str },
    /// The customer wrote.
    Customer { text: &'a str },
    /// A person approved what waits.
    Approval { reason: &'a str },
    /// Webhooks were answered.
    Acknowledged { statuses: &'a [u16] },
    /// What the message was taken for.
    Intent { name: &'a str, probability: f64, in_scope: bool },
    /// A tool was run.
    Tool { skill: &'a str, version: &'a str, tool: &'a str, came_to: &'a str },
    /// It called the host.
    Call {
        action: &'a str,
        on: &'a str,
        decision: &'a str,
        rules: &'a [String],
        /// Why it was not performed although it was allowed.
        failure: Option<&'a str>,
    },
    /// The customer got an answer.
    Answer { text: &'a str, after_ms: u64 },
    /// The ticket afterwards.
    Ticket {
        id: &'a str,
        subject: &'a str,
        status: &'a str,
        priority: &'a str,
        queue: Option<&'a str>,
        reason: Option<&'a str>,
    },
    /// Something was expected.
    Expectation { claim: &'a str, held: bool },
    /// Something did not go as it should.
    Trouble { text: &'a str },
    /// A remark.
    Note { text: &'a str },
    /// The end of the script.
    Finished { conversations: usize, expectations: usize, missed: &'a [String] },
    /// Where the running host is.
    Running { chat_page: &'a str, operator_page: &'a str, operator_token: &'a str, data: &'a str },
}

/// Where and how events are shown.
#[derive(Debug)]
pub(crate) enum Show {
    /// For people; in colour or not.
    Pretty(pretty::Pen),
    /// A JSON object in a line for each.
    Json,
}

impl Show {
    /// On standard output; in colour only for people at a terminal who have not
    /// said `NO_COLOR` (no-color.org).
    pub(crate) fn new(json: bool) -> Self {
        if json {
            return Self::Json;
        }
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self::Pretty(pretty::Pen::new(wanted && std::io::stdout().is_terminal()))
    }

    /// Shows an event.
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        match self {
            Self::Pretty(pen) => print!("{}", pen.text(event)),
            Self::Json => match serde_json::to_string(event) {
                Ok(line) => println!("{line}"),
                Err(problem) => eprintln!("demo: an event cannot be shown: {problem}"),
            },
        }
    }

    /// Shows everything that came of a step.
    pub(crate) fn observed(&mut self, seen: &Observed, after: Duration) {
        if !seen.statuses.is_empty() {
            self.event(&Event::Acknowledged { statuses: &seen.statuses });
        }
        if let Some(intent) = &seen.intent {
            let (name, probability) = (intent.name.as_str(), intent.probability);
            self.event(&Event::Intent { name, probability, in_scope: intent.in_scope });
        }
        for run in &seen.tools {
            let (skill, version) = (run.skill.as_str(), run.version.as_str());
            let (tool, came_to) = (run.tool.as_str(), run.came_to.as_str());
            self.event(&Event::Tool { skill, version, tool, came_to });
            for record in &run.calls {
                self.event(&Event::Call {
                    action: record.call.action(),
                    on: &calls::on(&record.call),
                    decision: record.decision.as_str(),
                    rules: &record.rules,
                    failure: calls::failure(record),
                });
            }
        }
        let after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        for text in &seen.answers {
            self.event(&Event::Answer { text, after_ms });
        }
        if let Some(ticket) = &seen.ticket {
            self.event(&Event::Ticket {
                id: ticket.id.as_str(),
                subject: &ticket.subject,
                status: ticket.status.as_str(),
                priority: ticket.priority.as_str(),
                queue: ticket.queue.as_deref(),
                reason: ticket.reason.as_deref(),
            });
        }
    }
}

/// What a tool came to, in a few words.
pub(crate) fn came_to(result: Option<&Result<Outcome, SkillFailure>>) -> String {
    match result {
        None => "not finished".to_owned(),
        Some(Ok(Outcome::Reply { .. })) => "reply".to_owned(),
        Some(Ok(Outcome::Ask { entity, .. })) => format!("ask for {entity}"),
        Some(Ok(Outcome::HandOver { reason, .. })) => format!("hand over: {reason}"),
        Some(Ok(Outcome::Done)) => "done".to_owned(),
        Some(Err(failure)) => format!("failed: {failure}"),
    }
}
