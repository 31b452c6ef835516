//! What the store still needs of what lies outside of it.

use std::collections::BTreeSet;

use super::{
    SqliteStore,
    run::{Fields, read_all},
};
use crate::{
    StoreError,
    sql::{Statement, values},
};

const GENERATIONS: Statement<0> = Statement::new(
    "read which generations turns need",
    "SELECT DISTINCT generation FROM turns WHERE completed_at IS NULL \
     OR EXISTS (SELECT 1 FROM invocations WHERE invocations.turn = turns.id)",
);

impl SqliteStore {
    /// The generations of skills under which turns go on, or ran something that can be
    /// run again.
    ///
    /// # Errors
    /// The store fails.
    pub async fn generations_of_turns(&self) -> Result<BTreeSet<u64>, StoreError> {
        let rows = GENERATIONS.rows(&mut *self.reader().await?, values![]).await?;
        let number = |fields: &Fields<'_>| fields.parsed("generation");
        Ok(read_all("turn", &rows, number)?.into_iter().collect())
    }
}
