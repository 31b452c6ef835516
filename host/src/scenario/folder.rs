//! The configuration of the host on which scenarios run.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use postern_domain::{Interface, Manifest};
use postern_scenario::Scenario;
use toml::{Table, Value};

use super::{RunError, suite::Told};
use crate::config::{self, Config, located};

/// What an author says of the host, beside the manifest.
const HOST_FILE: &str = "dev/host.toml";
/// Bytes of that file.
const MOST_BYTES: u64 = 256 * 1024;
/// What of an operator's configuration matters to a skill.
const OPERATORS: [&str; 5] = ["collections", "endpoints", "secrets", "skills", "limits"];
/// What stands for every secret begins like this.
const SECRET: &str = "scenario-secret-";
/// The operator's token of a host at which nobody knocks.
const TOKEN: &str = "operators-of-scenarios-do-not-sign-in";

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> RunError + '_ {
    move |source| RunError::Io { path: path.to_owned(), source }
}

/// The configuration in words, before a scenario adds its settings.
pub(super) struct Words {
    data: PathBuf,
    table: Table,
}

impl Words {
    /// The default configuration with what is told beside it, and what
    /// follows from manifest and scenarios where it says nothing.
    pub(super) fn new(
        data: &Path,
        told: &Told,
        manifest: &Manifest,
        scenarios: &[(PathBuf, Scenario)],
    ) -> Result<Self, RunError> {
        let default = PathBuf::from(config::FILE_NAME);
        let mut table = read(&default, config::DEFAULT)?;
        let over = match told {
            Told::Nothing => None,
            Told::ByAuthor(folder) => Some(folder.join(HOST_FILE)).filter(|file| file.exists()),
            Told::ByOperator(data) => Some(data.join(config::FILE_NAME)),
        };
        if let Some(file) = over {
            let size = fs::metadata(&file).map_err(io(&file))?.len();
            if size > MOST_BYTES {
                let reason = format!("{size} bytes; at most {MOST_BYTES}");
                return Err(RunError::Form { path: file, reason });
            }
            let text = fs::read_to_string(&file).map_err(io(&file))?;
            let mut over = read(&file, &text)?;
            if matches!(told, Told::ByOperator(_)) {
                over.retain(|name, _| OPERATORS.contains(&name));
            }
            overlay(&mut table, over);
        }
        endpoints(&mut table, manifest);
        collections(&mut table, scenarios);
        let words = Self { data: data.to_owned(), table };
        words.secrets()
    }

    /// Puts a value that everybody may know in the place of each secret.
    fn secrets(mut self) -> Result<Self, RunError> {
        let folder = self.data.join("secrets");
        fs::create_dir_all(&folder).map_err(io(&folder))?;
        let keep = |name: &str, value: &str| {
            let file = folder.join(name);
            fs::write(&file, value).map_err(io(&file))
        };
        keep("operator-token", TOKEN)?;
        let Some(Value::Table(secrets)) = self.table.get_mut("secrets") else { return Ok(self) };
        for (number, (name, secret)) in secrets.iter_mut().enumerate() {
            let Value::Table(secret) = secret else { continue };
            // Names may have characters that file names cannot have.
            let file = format!("of-{number}");
            keep(&file, &format!("{SECRET}{name}"))?;
            let mut place = Table::new();
            place.insert("file".to_owned(), Value::String(format!("secrets/{file}")));
            secret.insert("value".to_owned(), Value::Table(place));
        }
        Ok(self)
    }

    /// The configuration with the settings of one scenario.
    pub(super) fn config(
        &self,
        manifest: &Manifest,
        settings: &std::collections::BTreeMap<String, String>,
    ) -> Result<Config, RunError> {
        let mut table = self.table.clone();
        if !settings.is_empty() {
            let of = |table: &mut Table, name: &str| -> Table {
                match table.remove(name) {
                    Some(Value::Table(inner)) => inner,
                    Some(_) | None => Table::new(),
                }
            };
            let mut skills = of(&mut table, "skills");
            let mut skill = of(&mut skills, manifest.skill.id.as_str());
            let mut all = of(&mut skill, "settings");
            for (name, value) in settings {
                all.insert(name.clone(), Value::String(value.clone()));
            }
            skill.insert("settings".to_owned(), Value::Table(all));
            skills.insert(manifest.skill.id.to_string(), Value::Table(skill));
            table.insert("skills".to_owned(), Value::Table(skills));
        }
        let text = toml::to_string(&table).map_err(|error| RunError::Form {
            path: PathBuf::from(HOST_FILE),
            reason: error.to_string(),
        })?;
        Ok(Config::parse(&self.data, HOST_FILE, &text)?)
    }
}

fn read(path: &Path, text: &str) -> Result<Table, RunError> {
    toml::from_str(text)
        .map_err(|error| RunError::Form { path: path.to_owned(), reason: located(text, &error) })
}

/// Lays what is more special over what is general: a collection, endpoint or secret
/// as a whole, everything else by its name.
fn overlay(table: &mut Table, over: Table) {
    for (name, value) in over {
        match (table.get_mut(&name), value) {
            (Some(Value::Table(below)), Value::Table(over)) => below.extend(over),
            (_, value) => drop(table.insert(name, value)),
        }
    }
}

/// Each host that the manifest names is an endpoint, if none was said.
fn endpoints(table: &mut Table, manifest: &Manifest) {
    let hosts = manifest
        .capabilities
        .iter()
        .filter(|capability| capability.interface == Interface::Http)
        .flat_map(|capability| capability.hosts.iter().flatten());
    let Value::Table(endpoints) =
        table.entry("endpoints").or_insert_with(|| Value::Table(Table::new()))
    else {
        return;
    };
    if !endpoints.is_empty() {
        return;
    }
    for host in hosts {
        let words = |words: &[&str]| {
            Value::Array(words.iter().map(|word| Value::String((*word).to_owned())).collect())
        };
        let mut grant = Table::new();
        grant.insert(
            "methods".to_owned(),
            words(&["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]),
        );
        grant.insert("paths".to_owned(), words(&["**"]));
        let mut grants = Table::new();
        grants.insert(manifest.skill.id.to_string(), Value::Table(grant));
        let mut endpoint = Table::new();
        endpoint.insert("url".to_owned(), Value::String(format!("https://{host}/")));
        endpoint.insert("grants".to_owned(), Value::Table(grants));
        let name: String =
            host.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
        endpoints.insert(name, Value::Table(endpoint));
    }
}

/// Each collection of given records exists.
fn collections(table: &mut Table, scenarios: &[(PathBuf, Scenario)]) {
    let Value::Table(known) =
        table.entry("collections").or_insert_with(|| Value::Table(Table::new()))
    else {
        return;
    };
    let names: BTreeSet<&String> =
        scenarios.iter().flat_map(|(_, scenario)| scenario.given.records.keys()).collect();
    for name in names {
        if known.contains_key(name) {
            continue;
        }
        let mut records = scenarios
            .iter()
            .filter_map(|(_, scenario)| scenario.given.records.get(name))
            .flat_map(|records| records.values());
        let mut collection = Table::new();
        if records.all(|record| record.get("user_id").is_some()) {
            collection.insert("owner".to_owned(), Value::String("user_id".to_owned()));
        }
        known.insert(name.clone(), Value::Table(collection));
    }
}
