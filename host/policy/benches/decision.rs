//! Decisions under the shipped rules, decisions among 200 rules, and loading.
//!
//! Among 200 rules a slice has at most 15, and every question is about one of 64
//! customers and records, so that nothing is answered from the last question alone.
//! "Steady" has seen each of them before, "first" none.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    hint::black_box,
    path::PathBuf,
};

use criterion::{Criterion, criterion_group, criterion_main};
use postern_domain::{
    Channel, Customer, Decision, Expected, HostCall, IdentityLevel, LogLevel, LogLine, RecordStep,
    SkillId, Timestamp,
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
        changes_irreversibly: false,
    });
    Facts {
        channel: Channel::Web,
        private: true,
        agent: None,
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
        used_up: BTreeSet::new(),
    }
}

static VERSION: semver::Version = semver::Version::new(0, 1, 0);

fn shipped() -> PolicySources {
    PolicySources {
        schema: sources("cedarschema").remove(0),
        rules: sources("cedar"),
        limits: Some(source("limits.toml")),
        approvals: Some(source("approvals.toml")),
        privacy: None,
    }
}

fn request<'a>(
    skill: &'a SkillId,
    tool: &'a str,
    call: &'a HostCall,
    facts: &'a Facts,
) -> PolicyRequest<'a> {
    PolicyRequest { skill, version: &VERSION, publisher: "Postern", tool, call, facts }
}

fn decisions(criterion: &mut Criterion) {
    let set = PolicySet::load(&shipped(), &shop()).expect("the shipped rules load");
    let skill: SkillId = "order-status".parse().expect("the name is an id");
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
        let asked = request(&skill, "t", &call, &facts);
        assert_eq!(set.judge(&asked).decision, expected, "{name}");
        group.bench_function(name, |bencher| bencher.iter(|| set.judge(black_box(&asked))));
    }
    group.finish();
}

/// 200 rules of which 15 are about one skill's refunds, five of them with duties.
fn many() -> PolicySources {
    let mut text = String::new();
    let put = "action == Action::\"records:put\", resource is Record::refunds";
    for (id, (annotations, unless)) in [
        ("@identity(\"identified\")", "identity:identified"),
        ("@confirm", "confirm"),
        ("@approval(\"refund-managers\") @notify(\"on-call\")", "approval:refund-managers"),
        ("@limit(\"identify\")", "limit:identify"),
        ("@max_amount(\"refund-alone\")", "max_amount:refund-alone"),
    ]
    .into_iter()
    .enumerate()
    {
        text.push_str(&format!(
            "@id(\"duty-{id}\") {annotations} forbid (principal == Skill::\"refunds\", {put}) \
             unless {{ context.satisfied.contains(\"{unless}\") }};\n"
        ));
    }
    text.push_str(&format!(
        "@id(\"own\") permit (principal == Skill::\"refunds\", {put}) when {{ context.customer has key \
         && resource has new_owner && resource.new_owner == context.customer.key }};\n"
    ));
    for id in 0..9 {
        text.push_str(&format!(
            "@id(\"plain-{id}\") forbid (principal == Skill::\"refunds\", {put}) when {{ \
             context.customer.failed_attempts > {id} && resource.owned && context.tool != \"t\" }};\n"
        ));
    }
    for id in 0..185 {
        text.push_str(&format!(
            "@id(\"other-{id}\") permit (principal == Skill::\"other-{id}\", \
             action in Action::\"records\", resource is Record::orders) \
             when {{ resource has owner && context.tool != \"t{id}\" }};\n"
        ));
    }
    let rules = vec![PolicySource { file: "many.cedar".to_owned(), text }];
    PolicySources { rules, ..without_shorthands() }
}

/// The shipped limits and routes, and nothing that needs approval by itself.
fn without_shorthands() -> PolicySources {
    let mut sources = shipped();
    if let Some(approvals) = &mut sources.approvals {
        let end = approvals.text.find("[require_approval_for]").expect("the file has a table");
        approvals.text.truncate(end);
    }
    sources
}

