use postern_domain::ConversationId;
use postern_store::{Change, Store, VaultHit, VaultTag};

use super::{Engine, data::*};

fn tag(tag: &str, whole: &str) -> VaultTag {
    VaultTag { tag: tag.into(), whole: whole.into(), words: 0, kind: "EMAIL".into() }
}

fn kept(conversation: &ConversationId, customer: Option<&str>, tags: Vec<VaultTag>) -> Change {
    let customer = customer.map(str::to_owned);
    Change::VaultIndex { conversation: conversation.clone(), customer, tags }
}

pub(crate) async fn a_value_is_known_by_its_tag_and_by_whose_it_is(engine: &impl Engine) {
    let store = engine.open().await;
    accept(&store, &["a", "b", "c"].map(|chat| inbound(chat, chat, 0))).await;
    let [a, b, c] = ["a", "b", "c"].map(|chat| inbound(chat, chat, 0).conversation_id());
    let committed = [
        kept(&a, None, vec![tag("one", "one"), tag("two", "whole-1"), tag("two", "whole-2")]),
        kept(&b, Some("ann"), vec![tag("one", "one"), tag("three", "three")]),
        // Again, by somebody who is verified since.
        kept(&a, Some("bob"), vec![tag("one", "one")]),
        kept(&a, None, vec![tag("one", "one")]),
    ];
    store.commit(changes(committed)).await.unwrap();
    let asked: Vec<String> = ["one", "two", "three", "four"].map(String::from).into();
    let hits = |id: &ConversationId, customer: Option<&'static str>| {
        let (id, asked, store) = (id.clone(), asked.clone(), &store);
        async move {
            let mut hits = store.vault_hits(&id, customer, &asked).await.unwrap();
            hits.sort_by(|a, b| a.tag.whole.cmp(&b.tag.whole));
            hits.into_iter().map(|VaultHit { tag, own }| (tag.whole, own)).collect::<Vec<_>>()
        }
    };
    let found = |own: [bool; 4]| -> Vec<(String, bool)> {
        ["one", "three", "whole-1", "whole-2"].map(String::from).into_iter().zip(own).collect()
    };
    assert_eq!(hits(&a, None).await, found([true, false, true, true]));
    assert_eq!(hits(&b, None).await, found([true, true, false, false]));
    assert_eq!(hits(&c, None).await, found([false; 4]));
    assert_eq!(hits(&c, Some("ann")).await, found([true, true, false, false]));
    assert_eq!(hits(&c, Some("bob")).await, found([true, false, false, false]));
}

pub(crate) async fn of_many_tags_only_those_that_are_known_come_back(engine: &impl Engine) {
    let store = engine.open().await;
    accept(&store, &[inbound("a", "a", 0)]).await;
    let a = inbound("a", "a", 0).conversation_id();
    store.commit(changes([kept(&a, None, vec![tag("7777", "7777")])])).await.unwrap();
    let asked: Vec<String> = (0..8_000).map(|n| n.to_string()).collect();
    let hits = store.vault_hits(&a, None, &asked).await.unwrap();
    assert_eq!(hits, [VaultHit { tag: tag("7777", "7777"), own: true }]);
    assert_eq!(store.vault_hits(&a, None, &[]).await.unwrap(), []);
}
