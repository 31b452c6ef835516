//! What holds for any rules.

use postern_domain::{Decision, Obligation};
use proptest::prelude::*;

use super::*;
use crate::{judge::Judge, load::Read, slice::Slices};

const PRINCIPALS: [&str; 5] = [
    "principal",
    "principal is Skill",
    "principal == Skill::\"one\"",
    "principal in Skill::\"two\"",
    "principal is Skill in Skill::\"one\"",
];

const SCOPES: [&str; 6] = [
    "action",
    "action == Action::\"records:get\"",
    "action in Action::\"records\"",
    "action in [Action::\"records:read\", Action::\"kv:set\"]",
    "action in [Action::\"log:write\", Action::\"kv\"]",
    "action == Action::\"kv:get\"",
];

/// Conditions that hold, do not hold, or fail under some of the facts.
const CONDITIONS: [&str; 7] = [
    "true",
    "context.conversation.private",
    "context.customer has key",
    "context.customer.failed_attempts > 1",
    "context.tool == \"t\"",
    "context.now_ms + 9223372036854775807 > 0",
    "principal.publisher == \"somebody\"",
];

const DUTIES: [(&str, &str); 4] = [
    ("", "false"),
    ("@confirm", "context.satisfied.contains(\"confirm\")"),
    ("@identity(\"identified\")", "context.satisfied.contains(\"identity:identified\")"),
    ("@identity(\"verified\")", "context.satisfied.contains(\"identity:verified\")"),
];

#[derive(Clone, Debug)]
struct AnyRule {
    permit: bool,
    principal: &'static str,
    action: &'static str,
    condition: &'static str,
    duty: (&'static str, &'static str),
}

impl AnyRule {
    fn text(&self, id: usize) -> String {
        let (effect, annotation, lifted) = match self.permit {
            true => ("permit", "", "false"),
            false => ("forbid", self.duty.0, self.duty.1),
        };
        let Self { principal, action, condition, .. } = self;
        // A constant `unless` would be a rule that never applies, or always.
        let unless =
            if lifted == "false" { String::new() } else { format!(" unless {{ {lifted} }}") };
        format!(
            "@id(\"r{id}\") {annotation} {effect} ({principal}, {action}, resource) when {{ {condition} }}{unless};\n"
        )
    }
}

fn any_rule() -> impl Strategy<Value = AnyRule> {
    let pick = |list: &'static [&'static str]| prop::sample::select(list);
    (
        any::<bool>(),
        pick(&PRINCIPALS),
        pick(&SCOPES),
        pick(&CONDITIONS),
        prop::sample::select(&DUTIES[..]),
    )
        .prop_map(|(permit, principal, action, condition, duty)| AnyRule {
            permit,
            principal,
            action,
            condition,
            duty,
        })
}

#[derive(Clone, Debug)]
struct AnyRequest {
    skill: &'static str,
    tool: &'static str,
    call: HostCall,
    private: bool,
    confirmed: bool,
    level: IdentityLevel,
    failures: u32,
}

fn any_request() -> impl Strategy<Value = AnyRequest> {
    let calls = vec![
        order("#W1", "ana").0,
        HostCall::KvGet { key: "k".into() },
        HostCall::KvSet { key: "k".into(), value: vec![], ttl_s: 1 },
        HostCall::TicketHistory { limit: 1 },
    ];
    let levels = [IdentityLevel::Unknown, IdentityLevel::Identified, IdentityLevel::Verified];
    (
        prop::sample::select(&["one", "two", "three"][..]),
        prop::sample::select(&["t", "u"][..]),
        prop::sample::select(calls),
        any::<(bool, bool)>(),
        prop::sample::select(levels.to_vec()),
        0..4_u32,
    )
        .prop_map(|(skill, tool, call, (private, confirmed), level, failures)| AnyRequest {
            skill,
            tool,
            call,
            private,
            confirmed,
            level,
            failures,
        })
}

impl AnyRequest {
    fn facts(&self) -> Facts {
        let key = (self.level != IdentityLevel::Unknown).then(|| "ana".to_owned());
        Facts {
            private: self.private,
            confirmed: self.confirmed,
            customer: Customer { key, level: self.level },
            identify_failures: self.failures,
            records: match &self.call {
                HostCall::RecordsGet { .. } => vec![order("#W1", "ana").1],
                _ => vec![],
            },
            ..facts()
        }
    }

