//! What holds for any rules.

use postern_domain::{Decision, Expected, Obligation, RecordStep};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    judge::Judge,
    load::Read,
    slice::{Slices, Whole},
};

const PRINCIPALS: [&str; 7] = [
    "principal",
    "principal is Skill",
    "principal == Skill::\"one\"",
    "principal in Skill::\"two\"",
    "principal is Skill in Skill::\"one\"",
    "principal is Schedule",
    "principal == Schedule::\"one\"",
];

const SCOPES: [&str; 7] = [
    "action",
    "action == Action::\"records:get\"",
    "action in Action::\"records\"",
    "action in [Action::\"records:read\", Action::\"kv:set\"]",
    "action in [Action::\"log:write\", Action::\"kv\"]",
    "action == Action::\"kv:get\"",
    "action == Action::\"records:put\"",
];

/// Conditions that hold, do not hold, or fail under some of the facts.
const CONDITIONS: [&str; 16] = [
    "true",
    "context.conversation.private",
    "context.customer has key",
    "context.customer has key && context.customer.key == \"ana\"",
    "context.customer has key && context.customer.key like \"b*\"",
    "context.customer has key && [\"ana\", \"cleo\"].contains(context.customer.key)",
    "context.tool like \"*u\"",
    "context.customer.failed_attempts > 1",
    "context.tool == \"t\"",
    "context.now_ms + 9223372036854775807 > 0",
    "context.now_ms > 1750000000000",
    "context.conversation.taint > 1",
    "context.customer has tier && context.customer.tier == \"gold\"",
    "principal.publisher == \"somebody\"",
    "context.customer.level == IdentityLevel::\"verified\"",
    "context.conversation == {channel: Channel::\"web\", private: true, taint: 0}",
];

/// The same, for records only.
const RECORDS: [&str; 12] = [
    "resource has owner && context.customer has key && resource.owner == context.customer.key",
    "resource has owner && context.customer has key && resource.owner != context.customer.key",
    "resource has key && context.customer has key && resource.key == context.customer.key",
    "resource has owner && resource.owner == \"ben\"",
    "resource has owner && resource has new_owner && resource.owner == resource.new_owner",
    "resource has owner && [resource.owner, \"dora\"].contains(\"ben\")",
    "resource == Record::orders::\"#W2\"",
    "resource is Record::orders && resource.fields.status == \"open\"",
    "resource is Record::orders && resource.fields == {status: \"open\"}",
    "resource.exists",
    "(if resource.exists then resource.collection else \"\") like \"*ders\"",
    "resource has key && resource.key == context.tool",
];

const DUTIES: [(&str, &str); 9] = [
    ("", ""),
    ("@confirm", "context.satisfied.contains(\"confirm\")"),
    ("@identity(\"identified\")", "context.satisfied.contains(\"identity:identified\")"),
    ("@identity(\"verified\")", "context.satisfied.contains(\"identity:verified\")"),
    (
        "@approval(\"managers\") @notify(\"others\")",
        "context.satisfied.contains(\"approval:managers\")",
    ),
    ("@limit(\"few\")", "context.satisfied.contains(\"limit:few\")"),
    ("@max_amount(\"month\")", "context.satisfied.contains(\"max_amount:month\")"),
    (
        "@max_amount(\"small\") @approval(\"others\") @redact(\"EMAIL\")",
        "context.satisfied.contains(\"max_amount:small\") || context.satisfied.contains(\"approval:others\")",
    ),
    (
        "@limit(\"one\") @confirm",
        "context.satisfied.contains(\"limit:one\") && context.satisfied.contains(\"confirm\")",
    ),
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
            true => ("permit", "", ""),
            false => ("forbid", self.duty.0, self.duty.1),
        };
        let Self { principal, condition, .. } = self;
        // What records alone have is read of records alone.
        let action = match (self.condition.contains("resource"), self.action) {
            (false, action) => action,
            (
                true,
                action
                @ ("action == Action::\"records:get\"" | "action == Action::\"records:put\""),
            ) => action,
            (true, _) => "action in [Action::\"records:get\", Action::\"records:put\"]",
        };
        let unless =
            if lifted.is_empty() { String::new() } else { format!(" unless {{ {lifted} }}") };
        format!(
            "@id(\"r{id}\") {annotation} {effect} ({principal}, {action}, resource) when {{ {condition} }}{unless};\n"
        )
    }
}

