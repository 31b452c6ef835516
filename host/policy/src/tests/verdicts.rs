//! What a verdict says.

use postern_domain::{Decision, HttpMethod, HttpRequest, Obligation, RecordStep};
use serde_json::json;

use super::*;

#[test]
fn a_missing_fact_denies_instead_of_skipping_the_rule_that_reads_it() {
    let set = load(
        "@id(\"all\") permit (principal, action, resource);
         @id(\"open\") forbid (principal, action == Action::\"records:get\", resource is Record::orders)
         when { resource.fields.status == \"open\" };",
    )
    .unwrap();
    let (call, record) = order("#W1", "ana");
    let with = |status: Option<serde_json::Value>| {
        let fields = status.map(|s| ("status".to_owned(), s)).into_iter().collect();
        let facts = Facts { records: vec![RecordFacts { fields, ..record.clone() }], ..facts() };
        judge(&set, "order-status", "t", &call, &facts)
    };
    assert_eq!(with(Some(json!("sent"))).decision, Decision::Allow);
    assert_eq!(with(Some(json!("open"))).rules, ["open"]);
    for missing in [None, Some(json!(7)), Some(json!(null)), Some(json!(["open"]))] {
        let verdict = with(missing);
        assert_eq!(
            (verdict.decision, &verdict.rules[..]),
            (Decision::Deny, &["open".to_owned()][..])
        );
        assert!(verdict.reason.contains("could not be evaluated"), "{}", verdict.reason);
    }
}

#[test]
fn facts_about_something_else_deny() {
    let set = load("@id(\"all\") permit (principal, action, resource);").unwrap();
    let (call, record) = order("#W1", "ana");
    let deny = |call: &HostCall, records: Vec<RecordFacts>| {
        let verdict = judge(&set, "order-status", "t", call, &Facts { records, ..facts() });
        assert_eq!(verdict.decision, Decision::Deny);
        assert_eq!(verdict.rules, ["incomplete-facts"]);
    };
    deny(&call, vec![]);
    deny(&call, vec![record.clone(), record.clone()]);
    deny(&call, vec![RecordFacts { key: Some("#W2".into()), ..record.clone() }]);
    deny(&call, vec![RecordFacts { collection: "users".into(), ..record.clone() }]);
    deny(&HostCall::RecordsWrite { steps: vec![] }, vec![]);
    let step = RecordStep::Delete { collection: "orders".into(), key: "#W1".into(), version: 1 };
    deny(&HostCall::RecordsWrite { steps: vec![step.clone(), step] }, vec![record]);
    let request = HttpRequest {
        method: HttpMethod::Get,
        url: "https://a.example".into(),
        headers: vec![],
        body: vec![],
        secrets: vec![],
        idempotent: true,
    };
    deny(&HostCall::HttpSend { request }, vec![]);
}

#[test]
fn a_level_without_a_customer_fulfils_nothing() {
    let set = shipped();
    let (call, record) = order("#W1", "ana");
    for level in [IdentityLevel::Identified, IdentityLevel::Verified] {
        let customer = Customer { key: None, level };
        let facts = Facts { customer, records: vec![record.clone()], ..facts() };
        let verdict = judge(&set, "order-status", "t", &call, &facts);
        assert_eq!(verdict.rules, ["records-identified"]);
        assert_eq!(verdict.decision, Decision::Deny);
    }
}

#[test]
fn of_two_levels_of_identity_the_higher_is_asked_for_and_fulfils_both() {
    let set = load(
        "@id(\"all\") permit (principal, action, resource);
         @id(\"low\") @identity(\"identified\") forbid (principal, action, resource)
         unless { context.satisfied.contains(\"identity:identified\") };
         @id(\"high\") @identity(\"verified\") @confirm forbid (principal, action, resource)
         unless { context.satisfied.contains(\"identity:verified\") && context.satisfied.contains(\"confirm\") };",
    )
    .unwrap();
    let (call, record) = order("#W1", "ana");
    let unknown = Facts { records: vec![record], ..facts() };
    let verdict = judge(&set, "order-status", "t", &call, &unknown);
    let verified = Obligation::Identity { level: "verified".into() };
    assert_eq!(verdict.obligations, [verified, Obligation::Confirm]);
    assert_eq!(verdict.rules, ["high", "low"]);
    assert!(verdict.reason.contains("must be verified first"), "{}", verdict.reason);
    let customer = Customer { level: IdentityLevel::Verified, ..identified("ana") };
    let verdict =
        judge(&set, "order-status", "t", &call, &Facts { customer, confirmed: true, ..unknown });
    assert_eq!((verdict.decision, verdict.reason.as_str()), (Decision::Allow, "permitted by all"));
}

#[test]
fn a_duty_that_does_not_lift_its_rule_is_not_asked_for() {
    let set = load(
        "@id(\"all\") permit (principal, action, resource);
         @id(\"odd\") @confirm forbid (principal, action, resource)
         unless { context.satisfied.contains(\"confirm\") && !context.conversation.private };",
    )
    .unwrap();
    let verdict = judge(&set, "order-status", "t", &HostCall::KvGet { key: "k".into() }, &facts());
    assert_eq!((verdict.rules, verdict.obligations), (vec!["odd".to_owned()], vec![]));
}

#[test]
fn of_a_rule_with_two_duties_only_the_missing_one_is_asked_for() {
    let set = load(
        "@id(\"all\") permit (principal, action, resource);
         @id(\"both\") @identity(\"identified\") @confirm forbid (principal, action, resource)
         unless { context.satisfied.contains(\"identity:identified\") && context.satisfied.contains(\"confirm\") };",
    )
    .unwrap();
    let customer = identified("ana");
    let facts = Facts { customer, ..facts() };
    let verdict = judge(&set, "order-status", "t", &HostCall::KvGet { key: "k".into() }, &facts);
    assert_eq!(verdict.obligations, [Obligation::Confirm]);
    assert_eq!(verdict.reason, "the customer must say yes to exactly this first (both)");
}

#[test]
fn records_that_belong_to_nobody_need_no_customer_and_no_private_chat() {
    let mut files = shipped_sources();
    files.rules.push(PolicySource {
        file: "more.cedar".into(),
        text: "@id(\"products\") permit (principal, action in Action::\"records:read\", resource is Record::products);".into(),
    });
    let set = PolicySet::load(&files, &shop()).unwrap();
    let call = HostCall::RecordsGet { collection: "products".into(), key: "1".into() };
    let record = RecordFacts {
        collection: "products".into(),
        key: Some("1".into()),
        exists: true,
        ..RecordFacts::default()
    };
    let facts = Facts { private: false, records: vec![record], ..facts() };
    assert_eq!(judge(&set, "any", "t", &call, &facts).decision, Decision::Allow);
}

#[test]
fn rules_can_name_an_agent() {
    let set = load(
        "@id(\"all\") permit (principal, action, resource);
         @id(\"helper\") forbid (principal, action == Action::\"records:get\", resource)
         when { context.conversation has agent && context.conversation.agent == \"helper\" };",
    )
    .unwrap();
    let (call, record) = order("#W1", "ana");
    let by = |agent: Option<&str>| {
        let agent = agent.map(str::to_owned);
        let facts = Facts { agent, records: vec![record.clone()], ..facts() };
        judge(&set, "order-status", "t", &call, &facts).decision
    };
    assert_eq!(by(Some("helper")), Decision::Deny);
    assert_eq!(by(Some("other")), Decision::Allow);
    assert_eq!(by(None), Decision::Allow, "a customer is no agent");
}
