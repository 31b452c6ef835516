//! Records: what skills look up.

use std::collections::BTreeMap;

use postern_domain::Expected;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::run::{Fields, engine, read_all, read_one};
use crate::{
    IndexedDocument, RecordWrite, StoreError, StoredRecord,
    form::write,
    sql::{Batch, Statement, values},
};

const INSERT: Statement<3> = Statement::new(
    "write a new record",
    "INSERT INTO records (collection, key, version, body) VALUES ($1, $2, 1, $3) \
     ON CONFLICT (collection, key) DO NOTHING RETURNING version",
);

const UPDATE: Statement<4> = Statement::new(
    "write a record",
    "UPDATE records SET version = version + 1, body = $4 \
     WHERE collection = $1 AND key = $2 AND version = $3 RETURNING version",
);

const DELETE: Statement<3> = Statement::new(
    "delete a record",
    "DELETE FROM records WHERE collection = $1 AND key = $2 AND version = $3",
);

const IMPORT: Batch<4> = Batch {
    doing: "import records",
    before: "INSERT INTO records (collection, key, version, body) ",
    after: " ON CONFLICT (collection, key) DO UPDATE SET version = records.version + 1, \
             body = excluded.body RETURNING key, version",
};

const DROP_INDEX: Statement<2> = Statement::new(
    "drop old index entries",
    "DELETE FROM record_index WHERE collection = $1 AND key = $2",
);

/// A record may name a field and a value twice: an order has two items of one
/// product.
const INDEX: Batch<4> = Batch {
    doing: "index records",
    before: "INSERT INTO record_index (collection, key, field, value) ",
    after: " ON CONFLICT (collection, key, field, value) DO NOTHING",
};

const ONE: Statement<2> = Statement::new(
    "read a record",
    "SELECT collection, key, version, body FROM records WHERE collection = $1 AND key = $2",
);

const ALL: Statement<2> = Statement::new(
    "list records",
    "SELECT collection, key, version, body FROM records WHERE collection = $1 \
     ORDER BY key LIMIT $2",
);

const COUNTS: Statement<0> = Statement::new(
    "count records",
    "SELECT collection, count(*) AS records_kept FROM records GROUP BY collection",
);

fn read(f: &Fields<'_>) -> Result<StoredRecord, StoreError> {
    Ok(StoredRecord {
        collection: f.text("collection")?,
        key: f.text("key")?,
        version: f.number("version")?,
        body: f.json("body")?,
    })
}

/// Performs the steps in order and gives the version after each. The caller
/// undoes everything when one fails.
pub(super) async fn apply(
    on: &mut SqliteConnection,
    steps: &[RecordWrite],
) -> Result<Vec<u64>, StoreError> {
    let mut versions = Vec::with_capacity(steps.len());
    for step in steps {
        versions.push(match step {
            RecordWrite::Put { collection, document, expected } => {
                put(&mut *on, collection, document, *expected).await?
            }
            RecordWrite::Delete { collection, key, version } => {
                let values = values![collection.as_str(), key.as_str(), *version];
                if DELETE.execute(&mut *on, values).await? == 0 {
                    return Err(conflict(collection, key));
                }
                0
            }
        });
    }
    Ok(versions)
}

async fn put(
    on: &mut SqliteConnection,
    collection: &str,
    document: &IndexedDocument,
    expected: Expected,
) -> Result<u64, StoreError> {
    let key = document.key.as_str();
    let body = write(&document.body);
    let row = match expected {
        Expected::Absent => INSERT.row(&mut *on, values![collection, key, body]).await?,
        Expected::Version(version) => {
            UPDATE.row(&mut *on, values![collection, key, version, body]).await?
        }
    };
    let version = read_one("record", row.as_ref(), |f| f.number("version"))?;
    let version = version.ok_or_else(|| conflict(collection, key))?;
    drop_index(&mut *on, collection, key, version).await?;
    index(on, collection, &[document]).await?;
    Ok(version)
}

