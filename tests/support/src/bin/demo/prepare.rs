//! A fresh data folder with the skills and a shop.

use std::{
    fs,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use jiff::civil::Date;
use postern_test_support::{
    host::{self, DataFolder},
    paths,
    shop::{self, Shop},
};

use crate::show::{Event, Show};

/// The file that shows that a folder belongs to the demo and may be emptied. It
/// is locked while a demo uses the folder.
const MARKER: &str = "demo.lock";

/// A prepared data folder and the shop in it.
pub(crate) struct Prepared {
    pub(crate) data: DataFolder,
    pub(crate) shop: Shop,
    /// Held as long as the folder is in use.
    _lock: fs::File,
}

/// Empties `folder`, makes it a data folder, installs the skills and imports
/// `records`, or the sample shop.
pub(crate) async fn prepare(
    folder: &Path,
    records: Option<&Path>,
    today: Date,
    show: &mut Show,
) -> Result<Prepared> {
    // What is wrong with the file is told before anything is emptied.
    let (path, records, shop) = read_shop(records, today)?;
    let skills = host::shipped_skills()?;

    show.event(&Event::Preparing { what: &format!("preparing {}", folder.display()) });
    let lock = empty(folder)?;
    let data = DataFolder::at(folder.to_owned()).await?;
    for skill in &skills {
        let name = skill.manifest.parent().and_then(Path::file_name).unwrap_or_default();
        let what = format!("installing the skill {}", name.to_string_lossy());
        show.event(&Event::Preparing { what: &what });
        data.install(skill).await?;
    }
    show.event(&Event::Preparing { what: &format!("importing {}", path.display()) });
    let settled = folder.join("demo-shop.json");
    fs::write(&settled, serde_json::to_vec(&records)?)
        .with_context(|| format!("cannot write {}", settled.display()))?;
    data.import(&settled).await?;
    Ok(Prepared { data, shop, _lock: lock })
}

/// An operator who may approve refunds, and the file with their token.
pub(crate) async fn approver(data: &DataFolder) -> Result<PathBuf> {
    data.postern(["operator", "add", "lee", "--role", "approver"]).await?;
    let token = data.postern(["operator", "token", "lee"]).await?;
    let secret = token.lines().next().context("the command prints no token")?;
    data.write_secret("demo-approver", secret)?;
    Ok(data.path().join("secrets").join("demo-approver"))
}

fn read_shop(path: Option<&Path>, today: Date) -> Result<(PathBuf, serde_json::Value, Shop)> {
    let path = match path {
        Some(path) => path.to_owned(),
        None => paths::repository().join("skills").join("sample-shop.json"),
    };
    let mut records = shop::read(&path)?;
    shop::settle_dates(&mut records, today);
    let shop = Shop::from_records(&path, &records)?;
    Ok((path, records, shop))
}

/// Empties a folder of an earlier demo, or makes a new one. Any other folder is
/// left alone.
fn empty(folder: &Path) -> Result<fs::File> {
    // It will hold keys.
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let marker = folder.join(MARKER);
    let entries = || -> Result<Vec<PathBuf>> {
        let entries =
            fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
        entries.map(|entry| Ok(entry?.path())).collect()
    };
    ensure!(
        marker.exists() || entries()?.is_empty(),
        "{} is not empty and not a folder of the demo, so it is not emptied; name another with \
         --data, or remove it yourself",
        folder.display()
    );
    let lock = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&marker)
        .with_context(|| format!("cannot open {}", marker.display()))?;
    if let Err(problem) = lock.try_lock() {
        match problem {
            fs::TryLockError::WouldBlock => bail!(
                "another demo is using {}; end it, or name another folder with --data",
                folder.display()
            ),
            fs::TryLockError::Error(problem) => {
                return Err(problem).with_context(|| format!("cannot lock {}", marker.display()));
            }
        }
    }
    for path in entries()?.into_iter().filter(|path| *path != marker) {
        let removed =
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.with_context(|| format!("cannot remove {}", path.display()))?;
    }
    Ok(lock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_the_demo_are_emptied_and_only_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let precious = folder.path().join("precious");
        fs::write(&precious, "x").unwrap();
        assert!(empty(folder.path()).unwrap_err().to_string().contains("is not emptied"));
        assert!(precious.exists());

        let demo = folder.path().join("demo");
        let lock = empty(&demo).unwrap();
        fs::write(demo.join("old"), "x").unwrap();
        assert!(empty(&demo).unwrap_err().to_string().contains("another demo"));
        drop(lock);
        let _lock = empty(&demo).unwrap();
        assert!(!demo.join("old").exists());
    }
}
