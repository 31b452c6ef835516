//! The data folder in which an author tries a skill.
//!
//! Its configuration is written anew whenever a host begins to work in it: the default
//! one, what the skill's `dev/host.toml` says, and the addresses of stand-ins for other
//! servers. Only a folder with the mark of `postern skill dev` is treated so, so that
//! nothing ever happens to an operator's.

use std::path::{Path, PathBuf};

use postern_domain::{Interface, Manifest};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};
use url::Url;

use super::{AuthorError, build::replace, built_file};
use crate::{
    config,
    keys::write_private,
    package,
    registry::{MOST_COMPONENT_BYTES, MOST_MANIFEST_BYTES, read_file, read_manifest},
};

/// What makes a data folder one for trying.
const MARK: &str = "dev.toml";
/// What the host has to know besides, in the skill's folder.
const HOST_FILE: &str = "dev/host.toml";
/// Where stand-ins listen: every address of this machine alone.
const LOOPBACK: &str = "127.0.0.0/8";
/// Their address, for manifests that name their hosts.
const STAND_IN_HOST: &str = "127.0.0.1";

/// A data folder for trying one skill.
#[derive(Clone, Debug)]
pub struct World {
    /// The data folder.
    pub data: PathBuf,
    /// The skill's folder.
    pub skill: PathBuf,
    /// Port of the web chat; 0 for any that is free.
    pub port: u16,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    /// From the data folder, or absolute.
    skill: PathBuf,
    port: u16,
}

/// A server that the skill's endpoints name, to be stood in for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Scheme, host and port, such as `https://status.example`.
    pub origin: String,
    /// The host, with its port if that is not the usual one.
    pub host: String,
}

impl World {
    /// The world that a data folder is, if it is one.
    ///
    /// # Errors
    /// Its mark cannot be read.
    pub fn of(data: &Path) -> Result<Option<Self>, AuthorError> {
        let path = data.join(MARK);
        if !path.is_file() {
            return Ok(None);
        }
        let text = text(&path)?;
        let mark: Mark = toml::from_str(&text).map_err(|error| toml_error(&path, &error))?;
        let skill = data.join(mark.skill);
        let skill = skill.canonicalize().map_err(AuthorError::io(&skill))?;
        Ok(Some(Self { data: data.to_owned(), skill, port: mark.port }))
    }

    /// Marks a data folder that `postern init` has just made.
    ///
    /// # Errors
    /// The mark cannot be written.
    pub fn mark(&self) -> Result<(), AuthorError> {
        let (data, skill) = (canonical(&self.data)?, canonical(&self.skill)?);
        let inside = data.parent() == Some(skill.as_path());
        let skill = if inside { PathBuf::from("..") } else { skill };
        let mark = Mark { skill, port: self.port };
        let text = toml::to_string(&mark).map_err(|error| AuthorError::Config {
            file: data.join(MARK),
            reason: error.to_string(),
        })?;
        replace(&data.join(MARK), text.as_bytes())
    }

    /// The servers that the skill's endpoints name.
    ///
    /// # Errors
    /// `dev/host.toml` cannot be read.
    pub fn servers(&self) -> Result<Vec<Server>, AuthorError> {
        let mut servers = Vec::new();
        for (_, endpoint) in table(&self.host_file()?, "endpoints") {
            let Some(url) = endpoint.get("url").and_then(Value::as_str) else { continue };
            let Some(server) = server(url) else { continue };
            if !servers.contains(&server) {
                servers.push(server);
            }
        }
        Ok(servers)
    }

    /// Writes the configuration: with these ports, the servers' stand-ins listen there.
    ///
    /// # Errors
    /// `dev/host.toml` or the manifest cannot be used, or a file cannot be written.
    pub fn configure(&self, stand_ins: &[(Server, u16)]) -> Result<(), AuthorError> {
        let file = self.data.join(config::FILE_NAME);
        let wrong = |reason: String| AuthorError::Config { file: file.clone(), reason };
        let mut config: Table =
            toml::from_str(config::DEFAULT).map_err(|error| wrong(error.message().to_owned()))?;
        let mut own = self.host_file()?;
        // A default that names such a server has to be set to its stand-in.
        let manifest = read_manifest(&self.skill.join("skill.toml"))?;
        for setting in &manifest.settings {
            let Some(default) = setting.default.as_deref() else { continue };
            if stand_ins.iter().any(|(server, _)| begins_with(default, &server.origin)) {
                let of_skill = inner(inner(&mut own, "skills"), manifest.skill.id.as_str());
                inner(of_skill, "settings")
                    .entry(setting.name.clone())
                    .or_insert_with(|| Value::from(default));
            }
        }
        let mut own = Value::Table(own);
        redirect(&mut own, stand_ins);
        if let Value::Table(own) = own {
            merge(&mut config, own);
        }
        for (_, endpoint) in
            config.get_mut("endpoints").and_then(Value::as_table_mut).into_iter().flatten()
        {
            if let Some(endpoint) = endpoint.as_table_mut() {
                endpoint.insert("private".to_owned(), vec![LOOPBACK].into());
            }
        }
        self.secrets(&mut config)?;
        let server = inner(&mut config, "server");
        server.insert("public".to_owned(), format!("{STAND_IN_HOST}:{}", self.port).into());
        server.insert("operator".to_owned(), format!("{STAND_IN_HOST}:0").into());
        let text = toml::to_string(&config).map_err(|error| wrong(error.to_string()))?;
        let text = format!(
            "# Written anew by `postern skill dev`. Change {HOST_FILE} in the skill's folder.\n\n{text}"
        );
        replace(&file, text.as_bytes())
    }

