use postern_domain::InboundMessage;
use postern_store::{Change, Lease, Store, StoreError, UnknownSend};

use super::{Engine, data::*};

async fn next(store: &impl Store, lease: &Lease, ms: i64) -> Option<(InboundMessage, u32)> {
    let work = store.work(lease, at(ms)).await.unwrap();
    work.map(|work| (work.message, work.attempts))
}

pub(crate) async fn a_parked_message_lets_its_conversation_go_on(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, parked) = leased(&store, "a").await;
    let (second, third) = (inbound("a", "2", 1), inbound("a", "3", 2));
    accept(&store, &[second.clone(), third.clone()]).await;
    store.commit(under(&lease, [Change::Park(parked.id())])).await.unwrap();
    assert_eq!(next(&store, &lease, 9).await, Some((second.clone(), 0)));
    assert_eq!(store.backlog().await.unwrap(), (2, 0));
    store.commit(under(&lease, [Change::InboxDone(second.id())])).await.unwrap();

    // Woken, the older message is the next one again.
    store.commit(changes([Change::Wake(parked.id())])).await.unwrap();
    assert_eq!(store.backlog().await.unwrap(), (2, 0));
    for message in [parked, third] {
        assert_eq!(next(&store, &lease, 9).await, Some((message.clone(), 0)));
        store.commit(under(&lease, [Change::InboxDone(message.id())])).await.unwrap();
    }
    assert_eq!(next(&store, &lease, 9).await, None);
}

pub(crate) async fn a_parked_message_is_due_only_when_it_is_woken(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, message) = leased(&store, "a").await;
    let off = Change::InboxRetry { message: message.id(), at: at(50), reason: "busy".into() };
    store.commit(under(&lease, [off])).await.unwrap();
    store.commit(under(&lease, [Change::Park(message.id())])).await.unwrap();
    store.release(&lease).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), None);
    assert_eq!(store.backlog().await.unwrap(), (0, 0));
    assert_eq!(store.lease_next("w", at(9_000), 100).await.unwrap(), None);
    assert_eq!(accept(&store, std::slice::from_ref(&message)).await.len(), 1);
    assert_eq!(store.lease_next("w", at(9_000), 100).await.unwrap(), None, "a known delivery");

    store.commit(changes([Change::Wake(message.id())])).await.unwrap();
    assert!(store.next_due().await.unwrap().is_some_and(|due| due <= at(0)));
    let lease = store.lease_next("w", at(0), 100).await.unwrap().unwrap();
    assert_eq!(next(&store, &lease, 0).await, Some((message, 0)), "its attempts count anew");
}

pub(crate) async fn a_message_can_wait_alone_in_its_conversation(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, parked) = leased(&store, "a").await;
    store.commit(under(&lease, [Change::Park(parked.id())])).await.unwrap();
    store.release(&lease).await.unwrap();
    let second = inbound("a", "2", 7);
    accept(&store, std::slice::from_ref(&second)).await;
    assert_eq!(store.next_due().await.unwrap(), Some(at(7)));
    let lease = store.lease_next("w", at(7), 100).await.unwrap().unwrap();
    assert_eq!(next(&store, &lease, 7).await, Some((second, 0)));
}

pub(crate) async fn a_restart_leaves_messages_parked(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, parked) = leased(&store, "a").await;
    store.commit(under(&lease, [Change::Park(parked.id())])).await.unwrap();
    drop(store);
    let store = engine.open().await;
    store.recover(UnknownSend::Resend, at(5)).await.unwrap();
    assert_eq!(store.lease_next("w", at(9_000), 100).await.unwrap(), None);
    store.commit(changes([Change::Wake(parked.id())])).await.unwrap();
    drop(store);
    let store = engine.open().await;
    let lease = store.lease_next("w", at(5), 100).await.unwrap().unwrap();
    assert_eq!(next(&store, &lease, 5).await, Some((parked, 0)));
}

pub(crate) async fn a_lost_lease_parks_nothing(engine: &impl Engine) {
    let store = engine.open().await;
    let (lost, message) = leased(&store, "a").await;
    let lease = store.lease_next("other", at(2_000), 100).await.unwrap().unwrap();
    let error = store.commit(under(&lost, [Change::Park(message.id())])).await.unwrap_err();
    assert!(matches!(error, StoreError::Fenced { .. }), "{error}");
    assert_eq!(next(&store, &lease, 2_000).await, Some((message, 0)));
}

/// Somebody decides while a worker is at it, who has not seen the decision: the
/// message must not sleep through it.
pub(crate) async fn a_message_woken_while_it_is_worked_on_stays_due(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, message) = leased(&store, "a").await;
    let off = Change::InboxRetry { message: message.id(), at: at(5), reason: "busy".into() };
    store.commit(under(&lease, [off])).await.unwrap();
    store.commit(changes([Change::Wake(message.id())])).await.unwrap();
    assert_eq!(next(&store, &lease, 4).await, None, "it was not parked");
    store.commit(under(&lease, [Change::Park(message.id())])).await.unwrap();
    assert_eq!(next(&store, &lease, 5).await, Some((message.clone(), 1)));
    store.commit(under(&lease, [Change::Park(message.id())])).await.unwrap();
    assert_eq!(next(&store, &lease, 5).await, None, "once");
}

pub(crate) async fn only_a_waiting_message_can_be_parked(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, message) = leased(&store, "a").await;
    let unknown = inbound("z", "z", 0).id();
    let error = store.commit(under(&lease, [Change::Park(unknown.clone())])).await.unwrap_err();
    assert!(matches!(error, StoreError::Engine { .. }), "{error}");
    store.commit(under(&lease, [Change::InboxDone(message.id())])).await.unwrap();
    let error = store.commit(under(&lease, [Change::Park(message.id())])).await.unwrap_err();
    assert!(matches!(error, StoreError::Engine { .. }), "{error}");
    // Waking comes late now and then, and then means nothing.
    let wakes = [Change::Wake(message.id()), Change::Wake(unknown)];
    store.commit(changes(wakes)).await.unwrap();
    assert_eq!(store.backlog().await.unwrap(), (0, 0));
}

pub(crate) async fn a_parked_message_can_be_settled(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, message) = leased(&store, "a").await;
    store.commit(under(&lease, [Change::Park(message.id())])).await.unwrap();
    store.commit(under(&lease, [Change::InboxDone(message.id())])).await.unwrap();
    store.commit(changes([Change::Wake(message.id())])).await.unwrap();
    assert_eq!(next(&store, &lease, 9).await, None);
}
