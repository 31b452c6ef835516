//! A data folder of an older version is taken over with what it holds.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use postern_domain::{
    Approval, AuditEntry, AuditKind, AuditRow, AuditVerifier, CallRecord, CallState, Channel,
    Decision, Digest, HostCall, InboundKind, InboundMessage, InvocationId, LimitUse, Operator,
    Take, Timestamp, TurnId, digest_of,
};
use postern_store::{Change, Commit, SqliteStore, Store, UnknownSend};
use serde_json::json;
use sqlx::{
    Connection as _, SqlSafeStr as _, SqliteConnection,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::SqliteConnectOptions,
};
use tempfile::TempDir;

/// The migrations of the version before, as they were released.
const THREE: [(i64, &str, &str); 3] = [
    (1, "everything", include_str!("../migrations/sqlite/0001_everything.sql")),
    (2, "use of skills", include_str!("../migrations/sqlite/0002_use_of_skills.sql")),
    (3, "checkpoints", include_str!("../migrations/sqlite/0003_checkpoints.sql")),
];

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn message(key: &str) -> InboundMessage {
    InboundMessage {
        channel: Channel::Web,
        account: "shop".into(),
        dedupe_key: key.into(),
        chat: "chat".into(),
        sender: "person".into(),
        external_id: key.into(),
        private: true,
        kind: InboundKind::Text,
        text: format!("words of {key}"),
        language: None,
        received_at: at(5),
    }
}

