//! Hands a conversation to a person.

mod templates;

use postern_sdk::{Context, Outcome, Result, Severity, handover, skill};
use serde::Deserialize;

use templates::Reason;

skill! {
    "escalate" => escalate,
    "take_change_request" => take_change_request,
    "take_complaint" => take_complaint,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EscalateArgs {
    reason: Option<Reason>,
    severity: Option<Level>,
    order_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AboutOrder {
    order_id: Option<String>,
}

/// A severity, as arguments name it.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Low,
    Normal,
    High,
    Critical,
}

impl From<Level> for Severity {
    fn from(level: Level) -> Self {
        match level {
            Level::Low => Self::Low,
            Level::Normal => Self::Normal,
            Level::High => Self::High,
            Level::Critical => Self::Critical,
        }
    }
}

fn escalate(args: EscalateArgs, context: &Context) -> Result<Outcome> {
    let reason = args.reason.unwrap_or(Reason::AskedForPerson);
    // A call may raise the severity of its reason, never lower it.
    let asked = args.severity.map_or(Severity::Low, Severity::from);
    hand_over(reason, asked.max(reason.severity()), args.order_id.as_deref(), context)
}

fn take_complaint(args: AboutOrder, context: &Context) -> Result<Outcome> {
    let reason = Reason::Complaint;
    hand_over(reason, reason.severity(), args.order_id.as_deref(), context)
}

fn take_change_request(args: AboutOrder, context: &Context) -> Result<Outcome> {
    let reason = Reason::ChangeOrder;
    hand_over(reason, reason.severity(), args.order_id.as_deref(), context)
}

fn hand_over(
    reason: Reason,
    severity: Severity,
    order_id: Option<&str>,
    context: &Context,
) -> Result<Outcome> {
    let promise = context.setting(match severity {
        Severity::Low => "answer_low",
        Severity::Normal => "answer_normal",
        Severity::High => "answer_high",
        Severity::Critical => "answer_critical",
    })?;
    let about = order_id.map_or(String::new(), |id| format!(" It is about order {id}."));
    let summary =
        format!("{}{about} The customer was promised an answer {promise}.", reason.summary());
    let queue = handover::request(reason.name(), severity, &summary)?;
    log::info!(reason = reason.name(), queue = queue.as_str(); "handed over");
    Ok(Outcome::reply(format!(
        "{} A person will answer you here {promise}. You do not need to do anything; if something \
         else comes to mind, just write it here.",
        reason.opening()
    )))
}

#[cfg(test)]
mod tests;
