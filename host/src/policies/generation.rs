//! Generations of rules: immutable once written, one of them in force.

use std::path::Path;

use postern_domain::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{PoliciesError, Sources};
use crate::{config::Config, durable::Folder};

/// The folder in the data folder.
const ROOT: &str = "policy";
const CURRENT: &str = "current";
const FOLDER: &str = "generations";
/// Bytes of a generation: two thousand rules with their comments have room.
const MOST_BYTES: u64 = 128 * 1024 * 1024;

/// Rules as they were put in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyGeneration {
    /// Its number, from 1.
    pub number: u64,
    /// The files.
    pub sources: Sources,
    /// Digest of the files.
    pub digest: Digest,
    /// Who put them in force first, as in audit.
    pub author: String,
    /// When.
    pub at: Timestamp,
    /// Which one was in force before it was written; none if none was, or if it was
    /// written before that was kept.
    #[serde(default)]
    pub before: Option<u64>,
    /// What the configuration said of collections then: rules mean something else
    /// when it says something else. None if it was written before that was kept.
    #[serde(default)]
    pub collections: Option<Value>,
}

impl PolicyGeneration {
    /// Whether the configuration says of collections what it said when this was put in
    /// force.
    ///
    /// # Errors
    /// It does not; the collections are named.
    pub fn fits(&self, config: &Config) -> Result<(), PoliciesError> {
        let Some(Value::Object(was)) = &self.collections else { return Ok(()) };
        let is = view_of(config);
        let is = is.as_object().cloned().unwrap_or_default();
        let mut names: Vec<String> = was.keys().chain(is.keys()).cloned().collect();
        names.retain(|name| was.get(name) != is.get(name));
        names.sort_unstable();
        names.dedup();
        let generation = self.number;
        if names.is_empty() { Ok(()) } else { Err(PoliciesError::Changed { generation, names }) }
    }
}

/// What the configuration says of collections, as far as it matters to rules.
fn view_of(config: &Config) -> Value {
    serde_json::to_value(config.collections.rules()).expect("collections serialize to JSON")
}

/// The stored form.
#[derive(Serialize, Deserialize)]
#[serde(tag = "version")]
enum GenerationFile {
    #[serde(rename = "1")]
    V1 { generation: PolicyGeneration },
}

/// The generations of a data folder.
#[derive(Debug)]
pub struct Generations {
    folder: Folder,
}

fn io(path: &str) -> impl FnOnce(std::io::Error) -> PoliciesError {
    let path = format!("{ROOT}/{path}");
    move |source| PoliciesError::File { path, source }
}

fn damaged(path: &str, reason: &'static str) -> PoliciesError {
    PoliciesError::Damaged { path: format!("{ROOT}/{path}"), reason }
}

fn path_of(number: u64) -> String {
    format!("{FOLDER}/{number}.json")
}

impl Generations {
    /// Opens the generations of a data folder.
    ///
    /// # Errors
    /// The file system fails.
    pub fn open(data: &Path) -> Result<Self, PoliciesError> {
        let folder = Folder::open(&data.join(ROOT), &[FOLDER]).map_err(io(""))?;
        Ok(Self { folder })
    }

    /// The number of the one in force; none if none ever was.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn current(&self) -> Result<Option<u64>, PoliciesError> {
        let Some(bytes) = self.folder.read(CURRENT, 64).map_err(io(CURRENT))? else {
            return Ok(None);
        };
        let number = std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok());
        number.map(Some).ok_or_else(|| damaged(CURRENT, "it must hold the number of a generation"))
    }

    /// The numbers of all, oldest first.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn numbers(&self) -> Result<Vec<u64>, PoliciesError> {
        let names = self.folder.names(FOLDER).map_err(io(FOLDER))?;
        let number = |name: &String| name.strip_suffix(".json")?.parse().ok();
        let mut numbers: Vec<u64> = names.iter().filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// One of them, as it was written.
    ///
    /// # Errors
    /// There is none of this number, or it is not as it was written.
    pub fn read(&self, number: u64) -> Result<PolicyGeneration, PoliciesError> {
        let path = path_of(number);
        let bytes = self.folder.read(&path, MOST_BYTES).map_err(io(&path))?;
        let bytes = bytes.ok_or(PoliciesError::NoGeneration(number))?;
        let GenerationFile::V1 { generation } =
            serde_json::from_slice(&bytes).map_err(|_| damaged(&path, "it cannot be read"))?;
        if generation.number != number {
            return Err(damaged(&path, "it is another generation"));
        }
        if generation.sources.digest() != generation.digest {
            return Err(damaged(&path, "its files have another digest"));
        }
        Ok(generation)
    }

    /// Writes these files as the generation after all others, under the collections as
    /// they are configured. It is not in force.
    ///
    /// # Errors
    /// The file system fails, or somebody else writes one now.
    pub fn write(
        &self,
        config: &Config,
        sources: Sources,
        author: &str,
        at: Timestamp,
    ) -> Result<PolicyGeneration, PoliciesError> {
        let number = self.numbers()?.last().map_or(1, |last| last + 1);
        let (digest, author) = (sources.digest(), author.to_owned());
        let (before, collections) = (self.current()?, Some(view_of(config)));
        let generation =
            PolicyGeneration { number, sources, digest, author, at, before, collections };
        let file = GenerationFile::V1 { generation: generation.clone() };
        let bytes = serde_json::to_vec(&file).expect("a generation serializes to JSON");
        let path = path_of(number);
        self.folder.write_new(&path, &bytes).map_err(io(&path))?;
        Ok(generation)
    }

    /// Puts one in force that was written: one swap of a file.
    ///
    /// # Errors
    /// The file system fails.
    pub fn activate(&self, number: u64) -> Result<(), PoliciesError> {
        self.folder.write(CURRENT, number.to_string().as_bytes()).map_err(io(CURRENT))
    }
}
