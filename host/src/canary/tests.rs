use postern_domain::Digest;
use proptest::prelude::*;

use super::*;
use crate::registry::{Installed, parse_manifest};

const SINCE: Timestamp = Timestamp::from_millis(1_000_000);

fn at(seconds: i64) -> Timestamp {
    SINCE.plus_millis(seconds * 1_000)
}

fn runs(calls: u64, failed: u64, p95_ms: u64) -> Runs {
    Runs { calls, failed, p95_us: p95_ms * 1_000 }
}

fn verdict(seconds: i64, old: Runs, new: Runs) -> &'static str {
    match judge(&CanaryRules::default(), SINCE, at(seconds), (&old, &new)) {
        Ruling::Wait(_) => "wait",
        Ruling::Promote(_) => "promote",
        Ruling::Abort(_) => "abort",
    }
}

fn canary(permille: u16, component: &[u8]) -> Canary {
    let manifest = include_str!("../../../skills/order-status/skill.toml");
    let installed = Installed {
        manifest: parse_manifest("skill.toml", manifest).unwrap(),
        digest: Digest::of_bytes(component),
        assets: None,
        grants: Default::default(),
        installed_at: SINCE,
        source: None,
        signed_by: None,
    };
    Canary { installed, permille, since: SINCE, rules: CanaryRules::default() }
}

fn conversation(number: usize) -> ConversationId {
    ConversationId::derive(&["web", "main", &number.to_string()])
}

#[test]
fn a_version_is_promoted_after_enough_calls_and_time() {
    let old = runs(900, 9, 20);
    assert_eq!(verdict(9_999, old, runs(49, 0, 20)), "wait");
    assert_eq!(verdict(599, old, runs(50, 0, 20)), "wait");
    assert_eq!(verdict(600, old, runs(50, 0, 20)), "promote");
    // 1 % of the old version fails, and 2 % more may.
    assert_eq!(verdict(600, old, runs(100, 3, 20)), "promote");
    // Nothing to compare with: what nobody has used cannot be broken by it.
    assert_eq!(verdict(600, runs(0, 0, 0), runs(50, 1, 900)), "promote");
    // A clock that was set back.
    assert_eq!(verdict(-5, old, runs(50, 0, 20)), "wait");
}

#[test]
fn a_version_that_fails_more_is_aborted_as_soon_as_that_is_sure() {
    let old = runs(1_000, 10, 20);
    assert_eq!(verdict(1, old, runs(100, 4, 20)), "abort");
    // Of 50 calls 4 % would have failed at least.
    assert_eq!(verdict(1, old, runs(1, 1, 0)), "wait");
    assert_eq!(verdict(1, old, runs(2, 2, 0)), "abort");
    // Three calls of the old version say nothing about its share.
    assert_eq!(verdict(1, runs(3, 3, 0), runs(10, 2, 0)), "abort");
}

#[test]
fn a_version_that_is_slower_is_aborted_but_not_for_what_a_machine_does() {
    let old = runs(1_000, 0, 20);
    assert_eq!(verdict(600, old, runs(50, 0, 30)), "promote");
    assert_eq!(verdict(1, old, runs(50, 0, 31)), "abort");
    assert_eq!(verdict(1, old, runs(49, 0, 900)), "wait");
    assert_eq!(verdict(600, runs(1_000, 0, 1), runs(50, 0, 6)), "promote");
    assert_eq!(verdict(600, runs(1_000, 0, 1), runs(50, 0, 7)), "abort");
}

#[test]
fn a_share_of_conversations_is_chosen_and_stays() {
    let key = MasterKey::generate().unwrap();
    let chosen = |canary: &Canary| -> Vec<usize> {
        (0..4_000).filter(|it| is_chosen(&key, &conversation(*it), canary)).collect()
    };
    let few = chosen(&canary(50, b"new"));
    // 200 are expected; so far off is less likely than once in a million.
    assert!((130..270).contains(&few.len()), "{}", few.len());
    assert_eq!(chosen(&canary(50, b"new")), few);
    let more = chosen(&canary(200, b"new"));
    assert!(few.iter().all(|it| more.contains(it)) && more.len() > few.len());
    assert_ne!(chosen(&canary(50, b"another")), few, "always the same have to try");
    assert_eq!(chosen(&canary(0, b"new")).len(), 0);
    assert_eq!(chosen(&canary(1_000, b"new")).len(), 4_000);
}

