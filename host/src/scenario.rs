//! Runs a skill's scenarios: the real component, rules, store and turns, an edge in
//! the place of the network, and a clock that stands where the scenario says.
//!
//! What runs is a host in a folder that is thrown away. Its key is the same
//! everywhere, and so are time, ids and seeds, so that fuel and memory are the same
//! on every machine.

mod edge;
mod folder;
mod host;
mod record;
mod recorded;
mod run;
mod seen;
mod suite;

use std::path::PathBuf;

use postern_scenario::{Difference, Ended, ScenarioError, Seen, Usage};

pub use self::{
    record::record,
    recorded::recorded,
    suite::{Rules, Setup, Suite, Told},
};
use crate::{
    app::StartError, config::ConfigError, keys::KeyError, pipeline::TurnError,
    policies::PoliciesError, registry::RegistryError,
};

/// Why scenarios cannot be run at all.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A scenario cannot be used.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// What the host of the scenarios is told does not fit.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Its rules are refused.
    #[error(transparent)]
    Policies(#[from] PoliciesError),
    /// The skill cannot be used.
    #[error(transparent)]
    Registry(Box<RegistryError>),
    /// The host does not start.
    #[error(transparent)]
    Start(Box<StartError>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] postern_store::StoreError),
    /// There is no key for the cache.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A turn did not come to its end.
    #[error(transparent)]
    Turn(Box<TurnError>),
    /// A file cannot be read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is not of the known form.
    #[error("{}: {reason}", .path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A scenario asks for something that cannot be.
    #[error("{0}")]
    Impossible(String),
}

impl From<RegistryError> for RunError {
    fn from(error: RegistryError) -> Self {
        Self::Registry(Box::new(error))
    }
}

impl From<StartError> for RunError {
    fn from(error: StartError) -> Self {
        Self::Start(Box::new(error))
    }
}

impl From<TurnError> for RunError {
    fn from(error: TurnError) -> Self {
        Self::Turn(Box::new(error))
    }
}

/// What became of one scenario.
#[derive(Debug)]
pub struct Outcome {
    /// Its file.
    pub file: PathBuf,
    /// Its name.
    pub name: String,
    /// What differs, with the line of the step if it belongs to one.
    pub differences: Vec<(Option<usize>, Difference)>,
    /// Why it did not run to its end, if it did not.
    pub error: Option<String>,
    /// What each step came to, as far as it ran.
    pub steps: Vec<Seen>,
    /// How the calls of tools ended.
    pub ended: Vec<Ended>,
    /// What they used.
    pub usage: Usage,
    /// How long each host call took, in microseconds, as far as that was kept: action
    /// and time.
    pub calls_took: Vec<(String, u64)>,
    /// How long it took.
    pub took: std::time::Duration,
}

impl Outcome {
    /// Whether everything was as expected.
    pub fn passed(&self) -> bool {
        self.differences.is_empty() && self.error.is_none()
    }
}
