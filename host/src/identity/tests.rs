//! Codes from the wish for one to the contact on file and back.

mod fixture;

use std::sync::Arc;

use axum::http::StatusCode;
use postern_policy::personal::{Detector, Purpose};
use postern_store::SqliteStore;
use serde_json::json;

use self::fixture::{ANN, Desk};
use super::*;

/// A code that is not this one.
fn other(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

#[tokio::test]
async fn a_code_goes_to_the_contact_on_file_and_stands_nowhere_else() {
    let desk = Desk::new().await;
    assert_eq!(desk.challenge("a", "ann").await, Challenged::Sent);
    let sent = desk.deliver().await;
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].state, sent[0].channel), (OutboxState::Sent, Channel::Contact));
    let asked = desk.gateway.asked();
    let [(headers, body)] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((&body["to"], &body["kind"]), (&json!(ANN), &json!("email")));
    assert_eq!(headers["authorization"], "Bearer a-token-of-the-gateway");
    assert_eq!(headers["idempotency-key"], sent[0].id.as_str());
    let code = desk.gateway.code();

    let detail = desk.host.app.store.conversation(&sent[0].conversation).await.unwrap().unwrap();
    assert!(detail.messages.is_empty(), "nothing was said in the chat");
    let kept = format!("{:?} {:?} {:?}", detail.outbox, detail.conversation, desk.audited().await);
    assert!(!kept.contains(&code) && !kept.contains(ANN), "{code}: {kept}");
}

#[tokio::test]
async fn the_right_code_verifies_once() {
    let desk = Desk::new().await;
    desk.challenge("a", "ann").await;
    desk.deliver().await;
    let code = desk.gateway.code();
    let halves = format!("It is {} {}.", &code[..3], &code[3..]);
    assert_eq!(desk.answer("a", &halves).await, (Answer::Verified, IdentityLevel::Verified));
    let mut turn = desk.turn("a", "ann").await;
    assert_eq!(turn.ledger.conversation.customer.level, IdentityLevel::Verified, "it is durable");
    turn.ledger.conversation.customer.level = IdentityLevel::Identified;
    assert_eq!(
        desk.codes.answer(&mut turn.ledger, &code, desk.now()).await.unwrap(),
        Answer::None,
        "used up"
    );
    assert_eq!(turn.ledger.conversation.customer.level, IdentityLevel::Identified);
    desk.end(turn).await;
    let row = |action: &str, detail: &str| (action.to_owned(), detail.to_owned());
    assert_eq!(
        desk.audited().await,
        [
            row("identity:code", "sent"),
            row("identity:answer", "verified"),
            row("identity:answer", "no code is waited for"),
        ]
    );
}

#[tokio::test]
async fn five_wrong_codes_end_it() {
    let desk = Desk::new().await;
    desk.challenge("a", "ann").await;
    desk.deliver().await;
    let code = desk.gateway.code();
    assert_eq!(desk.answer("a", "what code?").await.0, Answer::None, "no code is no attempt");
    for left in (0..MOST_ATTEMPTS).rev() {
        let wrong = desk.answer("a", &other(&code)).await;
        assert_eq!(wrong, (Answer::Wrong { left }, IdentityLevel::Identified));
    }
    assert_eq!(desk.answer("a", &code).await, (Answer::None, IdentityLevel::Identified));
    let audited = desk.audited().await;
    assert_eq!(audited.len(), 7, "{audited:?}");
    assert_eq!(audited[1].1, "wrong; attempts left: 4");
    assert!(!format!("{audited:?}").contains(&other(&code)));
}

#[tokio::test]
async fn a_code_is_good_for_ten_minutes() {
    let desk = Desk::new().await;
    desk.challenge("a", "ann").await;
    desk.deliver().await;
    desk.challenge("b", "ann").await;
    let code = desk.gateway.code();
    desk.host.clock.advance_ms(LIFE_MS);
    assert_eq!(desk.answer("a", &code).await, (Answer::Expired, IdentityLevel::Identified));
    let late = desk.deliver().await;
    assert_eq!(late[0].state, OutboxState::Dead, "what came too late is not sent");
    assert_eq!(desk.gateway.asked().len(), 1);
}

#[tokio::test]
async fn a_code_counts_only_for_the_conversation_and_customer_that_asked() {
    let desk = Desk::new().await;
    desk.challenge("a", "ann").await;
    desk.deliver().await;
    let first = desk.gateway.code();
    desk.challenge("b", "ann").await;
    desk.deliver().await;
    let second = desk.gateway.code();
    if first != second {
        assert_eq!(desk.answer("b", &first).await.0, Answer::Wrong { left: 4 });
    }
    let mut turn = desk.turn("a", "ann").await;
    turn.ledger.conversation.customer.key = Some("cem".into());
    assert_eq!(
        desk.codes.answer(&mut turn.ledger, &first, desk.now()).await.unwrap(),
        Answer::None
    );
    turn.ledger.conversation.customer.key = Some("ann".into());
    assert_eq!(
        desk.codes.answer(&mut turn.ledger, &first, desk.now()).await.unwrap(),
        Answer::Verified
    );
}

