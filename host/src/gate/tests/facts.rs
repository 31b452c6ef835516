//! What rules are told about records, customers and requests is what is there.

use serde_json::Value;

use super::*;

/// A fixture with one more rule, which forbids an action unless this holds.
async fn only_if(action: &str, condition: &str) -> Fixture {
    let rule = format!(
        "@id(\"only-if\") forbid (principal, action == Action::\"{action}\", resource)
         unless {{ {condition} }};"
    );
    Fixture::with_rules(Mode::Answers, &rule).await
}

async fn allows(fixture: &Fixture, call: HostCall) -> bool {
    match fixture.gate(vec![]).call(call).await.unwrap().answer {
        Ok(_) => true,
        Err(failure) => {
            assert!(failure.message.contains("only-if"), "{failure:?}");
            false
        }
    }
}

#[tokio::test]
async fn the_tier_is_that_of_the_customers_record_once_they_are_known() {
    let gold = "context.customer has tier && context.customer.tier == \"gold\"";
    let fixture = only_if("records:query", gold).await;
    let orders = || HostCall::RecordsQuery {
        collection: "orders".into(),
        conditions: vec![Condition { field: "user_id".into(), value: "ann".into() }],
        limit: 1,
    };
    assert!(allows(&fixture, orders()).await);
    for key in [Some("bob".to_owned()), None] {
        fixture.ledger.lock().await.conversation.customer.key = key.clone();
        assert!(!allows(&fixture, orders()).await, "{key:?}");
    }
}

#[tokio::test]
async fn a_change_of_status_cannot_be_undone_and_a_new_order_can() {
    let fixture = only_if("records:put", "!context.arguments.changes_irreversibly").await;
    let put = |key: &str, body: Value, expected| HostCall::RecordsWrite {
        steps: vec![RecordStep::Put {
            collection: "orders".into(),
            key: key.into(),
            body,
            expected,
        }],
    };
    let there = Expected::Version(1);
    for (body, allowed) in [
        (json!({"user_id": "ann", "status": "cancelled"}), false),
        (json!({"user_id": "ann"}), false),
        (json!({"user_id": "ann", "status": "pending", "note": "ring twice"}), true),
    ] {
        assert_eq!(allows(&fixture, put("#W1", body.clone(), there)).await, allowed, "{body}");
    }
    let new = json!({"user_id": "ann", "status": "pending"});
    assert!(allows(&fixture, put("#W9", new, Expected::Absent)).await);
}

#[tokio::test]
async fn the_amount_of_a_request_is_what_the_grant_points_to() {
    let condition = "context.arguments.moves_money && context.arguments.irreversible &&
        context.arguments has amount && context.arguments.amount == 1250";
    let fixture = only_if("http:send", condition).await;
    let pay = |body: &str| {
        let HostCall::HttpSend { mut request } = post(&fixture, true) else { panic!() };
        request.headers = vec![("content-type".into(), "application/json".into())];
        request.body = body.into();
        HostCall::HttpSend { request }
    };
    assert!(allows(&fixture, pay(r#"{"amount_cents": 1250}"#)).await);
    for body in [r#"{"amount_cents": 1251}"#, r#"{"amount_cents": -1250}"#, "{}", "1250"] {
        assert!(!allows(&fixture, pay(body)).await, "{body}");
    }
}
