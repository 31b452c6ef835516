//! A stand-in for a parcel carrier: it knows every tracking number of 8 to 20
//! digits and derives what it tells from the number.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use jiff::{ToSpan as _, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{Faults, SupportError, server::Loopback};

/// How far a parcel has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShipmentStatus {
    /// On its way.
    InTransit,
    /// Handed over.
    Delivered,
    /// Held up.
    Exception,
    /// Announced, not handed in yet.
    LabelCreated,
}

/// Something that happened to a parcel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShipmentEvent {
    /// When, in RFC 3339.
    pub at: String,
    /// What.
    pub text: String,
}

/// What the carrier tells about a parcel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    /// The number.
    pub tracking_id: String,
    /// How far it has come.
    pub status: ShipmentStatus,
    /// Where it was seen last.
    pub location: String,
    /// The day on which it arrives or arrived, as `YYYY-MM-DD`.
    pub estimated_delivery: String,
    /// Oldest first.
    pub events: Vec<ShipmentEvent>,
}

const PLACES: [&str; 8] =
    ["Rotterdam", "Leipzig", "Lyon", "Memphis", "Osaka", "Porto", "Toronto", "Wroclaw"];

/// What the carrier tells about a number on a day; nothing if it cannot be one
/// of its numbers. The last digit decides the status: 0 to 5 in transit, 6 and
/// 7 delivered, 8 held up, 9 announced.
pub fn shipment(tracking_id: &str, today: Date) -> Option<Shipment> {
    let fits =
        (8..=20).contains(&tracking_id.len()) && tracking_id.bytes().all(|b| b.is_ascii_digit());
    if !fits {
        return None;
    }
    let (status, days, last) = match tracking_id.as_bytes().last()? {
        b'0'..=b'5' => (ShipmentStatus::InTransit, 2, "Arrived at the sorting centre"),
        b'6' | b'7' => (ShipmentStatus::Delivered, -1, "Handed over"),
        b'8' => (ShipmentStatus::Exception, 4, "Held: the address needs a check"),
        _ => (ShipmentStatus::LabelCreated, 5, "Announced by the sender"),
    };
    let sum =
        tracking_id.bytes().fold(0_usize, |sum, digit| sum.wrapping_mul(31) + usize::from(digit));
    let location = PLACES[sum % PLACES.len()];
    let mut events = vec![ShipmentEvent {
        at: format!("{}T08:00:00Z", today.saturating_sub(4.days())),
        text: "Announced by the sender".to_owned(),
    }];
    if status != ShipmentStatus::LabelCreated {
        events.push(ShipmentEvent {
            at: format!("{}T17:30:00Z", today.saturating_sub(1.day())),
            text: format!("{last}, {location}"),
        });
    }
    Some(Shipment {
        tracking_id: tracking_id.to_owned(),
        status,
        location: location.to_owned(),
        estimated_delivery: today.saturating_add(days.days()).to_string(),
        events,
    })
}

/// A request that the carrier received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarrierRequest {
    /// The number that was asked for.
    pub tracking_id: String,
    /// Whether the token was right.
    pub authorized: bool,
    /// All headers but the credentials.
    pub headers: Vec<(String, String)>,
}

/// A running carrier. It ends when this is dropped.
#[derive(Debug)]
pub struct Carrier {
    server: Loopback,
    shared: Shared,
}

#[derive(Clone, Debug)]
struct Shared {
    token: Arc<str>,
    today: Date,
    faults: Faults,
    received: Arc<Mutex<Vec<CarrierRequest>>>,
}

impl Carrier {
    /// Starts a carrier that answers to whoever has the token, as of `today`.
    ///
    /// # Errors
    /// Where no port of loopback can be had.
    pub async fn start(token: &str, today: Date) -> Result<Self, SupportError> {
        let shared = Shared {
            token: token.into(),
            today,
            faults: Faults::default(),
            received: Arc::default(),
        };
        let router =
            Router::new().route("/v1/shipments/{id}", get(answer)).with_state(shared.clone());
        let server = Loopback::start(router)
            .await
            .map_err(|source| SupportError::Start { what: "the carrier".to_owned(), source })?;
        Ok(Self { server, shared })
    }

    /// Where it listens, without a slash at the end.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// What is to go wrong.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// The requests so far, also those that met a fault.
    pub fn received(&self) -> Vec<CarrierRequest> {
        self.shared.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn answer(
    State(shared): State<Shared>,
    Path(tracking_id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let wanted = format!("Bearer {}", shared.token);
    let authorized = headers
        .get(header::AUTHORIZATION)
        .is_some_and(|given| given.as_bytes() == wanted.as_bytes());
    let kept = headers
        .iter()
        .filter(|(name, _)| **name != header::AUTHORIZATION)
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()))
        .collect();
    let request = CarrierRequest { tracking_id: tracking_id.clone(), authorized, headers: kept };
    shared.received.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    shared
        .faults
        .around(|| {
            if !authorized {
                return refuse(StatusCode::UNAUTHORIZED, "the token is missing or wrong");
            }
            match shipment(&tracking_id, shared.today) {
                Some(shipment) => Json(shipment).into_response(),
                None => refuse(StatusCode::NOT_FOUND, "no such shipment"),
            }
        })
        .await
}

fn refuse(status: StatusCode, error: &str) -> Response {
    (status, Json(serde_json::json!({ "error": error }))).into_response()
}

#[cfg(test)]
mod tests;
