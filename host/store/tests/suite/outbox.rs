use std::{collections::HashSet, sync::Arc};

use postern_domain::{Channel, ConversationId, OutboxItem, OutboxState};
use postern_store::{Change, Page, Store, UnknownSend};

use super::{Engine, data::*};

async fn open(store: &impl Store, chat: &str) -> ConversationId {
    let message = inbound(chat, chat, 0);
    accept(store, std::slice::from_ref(&message)).await;
    store.commit(changes([Change::InboxDone(message.id())])).await.unwrap();
    message.conversation_id()
}

async fn append(store: &impl Store, item: &OutboxItem) {
    store.commit(changes([Change::Outbox(item.clone())])).await.unwrap();
}

async fn settle(store: &impl Store, mut item: OutboxItem, state: OutboxState) -> OutboxItem {
    item.state = state;
    store.commit(changes([Change::OutboxUpdate(item.clone())])).await.unwrap();
    item
}

fn texts(items: &[OutboxItem]) -> Vec<&str> {
    items.iter().map(|item| item.text.as_str()).collect()
}

pub(crate) async fn one_message_of_a_conversation_is_sent_at_a_time(engine: &impl Engine) {
    let store = engine.open().await;
    let a = open(&store, "a").await;
    append(&store, &outgoing(&a, "first", 5)).await;
    append(&store, &outgoing(&a, "second", 0)).await;
    assert_eq!(store.next_due().await.unwrap(), Some(at(5)));
    assert_eq!(store.claim_outbox(at(4), 9).await.unwrap(), []);

    let claimed = store.claim_outbox(at(5), 9).await.unwrap();
    assert_eq!(texts(&claimed), ["first"]);
    assert_eq!((claimed[0].state, claimed[0].attempts), (OutboxState::Sending, 1));
    assert_eq!(store.outbox_item(&claimed[0].id).await.unwrap().as_ref(), Some(&claimed[0]));
    assert_eq!(store.claim_outbox(at(99), 9).await.unwrap(), []);
    assert_eq!((store.next_due().await.unwrap(), store.backlog().await.unwrap()), (None, (0, 2)));

    settle(&store, claimed[0].clone(), OutboxState::Sent).await;
    let claimed = store.claim_outbox(at(5), 9).await.unwrap();
    assert_eq!(texts(&claimed), ["second"]);
    settle(&store, claimed[0].clone(), OutboxState::Sent).await;
    assert_eq!(store.backlog().await.unwrap(), (0, 0));
}

pub(crate) async fn claims_take_the_oldest_first_up_to_the_limit(engine: &impl Engine) {
    let store = engine.open().await;
    let chats = ["a", "b", "c"];
    for chat in chats.iter().rev() {
        let id = open(&store, chat).await;
        append(&store, &outgoing(&id, chat, 0)).await;
    }
    assert_eq!(texts(&store.claim_outbox(at(0), 2).await.unwrap()), ["c", "b"]);
    assert_eq!(texts(&store.claim_outbox(at(0), 2).await.unwrap()), ["a"]);
}

pub(crate) async fn concurrent_claims_share_nothing(engine: &impl Engine) {
    let store = Arc::new(engine.open().await);
    for chat in 0..12 {
        let id = open(&*store, &chat.to_string()).await;
        append(&*store, &outgoing(&id, "answer", 0)).await;
    }
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.claim_outbox(at(0), 5).await.unwrap() })
        })
        .collect();
    let mut claimed = Vec::new();
    for task in tasks {
        claimed.extend(task.await.unwrap().into_iter().map(|item| item.id));
    }
    assert_eq!(claimed.len(), 12);
    assert_eq!(claimed.iter().collect::<HashSet<_>>().len(), 12);
}

pub(crate) async fn what_goes_to_the_contact_on_file_holds_nothing_up(engine: &impl Engine) {
    let store = engine.open().await;
    let a = open(&store, "a").await;
    let contact = |text: &str| OutboxItem { channel: Channel::Contact, ..outgoing(&a, text, 0) };
    append(&store, &contact("code")).await;
    append(&store, &contact("next code")).await;
    let mut code = store.claim_outbox(at(0), 9).await.unwrap().remove(0);
    assert_eq!(code.text, "code");
    assert_eq!(store.claim_outbox(at(0), 9).await.unwrap(), [], "they have their own order");
    append(&store, &outgoing(&a, "first", 0)).await;
    append(&store, &outgoing(&a, "second", 0)).await;
    let first = store.claim_outbox(at(0), 9).await.unwrap();
    assert_eq!(texts(&first), ["first"], "while the code is being sent");
    assert_eq!(store.claim_outbox(at(0), 9).await.unwrap(), []);
    code.next_at = at(700);
    settle(&store, code, OutboxState::Pending).await;
    settle(&store, first[0].clone(), OutboxState::Sent).await;
    let second = store.claim_outbox(at(0), 9).await.unwrap();
    assert_eq!(texts(&second), ["second"], "while the code is put off");
    settle(&store, second[0].clone(), OutboxState::Sent).await;
    let mut rest = Vec::new();
    for _ in 0..2 {
        let due = store.claim_outbox(at(700), 9).await.unwrap();
        rest.extend(due.iter().map(|item| item.text.clone()));
        for item in due {
            settle(&store, item, OutboxState::Sent).await;
        }
    }
    assert_eq!(rest, ["code", "next code"]);
}

