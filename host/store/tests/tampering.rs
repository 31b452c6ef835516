//! Somebody writes into the database past the store, and verification tells.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use postern_domain::{
    AuditEntry, AuditFinding, AuditKind, AuditVerifier, Checkpoint, Digest, Timestamp,
};
use postern_store::{Commit, SqliteStore, Store as _};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

/// Six rows, a checkpoint after the fourth, then `statements`, then what is found.
async fn found_after(statements: &[&str]) -> Vec<String> {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path(), "host-1").await.unwrap();
    let at = Timestamp::from_millis(0);
    for number in 1..=6 {
        let resource = format!("row {number}");
        let entry = AuditEntry::new(at, AuditKind::Operator, "operator:cli", "test", resource);
        store.commit(Commit { audit: vec![entry], ..Commit::default() }).await.unwrap();
        if number == 4 {
            let checkpoint = Checkpoint {
                number: 1,
                at,
                heads: store.audit_heads().await.unwrap().0,
                previous: Digest::ZERO,
                public_key: "ours".into(),
                signature: "ours".into(),
            };
            store.add_checkpoint(&checkpoint).await.unwrap();
        }
    }
    let options = SqliteConnectOptions::new().filename(folder.path().join("postern.db"));
    let mut database = SqliteConnection::connect_with(&options).await.unwrap();
    for statement in statements {
        let statement = sqlx::AssertSqlSafe((*statement).to_owned());
        sqlx::raw_sql(statement).execute(&mut database).await.unwrap();
    }
    let checkpoints = store.checkpoints().await.unwrap();
    let mut verifier = AuditVerifier::new(&checkpoints, |c| c.signature == "ours");
    for row in store.audit_scan(i64::MIN, 100).await.unwrap() {
        verifier.row(&row);
    }
    let report = verifier.finish(store.audit_heads().await.unwrap().0);
    report.findings.iter().map(AuditFinding::to_string).collect()
}

#[tokio::test]
async fn an_untouched_log_is_as_it_was_written() {
    assert_eq!(found_after(&[]).await, Vec::<String>::new());
}

#[tokio::test]
async fn every_column_of_a_row_counts() {
    for set in [
        "entry = replace(entry, 'row 2', 'row X')",
        // JSON that reads the same and is not what was written.
        "entry = replace(entry, '{', '{ ')",
        "entry = replace(entry, '\"actor\"', '\"note\":\"added\",\"actor\"')",
        "entry = '{}'",
        "conversation = 'cnv_000000000000000000000000'",
        "hash = replace(hash, 'sha256:', 'sha256:0')",
    ] {
        let found = found_after(&[&format!("UPDATE audit SET {set} WHERE number = 2")]).await;
        assert_eq!(found, ["row 2 of host-1 was changed"], "{set}");
    }
    let found = found_after(&["UPDATE audit SET previous = hash WHERE number = 2"]).await;
    assert_eq!(found, ["row 2 of host-1 was changed"]);
}

#[tokio::test]
async fn a_removed_row_is_missing() {
    let found = found_after(&["DELETE FROM audit WHERE number = 2"]).await;
    assert_eq!(found, ["row 2 of host-1 is missing"]);
}

#[tokio::test]
async fn a_row_that_was_put_in_is_out_of_place() {
    let insert = "INSERT INTO audit (chain, number, previous, hash, conversation, entry) \
                  SELECT chain, 99, previous, hash, conversation, entry FROM audit WHERE number = 2";
    let found = found_after(&[insert]).await;
    assert!(found.contains(&"row 99 of host-1 was changed".to_owned()), "{found:?}");
    let other = insert.replace("SELECT chain, 99", "SELECT 'host-2', 1");
    let found = found_after(&[&other]).await;
    assert!(found.contains(&"row 1 of host-2 was changed".to_owned()), "{found:?}");
}

#[tokio::test]
async fn a_row_that_nobody_could_have_written_is_found_and_ends_nothing() {
    let columns = "INSERT INTO audit (seq, chain, number, previous, hash, conversation, entry)";
    for values in [
        "(-7, 'x', 1, 'p', 'h', NULL, '{}')",
        "(-7, 'x', -1, 'p', 'h', NULL, '{}')",
        "(99, 'host-1', -1, 'p', 'h', NULL, CAST(x'ff' AS TEXT))",
        "(99, CAST(x'ff' AS TEXT), 9223372036854775807, 'p', 'h', NULL, '')",
    ] {
        let found = found_after(&[&format!("{columns} VALUES {values}")]).await;
        assert!(!found.is_empty(), "{values}");
    }
}

#[tokio::test]
async fn moved_rows_are_out_of_place() {
    let swap = "UPDATE audit SET seq = 1000 WHERE number = 2; \
                UPDATE audit SET seq = 2 WHERE number = 3; \
                UPDATE audit SET seq = 3 WHERE number = 2";
    let found = found_after(&[swap]).await;
    assert_eq!(
        found,
        [
            "row 2 of host-1 is missing",
            "row 2 of host-1 is not in its place: it was moved or put in"
        ]
    );
}

#[tokio::test]
async fn a_cut_shows_even_when_the_recorded_end_was_moved() {
    let cut = "DELETE FROM audit WHERE number > 4";
    let wanted = "host-1 ends with row 4, but row 6 was written: its end was cut off or replaced";
    assert_eq!(found_after(&[cut]).await, [wanted]);
    // The recorded end goes too: now only the checkpoint remembers.
    let deeper = "DELETE FROM audit WHERE number > 3; \
                  UPDATE audit_heads SET number = 3, \
                  hash = (SELECT hash FROM audit WHERE number = 3)";
    let wanted = "host-1 ends with row 3, but row 4 was written: its end was cut off or replaced";
    assert_eq!(found_after(&[deeper]).await, [wanted]);
    let all = "DELETE FROM audit; DELETE FROM audit_heads";
    let wanted = "host-1 ends with row 0, but row 4 was written: its end was cut off or replaced";
    assert_eq!(found_after(&[all]).await, [wanted]);
}

#[tokio::test]
async fn a_changed_checkpoint_is_not_the_one_that_was_signed() {
    let forged = "UPDATE audit_checkpoints SET body = replace(body, '\"signature\":\"ours', '\"signature\":\"x')";
    assert_eq!(found_after(&[forged]).await, ["checkpoint 1 is not signed by this host"]);
}
