//! The rules in force, and the generations from which they come.
//!
//! A host serves by the rules of the active generation alone. Files in the folder
//! of rules do nothing by themselves: `postern policy apply` checks them, writes
//! them as a new generation that never changes, and puts it in force by one swap of
//! a file.

mod apply;
mod generation;
mod simulate;
mod sources;

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use postern_policy::{PolicyError, PolicySet};

pub use apply::{ApplyError, CaseChange, Difference, Loaded, apply, difference, first, rollback};
pub use generation::{Generations, PolicyGeneration};
pub use simulate::{Simulated, simulate};
pub use sources::Sources;

use crate::{config::Config, redaction};

/// Why rules are not in force, or not put in force. Those that were stay.
#[derive(Debug, thiserror::Error)]
pub enum PoliciesError {
    /// The folder of rules cannot be read.
    #[error("{path}: {source}; `postern init` writes the default rules")]
    Folder {
        /// The file or folder.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file or folder.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Rules are refused.
    #[error("{}", list(.0))]
    Refused(Vec<PolicyError>),
    /// A stored file is not what was written.
    #[error("{path} is damaged: {reason}; restore it from a backup, or `postern policy rollback`")]
    Damaged {
        /// The file.
        path: String,
        /// What does not fit.
        reason: &'static str,
    },
    /// No rules were ever put in force.
    #[error("no rules are in force; `postern policy apply` puts those of {folder} in force")]
    None {
        /// The folder of rules.
        folder: String,
    },
    /// There is no generation of this number.
    #[error("there is no generation {0} of rules; `postern policy generations` shows them")]
    NoGeneration(u64),
    /// The configuration says something else of collections than it did.
    #[error(
        "postern.toml says something else of {} than when generation {generation} of rules was \
         put in force, so its rules would mean something else: change it back, or see what \
         changes and put them in force as it is now with `postern policy apply`",
        .names.join(", ")
    )]
    Changed {
        /// The generation.
        generation: u64,
        /// The collections.
        names: Vec<String>,
    },
    /// There is nothing to go back to.
    #[error("generation {0} is the first: there is none to go back to")]
    First(u64),
}

fn list(errors: &[PolicyError]) -> String {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// The rules in force, which an operator can replace while the host serves.
pub struct Policies(RwLock<Active>);

/// Rules, where they come from, and whether the folder has others.
#[derive(Clone)]
struct Active {
    generation: u64,
    rules: Arc<PolicySet>,
    /// The files from which they were read; none if they were not read from files.
    files: Option<Arc<Sources>>,
    /// The names of files of the folder that are not as they are in force.
    differing: Vec<String>,
}

impl Active {
    fn of(config: &Config, generation: PolicyGeneration) -> Result<Self, PoliciesError> {
        generation.fits(config)?;
        let rules = generation.sources.load(None, &config.collections.rules())?;
        Ok(Self {
            generation: generation.number,
            rules: Arc::new(rules),
            files: Some(Arc::new(generation.sources)),
            differing: Vec::new(),
        })
    }
}

impl Policies {
    /// These rules, of the generation with this number.
    pub fn new(generation: u64, rules: PolicySet) -> Self {
        let (rules, differing) = (Arc::new(rules), Vec::new());
        Self(RwLock::new(Active { generation, rules, files: None, differing }))
    }

    /// Rules that are shared, of the generation with this number.
    pub(crate) fn shared(generation: u64, rules: Arc<PolicySet>) -> Self {
        Self(RwLock::new(Active { generation, rules, files: None, differing: Vec::new() }))
    }

    /// The rules of the active generation of a data folder.
    ///
    /// # Errors
    /// There is none, or it does not fit the configuration any more.
    pub fn open(config: &Config) -> Result<Self, PoliciesError> {
        let generations = Generations::open(&config.data)?;
        let number = generations.current()?.ok_or_else(|| apply::none(config))?;
        let active = Active::of(config, generations.read(number)?)?;
        redaction::set(Arc::clone(active.rules.detector()));
        Ok(Self(RwLock::new(active)))
    }

    /// The rules in force. Whoever decides more than one thing by the same rules
    /// asks once.
    pub fn current(&self) -> Arc<PolicySet> {
        Arc::clone(&self.active().rules)
    }

    /// The number of the generation in force.
    pub fn generation(&self) -> u64 {
        self.active().generation
    }

    /// The files of the folder of rules that are not as they are in force.
    pub fn differing(&self) -> Vec<String> {
        self.active().differing.clone()
    }

    /// The texts of the rules in force, by their ids.
    pub fn texts(&self) -> BTreeMap<String, String> {
        let active = self.active().clone();
        active.files.map(|files| files.texts(&active.rules)).unwrap_or_default()
    }

    fn active(&self) -> RwLockReadGuard<'_, Active> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up another generation, if one was put in force. Answers its number.
    ///
    /// # Errors
    /// It cannot be read or does not fit the configuration; the rules that were in
    /// force stay.
    pub(crate) fn follow(&self, config: &Config) -> Result<Option<u64>, PoliciesError> {
        let generations = Generations::open(&config.data)?;
        let Some(number) = generations.current()?.filter(|it| *it != self.generation()) else {
            return Ok(None);
        };
        let active = Active::of(config, generations.read(number)?)?;
        redaction::set(Arc::clone(active.rules.detector()));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = active;
        Ok(Some(number))
    }

    /// Looks whether the folder of rules is as it is in force. Answers the files
    /// that are not, if that has changed since the last look.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(crate) fn compare(&self, config: &Config) -> Result<Option<Vec<String>>, PoliciesError> {
        let Some(files) = self.active().files.clone() else { return Ok(None) };
        let differing = files.differing(&Sources::read(&config.policies)?);
        let mut active = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let news = active.differing != differing;
        active.differing.clone_from(&differing);
        Ok(news.then_some(differing))
    }
}

#[cfg(test)]
mod tests;
