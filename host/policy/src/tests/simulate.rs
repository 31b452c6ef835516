//! What other rules would make of recorded requests.

use super::*;
use crate::{Recorded, simulate};

fn read(skill: &str, customer: &str, owner: &str) -> Recorded {
    let (call, record) = order("#W1", owner);
    let facts = Facts { customer: identified(customer), records: vec![record], ..facts() };
    Recorded {
        skill: skill.parse().unwrap(),
        version: semver::Version::new(0, 1, 0),
        publisher: "Postern".into(),
        tool: "order_status".into(),
        call,
        facts,
    }
}

#[test]
fn a_simulation_counts_what_would_change_and_for_how_many_customers() {
    let current = shipped();
    let mut sources = shipped_sources();
    sources.rules.push(PolicySource {
        file: "more.cedar".into(),
        text: "@id(\"ask-first\") @confirm forbid (principal == Skill::\"order-status\", action in Action::\"records:read\", resource is Record::orders)
               unless { context.satisfied.contains(\"confirm\") };".into(),
    });
    let proposed = PolicySet::load(&sources, &shop()).unwrap();
    let recorded = [
        read("order-status", "ana", "ana"),
        read("order-status", "ana", "ana"),
        read("order-status", "ben", "ben"),
        read("order-status", "ben", "ana"),
        read("refund-check", "ana", "ana"),
    ];
    let kept = serde_json::to_string(&recorded[3]).unwrap();
    let again: Recorded = serde_json::from_str(&kept).unwrap();
    assert_eq!(again.judge(&current).rules, ["records-owner-only"]);
    assert_eq!(simulate(&current, &current, &recorded).changes, []);
    let found = simulate(&current, &proposed, &recorded);
    assert_eq!((found.judged, found.different), (5, 4));
    let shown: Vec<String> = found
        .changes
        .iter()
        .map(|c| {
            format!(
                "{} {}: {} -> {} ({} of {})",
                c.skill, c.action, c.before, c.after, c.count, c.customers
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "order-status records:get: allow by order-status-orders -> deny by ask-first; lifted by confirm (3 of 2)",
            "order-status records:get: deny by records-owner-only -> deny by ask-first, records-owner-only (1 of 1)",
        ]
    );
}