fn conflict(collection: &str, key: &str) -> StoreError {
    StoreError::Conflict { collection: collection.to_owned(), key: key.to_owned() }
}

/// Drops the index entries of the version before this one; the first has none.
async fn drop_index(
    on: &mut SqliteConnection,
    collection: &str,
    key: &str,
    version: u64,
) -> Result<(), StoreError> {
    if version > 1 {
        DROP_INDEX.execute(on, values![collection, key]).await?;
    }
    Ok(())
}

async fn index(
    on: &mut SqliteConnection,
    collection: &str,
    documents: &[&IndexedDocument],
) -> Result<(), StoreError> {
    let entries = documents.iter().flat_map(|document| {
        document.index.iter().map(|(field, value)| {
            values![collection, document.key.as_str(), field.as_str(), value.as_str()]
        })
    });
    INDEX.rows(on, entries.collect()).await.map(drop)
}

/// Puts records in place of those with the same keys. Of two with one key the
/// later one counts.
pub(super) async fn import(
    on: &mut SqliteConnection,
    collections: &BTreeMap<String, Vec<IndexedDocument>>,
) -> Result<BTreeMap<String, u64>, StoreError> {
    let mut counts = BTreeMap::new();
    for (collection, documents) in collections {
        let documents: BTreeMap<&str, &IndexedDocument> =
            documents.iter().map(|document| (document.key.as_str(), document)).collect();
        let rows = documents.iter().map(|(key, document)| {
            values![collection.as_str(), *key, 1_i64, write(&document.body)]
        });
        let rows = IMPORT.rows(&mut *on, rows.collect()).await?;
        for (key, version) in
            read_all("record", &rows, |f| Ok((f.text("key")?, f.number("version")?)))?
        {
            drop_index(&mut *on, collection, &key, version).await?;
        }
        let documents: Vec<_> = documents.into_values().collect();
        index(&mut *on, collection, &documents).await?;
        counts.insert(collection.clone(), documents.len() as u64);
    }
    Ok(counts)
}

pub(super) async fn one(
    on: &mut SqliteConnection,
    collection: &str,
    key: &str,
) -> Result<Option<StoredRecord>, StoreError> {
    let row = ONE.row(on, values![collection, key]).await?;
    read_one("record", row.as_ref(), read)
}

/// Records under which all conditions are indexed; without a condition, all.
/// What meets the first condition is read in the order of keys and held against
/// the others until there is enough.
pub(super) async fn find(
    on: &mut SqliteConnection,
    collection: &str,
    conditions: &[(String, String)],
    limit: u32,
) -> Result<Vec<StoredRecord>, StoreError> {
    let Some(((field, value), others)) = conditions.split_first() else {
        let rows = ALL.rows(on, values![collection, limit]).await?;
        return read_all("record", &rows, read);
    };
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT r.collection, r.key, r.version, r.body FROM record_index i \
         JOIN records r ON r.collection = i.collection AND r.key = i.key WHERE i.collection = ",
    );
    query.push_bind(collection.to_owned());
    query.push(" AND i.field = ").push_bind(field.clone());
    query.push(" AND i.value = ").push_bind(value.clone());
    for (field, value) in others {
        query.push(
            " AND EXISTS (SELECT 1 FROM record_index o WHERE o.collection = i.collection \
             AND o.key = i.key AND o.field = ",
        );
        query.push_bind(field.clone());
        query.push(" AND o.value = ").push_bind(value.clone()).push(")");
    }
    query.push(" ORDER BY i.key LIMIT ").push_bind(i64::from(limit));
    let rows = query.build().fetch_all(on).await.map_err(engine("find records"))?;
    read_all("record", &rows, read)
}

pub(super) async fn counts(on: &mut SqliteConnection) -> Result<BTreeMap<String, u64>, StoreError> {
    let rows = COUNTS.rows(on, values![]).await?;
    let counts =
        read_all("count", &rows, |f| Ok((f.text("collection")?, f.number("records_kept")?)))?;
    Ok(counts.into_iter().collect())
}
