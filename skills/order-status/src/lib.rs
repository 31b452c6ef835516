//! Tells how an order stands.

use postern_sdk::{Context, NoArguments, Outcome, Result, records, skill};
use serde::Deserialize;
use shop::{Item, Order, Status};

skill! {
    "order_status" => order_status,
    "list_orders" => list_orders,
}

/// So many orders are listed at most.
const MOST_ORDERS: usize = 10;
/// So many items of an order are listed at most.
const MOST_ITEMS: usize = 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderArgs {
    order_id: String,
}

fn order_status(args: OrderArgs, context: &Context) -> Result<Outcome> {
    let currency = context.setting("currency")?;
    let order = match shop::find_order(&args.order_id)? {
        Ok(order) => order,
        Err(answer) => return Ok(answer),
    };
    log::info!(order = order.order_id.as_str(), status:% = order.status; "order read");

    let mut lines = vec![format!("Order {} is {}.", order.order_id, order.status), String::new()];
    lines.extend(order.items.iter().take(MOST_ITEMS).map(|item| item_line(item, currency)));
    if order.items.len() > MOST_ITEMS {
        lines.push(format!("• and {} more", order.items.len() - MOST_ITEMS));
    }
    lines.push(format!("Total: {}", order.total().in_currency(currency)));
    lines.push(String::new());
    lines.push(what_happens_next(&order));
    Ok(Outcome::reply(lines.join("\n")))
}

fn item_line(item: &Item, currency: &str) -> String {
    let options: Vec<_> =
        item.options.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let options =
        if options.is_empty() { String::new() } else { format!(" ({})", options.join(", ")) };
    format!("• {}{options}, {}", item.name, item.price.in_currency(currency))
}

fn what_happens_next(order: &Order) -> String {
    let numbers: Vec<_> = order.tracking_numbers().collect();
    let tracking = match numbers.as_slice() {
        [] => String::new(),
        [one] => format!(" The tracking number is {one}."),
        several => format!(" The tracking numbers are {}.", several.join(", ")),
    };
    match &order.status {
        Status::Pending | Status::PendingModified => {
            "We are getting it ready. It has not been sent yet.".to_owned()
        }
        Status::Processed => format!("It is on its way to you.{tracking}"),
        Status::Delivered => {
            let when = order.delivered_at.as_deref().and_then(shop::Date::parse);
            let when = when.map_or(String::new(), |date| format!(" on {date}"));
            format!("It was delivered{when}.{tracking}")
        }
        Status::Cancelled => "It was cancelled, and nothing will be sent.".to_owned(),
        Status::ReturnRequested => {
            "We have your wish to return it and will write to you about the next step.".to_owned()
        }
        Status::ExchangeRequested => {
            "We have your wish to exchange it and will write to you about the next step.".to_owned()
        }
        Status::Other(_) => {
            "If you would like to know more, I can ask a colleague to look at it.".to_owned()
        }
    }
}

fn list_orders(_: NoArguments, context: &Context) -> Result<Outcome> {
    let key = context.customer_key()?;
    // One more than is shown tells whether there are more.
    let found = records::query::<Order>("orders", &[("user_id", key)], MOST_ORDERS as u32 + 1)?;
    log::info!(count = found.len(); "orders listed");
    if found.is_empty() {
        return Ok(Outcome::reply("There are no orders in your account yet."));
    }
    let mut lines = vec!["These are your orders:".to_owned()];
    lines.extend(found.iter().take(MOST_ORDERS).map(|record| {
        let names: Vec<_> = record.body.items.iter().map(|item| item.name.as_str()).collect();
        format!("• {}: {} ({})", record.body.order_id, record.body.status, short_list(&names))
    }));
    if found.len() > MOST_ORDERS {
        lines.push("There are more. Tell me a number and I will look it up.".to_owned());
    }
    Ok(Outcome::reply(lines.join("\n")))
}

fn short_list(names: &[&str]) -> String {
    match names {
        [] => "no items".to_owned(),
        [first, second, rest @ ..] if rest.len() > 1 => {
            format!("{first}, {second} and {} more", rest.len())
        }
        few => few.join(", "),
    }
}

#[cfg(test)]
mod tests;
