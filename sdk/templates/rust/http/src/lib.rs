//! Tells customers whether the service works in their area.

use postern_sdk::{Context, Error, Outcome, Result, Severity, http::Request, skill};
use serde::Deserialize;

skill! { "service_state" => service_state }

/// Characters of the server's words that are passed on.
const MOST_NOTE: usize = 120;

#[derive(Deserialize)]
struct ServiceState {
    area: String,
}

/// What the status server says about an area.
#[derive(Deserialize)]
struct Area {
    state: String,
    #[serde(default)]
    note: String,
}

fn service_state(args: ServiceState, context: &Context) -> Result<Outcome> {
    // The schema allows four words, so this is safe in a path.
    let area = args.area.to_lowercase();
    let found = match ask(context.setting("status_url")?, &area) {
        Ok(Some(found)) => found,
        Ok(None) => {
            return Ok(Outcome::ask(
                "area",
                "I do not know that part of the town. Is it north, south, east or west?",
            ));
        }
        Err(error) if is_temporary(&error) => {
            log::warn!("the status server did not answer: {error}");
            return Ok(Outcome::reply(
                "I cannot see at the moment how the service stands. Please ask again in a few \
                 minutes.",
            ));
        }
        Err(error) => return Err(error),
    };
    log::info!(area = area.as_str(); "the status server was asked");
    let said = match found.state.as_str() {
        "works" => format!("Everything works in the {area}."),
        "outage" => format!("There is an outage in the {area}, and we are working on it."),
        "maintenance" => format!("There is maintenance in the {area}."),
        _ => {
            return Ok(Outcome::hand_over(
                "state-unclear",
                Severity::Normal,
                format!("I cannot tell how the service is in the {area}. A colleague will look."),
            ));
        }
    };
    Ok(Outcome::reply(match plain(&found.note) {
        note if note.is_empty() => said,
        note => format!("{said} {note}."),
    }))
}

/// What the server says about an area; nothing if it does not know it.
fn ask(url: &str, area: &str) -> Result<Option<Area>> {
    let url = format!("{}/v1/areas/{area}", url.trim_end_matches('/'));
    let response = Request::get(url).header("accept", "application/json").send()?;
    match response.status {
        200 => response.json().map(Some),
        404 => Ok(None),
        status => Err(Error::Unavailable(format!("it answered with status {status}"))),
    }
}

/// Whether asking again later can help.
fn is_temporary(error: &Error) -> bool {
    error.is_unavailable() || matches!(error, Error::Unavailable(_))
}

/// Words of a server, fit for an answer: one short line without markup.
fn plain(text: &str) -> String {
    let kept = text.chars().filter(|c| !c.is_control() && !matches!(c, '<' | '>'));
    let short: String = kept.take(MOST_NOTE).collect();
    short.trim().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn scenarios_hold() {
        postern_sdk::scenario::run(super::call_tool, "scenarios");
    }
}
