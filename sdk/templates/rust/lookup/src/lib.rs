//! Tells customers how their own bookings stand.

use postern_sdk::{Context, Outcome, Result, Severity, records, skill};
use serde::Deserialize;

skill! {
    "find_me" => find_me,
    "booking_status" => booking_status,
}

#[derive(Deserialize)]
struct FindMe {
    email: Option<String>,
}

/// A record of `users`; the skill needs nothing of it.
#[derive(Deserialize)]
struct User {}

#[derive(Deserialize)]
struct BookingStatus {
    booking_id: String,
}

/// A record of `bookings`.
#[derive(Deserialize)]
struct Booking {
    what: String,
    when: String,
    status: String,
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

fn booking_status(args: BookingStatus, _: &Context) -> Result<Outcome> {
    let id = args.booking_id;
    let booking = match records::get::<Booking>("bookings", &id) {
        Ok(record) => record.body,
        // Rules refuse what is not the customer's, whether it exists or not.
        Err(error) if error.is_denied() || error.is_not_found() => {
            return Ok(Outcome::ask(
                "booking_id",
                format!("I cannot find booking {id} among yours. Which number is it?"),
            ));
        }
        Err(error) => return Err(error),
    };
    log::info!(booking = id.as_str(); "a booking was read");
    let state = match booking.status.as_str() {
        "confirmed" => "It is confirmed.",
        "requested" => "We have not confirmed it yet.",
        "cancelled" => "It was cancelled.",
        _ => {
            return Ok(Outcome::hand_over(
                "booking-unclear",
                Severity::Normal,
                format!("I cannot tell how booking {id} stands. A colleague will look at it."),
            ));
        }
    };
    Ok(Outcome::reply(format!("Booking {id}: {}, {}. {state}", booking.what, booking.when)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn scenarios_hold() {
        postern_sdk::scenario::run(super::call_tool, "scenarios");
    }
}
