//! Reading and writing the operator's records, and finding out who writes.

use postern_domain::{
    CallFailure, Customer, Document, Expected, FailureKind, HostReply, IdentityLevel,
};
use postern_store::{RecordWrite, StoreError, StoredRecord};

use super::Ports;
use crate::{
    gate::{Material, Permit},
    ledger::Ledger,
    privacy::Whose,
};

type Answer = Result<HostReply, CallFailure>;

fn not_found(what: &str) -> CallFailure {
    CallFailure::new(FailureKind::NotFound, what)
}

/// A record as the skill may see it.
fn document(ports: &Ports, ledger: &mut Ledger, record: StoredRecord) -> Document {
    let body = match ports.collections.get(&record.collection) {
        Some(rules) => {
            let customer = &ledger.conversation.customer.key;
            let is_own = customer.is_some() && rules.owner_of(&record.body) == *customer;
            let whose = if is_own { Whose::Customer } else { Whose::Unknown };
            ledger.vault.hide(rules, record.body, whose)
        }
        None => record.body,
    };
    Document { key: record.key, version: record.version, body: body.into() }
}

pub(super) fn get(
    ports: &Ports,
    ledger: &mut Ledger,
    collection: &str,
    material: Material,
) -> Answer {
    match material {
        Material::Record(Some(record)) => {
            Ok(HostReply::Document { document: document(ports, ledger, record) })
        }
        Material::Record(None)
        | Material::None
        | Material::Conditions(_)
        | Material::Writes(_)
        | Material::Target(_) => Err(not_found(&format!("no such record in {collection}"))),
    }
}

fn conditions(material: Material) -> Vec<(String, String)> {
    match material {
        Material::Conditions(conditions) => conditions,
        Material::None | Material::Record(_) | Material::Writes(_) | Material::Target(_) => {
            Vec::new()
        }
    }
}

pub(super) async fn query(
    ports: &Ports,
    ledger: &mut Ledger,
    collection: &str,
    material: Material,
    limit: u32,
) -> Result<Answer, StoreError> {
    let found = ledger.store().find_records(collection, &conditions(material), limit).await?;
    let documents = found.into_iter().map(|record| document(ports, ledger, record)).collect();
    Ok(Ok(HostReply::Documents { documents }))
}

/// Makes the customer `identified` if the details belong to exactly one record.
/// Everything else gets the same answer and counts as a failed attempt.
pub(super) async fn identify(
    ports: &Ports,
    ledger: &mut Ledger,
    collection: &str,
    material: Material,
) -> Result<Answer, StoreError> {
    let mut found = ledger.store().find_records(collection, &conditions(material), 2).await?;
    let only = if found.len() == 1 { found.pop() } else { None };
    let owner = only.as_ref().and_then(|record| {
        ports.collections.get(collection).and_then(|rules| rules.owner_of(&record.body))
    });
    let (Some(record), Some(key)) = (only, owner) else {
        let failures = &mut ledger.conversation.state.identify_failures;
        *failures = failures.saturating_add(1);
        return Ok(Err(not_found("no customer has these details")));
    };
    ledger.conversation.customer =
        Customer { key: Some(key.clone()), level: IdentityLevel::Identified };
    let document = document(ports, ledger, record);
    Ok(Ok(HostReply::Identity { key, document }))
}

/// The steps of a permitted write, with real values.
///
/// # Errors
/// The permit is for something else, or a record is not what the skill expects.
pub(crate) fn record_changes(permit: Permit) -> Result<Vec<RecordWrite>, CallFailure> {
    let (_, prepared, _) = permit.into_parts();
    match prepared.material {
        Material::Writes(writes) => writes,
        Material::None | Material::Record(_) | Material::Conditions(_) | Material::Target(_) => {
            Err(CallFailure::invalid("not a write of records"))
        }
    }
}

/// The version of each record after a write, which its expectation fixes.
pub(crate) fn versions_after(writes: &[RecordWrite]) -> Vec<u64> {
    writes
        .iter()
        .map(|write| match write {
            RecordWrite::Put { expected: Expected::Absent, .. } => 1,
            RecordWrite::Put { expected: Expected::Version(version), .. } => {
                version.saturating_add(1)
            }
            RecordWrite::Delete { .. } => 0,
        })
        .collect()
}
