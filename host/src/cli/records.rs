//! `postern records`

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use postern_policy::Act;
use postern_store::{IndexedDocument, Store as _};
use serde_json::{Map, Value};

use super::{Context, operator_entry, output, output::out};
use crate::{
    config::Config,
    privacy::{Vault, Whose},
};

/// Bytes of a file of records.
const MOST_BYTES: u64 = 512 * 1024 * 1024;

#[derive(Debug, Subcommand)]
pub(super) enum Records {
    /// Bring in a file `{collection: {id: document}}`, all or nothing.
    ///
    /// A record with the same id is replaced. Collections must be declared in
    /// postern.toml; others are refused.
    Import {
        /// The JSON file.
        file: PathBuf,
    },
    /// Show one record. Personal values stay hidden unless asked for.
    Get {
        /// The collection.
        collection: String,
        /// The record's id.
        key: String,
        /// Show personal values; this is recorded in the audit log.
        #[arg(long)]
        reveal: bool,
    },
}

impl Records {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        context.require_folder()?;
        let config = Config::load(&context.data)?;
        match self {
            Self::Import { file } => {
                let name = file.display().to_string();
                let size = std::fs::metadata(&file).with_context(|| name.clone())?.len();
                anyhow::ensure!(size <= MOST_BYTES, "{name}: {size} bytes; at most {MOST_BYTES}");
                let bytes = std::fs::read(&file).with_context(|| name.clone())?;
                let collections = read(&config, &name, &bytes)?;
                let store = context.store().await?;
                let counts: Vec<_> =
                    collections.iter().map(|(c, d)| format!("{} {c}", d.len())).collect();
                let entry = operator_entry("records:import", name, counts.join(", "));
                let imported = store.import(collections, entry).await?;
                if context.json {
                    return output::json(&imported);
                }
                for (collection, number) in imported {
                    out!("{number} {collection}");
                }
            }
            Self::Get { collection, key, reveal } => {
                let Some(rules) = config.collections.get(&collection) else {
                    anyhow::bail!("collection {collection:?} is not declared in postern.toml");
                };
                let store = context.store().await?;
                let Some(record) = store.record(&collection, &key).await? else {
                    anyhow::bail!("there is no record {key:?} in {collection}");
                };
                let body = if reveal {
                    let on = format!("{collection}/{key}");
                    context.record(&store, Act::View, "records:reveal", on, String::new()).await?;
                    record.body
                } else {
                    Vault::new("····", vec![]).hide(rules, record.body, Whose::Unknown)
                };
                let shown = serde_json::json!({
                    "collection": collection, "key": key, "version": record.version, "body": body,
                });
                if context.json {
                    return output::json(&shown);
                }
                out!("{}", serde_json::to_string_pretty(&shown)?);
            }
        }
        Ok(())
    }
}

/// Reads and checks a file of records.
fn read(
    config: &Config,
    file: &str,
    bytes: &[u8],
) -> anyhow::Result<BTreeMap<String, Vec<IndexedDocument>>> {
    let shape = "must be {collection: {id: document}}";
    let collections: Map<String, Value> = serde_json::from_slice(bytes).map_err(|error| {
        // The parser's message names the place, not the content.
        anyhow::anyhow!("{file}: line {}, column {}: {shape}", error.line(), error.column())
    })?;
    let mut read = BTreeMap::new();
    for (collection, documents) in collections {
        let Some(rules) = config.collections.get(&collection) else {
            let known: Vec<_> = config.collections.iter().map(|(name, _)| name).collect();
            anyhow::bail!(
                "{file}: {collection}: not declared; add [collections.{collection}] to \
                 postern.toml (declared: {})",
                known.join(", ")
            );
        };
        let Value::Object(documents) = documents else {
            anyhow::bail!("{file}: {collection}: {shape}");
        };
        let mut list = Vec::with_capacity(documents.len());
        for (key, body) in documents {
            let shown: String = key.chars().take(80).collect();
            anyhow::ensure!(
                !key.is_empty() && key.len() <= 200 && !key.chars().any(char::is_control),
                "{file}: {collection}.{shown:?}: an id is 1 to 200 bytes without control characters"
            );
            anyhow::ensure!(body.is_object(), "{file}: {collection}.{shown}: must be an object");
            if let Some(owner) = &rules.owner {
                anyhow::ensure!(
                    rules.owner_of(&body).is_some(),
                    "{file}: {collection}.{shown}.{owner}: is missing; it names the customer to whom \
                     the record belongs"
                );
            }
            let index = rules.index(&body);
            list.push(IndexedDocument { key, body, index });
        }
        read.insert(collection, list);
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("secrets")).unwrap();
        std::fs::write(folder.path().join("secrets/operator-token"), "0123456789abcdef").unwrap();
        let config = Config::parse(folder.path(), "postern.toml", crate::config::DEFAULT).unwrap();
        let error = read(&config, "shop.json", text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    }

    #[test]
    fn bad_files_name_file_place_and_reason() {
        check("[1]", "shop.json: line 1, column 0: must be {collection");
        check("{\"orders\": ", "shop.json: line 1");
        check(r#"{"orders": []}"#, "shop.json: orders: must be");
        check(r#"{"secrets": {}}"#, "shop.json: secrets: not declared");
        check(r##"{"orders": {"#W1": 5}}"##, "shop.json: orders.#W1: must be an object");
        check(r##"{"orders": {"#W1": {}}}"##, "orders.#W1.user_id: is missing");
        check(r#"{"orders": {"": {}}}"#, "an id is 1 to 200 bytes");
    }
}
