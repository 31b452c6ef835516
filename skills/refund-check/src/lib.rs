//! Checks whether an order can be refunded, and requests the refund.
//!
//! The request is a record that people and later steps act on; no money moves
//! here.

mod rules;

use std::collections::BTreeMap;

use postern_sdk::{
    Context, Outcome, Result, Severity,
    records::{self, Step},
    skill,
};
use serde::{Deserialize, Serialize};
use shop::{Date, Order};

use rules::{Judgement, Method, Reason, judge};

skill! {
    "refund_check" => refund_check,
    "refund_request" => refund_request,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckArgs {
    order_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestArgs {
    order_id: String,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    payment_methods: BTreeMap<String, PaymentMethod>,
}

#[derive(Deserialize)]
struct PaymentMethod {
    source: Method,
}

/// A record of the collection `refunds`; its key is the order's id.
#[derive(Serialize)]
struct Refund<'a> {
    order_id: &'a str,
    user_id: &'a str,
    amount_cents: i64,
    currency: &'a str,
    payment_method_id: &'a str,
    reason: &'a str,
    requested_at_ms: u64,
    state: &'a str,
}

fn refund_check(args: CheckArgs, context: &Context) -> Result<Outcome> {
    let currency = context.setting("currency")?;
    let order = match shop::find_order(&args.order_id)? {
        Ok(order) => order,
        Err(answer) => return Ok(answer),
    };
    Ok(match judgement(&order, context)? {
        Judgement::Eligible { amount, method, delivered, .. } => Outcome::reply(format!(
            "Yes, order {} can be refunded: it was delivered on {delivered}, and refunds are \
             possible for {} days. {} would be paid back {}. If you would like that, \
             just write \"refund order {}\".",
            order.order_id,
            rules::WINDOW_DAYS,
            amount.in_currency(currency),
            method.how_and_when(),
            order.order_id,
        )),
        Judgement::Not(reason) => refusal(&order, &reason),
    })
}

fn refund_request(args: RequestArgs, context: &Context) -> Result<Outcome> {
    let currency = context.setting("currency")?;
    let order = match shop::find_order(&args.order_id)? {
        Ok(order) => order,
        Err(answer) => return Ok(answer),
    };
    let (amount, method, method_id) = match judgement(&order, context)? {
        Judgement::Eligible { amount, method, method_id, .. } => (amount, method, method_id),
        Judgement::Not(reason) => return Ok(refusal(&order, &reason)),
    };
    let (shown, when) = (amount.in_currency(currency), method.how_and_when());
    let refund = Refund {
        order_id: &order.order_id,
        user_id: &order.user_id,
        amount_cents: amount.0,
        currency,
        payment_method_id: &method_id,
        reason: "customer-request",
        requested_at_ms: context.now_ms,
        state: "requested",
    };
    // The host asks the customer, and people above an amount that the operator set,
    // before it lets this happen.
    match records::write(&[Step::create("refunds", &order.order_id, &refund)?]) {
        Ok(_) => {
            log::info!(order = order.order_id.as_str(), cents = amount.0; "refund requested");
            Ok(Outcome::reply(format!(
                "Done. I have requested your refund of {shown} for order {}. It will be paid \
                 back {when}.",
                order.order_id
            )))
        }
        // Somebody was faster: the refund that there is counts.
        Err(error) if error.is_conflict() => Ok(refusal(&order, &Reason::AlreadyRequested)),
        Err(error) => Err(error),
    }
}

/// Gathers what the rules need, and judges.
fn judgement(order: &Order, context: &Context) -> Result<Judgement> {
    let same_order = [("order_id", order.order_id.as_str()), ("user_id", order.user_id.as_str())];
    let requested = records::query::<serde_json::Value>("refunds", &same_order, 1)?;
    if !requested.is_empty() {
        return Ok(Judgement::Not(Reason::AlreadyRequested));
    }
    let user = records::get::<User>("users", &order.user_id)?.body;
    let methods = user.payment_methods.into_iter().map(|(id, method)| (id, method.source));
    Ok(judge(order, &methods.collect(), Date::of_millis(context.now_ms)))
}

/// What a customer is told who gets no refund, or not from a machine.
fn refusal(order: &Order, reason: &Reason) -> Outcome {
    let id = &order.order_id;
    log::info!(order = id.as_str(), reason = reason.name(); "no refund");
    let text = match reason {
        Reason::NotSent => format!(
            "Order {id} has not been sent yet, so it needs no refund: it can still be cancelled \
             instead, and then the whole amount is paid back."
        ),
        Reason::OnItsWay => format!(
            "Order {id} is on its way to you. Please wait until it is delivered; from then on \
             you can ask for a refund for {} days.",
            rules::WINDOW_DAYS
        ),
        Reason::Cancelled(method) => format!(
            "Order {id} was cancelled, and the refund comes by itself: {}. Nothing else needs to \
             be done.",
            method.map_or("it takes 5 to 7 business days", Method::after_cancelling)
        ),
        Reason::AlreadyRefunded => {
            format!("Order {id} has been refunded already, so there is nothing left to pay back.")
        }
        Reason::AlreadyRequested => format!(
            "A refund for order {id} was already requested. It is being worked on, and you do \
             not need to do anything."
        ),
        Reason::ReturnUnderWay => format!(
            "A return or exchange of order {id} is already under way, so it cannot be refunded \
             on top of that."
        ),
        Reason::TooOld { delivered, days } => format!(
            "I am sorry, order {id} can no longer be refunded: it was delivered on {delivered}, \
             {days} days ago, and refunds are possible for {} days after delivery.",
            rules::WINDOW_DAYS
        ),
        Reason::DeliveryDateUnknown => {
            return ask_person(
                reason,
                format!(
                    "I cannot see when order {id} was delivered. A colleague will check the date and \
                 come back to you."
                ),
            );
        }
        Reason::PaymentUnclear => {
            return ask_person(
                reason,
                format!(
                    "The payment for order {id} is not a simple one. A colleague will look at it and \
                 come back to you."
                ),
            );
        }
        Reason::StatusUnclear => {
            return ask_person(
                reason,
                format!(
                    "Order {id} is in a state that I cannot judge. A colleague will look at it and \
                 come back to you."
                ),
            );
        }
    };
    Outcome::reply(text)
}

fn ask_person(reason: &Reason, text: String) -> Outcome {
    Outcome::hand_over(reason.name(), Severity::Normal, text)
}

#[cfg(test)]
mod tests;
