//! Requests of skills to a carrier, under different grants of the operator.

use anyhow::{Result, ensure};
use postern_domain::{CallState, Decision, HostReply};
use toml_edit::{Array, Item, value};

use crate::setup::{Customer, Told, Town};

/// Of the sample shop: an order that is under way, its parcel, its customer.
const ORDER: &str = "#W1205212";
const PARCEL: &str = "810400260333";
const EMAIL: &str = "j.gross@example.com";

/// Asks for the parcel as its customer.
async fn track(town: &Town, chat: i64) -> Result<Told> {
    let host = town.open().await?;
    let mut customer = Customer::new(town, &host, chat);
    customer.says(&format!("Please track my parcel for {ORDER}")).await?;
    customer.says(EMAIL).await
}

#[tokio::test]
async fn a_granted_request_reaches_the_carrier_with_its_token() -> Result<()> {
    let town = Town::with_sample_shop().await?;
    let told = track(&town, 1).await?;
    told.must_use("shipment-tracking", "track_shipment")?.must_say(PARCEL)?;
    let [request] = &town.carrier.received()[..] else { anyhow::bail!("one request") };
    ensure!(request.authorized && request.tracking_id == PARCEL, "{request:?}");
    let names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    for name in &names {
        let known = ["accept", "accept-encoding", "host", "user-agent"];
        ensure!(known.contains(name), "{name} was sent: {request:?}");
    }
    for call in told.calls() {
        if let CallState::Done { reply: HostReply::Http { response } } = &call.state {
            ensure!(response.status == 200 && call.decision == Decision::Allow, "{call:?}");
            return Ok(());
        }
    }
    anyhow::bail!("no request among {:?}", told.calls())
}

#[tokio::test]
async fn without_a_grant_that_covers_it_no_request_leaves() -> Result<()> {
    let town = Town::with_sample_shop().await?;
    let narrower: [(&str, Item, &str); 5] = [
        ("secrets", value(Array::new()), "a secret that the request names is not granted"),
        ("paths", value(Array::from_iter(["v1/parcels/*"])), "the path is not granted"),
        ("methods", value(Array::from_iter(["HEAD"])), "GET is not granted"),
        ("grants", Item::None, "is not granted to shipment-tracking"),
        ("endpoints", Item::None, "no endpoint covers the URL"),
    ];
    for (chat, (part, to, reason)) in (2..).zip(narrower) {
        town.data.edit_config(|config| match part {
            "endpoints" => {
                config.remove("endpoints");
                config.remove("secrets");
            }
            "grants" => {
                config["endpoints"]["carrier"]["grants"] = to;
            }
            part => {
                config["endpoints"]["carrier"]["grants"]["shipment-tracking"][part] = to;
            }
        })?;
        let told = track(&town, chat).await?;
        told.must_use("shipment-tracking", "track_shipment")?.must_be_refused_by("not-granted")?;
        let refusals = told.calls().into_iter().filter_map(|call| match &call.state {
            CallState::Failed { failure } => Some(failure.message.as_str()),
            CallState::Done { .. } | CallState::Waiting { .. } | CallState::Intended => None,
        });
        let refusals: Vec<&str> = refusals.collect();
        ensure!(refusals.iter().any(|said| said.contains(reason)), "{part}: {refusals:?}");
        // The customer hears nothing of the operator's matters.
        for word in ["grant", "endpoint", "postern.toml", "carrier.example"] {
            told.must_not_say(word)?;
        }
    }
    ensure!(town.carrier.received().is_empty(), "{:?}", town.carrier.received());
    Ok(())
}
