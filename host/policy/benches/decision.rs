//! One decision under the shipped rules: the two calls of the skill order-status,
//! and a refusal.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    hint::black_box,
    path::PathBuf,
};

use criterion::{Criterion, criterion_group, criterion_main};
use postern_domain::{
    Channel, Customer, Decision, HostCall, IdentityLevel, LogLevel, LogLine, SkillId, Timestamp,
};
use postern_policy::{
    CollectionRules, Collections, Facts, FieldType, PolicyRequest, PolicySet, PolicySource,
    PolicySources, RecordFacts,
};

/// The files of `policies/` with this ending.
fn sources(ending: &str) -> Vec<PolicySource> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "policies"].iter().collect();
    let files = fs::read_dir(folder).expect("the shipped rules are there");
    files
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .map(|path| PolicySource {
            file: path.display().to_string(),
            text: fs::read_to_string(&path).expect("the file can be read"),
        })
        .collect()
}

/// A file of `policies/`.
fn source(name: &str) -> PolicySource {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "policies", name].iter().collect();
    let text = fs::read_to_string(path).expect("the file can be read");
    PolicySource { file: name.to_owned(), text }
}

fn shop() -> Collections {
    let owned = |readable: &[(&str, FieldType)]| CollectionRules {
        owner: Some("user_id".to_owned()),
        readable: readable.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect(),
    };
    let products = CollectionRules { owner: None, readable: BTreeMap::new() };
    Collections(BTreeMap::from([
        ("users".to_owned(), owned(&[])),
        ("orders".to_owned(), owned(&[("status", FieldType::String)])),
        ("products".to_owned(), products),
        ("refunds".to_owned(), owned(&[("state", FieldType::String)])),
    ]))
}

fn facts(owner: Option<&str>) -> Facts {
    let record = owner.map(|owner| RecordFacts {
        collection: "orders".to_owned(),
        key: Some("#W1000000".to_owned()),
        exists: true,
        owner: Some(owner.to_owned()),
        new_owner: None,
        fields: BTreeMap::from([("status".to_owned(), "processed".into())]),
        amount: None,
        changes_access: false,
    });
    Facts {
        channel: Channel::Web,
        private: true,
        customer: Customer { key: Some("ann".to_owned()), level: IdentityLevel::Identified },
        confirmed: false,
        approvals: BTreeSet::new(),
        taint: 0,
        tier: None,
        identify_failures: 0,
        now: Timestamp::from_millis(1_750_000_000_000),
        records: record.into_iter().collect(),
        endpoint: None,
        own_ticket: false,
        scheduled: false,
    }
}

fn decisions(criterion: &mut Criterion) {
    let sources = PolicySources {
        schema: sources("cedarschema").remove(0),
        rules: sources("cedar"),
        limits: Some(source("limits.toml")),
        approvals: Some(source("approvals.toml")),
    };
    let set = PolicySet::load(&sources, &shop()).expect("the shipped rules load");
    let skill: SkillId = "order-status".parse().expect("the name is an id");
    let version = semver::Version::new(0, 1, 0);
    let get = HostCall::RecordsGet { collection: "orders".to_owned(), key: "#W1000000".to_owned() };
    let line = LogLine {
        level: LogLevel::Info,
        message: "order read".to_owned(),
        fields: vec![("order".to_owned(), "#W1000000".to_owned())],
    };
    let mut group = criterion.benchmark_group("decision");
    for (name, call, facts, expected) in [
        ("own record", get.clone(), facts(Some("ann")), Decision::Allow),
        ("log line", HostCall::Log { line }, facts(None), Decision::Allow),
        ("record of another customer", get, facts(Some("bob")), Decision::Deny),
    ] {
        let request = PolicyRequest {
            skill: &skill,
            version: &version,
            publisher: "Postern",
            tool: "order_status",
            call: &call,
            facts: &facts,
        };
        assert_eq!(set.judge(&request).decision, expected, "{name}");
        group.bench_function(name, |bencher| bencher.iter(|| set.judge(black_box(&request))));
    }
    group.finish();
}

criterion_group!(benches, decisions);
criterion_main!(benches);
