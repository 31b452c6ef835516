use std::collections::BTreeMap;

use postern_domain::{Expected, SkillId};
use postern_store::{
    Change, Committed, IndexedDocument, RecordWrite, Store, StoreError, StoredRecord,
};
use serde_json::json;

use super::{Engine, data::*};

type Collections = BTreeMap<String, Vec<IndexedDocument>>;

fn orders(documents: Vec<IndexedDocument>) -> Collections {
    BTreeMap::from([("orders".to_owned(), documents)])
}

async fn keys(store: &impl Store, conditions: &[(&str, &str)], limit: u32) -> Vec<String> {
    let found = store.find_records("orders", &pairs(conditions), limit).await.unwrap();
    found.into_iter().map(|record| record.key).collect()
}

fn put(key: &str, owner: &str, expected: Expected) -> RecordWrite {
    RecordWrite::Put {
        collection: "orders".into(),
        document: document(key, &[("owner", owner)]),
        expected,
    }
}

async fn write(store: &impl Store, steps: Vec<RecordWrite>) -> Result<Committed, StoreError> {
    store.commit(changes([Change::Records(steps)])).await
}

fn is_conflict(result: Result<Committed, StoreError>) -> bool {
    matches!(result.unwrap_err(), StoreError::Conflict { .. })
}

pub(crate) async fn an_import_puts_new_versions_in_place(engine: &impl Engine) {
    let store = engine.open().await;
    // More rows than one statement takes.
    let many: Vec<_> = (0..9_000)
        .map(|n| document(&format!("{n:05}"), &[("owner", "anna"), ("zip", "10115")]))
        .collect();
    let mut all = orders(many);
    all.insert("users".into(), vec![document("anna", &[])]);
    let counts = BTreeMap::from([("orders".to_owned(), 9_000), ("users".to_owned(), 1)]);
    assert_eq!(store.import(all, noted("import", None)).await.unwrap(), counts);
    assert_eq!(store.collections().await.unwrap(), counts);
    assert_eq!(keys(&store, &[("owner", "anna")], 2).await, ["00000", "00001"]);

    let again = orders(vec![document("00000", &[("owner", "ben")]), document("x", &[])]);
    let counts = store.import(again, noted("import", None)).await.unwrap();
    assert_eq!(counts, BTreeMap::from([("orders".to_owned(), 2)]));
    assert_eq!(keys(&store, &[("owner", "anna")], 1).await, ["00001"]);
    assert_eq!(keys(&store, &[("owner", "ben")], 9).await, ["00000"]);
    for (key, version) in [("00000", 2), ("00001", 1), ("x", 1)] {
        assert_eq!(store.record("orders", key).await.unwrap().unwrap().version, version, "{key}");
    }
    let audit = store.audit_tail(9, None).await.unwrap();
    assert_eq!(audit.len(), 2);
}

pub(crate) async fn an_import_that_is_abandoned_leaves_nothing(engine: &impl Engine) {
    let store = engine.open().await;
    let many: Vec<_> = (0..20_000).map(|n| document(&n.to_string(), &[("n", "1")])).collect();
    let import = store.import(orders(many), noted("import", None));
    let abandoned = tokio::select! {
        biased;
        _ = import => false,
        () = async { for _ in 0..3 { tokio::task::yield_now().await } } => true,
    };
    assert!(abandoned, "the import ended before it could be abandoned");
    assert_eq!(store.collections().await.unwrap(), BTreeMap::new());
    assert_eq!(store.audit_tail(9, None).await.unwrap(), []);
    // The connection is fit for the next transaction.
    write(&store, vec![put("1", "anna", Expected::Absent)]).await.unwrap();
}

pub(crate) async fn of_two_documents_with_one_key_the_later_counts(engine: &impl Engine) {
    let store = engine.open().await;
    let two = vec![document("1", &[("owner", "anna")]), document("1", &[("owner", "ben")])];
    let counts = store.import(orders(two), noted("import", None)).await.unwrap();
    assert_eq!(counts["orders"], 1);
    assert_eq!(keys(&store, &[("owner", "anna")], 9).await, [""; 0]);
    assert_eq!(keys(&store, &[("owner", "ben")], 9).await, ["1"]);
}

pub(crate) async fn records_are_found_by_all_conditions(engine: &impl Engine) {
    let store = engine.open().await;
    let documents = vec![
        document("2", &[("owner", "anna"), ("item", "x"), ("item", "y"), ("item", "x")]),
        document("1", &[("owner", "anna"), ("item", "x")]),
        document("3", &[("owner", "ben"), ("item", "x")]),
    ];
    store.import(orders(documents), noted("import", None)).await.unwrap();
    assert_eq!(keys(&store, &[("owner", "anna")], 9).await, ["1", "2"]);
    assert_eq!(keys(&store, &[("item", "x"), ("owner", "anna"), ("item", "y")], 9).await, ["2"]);
    assert_eq!(keys(&store, &[("item", "x")], 2).await, ["1", "2"]);
    assert_eq!(keys(&store, &[], 9).await, ["1", "2", "3"]);
    assert_eq!(keys(&store, &[("owner", "' OR 1=1 --")], 9).await, [""; 0]);
    assert_eq!(store.find_records("users", &[], 9).await.unwrap(), []);
}

