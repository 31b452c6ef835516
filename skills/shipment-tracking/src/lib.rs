//! Asks the carrier where a parcel is.
//!
//! A parcel is found through the customer's own order: a tracking number alone
//! proves nothing about who asks.

mod carrier;

use postern_sdk::{Context, Outcome, Result, skill};
use serde::Deserialize;
use shop::{Date, Order, Status};

use carrier::{Parcel, ParcelStatus};

skill! { "track_shipment" => track_shipment }

/// So many parcels of an order are looked up at most.
const MOST_PARCELS: usize = 5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrackArgs {
    order_id: String,
}

fn track_shipment(args: TrackArgs, context: &Context) -> Result<Outcome> {
    let order = match shop::find_order(&args.order_id)? {
        Ok(order) => order,
        Err(answer) => return Ok(answer),
    };
    if let Some(answer) = without_parcel(&order) {
        return Ok(Outcome::reply(answer));
    }
    let url = context.setting("carrier_url")?;
    let numbers: Vec<_> = order.tracking_numbers().take(MOST_PARCELS).collect();
    let mut parcels = Vec::new();
    for number in &numbers {
        parcels.push((number, describe(carrier::ask(url, number)?)));
    }
    log::info!(order = order.order_id.as_str(), parcels = parcels.len(); "parcels tracked");
    let text = match parcels.as_slice() {
        [(number, news)] => {
            format!("Your parcel for order {} (tracking number {number}): {news}", order.order_id)
        }
        several => {
            let lines = several
                .iter()
                .map(|(number, news)| format!("\n• Tracking number {number}: {news}"));
            let all = order.tracking_numbers().count();
            let cut = if all > several.len() { ", of which these are the first" } else { "" };
            format!("Order {} comes in {all} parcels{cut}:", order.order_id)
                + &lines.collect::<String>()
        }
    };
    Ok(Outcome::reply(text))
}

/// The answer for an order of which no parcel is under way.
fn without_parcel(order: &Order) -> Option<String> {
    let id = &order.order_id;
    match &order.status {
        Status::Pending | Status::PendingModified => Some(format!(
            "Order {id} has not been sent yet. We are getting it ready; you can follow the parcel \
             as soon as it leaves us."
        )),
        Status::Cancelled => Some(format!("Order {id} was cancelled, so there is no parcel.")),
        Status::Processed
        | Status::Delivered
        | Status::ReturnRequested
        | Status::ExchangeRequested
        | Status::Other(_) => order.tracking_numbers().next().is_none().then(|| {
            format!(
                "Order {id} is {}, but it has no tracking number yet. Please ask again later.",
                order.status
            )
        }),
    }
}

fn describe(parcel: Option<Parcel>) -> String {
    let Some(parcel) = parcel else {
        return "the carrier does not know this number yet. It can take a day until a new parcel \
                shows up there."
            .to_owned();
    };
    let place = parcel.location.as_deref().map(printable).filter(|place| !place.is_empty());
    let mut text = match (&parcel.status, place) {
        (ParcelStatus::InTransit, Some(place)) => {
            format!("it is on its way, last seen in {place}.")
        }
        (ParcelStatus::InTransit, None) => "it is on its way.".to_owned(),
        (ParcelStatus::Delivered, Some(place)) => format!("it was delivered in {place}."),
        (ParcelStatus::Delivered, None) => "it was delivered.".to_owned(),
        (ParcelStatus::Exception, Some(place)) => {
            format!("the carrier reports a problem in {place}.")
        }
        (ParcelStatus::Exception, None) => "the carrier reports a problem.".to_owned(),
        (ParcelStatus::LabelCreated, _) => {
            "it is announced to the carrier, who has not picked it up yet.".to_owned()
        }
        (ParcelStatus::Unknown, _) => "the carrier has it, but does not say where.".to_owned(),
    };
    let expected = parcel.estimated_delivery.as_deref().and_then(Date::parse);
    if let (Some(date), false) = (expected, parcel.status == ParcelStatus::Delivered) {
        text += &format!(" It should arrive on {date}.");
    }
    if let Some(event) = parcel.events.last() {
        let news = printable(&event.text);
        match Date::parse(&event.at) {
            Some(date) if !news.is_empty() => text += &format!(" Latest news, {date}: {news}."),
            None if !news.is_empty() => text += &format!(" Latest news: {news}."),
            Some(_) | None => {}
        }
    }
    text
}

/// Text of the carrier that may stand in an answer: one short line, without the
/// marks that placeholders are made of.
fn printable(text: &str) -> String {
    let plain: String =
        text.chars().filter(|c| !c.is_control() && !matches!(c, '<' | '>')).take(120).collect();
    plain.trim().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests;
