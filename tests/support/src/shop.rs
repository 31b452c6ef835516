//! The data of a shop, as far as customers ask about it.

use std::{collections::BTreeMap, fs, path::Path};

use jiff::{ToSpan as _, civil::Date};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::SupportError;

/// A customer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct User {
    /// First and last name.
    pub name: Name,
    /// Where they live.
    pub address: Address,
    /// Where they get mail.
    pub email: String,
    /// Numbers of their orders.
    #[serde(default)]
    pub orders: Vec<String>,
}

/// A name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Name {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
}

/// The part of an address that identifies.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Address {
    /// Postcode.
    pub zip: String,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Order {
    /// Whose it is.
    pub user_id: String,
    /// How far it has come.
    pub status: String,
    /// What was sent.
    #[serde(default)]
    pub fulfillments: Vec<Fulfillment>,
    /// The day on which it arrived, as `YYYY-MM-DD`, where the shop keeps it.
    #[serde(default)]
    pub delivered_at: Option<String>,
    /// What was paid for it.
    #[serde(default)]
    pub payment_history: Vec<Payment>,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Payment {
    /// How much, in the shop's currency.
    pub amount: f64,
}

/// A parcel, or several.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Fulfillment {
    /// Their tracking numbers.
    #[serde(default)]
    pub tracking_id: Vec<String>,
}

/// Customers and orders by their keys.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Shop {
    /// Customers.
    pub users: BTreeMap<String, User>,
    /// Orders.
    pub orders: BTreeMap<String, Order>,
}

/// Reads a file of records: `{collection: {key: document}}`.
///
/// # Errors
/// Where it cannot be read or is not JSON.
pub fn read(path: &Path) -> Result<Value, SupportError> {
    let text = fs::read_to_string(path).map_err(SupportError::file(path))?;
    serde_json::from_str(&text).map_err(|problem| SupportError::Content {
        path: path.to_owned(),
        problem: problem.to_string(),
    })
}

/// Puts dates in place of texts such as `@12-days-ago`, so that the sample shop
/// does not age.
pub fn settle_dates(records: &mut Value, today: Date) {
    match records {
        Value::String(text) => {
            if let Some(days) = days_ago(text) {
                *text = today.saturating_sub(days.days()).to_string();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| settle_dates(item, today)),
        Value::Object(fields) => fields.values_mut().for_each(|field| settle_dates(field, today)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The number in `@12-days-ago`.
fn days_ago(text: &str) -> Option<i32> {
    let days = text.strip_prefix('@')?;
    let days = days.strip_suffix("-days-ago").or_else(|| days.strip_suffix("-day-ago"))?;
    days.parse().ok().filter(|days| (0..=100_000).contains(days))
}

impl Shop {
    /// The shop in records read from `path`.
    ///
    /// # Errors
    /// Where a customer or an order lacks what it needs, naming it.
    pub fn from_records(path: &Path, records: &Value) -> Result<Self, SupportError> {
        Ok(Self {
            users: collection(path, records, "users")?,
            orders: collection(path, records, "orders")?,
        })
    }
}

fn collection<T: DeserializeOwned>(
    path: &Path,
    records: &Value,
    name: &str,
) -> Result<BTreeMap<String, T>, SupportError> {
    let wrong = |problem: String| SupportError::Content { path: path.to_owned(), problem };
    let Some(documents) = records.get(name).and_then(Value::as_object) else {
        return Err(wrong(format!("{name}: an object of documents by key is missing")));
    };
    documents
        .iter()
        .map(|(key, document)| {
            let parsed = T::deserialize(document);
            let parsed = parsed.map_err(|problem| wrong(format!("{name}.{key}: {problem}")))?;
            Ok((key.clone(), parsed))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn relative_dates_become_dates_and_other_texts_stay() {
        let mut records =
            json!({ "a": ["@12-days-ago", "@1-day-ago"], "b": "@x-days-ago", "c": 3 });
        settle_dates(&mut records, jiff::civil::date(2026, 3, 14));
        let expected = json!({ "a": ["2026-03-02", "2026-03-13"], "b": "@x-days-ago", "c": 3 });
        assert_eq!(records, expected);
    }

    #[test]
    fn a_document_that_lacks_something_is_named() {
        let records = json!({ "users": {}, "orders": { "#W1": { "user_id": "u" } } });
        let problem = Shop::from_records(Path::new("shop.json"), &records).unwrap_err();
        assert_eq!(problem.to_string(), "shop.json: orders.#W1: missing field `status`");
        let problem = Shop::from_records(Path::new("shop.json"), &json!([])).unwrap_err();
        assert_eq!(
            problem.to_string(),
            "shop.json: users: an object of documents by key is missing"
        );
    }
}
