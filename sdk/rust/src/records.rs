//! Records of the operator's business, in collections such as `orders`.
//!
//! Fields that the operator declares personal arrive as placeholders such as
//! `<EMAIL_1.k3f9>`. A skill passes them on whole, in replies and in conditions,
//! and never looks inside.

use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Result, host, json};

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<T> {
    /// The key.
    pub key: String,
    /// Grows by one with each change.
    pub version: u64,
    /// The object.
    pub body: T,
}

/// The customer to whom given details belong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity<T> {
    /// Key of the customer's record.
    pub key: String,
    /// The customer's record.
    pub record: Record<T>,
}

/// One step of an atomic write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write a whole record.
    Put {
        /// The collection.
        collection: String,
        /// The key.
        key: String,
        /// The object, as JSON text.
        body: String,
        /// What must be true before.
        expected: Expected,
    },
    /// Delete a record.
    Delete {
        /// The collection.
        collection: String,
        /// The key.
        key: String,
        /// The version that is to be deleted.
        version: u64,
    },
}

/// What must be true of a record for a write to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// There is no record under the key.
    Absent,
    /// The record has exactly this version.
    Version(u64),
}

impl Step {
    /// Writes a record under a key that is free.
    ///
    /// # Errors
    /// The body cannot be written as JSON.
    pub fn create(collection: &str, key: &str, body: &impl Serialize) -> Result<Self> {
        Self::put(collection, key, body, Expected::Absent)
    }

    /// Writes a new version of a record that was read in this version.
    ///
    /// # Errors
    /// The body cannot be written as JSON.
    pub fn replace(
        collection: &str,
        key: &str,
        version: u64,
        body: &impl Serialize,
    ) -> Result<Self> {
        Self::put(collection, key, body, Expected::Version(version))
    }

    /// Deletes a record that was read in this version.
    pub fn delete(collection: &str, key: &str, version: u64) -> Self {
        Self::Delete { collection: collection.to_owned(), key: key.to_owned(), version }
    }

    fn put(collection: &str, key: &str, body: &impl Serialize, expected: Expected) -> Result<Self> {
        let body = serde_json::to_string(body).map_err(|_| Error::Data {
            what: format!("record for {collection}"),
            reason: "cannot be written as JSON; map keys must be strings".to_owned(),
        })?;
        Ok(Self::Put { collection: collection.to_owned(), key: key.to_owned(), body, expected })
    }
}

/// Reads one record.
///
/// # Errors
/// The host refused or failed, there is no such record, or it has another shape.
pub fn get<T: DeserializeOwned>(collection: &str, key: &str) -> Result<Record<T>> {
    typed(collection, host::records_get(collection, key)?)
}

/// Reads the records in which every field equals the given text, ordered by
/// key, at most `limit` (1 to 100). A dotted name reaches inside objects:
/// `address.zip`. At least one condition is needed.
///
/// # Errors
/// The host refused or failed, or a record has another shape.
pub fn query<T: DeserializeOwned>(
    collection: &str,
    conditions: &[(&str, &str)],
    limit: u32,
) -> Result<Vec<Record<T>>> {
    let found = host::records_query(collection, conditions, limit)?;
    found.into_iter().map(|document| typed(collection, document)).collect()
}

/// Performs all steps or none, and answers each record's new version (0 for a
/// deleted one).
///
/// # Errors
/// The host refused or failed, or a record is not as expected.
pub fn write(steps: &[Step]) -> Result<Vec<u64>> {
    Ok(host::records_write(steps)?)
}

/// Asks the host whether the details that the customer gave belong to exactly
/// one record. If so, the customer is identified as its owner from here on.
///
/// # Errors
/// The host refused or failed, or no single record matches (`not_found`, which
/// does not tell what was wrong).
pub fn identify<T: DeserializeOwned>(
    collection: &str,
    details: &[(&str, &str)],
) -> Result<Identity<T>> {
    let (key, document) = host::records_identify(collection, details)?;
    Ok(Identity { key, record: typed(collection, document)? })
}

fn typed<T: DeserializeOwned>(collection: &str, raw: Record<String>) -> Result<Record<T>> {
    let body = json::read(raw.body.as_bytes())
        .map_err(|reason| Error::Data { what: format!("record of {collection}"), reason })?;
    Ok(Record { key: raw.key, version: raw.version, body })
}
