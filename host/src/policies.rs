//! The rules in force.

use std::sync::{Arc, PoisonError, RwLock};

use postern_policy::PolicySet;

/// The rules in force, which an operator can replace while the host serves.
pub struct Policies(RwLock<Active>);

/// Rules and where they come from.
#[derive(Clone)]
struct Active {
    generation: u64,
    rules: Arc<PolicySet>,
}

impl Policies {
    /// These rules, of the generation with this number.
    pub fn new(generation: u64, rules: PolicySet) -> Self {
        Self(RwLock::new(Active { generation, rules: Arc::new(rules) }))
    }

    /// The rules in force. Whoever decides more than one thing by the same rules
    /// asks once.
    pub fn current(&self) -> Arc<PolicySet> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).rules)
    }

    /// The number of the generation in force.
    pub fn generation(&self) -> u64 {
        self.0.read().unwrap_or_else(PoisonError::into_inner).generation
    }
}
