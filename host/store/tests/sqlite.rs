//! What holds for the SQLite engine only.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, error::Error as _};

use postern_domain::{
    AuditEntry, AuditKind, Channel, Digest, InboundKind, InboundMessage, InvocationId, LimitUse,
    Outcome, Take, Timestamp, TurnId,
};
use postern_store::{
    Change, Commit, IndexedDocument, InvocationRow, SqliteStore, Store, StoreError, TurnRow, UseRow,
};
use sqlx::{Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

const SECRET: &str = "anna@shop.example";

async fn open(folder: &TempDir) -> SqliteStore {
    SqliteStore::open(folder.path(), "host-1").await.unwrap()
}

/// The database itself, past the store.
async fn database(folder: &TempDir) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(folder.path().join("postern.db"));
    SqliteConnection::connect_with(&options).await.unwrap()
}

fn message() -> InboundMessage {
    InboundMessage {
        channel: Channel::Web,
        account: "shop".into(),
        dedupe_key: "1".into(),
        chat: "chat".into(),
        sender: "person".into(),
        external_id: "1".into(),
        private: true,
        kind: InboundKind::Text,
        text: format!("I am {SECRET}"),
        language: None,
        received_at: Timestamp::from_millis(0),
    }
}

async fn accept(store: &SqliteStore) {
    store.accept(&[message()], &["k3f9".to_owned()]).await.unwrap();
}

/// The error and everything behind it, as an operator might see it.
fn whole(error: &StoreError) -> String {
    let mut text = format!("{error:?} {error}");
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[tokio::test]
async fn free_texts_are_cleaned_before_they_are_kept_and_the_chain_holds() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder).await.cleaning(|text| text.replace(SECRET, "[EMAIL]").into());
    accept(&store).await;
    let at = Timestamp::from_millis(0);
    let row = AuditEntry {
        detail: format!("status 400: {SECRET}"),
        ..AuditEntry::new(at, AuditKind::Turn, "host", "test", format!("people ({SECRET})"))
    };
    let reason = format!("no such person: {SECRET}");
    let dead = Change::InboxDead { message: message().id(), reason };
    let commit = Commit { changes: vec![dead], audit: vec![row.clone()], ..Commit::default() };
    store.commit(commit).await.unwrap();
    store.import(BTreeMap::new(), row).await.unwrap();

    let rows = store.audit_tail(10, None).await.unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert!(row.is_intact());
        assert_eq!(row.entry.detail, "status 400: [EMAIL]");
        assert_eq!(row.entry.resource, "people ([EMAIL])");
    }
    let mut database = database(&folder).await;
    let reason = sqlx::query("SELECT last_error FROM inbox").fetch_one(&mut database).await;
    let reason: String = reason.unwrap().get("last_error");
    assert_eq!(reason, "no such person: [EMAIL]");
}

#[tokio::test]
async fn one_process_serves_a_folder() {
    let folder = TempDir::new().unwrap();
    let (first, second) = (open(&folder).await, open(&folder).await);
    first.lock_for_serving().unwrap();
    for store in [&first, &second] {
        let error = store.lock_for_serving().unwrap_err();
        assert!(matches!(&error, StoreError::InUse { path } if path.ends_with("postern.lock")));
    }
    accept(&second).await;
    assert_eq!(first.backlog().await.unwrap(), (1, 0));
    drop(first);
    second.lock_for_serving().unwrap();
}

#[tokio::test]
async fn a_folder_can_be_opened_by_many_at_once() {
    let folder = TempDir::new().unwrap();
    let stores = tokio::join!(open(&folder), open(&folder), open(&folder));
    accept(&stores.0).await;
    assert_eq!(stores.1.backlog().await.unwrap(), (1, 0));
    let mut database = database(&folder).await;
    let row = sqlx::query("SELECT count(*) AS runs FROM _sqlx_migrations")
        .fetch_one(&mut database)
        .await
        .unwrap();
    assert_eq!(row.get::<i64, _>("runs"), 7, "each once");
}

#[tokio::test]
async fn what_it_cannot_open_is_told() {
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("missing");
    let error = SqliteStore::open(&missing, "host-1").await.unwrap_err();
    assert!(whole(&error).contains("create the database"), "{}", whole(&error));

    std::fs::write(folder.path().join("postern.db"), "not a database at all").unwrap();
    let error = SqliteStore::open(folder.path(), "host-1").await.unwrap_err();
    assert!(whole(&error).contains("not a database"), "{}", whole(&error));
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let folder = TempDir::new().unwrap();
    drop(open(&folder).await);
    let newer = "INSERT INTO _sqlx_migrations \
                 (version, description, success, checksum, execution_time) \
                 VALUES (9999, 'newer', TRUE, x'00', 0)";
    sqlx::query(newer).execute(&mut database(&folder).await).await.unwrap();
    let error = SqliteStore::open(folder.path(), "host-1").await.unwrap_err();
    assert!(whole(&error).contains("9999"), "{}", whole(&error));
}

