//! A host's data folder, prepared through the command line as an operator does.

use std::{
    ffi::OsStr,
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use tempfile::TempDir;
use tokio::{io::AsyncWriteExt as _, process::Command};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value, value};

use super::{ACCOUNT, SkillFiles, binary};
use crate::SupportError;

/// A data folder. A temporary one is deleted when this is dropped.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _temporary: Option<TempDir>,
}

impl DataFolder {
    /// A new data folder that lasts as long as this value, its ports free ones.
    ///
    /// # Errors
    /// Where `postern init` fails.
    pub async fn temporary() -> Result<Self, SupportError> {
        let folder = tempfile::tempdir().map_err(SupportError::file(std::env::temp_dir()))?;
        Self::init(folder.path().join("data"), Some(folder)).await
    }

    /// A new data folder at `path` that stays, its ports free ones.
    ///
    /// # Errors
    /// Where `postern init` fails.
    pub async fn at(path: PathBuf) -> Result<Self, SupportError> {
        Self::init(path, None).await
    }

    async fn init(path: PathBuf, temporary: Option<TempDir>) -> Result<Self, SupportError> {
        let folder = Self { path, _temporary: temporary };
        folder.postern(["init"]).await?;
        folder.edit_config(|config| {
            let server = table(config.as_table_mut(), &["server"]);
            server["public"] = value("127.0.0.1:0");
            server["operator"] = value("127.0.0.1:0");
        })?;
        Ok(folder)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `postern --data FOLDER` with these arguments and answers what it
    /// printed.
    ///
    /// # Errors
    /// Where it fails, with what it said.
    pub async fn postern<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<String, SupportError> {
        let arguments: Vec<A> = arguments.into_iter().collect();
        let words: Vec<_> = arguments.iter().map(|a| a.as_ref().to_string_lossy()).collect();
        let what = format!("postern {}", words.join(" "));
        let output = self.try_postern(&arguments).await?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(SupportError::Failed { what, detail: format!("{}, {}", output.status, said.trim()) })
    }

    /// Runs `postern --data FOLDER` with these arguments and answers how it
    /// ended, for tests of what it refuses.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub async fn try_postern<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Output, SupportError> {
        Command::new(binary()?)
            .arg("--data")
            .arg(&self.path)
            .args(arguments)
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|source| SupportError::Start { what: "postern".to_owned(), source })
    }

    /// Runs `postern --data FOLDER` with these arguments and this standard input,
    /// and answers what it printed.
    ///
    /// # Errors
    /// Where it fails, with what it said.
    pub async fn postern_with_input<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        input: &str,
    ) -> Result<String, SupportError> {
        let cannot = |source| SupportError::Start { what: "postern".to_owned(), source };
        let mut child = Command::new(binary()?)
            .arg("--data")
            .arg(&self.path)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(cannot)?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that ends early says why, which is more than this could.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        let output = child.wait_with_output().await.map_err(cannot)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let detail = format!("{}, {}", output.status, said.trim());
        Err(SupportError::Failed { what: "postern with input".to_owned(), detail })
    }

    /// Changes `postern.toml`, keeping its comments.
    ///
    /// # Errors
    /// Where it cannot be read or written, or is not TOML.
    pub fn edit_config(&self, edit: impl FnOnce(&mut DocumentMut)) -> Result<(), SupportError> {
        let path = self.path.join("postern.toml");
        let text = fs::read_to_string(&path).map_err(SupportError::file(&path))?;
        let mut config: DocumentMut = text.parse().map_err(|problem: toml_edit::TomlError| {
            SupportError::Content { path: path.clone(), problem: problem.to_string() }
        })?;
        edit(&mut config);
        fs::write(&path, config.to_string()).map_err(SupportError::file(&path))
    }

    /// Keeps a secret in a file of the folder, readable for its owner alone.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write_secret(&self, name: &str, secret: &str) -> Result<(), SupportError> {
        let folder = self.path.join("secrets");
        fs::create_dir_all(&folder).map_err(SupportError::file(&folder))?;
        let path = folder.join(name);
        fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(secret.as_bytes()))
            .map_err(SupportError::file(&path))
    }

    /// The operator's token, which `postern init` made.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn operator_token(&self) -> Result<String, SupportError> {
        let path = self.path.join("secrets").join("operator-token");
        let token = fs::read_to_string(&path).map_err(SupportError::file(&path))?;
        Ok(token.trim().to_owned())
    }

    /// Adds a Telegram bot as account [`ACCOUNT`]: its token, what its webhooks
    /// carry, and where its Bot API is.
    ///
    /// # Errors
    /// Where a file of the folder cannot be written.
    pub fn use_telegram(
        &self,
        bot_token: &str,
        secret_token: &str,
        api_base: &str,
    ) -> Result<(), SupportError> {
        self.write_secret("telegram-bot-token", bot_token)?;
        self.write_secret("telegram-secret-token", secret_token)?;
        self.edit_config(|config| {
            let account = table(config.as_table_mut(), &["channels", "telegram", ACCOUNT]);
            account["bot_token"] = secret_file("telegram-bot-token");
            account["secret_token"] = secret_file("telegram-secret-token");
            account["api_base"] = value(api_base);
        })
    }

    /// Lets `shipment-tracking` reach a carrier at `url` with its token.
    ///
    /// # Errors
    /// Where a file of the folder cannot be written.
    pub fn use_carrier(&self, url: &str, token: &str) -> Result<(), SupportError> {
        self.write_secret("carrier-token", token)?;
        self.edit_config(|config| {
            let root = config.as_table_mut();
            let endpoint = table(root, &["endpoints", "carrier"]);
            endpoint["url"] = value(url);
            endpoint["private"] = value(Array::from_iter(["127.0.0.0/8"]));
            let grant = table(endpoint, &["grants", "shipment-tracking"]);
            grant["methods"] = value(Array::from_iter(["GET"]));
            grant["paths"] = value(Array::from_iter(["v1/shipments/*"]));
            grant["secrets"] = value(Array::from_iter(["carrier-token"]));
            let secret = table(root, &["secrets", "carrier-token"]);
            secret["value"] = secret_file("carrier-token");
            secret["endpoint"] = value("carrier");
            secret["header"] = value("authorization");
            secret["prefix"] = value("Bearer ");
            table(root, &["skills", "shipment-tracking", "settings"])["carrier_url"] = value(url);
        })
    }

    /// Lets codes reach customers' e-mail addresses by a gateway at `url`.
    ///
    /// # Errors
    /// Where a file of the folder cannot be written.
    pub fn use_gateway(&self, url: &str, token: &str) -> Result<(), SupportError> {
        self.write_secret("gateway-token", token)?;
        self.edit_config(|config| {
            let identity = table(config.as_table_mut(), &["identity"]);
            let mut contacts = toml_edit::InlineTable::new();
            contacts.insert("email", "email".into());
            identity["contacts"] = value(contacts);
            let delivery = table(identity, &["delivery"]);
            delivery["url"] = value(url);
            delivery["token"] = secret_file("gateway-token");
        })
    }

    /// Installs a skill and grants what it requests.
    ///
    /// # Errors
    /// Where the host refuses it.
    pub async fn install(&self, skill: &SkillFiles) -> Result<(), SupportError> {
        let arguments: [&OsStr; 8] = [
            "skill".as_ref(),
            "install".as_ref(),
            // Nobody signs what is built here.
            "--allow-unsigned".as_ref(),
            skill.component.as_ref(),
            "--manifest".as_ref(),
            skill.manifest.as_ref(),
            "--grant".as_ref(),
            "requested".as_ref(),
        ];
        self.postern(arguments).await.map(drop)
    }

    /// Imports a file of records.
    ///
    /// # Errors
    /// Where the host refuses it.
    pub async fn import(&self, records: &Path) -> Result<(), SupportError> {
        let arguments: [&OsStr; 3] = ["records".as_ref(), "import".as_ref(), records.as_ref()];
        self.postern(arguments).await.map(drop)
    }
}

/// The table at `path`, made where it is missing. Tables above it are not
/// written as headings of their own.
fn table<'a>(root: &'a mut Table, path: &[&str]) -> &'a mut Table {
    path.iter().fold(root, |parent, name| {
        let entry = parent.entry(name).or_insert_with(|| {
            let mut new = Table::new();
            new.set_implicit(true);
            Item::Table(new)
        });
        if !entry.is_table() {
            *entry = Item::Table(Table::new());
        }
        entry.as_table_mut().expect("it was made a table above")
    })
}

/// A reference to a secret in the folder's `secrets`.
fn secret_file(name: &str) -> Item {
    let mut reference = InlineTable::new();
    reference.insert("file", Value::from(format!("secrets/{name}")));
    value(reference)
}