/// 64 refunds of 64 customers.
fn refunds(fulfilled: bool) -> Vec<(HostCall, Facts)> {
    (0..64)
        .map(|number| {
            let (customer, key) = (format!("customer-{number}"), format!("#W{number}"));
            let body = serde_json::json!({ "user_id": customer, "order_id": key });
            let (collection, expected) = ("refunds".to_owned(), Expected::Absent);
            let record = RecordFacts {
                collection: collection.clone(),
                key: Some(key.clone()),
                new_owner: Some(customer.clone()),
                amount: Some(1_000 + number),
                ..RecordFacts::default()
            };
            let step = RecordStep::Put { collection, key, body, expected };
            let approvals = BTreeSet::from(["refund-managers".to_owned()]);
            let known = Customer { key: Some(customer), level: IdentityLevel::Identified };
            let facts = Facts {
                customer: known,
                confirmed: fulfilled,
                approvals: if fulfilled { approvals } else { BTreeSet::new() },
                records: vec![record],
                now: Timestamp::from_millis(1_750_000_000_000 + number),
                ..facts(None)
            };
            (HostCall::RecordsWrite { steps: vec![step] }, facts)
        })
        .collect()
}

/// 64 orders, each read by the customer to whom it belongs.
fn orders() -> Vec<(HostCall, Facts)> {
    (0..64)
        .map(|number| {
            let (customer, key) = (format!("customer-{number}"), format!("#W{number}"));
            let mut facts = facts(Some(&customer));
            facts.customer.key = Some(customer);
            facts.records[0].key = Some(key.clone());
            (HostCall::RecordsGet { collection: "orders".to_owned(), key }, facts)
        })
        .collect()
}

fn among_many(criterion: &mut Criterion) {
    let sources = many();
    let set = PolicySet::load(&sources, &shop()).expect("the rules load");
    let refunder: SkillId = "refunds".parse().expect("the name is an id");
    let other: SkillId = "other-7".parse().expect("the name is an id");
    let mut group = criterion.benchmark_group("among 200 rules");
    let tools: Vec<String> = (0..2_048).map(|number| format!("tool-{number}")).collect();
    let (granted, asked) = (refunds(true), refunds(false));
    for (name, skill, questions, expected, duties) in [
        ("without obligations", &other, &orders(), Decision::Allow, 0),
        ("with obligations, allowed", &refunder, &granted, Decision::Allow, 3),
        ("with obligations, asked for", &refunder, &asked, Decision::RequireApproval, 3),
    ] {
        for (call, facts) in questions {
            let verdict = set.judge(&request(skill, "t", call, facts));
            assert_eq!(
                (verdict.decision, verdict.obligations.len()),
                (expected, duties),
                "{name}: {}",
                verdict.reason
            );
        }
        let mut turn = questions.iter().cycle();
        group.bench_function(format!("{name}, steady"), |bencher| {
            bencher.iter(|| {
                let (call, facts) = turn.next().expect("a cycle has no end");
                set.judge(black_box(&request(skill, "t", call, facts)))
            });
        });
        // More tools than findings are kept: none is there when its turn comes again.
        let mut turn = questions.iter().cycle().zip(tools.iter().cycle());
        group.bench_function(format!("{name}, first"), |bencher| {
            bencher.iter(|| {
                let ((call, facts), tool) = turn.next().expect("a cycle has no end");
                set.judge(black_box(&request(skill, tool, call, facts)))
            });
        });
    }
    group.finish();
}

/// 1,000 rules for 100 skills.
fn loading(criterion: &mut Criterion) {
    let rule = |id: usize| {
        let (skill, effect) = (id % 100, if id.is_multiple_of(3) { "forbid" } else { "permit" });
        format!(
            "@id(\"rule-{id}\") {effect} (principal == Skill::\"skill-{skill}\", action in \
             Action::\"records\", resource) when {{ resource.owned && context.tool != \"t{id}\" }};\n"
        )
    };
    let text = (0..1_000).map(rule).collect();
    let rules = vec![PolicySource { file: "thousand.cedar".to_owned(), text }];
    let sources = PolicySources { rules, ..shipped() };
    let mut group = criterion.benchmark_group("loading");
    group.sample_size(10);
    group.bench_function("1,000 rules", |bencher| {
        bencher.iter(|| PolicySet::load(black_box(&sources), &shop()).expect("the rules load"));
    });
    group.finish();
}

criterion_group!(benches, decisions, among_many, loading);
criterion_main!(benches);
