use postern_store::{Change, Store, StoreError, UnknownSend};

use super::{Engine, data::*};

fn is_fenced<T: std::fmt::Debug>(result: Result<T, StoreError>) -> bool {
    matches!(result.unwrap_err(), StoreError::Fenced { .. })
}

pub(crate) async fn a_conversation_has_one_worker(engine: &impl Engine) {
    let store = engine.open().await;
    let (a, _) = leased(&store, "a").await;
    assert_eq!(store.lease_next("other", at(999), 100).await.unwrap(), None);
    let b = inbound("b", "b-1", 5);
    accept(&store, std::slice::from_ref(&b)).await;
    let lease = store.lease_next("other", at(999), 100).await.unwrap().unwrap();
    assert_eq!(lease.conversation, b.conversation_id());
    assert_ne!(lease.conversation, a.conversation);
}

pub(crate) async fn a_lost_lease_changes_nothing(engine: &impl Engine) {
    let store = engine.open().await;
    let (old, message) = leased(&store, "a").await;
    let new = store.lease_next("other", at(1_000), 1_000).await.unwrap().unwrap();
    assert!(new.fence > old.fence);

    let answer = outgoing(&old.conversation, "answer", 0);
    let mut commit = under(&old, [Change::Outbox(answer.clone()), Change::InboxDone(message.id())]);
    commit.audit.push(noted("lost", None));
    assert!(is_fenced(store.commit(commit).await));
    assert_eq!(store.outbox_item(&answer.id).await.unwrap(), None);
    assert_eq!(store.audit_tail(9, None).await.unwrap(), []);
    assert!(is_fenced(store.renew(&old, at(1_000), 100).await));
    assert!(is_fenced(store.work(&old, at(1_000)).await));

    store.release(&old).await.unwrap();
    assert_eq!(store.work(&new, at(1_000)).await.unwrap().unwrap().message, message);
    store.commit(under(&new, [Change::InboxDone(message.id())])).await.unwrap();
}

pub(crate) async fn a_released_lease_is_lost(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, message) = leased(&store, "a").await;
    store.release(&lease).await.unwrap();
    assert!(is_fenced(store.commit(under(&lease, [Change::InboxDone(message.id())])).await));
    assert!(is_fenced(store.renew(&lease, at(1), 100).await));
    assert!(store.lease_next("other", at(1), 100).await.unwrap().is_some());
}

pub(crate) async fn a_renewed_lease_lasts(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, _) = leased(&store, "a").await;
    store.renew(&lease, at(900), 1_000).await.unwrap();
    assert_eq!(store.lease_next("other", at(1_899), 100).await.unwrap(), None);
    assert!(store.lease_next("other", at(1_900), 100).await.unwrap().is_some());
}

pub(crate) async fn recovery_gives_leases_back(engine: &impl Engine) {
    let store = engine.open().await;
    let (old, _) = leased(&store, "a").await;
    assert_eq!(store.recover(UnknownSend::Resend, at(1)).await.unwrap(), []);
    let new = store.lease_next("other", at(1), 100).await.unwrap().unwrap();
    assert_eq!(new.conversation, old.conversation);
    assert!(is_fenced(store.work(&old, at(1)).await));
}

pub(crate) async fn a_leased_message_is_due_when_the_lease_ends(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, _) = leased(&store, "a").await;
    assert_eq!(store.next_due().await.unwrap(), Some(at(1_000)));
    store.release(&lease).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(at(0)));
}