#[test]
fn refusals_and_the_silence_of_others_are_no_failures_of_a_version() {
    let run =
        |took_us, failure| UseRow { took_us, cpu_us: 0, memory_bytes: 0, host_calls: 0, failure };
    let message = || "m".to_owned();
    let rows = [
        run(10, None),
        run(20, Some(SkillFailure::Denied { message: message() })),
        run(30, Some(SkillFailure::Unavailable { message: message() })),
        run(9_000, Some(SkillFailure::Internal { message: message() })),
        run(9_000, Some(SkillFailure::Trap { message: message() })),
        run(9_000, Some(SkillFailure::InvalidArguments { message: message() })),
    ];
    assert_eq!(Runs::of(&rows), Runs { calls: 6, failed: 3, p95_us: 30 });
    assert_eq!(Runs::of(&[]), Runs::default());
}

fn any_runs() -> impl Strategy<Value = Runs> {
    (0..2_000_u64, 0..2_000_u64, 0..60_000_000_u64).prop_map(|(calls, failed, p95_us)| Runs {
        calls,
        failed: failed.min(calls),
        p95_us,
    })
}

fn any_rules() -> impl Strategy<Value = CanaryRules> {
    (0..3_000_u32, 0..3_000_u32, 0.0..100.0, 1.0..10.0).prop_map(
        |(calls, seconds, more_errors_percent, slower)| CanaryRules {
            calls,
            seconds,
            more_errors_percent,
            slower,
        },
    )
}

proptest! {
    #[test]
    fn nothing_is_promoted_too_early(
        rules in any_rules(), old in any_runs(), new in any_runs(), seconds in -10..5_000_i64,
    ) {
        if let Ruling::Promote(_) = judge(&rules, SINCE, at(seconds), (&old, &new)) {
            prop_assert!(new.calls >= u64::from(rules.calls));
            prop_assert!(seconds >= i64::from(rules.seconds));
        }
    }

    #[test]
    fn what_neither_fails_nor_is_slower_is_never_aborted(
        rules in any_rules(), old in any_runs(), calls in 0..5_000_u64, seconds in -10..5_000_i64,
    ) {
        let new = Runs { calls, failed: 0, p95_us: old.p95_us };
        let ruling = judge(&rules, SINCE, at(seconds), (&old, &new));
        prop_assert!(!matches!(ruling, Ruling::Abort(_)), "{ruling:?}");
    }

    #[test]
    fn more_failures_never_save_a_version(
        rules in any_rules(), old in any_runs(), new in any_runs(), seconds in -10..5_000_i64,
    ) {
        let is_aborted = |new: &Runs| {
            matches!(judge(&rules, SINCE, at(seconds), (&old, new)), Ruling::Abort(_))
        };
        let worse = Runs { failed: (new.failed + 1).min(new.calls), ..new };
        prop_assert!(!is_aborted(&new) || is_aborted(&worse));
    }

    #[test]
    fn what_is_aborted_early_would_be_aborted_in_the_end(
        rules in any_rules(), old in any_runs(), share in 0.0..1.0_f64, failed in 0..3_000_u64,
        more in 0..3_000_u64,
    ) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share")]
        let calls = (f64::from(rules.calls) * share) as u64;
        let new = Runs { calls, failed: failed.min(calls), p95_us: 0 };
        // No other call fails until enough were made.
        let early = judge(&rules, SINCE, at(1), (&old, &new));
        if !matches!(early, Ruling::Abort(_)) {
            return Ok(());
        }
        let calls = (new.calls + more).min(u64::from(rules.calls));
        let later = judge(&rules, SINCE, at(1), (&old, &Runs { calls, ..new }));
        prop_assert!(matches!(later, Ruling::Abort(_)), "{later:?}");
    }
}
