//! Putting rules in force, and going back.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use postern_domain::{AuditVerdict, Digest, Timestamp};
use postern_policy::{Act, Case, PolicySet, told};
use serde::Serialize;

use super::{Generations, PoliciesError, PolicyGeneration, Sources};
use crate::{
    config::Config,
    operators::{ActError, Desk},
};

/// Names of rules that an audit row has of each kind at most.
const MOST_NAMES: usize = 30;

/// What other rules change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Rules that are new.
    pub added: Vec<String>,
    /// Rules that are gone.
    pub removed: Vec<String>,
    /// Rules with another text.
    pub changed: Vec<String>,
    /// Other files with another text: the schema, limits, routes.
    pub files: Vec<String>,
    /// Cases that are treated differently.
    pub cases: Vec<CaseChange>,
}

/// A case that other rules treat differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseChange {
    /// Its name.
    pub case: String,
    /// What was decided.
    pub old: String,
    /// What is decided now.
    pub new: String,
}

impl Difference {
    /// In one line, for audit.
    fn summary(&self) -> String {
        let names = |what: &str, names: &[String]| {
            let shown = &names[..names.len().min(MOST_NAMES)];
            let more = names.len() - shown.len();
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            (!names.is_empty()).then(|| format!("{what}: {}{rest}", shown.join(", ")))
        };
        let cases = self.cases.len();
        let parts = [
            names("rules added", &self.added),
            names("removed", &self.removed),
            names("changed", &self.changed),
            names("files changed", &self.files),
            (cases > 0).then(|| format!("{cases} cases treated differently")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() { "no difference".to_owned() } else { parts.join("; ") }
    }
}

/// Rules with the files from which they were read.
pub struct Loaded {
    sources: Sources,
    rules: Arc<PolicySet>,
}

impl Loaded {
    /// The rules of a folder.
    ///
    /// # Errors
    /// A file cannot be read, or rules are refused; all errors are given.
    pub fn folder(config: &Config, folder: &Path) -> Result<Self, PoliciesError> {
        let sources = Sources::read(folder)?;
        let rules = sources.load(Some(folder), &config.collections.rules())?;
        Ok(Self { sources, rules: Arc::new(rules) })
    }

    /// The rules of a generation, under the collections as they are configured now.
    ///
    /// # Errors
    /// The rules do not fit the configuration any more.
    pub fn generation(
        config: &Config,
        generation: PolicyGeneration,
    ) -> Result<Self, PoliciesError> {
        let rules = generation.sources.load(None, &config.collections.rules())?;
        Ok(Self { sources: generation.sources, rules: Arc::new(rules) })
    }

    /// The rules.
    pub fn rules(&self) -> &PolicySet {
        &self.rules
    }

    /// The rules, to be kept.
    pub fn shared(&self) -> Arc<PolicySet> {
        Arc::clone(&self.rules)
    }

    /// The digest over the files.
    pub fn digest(&self) -> Digest {
        self.sources.digest()
    }
}

/// What `new` changes, in rules and in what becomes of cases. Without old rules,
/// all are added.
pub fn difference(old: Option<&Loaded>, new: &Loaded, cases: &[Case]) -> Difference {
    let texts = |loaded: &Loaded| loaded.sources.texts(&loaded.rules);
    let is = texts(new);
    let Some(old) = old else {
        return Difference { added: is.into_keys().collect(), ..Difference::default() };
    };
    let was = texts(old);
    let only = |these: &BTreeMap<String, String>, those: &BTreeMap<String, String>| {
        these.keys().filter(|id| !those.contains_key(*id)).cloned().collect()
    };
    let changed = |(id, text): (&String, &String)| {
        was.get(id).is_some_and(|old| old != text).then(|| id.clone())
    };
    let mut found = Vec::new();
    for case in cases {
        let (old, new) = (told(&case.judge(&old.rules)), told(&case.judge(&new.rules)));
        if old != new {
            found.push(CaseChange { case: case.name.clone(), old, new });
        }
    }
    let mut files = old.sources.differing(&new.sources);
    files.retain(|file| !file.ends_with(".cedar"));
    Difference {
        added: only(&is, &was),
        removed: only(&was, &is),
        changed: is.iter().filter_map(changed).collect(),
        files,
        cases: found,
    }
}

/// Why rules were not put in force. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Rules or the store do not let it happen.
    #[error(transparent)]
    Act(#[from] ActError),
    /// The rules cannot be read, are refused, or cannot be written.
    #[error(transparent)]
    Policies(#[from] PoliciesError),
}

/// Writes rules as a new generation, in the audit log with its author and what it
/// changes, and puts it in force. A running host takes it up within a second.
///
/// # Errors
/// The actor may not, or something fails; the rules that were in force stay.
pub async fn apply(
    desk: &Desk<'_>,
    config: &Config,
    new: &Loaded,
    difference: &Difference,
) -> Result<PolicyGeneration, ApplyError> {
    const ACTION: &str = "policy:apply";
    let verdict = desk.allow(Act::ApplyPolicy, ACTION, &new.digest().to_string()).await?;
    let generations = Generations::open(&config.data)?;
    let author = desk.actor.name();
    let generation = generations.write(config, new.sources.clone(), &author, desk.now)?;
    put_in_force(desk, &generations, &generation, difference, ACTION, verdict).await?;
    Ok(generation)
}

/// Puts an earlier generation in force again: this one, or the one that was in force
/// when the active one was written.
///
/// # Errors
/// There is none, it does not fit the configuration any more, the actor may not,
/// or something fails; the rules that were in force stay.
pub async fn rollback(
    desk: &Desk<'_>,
    config: &Config,
    number: Option<u64>,
    cases: &[Case],
) -> Result<(PolicyGeneration, Difference), ApplyError> {
    const ACTION: &str = "policy:rollback";
    let shown = number.map_or("previous".to_owned(), |number| number.to_string());
    let verdict = desk.allow(Act::ApplyPolicy, ACTION, &shown).await?;
    let generations = Generations::open(&config.data)?;
    let current = generations.current()?.ok_or_else(|| none(config))?;
    let number = match number {
        Some(number) => number,
        None => {
            // What is in force may be damaged, and going back must work then too.
            let before = generations.read(current).ok().and_then(|current| current.before);
            match before {
                Some(before) => before,
                None => {
                    let mut numbers = generations.numbers()?;
                    numbers.retain(|number| *number < current);
                    numbers.pop().ok_or(PoliciesError::First(current))?
                }
            }
        }
    };
    let generation = generations.read(number)?;
    generation.fits(config)?;
    let new = Loaded::generation(config, generation.clone())?;
    // What was in force may be what has to be got rid of, so it need not load.
    let old = generations.read(current).and_then(|old| Loaded::generation(config, old)).ok();
    let difference = difference(old.as_ref(), &new, cases);
    put_in_force(desk, &generations, &generation, &difference, ACTION, verdict).await?;
    Ok((generation, difference))
}

async fn put_in_force(
    desk: &Desk<'_>,
    generations: &Generations,
    generation: &PolicyGeneration,
    difference: &Difference,
    action: &str,
    verdict: Option<AuditVerdict>,
) -> Result<(), ApplyError> {
    let resource = format!("generation {} {}", generation.number, generation.digest);
    let detail = format!("by {}: {}", generation.author, difference.summary());
    // First, because what is not recorded must not be done.
    let recorded = desk.commit(Vec::new(), action, &resource, detail, verdict).await;
    recorded.map_err(ActError::from)?;
    Ok(generations.activate(generation.number)?)
}

/// Puts the rules of the configured folder in force as the first generation, if
/// none ever was; the caller writes it down.
///
/// # Errors
/// The rules are refused, or the file system fails.
pub fn first(
    config: &Config,
    author: &str,
    at: Timestamp,
) -> Result<Option<PolicyGeneration>, PoliciesError> {
    let generations = Generations::open(&config.data)?;
    if generations.current()?.is_some() {
        return Ok(None);
    }
    let new = Loaded::folder(config, &config.policies)?;
    let generation = generations.write(config, new.sources, author, at)?;
    generations.activate(generation.number)?;
    Ok(Some(generation))
}

pub(super) fn none(config: &Config) -> PoliciesError {
    PoliciesError::None { folder: config.policies.display().to_string() }
}
