use postern_domain::{
    CallState, Customer, Expected, HostReply, IdentityLevel, Outcome, SkillFailure, VaultEntry,
};
use postern_store::{Change, RecordWrite, Store, StoreError};
use serde_json::json;

use super::{Engine, data::*};

fn email(number: u32, value: &str) -> VaultEntry {
    VaultEntry {
        placeholder: format!("<EMAIL_{number}.k3f9>"),
        kind: "EMAIL".into(),
        value: value.into(),
    }
}

pub(crate) async fn work_has_the_whole_context(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, message) = leased(&store, "a").await;
    let id = &lease.conversation;
    let mut conversation = store.conversation_row(id).await.unwrap().unwrap();
    let ticket = ticket(id, "t", 0);
    conversation.ticket = Some(ticket.id.clone());
    conversation.customer = Customer { key: Some("anna".into()), level: IdentityLevel::Identified };
    conversation.state.misses = 2;
    let turn = turn(&message);
    let calls = [invocation(&turn, 1), invocation(&turn, 0)];
    let journal = [
        called(&calls[0], 0, CallState::Done { reply: HostReply::Done }),
        called(&calls[1], 1, CallState::Intended),
        called(&calls[1], 0, CallState::Done { reply: HostReply::Done }),
    ];
    let vault = vec![email(2, "b@x.example"), email(10, "c@x.example")];
    // References are checked when the transaction ends, so any order will do.
    let commit = under(
        &lease,
        [
            Change::Journal(journal[0].clone()),
            Change::Journal(journal[1].clone()),
            Change::Journal(journal[2].clone()),
            Change::Invocation(calls[0].clone()),
            Change::Invocation(calls[1].clone()),
            Change::Turn(turn.clone()),
            Change::Conversation(conversation.clone()),
            Change::Ticket { ticket: ticket.clone(), events: vec![] },
            Change::Vault { conversation: id.clone(), entries: vault.clone() },
            Change::Message(stored(id, "hello", 1)),
        ],
    );
    store.commit(commit).await.unwrap();

    let work = store.work(&lease, at(1)).await.unwrap().unwrap();
    assert_eq!((work.message, work.attempts), (message, 0));
    assert_eq!((work.conversation, work.ticket), (conversation, Some(ticket)));
    assert_eq!((work.history, work.vault.as_slice()), (vec![stored(id, "hello", 1)], &vault[..]));
    assert_eq!(work.turn, Some(turn));
    assert_eq!(work.invocations, [calls[1].clone(), calls[0].clone()]);
    assert_eq!(work.journal, [journal[2].clone(), journal[1].clone(), journal[0].clone()]);
    assert_eq!(store.vault(id).await.unwrap(), vault);
}

pub(crate) async fn history_is_the_last_ten_messages(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, _) = leased(&store, "a").await;
    let messages: Vec<_> =
        (0..12).map(|n| stored(&lease.conversation, &n.to_string(), n)).collect();
    for message in &messages {
        store.commit(under(&lease, [Change::Message(message.clone())])).await.unwrap();
    }
    let work = store.work(&lease, at(1)).await.unwrap().unwrap();
    assert_eq!(work.history, messages[2..]);

    let all = store.messages_after(&lease.conversation, 0, 99).await.unwrap();
    assert!(all.iter().map(|found| &found.message).eq(&messages));
    let rest = store.messages_after(&lease.conversation, all[8].seq, 2).await.unwrap();
    assert_eq!(rest, all[9..11]);
}

pub(crate) async fn a_conflict_undoes_the_whole_commit(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, message) = leased(&store, "a").await;
    let answer = outgoing(&lease.conversation, "answer", 0);
    let put = |key: &str, expected| RecordWrite::Put {
        collection: "orders".into(),
        document: document(key, &[]),
        expected,
    };
    let mut commit = under(
        &lease,
        [
            Change::Turn(turn(&message)),
            Change::Outbox(answer.clone()),
            Change::Message(stored(&lease.conversation, "hello", 0)),
            Change::InboxDone(message.id()),
            Change::Records(vec![put("1", Expected::Absent), put("2", Expected::Version(7))]),
        ],
    );
    commit.audit.push(noted("undone", None));
    let error = store.commit(commit).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Conflict { collection, key } if collection == "orders" && key == "2"),
        "{error}"
    );
    let work = store.work(&lease, at(0)).await.unwrap().unwrap();
    assert_eq!((work.message, work.turn, work.history), (message, None, vec![]));
    assert_eq!(store.outbox_item(&answer.id).await.unwrap(), None);
    assert_eq!(store.record("orders", "1").await.unwrap(), None);
    assert_eq!(store.audit_tail(9, None).await.unwrap(), []);
    assert_eq!(store.backlog().await.unwrap(), (1, 0));
}

