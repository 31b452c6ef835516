//! Tests over the whole crate: the shipped policies and their cases, loading,
//! verdicts, properties.

mod arguments;
mod cases;
mod loading;
mod properties;
mod shipped;
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
    PolicySource, RecordFacts, Verdict,
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

fn shipped() -> PolicySet {
    PolicySet::load(&schema(), &read_folder(policies_folder(), "cedar"), &shop()).unwrap()
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
fn checked_schema() -> &'static cedar_policy::Schema {
    static SCHEMA: OnceLock<cedar_policy::Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| crate::schema::load(&schema(), &shop()).unwrap())
}

/// Loads rules without the shipped ones.
fn load(rules: &str) -> Result<PolicySet, Vec<PolicyError>> {
    let source = PolicySource { file: "test.cedar".into(), text: rules.into() };
    PolicySet::under(checked_schema(), &[source], &shop(), Digest::of_bytes(rules.as_bytes()))
}

/// A private web chat with nobody in particular.
fn facts() -> Facts {
    Facts {
        channel: Channel::Web,
        private: true,
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
    };
    (call, record)
}

fn judge(set: &PolicySet, skill: &str, tool: &str, call: &HostCall, facts: &Facts) -> Verdict {
    let skill: SkillId = skill.parse().unwrap();
    let version = semver::Version::new(0, 1, 0);
    let publisher = "Postern";
    set.judge(&PolicyRequest { skill: &skill, version: &version, publisher, tool, call, facts })
}
