use proptest::prelude::*;
use serde_json::json;

use super::*;

const SETTINGS: BreakerSettings = BreakerSettings {
    failures: 3,
    rest: Duration::from_secs(30),
    longest_rest: Duration::from_secs(100),
};

/// The wall-clock limit of each call.
const WALL: Duration = Duration::from_secs(10);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

/// Lets a call run and end.
fn call(breaker: &mut Breaker, now: Timestamp, ended: Ended) -> Option<Turned> {
    let pass = breaker.allow(WALL, now).unwrap();
    breaker.ended(pass, now, ended)
}

fn opened(failures: u32, until: i64) -> Option<Turned> {
    Some(Turned::Opened(Resting { failures, until: at(until) }))
}

fn broken() -> Breaker {
    let mut breaker = Breaker::new(SETTINGS);
    assert_eq!(call(&mut breaker, at(0), Ended::Broke), None);
    assert_eq!(call(&mut breaker, at(0), Ended::Broke), None);
    assert_eq!(call(&mut breaker, at(0), Ended::Broke), opened(3, 30));
    breaker
}

#[test]
fn it_opens_after_so_many_in_a_row_and_not_before() {
    let mut breaker = Breaker::new(SETTINGS);
    for _ in 0..4 {
        call(&mut breaker, at(0), Ended::Broke);
        call(&mut breaker, at(0), Ended::Broke);
        assert_eq!(breaker.standing(at(0)), Standing::Closed { failures: 2 });
        // What did not run says nothing, and one that holds starts anew.
        call(&mut breaker, at(0), Ended::Untried);
        assert_eq!(breaker.standing(at(0)), Standing::Closed { failures: 2 });
        call(&mut breaker, at(0), Ended::Held);
        assert_eq!(breaker.standing(at(0)), Standing::Closed { failures: 0 });
    }
    let mut breaker = broken();
    let resting = Resting { failures: 3, until: at(30) };
    assert_eq!(breaker.allow(WALL, at(29)), Err(resting));
    assert_eq!(breaker.standing(at(29)), Standing::Open { failures: 3, until: at(30) });
    assert_eq!(
        resting.to_string(),
        "3 calls in a row broke it; it is tried again at 1970-01-01T00:00:30.000Z"
    );
}

#[test]
fn one_call_tries_and_closes_it() {
    let mut breaker = broken();
    assert_eq!(breaker.standing(at(30)), Standing::HalfOpen { failures: 3 });
    let pass = breaker.allow(WALL, at(30)).unwrap();
    assert!(breaker.allow(WALL, at(30)).is_err(), "only one tries");
    assert_eq!(breaker.ended(pass, at(31), Ended::Held), Some(Turned::Closed));
    assert_eq!(breaker.standing(at(31)), Standing::Closed { failures: 0 });
    // The rest is as short as at first.
    for _ in 0..2 {
        assert_eq!(call(&mut breaker, at(40), Ended::Broke), None);
    }
    assert_eq!(call(&mut breaker, at(40), Ended::Broke), opened(3, 70));
}

#[test]
fn each_try_that_breaks_doubles_the_rest_up_to_the_longest() {
    let mut breaker = broken();
    assert_eq!(call(&mut breaker, at(30), Ended::Broke), opened(4, 90));
    assert_eq!(call(&mut breaker, at(90), Ended::Broke), opened(5, 190));
    assert_eq!(call(&mut breaker, at(190), Ended::Broke), opened(6, 290));
}

#[test]
fn a_try_that_did_not_run_lets_another_one_try() {
    let mut breaker = broken();
    assert_eq!(call(&mut breaker, at(30), Ended::Untried), None);
    assert_eq!(breaker.standing(at(30)), Standing::HalfOpen { failures: 3 });
    assert_eq!(call(&mut breaker, at(30), Ended::Held), Some(Turned::Closed));
}

#[test]
fn a_try_whose_end_is_never_told_blocks_nothing_for_good() {
    let mut breaker = broken();
    let lost = breaker.allow(WALL, at(30)).unwrap();
    assert!(breaker.allow(WALL, at(59)).is_err());
    let second = breaker.allow(WALL, at(60)).unwrap();
    assert_eq!(breaker.ended(lost, at(61), Ended::Held), None, "it came too late");
    assert_eq!(breaker.ended(second, at(61), Ended::Held), Some(Turned::Closed));
}

#[test]
fn a_try_that_may_run_for_longer_than_the_rest_is_waited_for() {
    let mut breaker = broken();
    let slow = Duration::from_secs(60);
    let pass = breaker.allow(slow, at(30)).unwrap();
    // It may wait for a place for a minute and run for another.
    assert_eq!(breaker.allow(slow, at(159)), Err(Resting { failures: 3, until: at(160) }));
    assert_eq!(breaker.ended(pass, at(159), Ended::Held), Some(Turned::Closed));
}

#[test]
fn a_clock_that_is_put_back_keeps_nothing_shut() {
    let mut breaker = broken();
    assert!(breaker.allow(WALL, at(-70)).is_err(), "a rest of up to 100 s may be meant");
    assert_eq!(breaker.standing(at(-71)), Standing::HalfOpen { failures: 3 });
    let lost = breaker.allow(WALL, at(-71)).unwrap();
    assert!(breaker.allow(WALL, at(-71)).is_err(), "only one tries");
    let pass = breaker.allow(WALL, at(-1_000)).unwrap();
    assert_eq!(breaker.ended(lost, at(-1_000), Ended::Held), None);
    assert_eq!(breaker.ended(pass, at(-1_000), Ended::Held), Some(Turned::Closed));
}

