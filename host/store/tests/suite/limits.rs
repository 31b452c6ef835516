//! Limits against simple models of them.

use std::{collections::BTreeSet, sync::Arc};

use postern_domain::{LimitUse, Take, Timestamp};
use postern_store::{Change, Commit, Store, StoreError};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::{Engine, data::*};

const INTERVAL_MS: i64 = 10;
const BURST: u32 = 3;
const RATE: Take = Take::Rate { interval_ms: INTERVAL_MS, burst: BURST };
const WINDOW_MS: i64 = 40;
const MOST: i64 = 100;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

fn sum(amount: i64) -> Take {
    Take::Sum { amount, most: MOST, window_ms: WINDOW_MS }
}

fn from(limit: &str, scope: &str, take: Take, reservation: &str) -> LimitUse {
    let [limit, scope, reservation] = [limit, scope, reservation].map(str::to_owned);
    LimitUse { limit, scope, take, reservation }
}

fn taking(uses: Vec<LimitUse>, ms: i64) -> Commit {
    changes([Change::Take { uses, at: at(ms) }])
}

/// Takes; on refusal answers the limit and when to try again.
async fn take(
    store: &impl Store,
    uses: Vec<LimitUse>,
    ms: i64,
) -> Result<(), (String, Option<Timestamp>)> {
    match store.commit(taking(uses, ms)).await {
        Ok(_) => Ok(()),
        Err(StoreError::LimitReached { limit, retry_at }) => Err((limit, retry_at)),
        Err(error) => panic!("{error}"),
    }
}

fn reached(limit: &str, ms: i64) -> Result<(), (String, Option<Timestamp>)> {
    Err((limit.to_owned(), Some(at(ms))))
}

/// The other form of the algorithm in ITU-T I.371: a bucket that leaks.
#[derive(Default)]
struct Bucket {
    level_ms: i64,
    at_ms: i64,
}

impl Bucket {
    /// Whether one more fits in, or from when on it does.
    fn take(&mut self, now: i64) -> Result<(), i64> {
        let level = (self.level_ms - (now - self.at_ms)).max(0);
        let over = level + INTERVAL_MS - INTERVAL_MS * i64::from(BURST);
        if over > 0 {
            return Err(now + over);
        }
        (self.level_ms, self.at_ms) = (level + INTERVAL_MS, now);
        Ok(())
    }
}

/// What was taken from a sum.
#[derive(Default)]
struct Sum(Vec<(i64, i64)>);

impl Sum {
    fn room(&self, now: i64) -> i64 {
        let inside = self.0.iter().filter(|(at, _)| *at > now - WINDOW_MS);
        MOST - inside.map(|(_, amount)| amount).sum::<i64>()
    }

    fn take(&mut self, amount: i64, now: i64) -> Result<(), Option<i64>> {
        if !(0..=MOST).contains(&amount) {
            return Err(None);
        }
        let free = (now..=now + WINDOW_MS).find(|later| self.room(*later) >= amount);
        if free != Some(now) {
            return Err(free);
        }
        self.0.push((now, amount));
        Ok(())
    }
}

#[derive(Clone, Debug)]
enum Step {
    Rate { scope: usize, reservation: u8 },
    Sum { scope: usize, amount: i64 },
    Wait(i64),
    Restart,
}

const SCOPES: [&str; 2] = ["customer:a", "customer:b"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => (0..2_usize, any::<u8>()).prop_map(|(scope, reservation)| Step::Rate { scope, reservation }),
        5 => (0..2_usize, -5..110_i64).prop_map(|(scope, amount)| Step::Sum { scope, amount }),
        5 => (0..30_i64).prop_map(Step::Wait),
        1 => Just(Step::Restart),
    ];
    vec(step, 1..60)
}