pub(crate) async fn a_send_put_off_holds_back_those_behind_it(engine: &impl Engine) {
    let store = engine.open().await;
    let a = open(&store, "a").await;
    append(&store, &outgoing(&a, "first", 0)).await;
    append(&store, &outgoing(&a, "second", 0)).await;
    let mut first = store.claim_outbox(at(0), 9).await.unwrap().remove(0);
    first.next_at = at(700);
    first.last_error = Some("429".into());
    let first = settle(&store, first, OutboxState::Pending).await;
    assert_eq!(store.outbox_item(&first.id).await.unwrap().as_ref(), Some(&first));
    assert_eq!(store.claim_outbox(at(699), 9).await.unwrap(), []);
    assert_eq!(store.next_due().await.unwrap(), Some(at(700)));
    let again = store.claim_outbox(at(700), 9).await.unwrap();
    assert_eq!((texts(&again), again[0].attempts), (vec!["first"], 2));
    settle(&store, again[0].clone(), OutboxState::Dead).await;
    assert_eq!(texts(&store.claim_outbox(at(700), 9).await.unwrap()), ["second"]);
}

pub(crate) async fn an_interrupted_send_is_repeated_once_and_marked(engine: &impl Engine) {
    let store = engine.open().await;
    let (a, b) = (open(&store, "a").await, open(&store, "b").await);
    append(&store, &outgoing(&a, "first", 0)).await;
    append(&store, &outgoing(&a, "second", 0)).await;
    append(&store, &outgoing(&b, "other", 0)).await;
    let claimed = store.claim_outbox(at(0), 9).await.unwrap();
    let other = settle(&store, claimed[1].clone(), OutboxState::Sent).await;
    drop(store);

    let store = engine.open().await;
    let recovered = store.recover(UnknownSend::Resend, at(50)).await.unwrap();
    assert_eq!(texts(&recovered), ["first"]);
    assert_eq!((recovered[0].state, recovered[0].attempts), (OutboxState::Pending, 1));
    assert!(recovered[0].possible_duplicate && recovered[0].last_error.is_some());
    assert_eq!(recovered[0].next_at, at(50));
    assert_eq!(store.outbox_item(&other.id).await.unwrap(), Some(other));
    let again = store.claim_outbox(at(50), 9).await.unwrap();
    assert_eq!((texts(&again), again[0].possible_duplicate), (vec!["first"], true));
    drop(store);

    let store = engine.open().await;
    let recovered = store.recover(UnknownSend::Resend, at(60)).await.unwrap();
    assert_eq!((texts(&recovered), recovered[0].state), (vec!["first"], OutboxState::Uncertain));
    assert_eq!(store.undelivered(Page { limit: 9, offset: 0 }).await.unwrap(), recovered);
    assert_eq!(texts(&store.claim_outbox(at(60), 9).await.unwrap()), ["second"]);
}

pub(crate) async fn an_interrupted_send_can_be_held(engine: &impl Engine) {
    let store = engine.open().await;
    let a = open(&store, "a").await;
    append(&store, &outgoing(&a, "first", 0)).await;
    append(&store, &outgoing(&a, "second", 0)).await;
    store.claim_outbox(at(0), 9).await.unwrap();
    let recovered = store.recover(UnknownSend::Hold, at(1)).await.unwrap();
    assert_eq!((texts(&recovered), recovered[0].state), (vec!["first"], OutboxState::Uncertain));
    assert!(!recovered[0].possible_duplicate);
    assert_eq!(store.recover(UnknownSend::Hold, at(2)).await.unwrap(), []);
    assert_eq!(texts(&store.claim_outbox(at(2), 9).await.unwrap()), ["second"]);
}

pub(crate) async fn undelivered_messages_are_listed_newest_first(engine: &impl Engine) {
    let store = engine.open().await;
    let states = [
        OutboxState::Dead,
        OutboxState::Sent,
        OutboxState::Uncertain,
        OutboxState::Pending,
        OutboxState::Dead,
    ];
    for (n, state) in states.into_iter().enumerate() {
        let id = open(&store, &n.to_string()).await;
        let item = outgoing(&id, &n.to_string(), 0);
        append(&store, &item).await;
        settle(&store, item, state).await;
    }
    let all = store.undelivered(Page { limit: 9, offset: 0 }).await.unwrap();
    assert_eq!(texts(&all), ["4", "2", "0"]);
    assert_eq!(store.undelivered(Page { limit: 1, offset: 1 }).await.unwrap(), all[1..2]);
}
