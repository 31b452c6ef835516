use super::*;
use crate::http_client;

const LIMIT: Duration = Duration::from_secs(5);

async fn send(api: &TelegramApi, token: &str, body: Value) -> Option<(u16, Value)> {
    let url = format!("{}/bot{token}/sendMessage", api.url());
    let answer = http_client().post(url).json(&body).send().await.ok()?;
    Some((answer.status().as_u16(), answer.json().await.ok()?))
}

async fn check(body: Value, expected: u16) {
    let api = TelegramApi::start("1:t").await.unwrap();
    let status = send(&api, "1:t", body.clone()).await.map(|(status, _)| status);
    assert_eq!(status, Some(expected), "{body}");
    assert_eq!(api.sent().len(), usize::from(expected == 200), "{body}");
}

#[tokio::test]
async fn texts_are_held_to_the_limits_of_the_real_service() {
    check(json!({ "chat_id": 7, "text": "hello" }), 200).await;
    check(json!({ "chat_id": "7", "text": "hello" }), 200).await;
    check(json!({ "chat_id": 7, "text": "😀".repeat(2048) }), 200).await;
    check(json!({ "chat_id": 7, "text": "😀".repeat(2049) }), 400).await;
    check(json!({ "chat_id": 7, "text": " " }), 400).await;
    check(json!({ "text": "hello" }), 400).await;
    check(json!(["hello"]), 400).await;
}

#[tokio::test]
async fn a_wrong_token_sends_nothing() {
    let api = TelegramApi::start("1:t").await.unwrap();
    let (status, _) = send(&api, "2:t", json!({ "chat_id": 7, "text": "x" })).await.unwrap();
    assert_eq!((status, api.sent().len()), (401, 0));
}

#[tokio::test]
async fn waiting_ends_when_the_message_comes_or_with_the_limit() {
    let api = TelegramApi::start("1:t").await.unwrap();
    let late = api.wait_for(1, Duration::from_millis(5)).await;
    assert!(matches!(late, Err(SupportError::Late { .. })));
    let (waited, sent) = tokio::join!(
        api.wait_for_chat("7", 1, LIMIT),
        send(&api, "1:t", json!({ "chat_id": 7, "text": "x" })),
    );
    assert_eq!(waited.unwrap()[0].text, "x");
    assert_eq!(sent.unwrap().1["result"]["message_id"], 1);
}

#[tokio::test]
async fn a_lost_acknowledgement_has_sent_the_message_and_a_drop_has_not() {
    let api = TelegramApi::start("1:t").await.unwrap();
    api.faults().push(Fault::HangUp, 1);
    api.faults().push(Fault::HangUpAfter, 1);
    api.faults().push(too_many_requests(3), 1);
    let body = json!({ "chat_id": 7, "text": "x" });
    assert_eq!(send(&api, "1:t", body.clone()).await, None);
    assert_eq!(api.sent().len(), 0);
    assert_eq!(send(&api, "1:t", body.clone()).await, None);
    assert_eq!(api.sent().len(), 1);
    let (status, answer) = send(&api, "1:t", body).await.unwrap();
    assert_eq!((status, &answer["parameters"]["retry_after"]), (429, &json!(3)));
}
