//! Which types each purpose takes out, and how sure it wants to be of them.

use std::collections::BTreeMap;

use super::{DataKind, Purpose};

/// The least confidence at which each purpose takes a type out; none if it leaves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Uses {
    changed: BTreeMap<(DataKind, bool), Option<u8>>,
}

impl Uses {
    /// The uses without an operator's changes.
    pub(super) const fn standard() -> Self {
        Self { changed: BTreeMap::new() }
    }

    /// Changes the use of a type: the least confidence, or none to leave it.
    pub(super) fn set(&mut self, kind: DataKind, purpose: Purpose, threshold: Option<u8>) {
        self.changed.insert((kind, purpose == Purpose::Logs), threshold);
    }

    /// Whether a purpose takes a type out that is found with this confidence.
    pub(super) fn takes(&self, kind: DataKind, purpose: Purpose, confidence: u8) -> bool {
        self.threshold(kind, purpose).is_some_and(|threshold| confidence >= threshold)
    }

    fn threshold(&self, kind: DataKind, purpose: Purpose) -> Option<u8> {
        if !self.changed.is_empty()
            && let Some(threshold) = self.changed.get(&(kind, purpose == Purpose::Logs))
        {
            return *threshold;
        }
        standard(kind, purpose)
    }
}

/// Dates and plain URLs are what customers ask about: they stay.
const fn standard(kind: DataKind, purpose: Purpose) -> Option<u8> {
    match kind {
        DataKind::DateTime | DataKind::Url => None,
        DataKind::Email
        | DataKind::Phone
        | DataKind::Card
        | DataKind::Iban
        | DataKind::BankAccount
        | DataKind::IdCard
        | DataKind::UsSsn
        | DataKind::UkNhs
        | DataKind::Passport
        | DataKind::DriverLicense
        | DataKind::IpAddress
        | DataKind::MacAddress
        | DataKind::Crypto
        | DataKind::Secret
        | DataKind::BirthDate
        | DataKind::Name
        | DataKind::Address
        | DataKind::Custom(_) => Some(match purpose {
            Purpose::Placeholders => 50,
            Purpose::Logs => 40,
        }),
    }
}
