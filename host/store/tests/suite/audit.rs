use std::sync::Arc;

use postern_domain::{AuditRow, AuditVerifier, Checkpoint, Digest, Expected};
use postern_store::{Change, Commit, RecordWrite, Store};

use super::{CHAIN, Engine, data::*};

fn noting<const N: usize>(names: [&str; N]) -> Commit {
    Commit { audit: names.map(|name| noted(name, None)).into(), ..Commit::default() }
}

/// Checks that the rows are a whole chain and gives what they are about.
fn chained(rows: &[AuditRow]) -> Vec<&str> {
    let mut previous = Digest::ZERO;
    for (row, number) in rows.iter().zip(1..) {
        assert_eq!((row.chain.as_str(), row.number, row.previous), (CHAIN, number, previous));
        assert!(row.is_intact());
        previous = row.hash;
    }
    rows.iter().map(|row| row.entry.resource.as_str()).collect()
}

pub(crate) async fn rows_form_one_chain_across_concurrent_commits(engine: &impl Engine) {
    let store = Arc::new(engine.open().await);
    let tasks: Vec<_> = (0..10)
        .map(|n: u32| {
            let store = Arc::clone(&store);
            let names = [format!("{n}a"), format!("{n}b")];
            tokio::spawn(async move {
                store.commit(noting([&names[0], &names[1]])).await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    drop(store);
    let store = engine.open().await;
    store.commit(noting(["after"])).await.unwrap();
    let rows = store.audit_tail(99, None).await.unwrap();
    let about = chained(&rows);
    assert_eq!((about.len(), about.last()), (21, Some(&"after")));
    for pair in about[..20].chunks(2) {
        assert_eq!(pair[0].trim_end_matches('a'), pair[1].trim_end_matches('b'));
    }
    assert_eq!(store.audit_tail(2, None).await.unwrap(), rows[19..]);
}

pub(crate) async fn more_rows_than_a_statement_takes_form_one_chain(engine: &impl Engine) {
    let store = engine.open().await;
    for _ in 0..2 {
        let audit = vec![noted("many", None); 3_000];
        store.commit(Commit { audit, ..Commit::default() }).await.unwrap();
    }
    let rows = store.audit_tail(9_000, None).await.unwrap();
    assert_eq!(chained(&rows).len(), 6_000);
    let (heads, _) = store.audit_heads().await.unwrap();
    assert_eq!((heads[0].number, heads[0].hash), (6_000, rows[5_999].hash));
}

pub(crate) async fn a_failed_commit_leaves_no_gap_in_the_chain(engine: &impl Engine) {
    let store = engine.open().await;
    store.commit(noting(["one"])).await.unwrap();
    let mut failing = noting(["lost"]);
    failing.changes.push(Change::Records(vec![RecordWrite::Put {
        collection: "orders".into(),
        document: document("1", &[]),
        expected: Expected::Version(1),
    }]));
    store.commit(failing).await.unwrap_err();
    store.commit(noting(["two", "three"])).await.unwrap();
    let rows = store.audit_tail(9, None).await.unwrap();
    assert_eq!(chained(&rows), ["one", "two", "three"]);
}

pub(crate) async fn the_tail_can_be_of_one_conversation(engine: &impl Engine) {
    let store = engine.open().await;
    let [a, b] = ["a", "b"].map(|chat| inbound(chat, chat, 0).conversation_id());
    for (name, about) in
        [("1", Some(&a)), ("2", None), ("3", Some(&b)), ("4", Some(&a)), ("5", Some(&a))]
    {
        let audit = vec![noted(name, about)];
        store.commit(Commit { audit, ..Commit::default() }).await.unwrap();
    }
    let tail = store.audit_tail(2, Some(&a)).await.unwrap();
    let about: Vec<_> = tail.iter().map(|row| row.entry.resource.as_str()).collect();
    assert_eq!(about, ["4", "5"]);
}

pub(crate) async fn the_log_is_scanned_as_it_lies_there(engine: &impl Engine) {
    let store = engine.open().await;
    store.commit(noting(["1", "2", "3", "4", "5"])).await.unwrap();
    let first = store.audit_scan(0, 2).await.unwrap();
    let rest = store.audit_scan(first[1].seq, 99).await.unwrap();
    let rows: Vec<AuditRow> =
        first.iter().chain(&rest).map(|scanned| scanned.row.clone().unwrap()).collect();
    assert_eq!(chained(&rows), ["1", "2", "3", "4", "5"]);
    let (heads, last) = store.audit_heads().await.unwrap();
    assert_eq!(last, rest[2].seq);
    let end = (heads[0].chain.as_str(), heads[0].number, heads[0].hash);
    assert_eq!((heads.len(), end), (1, (CHAIN, 5, rows[4].hash)));

    let mut verifier = AuditVerifier::new(&[], |_| true);
    first.iter().chain(&rest).for_each(|row| verifier.row(row));
    assert_eq!(verifier.finish(heads).wrong, 0);
}

pub(crate) async fn checkpoints_are_kept_in_order_and_never_replaced(engine: &impl Engine) {
    let store = engine.open().await;
    store.commit(noting(["1"])).await.unwrap();
    let checkpoint = |number, heads| Checkpoint {
        number,
        at: at(0),
        heads,
        previous: Digest::ZERO,
        public_key: "k".into(),
        signature: "s".into(),
    };
    let (heads, _) = store.audit_heads().await.unwrap();
    let (first, second) = (checkpoint(1, heads), checkpoint(2, vec![]));
    store.add_checkpoint(&first).await.unwrap();
    store.add_checkpoint(&second).await.unwrap();
    store.add_checkpoint(&checkpoint(1, vec![])).await.unwrap_err();
    assert_eq!(store.checkpoints().await.unwrap(), [first, second]);
}
