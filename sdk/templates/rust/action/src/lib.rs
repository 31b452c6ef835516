//! Pauses and resumes a customer's own subscription.

use postern_sdk::{
    Context, Outcome, Result, Severity,
    records::{self, Step},
    skill,
};
use serde::{Deserialize, Serialize};

skill! {
    "find_me" => find_me,
    "pause_subscription" => pause_subscription,
    "resume_subscription" => resume_subscription,
}

#[derive(Deserialize)]
struct FindMe {
    email: Option<String>,
}

/// A record of `users`; the skill needs nothing of it.
#[derive(Deserialize)]
struct User {}

#[derive(Deserialize)]
struct Which {
    subscription_id: String,
}

/// A record of `subscriptions`. What the skill does not know stays as it is.
#[derive(Deserialize, Serialize)]
struct Subscription {
    what: String,
    state: String,
    #[serde(flatten)]
    others: serde_json::Map<String, serde_json::Value>,
}

fn find_me(args: FindMe, context: &Context) -> Result<Outcome> {
    if context.customer.key.is_some() {
        return Ok(Outcome::reply("I know who you are. What can I do for you?"));
    }
    let Some(email) = args.email else {
        return Ok(Outcome::ask(
            "email",
            "Please tell me the e-mail address that you use with us.",
        ));
    };
    // The address is a placeholder here; the host compares what stands behind it.
    match records::identify::<User>("users", &[("email", &email)]) {
        Ok(_) => Ok(Outcome::reply("Thank you, I found you.")),
        Err(error) if error.is_not_found() => Ok(Outcome::ask(
            "email",
            "I cannot find anybody with that address. Please check it and tell me again.",
        )),
        // Too many attempts, or not a private chat: a person can still help.
        Err(error) if error.is_denied() => Ok(Outcome::hand_over(
            "identification-refused",
            Severity::Normal,
            "I cannot look you up here. A colleague will help you.",
        )),
        Err(error) => Err(error),
    }
}

fn pause_subscription(args: Which, _: &Context) -> Result<Outcome> {
    change(&args.subscription_id, "paused", "is paused")
}

fn resume_subscription(args: Which, _: &Context) -> Result<Outcome> {
    change(&args.subscription_id, "active", "is active again")
}

/// Brings a subscription into a state, if it is not in it.
fn change(id: &str, state: &str, done: &str) -> Result<Outcome> {
    let record = match records::get::<Subscription>("subscriptions", id) {
        Ok(record) => record,
        // Rules refuse what is not the customer's, whether it exists or not.
        Err(error) if error.is_denied() || error.is_not_found() => {
            return Ok(Outcome::ask(
                "subscription_id",
                format!("I cannot find subscription {id} among yours. Which number is it?"),
            ));
        }
        Err(error) => return Err(error),
    };
    let mut subscription = record.body;
    let shown = format!("ubscription {id} ({})", subscription.what);
    match subscription.state.as_str() {
        "active" | "paused" if subscription.state == state => {
            return Ok(Outcome::reply(format!("S{shown} is {state} already.")));
        }
        "active" | "paused" => {}
        _ => {
            return Ok(Outcome::hand_over(
                "subscription-ended",
                Severity::Normal,
                format!("I cannot change s{shown}. A colleague will look at it."),
            ));
        }
    }
    subscription.state = state.to_owned();
    // The host asks the customer before it lets this happen; the version makes sure
    // that nothing has changed since it was read.
    let step = Step::replace("subscriptions", id, record.version, &subscription)?;
    match records::write(&[step]) {
        Ok(_) => {
            log::info!(subscription = id, state = state; "a subscription was changed");
            Ok(Outcome::reply(format!("Done. S{shown} {done}.")))
        }
        Err(error) if error.is_conflict() => Ok(Outcome::reply(format!(
            "S{shown} was changed by somebody else just now. Please ask me again."
        ))),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn scenarios_hold() {
        postern_sdk::scenario::run(super::call_tool, "scenarios");
    }
}
