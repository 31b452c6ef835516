//! What is remembered, of whom, and for how long.

use postern_domain::Decision;

use super::*;
use crate::slice::Kind;

/// The decision about an order of one customer that another one reads.
fn read(set: &PolicySet, customer: &str, owner: &str, key: &str) -> Decision {
    let (call, record) = order(key, owner);
    let facts = Facts { customer: identified(customer), records: vec![record], ..facts() };
    judge(set, "order-status", "t", &call, &facts).decision
}

/// How many findings are remembered about reading orders.
fn remembered(set: &PolicySet) -> usize {
    let (_, slice) = set.judge.slices.find(Kind::Skill, "order-status", "records:get").unwrap();
    slice.remembered.as_ref().unwrap().len()
}

#[test]
fn customers_who_differ_in_nothing_that_rules_ask_share_a_finding() {
    let set = shipped();
    for customer in 0..64 {
        let (own, other) = (format!("c{customer}"), format!("d{customer}"));
        assert_eq!(read(&set, &own, &own, &format!("#W{customer}")), Decision::Allow);
        assert_eq!(read(&set, &own, &other, &format!("#W{customer}")), Decision::Deny);
    }
    assert_eq!(remembered(&set), 2);
}

#[test]
fn a_customer_whom_a_rule_names_gets_a_finding_of_their_own() {
    let set = load(
        "@id(\"all\") permit (principal, action, resource);
         @id(\"ben\") forbid (principal, action == Action::\"records:get\", resource)
         when { resource has owner && resource.owner == \"ben\" };",
    )
    .unwrap();
    for _ in 0..2 {
        assert_eq!(read(&set, "ana", "ana", "#W1"), Decision::Allow);
        assert_eq!(read(&set, "ben", "ben", "#W1"), Decision::Deny);
        assert_eq!(read(&set, "cleo", "cleo", "#W1"), Decision::Allow);
    }
    assert_eq!(remembered(&set), 3);
}

#[test]
fn a_record_that_a_scope_names_gets_a_finding_of_its_own() {
    let set = load(
        "@id(\"one\") permit (principal, action == Action::\"records:get\", resource == Record::orders::\"#W1\");",
    )
    .unwrap();
    for _ in 0..2 {
        assert_eq!(read(&set, "ana", "ana", "#W1"), Decision::Allow);
        assert_eq!(read(&set, "ana", "ana", "#W2"), Decision::Deny);
    }
}

#[test]
fn the_memory_begins_anew_when_it_is_full() {
    let set =
        load("@id(\"all\") permit (principal, action, resource) when { context.now_ms > 0 };")
            .unwrap();
    let (call, record) = order("#W1", "ana");
    for later in 0..1_100 {
        let now = Timestamp::from_millis(1_750_000_000_000 + later);
        let facts = Facts { now, records: vec![record.clone()], ..facts() };
        let verdict = judge(&set, "order-status", "t", &call, &facts);
        assert_eq!(verdict.decision, Decision::Allow);
        assert!(remembered(&set) <= 1_024);
    }
    assert_eq!(remembered(&set), 1_100 - 1_024);
}
