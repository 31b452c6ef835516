//! The work of the skill order-status as ordinary code: what a program does that
//! is trusted with everything. The benchmark compares a judged call with it.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::{Deserialize, Serialize};

/// The record that every program of the benchmark reads: about 1 KB of JSON.
pub const ORDER: &str = include_str!("../order.json");

/// What is asked of each program.
#[derive(Debug, Serialize, Deserialize)]
pub struct Arguments {
    /// The order's number.
    pub order_id: String,
}

/// What each program answers.
#[derive(Debug, Serialize, Deserialize)]
pub struct Answer {
    /// The text for the customer.
    pub text: String,
}

#[derive(Deserialize)]
struct Order {
    order_id: String,
    status: String,
    items: Vec<Item>,
    fulfillments: Vec<Fulfillment>,
}

#[derive(Deserialize)]
struct Item {
    name: String,
    price: f64,
    options: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Fulfillment {
    tracking_id: Vec<String>,
}

/// Reads an order and tells how it stands, in the words of the skill.
///
/// # Errors
/// The text is not an order.
pub fn order_status(record: &str) -> serde_json::Result<Answer> {
    let order: Order = serde_json::from_str(record)?;
    let mut text = format!("Order {} is {}.\n\n", order.order_id, order.status);
    let mut total = 0.0;
    for item in &order.items {
        let options: Vec<_> =
            item.options.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let options = options.join(", ");
        total += item.price;
        // Writing to a string cannot fail.
        let _ = writeln!(text, "• {} ({options}), ${:.2}", item.name, item.price);
    }
    let numbers: Vec<_> =
        order.fulfillments.iter().flat_map(|sent| &sent.tracking_id).map(String::as_str).collect();
    let _ = write!(
        text,
        "Total: ${total:.2}\n\nIt is on its way to you. The tracking number is {}.",
        numbers.join(", ")
    );
    Ok(Answer { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_has_what_the_customer_asked_for() {
        let Answer { text } = order_status(ORDER).unwrap();
        assert!(
            text.starts_with("Order #W1000000 is processed.\n\n• Desk lamp (brightness"),
            "{text}"
        );
        assert!(text.contains("\nTotal: $425.35\n\nIt is on its way to you."), "{text}");
        assert!(order_status("{}").is_err());
    }
}
