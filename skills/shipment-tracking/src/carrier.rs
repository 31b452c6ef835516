//! The carrier's interface.

use postern_sdk::{Error, Result, http::Request};
use serde::Deserialize;

/// What the carrier knows about a parcel.
#[derive(Deserialize)]
pub(crate) struct Parcel {
    tracking_id: String,
    pub(crate) status: ParcelStatus,
    pub(crate) location: Option<String>,
    pub(crate) estimated_delivery: Option<String>,
    #[serde(default)]
    pub(crate) events: Vec<Event>,
}

/// Something that happened to a parcel.
#[derive(Deserialize)]
pub(crate) struct Event {
    pub(crate) at: String,
    pub(crate) text: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ParcelStatus {
    InTransit,
    Delivered,
    Exception,
    LabelCreated,
    #[serde(other)]
    Unknown,
}

/// What the carrier knows about this number; nothing, if it does not know it.
pub(crate) fn ask(url: &str, number: &str) -> Result<Option<Parcel>> {
    if !is_tracking_number(number) {
        return Err(Error::Data {
            what: "tracking number of the order".to_owned(),
            reason: "expected up to 64 letters, digits and hyphens".to_owned(),
        });
    }
    let url = format!("{}/v1/shipments/{number}", url.trim_end_matches('/'));
    let response =
        Request::get(url).header("accept", "application/json").secret("carrier-token").send()?;
    match response.status {
        200 => {
            let parcel: Parcel = response.json()?;
            if parcel.tracking_id != number {
                return Err(Error::Unavailable("the carrier answered about another parcel".into()));
            }
            Ok(Some(parcel))
        }
        404 => Ok(None),
        401 | 403 => Err(Error::Unavailable(
            "the carrier refused the token; check the secret `carrier-token`".into(),
        )),
        status => Err(Error::Unavailable(format!("the carrier answered with status {status}"))),
    }
}

/// Whether a number from a record can stand in a URL.
fn is_tracking_number(number: &str) -> bool {
    (1..=64).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
