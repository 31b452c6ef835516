//! What was found before, by everything on which it depends.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use crate::judge::Finding;

/// Findings of one slice. Their keys can hold personal values, where rules compare
/// those with values of their own. They are in memory only, and gone with the set of
/// rules, or when the memory is full and begins anew.
#[derive(Default)]
pub(crate) struct Remembered {
    findings: RwLock<HashMap<Box<[u8]>, Arc<Finding>>>,
}

impl Remembered {
    /// How many findings it holds.
    const MOST: usize = 1_024;

    /// What was found for this key, or what `find` finds now.
    pub(crate) fn or_find(&self, key: Box<[u8]>, find: impl FnOnce() -> Finding) -> Arc<Finding> {
        // A thread that died here can have left out an entry, and none is wrong.
        let known = self.findings.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        known.unwrap_or_else(|| {
            let found = Arc::new(find());
            let mut findings = self.findings.write().unwrap_or_else(PoisonError::into_inner);
            if findings.len() >= Self::MOST {
                findings.clear();
            }
            findings.insert(key, Arc::clone(&found));
            found
        })
    }

    /// How many findings it holds now.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.findings.read().unwrap_or_else(PoisonError::into_inner).len()
    }
}