#[test]
fn stragglers_change_nothing() {
    let mut breaker = Breaker::new(SETTINGS);
    let (early, late) = (breaker.allow(WALL, at(0)).unwrap(), breaker.allow(WALL, at(0)).unwrap());
    for _ in 0..3 {
        call(&mut breaker, at(0), Ended::Broke);
    }
    assert_eq!(breaker.ended(early, at(1), Ended::Held), None);
    assert!(breaker.allow(WALL, at(1)).is_err());
    call(&mut breaker, at(30), Ended::Held);
    assert_eq!(breaker.ended(late, at(31), Ended::Broke), None);
    assert_eq!(breaker.standing(at(31)), Standing::Closed { failures: 0 });
}

#[test]
fn what_has_begun_before_runs_to_its_end() {
    let mut breaker = broken();
    let pass = breaker.resume();
    assert_eq!(breaker.ended(pass, at(1), Ended::Held), None);
    assert!(breaker.allow(WALL, at(1)).is_err());
    let mut closed = Breaker::new(SETTINGS);
    let pass = closed.resume();
    closed.ended(pass, at(0), Ended::Broke);
    assert_eq!(closed.standing(at(0)), Standing::Closed { failures: 1 });
}

#[test]
fn only_traps_and_limits_of_the_skill_itself_count() {
    let text = || "x".to_owned();
    let limit = |limit: &str| -> SkillFailure {
        let stored = json!({"failure": "limit", "skill": "looper", "limit": limit, "value": "x"});
        serde_json::from_value(stored).unwrap()
    };
    let check = |failure, ended| {
        let shown = format!("{failure:?}");
        assert_eq!(Ended::of(&Err(failure)), ended, "{shown}");
    };
    check(SkillFailure::Trap { message: text() }, Ended::Broke);
    check(limit("cpu_time"), Ended::Broke);
    check(limit("wall_time"), Ended::Broke);
    check(limit("concurrent_calls"), Ended::Untried);
    check(limit("skill_calls"), Ended::Untried);
    check(SkillFailure::Denied { message: text() }, Ended::Held);
    check(SkillFailure::InvalidArguments { message: text() }, Ended::Held);
    check(SkillFailure::Unavailable { message: text() }, Ended::Held);
    check(SkillFailure::Internal { message: text() }, Ended::Held);
    assert_eq!(Ended::of(&Ok(Outcome::Done)), Ended::Held);
}

#[test]
fn skills_and_their_versions_have_breakers_of_their_own() {
    let breakers = Breakers::new(SETTINGS);
    let skill = |name: &str| name.parse::<SkillId>().unwrap();
    let (looper, honest) = (skill("looper"), skill("honest"));
    let (old, new) = (Digest::of_bytes(b"old"), Digest::of_bytes(b"new"));
    for _ in 0..3 {
        let pass = breakers.allow(&looper, old, WALL, at(0)).unwrap();
        breakers.ended(&looper, old, pass, at(0), Ended::Broke);
    }
    assert!(breakers.allow(&looper, old, WALL, at(0)).is_err());
    assert!(breakers.allow(&looper, new, WALL, at(0)).is_ok());
    assert!(breakers.allow(&honest, old, WALL, at(0)).is_ok());
    assert!(breakers.standing(&looper, old, at(0)).is_open());
    breakers.keep_only(&BTreeSet::from([(looper.clone(), old)]));
    assert!(breakers.allow(&looper, old, WALL, at(0)).is_err());
    breakers.keep_only(&BTreeSet::from([(looper.clone(), new)]));
    assert!(breakers.allow(&looper, old, WALL, at(0)).is_ok());
}

#[derive(Clone, Debug)]
enum Event {
    Passes { seconds: i64 },
    Asks,
    Ends { which: usize, ended: Ended },
}

fn event() -> impl Strategy<Value = Event> {
    let ended = prop_oneof![
        3 => Just(Ended::Broke),
        1 => Just(Ended::Held),
        1 => Just(Ended::Untried),
    ];
    prop_oneof![
        (0_i64..60).prop_map(|seconds| Event::Passes { seconds }),
        Just(Event::Asks),
        (any::<usize>(), ended).prop_map(|(which, ended)| Event::Ends { which, ended }),
    ]
}

proptest! {
    /// Whatever happens in whatever order: it rests no longer than the longest
    /// rest, only after enough failures, and lets one call try at a time.
    #[test]
    fn it_always_opens_up_again(events in prop::collection::vec(event(), 0..200)) {
        let mut breaker = Breaker::new(SETTINGS);
        let mut now = at(0);
        let (mut running, mut broke, mut trying) = (Vec::new(), 0_u32, None);
        for event in events {
            match event {
                Event::Passes { seconds } => now = now.plus_millis(seconds * 1_000),
                Event::Asks => {
                    let was_open = breaker.standing(now).is_open();
                    match breaker.allow(WALL, now) {
                        Ok(pass) => {
                            if was_open {
                                trying = Some(pass);
                            }
                            running.push(pass);
                        }
                        Err(resting) => {
                            prop_assert!(was_open && broke >= SETTINGS.failures);
                            prop_assert!(resting.failures >= SETTINGS.failures);
                            prop_assert!(resting.until > now);
                            prop_assert!(resting.until <= after(now, SETTINGS.longest_rest));
                        }
                    }
                }
                Event::Ends { which, ended } => {
                    if running.is_empty() {
                        continue;
                    }
                    let pass = running.swap_remove(which % running.len());
                    broke += u32::from(ended == Ended::Broke);
                    let turned = breaker.ended(pass, now, ended);
                    if turned == Some(Turned::Closed) {
                        prop_assert_eq!(Some(pass), trying, "only a try closes it");
                        prop_assert_eq!(ended, Ended::Held);
                    }
                }
            }
        }
        prop_assert!(breaker.allow(WALL, after(now, SETTINGS.longest_rest)).is_ok());
    }
}
