//! What the stages of a turn came to, in one line each.

use postern_store::Work;

use super::{plan::Plan, respond::Response};
use crate::{ledger::Ledger, taint::Assessment};

pub(super) fn kind_of(work: &Work) -> &'static str {
    match work.message.kind {
        postern_domain::InboundKind::Text => "text",
        postern_domain::InboundKind::Edit => "edited",
        postern_domain::InboundKind::Unsupported => "unsupported",
        postern_domain::InboundKind::Identity => "identity",
        postern_domain::InboundKind::Call => "call",
    }
}

/// How the message came in, and what of it people look after.
pub(super) fn ingested(line: String, plan: &Plan) -> String {
    match &plan.restricted {
        Some(concern) => format!("{line}; {}", concern.line()),
        None => line,
    }
}

/// What was understood, and how hostile it looks if it was flagged.
pub(super) fn classified(plan: &Plan, heard: &Assessment) -> String {
    let meaning = meaning(plan);
    if heard.flagged { format!("{meaning}; {}", heard.line()) } else { meaning }
}

fn meaning(plan: &Plan) -> String {
    match plan.understanding.ranked.first() {
        Some(best) if plan.understanding.in_scope => {
            format!("{} ({:.0} %)", best.intent, best.probability * 100.0)
        }
        Some(best) => format!("none of the known intents (closest: {})", best.intent),
        None => "nothing to classify".to_owned(),
    }
}

pub(super) fn retrieved(work: &Work, ledger: &Ledger) -> String {
    let level = ledger.conversation.customer.level.as_str();
    let open = match &work.conversation.state.awaiting {
        Some(awaiting) => format!("{} was asked for", awaiting.entity),
        None => "no open question".to_owned(),
    };
    format!("{} earlier messages; customer {level}; {open}", work.history.len())
}

/// What was answered, and by whom; `hostile` is what was read meanwhile.
pub(super) fn responded(response: &Response, hostile: &[String]) -> String {
    let steps = if response.steps.is_empty() {
        "answered by the host".to_owned()
    } else {
        response.steps.join("; ")
    };
    hostile.iter().fold(steps, |steps, line| format!("{steps}; {line}"))
}

pub(super) fn ticket_line(ledger: &Ledger) -> String {
    match &ledger.ticket {
        Some(ticket) => format!("{} {} ({})", ticket.id, ticket.status, ticket.subject),
        None => "none needed".to_owned(),
    }
}
