use postern_domain::ConversationId;
use postern_store::{Change, Commit, Standing, Store, VaultHit, VaultTag};

use super::{Engine, data::*};

fn tag(tag: &str, whole: &str) -> VaultTag {
    standing(Standing::Said, tag, whole)
}

fn standing(standing: Standing, tag: &str, whole: &str) -> VaultTag {
    VaultTag { tag: tag.into(), whole: whole.into(), words: 0, kind: "EMAIL".into(), standing }
}

fn kept(conversation: &ConversationId, customer: Option<&str>, tags: Vec<VaultTag>) -> Change {
    let customer = customer.map(str::to_owned);
    let owner = customer.clone();
    Change::VaultIndex { conversation: conversation.clone(), customer, owner, tags }
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
            hits.into_iter().map(|VaultHit { tag, own, .. }| (tag.whole, own)).collect::<Vec<_>>()
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
    assert_eq!(hits, [VaultHit { tag: tag("7777", "7777"), own: true, owners: 1 }]);
    assert_eq!(store.vault_hits(&a, None, &[]).await.unwrap(), []);
}

pub(crate) async fn what_stands_in_records_counts_before_what_was_said(engine: &impl Engine) {
    let store = engine.open().await;
    let names: Vec<String> = (0..100).map(|n| format!("chat-{n}")).collect();
    let messages: Vec<_> = names.iter().map(|name| inbound(name, name, 0)).collect();
    accept(&store, &messages).await;
    let chats: Vec<_> = messages.iter().map(|message| message.conversation_id()).collect();
    let said = |n: usize, owner: Option<&str>, tag: VaultTag| {
        let mut change = kept(&chats[n], None, vec![tag]);
        if let Change::VaultIndex { owner: of, .. } = &mut change {
            *of = owner.map(str::to_owned);
        }
        change
    };
    let mut all: Vec<Change> = (0..99).map(|n| said(n, None, tag("many", "many"))).collect();
    all.extend([
        said(0, Some("ann"), tag("one", "one")),
        said(1, Some("ann"), tag("one", "one")),
        said(2, None, tag("one", "one")),
        said(3, None, standing(Standing::Mentioned, "one", "one")),
        said(4, None, standing(Standing::Mentioned, "heard", "heard")),
        said(99, Some("zoe"), standing(Standing::Recorded, "many", "many")),
    ]);
    store.commit(Commit { changes: all, ..Commit::default() }).await.unwrap();
    let hit = |n: usize, tag: &'static str| {
        let (id, store) = (chats[n].clone(), &store);
        async move {
            let hits = store.vault_hits(&id, None, &[tag.to_owned()]).await.unwrap();
            let [hit] = &hits[..] else { panic!("{hits:?}") };
            (hit.tag.standing, hit.own, hit.owners)
        }
    };
    // Whoever is known is one owner in all conversations.
    assert_eq!(hit(5, "one").await, (Standing::Said, false, 2));
    assert_eq!(hit(3, "one").await, (Standing::Said, true, 2));
    assert_eq!(hit(5, "heard").await, (Standing::Mentioned, false, 0));
    // However many have said it, and though most of them are not kept.
    assert_eq!(hit(98, "many").await, (Standing::Recorded, false, 1));
    assert_eq!(hit(99, "many").await, (Standing::Recorded, true, 1));
    let again = said(3, None, standing(Standing::Recorded, "one", "one"));
    store.commit(changes([again])).await.unwrap();
    assert_eq!(hit(3, "one").await, (Standing::Recorded, true, 1));
}