#[tokio::test]
async fn who_has_no_contact_gets_the_same_answer() {
    let desk = Desk::new().await;
    let mut shown = Vec::new();
    for customer in ["ann", "bob", "nobody"] {
        let challenged = desk.challenge(customer, customer).await;
        shown.push((challenged, challenged.words()));
    }
    assert!(shown.iter().all(|one| *one == shown[0]), "{shown:?}");
    let mut states: Vec<_> =
        desk.deliver().await.into_iter().map(|it| (it.chat, it.state, it.last_error)).collect();
    states.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    let none = Some("refused: no contact on file".to_owned());
    assert_eq!(
        states,
        [
            ("customer:ann".to_owned(), OutboxState::Sent, None),
            ("customer:bob".to_owned(), OutboxState::Dead, none.clone()),
            ("customer:nobody".to_owned(), OutboxState::Dead, none),
        ]
    );
    assert_eq!(desk.gateway.asked().len(), 1);
    desk.challenge("cem", "cem").await;
    desk.deliver().await;
    let (_, body) = desk.gateway.asked().pop().unwrap();
    assert_eq!((&body["to"], &body["kind"]), (&json!("+15550199"), &json!("phone")));
}

#[tokio::test]
async fn new_codes_are_limited_and_a_restart_forgets_nothing() {
    let desk = Desk::new().await;
    for _ in 0..3 {
        assert_eq!(desk.challenge("a", "ann").await, Challenged::Sent);
    }
    assert_eq!(desk.challenge("a", "ann").await, Challenged::TooMany);
    // Another process, with nothing in memory.
    let data = &desk.host.app.config.data;
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(data, "host-1").await.unwrap());
    let mut turn = desk.turn_in(store, "a", "ann", true).await;
    let challenge = turn.ledger.conversation.state.challenge.clone();
    let again = desk.codes.challenge(&mut turn.ledger, desk.now()).await.unwrap();
    assert_eq!(again, Challenged::TooMany);
    assert_eq!(turn.ledger.conversation.state.challenge, challenge, "the last code stays good");
    desk.end(turn).await;
    assert!(
        desk.audited()
            .await
            .iter()
            .any(|(_, detail)| { detail == "not sent: identity-code-conversation is reached" })
    );

    for chat in ["b", "c"] {
        assert_eq!(desk.challenge(chat, "ann").await, Challenged::Sent);
    }
    assert_eq!(desk.challenge("d", "ann").await, Challenged::TooMany, "five for one customer");
    assert_eq!(desk.challenge("e", "cem").await, Challenged::Sent, "others have their own");
    desk.host.clock.advance_ms(WINDOW_MS + 1);
    assert_eq!(desk.challenge("d", "ann").await, Challenged::Sent);
}

#[tokio::test]
async fn a_code_cannot_be_guessed_over_days() {
    let desk = Desk::new().await;
    let mut judged = 0;
    let most = u32::try_from(MOST_ATTEMPTS_A_DAY).unwrap();
    for round in 0..6 {
        // Each round from another chat, after the hour in which codes are bounded.
        let chat = format!("chat-{round}");
        desk.host.clock.advance_ms(WINDOW_MS + 1);
        assert_eq!(desk.challenge(&chat, "ann").await, Challenged::Sent);
        desk.deliver().await;
        let code = desk.gateway.code();
        for _ in 0..MOST_ATTEMPTS - 1 {
            match desk.answer(&chat, &other(&code)).await.0 {
                Answer::Wrong { .. } => judged += 1,
                answer => assert_eq!((answer, judged), (Answer::TooMany, most), "{round}"),
            }
        }
        let right = desk.answer(&chat, &code).await;
        if judged < most && round < 4 {
            assert_eq!(right, (Answer::Verified, IdentityLevel::Verified), "{round}");
            judged += 1;
        } else {
            assert_eq!(right, (Answer::TooMany, IdentityLevel::Identified), "even the right one");
        }
    }
    assert_eq!(judged, most);
    desk.host.clock.advance_ms(DAY_MS);
    assert_eq!(desk.challenge("late", "ann").await, Challenged::Sent);
    desk.deliver().await;
    assert_eq!(desk.answer("late", &desk.gateway.code()).await.0, Answer::Verified);
}

