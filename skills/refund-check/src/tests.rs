use postern_sdk::{
    Failure, HostError, HostErrorKind,
    fake::{Call, Host},
};
use serde_json::{Value, json};

use super::*;

const ID: &str = "#W1000001";

/// At 2025-06-15.
fn context() -> Context {
    Context::example().with_customer("ines_ruiz_1001").with_setting("currency", "USD")
}

fn order(status: &str, delivered_at: Value) -> Value {
    json!({
        "order_id": ID, "user_id": "ines_ruiz_1001", "status": status,
        "items": [{"name": "Mug", "price": 9.95, "options": {}}],
        "payment_history": [
            {"transaction_type": "payment", "amount": 1009.95, "payment_method_id": "paypal_1"}
        ],
        "delivered_at": delivered_at,
    })
}

fn host(order: Value) -> Host {
    let host = Host::new();
    host.set_record("orders", ID, order);
    let methods = json!({
        "paypal_1": {"source": "paypal", "id": "paypal_1"},
        "credit_card_1": {"source": "credit_card", "id": "credit_card_1", "brand": "visa"},
        "gift_card_1": {"source": "gift_card", "id": "gift_card_1", "balance": 5.5},
        "shells_1": {"source": "sea_shells", "id": "shells_1"},
    });
    host.set_record("users", "ines_ruiz_1001", json!({"payment_methods": methods}));
    host
}

fn call(tool: &str) -> Outcome {
    let arguments = json!({"order_id": ID});
    call_tool(tool, &arguments.to_string(), &context()).unwrap()
}

fn writes(host: &Host) -> usize {
    host.calls().iter().filter(|call| matches!(call, Call::RecordsWrite { .. })).count()
}

/// Both tools answer this order in the same way, and write nothing.
fn check(order: Value, expected: &str) {
    let host = host(order);
    for tool in ["refund_check", "refund_request"] {
        let text = match call(tool) {
            Outcome::Reply(text) => text,
            Outcome::HandOver { reason, .. } => format!("hand over: {reason}"),
            other => panic!("{other:?}"),
        };
        assert!(text.contains(expected), "{tool}: {text}");
    }
    assert_eq!(writes(&host), 0);
}

#[test]
fn status_decides_first() {
    check(order("pending", Value::Null), "it can still be cancelled instead");
    check(order("pending (item modified)", Value::Null), "it can still be cancelled instead");
    check(order("processed", Value::Null), "wait until it is delivered");
    check(order("return requested", Value::Null), "already under way");
    check(order("exchange requested", Value::Null), "already under way");
    check(order("lost at sea", Value::Null), "hand over: status-unclear");
}

#[test]
fn cancelled_orders_say_when_the_money_arrives() {
    let mut cancelled = order("cancelled", Value::Null);
    check(cancelled.clone(), "it reaches your PayPal account within 5 to 7 business days");
    cancelled["payment_history"][0]["payment_method_id"] = "gift_card_1".into();
    check(cancelled.clone(), "your gift card was credited at once");
    cancelled["payment_history"] = json!([]);
    check(cancelled, "it takes 5 to 7 business days");
}

#[test]
fn age_is_counted_in_days_from_the_delivery() {
    let expected = "it was delivered on 15 May 2025, 31 days ago";
    check(order("delivered", "2025-05-15T23:59:59Z".into()), expected);
    let _host = host(order("delivered", "2025-05-16".into()));
    let Outcome::Reply(text) = call("refund_check") else { panic!("no reply") };
    assert!(text.starts_with("Yes, order #W1000001 can be refunded"), "{text}");
}

#[test]
fn without_a_date_that_can_be_true_a_person_checks() {
    for date in [Value::Null, "@12-days-ago".into(), "2025-06-16".into(), "".into()] {
        check(order("delivered", date), "hand over: delivery-date-unknown");
    }
}

