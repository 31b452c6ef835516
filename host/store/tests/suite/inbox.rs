use std::sync::Arc;

use postern_store::{Accepted, Change, Store, StoreError};

use super::{Engine, data::*};

pub(crate) async fn a_delivery_counts_once_in_a_batch_and_later(engine: &impl Engine) {
    let store = engine.open().await;
    let (first, second) = (inbound("a", "1", 0), inbound("a", "2", 0));
    let batch = [first.clone(), second, first.clone()];
    assert_eq!(accept(&store, &batch).await, [Accepted::New, Accepted::New, Accepted::Duplicate]);
    let third = inbound("a", "3", 1);
    assert_eq!(accept(&store, &[first, third]).await, [Accepted::Duplicate, Accepted::New]);
    assert_eq!(store.backlog().await.unwrap(), (3, 0));
    assert_eq!(accept(&store, &[]).await, []);
}

pub(crate) async fn of_concurrent_deliveries_one_is_new(engine: &impl Engine) {
    let store = Arc::new(engine.open().await);
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { accept(&*store, &[inbound("a", "1", 0)]).await })
        })
        .collect();
    let mut new = 0;
    for task in tasks {
        new += usize::from(task.await.unwrap() == [Accepted::New]);
    }
    assert_eq!(new, 1);
    assert_eq!(store.backlog().await.unwrap(), (1, 0));
}

pub(crate) async fn a_known_delivery_opens_no_conversation(engine: &impl Engine) {
    let store = engine.open().await;
    accept(&store, &[inbound("a", "1", 0)]).await;
    let elsewhere = inbound("b", "1", 0);
    assert_eq!(accept(&store, std::slice::from_ref(&elsewhere)).await, [Accepted::Duplicate]);
    assert_eq!(store.conversation_row(&elsewhere.conversation_id()).await.unwrap(), None);
}

pub(crate) async fn each_message_needs_a_nonce(engine: &impl Engine) {
    let store = engine.open().await;
    let error = store.accept(&[inbound("a", "1", 0)], &[]).await.unwrap_err();
    assert!(matches!(error, StoreError::Engine { .. }), "{error}");
    assert_eq!(store.backlog().await.unwrap(), (0, 0));
}

pub(crate) async fn a_conversation_begins_with_what_its_first_message_tells(engine: &impl Engine) {
    let store = engine.open().await;
    let mut silent = inbound("b", "3", 70);
    silent.language = None;
    accept(&store, &[inbound("a", "1", 50), inbound("a", "2", 60), silent.clone()]).await;
    let id = inbound("a", "1", 0).conversation_id();
    let conversation = store.conversation_row(&id).await.unwrap().unwrap();
    assert_eq!((conversation.chat.as_str(), conversation.sender.as_str()), ("a", "a-person"));
    assert_eq!((conversation.nonce.as_str(), conversation.language.as_str()), ("n-a", "de"));
    assert_eq!((conversation.created_at, conversation.state.last_active), (at(50), at(50)));
    assert!(conversation.private && conversation.customer == Default::default());
    let silent = store.conversation_row(&silent.conversation_id()).await.unwrap().unwrap();
    assert_eq!(silent.language, "und");
}

pub(crate) async fn work_comes_in_the_order_of_acceptance(engine: &impl Engine) {
    let store = engine.open().await;
    let (a1, b1, a2) = (inbound("a", "1", 0), inbound("b", "2", 1), inbound("a", "3", 2));
    accept(&store, &[a1.clone(), b1.clone(), a2.clone()]).await;
    assert_eq!(store.next_due().await.unwrap(), Some(at(0)));

    let lease = store.lease_next("w", at(9), 100).await.unwrap().unwrap();
    for message in [&a1, &a2] {
        let work = store.work(&lease, at(9)).await.unwrap().unwrap();
        assert_eq!((&work.message, work.attempts), (message, 0));
        store.commit(under(&lease, [Change::InboxDone(message.id())])).await.unwrap();
    }
    assert_eq!(store.work(&lease, at(9)).await.unwrap(), None);
    store.release(&lease).await.unwrap();

    let lease = store.lease_next("w", at(9), 100).await.unwrap().unwrap();
    assert_eq!(store.work(&lease, at(9)).await.unwrap().unwrap().message, b1);
    store.commit(under(&lease, [Change::InboxDone(b1.id())])).await.unwrap();
    assert_eq!(store.lease_next("w", at(500), 100).await.unwrap(), None);
    assert_eq!(store.next_due().await.unwrap(), None);
    assert_eq!(accept(&store, &[a1]).await, [Accepted::Duplicate]);
}

pub(crate) async fn a_message_put_off_holds_back_those_behind_it(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, first) = leased(&store, "a").await;
    let second = inbound("a", "2", 1);
    accept(&store, std::slice::from_ref(&second)).await;
    let off = Change::InboxRetry { message: first.id(), at: at(900), reason: "busy".into() };
    store.commit(under(&lease, [off])).await.unwrap();

    assert_eq!(store.work(&lease, at(899)).await.unwrap(), None);
    store.release(&lease).await.unwrap();
    assert_eq!(store.lease_next("w", at(899), 100).await.unwrap(), None);
    assert_eq!(store.next_due().await.unwrap(), Some(at(900)));
    assert_eq!(store.backlog().await.unwrap(), (2, 0));

    let lease = store.lease_next("w", at(900), 100).await.unwrap().unwrap();
    let work = store.work(&lease, at(900)).await.unwrap().unwrap();
    assert_eq!((&work.message, work.attempts), (&first, 1));
    store.commit(under(&lease, [Change::InboxDone(first.id())])).await.unwrap();
    assert_eq!(store.work(&lease, at(900)).await.unwrap().unwrap().message, second);
}

pub(crate) async fn a_dead_message_lets_the_next_one_pass(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, first) = leased(&store, "a").await;
    let second = inbound("a", "2", 1);
    accept(&store, std::slice::from_ref(&second)).await;
    let dead = Change::InboxDead { message: first.id(), reason: "gave up".into() };
    store.commit(under(&lease, [dead])).await.unwrap();
    assert_eq!(store.work(&lease, at(2)).await.unwrap().unwrap().message, second);
    assert_eq!(store.backlog().await.unwrap(), (1, 0));
    assert_eq!(accept(&store, &[first]).await, [Accepted::Duplicate]);
}

pub(crate) async fn only_a_waiting_message_can_be_settled(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, message) = leased(&store, "a").await;
    store.commit(under(&lease, [Change::InboxDone(message.id())])).await.unwrap();
    let id = message.id();
    for change in [
        Change::InboxDone(id.clone()),
        Change::InboxDead { message: id.clone(), reason: String::new() },
        Change::InboxRetry { message: id, at: at(1), reason: String::new() },
    ] {
        let error = store.commit(under(&lease, [change])).await.unwrap_err();
        assert!(matches!(error, StoreError::Engine { .. }), "{error}");
    }
}
