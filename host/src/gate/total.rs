//! How much money a write moves.

use serde_json::Value;

use crate::config::Collection;

/// The money that a write is about.
#[derive(Default)]
pub(super) struct Total {
    sum: i64,
    is_known: bool,
    is_unclear: bool,
}

impl Total {
    /// Takes a record in as it would be after the write.
    pub(super) fn add(&mut self, rules: &Collection, body: &Value) {
        if rules.amount.is_none() {
            return;
        }
        // An amount that cannot be read, or is below nothing, makes the whole unknown.
        match rules.amount_of(body).filter(|amount| *amount >= 0) {
            Some(amount) => {
                self.is_known = true;
                self.sum = self.sum.saturating_add(amount);
            }
            None => self.is_unclear = true,
        }
    }

    /// The sum, in minor units, if it is known.
    pub(super) fn amount(&self) -> Option<i64> {
        (self.is_known && !self.is_unclear).then_some(self.sum)
    }
}