    fn put_to(&self, set: &PolicySet) -> Verdict {
        judge(set, self.skill, self.tool, &self.call, &self.facts())
    }
}

fn text(rules: &[AnyRule]) -> String {
    rules.iter().enumerate().map(|(id, rule)| rule.text(id)).collect()
}

fn set(rules: &[AnyRule]) -> PolicySet {
    load(&text(rules)).unwrap_or_else(|errors| panic!("{}\n{errors:?}", text(rules)))
}

/// The same rules, looked at all of them for every call, and nothing remembered.
fn uncut(rules: &[AnyRule]) -> Judge {
    let set = set(rules);
    let mut judge = set.judge;
    let Read { rules, .. } = Read::all(&sources(&text(rules)), &mut Vec::new());
    let policies: Vec<_> = rules.iter().map(|rule| &rule.policy).collect();
    judge.slices = Slices::uncut(&checked_schema().calls, &policies, &judge.rules).unwrap();
    judge
}

fn rules() -> impl Strategy<Value = Vec<AnyRule>> {
    prop::collection::vec(any_rule(), 0..10)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn slicing_never_changes_a_verdict(rules in rules(), requests in prop::collection::vec(any_request(), 8)) {
        let (cut, all) = (set(&rules), uncut(&rules));
        for request in requests {
            let (skill, version) = (request.skill.parse().unwrap(), semver::Version::new(0, 1, 0));
            let facts = request.facts();
            let asked = PolicyRequest {
                skill: &skill,
                version: &version,
                publisher: "Postern",
                tool: request.tool,
                call: &request.call,
                facts: &facts,
            };
            prop_assert_eq!(cut.judge(&asked), all.judge(&asked));
        }
    }

    #[test]
    fn a_forbid_that_applies_wins_over_every_permit(mut rules in rules(), request in any_request()) {
        let id = format!("r{}", rules.len());
        rules.push(AnyRule { permit: false, principal: "principal", action: "action", condition: "true", duty: DUTIES[0] });
        let verdict = request.put_to(&set(&rules));
        prop_assert_eq!(verdict.decision, Decision::Deny);
        prop_assert!(verdict.obligations.is_empty());
        let failed = verdict.reason.contains("could not be evaluated");
        prop_assert!(failed || verdict.rules.contains(&id));
    }

    #[test]
    fn adding_a_forbid_never_allows_more(mut rules in rules(), forbid in any_rule(), request in any_request()) {
        let before = request.put_to(&set(&rules));
        rules.push(AnyRule { permit: false, ..forbid });
        let after = request.put_to(&set(&rules));
        prop_assert!(before.decision == Decision::Allow || after.decision == Decision::Deny);
    }

    #[test]
    fn adding_a_permit_never_removes_a_duty(mut rules in rules(), permit in any_rule(), request in any_request()) {
        let before = request.put_to(&set(&rules));
        rules.push(AnyRule { permit: true, ..permit });
        let after = request.put_to(&set(&rules));
        if !before.obligations.is_empty() {
            prop_assert_eq!(after.decision, Decision::Deny);
            let failed = after.reason.contains("could not be evaluated");
            prop_assert!(failed || after.obligations == before.obligations);
        }
    }

    #[test]
    fn fulfilling_the_duties_of_a_verdict_lifts_it(rules in rules(), request in any_request()) {
        let set = set(&rules);
        let verdict = request.put_to(&set);
        let mut fulfilled = request.clone();
        for obligation in &verdict.obligations {
            match obligation {
                Obligation::Confirm => fulfilled.confirmed = true,
                Obligation::Identity { level } if level == "verified" => fulfilled.level = IdentityLevel::Verified,
                Obligation::Identity { .. } => fulfilled.level = IdentityLevel::Identified,
                other => panic!("{other:?} is no duty of these rules"),
            }
        }
        // Rules that apply to known customers only come to bear afterwards.
        if !verdict.obligations.is_empty() && !text(&rules).contains("has key") {
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
