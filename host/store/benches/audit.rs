//! What an audit row costs beside the commit that it belongs to.
//!
//! The database lies in memory where the system has such a folder, so that the
//! disk is not what is measured. The cost of a row is the difference between
//! commits of one change with and without rows, divided by their number.

use std::{hint::black_box, path::Path};

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use postern_domain::{
    AuditEntry, AuditKind, AuditRow, AuditVerdict, ConversationId, Decision, Digest, InvocationId,
    MessageId, RequestId, Timestamp, TurnId,
};
use postern_store::{Change, Commit, SqliteStore, Store};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A row about a host call, with everything that one has.
fn entry() -> AuditEntry {
    let now = Timestamp::from_millis(1_750_000_000_000);
    let message = MessageId::derive(&["message"]);
    AuditEntry {
        verdict: Some(AuditVerdict {
            decision: Decision::Allow,
            rules: vec!["order-status-reads".to_owned()],
        }),
        detail: "done".to_owned(),
        took_us: Some(840),
        request: Some(RequestId::of_message(&message)),
        conversation: Some(ConversationId::derive(&["conversation"])),
        turn: Some(TurnId::derive(&["turn"])),
        invocation: Some(InvocationId::derive(&["invocation"])),
        seq: Some(3),
        skill: "order-status".parse().ok(),
        message: Some(message),
        ..AuditEntry::new(
            now,
            AuditKind::HostCall,
            "skill:order-status@0.1.0",
            "records:get",
            "orders/#W1000000",
        )
    }
}

/// A small change, so that every commit changes something.
fn commit(rows: usize) -> Commit {
    let set = Change::KvSet {
        skill: "order-status".parse().expect("the name is one"),
        scope: "customer".to_owned(),
        key: "key".to_owned(),
        value: vec![1],
        expires_at: Timestamp::from_millis(i64::MAX),
    };
    Commit { lease: None, changes: vec![set], audit: vec![entry(); rows] }
}

fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
    folder.expect("a folder can be made")
}

fn rows(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("audit");
    group.bench_function("link", |bench| {
        bench.iter_batched(
            entry,
            |entry| AuditRow::link("host-1", 7, Digest::ZERO, black_box(entry)),
            BatchSize::SmallInput,
        );
    });
    group.bench_function("serialise", |bench| {
        let entry = entry();
        bench.iter(|| serde_json::to_string(black_box(&entry)));
    });

    let runtime = Runtime::new().expect("a runtime can be made");
    let folder = folder();
    let store = runtime.block_on(SqliteStore::open(folder.path(), "host-1"));
    let store = store.expect("a store can be opened");
    for rows in [0, 1, 10, 100] {
        group.bench_function(BenchmarkId::new("commit", rows), |bench| {
            bench.to_async(&runtime).iter_batched(
                || commit(rows),
                |commit| async { store.commit(commit).await.expect("it can be kept") },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, rows);
criterion_main!(benches);
