//! What an audit row costs beside the commit that it belongs to, in CPU time of
//! all threads: what other programs do meanwhile is not counted.
//!
//! The database lies in memory where the system has such a folder. The cost of a
//! row is the difference between commits of one change with and without rows,
//! divided by their number.

use std::{
    fs,
    hint::black_box,
    path::Path,
    sync::LazyLock,
    time::{Duration, Instant},
};

use criterion::{
    BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main,
    measurement::{Measurement, ValueFormatter, WallTime},
};
use postern_domain::{
    AuditEntry, AuditKind, AuditRow, AuditVerdict, ConversationId, Decision, Digest, InvocationId,
    MessageId, RequestId, Timestamp, TurnId,
};
use postern_store::{Change, Commit, SqliteStore, Store};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// CPU time of this process, from what Linux tells of each thread
/// (Documentation/scheduler/sched-stats.rst); wall time where it does not.
fn cpu_time() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let of_thread = |folder: fs::DirEntry| -> Option<u64> {
        let times = fs::read_to_string(folder.path().join("schedstat")).ok()?;
        times.split_whitespace().next()?.parse().ok()
    };
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let spent: u64 = threads.filter_map(of_thread).sum();
    if spent == 0 { START.elapsed() } else { Duration::from_nanos(spent) }
}

struct CpuTime;

impl Measurement for CpuTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        cpu_time()
    }

    fn end(&self, start: Duration) -> Duration {
        cpu_time().saturating_sub(start)
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

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

fn rows(criterion: &mut Criterion<CpuTime>) {
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
                BatchSize::NumIterations(100),
            );
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = rows
}
criterion_main!(benches);
