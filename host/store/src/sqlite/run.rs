//! Running statements and reading rows.

use std::{error::Error, str::FromStr};

use serde::de::{DeserializeOwned, IntoDeserializer, value::Error as NameError};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection, sqlite::SqliteRow};

use postern_domain::{Digest, Timestamp};

use crate::{
    StoreError,
    form::{Form, Unreadable},
    sql::{Batch, Statement, Value},
};

/// Arguments in one statement; SQLite allows 32,766.
const MOST_ARGUMENTS: usize = 16_384;
/// Rows that one statement reads of what could be many.
pub(super) const MOST_ROWS: u32 = 10_000;

type Query<'q> = sqlx::query::Query<'q, Sqlite, sqlx::sqlite::SqliteArguments>;

/// What an error of the engine becomes.
pub(super) fn engine<E>(doing: &'static str) -> impl FnOnce(E) -> StoreError
where
    E: Error + Send + Sync + 'static,
{
    move |source| StoreError::Engine { doing, source: Box::new(source) }
}

/// A change to something that is not there.
#[derive(Debug, thiserror::Error)]
#[error("{what} {id} is not there, or not in a state that allows it")]
struct Misplaced {
    what: &'static str,
    id: String,
}

/// Refuses a change that met no row.
pub(super) fn must_exist(
    met: bool,
    doing: &'static str,
    what: &'static str,
    id: &str,
) -> Result<(), StoreError> {
    if met { Ok(()) } else { Err(engine(doing)(Misplaced { what, id: id.to_owned() })) }
}

fn bind(query: Query<'_>, value: Value) -> Query<'_> {
    match value {
        Value::Text(text) => query.bind(text),
        Value::Int(number) => query.bind(number),
        Value::Bool(flag) => query.bind(flag),
        Value::Bytes(bytes) => query.bind(bytes),
    }
}

impl<const N: usize> Statement<N> {
    fn query(&self, values: [Value; N]) -> Query<'static> {
        values.into_iter().fold(sqlx::query(self.text), bind)
    }

    /// Runs it and says how many rows it met.
    pub(super) async fn execute(
        &self,
        on: &mut SqliteConnection,
        values: [Value; N],
    ) -> Result<u64, StoreError> {
        let done = self.query(values).execute(on).await.map_err(engine(self.doing))?;
        Ok(done.rows_affected())
    }

    /// Runs it and takes all rows.
    pub(super) async fn rows(
        &self,
        on: &mut SqliteConnection,
        values: [Value; N],
    ) -> Result<Vec<SqliteRow>, StoreError> {
        self.query(values).fetch_all(on).await.map_err(engine(self.doing))
    }

    /// Runs it and takes the first row. All rows are stepped through, because a
    /// change with `RETURNING` is only finished then.
    pub(super) async fn row(
        &self,
        on: &mut SqliteConnection,
        values: [Value; N],
    ) -> Result<Option<SqliteRow>, StoreError> {
        Ok(self.rows(on, values).await?.into_iter().next())
    }
}

impl<const N: usize> Batch<N> {
    /// Runs it over as few statements as possible and takes all rows.
    pub(super) async fn rows(
        &self,
        on: &mut SqliteConnection,
        values: Vec<[Value; N]>,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        let mut found = Vec::new();
        let mut values = values.into_iter().peekable();
        while values.peek().is_some() {
            let mut builder = QueryBuilder::<Sqlite>::new(self.before);
            builder.push_values(values.by_ref().take(MOST_ARGUMENTS / N), |mut row, values| {
                for value in values {
                    match value {
                        Value::Text(text) => row.push_bind(text),
                        Value::Int(number) => row.push_bind(number),
                        Value::Bool(flag) => row.push_bind(flag),
                        Value::Bytes(bytes) => row.push_bind(bytes),
                    };
                }
            });
            builder.push(self.after);
            found.extend(builder.build().fetch_all(&mut *on).await.map_err(engine(self.doing))?);
        }
        Ok(found)
    }
}

/// The fields of a row of a `what`.
pub(super) struct Fields<'r> {
    row: &'r SqliteRow,
    what: &'static str,
}

impl<'r> Fields<'r> {
    pub(super) fn of(what: &'static str, row: &'r SqliteRow) -> Self {
        Self { row, what }
    }

