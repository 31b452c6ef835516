//! The files of a set of rules.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use postern_domain::{Digest, digest_of};
use postern_policy::{Collections, PolicySet, PolicySource, PolicySources};
use serde::{Deserialize, Serialize};

use super::PoliciesError;

/// The schema's file.
const SCHEMA: &str = "postern.cedarschema";
/// What `@limit` and `@max_amount` name.
const LIMITS: &str = "limits.toml";
/// What `@approval` and `@notify` name.
const APPROVALS: &str = "approvals.toml";
/// The operator's own types of personal data, lists and thresholds.
const PRIVACY: &str = "privacy.toml";

/// The files of a set of rules: their texts by their names in one folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sources {
    files: BTreeMap<String, String>,
}

impl Sources {
    /// Reads the schema, the rules, and what they name, of a folder.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn read(folder: &Path) -> Result<Self, PoliciesError> {
        let unreadable = |path: &Path| {
            let path = path.display().to_string();
            move |source| PoliciesError::Folder { path, source }
        };
        let mut files = BTreeMap::new();
        let schema = folder.join(SCHEMA);
        let text = std::fs::read_to_string(&schema).map_err(unreadable(&schema))?;
        files.insert(SCHEMA.to_owned(), text);
        for entry in std::fs::read_dir(folder).map_err(unreadable(folder))? {
            let path = entry.map_err(unreadable(folder))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if is_rules(&path) || [LIMITS, APPROVALS, PRIVACY].contains(&name) {
                let text = std::fs::read_to_string(&path).map_err(unreadable(&path))?;
                files.insert(name.to_owned(), text);
            }
        }
        Ok(Self { files })
    }

    /// With another file, or another text of one that is there.
    #[must_use]
    pub fn with(mut self, name: &str, text: &str) -> Self {
        self.files.insert(name.to_owned(), text.to_owned());
        self
    }

    /// The digest over names and texts.
    pub fn digest(&self) -> Digest {
        digest_of(&self.files)
    }

    /// The names of files that are only here, only there, or have another text.
    pub fn differing(&self, other: &Self) -> Vec<String> {
        let names = self.files.keys().chain(other.files.keys());
        let differ = |name: &&String| self.files.get(*name) != other.files.get(*name);
        let mut names: Vec<String> = names.filter(differ).cloned().collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The texts of rules that were loaded from these files, by their ids: from the
    /// line on which one begins to the next one, without comments behind it.
    pub fn texts(&self, rules: &PolicySet) -> BTreeMap<String, String> {
        let mut places: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
        for rule in rules.rules() {
            let name = rule.file.rsplit('/').next().unwrap_or_default();
            places.entry(name).or_default().push((rule.line as usize, &rule.id));
        }
        let mut texts = BTreeMap::new();
        for (name, mut rules) in places {
            let Some(text) = self.files.get(name) else { continue };
            let lines: Vec<&str> = text.lines().collect();
            rules.sort_unstable();
            let ends = rules.iter().skip(1).map(|(line, _)| *line).chain([lines.len() + 1]);
            for ((from, id), to) in rules.iter().zip(ends) {
                let of_rule = lines.get(from.saturating_sub(1)..to - 1).unwrap_or_default();
                let is_text = |line: &str| !line.trim().is_empty() && !line.starts_with("//");
                let last = of_rule.iter().rposition(|line| is_text(line)).map_or(0, |at| at + 1);
                texts.insert((*id).to_owned(), of_rule[..last].join("\n"));
            }
        }
        texts
    }

    /// Checks the rules. `folder` stands before the names in what is said of them.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn load(
        &self,
        folder: Option<&Path>,
        collections: &Collections,
    ) -> Result<PolicySet, PoliciesError> {
        let source = |name: &str, text: &str| {
            let file = folder.map_or_else(|| PathBuf::from(name), |folder| folder.join(name));
            PolicySource { file: file.display().to_string(), text: text.to_owned() }
        };
        let one = |name: &str| self.files.get(name).map(|text| source(name, text));
        let rules = self.files.iter().filter(|(name, _)| is_rules(Path::new(name)));
        let sources = PolicySources {
            schema: one(SCHEMA).unwrap_or_else(|| source(SCHEMA, "")),
            rules: rules.map(|(name, text)| source(name, text)).collect(),
            limits: one(LIMITS),
            privacy: one(PRIVACY),
            approvals: one(APPROVALS),
        };
        PolicySet::load(&sources, collections).map_err(PoliciesError::Refused)
    }
}

fn is_rules(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "cedar")
}