#[tokio::test]
async fn invocations_from_before_the_use_of_skills_was_kept_are_read() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder).await;
    accept(&store).await;
    let turn = TurnRow {
        id: TurnId::derive(&["1"]),
        conversation: message().conversation_id(),
        message: message().id(),
        plan: serde_json::Value::Null,
        generation: "1".into(),
        summary: None,
        started_at: Timestamp::from_millis(1),
        completed_at: None,
    };
    let old = InvocationRow {
        id: InvocationId::derive(&["1"]),
        turn: turn.id.clone(),
        step: 0,
        skill: "looper".parse().unwrap(),
        version: "0.1.0".into(),
        digest: Digest::of_bytes(b"component"),
        tool: "spin".into(),
        arguments: serde_json::json!({}),
        result: Some(Ok(Outcome::Done)),
        at: Timestamp::from_millis(1),
        took_us: 5,
        cpu_us: 4,
        memory_bytes: 3,
        host_calls: 2,
    };
    let changes = vec![Change::Turn(turn), Change::Invocation(old.clone())];
    store.commit(Commit { changes, ..Commit::default() }).await.unwrap();
    drop(store);
    for undo in [
        "DROP INDEX invocations_of_component",
        "ALTER TABLE invocations DROP COLUMN host_calls",
        "DELETE FROM _sqlx_migrations WHERE version = 2",
    ] {
        sqlx::query(undo).execute(&mut database(&folder).await).await.unwrap();
    }
    let used = open(&folder).await.skill_use(&old.skill, old.digest, 9).await.unwrap();
    let expected = UseRow { took_us: 5, cpu_us: 4, memory_bytes: 3, host_calls: 0, failure: None };
    assert_eq!(used, [expected]);
}

#[tokio::test]
async fn a_processed_message_leaves_no_content_in_the_inbox() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder).await;
    accept(&store).await;
    let done = Change::InboxDone(message().id());
    store.commit(Commit { changes: vec![done], ..Commit::default() }).await.unwrap();
    let mut database = database(&folder).await;
    let row = sqlx::query("SELECT content FROM inbox").fetch_one(&mut database).await.unwrap();
    assert_eq!(row.get::<Option<String>, _>("content"), None);
}

#[tokio::test]
async fn an_import_without_its_audit_row_does_not_happen() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder).await;
    let broken = "CREATE TRIGGER broken BEFORE INSERT ON audit \
                  BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
    sqlx::query(broken).execute(&mut database(&folder).await).await.unwrap();
    let document = IndexedDocument {
        key: "1".into(),
        body: serde_json::json!({}),
        index: vec![("owner".into(), "anna".into())],
    };
    let orders = BTreeMap::from([("orders".to_owned(), vec![document])]);
    let now = Timestamp::from_millis(0);
    let audit = AuditEntry::new(now, AuditKind::Operator, "operator:cli", "records:import", "");
    let error = store.import(orders, audit).await.unwrap_err();
    assert!(whole(&error).contains("append to the audit log"), "{}", whole(&error));
    assert!(whole(&error).contains("the disk is full"), "{}", whole(&error));
    assert_eq!(store.collections().await.unwrap(), BTreeMap::new());
}

#[tokio::test]
async fn errors_do_not_quote_what_customers_wrote() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder).await;
    accept(&store).await;
    let lease = store.lease_next("w", Timestamp::from_millis(0), 100).await.unwrap().unwrap();
    let broken = [
        format!(r#"{{"v":"1","body":"{SECRET}"}}"#),
        format!(r#"{{"v":"{SECRET}","body":{{}}}}"#),
        format!(r#"{{"v":"1","body":{{"channel":"{SECRET}"}}}}"#),
        SECRET.to_owned(),
    ];
    for content in broken {
        sqlx::query("UPDATE inbox SET content = $1")
            .bind(content)
            .execute(&mut database(&folder).await)
            .await
            .unwrap();
        let error = store.work(&lease, Timestamp::from_millis(0)).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { what: "inbound message", .. }));
        assert!(!whole(&error).contains("anna"), "{}", whole(&error));
    }
    assert!(!format!("{store:?}").contains("anna"));
}

#[tokio::test]
async fn what_limits_count_no_more_is_dropped() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder).await;
    let takes = [
        Take::Rate { interval_ms: 10, burst: 2 },
        Take::Sum { amount: 5, most: 100, window_ms: 10 },
    ];
    let take = async |scope: String, ms| {
        let uses = takes.map(|take| LimitUse {
            limit: format!("{take:?}"),
            scope: scope.clone(),
            take,
            reservation: scope.clone(),
        });
        let changes = vec![Change::Take { uses: uses.into(), at: Timestamp::from_millis(ms) }];
        store.commit(Commit { changes, ..Commit::default() }).await.unwrap();
    };
    for customer in 0..20 {
        take(format!("customer:{customer}"), customer).await;
    }
    let week = 7 * 24 * 60 * 60 * 1_000;
    take("customer:last".into(), week + 100).await;
    let mut database = database(&folder).await;
    for (table, rows) in
        [("limit_rates", 1), ("limit_sums", 1), ("limit_totals", 1), ("limit_reservations", 2)]
    {
        let count = format!("SELECT count(*) AS rows FROM {table}");
        let row = sqlx::query(sqlx::AssertSqlSafe(count)).fetch_one(&mut database).await.unwrap();
        assert_eq!(row.get::<i64, _>("rows"), rows, "{table}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_can_read_the_database() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new().unwrap();
    let store = open(&folder).await;
    accept(&store).await;
    for name in ["postern.db", "postern.db-wal", "postern.db-shm"] {
        let mode = folder.path().join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