    fn get<T>(&self, column: &str) -> Result<T, StoreError>
    where
        T: sqlx::Type<Sqlite> + sqlx::Decode<'r, Sqlite>,
    {
        self.row.try_get(column).map_err(|source| self.corrupt(source))
    }

    pub(super) fn corrupt(&self, source: impl Into<Box<dyn Error + Send + Sync>>) -> StoreError {
        StoreError::Corrupt { what: self.what, source: source.into() }
    }

    pub(super) fn text(&self, column: &str) -> Result<String, StoreError> {
        self.get(column)
    }

    pub(super) fn text_or_none(&self, column: &str) -> Result<Option<String>, StoreError> {
        self.get(column)
    }

    pub(super) fn bytes(&self, column: &str) -> Result<Vec<u8>, StoreError> {
        self.get(column)
    }

    pub(super) fn flag(&self, column: &str) -> Result<bool, StoreError> {
        self.get(column)
    }

    pub(super) fn int(&self, column: &str) -> Result<i64, StoreError> {
        self.get(column)
    }

    /// A number that is never negative.
    pub(super) fn number<T: TryFrom<i64>>(&self, column: &str) -> Result<T, StoreError>
    where
        T::Error: Error + Send + Sync + 'static,
    {
        T::try_from(self.int(column)?).map_err(|source| self.corrupt(source))
    }

    pub(super) fn time(&self, column: &str) -> Result<Timestamp, StoreError> {
        self.int(column).map(Timestamp::from_millis)
    }

    pub(super) fn time_or_none(&self, column: &str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.get::<Option<i64>>(column)?.map(Timestamp::from_millis))
    }

    /// An id or another checked text.
    pub(super) fn parsed<T: FromStr>(&self, column: &str) -> Result<T, StoreError>
    where
        T::Err: Into<Box<dyn Error + Send + Sync>>,
    {
        self.get::<&str>(column)?.parse().map_err(|error: T::Err| self.corrupt(error))
    }

    pub(super) fn parsed_or_none<T: FromStr>(&self, column: &str) -> Result<Option<T>, StoreError>
    where
        T::Err: Into<Box<dyn Error + Send + Sync>>,
    {
        let text: Option<&str> = self.get(column)?;
        text.map(str::parse).transpose().map_err(|error: T::Err| self.corrupt(error))
    }

    pub(super) fn digest(&self, column: &str) -> Result<Digest, StoreError> {
        self.parsed(column)
    }

    /// A variant of an enum by the name that it also has in JSON.
    pub(super) fn named<T: DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        let name: &str = self.get(column)?;
        T::deserialize(name.into_deserializer()).map_err(|error: NameError| self.corrupt(error))
    }

    /// A value in its versioned form.
    pub(super) fn form<T: Form>(&self, column: &str) -> Result<T, StoreError> {
        T::from_form(self.get(column)?).map_err(|error| self.corrupt(error))
    }

    pub(super) fn form_or_none<T: Form>(&self, column: &str) -> Result<Option<T>, StoreError> {
        let json: Option<&str> = self.get(column)?;
        json.map(T::from_form).transpose().map_err(|error| self.corrupt(error))
    }

    /// JSON by nature.
    pub(super) fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        let json = self.get(column)?;
        serde_json::from_str(json).map_err(|error| self.corrupt(Unreadable::from(error)))
    }

    pub(super) fn json_or_none<T: DeserializeOwned>(
        &self,
        column: &str,
    ) -> Result<Option<T>, StoreError> {
        let json: Option<&str> = self.get(column)?;
        let value = json.map(serde_json::from_str).transpose();
        value.map_err(|error| self.corrupt(Unreadable::from(error)))
    }
}

/// Reads each row of a `what`.
pub(super) fn read_all<T>(
    what: &'static str,
    rows: &[SqliteRow],
    read: impl Fn(&Fields<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    rows.iter().map(|row| read(&Fields::of(what, row))).collect()
}

/// Reads the row of a `what`, if there is one.
pub(super) fn read_one<T>(
    what: &'static str,
    row: Option<&SqliteRow>,
    read: impl Fn(&Fields<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    row.map(|row| read(&Fields::of(what, row))).transpose()
}
