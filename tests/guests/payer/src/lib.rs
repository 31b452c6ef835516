//! Changes something that can be counted, once for each call: at a till, or in
//! the operator's records.

wit_bindgen::generate!({
    inline: "package test:payer;
        world payer {
            import postern:http/client@0.1.0;
            import postern:records/store@0.1.0;
            export postern:skill/tools@0.1.0;
        }",
    path: ["../../../wit/http", "../../../wit/records", "../../../wit/skill"],
    generate_all,
});

use exports::postern::skill::tools::{Context, Failure, Guest, Outcome};
use postern::{
    http::client::{self, Method, Request},
    records::store::{self, Expected, FailureKind, Put, Step},
};
use serde_json::{Value, json};

struct Payer;

export!(Payer);

impl Guest for Payer {
    fn call(tool: String, arguments: String, context: Context) -> Result<Outcome, Failure> {
        let arguments: Value = serde_json::from_str(&arguments)
            .map_err(|error| Failure::InvalidArguments(error.to_string()))?;
        let voucher = arguments["voucher"].as_str().unwrap_or_default();
        let told = match tool.as_str() {
            "pay_safe" | "pay_held" => pay(&context, &tool, voucher, true)?,
            "pay_once" => pay(&context, &tool, voucher, false)?,
            "book" => book(voucher)?,
            other => return Err(Failure::InvalidArguments(format!("no tool {other}"))),
        };
        Ok(Outcome::Reply(told))
    }
}

/// Pays at the till.
fn pay(context: &Context, tool: &str, voucher: &str, idempotent: bool) -> Result<String, Failure> {
    let till = context.settings.iter().find(|(name, _)| name == "till_url");
    let (_, till) = till.ok_or_else(|| Failure::Internal("till_url is not set".into()))?;
    let answer = client::send(&Request {
        method: Method::Post,
        url: format!("{till}/v1/payments"),
        headers: vec![("content-type".into(), "application/json".into())],
        body: json!({ "voucher": voucher, "tool": tool }).to_string().into_bytes(),
        secrets: Vec::new(),
        idempotent,
    });
    match answer {
        Ok(response) => {
            let receipt: Value = serde_json::from_slice(&response.body).unwrap_or_default();
            Ok(format!("{tool} of {voucher}: {} {}", response.status, receipt["receipt"]))
        }
        Err(failure) => match failure.kind {
            client::FailureKind::Denied => Err(Failure::Denied(failure.message)),
            client::FailureKind::Uncertain => Ok(format!("{tool} of {voucher}: uncertain")),
            _ => Err(Failure::Unavailable(failure.message)),
        },
    }
}

/// Counts one more booking of a voucher. Done twice, it would count two.
fn book(voucher: &str) -> Result<String, Failure> {
    let (count, expected) = match store::get("bookings", voucher) {
        Ok(document) => {
            let body: Value = serde_json::from_str(&document.body).unwrap_or_default();
            (body["count"].as_u64().unwrap_or_default(), Expected::Version(document.version))
        }
        Err(failure) if failure.kind == FailureKind::NotFound => (0, Expected::Absent),
        Err(failure) => return Err(Failure::Unavailable(failure.message)),
    };
    let count = count + 1;
    let put = Put {
        collection: "bookings".into(),
        key: voucher.into(),
        body: json!({ "count": count }).to_string(),
        expected,
    };
    match store::write(&[Step::Put(put)]) {
        Ok(_) => Ok(format!("booking {count} of {voucher}")),
        Err(failure) => Err(Failure::Unavailable(failure.message)),
    }
}