pub(crate) async fn what_exists_stays_and_what_progresses_is_replaced(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, message) = leased(&store, "a").await;
    let id = &lease.conversation;
    let mut turn = turn(&message);
    let mut call = invocation(&turn, 0);
    let mut said = stored(id, "hello", 0);
    let mut answer = outgoing(id, "answer", 0);
    let commit = under(
        &lease,
        [
            Change::Turn(turn.clone()),
            Change::Invocation(call.clone()),
            Change::Journal(called(&call, 0, CallState::Intended)),
            Change::Message(said.clone()),
            Change::Outbox(answer.clone()),
            Change::Vault { conversation: id.clone(), entries: vec![email(1, "a@x.example")] },
        ],
    );
    store.commit(commit).await.unwrap();

    turn.summary = Some(json!({"stages": []}));
    turn.completed_at = Some(at(5));
    call.result = Some(Ok(Outcome::Reply { text: "shipped".into() }));
    (call.took_us, call.cpu_us, call.memory_bytes, call.host_calls) = (900, 80, u64::MAX, 5);
    let done = called(&call, 0, CallState::Done { reply: HostReply::Done });
    "other".clone_into(&mut said.text);
    "other".clone_into(&mut answer.text);
    let commit = under(
        &lease,
        [
            Change::Turn(turn.clone()),
            Change::Invocation(call.clone()),
            Change::Journal(done.clone()),
            Change::Message(said),
            Change::Outbox(answer.clone()),
            Change::Vault { conversation: id.clone(), entries: vec![email(1, "z@x.example")] },
        ],
    );
    store.commit(commit).await.unwrap();

    let work = store.work(&lease, at(0)).await.unwrap().unwrap();
    call.memory_bytes = i64::MAX as u64;
    assert_eq!((work.turn, work.invocations), (Some(turn.clone()), vec![call.clone()]));
    assert_eq!((work.journal, work.vault), (vec![done], vec![email(1, "a@x.example")]));
    assert_eq!(work.history, [stored(id, "hello", 0)]);
    assert_eq!(store.outbox_item(&answer.id).await.unwrap(), Some(outgoing(id, "answer", 0)));

    call.result = Some(Err(SkillFailure::Trap { message: "unreachable".into() }));
    store.commit(under(&lease, [Change::Invocation(call.clone())])).await.unwrap();
    assert_eq!(store.work(&lease, at(0)).await.unwrap().unwrap().invocations, [call]);
}

pub(crate) async fn a_journal_needs_its_invocation(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, message) = leased(&store, "a").await;
    let call = invocation(&turn(&message), 0);
    let entry = Change::Journal(called(&call, 0, CallState::Intended));
    let error = store.commit(under(&lease, [entry])).await.unwrap_err();
    assert!(matches!(error, StoreError::Engine { .. }), "{error}");
    // The connection is fit for the next transaction.
    store.commit(under(&lease, [Change::InboxDone(message.id())])).await.unwrap();
}

pub(crate) async fn a_conversation_keeps_its_place_and_nonce(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, _) = leased(&store, "a").await;
    let before = store.conversation_row(&lease.conversation).await.unwrap().unwrap();
    let mut after = before.clone();
    "elsewhere".clone_into(&mut after.chat);
    "zzzz".clone_into(&mut after.nonce);
    "fr".clone_into(&mut after.language);
    after.customer = Customer { key: Some("anna".into()), level: IdentityLevel::Verified };
    store.commit(under(&lease, [Change::Conversation(after.clone())])).await.unwrap();
    (after.chat, after.nonce) = (before.chat, before.nonce);
    assert_eq!(store.conversation_row(&lease.conversation).await.unwrap(), Some(after.clone()));

    after.id = inbound("nowhere", "0", 0).conversation_id();
    let error = store.commit(changes([Change::Conversation(after)])).await.unwrap_err();
    assert!(matches!(error, StoreError::Engine { .. }), "{error}");
}
