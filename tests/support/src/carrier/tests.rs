use std::time::Duration;

use super::*;
use crate::{Fault, http_client};

const DAY: Date = jiff::civil::date(2026, 3, 14);

async fn status(carrier: &Carrier, id: &str, token: &str) -> Option<u16> {
    let url = format!("{}/v1/shipments/{id}", carrier.url());
    let answer = http_client().get(url).bearer_auth(token).send().await;
    answer.ok().map(|answer| answer.status().as_u16())
}

#[test]
fn the_same_number_gets_the_same_answer_and_odd_numbers_none() {
    let one = shipment("357962501027", DAY).unwrap();
    assert_eq!(Some(&one), shipment("357962501027", DAY).as_ref());
    assert_eq!(one.status, ShipmentStatus::Delivered);
    assert_eq!(one.estimated_delivery, "2026-03-13");
    for odd in ["", "1234567", "123456789012345678901", "12345678a", "12345678/"] {
        assert_eq!(shipment(odd, DAY), None, "{odd}");
    }
}

#[tokio::test]
async fn only_the_right_token_learns_something() {
    let carrier = Carrier::start("s3cret", DAY).await.unwrap();
    assert_eq!(status(&carrier, "12345678", "s3cret").await, Some(200));
    assert_eq!(status(&carrier, "12345678", "wrong").await, Some(401));
    assert_eq!(status(&carrier, "nonsense", "s3cret").await, Some(404));
    let seen: Vec<_> = carrier.received().iter().map(|r| r.authorized).collect();
    assert_eq!(seen, [true, false, true]);
    assert!(!format!("{:?}", carrier.received()).contains("s3cret"));
}

#[tokio::test]
async fn faults_meet_one_request_each_in_order() {
    let carrier = Carrier::start("t", DAY).await.unwrap();
    carrier.faults().push(Fault::status(500), 1);
    carrier.faults().push(Fault::HangUp, 1);
    carrier.faults().push(Fault::Delay(Duration::from_millis(1)), 1);
    assert_eq!(status(&carrier, "12345678", "t").await, Some(500));
    assert_eq!(status(&carrier, "12345678", "t").await, None);
    assert_eq!(status(&carrier, "12345678", "t").await, Some(200));
    assert_eq!(carrier.faults().pending(), 0);
}
