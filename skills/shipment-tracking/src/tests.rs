use postern_sdk::{
    Failure, HostError, HostErrorKind,
    fake::{Call, Host},
    http::Method,
};
use serde_json::{Value, json};

use super::*;

const NUMBER: &str = "357962501027";
const URL: &str = "https://carrier.example/v1/shipments/357962501027";

fn order(status: &str, numbers: Value) -> Value {
    json!({
        "order_id": "#W1000001", "user_id": "ines_ruiz_1001", "status": status,
        "fulfillments": [{"tracking_id": numbers, "item_ids": []}],
    })
}

fn call(host: &Host, order: Value) -> Result<Outcome, Failure> {
    host.set_record("orders", "#W1000001", order);
    let context = Context::example()
        .with_customer("ines_ruiz_1001")
        .with_setting("carrier_url", "https://carrier.example/");
    call_tool("track_shipment", r##"{"order_id":"#W1000001"}"##, &context)
}

fn reply(host: &Host, order: Value) -> String {
    match call(host, order) {
        Ok(Outcome::Reply(text)) => text,
        other => panic!("{other:?}"),
    }
}

fn check(parcel: Value, expected: &str) {
    let host = Host::new();
    host.answer_json(Method::Get, URL, 200, &parcel);
    let text = reply(&host, order("processed", json!([NUMBER])));
    let intro = "Your parcel for order #W1000001 (tracking number 357962501027): ";
    assert_eq!(text, format!("{intro}{expected}"));
}

#[test]
fn every_status_of_the_carrier_is_told() {
    check(
        json!({"tracking_id": NUMBER, "status": "in_transit", "location": "Lyon",
            "estimated_delivery": "2025-06-17", "events": [
                {"at": "2025-06-13T08:00:00Z", "text": "Picked up"},
                {"at": "2025-06-14T08:00:00Z", "text": "Left the sorting centre."}]}),
        "it is on its way, last seen in Lyon. It should arrive on 17 June 2025. \
         Latest news, 14 June 2025: Left the sorting centre.",
    );
    check(
        json!({"tracking_id": NUMBER, "status": "delivered", "location": "Lyon",
            "estimated_delivery": "2025-06-17"}),
        "it was delivered in Lyon.",
    );
    check(
        json!({"tracking_id": NUMBER, "status": "exception", "location": null,
            "events": [{"at": "soon", "text": "Address not found"}]}),
        "the carrier reports a problem. Latest news: Address not found.",
    );
    check(
        json!({"tracking_id": NUMBER, "status": "label_created", "estimated_delivery": "?"}),
        "it is announced to the carrier, who has not picked it up yet.",
    );
    check(
        json!({"tracking_id": NUMBER, "status": "eaten_by_dog", "location": "Lyon"}),
        "the carrier has it, but does not say where.",
    );
}

#[test]
fn the_request_names_the_secret_and_carries_no_token() {
    let host = Host::new();
    host.answer_json(Method::Get, URL, 404, &json!({}));
    let text = reply(&host, order("processed", json!([NUMBER])));
    assert!(text.contains("does not know this number yet"), "{text}");
    let Some(Call::HttpSend { request }) = host.calls().pop() else { panic!("no request") };
    assert_eq!(request.secrets, ["carrier-token"]);
    assert_eq!(request.headers, [("accept".to_owned(), "application/json".to_owned())]);
}

#[test]
fn text_of_the_carrier_cannot_pose_as_a_placeholder_or_flood_the_answer() {
    let text = format!("<EMAIL_1.k3f9>\n{}", "x".repeat(500));
    check(
        json!({"tracking_id": NUMBER, "status": "in_transit", "events": [{"at": "", "text": text}]}),
        &format!("it is on its way. Latest news: EMAIL_1.k3f9{}.", "x".repeat(108)),
    );
}

#[test]
fn several_parcels_are_listed_and_bounded() {
    let host = Host::new();
    for n in 1..=6 {
        let url = format!("https://carrier.example/v1/shipments/{n}");
        let parcel = json!({"tracking_id": n.to_string(), "status": "in_transit"});
        host.answer_json(Method::Get, &url, 200, &parcel);
    }
    let text = reply(&host, order("processed", json!(["1", "2", "3", "4", "5", "6"])));
    assert!(
        text.starts_with(
            "Order #W1000001 comes in 6 parcels, of which these are the first:\n• Tracking number 1: it is on its way."
        ),
        "{text}"
    );
    assert_eq!(text.matches('•').count(), 5);
}

#[test]
fn orders_without_a_parcel_never_reach_the_carrier() {
    let cases = [
        ("pending", "has not been sent yet"),
        ("pending (item modified)", "has not been sent yet"),
        ("cancelled", "was cancelled"),
        ("processed", "has no tracking number yet"),
    ];
    for (status, expected) in cases {
        let host = Host::new();
        let text = reply(&host, order(status, json!([])));
        assert!(text.contains(expected), "{text}");
        assert!(!host.calls().iter().any(|call| matches!(call, Call::HttpSend { .. })));
    }
}

#[test]
fn a_carrier_that_fails_is_unavailable() {
    for status in [401, 403, 429, 500, 302] {
        let host = Host::new();
        host.answer_json(Method::Get, URL, status, &json!({}));
        let failure = call(&host, order("processed", json!([NUMBER]))).unwrap_err();
        assert!(matches!(failure, Failure::Unavailable(_)), "{status}: {failure:?}");
    }
    let failure = call(&Host::new(), order("processed", json!([NUMBER]))).unwrap_err();
    assert!(matches!(failure, Failure::Unavailable(_)), "{failure:?}");
}

#[test]
fn an_answer_about_another_parcel_is_not_passed_on() {
    let host = Host::new();
    let other = json!({"tracking_id": "1", "status": "delivered"});
    host.answer_json(Method::Get, URL, 200, &other);
    assert!(call(&host, order("processed", json!([NUMBER]))).is_err());
}

#[test]
fn a_number_that_would_change_the_url_is_refused() {
    for number in ["../admin", "1?x=1", "", "1/2"] {
        let host = Host::new();
        let failure = call(&host, order("processed", json!([number]))).unwrap_err();
        assert!(matches!(failure, Failure::Internal(_)), "{failure:?}");
        assert!(!host.calls().iter().any(|call| matches!(call, Call::HttpSend { .. })));
    }
}

#[test]
fn a_refused_order_is_answered_civilly_and_not_tracked() {
    let host = Host::new();
    host.fail_when(|_| true, HostError::new(HostErrorKind::Denied, "records-owner-only"));
    let text = reply(&host, order("processed", json!([NUMBER])));
    assert!(text.starts_with("I cannot find order #W1000001 in your account."), "{text}");
    assert_eq!(host.calls().len(), 1);
}

#[test]
fn its_scenarios_hold_natively() {
    let report = postern_sdk::scenario::run(call_tool, "scenarios");
    assert!(report.ran > 0);
}
