//! What holds for any rules.

mod any;

use postern_domain::{Decision, Obligation};
use proptest::prelude::*;

use super::*;
use crate::{
    judge::Judge,
    load::Read,
    slice::{Slices, Whole},
};
use any::{AnyRule, CONDITIONS, DUTIES, any_request, any_rule};

fn text(rules: &[AnyRule]) -> String {
    rules.iter().enumerate().map(|(id, rule)| rule.text(id)).collect()
}

fn set(rules: &[AnyRule]) -> PolicySet {
    load(&text(rules)).unwrap_or_else(|errors| panic!("{}\n{errors:?}", text(rules)))
}

/// The same rules, looked at all of them for every call, and nothing remembered.
fn uncut(rules: &[AnyRule]) -> Judge {
    let mut judge = set(rules).judge;
    let Read { rules, .. } = Read::all(&sources(&text(rules)), &mut Vec::new());
    let rules = rules.iter().map(|rule| &rule.policy).collect();
    let whole = Whole { rules, facts: &judge.rules };
    judge.slices = Slices::uncut(&checked_schema().calls, &whole).unwrap();
    judge
}

fn rules() -> impl Strategy<Value = Vec<AnyRule>> {
    // Enough permits that not everything ends with no rule.
    let open = prop::option::of(Just(AnyRule {
        permit: true,
        principal: "principal",
        action: "action",
        condition: "true",
        duty: DUTIES[0],
    }));
    (open, prop::collection::vec(any_rule(), 0..10))
        .prop_map(|(open, rules)| open.into_iter().chain(rules).collect())
}

/// How much a decision gives.
fn rank(decision: Decision) -> u8 {
    match decision {
        Decision::Deny => 0,
        Decision::RequireApproval => 1,
        Decision::Allow => 2,
    }
}

/// What lifts a denial, without what goes with it.
fn asked(verdict: &Verdict) -> Vec<Obligation> {
    let is_asked = |duty: &&Obligation| match duty {
        Obligation::Confirm | Obligation::Identity { .. } | Obligation::Approval { .. } => {
            verdict.decision != Decision::Allow
        }
        Obligation::Limit { .. }
        | Obligation::MaxAmount { .. }
        | Obligation::Redact { .. }
        | Obligation::Notify { .. } => false,
    };
    verdict.obligations.iter().filter(is_asked).cloned().collect()
}

fn has_failed(verdict: &Verdict) -> bool {
    verdict.reason.contains("could not be evaluated")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn neither_slices_nor_what_is_remembered_ever_change_a_verdict(
        rules in rules(),
        requests in prop::collection::vec(any_request(), 24),
    ) {
        let (cut, all) = (set(&rules), uncut(&rules));
        let plain: Vec<Verdict> = requests.iter().map(|request| request.put_to_judge(&all)).collect();
        for round in 0..2 {
            for (request, expected) in requests.iter().zip(&plain) {
                prop_assert_eq!(&request.put_to(&cut), expected, "round {}\n{}\n{:?}", round, text(&rules), request);
            }
        }
    }

    #[test]
    fn a_forbid_that_applies_wins_over_every_permit(mut rules in rules(), request in any_request()) {
        let id = format!("r{}", rules.len());
        rules.push(AnyRule { permit: false, principal: "principal", action: "action", condition: "true", duty: DUTIES[0] });
        let verdict = request.put_to(&set(&rules));
        prop_assert_eq!(verdict.decision, Decision::Deny);
        prop_assert!(asked(&verdict).is_empty());
        prop_assert!(has_failed(&verdict) || verdict.rules.contains(&id));
    }

    #[test]
    fn adding_a_forbid_never_allows_more(mut rules in rules(), forbid in any_rule(), request in any_request()) {
        let before = request.put_to(&set(&rules));
        rules.push(AnyRule { permit: false, ..forbid });
        let after = request.put_to(&set(&rules));
        prop_assert!(rank(after.decision) <= rank(before.decision) || asks_more(&before, &after));
        if after.decision == Decision::Allow {
            prop_assert_eq!(before.decision, Decision::Allow);
            prop_assert!(before.obligations.iter().all(|duty| kept(duty, &after)));
        }
    }

    #[test]
    fn adding_a_permit_never_removes_a_duty(mut rules in rules(), permit in any_rule(), request in any_request()) {
        let before = request.put_to(&set(&rules));
        rules.push(AnyRule { permit: true, ..permit });
        let after = request.put_to(&set(&rules));
        if !asked(&before).is_empty() || before.decision == Decision::Allow {
            prop_assert!(has_failed(&after) || after.decision == before.decision);
            prop_assert!(has_failed(&after) || before.obligations.iter().all(|duty| kept(duty, &after)));
        }
    }

    #[test]
    fn an_evaluation_error_anywhere_denies(mut rules in rules(), fails in any_rule(), request in any_request()) {
        let id = format!("r{}", rules.len());
        rules.push(AnyRule { principal: "principal", action: "action", condition: CONDITIONS[9], duty: DUTIES[0], ..fails });
        let verdict = request.put_to(&set(&rules));
        prop_assert_eq!(verdict.decision, Decision::Deny);
        prop_assert!(asked(&verdict).is_empty());
        prop_assert!(has_failed(&verdict) && verdict.rules.contains(&id), "{:?}", verdict);
    }

    #[test]
    fn fulfilling_the_duties_of_a_verdict_lifts_it(rules in rules(), request in any_request()) {
        let set = set(&rules);
        let verdict = request.put_to(&set);
        let mut fulfilled = request.clone();
        let customer = &mut fulfilled.facts.customer;
        for obligation in asked(&verdict) {
            match obligation {
                Obligation::Confirm => fulfilled.facts.confirmed = true,
                Obligation::Approval { route } => drop(fulfilled.facts.approvals.insert(route)),
                Obligation::Identity { level } => {
                    customer.level = if level == "verified" { IdentityLevel::Verified } else { IdentityLevel::Identified };
                    customer.key.get_or_insert_with(|| "ana".to_owned());
                }
                other => panic!("{other:?} cannot be asked for"),
            }
        }
        // Rules that look at the customer come to bear once there is one.
        let looks = ["customer has key", "context.customer =="].iter().any(|part| text(&rules).contains(part));
        if !asked(&verdict).is_empty() && !looks {
            prop_assert_eq!(fulfilled.put_to(&set).decision, Decision::Allow);
        }
    }

    #[test]
    fn the_same_request_gets_the_same_verdict_whatever_the_order_of_rules(rules in rules(), request in any_request()) {
        let numbered: Vec<String> = rules.iter().enumerate().map(|(id, rule)| rule.text(id)).collect();
        let forward = load(&numbered.concat()).unwrap();
        let backward = load(&numbered.iter().rev().cloned().collect::<String>()).unwrap();
        prop_assert_eq!(request.put_to(&forward), request.put_to(&forward));
        prop_assert_eq!(request.put_to(&forward), request.put_to(&backward));
    }
}

/// A forbid that people can lift makes of a denial that the customer could lift one
/// that needs people as well: it asks for everything that was asked for before.
fn asks_more(before: &Verdict, after: &Verdict) -> bool {
    let (before, after) = (asked(before), asked(after));
    !before.is_empty() && before.iter().all(|duty| after.contains(duty))
}

/// Whether a duty is still there, or one that is at least as strict.
fn kept(duty: &Obligation, after: &Verdict) -> bool {
    after.obligations.iter().any(|other| match (duty, other) {
        (Obligation::Redact { types }, Obligation::Redact { types: more }) => {
            types.iter().all(|kind| more.contains(kind))
        }
        (duty, other) => duty == other,
    })
}
