//! Reads scenarios from files.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::Value;

use crate::{HttpAnswer, Scenario, ScenarioError, format::place};

/// Bytes of a file with a scenario.
const MOST_BYTES: u64 = 1 << 20;
/// Bytes of a file with records.
const MOST_RECORD_BYTES: u64 = 8 << 20;
/// Scenarios of a folder.
const MOST_FILES: usize = 500;

/// Records by collection and key.
pub type Records = BTreeMap<String, BTreeMap<String, Value>>;

/// Reads every `*.toml` of a folder, in order of their names.
///
/// # Errors
/// A file cannot be read or is not a scenario, two have one name, or there is none.
pub fn read_folder(folder: &Path) -> Result<Vec<(PathBuf, Scenario)>, ScenarioError> {
    let failed = |source| ScenarioError::Read { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
        if files.len() > MOST_FILES {
            let what = format!("more than {MOST_FILES} scenarios; put some into another folder");
            return Err(ScenarioError::TooMuch { path: folder.to_owned(), what });
        }
    }
    files.sort();
    let mut names = BTreeMap::<String, PathBuf>::new();
    let mut scenarios = Vec::with_capacity(files.len());
    for path in files {
        let scenario = read_file(&path)?;
        let name = scenario.about.name.clone();
        if let Some(other) = names.insert(name.clone(), path.clone()) {
            return Err(ScenarioError::Twice { path, other, name });
        }
        scenarios.push((path, scenario));
    }
    if scenarios.is_empty() {
        return Err(ScenarioError::None { path: folder.to_owned() });
    }
    Ok(scenarios)
}

/// Reads one file, with the records of the file that it names.
///
/// # Errors
/// It cannot be read or is not a scenario.
pub fn read_file(path: &Path) -> Result<Scenario, ScenarioError> {
    let mut scenario = Scenario::parse(path, &text(path, MOST_BYTES)?)?;
    if let Some(file) = &scenario.given.records_file {
        let beside = path.parent().unwrap_or(Path::new(".")).join(file);
        let records = read_records(&beside)?;
        for (collection, documents) in records {
            let given = scenario.given.records.entry(collection).or_default();
            for (key, document) in documents {
                given.entry(key).or_insert(document);
            }
        }
    }
    Ok(scenario)
}

/// Reads what a stand-in for servers answers: a file with `[[http]]`, each as in
/// `[[given.http]]`.
///
/// # Errors
/// The file cannot be read or is of another form.
pub fn read_answers(path: &Path) -> Result<Vec<HttpAnswer>, ScenarioError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Answers {
        #[serde(default)]
        http: Vec<HttpAnswer>,
    }
    let text = text(path, MOST_BYTES)?;
    let answers: Answers = toml::from_str(&text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let (line, column) = place(&text, at);
        let reason = error.message().to_owned();
        ScenarioError::Syntax { path: path.to_owned(), line, column, reason }
    })?;
    Ok(answers.http)
}

/// Reads a JSON file with records: `{collection: {id: document}}`.
///
/// # Errors
/// The file cannot be read or is of another form.
pub fn read_records(path: &Path) -> Result<Records, ScenarioError> {
    let json = text(path, MOST_RECORD_BYTES)?;
    serde_json::from_str(&json).map_err(|error| ScenarioError::Syntax {
        path: path.to_owned(),
        line: error.line(),
        column: error.column(),
        reason: format!("{error}; records are {{collection: {{id: document}}}}"),
    })
}

/// What a manifest says of settings that nobody sets: names and defaults. None if
/// there is no manifest.
///
/// # Errors
/// The file cannot be read or is of another form.
pub fn read_settings(manifest: &Path) -> Result<BTreeMap<String, String>, ScenarioError> {
    #[derive(Deserialize)]
    struct Manifest {
        #[serde(default)]
        settings: Vec<Setting>,
    }
    #[derive(Deserialize)]
    struct Setting {
        name: String,
        default: Option<String>,
    }
    if !manifest.exists() {
        return Ok(BTreeMap::new());
    }
    let text = text(manifest, MOST_BYTES)?;
    let read: Manifest = toml::from_str(&text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let (line, column) = place(&text, at);
        let reason = error.message().to_owned();
        ScenarioError::Syntax { path: manifest.to_owned(), line, column, reason }
    })?;
    let settings = read.settings.into_iter();
    Ok(settings.filter_map(|setting| Some((setting.name, setting.default?))).collect())
}

/// The text of a file of at most so many bytes.
fn text(path: &Path, most: u64) -> Result<String, ScenarioError> {
    let failed = |source| ScenarioError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    let file = File::open(path).map_err(failed)?;
    file.take(most + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > most {
        let what = format!("more than {} KiB", most >> 10);
        return Err(ScenarioError::TooMuch { path: path.to_owned(), what });
    }
    Ok(text)
}
