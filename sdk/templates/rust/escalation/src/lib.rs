//! Takes reports of faults in a building.

use postern_sdk::{
    Context, NoArguments, Outcome, Result, Severity, handover, skill,
    ticket::{self, Priority},
};
use serde::Deserialize;

skill! {
    "report_fault" => report_fault,
    "ask_person" => ask_person,
}

#[derive(Deserialize)]
struct ReportFault {
    part: Option<String>,
}

fn report_fault(args: ReportFault, context: &Context) -> Result<Outcome> {
    let Some(part) = args.part else {
        let text = "What is broken: water, heating, power, lift or door?";
        return Ok(Outcome::ask("part", text));
    };
    let part = part.to_lowercase();
    let promise = context.setting("promise")?;
    let (priority, severity) = match part.as_str() {
        "water" | "power" => (Priority::P2, Severity::High),
        _ => (Priority::P3, Severity::Normal),
    };
    let ticket = ticket::create(&format!("Fault: {part}"), priority)?;
    ticket::tag(&ticket.id, &format!("fault-{part}"))?;
    // What the customer wrote stands in the conversation, where people see it.
    ticket::comment(&ticket.id, &format!("The customer was promised an answer {promise}."))?;
    let summary = format!("A fault was reported: {part}.");
    let queue = handover::request(&format!("fault-{part}"), severity, &summary)?;
    log::info!(part = part.as_str(), queue = queue.as_str(); "a fault was reported");
    Ok(Outcome::reply(format!(
        "I have reported the {part}. A person will answer you here {promise}."
    )))
}

fn ask_person(_: NoArguments, _: &Context) -> Result<Outcome> {
    let text = "I am getting a colleague for you.";
    Ok(Outcome::hand_over("asked-for-person", Severity::Normal, text))
}

#[cfg(test)]
mod tests {
    #[test]
    fn scenarios_hold() {
        postern_sdk::scenario::run(super::call_tool, "scenarios");
    }
}
