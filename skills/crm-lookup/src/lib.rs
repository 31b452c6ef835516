//! Finds a customer's account and shows the profile.
//!
//! Names, addresses and e-mails are placeholders here: they are passed on whole
//! and never looked into.

use std::collections::{BTreeMap, BTreeSet};

use postern_sdk::{
    Context, NoArguments, Outcome, Result, Severity,
    records::{self, Identity},
    skill,
};
use serde::Deserialize;

skill! {
    "find_customer" => find_customer,
    "customer_profile" => customer_profile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FindArgs {
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    postcode: Option<String>,
}

#[derive(Deserialize)]
struct User {
    name: Name,
    email: String,
    address: Address,
    #[serde(default)]
    payment_methods: BTreeMap<String, PaymentMethod>,
    #[serde(default)]
    orders: Vec<String>,
}

#[derive(Deserialize)]
struct Name {
    first_name: String,
    last_name: String,
}

#[derive(Deserialize)]
struct Address {
    address1: String,
    address2: Option<String>,
    city: String,
    state: Option<String>,
    zip: String,
    country: String,
}

#[derive(Deserialize)]
struct PaymentMethod {
    source: String,
}

fn find_customer(args: FindArgs, context: &Context) -> Result<Outcome> {
    if context.customer.key.is_some() {
        return Ok(Outcome::reply("I have already found your account. How can I help you?"));
    }
    let mut missed = false;
    for details in ways(&args) {
        match records::identify::<User>("users", &details) {
            Ok(Identity { record, .. }) => {
                log::info!("a customer was found");
                let first_name = record.body.name.first_name;
                return Ok(Outcome::reply(format!(
                    "Thank you, {first_name}, I found your account."
                )));
            }
            Err(error) if error.is_not_found() => missed = true,
            // Too many attempts, or not a private chat: a person can still help.
            Err(error) if error.is_denied() => {
                log::warn!("identification was refused: {error}");
                return Ok(Outcome::hand_over(
                    "identification-refused",
                    Severity::Normal,
                    "I cannot look up your account here. A colleague will help you.",
                ));
            }
            Err(error) => return Err(error),
        }
    }
    // Which detail was wrong is not said: it would tell who is a customer.
    let text = if missed {
        "I could not find an account with these details. Please check the e-mail address, \
         or tell me your full name together with the postcode of your address."
    } else {
        "So that I can find your account, please tell me the e-mail address that you use with \
         us. Your full name together with the postcode of your address works as well."
    };
    Ok(Outcome::ask("email", text))
}

/// The sets of details that can identify somebody, the most precise first.
fn ways(args: &FindArgs) -> Vec<Vec<(&str, &str)>> {
    let mut ways = Vec::new();
    if let Some(email) = &args.email {
        ways.push(vec![("email", email.as_str())]);
    }
    if let (Some(first), Some(last), Some(postcode)) =
        (&args.first_name, &args.last_name, &args.postcode)
    {
        ways.push(vec![
            ("name.first_name", first.as_str()),
            ("name.last_name", last.as_str()),
            ("address.zip", postcode.as_str()),
        ]);
    }
    ways
}

fn customer_profile(_: NoArguments, context: &Context) -> Result<Outcome> {
    let user = records::get::<User>("users", context.customer_key()?)?.body;
    let address = &user.address;
    let street = given([Some(&address.address1), address.address2.as_ref()]).join(", ");
    let place = given([Some(&address.city), address.state.as_ref(), Some(&address.zip)]).join(" ");
    // Only the kinds: numbers and balances are nobody's business in a chat.
    let kinds: BTreeSet<_> = user.payment_methods.values().map(|m| kind(&m.source)).collect();
    let kinds: Vec<_> = kinds.into_iter().collect();
    let kinds = if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") };
    Ok(Outcome::reply(format!(
        "This is what we have on file for you:\n\
         • Name: {} {}\n\
         • E-mail: {}\n\
         • Address: {street}, {place}, {}\n\
         • Payment methods: {kinds}\n\
         • Orders: {}",
        user.name.first_name,
        user.name.last_name,
        user.email,
        address.country,
        user.orders.len(),
    )))
}

/// The parts of an address that there are.
fn given<const N: usize>(parts: [Option<&String>; N]) -> Vec<&str> {
    parts.into_iter().flatten().map(String::as_str).filter(|part| !part.is_empty()).collect()
}

fn kind(source: &str) -> &str {
    match source {
        "credit_card" => "credit card",
        "gift_card" => "gift card",
        "paypal" => "PayPal",
        _ => "other",
    }
}

#[cfg(test)]
mod tests;