#[tokio::test]
async fn a_turn_that_runs_again_means_the_same_code_and_the_same_attempt() {
    let desk = Desk::new().await;
    let mut turn = desk.turn("a", "ann").await;
    for _ in 0..5 {
        let challenged = desk.codes.challenge(&mut turn.ledger, desk.now()).await.unwrap();
        assert_eq!(challenged, Challenged::Sent, "it counts once");
    }
    assert_eq!(desk.deliver().await.len(), 1);
    let code = desk.gateway.code();
    desk.host.clock.advance_ms(LIFE_MS);
    let challenged = desk.codes.challenge(&mut turn.ledger, desk.now()).await.unwrap();
    assert_eq!(challenged, Challenged::Sent, "a new one, for the old one is no longer good");
    desk.end(turn).await;
    assert_eq!(desk.deliver().await.len(), 1);
    let second = desk.gateway.code();
    assert_eq!(desk.gateway.asked().len(), 2);
    let old = if code == second { other(&code) } else { code };
    let code = second;

    let mut turn = desk.turn("a", "ann").await;
    for _ in 0..3 {
        let wrong = desk.codes.answer(&mut turn.ledger, &old, desk.now()).await.unwrap();
        assert_eq!(wrong, Answer::Wrong { left: 4 });
    }
    desk.end(turn).await;
    let mut turn = desk.turn("a", "ann").await;
    for _ in 0..2 {
        turn.ledger.conversation.customer.level = IdentityLevel::Identified;
        assert_eq!(
            desk.codes.answer(&mut turn.ledger, &code, desk.now()).await.unwrap(),
            Answer::Verified
        );
        assert_eq!(turn.ledger.conversation.customer.level, IdentityLevel::Verified);
    }
    desk.end(turn).await;
    assert_eq!(desk.audited().await.len(), 4, "each was written down once");
}

#[tokio::test]
async fn where_others_read_no_code_is_sent_or_taken() {
    let desk = Desk::new().await;
    let store = Arc::clone(&desk.host.app.store);
    let mut turn = desk.turn_in(store, "group", "ann", false).await;
    let challenged = desk.codes.challenge(&mut turn.ledger, desk.now()).await.unwrap();
    assert_eq!(challenged, Challenged::NotPrivate);
    let answer = desk.codes.answer(&mut turn.ledger, "123456", desk.now()).await.unwrap();
    assert_eq!(answer, Answer::NotPrivate);
    assert!(answer.words().contains("private chat"));
    desk.end(turn).await;
    assert!(desk.deliver().await.is_empty());
}

#[tokio::test]
async fn without_a_customer_or_a_way_there_is_no_code() {
    let desk = Desk::new().await;
    assert_eq!(desk.challenge("a", "").await, Challenged::NotIdentified);
    let config = Config { identity: Default::default(), ..desk.host.app.config.clone() };
    let codes = Codes::new(&config, &desk.host.app.key);
    let mut turn = desk.turn("b", "ann").await;
    let challenged = codes.challenge(&mut turn.ledger, desk.now()).await.unwrap();
    assert_eq!(challenged, Challenged::NoDelivery);
    turn.ledger.conversation.customer.level = IdentityLevel::Verified;
    let challenged = desk.codes.challenge(&mut turn.ledger, desk.now()).await.unwrap();
    assert_eq!(challenged, Challenged::Verified);
    desk.end(turn).await;
    assert!(desk.deliver().await.is_empty());
}

#[tokio::test]
async fn a_gateway_that_fails_is_asked_three_times_with_the_same_code() {
    let desk = Desk::new().await;
    desk.gateway.answers(StatusCode::BAD_GATEWAY);
    desk.challenge("a", "ann").await;
    let mut states = Vec::new();
    for _ in 0..4 {
        states.extend(desk.deliver().await.into_iter().map(|item| item.state));
        desk.host.clock.advance_ms(60_000);
    }
    assert_eq!(states, [OutboxState::Pending, OutboxState::Pending, OutboxState::Dead]);
    let asked = desk.gateway.asked();
    assert!(asked.iter().all(|(headers, body)| {
        *body == asked[0].1 && headers["idempotency-key"] == asked[0].0["idempotency-key"]
    }));
    desk.gateway.answers(StatusCode::BAD_REQUEST);
    desk.challenge("a", "ann").await;
    let refused = desk.deliver().await.remove(0);
    assert_eq!(refused.state, OutboxState::Dead);
    assert_eq!(refused.last_error.as_deref(), Some("refused: status 400"));
}

#[test]
fn a_code_is_found_alone_or_in_two_halves() {
    let check = |text: &str, code: Option<&str>| {
        assert_eq!(code_in(text).as_deref(), code, "{text:?}");
    };
    for text in [
        "123456",
        "123 456",
        "123-456",
        "It is 123456.",
        "code:123456!",
        "(123456)",
        "１２３４５６",
        "123\u{a0}456",
        "on 3 May: #W1234567 and 123456, thanks",
    ] {
        check(text, Some("123456"));
    }
    for text in [
        "",
        "12345",
        "1234567",
        "12 34 56",
        "1234 56",
        "#123456",
        "W123456",
        "W-123456",
        "123456-W",
        "123456abc",
        "+1 123 456 7890",
        "123 456 7890",
        "+123456",
        "3.123456",
        "12/123456",
        "123  456",
    ] {
        check(text, None);
    }
}

#[test]
fn a_code_is_not_taken_for_a_personal_datum() {
    for text in ["123456", "123 456", "My code is 987-654."] {
        assert!(Detector::standard().find_for(text, Purpose::Placeholders).is_empty(), "{text}");
    }
}