#[test]
fn payments_that_are_not_simple_go_to_a_person() {
    let mut unclear = order("delivered", "2025-06-01".into());
    unclear["payment_history"][0]["payment_method_id"] = "shells_1".into();
    check(unclear.clone(), "hand over: payment-unclear");
    unclear["payment_history"][0]["payment_method_id"] = "of_somebody_else".into();
    check(unclear.clone(), "hand over: payment-unclear");
    unclear["payment_history"] = json!([]);
    check(unclear.clone(), "hand over: payment-unclear");
    let payment =
        json!({"transaction_type": "payment", "amount": 1, "payment_method_id": "paypal_1"});
    unclear["payment_history"] = json!([payment, payment]);
    check(unclear, "hand over: payment-unclear");
}

#[test]
fn a_refunded_order_is_not_refunded_again() {
    let mut refunded = order("delivered", "2025-06-01".into());
    refunded["payment_history"].as_array_mut().unwrap().push(
        json!({"transaction_type": "refund", "amount": 1009.95, "payment_method_id": "paypal_1"}),
    );
    check(refunded, "has been refunded already");
}

#[test]
fn a_request_is_written_once() {
    let host = host(order("delivered", "2025-06-01".into()));
    let Outcome::Reply(text) = call("refund_request") else { panic!("no reply") };
    assert!(text.starts_with("Done. I have requested your refund of $1,009.95"), "{text}");
    let written = json!({
        "order_id": ID, "user_id": "ines_ruiz_1001", "amount_cents": 100_995, "currency": "USD",
        "payment_method_id": "paypal_1", "reason": "customer-request",
        "requested_at_ms": 1_749_988_800_000_u64, "state": "requested",
    });
    assert_eq!(host.record("refunds", ID), Some(written));
    let Outcome::Reply(text) = call("refund_request") else { panic!("no reply") };
    assert!(text.contains("was already requested"), "{text}");
    assert_eq!(writes(&host), 1);
}

#[test]
fn a_request_that_was_made_meanwhile_counts() {
    let host = host(order("delivered", "2025-06-01".into()));
    let conflict = HostError::new(HostErrorKind::Conflict, "it exists");
    host.fail_when(|call| matches!(call, Call::RecordsWrite { .. }), conflict);
    let Outcome::Reply(text) = call("refund_request") else { panic!("no reply") };
    assert!(text.contains("was already requested"), "{text}");
}

#[test]
fn a_write_that_policy_refuses_is_a_refusal() {
    let host = host(order("delivered", "2025-06-01".into()));
    let denied = HostError::new(HostErrorKind::Denied, "refund-confirmed");
    host.fail_when(|call| matches!(call, Call::RecordsWrite { .. }), denied);
    let arguments = r##"{"order_id":"#W1000001"}"##;
    let failure = call_tool("refund_request", arguments, &context()).unwrap_err();
    assert_eq!(failure, Failure::Denied("refund-confirmed".into()));
}

#[test]
fn a_refused_order_is_answered_civilly() {
    let host = host(order("delivered", "2025-06-01".into()));
    host.fail_when(|_| true, HostError::new(HostErrorKind::Denied, "records-owner-only"));
    for tool in ["refund_check", "refund_request"] {
        let Outcome::Reply(text) = call(tool) else { panic!("no reply") };
        assert!(text.starts_with("I cannot find order #W1000001 in your account."), "{text}");
    }
}

#[test]
fn every_method_says_where_the_money_goes() {
    for (id, expected) in [
        ("credit_card_1", "to your credit card within 5 to 7 business days"),
        ("gift_card_1", "to your gift card at once"),
    ] {
        let mut paid = order("delivered", "2025-06-01".into());
        paid["payment_history"][0]["payment_method_id"] = id.into();
        let _host = host(paid);
        let Outcome::Reply(text) = call("refund_check") else { panic!("no reply") };
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn its_scenarios_hold_natively() {
    let report = postern_sdk::scenario::run(call_tool, "scenarios");
    assert!(report.ran > 0);
}
