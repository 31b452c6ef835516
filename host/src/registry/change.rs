//! From one generation to the next.
//!
//! A change is made of the active generation, as a new one with a number that no
//! other has, also if a process died over it. It is active when `current` names it,
//! which happens under a lock and only if nothing else became active meanwhile.

use postern_domain::{SkillId, Timestamp};

use super::{Generation, GenerationFile, Installed, Made, Registry, RegistryError};
use crate::fault;

/// That nobody else changes skills.
#[derive(Debug)]
pub(crate) struct Hold {
    _lock: std::fs::File,
}

impl Registry {
    /// The generation after the active one, with a change; nothing is active yet.
    /// `what` answers in a few words what it did.
    ///
    /// # Errors
    /// The change is refused, or the active generation cannot be read.
    pub fn change(
        &self,
        by: &str,
        now: Timestamp,
        what: impl FnOnce(&mut Generation) -> Result<String, RegistryError>,
    ) -> Result<Generation, RegistryError> {
        self.change_of(self.current()?, by, now, what)
    }

    /// The same, made of what the active generation says, as far as it can be read.
    pub(super) fn change_of(
        &self,
        mut generation: Generation,
        by: &str,
        now: Timestamp,
        what: impl FnOnce(&mut Generation) -> Result<String, RegistryError>,
    ) -> Result<Generation, RegistryError> {
        let before = generation.number;
        generation.remember();
        let what = what(&mut generation)?;
        generation.remember();
        let highest = self.files.generations()?.last().copied().unwrap_or_default();
        generation.number = highest.max(before) + 1;
        generation.made = Some(Made { at: now, by: by.to_owned(), what, before, restores: None });
        Ok(generation)
    }

    /// Makes a generation the active one, by one rename.
    ///
    /// # Errors
    /// Another one became active since this was made of the last; a component that it
    /// names is not there; its file cannot be written. The last one stays active.
    pub fn activate(&self, generation: &Generation) -> Result<(), RegistryError> {
        let hold = self.hold()?;
        self.activate_held(&hold, generation)
    }

    /// Lets nobody else change skills until the answer is dropped.
    ///
    /// # Errors
    /// Somebody else does so for too long.
    pub(crate) fn hold(&self) -> Result<Hold, RegistryError> {
        Ok(Hold { _lock: self.files.lock()? })
    }

    /// The same as [`Registry::activate`], by who holds the registry.
    ///
    /// # Errors
    /// As [`Registry::activate`].
    pub(crate) fn activate_held(
        &self,
        _held: &Hold,
        generation: &Generation,
    ) -> Result<(), RegistryError> {
        let current = self.files.current()?.unwrap_or_default();
        // One that does not say what it follows was made by hand.
        if let Some(made) = &generation.made
            && made.before != current
        {
            return Err(RegistryError::Moved { expected: made.before, current });
        }
        self.is_whole(generation)?;
        let file = GenerationFile::V1 { generation: generation.clone() };
        let bytes = serde_json::to_vec_pretty(&file).expect("a generation serializes to JSON");
        fault::point("skills.generation.before");
        self.files.write_generation(generation.number, &bytes)?;
        fault::point("skills.generation.after");
        self.files.set_current(generation.number)?;
        fault::point("skills.current.after");
        Ok(())
    }

    /// Whether everything that a generation names is kept.
    pub(super) fn is_whole(&self, generation: &Generation) -> Result<(), RegistryError> {
        for (id, installed) in named(generation) {
            let assets = installed.assets.map(|assets| (assets, "assets"));
            for (digest, kind) in [Some((installed.digest, "wasm")), assets].into_iter().flatten() {
                if !self.files.has_blob(digest, kind)? {
                    return Err(RegistryError::Gone { skill: id.clone(), digest });
                }
            }
        }
        Ok(())
    }
}

/// Everything that a generation may run.
pub(super) fn named(generation: &Generation) -> impl Iterator<Item = (&SkillId, &Installed)> {
    let canaries = generation.canaries.iter().map(|(id, canary)| (id, &canary.installed));
    generation.skills.iter().chain(canaries)
}