    /// Secrets have values of their own here: nobody's real ones are asked for.
    fn secrets(&self, config: &mut Table) -> Result<(), AuthorError> {
        let secrets = config.get_mut("secrets").and_then(Value::as_table_mut);
        for (name, secret) in secrets.into_iter().flatten() {
            let known = !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
            let (Some(secret), true) = (secret.as_table_mut(), known) else { continue };
            let file = format!("secrets/dev-{name}");
            let path = self.data.join(&file);
            if !path.exists() {
                let value = format!("dev-secret-{name}-0000000000000000");
                write_private(&path, value.as_bytes()).map_err(AuthorError::io(&path))?;
            }
            let reference = Table::from_iter([("file".to_owned(), file.into())]);
            secret.insert("value".to_owned(), reference.into());
        }
        Ok(())
    }

    /// Puts the proposed rules of the skill among those of the data folder.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub fn copy_rules(&self) -> Result<(), AuthorError> {
        let manifest = read_manifest(&self.skill.join("skill.toml"))?;
        let proposed = self.skill.join("policy.cedar");
        if !proposed.is_file() {
            return Ok(());
        }
        let rules = read_file(&proposed, MOST_MANIFEST_BYTES as u64)?;
        let name = format!("{}.cedar", manifest.skill.id);
        replace(&self.data.join("policies").join(name), &rules)
    }

    /// The skill as it is tried here: what it was built, but where its manifest names
    /// the hosts that it reaches, the stand-ins' is among them.
    ///
    /// # Errors
    /// It was not built, or a file cannot be read or written.
    pub fn package(&self) -> Result<PathBuf, AuthorError> {
        let manifest = read_manifest(&self.skill.join("skill.toml"))?;
        let file = built_file(&self.skill, &manifest);
        if self.servers()?.is_empty() {
            return Ok(file);
        }
        let bytes = read_file(&file, MOST_COMPONENT_BYTES)?;
        let Some(mut package) = package::unpack(&bytes)? else { return Ok(file) };
        reach_stand_ins(&mut package.manifest);
        let packed = package::pack(&bytes, &package.manifest, &package.assets)?;
        let tried = self.data.join("tried.wasm");
        replace(&tried, &packed)?;
        Ok(tried)
    }

    /// `dev/host.toml`, which need not be there.
    fn host_file(&self) -> Result<Table, AuthorError> {
        let path = self.skill.join(HOST_FILE);
        if !path.is_file() {
            return Ok(Table::new());
        }
        toml::from_str(&text(&path)?).map_err(|error| toml_error(&path, &error))
    }
}

fn reach_stand_ins(manifest: &mut Manifest) {
    for capability in &mut manifest.capabilities {
        if let (Interface::Http, Some(hosts)) = (capability.interface, &mut capability.hosts) {
            hosts.insert(STAND_IN_HOST.to_owned());
        }
    }
}

fn canonical(path: &Path) -> Result<PathBuf, AuthorError> {
    path.canonicalize().map_err(AuthorError::io(path))
}

fn text(path: &Path) -> Result<String, AuthorError> {
    let bytes = read_file(path, MOST_MANIFEST_BYTES as u64)?;
    String::from_utf8(bytes).map_err(|_| AuthorError::Config {
        file: path.to_owned(),
        reason: "is not UTF-8".to_owned(),
    })
}

fn toml_error(path: &Path, error: &toml::de::Error) -> AuthorError {
    AuthorError::Config { file: path.to_owned(), reason: error.message().to_owned() }
}

fn server(url: &str) -> Option<Server> {
    let url = Url::parse(url).ok()?;
    let name = url.host_str()?;
    let host = url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
    Some(Server { origin: format!("{}://{host}", url.scheme()), host })
}

/// Whether a URL is at this origin, and not at one with a longer name.
fn begins_with(url: &str, origin: &str) -> bool {
    url.strip_prefix(origin).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Sends every URL of a server to its stand-in.
fn redirect(value: &mut Value, stand_ins: &[(Server, u16)]) {
    match value {
        Value::String(text) => {
            let found = stand_ins.iter().find(|(server, _)| begins_with(text, &server.origin));
            if let Some((server, port)) = found {
                let rest = text.strip_prefix(&server.origin).unwrap_or_default();
                *text = format!("http://{STAND_IN_HOST}:{port}{rest}");
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| redirect(value, stand_ins)),
        Value::Table(table) => {
            table.iter_mut().for_each(|(_, value)| redirect(value, stand_ins));
        }
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {}
    }
}

/// Lays one configuration over another.
fn merge(config: &mut Table, over: Table) {
    for (name, value) in over {
        match (config.get_mut(&name), value) {
            (Some(Value::Table(old)), Value::Table(new)) => merge(old, new),
            (_, value) => {
                config.insert(name, value);
            }
        }
    }
}

/// A table in a table, made where it is missing.
fn inner<'t>(table: &'t mut Table, name: &str) -> &'t mut Table {
    let entry = table.entry(name.to_owned()).or_insert_with(|| Table::new().into());
    if !entry.is_table() {
        *entry = Table::new().into();
    }
    entry.as_table_mut().expect("it was made a table above")
}

fn table(config: &Table, name: &str) -> Table {
    config.get(name).and_then(Value::as_table).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests;
