//! Tests over the whole crate: the shipped policies and their cases, loading,
//! verdicts, properties.

mod acts;
mod arguments;
mod cases;
mod duties;
mod loading;
mod properties;
mod quantities;
mod remembered;
mod shipped;
mod simulate;
mod table;
mod verdicts;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    sync::OnceLock,
};

use postern_domain::{Channel, Customer, Digest, HostCall, IdentityLevel, SkillId, Timestamp};

use crate::{
    CollectionRules, Collections, Facts, FieldType, PolicyError, PolicyRequest, PolicySet,
    PolicySource, PolicySources, RecordFacts, Verdict, schema::Schemas,
};

fn policies_folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "..", "policies"].iter().collect()
}

/// The files of a folder with this ending, by name.
fn read_folder(folder: PathBuf, ending: &str) -> Vec<PolicySource> {
    let mut files: Vec<PolicySource> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == ending))
        .map(|path| PolicySource {
            file: path.file_name().unwrap().to_string_lossy().into_owned(),
            text: fs::read_to_string(&path).unwrap(),
        })
        .collect();
    files.sort_by(|a, b| a.file.cmp(&b.file));
    files
}

fn schema() -> PolicySource {
    read_folder(policies_folder(), "cedarschema").remove(0)
}

/// A file of the shipped policies.
fn file(name: &str) -> PolicySource {
    let text = fs::read_to_string(policies_folder().join(name)).unwrap();
    PolicySource { file: name.to_owned(), text }
}

fn shipped_sources() -> PolicySources {
    PolicySources {
        schema: schema(),
        rules: read_folder(policies_folder(), "cedar"),
        limits: Some(file("limits.toml")),
        approvals: Some(file("approvals.toml")),
        privacy: None,
    }
}

fn shipped() -> PolicySet {
    PolicySet::load(&shipped_sources(), &shop()).unwrap()
}

/// Rules without limits and routes.
fn only(rules: Vec<PolicySource>) -> PolicySources {
    PolicySources { schema: schema(), rules, limits: None, approvals: None, privacy: None }
}

/// The collections of the sample shop.
fn shop() -> Collections {
    let collection = |owner: Option<&str>, readable: &[(&str, FieldType)]| CollectionRules {
        owner: owner.map(str::to_owned),
        readable: readable.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect(),
    };
    let text = FieldType::String;
    Collections(BTreeMap::from([
        ("users".to_owned(), collection(Some("user_id"), &[])),
        ("orders".to_owned(), collection(Some("user_id"), &[("status", text)])),
        ("products".to_owned(), collection(None, &[])),
        ("refunds".to_owned(), collection(Some("user_id"), &[("state", text)])),
    ]))
}

/// The schema as it is read for the sample shop, once for all tests.
fn checked_schema() -> &'static Schemas {
    static SCHEMA: OnceLock<Schemas> = OnceLock::new();
    SCHEMA.get_or_init(|| crate::schema::load(&schema(), &shop()).unwrap())
}

/// Rules without the shipped ones, with a few limits and routes.
fn sources(rules: &str) -> PolicySources {
    let source = |file: &str, text: &str| PolicySource { file: file.into(), text: text.into() };
    PolicySources {
        schema: schema(),
        rules: vec![source("test.cedar", rules)],
        limits: Some(source("limits.toml", LIMITS)),
        approvals: Some(source("approvals.toml", ROUTES)),
        privacy: None,
    }
}

const LIMITS: &str = "
[rate.few]
per = \"skill\"
count = 6
window = \"1m\"

[amount.small]
per = \"customer\"
max = \"100.00\"

[amount.month]
per = \"customer\"
max = \"100.00\"
sum = \"300.00\"
window = \"30d\"

[concurrency.one]
per = \"global\"
most = 1
";

const ROUTES: &str = "
[route.managers]
quorum = 2
expires = \"24h\"
role = \"approver\"

[route.others]
quorum = 1
expires = \"1h\"
role = \"admin\"
";

/// Loads rules without the shipped ones.
fn load(rules: &str) -> Result<PolicySet, Vec<PolicyError>> {
    let digest = Digest::of_bytes(rules.as_bytes());
    PolicySet::under(checked_schema(), &sources(rules), &shop(), digest)
}

/// A private web chat with nobody in particular.
fn facts() -> Facts {
    Facts {
        channel: Channel::Web,
        private: true,
        agent: None,
        customer: Customer::default(),
        confirmed: false,
        approvals: BTreeSet::new(),
        taint: 0,
        tier: None,
        identify_failures: 0,
        now: Timestamp::from_millis(1_750_000_000_000),
        records: Vec::new(),
        endpoint: None,
        own_ticket: true,
        scheduled: false,
        used_up: BTreeSet::new(),
    }
}

fn identified(key: &str) -> Customer {
    Customer { key: Some(key.to_owned()), level: IdentityLevel::Identified }
}

/// An order and who owns it.
fn order(key: &str, owner: &str) -> (HostCall, RecordFacts) {
    let call = HostCall::RecordsGet { collection: "orders".into(), key: key.into() };
    let record = RecordFacts {
        collection: "orders".into(),
        key: Some(key.into()),
        exists: true,
        owner: Some(owner.into()),
        new_owner: None,
        fields: BTreeMap::from([("status".to_owned(), "delivered".into())]),
        amount: None,
        changes_access: false,
        changes_irreversibly: false,
    };
    (call, record)
}

fn judge(set: &PolicySet, skill: &str, tool: &str, call: &HostCall, facts: &Facts) -> Verdict {
    let skill: SkillId = skill.parse().unwrap();
    let version = semver::Version::new(0, 1, 0);
    let publisher = "Postern";
    set.judge(&PolicyRequest { skill: &skill, version: &version, publisher, tool, call, facts })
}