fn any_rule() -> impl Strategy<Value = AnyRule> {
    let pick = |list: &'static [&'static str]| prop::sample::select(list);
    let condition = prop_oneof![pick(&CONDITIONS), pick(&RECORDS)];
    let duty = prop::sample::select(&DUTIES[..]);
    (any::<bool>(), pick(&PRINCIPALS), pick(&SCOPES), condition, duty).prop_map(
        |(permit, principal, action, condition, duty)| AnyRule {
            permit,
            principal,
            action,
            condition,
            duty,
        },
    )
}

#[derive(Clone, Debug)]
struct AnyRequest {
    skill: &'static str,
    tool: &'static str,
    call: HostCall,
    facts: Facts,
}

impl std::fmt::Debug for Facts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&serde_json::to_string(self).unwrap_or_default())
    }
}

/// Few different values, so that questions come again.
fn any_facts() -> impl Strategy<Value = Facts> {
    let one = |list: &'static [&'static str]| prop::sample::select(list);
    let levels = [IdentityLevel::Unknown, IdentityLevel::Identified, IdentityLevel::Verified];
    let person = || prop::option::of(prop::sample::select(&["ana", "ben", "cleo"][..]));
    let customer = (prop::sample::select(levels.to_vec()), one(&["ana", "ben", "cleo"]));
    let record = (
        one(&["#W1", "#W2", "ana", "t"]),
        any::<bool>(),
        person(),
        person(),
        prop::option::of(one(&["open", "sent"])),
        prop::sample::select(vec![None, Some(-1), Some(5), Some(10_001)]),
    );
    let rest = (0..3_u32, 0..3_u8, prop::option::of(one(&["gold", "iron"])), 0..2_i64);
    let flags = any::<(bool, bool, bool, bool, bool)>();
    (customer, record, rest, flags).prop_map(|((level, name), record, rest, flags)| {
        let (key, exists, owner, new_owner, status, amount) = record;
        let (identify_failures, taint, tier, later) = rest;
        let (private, confirmed, managers, others, scheduled) = flags;
        let approvals = [("managers", managers), ("others", others)];
        let status = status.map(|status| ("status".to_owned(), json!(status)));
        Facts {
            private,
            confirmed,
            approvals: approvals.iter().filter(|a| a.1).map(|a| a.0.to_owned()).collect(),
            taint,
            tier: tier.map(str::to_owned),
            customer: Customer {
                key: (level != IdentityLevel::Unknown).then(|| name.to_owned()),
                level,
            },
            identify_failures,
            now: Timestamp::from_millis(1_750_000_000_000 + later),
            records: vec![RecordFacts {
                collection: "orders".into(),
                key: Some(key.into()),
                exists,
                owner: owner.map(str::to_owned),
                new_owner: new_owner.map(str::to_owned),
                fields: status.into_iter().collect(),
                amount,
                changes_access: false,
            }],
            scheduled,
            ..facts()
        }
    })
}

fn any_request() -> impl Strategy<Value = AnyRequest> {
    let skill = prop::sample::select(&["one", "two", "three"][..]);
    let tool = prop::sample::select(&["t", "u"][..]);
    (skill, tool, 0..5_u8, any_facts()).prop_map(|(skill, tool, which, facts)| {
        let key = facts.records[0].key.clone().unwrap_or_default();
        let collection = || "orders".to_owned();
        let (call, records) = match which {
            0 => (HostCall::RecordsGet { collection: collection(), key }, facts.records.clone()),
            1 => {
                let (body, expected) = (json!({}), Expected::Absent);
                let step = RecordStep::Put { collection: collection(), key, body, expected };
                (HostCall::RecordsWrite { steps: vec![step] }, facts.records.clone())
            }
            2 => (HostCall::KvGet { key: "k".into() }, vec![]),
            3 => (HostCall::KvSet { key: "k".into(), value: vec![], ttl_s: 1 }, vec![]),
            _ => (HostCall::TicketHistory { limit: 1 }, vec![]),
        };
        AnyRequest { skill, tool, call, facts: Facts { records, ..facts } }
    })
}

impl AnyRequest {
    fn put_to(&self, set: &PolicySet) -> Verdict {
        judge(set, self.skill, self.tool, &self.call, &self.facts)
    }

    fn put_to_judge(&self, all: &Judge) -> Verdict {
        let (skill, version) = (self.skill.parse().unwrap(), semver::Version::new(0, 1, 0));
        all.judge(&PolicyRequest {
            skill: &skill,
            version: &version,
            publisher: "Postern",
            tool: self.tool,
            call: &self.call,
            facts: &self.facts,
        })
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
