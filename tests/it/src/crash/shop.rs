//! A shop with two orders for each customer: one to be refunded, one to be
//! tracked. Every other refund is so large that a person has to approve it.

use jiff::ToSpan as _;
use serde_json::{Map, Value, json};

use crate::setup::today;

/// A customer's e-mail.
pub(super) fn email(n: u64) -> String {
    format!("customer{n}@crash.example")
}

/// The key of a customer's record.
pub(super) fn customer(n: u64) -> String {
    format!("crash_customer_{n}")
}

/// The order that was delivered and can be refunded.
pub(super) fn delivered(n: u64) -> String {
    format!("#W{:07}", 3_000_000 + n)
}

/// The order that is on its way.
pub(super) fn under_way(n: u64) -> String {
    format!("#W{:07}", 4_000_000 + n)
}

/// What a customer pays and books with.
pub(super) fn voucher(n: u64) -> String {
    format!("V{:07}", 5_000_000 + n)
}

/// Records of so many customers.
pub(super) fn records(customers: u64) -> Value {
    let (mut users, mut orders) = (Map::new(), Map::new());
    let yesterday = today().saturating_sub(1.day()).to_string();
    for n in 0..customers {
        let address = json!({
            "address1": "1 Long Road", "address2": "", "city": "Lyon", "country": "France",
            "state": "", "zip": "69001",
        });
        let card = format!("credit_card_{n}");
        let price = if n % 2 == 0 { 20.5 } else { 250.5 };
        let mut order = |id: String, status: &str, delivered_at: Option<&str>| {
            let number = format!("8200{n:08}");
            let order = json!({
                "order_id": id, "user_id": customer(n), "address": address, "status": status,
                "items": [{
                    "name": "Lamp", "product_id": "1", "item_id": "2", "price": price,
                    "options": {},
                }],
                "fulfillments": [{ "tracking_id": [number], "item_ids": ["2"] }],
                "payment_history": [{
                    "transaction_type": "payment", "amount": price, "payment_method_id": card,
                }],
                "delivered_at": delivered_at,
            });
            orders.insert(id, order);
        };
        order(delivered(n), "delivered", Some(&yesterday));
        order(under_way(n), "processed", None);
        let user = json!({
            "user_id": customer(n), "email": email(n), "address": address,
            "name": { "first_name": "Kim", "last_name": "Crash" },
            "payment_methods": { &card: {
                "source": "credit_card", "id": card, "brand": "visa", "last_four": "1111",
            } },
            "orders": [delivered(n), under_way(n)],
        });
        users.insert(customer(n), user);
    }
    json!({ "users": users, "orders": orders, "products": {} })
}
