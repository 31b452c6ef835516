//! What must stay as it is, and how commands end.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use postern_domain::Digest;
use postern_store::Store as _;
use postern_test_support::host::DataFolder;

use super::store_of;

/// A command that should refuse something and does not would run on.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs a command that ends by itself, and answers how.
pub(crate) async fn outcome(
    data: &DataFolder,
    arguments: &[&str],
) -> Result<(Option<i32>, String, String)> {
    let ended = tokio::time::timeout(LIMIT, data.try_postern(arguments)).await;
    let Output { status, stdout, stderr } =
        ended.with_context(|| format!("postern {} does not end", arguments.join(" ")))??;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok((status.code(), text(stdout), text(stderr)))
}

/// A data folder's content at one moment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Untouched {
    files: BTreeMap<PathBuf, Digest>,
    records: BTreeMap<String, u64>,
    audit_rows: usize,
}

impl Untouched {
    /// The content now: files byte by byte, the database by what it holds.
    pub(crate) async fn now(data: &DataFolder) -> Result<Self> {
        let store = store_of(data).await?;
        let records = store.collections().await?;
        let audit_rows = store.audit_tail(u32::MAX, None).await?.len();
        let mut files = BTreeMap::new();
        walk(data.path(), &mut files)?;
        Ok(Self { files, records, audit_rows })
    }

    /// Fails unless the content still is the same.
    pub(crate) async fn must_hold(&self, data: &DataFolder, after: &str) -> Result<()> {
        let now = Self::now(data).await?;
        ensure!(*self == now, "{after} changed something: {self:#?} became {now:#?}");
        Ok(())
    }
}

fn walk(folder: &Path, files: &mut BTreeMap<PathBuf, Digest>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            walk(&path, files)?;
        } else if !name.starts_with("postern.db") && !name.ends_with(".lock") {
            files.insert(path.clone(), Digest::of_bytes(&std::fs::read(&path)?));
        }
    }
    Ok(())
}
