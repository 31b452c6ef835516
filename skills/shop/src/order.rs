//! Orders.

use std::{collections::BTreeMap, fmt};

use postern_sdk::{Outcome, Result, records};
use serde::Deserialize;

use crate::Cents;

/// An order, with the fields that skills need.
#[derive(Clone, Debug, Deserialize)]
pub struct Order {
    /// Its id, with the leading `#`.
    pub order_id: String,
    /// Key of the customer who placed it.
    pub user_id: String,
    /// Where it stands.
    pub status: Status,
    /// What was bought.
    #[serde(default)]
    pub items: Vec<Item>,
    /// What was sent.
    #[serde(default)]
    pub fulfillments: Vec<Fulfillment>,
    /// Payments and refunds, oldest first.
    #[serde(default)]
    pub payment_history: Vec<Payment>,
    /// When it was placed: a date.
    pub ordered_at: Option<String>,
    /// When it arrived: a date.
    pub delivered_at: Option<String>,
}

/// One thing that was bought.
#[derive(Clone, Debug, Deserialize)]
pub struct Item {
    /// Its name.
    pub name: String,
    /// Its price.
    pub price: Cents,
    /// What was chosen, such as color and size.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

/// A shipment of some of the items.
#[derive(Clone, Debug, Deserialize)]
pub struct Fulfillment {
    /// The carrier's numbers.
    #[serde(default)]
    pub tracking_id: Vec<String>,
}

/// Money that moved.
#[derive(Clone, Debug, Deserialize)]
pub struct Payment {
    /// In which direction.
    pub transaction_type: Transaction,
    /// How much.
    pub amount: Cents,
    /// By which of the customer's payment methods.
    pub payment_method_id: String,
}

/// The direction in which money moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transaction {
    /// From the customer.
    Payment,
    /// To the customer.
    Refund,
}

/// Where an order stands.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Status {
    /// Not sent yet.
    Pending,
    /// Not sent yet, with items changed since it was placed.
    PendingModified,
    /// Handed to the carrier.
    Processed,
    /// Arrived.
    Delivered,
    /// Cancelled before it was sent.
    Cancelled,
    /// To be sent back.
    ReturnRequested,
    /// To be exchanged.
    ExchangeRequested,
    /// A word of the shop that this crate does not know.
    Other(String),
}

impl From<String> for Status {
    fn from(text: String) -> Self {
        match text.as_str() {
            "pending" => Self::Pending,
            "pending (item modified)" => Self::PendingModified,
            "processed" => Self::Processed,
            "delivered" => Self::Delivered,
            "cancelled" => Self::Cancelled,
            "return requested" => Self::ReturnRequested,
            "exchange requested" => Self::ExchangeRequested,
            _ => Self::Other(text),
        }
    }
}

impl fmt::Display for Status {
    /// The shop's word.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::PendingModified => "pending (item modified)",
            Self::Processed => "processed",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
            Self::ReturnRequested => "return requested",
            Self::ExchangeRequested => "exchange requested",
            Self::Other(word) => word,
        })
    }
}

impl Order {
    /// What all items cost together.
    pub fn total(&self) -> Cents {
        self.items.iter().map(|item| item.price).sum()
    }

    /// Every tracking number, in order.
    pub fn tracking_numbers(&self) -> impl Iterator<Item = &str> {
        self.fulfillments.iter().flat_map(|sent| &sent.tracking_id).map(String::as_str)
    }
}

/// An order of the customer, or the answer when there is none.
///
/// An order that is somebody else's and one that does not exist get the same
/// answer, so that nobody can learn which numbers exist.
///
/// # Errors
/// The record cannot be read for another reason.
pub fn find_order(order_id: &str) -> Result<Result<Order, Outcome>> {
    match records::get::<Order>("orders", order_id) {
        Ok(record) => Ok(Ok(record.body)),
        Err(error) if error.is_denied() || error.is_not_found() => {
            log::info!("the order is not one of this customer's: {error}");
            Ok(Err(Outcome::reply(format!(
                "I cannot find order {order_id} in your account. Please check the number: \
                 it starts with #W and has seven digits. You find it in your order confirmation."
            ))))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use postern_sdk::{
        HostError, HostErrorKind,
        fake::{Call, Host},
    };
    use serde_json::json;

    use super::*;

    #[test]
    fn orders_of_others_and_missing_orders_get_the_same_answer() {
        let host = Host::new();
        host.set_record("orders", "#W1000001", json!({}));
        let denied = HostError::new(HostErrorKind::Denied, "records-owner-only");
        host.fail_when(
            |call| matches!(call, Call::RecordsGet { key, .. } if key == "#W1000001"),
            denied,
        );
        let answer = |id: &str| {
            let Err(Outcome::Reply(text)) = find_order(id).unwrap() else { panic!("{id}") };
            text.replace(id, "")
        };
        assert_eq!(answer("#W1000001"), answer("#W1000002"));
    }

    #[test]
    fn other_failures_are_failures() {
        let host = Host::new();
        host.fail_when(|_| true, HostError::new(HostErrorKind::Unavailable, "down"));
        assert!(find_order("#W1000001").is_err());
    }

    #[test]
    fn a_whole_order_is_read() {
        let order: Order = serde_json::from_value(json!({
            "order_id": "#W1000001",
            "user_id": "u",
            "address": {"zip": "<ZIP_1.aaaa>"},
            "items": [
                {"name": "Mug", "product_id": "1", "item_id": "2", "price": 9.95, "options": {"color": "red"}},
                {"name": "Cup", "product_id": "1", "item_id": "3", "price": 10, "options": {}}
            ],
            "status": "pending (item modified)",
            "fulfillments": [{"tracking_id": ["1", "2"], "item_ids": []}, {"tracking_id": ["3"]}],
            "payment_history": [{"transaction_type": "refund", "amount": 1.5, "payment_method_id": "p"}]
        }))
        .unwrap();
        assert_eq!(order.total(), Cents(1_995));
        assert_eq!(order.tracking_numbers().collect::<Vec<_>>(), ["1", "2", "3"]);
        assert_eq!(order.status, Status::PendingModified);
        assert_eq!(order.payment_history[0].transaction_type, Transaction::Refund);
    }

    #[test]
    fn statuses_print_as_the_shop_writes_them() {
        let words = [
            "pending",
            "pending (item modified)",
            "processed",
            "delivered",
            "cancelled",
            "return requested",
            "exchange requested",
            "lost at sea",
        ];
        for word in words {
            assert_eq!(Status::from(word.to_owned()).to_string(), word);
        }
    }
}