/// The stored form of a value, its fields in their order.
fn form(body: &impl serde::Serialize) -> String {
    format!(r#"{{"v":"1","body":{}}}"#, serde_json::to_string(body).unwrap())
}

fn row(number: u64, previous: Digest) -> AuditRow {
    let entry = AuditEntry::new(at(5), AuditKind::Turn, "host", "turn:begin", "turn");
    AuditRow::link("host-1", number, previous, entry)
}

/// A folder as version 3 left it: a conversation with a processed message and
/// two that wait, of which the first has a turn that was interrupted.
async fn version_three(folder: &TempDir) {
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("postern.db"))
        .create_if_missing(true);
    let mut database = SqliteConnection::connect_with(&options).await.unwrap();
    let migrations = THREE.map(|(version, name, text)| {
        Migration::new(version, name.into(), MigrationType::Simple, text.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.into())
        .run_direct(None, &mut database, false)
        .await
        .unwrap();

    let conversation = message("1").conversation_id();
    let insert = "INSERT INTO conversations (id, channel, account, chat, sender, private, nonce, \
                  language, identity, state, created_at, active_at, lease_owner, lease_until, \
                  fence, inbox_seq, inbox_due_at) VALUES ($1, 'web', 'shop', 'chat', 'person', 1, \
                  'k3f9', 'de', 'unknown', $2, 5, 5, 'w', 99, 4, 2, 5)";
    let state = form(&json!({
        "awaiting": null, "identify_failures": 0, "misses": 0, "entities": {}, "last_active": 5
    }));
    sqlx::query(insert)
        .bind(conversation.as_str())
        .bind(state)
        .execute(&mut database)
        .await
        .unwrap();
    for (key, state) in [("1", "done"), ("2", "waiting"), ("3", "waiting")] {
        let content = (state == "waiting").then(|| form(&message(key)));
        sqlx::query(
            "INSERT INTO inbox (id, conversation, state, attempts, due_at, content) \
             VALUES ($1, $2, $3, 0, 5, $4)",
        )
        .bind(message(key).id().as_str().to_owned())
        .bind(conversation.as_str())
        .bind(state)
        .bind(content)
        .execute(&mut database)
        .await
        .unwrap();
    }
    let (turn, call) = (TurnId::derive(&["2"]), InvocationId::derive(&["2"]));
    sqlx::query(
        "INSERT INTO turns (id, conversation, message, plan, generation, started_at) \
         VALUES ($1, $2, $3, '{}', 'g', 6)",
    )
    .bind(turn.as_str())
    .bind(conversation.as_str())
    .bind(message("2").id().as_str().to_owned())
    .execute(&mut database)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO invocations (id, turn, step, skill, version, digest, tool, arguments, at, \
         took_us, cpu_us, memory_bytes) VALUES ($1, $2, 0, 'refund', '1.0.0', $3, 'pay', '{}', 6, \
         0, 0, 0)",
    )
    .bind(call.as_str())
    .bind(turn.as_str())
    .bind(Digest::of_bytes(b"c").to_string())
    .execute(&mut database)
    .await
    .unwrap();
    let get = HostCall::RecordsGet { collection: "orders".into(), key: "1".into() };
    let record = json!({
        "seq": 0, "digest": digest_of(&get), "call": get, "decision": "allow", "rules": ["r"],
        "state": {"state": "intended"}
    });
    sqlx::query("INSERT INTO journal (invocation, seq, record) VALUES ($1, 0, $2)")
        .bind(call.as_str())
        .bind(form(&record))
        .execute(&mut database)
        .await
        .unwrap();
    let row = row(1, Digest::ZERO);
    sqlx::query(
        "INSERT INTO audit (chain, number, previous, hash, entry) VALUES ('host-1', 1, $1, $2, $3)",
    )
    .bind(row.previous.to_string())
    .bind(row.hash.to_string())
    .bind(form(&row.entry))
    .execute(&mut database)
    .await
    .unwrap();
    sqlx::query("INSERT INTO audit_heads (chain, number, hash) VALUES ('host-1', 1, $1)")
        .bind(row.hash.to_string())
        .execute(&mut database)
        .await
        .unwrap();
    database.close().await.unwrap();
}

#[tokio::test]
async fn a_folder_of_version_three_goes_on() {
    let folder = TempDir::new().unwrap();
    version_three(&folder).await;
    for _ in 0..2 {
        let store = SqliteStore::open(folder.path(), "host-1").await.unwrap();
        assert_eq!(store.backlog().await.unwrap(), (2, 0));
    }
    let store = SqliteStore::open(folder.path(), "host-1").await.unwrap();
    store.recover(UnknownSend::Resend, at(7)).await.unwrap();
    let lease = store.lease_next("w", at(7), 100).await.unwrap().unwrap();
    assert_eq!(lease.fence, 5, "it has grown");
    let work = store.work(&lease, at(7)).await.unwrap().unwrap();
    assert_eq!((work.message, work.approvals), (message("2"), vec![]));
    let expected = CallRecord {
        seq: 0,
        digest: work.journal[0].record.digest,
        call: HostCall::RecordsGet { collection: "orders".into(), key: "1".into() },
        decision: Decision::Allow,
        rules: vec!["r".into()],
        state: CallState::Intended,
        at: at(0),
        facts: None,
    };
    assert_eq!(work.journal[0].record, expected);
    let (call, conversation) = store.invocation(&work.invocations[0].id).await.unwrap().unwrap();
    assert_eq!((call, &conversation), (work.invocations[0].clone(), &lease.conversation));

    // What is new works on what was there.
    let operator =
        Operator { id: "ann".parse().unwrap(), roles: vec![], created_at: at(7), removed_at: None };
    let one = LimitUse {
        limit: "calls".into(),
        scope: "global".into(),
        take: Take::Rate { interval_ms: 10, burst: 1 },
        reservation: "1".into(),
    };
    let commit = Commit {
        lease: Some(lease.clone()),
        changes: vec![
            Change::Park(message("2").id()),
            Change::Operator(operator),
            Change::Take { uses: vec![one], at: at(7) },
        ],
        audit: vec![row(1, Digest::ZERO).entry],
    };
    store.commit(commit).await.unwrap();
    let work = store.work(&lease, at(7)).await.unwrap().unwrap();
    assert_eq!(work.message, message("3"), "behind the parked one");
    assert_eq!(store.approvals_of(&call_id()).await.unwrap(), Vec::<Approval>::new());

    let mut verifier = AuditVerifier::new(&[], |_| true);
    store.audit_scan(0, 99).await.unwrap().iter().for_each(|row| verifier.row(row));
    let report = verifier.finish(store.audit_heads().await.unwrap().0);
    assert_eq!(report.wrong, 0, "the chain goes on");
}

fn call_id() -> InvocationId {
    InvocationId::derive(&["2"])
}
