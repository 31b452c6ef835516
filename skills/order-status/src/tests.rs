use postern_sdk::{
    Failure, HostError, HostErrorKind,
    fake::{Call, Host},
};
use serde_json::{Value, json};

use super::*;

fn context() -> Context {
    Context::example().with_customer("ines_ruiz_1001").with_setting("currency", "USD")
}

fn order(id: &str, status: &str) -> Value {
    json!({
        "order_id": id,
        "user_id": "ines_ruiz_1001",
        "items": [
            {"name": "Water Bottle", "price": 47.8, "options": {"color": "blue", "capacity": "1000ml"}},
            {"name": "Office Chair", "price": 1488.81, "options": {}},
        ],
        "status": status,
        "fulfillments": [{"tracking_id": ["357962501027"], "item_ids": []}],
        "delivered_at": "2024-05-02T10:00:00Z",
    })
}

fn reply(tool: &str, arguments: &str) -> String {
    match call_tool(tool, arguments, &context()) {
        Ok(Outcome::Reply(text)) => text,
        other => panic!("{other:?}"),
    }
}

fn check_next(status: &str, expected: &str) {
    let host = Host::new();
    host.set_record("orders", "#W1000001", order("#W1000001", status));
    let text = reply("order_status", r##"{"order_id":"#W1000001"}"##);
    assert!(text.starts_with(&format!("Order #W1000001 is {status}.\n")), "{text}");
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn the_answer_lists_items_with_options_and_the_total() {
    let host = Host::new();
    host.set_record("orders", "#W1000001", order("#W1000001", "pending"));
    let expected = "Order #W1000001 is pending.\n\
        \n\
        • Water Bottle (capacity: 1000ml, color: blue), $47.80\n\
        • Office Chair, $1,488.81\n\
        Total: $1,536.61\n\
        \n\
        We are getting it ready. It has not been sent yet.";
    assert_eq!(reply("order_status", r##"{"order_id":"#W1000001"}"##), expected);
}

#[test]
fn every_status_says_what_happens_next() {
    check_next("pending (item modified)", "has not been sent yet.");
    check_next("processed", "It is on its way to you. The tracking number is 357962501027.");
    check_next("delivered", "delivered on 2 May 2024. The tracking number is 357962501027.");
    check_next("cancelled", "nothing will be sent.");
    check_next("return requested", "about the next step.");
    check_next("exchange requested", "about the next step.");
    check_next("lost at sea", "ask a colleague to look at it.");
}

#[test]
fn a_refused_order_is_answered_civilly() {
    let host = Host::new();
    host.fail_when(|_| true, HostError::new(HostErrorKind::Denied, "records-owner-only"));
    let text = reply("order_status", r##"{"order_id":"#W1000009"}"##);
    assert!(text.starts_with("I cannot find order #W1000009 in your account."), "{text}");
}

#[test]
fn long_orders_are_cut() {
    let host = Host::new();
    let mut long = order("#W1000001", "pending");
    long["items"] = vec![json!({"name": "Mug", "price": 1}); 25].into();
    host.set_record("orders", "#W1000001", long);
    let text = reply("order_status", r##"{"order_id":"#W1000001"}"##);
    assert!(text.contains("• and 5 more\nTotal: $25.00"), "{text}");
}

#[test]
fn arguments_that_do_not_fit_name_the_field() {
    let failure = call_tool("order_status", "{}", &context()).unwrap_err();
    assert_eq!(failure, Failure::InvalidArguments("missing field `order_id`".into()));
}

#[test]
fn only_the_customers_own_orders_are_asked_for() {
    let host = Host::new();
    host.set_record("orders", "#W1000001", order("#W1000001", "pending"));
    let mut other = order("#W1000002", "pending");
    other["user_id"] = "somebody_else".into();
    host.set_record("orders", "#W1000002", other);
    let text = reply("list_orders", "{}");
    assert_eq!(text, "These are your orders:\n• #W1000001: pending (Water Bottle, Office Chair)");
    let query = Call::RecordsQuery {
        collection: "orders".into(),
        conditions: vec![("user_id".into(), "ines_ruiz_1001".into())],
        limit: 11,
    };
    assert_eq!(host.calls(), [query]);
}

#[test]
fn at_most_ten_orders_are_listed() {
    let host = Host::new();
    assert_eq!(reply("list_orders", "{}"), "There are no orders in your account yet.");
    for n in 1..=12 {
        let id = format!("#W10000{n:02}");
        host.set_record("orders", &id, order(&id, "delivered"));
    }
    let text = reply("list_orders", "{}");
    assert_eq!(text.matches("• #W").count(), 10);
    assert!(text.ends_with("I will look it up."), "{text}");
}

#[test]
fn item_names_are_kept_short() {
    assert_eq!(short_list(&[]), "no items");
    assert_eq!(short_list(&["a", "b", "c"]), "a, b, c");
    assert_eq!(short_list(&["a", "b", "c", "d"]), "a, b and 2 more");
}

#[test]
fn an_unknown_customer_has_no_list() {
    let _host = Host::new();
    let failure = call_tool("list_orders", "{}", &Context::example()).unwrap_err();
    assert!(matches!(failure, Failure::Internal(_)), "{failure:?}");
}

#[test]
fn its_scenarios_hold_natively() {
    let report = postern_sdk::scenario::run(call_tool, "scenarios");
    assert!(report.ran > 0);
}