async fn compare<E: Engine>(steps: Vec<Step>) {
    let engine = E::new();
    let mut store = engine.open().await;
    let mut buckets = [Bucket::default(), Bucket::default()];
    let mut sums = [Sum::default(), Sum::default()];
    let mut counted = BTreeSet::new();
    let mut now = 1_000;
    for (place, step) in steps.into_iter().enumerate() {
        match step {
            Step::Rate { scope, reservation } => {
                let one = from("calls", SCOPES[scope], RATE, &reservation.to_string());
                let expected = if counted.contains(&(scope, reservation)) {
                    Ok(())
                } else {
                    buckets[scope].take(now)
                };
                if expected.is_ok() {
                    counted.insert((scope, reservation));
                }
                let expected = expected.map_err(|ms| ("calls".to_owned(), Some(at(ms))));
                assert_eq!(take(&store, vec![one], now).await, expected);
            }
            Step::Sum { scope, amount } => {
                let reservation = place.to_string();
                let one = from("money", SCOPES[scope], sum(amount), &reservation);
                let expected = sums[scope].take(amount, now);
                let expected = expected.map_err(|ms| ("money".to_owned(), ms.map(at)));
                assert_eq!(take(&store, vec![one], now).await, expected);
            }
            Step::Wait(ms) => now += ms,
            Step::Restart => {
                drop(store);
                store = engine.open().await;
            }
        }
    }
}

pub(crate) fn hold<E: Engine>() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = Config {
        cases: 32,
        failure_persistence: None,
        // Each try opens a database.
        max_shrink_iters: 200,
        ..Config::default()
    };
    let result = TestRunner::new(config).run(&steps(), |steps| {
        runtime.block_on(compare::<E>(steps));
        Ok(())
    });
    result.unwrap();
}

pub(crate) async fn a_rate_lets_a_burst_pass_and_then_one_each_interval(engine: &impl Engine) {
    let store = engine.open().await;
    let once = async |n: i64, ms| {
        take(&store, vec![from("calls", "global", RATE, &n.to_string())], ms).await
    };
    for n in 0..3 {
        assert_eq!(once(n, 100).await, Ok(()));
    }
    assert_eq!(once(3, 100).await, reached("calls", 110));
    assert_eq!(once(3, 109).await, reached("calls", 110));
    assert_eq!(once(3, 110).await, Ok(()));
    assert_eq!(once(4, 110).await, reached("calls", 120));
    for n in 4..7 {
        assert_eq!(once(n, 140).await, Ok(()));
    }
    assert_eq!(once(7, 140).await, reached("calls", 150));
}

pub(crate) async fn a_clock_that_was_ahead_closes_no_limit_for_long(engine: &impl Engine) {
    let store = engine.open().await;
    let both = |name: &str| {
        vec![from("calls", "global", RATE, name), from("money", "global", sum(MOST), name)]
    };
    assert_eq!(take(&store, both("1"), 300 * DAY_MS).await, Ok(()));
    assert_eq!(
        take(&store, both("2"), 300 * DAY_MS - 1).await,
        reached("money", 300 * DAY_MS + 40)
    );
    assert_eq!(take(&store, both("3"), 100).await, Ok(()), "it is right again");
    assert_eq!(take(&store, both("4"), 100).await, reached("money", 140));
    assert_eq!(take(&store, both("4"), 140).await, Ok(()));
}

pub(crate) async fn limits_are_taken_all_or_none(engine: &impl Engine) {
    let store = engine.open().await;
    let (lease, message) = leased(&store, "a").await;
    let one = Take::Rate { interval_ms: 1_000, burst: 1 };
    let first = vec![from("full", "global", one, "1")];
    assert_eq!(take(&store, first, 0).await, Ok(()));

    let mut commit = under(
        &lease,
        [
            Change::InboxDone(message.id()),
            Change::Take {
                uses: vec![
                    from("free", "global", one, "2"),
                    from("money", "global", sum(MOST), "2"),
                    from("full", "global", one, "2"),
                ],
                at: at(5),
            },
        ],
    );
    commit.audit.push(noted("undone", None));
    let error = store.commit(commit).await.unwrap_err();
    let expected = "limit full is reached; try again at 1970-01-01T00:00:01.000Z";
    assert_eq!(error.to_string(), expected);
    assert_eq!(store.work(&lease, at(5)).await.unwrap().unwrap().message, message);
    assert_eq!(store.audit_tail(9, None).await.unwrap(), []);
    let rest = vec![from("free", "global", one, "2"), from("money", "global", sum(MOST), "2")];
    assert_eq!(take(&store, rest, 5).await, Ok(()), "nothing of them was taken");
}

