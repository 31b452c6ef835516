use postern_domain::{CallState, Expected, InvocationId, JournalEntry};
use postern_store::{Change, IndexedDocument, InvocationRow, Page, RecordWrite, Store};

use super::{Engine, data::*};

pub(crate) async fn everything_survives_reopening(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, message) = leased(&store, "a").await;
    let id = lease.conversation.clone();
    let put = RecordWrite::Put {
        collection: "orders".into(),
        document: IndexedDocument { index: pairs(&[("owner", "anna")]), ..document("1", &[]) },
        expected: Expected::Absent,
    };
    let mut commit = under(
        &lease,
        [
            Change::Turn(turn(&message)),
            Change::Message(stored(&id, "hello", 3)),
            Change::Outbox(outgoing(&id, "answer", 4)),
            Change::Ticket { ticket: ticket(&id, "t", 5), events: vec![] },
            Change::Records(vec![put]),
        ],
    );
    commit.audit.push(noted("kept", Some(&id)));
    store.commit(commit).await.unwrap();
    let detail = store.conversation(&id).await.unwrap();
    let audit = store.audit_tail(9, None).await.unwrap();
    drop(store);

    let store = engine.open().await;
    assert_eq!(store.conversation(&id).await.unwrap(), detail);
    assert_eq!(store.audit_tail(9, None).await.unwrap(), audit);
    assert_eq!(store.work(&lease, at(6)).await.unwrap().unwrap().message, message);
    let found = store.find_records("orders", &pairs(&[("owner", "anna")]), 9).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(store.backlog().await.unwrap(), (1, 1));
}

pub(crate) async fn details_and_summaries_tell_the_whole_story(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, message) = leased(&store, "a").await;
    let (id, quiet) = (lease.conversation.clone(), inbound("b", "b-1", 20));
    accept(&store, std::slice::from_ref(&quiet)).await;
    let turn = turn(&message);
    let call = invocation(&turn, 0);
    let entry = called(&call, 0, CallState::Intended);
    let commit = under(
        &lease,
        [
            Change::Turn(turn.clone()),
            Change::Invocation(call.clone()),
            Change::Journal(entry.clone()),
            Change::Message(stored(&id, "one", 30)),
            Change::Message(stored(&id, "two", 31)),
            Change::Outbox(outgoing(&id, "answer", 31)),
            Change::Ticket { ticket: ticket(&id, "later", 9), events: vec![] },
            Change::Ticket { ticket: ticket(&id, "earlier", 8), events: vec![] },
        ],
    );
    store.commit(commit).await.unwrap();

    let detail = store.conversation(&id).await.unwrap().unwrap();
    assert_eq!(Some(detail.conversation), store.conversation_row(&id).await.unwrap());
    let texts: Vec<_> = detail.messages.iter().map(|m| m.message.text.as_str()).collect();
    assert_eq!(texts, ["one", "two"]);
    assert_eq!((detail.turns, detail.invocations), (vec![turn], vec![call]));
    assert_eq!((detail.journal, detail.outbox), (vec![entry], vec![outgoing(&id, "answer", 31)]));
    assert_eq!(detail.tickets, [ticket(&id, "earlier", 8), ticket(&id, "later", 9)]);

    let list = store.conversations(Page { limit: 9, offset: 0 }).await.unwrap();
    let lines: Vec<_> = list
        .iter()
        .map(|line| {
            (line.conversation.chat.as_str(), line.messages, line.last_at, line.last_text.as_str())
        })
        .collect();
    assert_eq!(lines, [("a", 2, at(31), "two"), ("b", 0, at(20), "")]);
    let second = store.conversations(Page { limit: 1, offset: 1 }).await.unwrap();
    assert_eq!(second, list[1..]);
    let nobody = inbound("c", "c-1", 0).conversation_id();
    assert_eq!(store.conversation(&nobody).await.unwrap(), None);
}

pub(crate) async fn judged_calls_are_read_page_by_page(engine: &impl Engine) {
    let store = engine.open().await;
    let mut expected = Vec::new();
    for chat in ["a", "b"] {
        let message = inbound(chat, chat, 0);
        accept(&store, std::slice::from_ref(&message)).await;
        let turn = turn(&message);
        store.commit(changes([Change::Turn(turn.clone())])).await.unwrap();
        for step in 0..2 {
            let call = invocation(&turn, step);
            let entries = [2, 0, 11].map(|seq| called(&call, seq, CallState::Intended));
            let mut commit = changes(entries.clone().map(Change::Journal));
            commit.changes.push(Change::Invocation(call.clone()));
            store.commit(commit).await.unwrap();
            let found = store.invocation(&call.id).await.unwrap();
            assert_eq!(found, Some((call.clone(), message.conversation_id())));
            expected.extend(entries.map(|entry| (call.clone(), entry)));
        }
    }
    expected.sort_by_key(|(call, entry)| (call.id.clone(), entry.record.seq));
    assert_eq!(store.judged_calls(None, 99).await.unwrap(), expected);

    let mut read = Vec::new();
    loop {
        let last = read.last().map(|(call, entry): &(InvocationRow, JournalEntry)| {
            (call.id.clone(), entry.record.seq)
        });
        let page = store.judged_calls(last, 5).await.unwrap();
        if page.is_empty() {
            break;
        }
        read.extend(page);
    }
    assert_eq!(read, expected);
    assert_eq!(store.invocation(&InvocationId::derive(&["nobody"])).await.unwrap(), None);
}
