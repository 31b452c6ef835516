//! Any rules and any requests, made of few parts so that they meet.

use postern_domain::{Expected, RecordStep};
use proptest::prelude::*;
use serde_json::json;

use super::super::*;
use crate::judge::Judge;

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
pub(super) const CONDITIONS: [&str; 16] = [
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
    "context.taint > 1",
    "context.customer has tier && context.customer.tier == \"gold\"",
    "principal.publisher == \"somebody\"",
    "context.customer.level == IdentityLevel::\"verified\"",
    "context.conversation.channel == Channel::\"web\" && context.conversation.private",
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

pub(super) const DUTIES: [(&str, &str); 9] = [
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
pub(super) struct AnyRule {
    pub(super) permit: bool,
    pub(super) principal: &'static str,
    pub(super) action: &'static str,
    pub(super) condition: &'static str,
    pub(super) duty: (&'static str, &'static str),
}

impl AnyRule {
    pub(super) fn text(&self, id: usize) -> String {
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

pub(super) fn any_rule() -> impl Strategy<Value = AnyRule> {
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
pub(super) struct AnyRequest {
    pub(super) skill: &'static str,
    pub(super) tool: &'static str,
    pub(super) call: HostCall,
    pub(super) facts: Facts,
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
                changes_irreversibly: false,
            }],
            scheduled,
            ..facts()
        }
    })
}

pub(super) fn any_request() -> impl Strategy<Value = AnyRequest> {
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
    pub(super) fn put_to(&self, set: &PolicySet) -> Verdict {
        judge(set, self.skill, self.tool, &self.call, &self.facts)
    }

    pub(super) fn put_to_judge(&self, all: &Judge) -> Verdict {
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