pub(crate) async fn a_reservation_is_counted_once(engine: &impl Engine) {
    let store = engine.open().await;
    let one = Take::Rate { interval_ms: DAY_MS, burst: 2 };
    let uses = |name: &str| vec![from("calls", "a", one, name), from("money", "a", sum(60), name)];
    for ms in 0..5 {
        assert_eq!(take(&store, uses("same"), ms).await, Ok(()));
    }
    drop(store);
    let store = engine.open().await;
    let twice = [uses("same"), uses("same")].concat();
    assert_eq!(take(&store, twice, 6).await, Ok(()));
    // A refused one was not counted, and counts when it is taken at last.
    assert_eq!(take(&store, uses("other"), 6).await, reached("money", WINDOW_MS));
    assert_eq!(take(&store, uses("other"), WINDOW_MS).await, Ok(()));
    assert_eq!(take(&store, uses("other"), WINDOW_MS).await, Ok(()));
    let third = vec![from("calls", "a", one, "third")];
    assert_eq!(take(&store, third, WINDOW_MS).await, reached("calls", DAY_MS));
    // Another counter is another taking.
    let elsewhere = vec![from("calls", "b", one, "same")];
    assert_eq!(take(&store, elsewhere.clone(), 7).await, Ok(()));
}

pub(crate) async fn a_reservation_is_known_for_a_week_or_the_window(engine: &impl Engine) {
    let store = engine.open().await;
    let one = async |limit: &str, days: i64, amount, name: &str, day: i64| {
        let take_it = Take::Sum { amount, most: 60, window_ms: days * DAY_MS };
        take(&store, vec![from(limit, "a", take_it, name)], day * DAY_MS).await.is_ok()
    };
    assert!(one("daily", 1, 60, "same", 0).await && one("monthly", 30, 60, "same", 0).await);
    assert!(one("daily", 1, 60, "same", 6).await, "known");
    assert!(one("daily", 1, 1, "probe-1", 6).await, "not counted again");
    assert!(one("daily", 1, 60, "same", 8).await, "forgotten");
    assert!(!one("daily", 1, 1, "probe-2", 8).await, "counted again");
    assert!(one("monthly", 30, 60, "same", 29).await, "known");
    assert!(!one("monthly", 30, 1, "probe", 29).await);
}

pub(crate) async fn concurrent_takings_never_exceed_a_limit(engine: &impl Engine) {
    let store = Arc::new(engine.open().await);
    let tasks: Vec<_> = (0..12)
        .map(|n: i64| {
            let store = Arc::clone(&store);
            let one = from("money", "global", sum(30), &n.to_string());
            tokio::spawn(async move { take(&*store, vec![one], 50).await.is_ok() })
        })
        .collect();
    let mut taken = 0;
    for task in tasks {
        taken += usize::from(task.await.unwrap());
    }
    assert_eq!(taken, 3);
}

pub(crate) async fn what_can_never_be_taken_says_so(engine: &impl Engine) {
    let store = engine.open().await;
    for amount in [MOST + 1, i64::MAX, -1, i64::MIN] {
        let uses = vec![from("money", "global", sum(amount), "1")];
        let error = store.commit(taking(uses, 5)).await.unwrap_err();
        let expected = "limit money is reached: it never has room for as much";
        assert_eq!(error.to_string(), expected);
    }
    let huge = |most, amount, name: &str| {
        let take = Take::Sum { amount, most, window_ms: i64::MAX };
        vec![from("huge", "global", take, name)]
    };
    assert_eq!(take(&store, huge(i64::MAX, i64::MAX, "1"), 5).await, Ok(()));
    let refused = take(&store, huge(i64::MAX, i64::MAX, "2"), 6).await;
    assert_eq!(refused, reached("huge", i64::MAX));
    let slow = Take::Rate { interval_ms: i64::MAX, burst: u32::MAX };
    assert_eq!(take(&store, vec![from("slow", "global", slow, "1")], 5).await, Ok(()));
}