pub(crate) async fn writes_expect_what_they_replace(engine: &impl Engine) {
    let store = engine.open().await;
    let first = put("1", "anna", Expected::Absent);
    let both = vec![first.clone(), put("1", "ben", Expected::Version(1))];
    assert_eq!(write(&store, both).await.unwrap().versions, [1, 2]);
    assert!(is_conflict(write(&store, vec![first.clone()]).await));
    for version in [0, 1, 3, u64::MAX] {
        let stale = put("1", "carl", Expected::Version(version));
        assert!(is_conflict(write(&store, vec![stale]).await), "{version}");
        let delete = RecordWrite::Delete { collection: "orders".into(), key: "1".into(), version };
        assert!(is_conflict(write(&store, vec![delete]).await), "{version}");
    }
    assert_eq!(keys(&store, &[("owner", "ben")], 9).await, ["1"]);
    assert_eq!(keys(&store, &[("owner", "anna")], 9).await, [""; 0]);

    let delete = RecordWrite::Delete { collection: "orders".into(), key: "1".into(), version: 2 };
    assert_eq!(write(&store, vec![delete, first]).await.unwrap().versions, [0, 1]);
    assert_eq!(keys(&store, &[("owner", "ben")], 9).await, [""; 0]);
    assert_eq!(keys(&store, &[("owner", "anna")], 9).await, ["1"]);
}

pub(crate) async fn numbers_come_out_as_they_went_in(engine: &impl Engine) {
    let store = engine.open().await;
    let body = json!({
        "price": 46.27, "rate": 0.1 + 0.2, "big": u64::MAX, "low": i64::MIN,
        "hard": 1.448_997_445_238_699, "tiny": 2.225_073_858_507_201e-308,
    });
    let document = IndexedDocument { key: "1".into(), body: body.clone(), index: vec![] };
    store.import(orders(vec![document]), noted("import", None)).await.unwrap();
    let found = store.record("orders", "1").await.unwrap();
    let kept = StoredRecord { collection: "orders".into(), key: "1".into(), version: 1, body };
    assert_eq!(found, Some(kept));
}

fn skill() -> SkillId {
    "order-status".parse().unwrap()
}

fn keep(scope: &str, key: &str, value: &[u8], expires: i64) -> Change {
    Change::KvSet {
        skill: skill(),
        scope: scope.into(),
        key: key.into(),
        value: value.into(),
        expires_at: at(expires),
    }
}

pub(crate) async fn values_of_skills_expire(engine: &impl Engine) {
    let store = engine.open().await;
    store.commit(changes([keep("anna", "k", b"one", 10)])).await.unwrap();
    let (store, skill) = (&store, &skill());
    let get = |now| store.kv_get(skill, "anna", "k", at(now));
    assert_eq!(get(9).await.unwrap().as_deref(), Some(&b"one"[..]));
    assert_eq!(get(10).await.unwrap(), None);
    store.commit(changes([keep("anna", "k", b"two", 20)])).await.unwrap();
    assert_eq!(get(10).await.unwrap().as_deref(), Some(&b"two"[..]));
    // A lease drops what has expired, so that it does not count.
    accept(store, &[inbound("a", "1", 0)]).await;
    assert_eq!(store.kv_usage(skill, "anna").await.unwrap(), (1, 4));
    store.lease_next("w", at(20), 100).await.unwrap().unwrap();
    assert_eq!(store.kv_usage(skill, "anna").await.unwrap(), (0, 0));
}

pub(crate) async fn values_of_skills_are_counted_by_scope(engine: &impl Engine) {
    let store = engine.open().await;
    let other: SkillId = "refund-check".parse().unwrap();
    let set =
        [keep("anna", "k", b"12345", 10), keep("anna", "ü", b"", 10), keep("ben", "k", b"1", 10)];
    store.commit(changes(set)).await.unwrap();
    assert_eq!(store.kv_usage(&skill(), "anna").await.unwrap(), (2, 8));
    assert_eq!(store.kv_usage(&skill(), "ben").await.unwrap(), (1, 2));
    assert_eq!(store.kv_usage(&other, "anna").await.unwrap(), (0, 0));
    assert_eq!(store.kv_get(&other, "anna", "k", at(0)).await.unwrap(), None);
    let forget = Change::KvDelete { skill: skill(), scope: "anna".into(), key: "k".into() };
    store.commit(changes([forget.clone(), forget])).await.unwrap();
    assert_eq!(store.kv_usage(&skill(), "anna").await.unwrap(), (1, 2));
}
