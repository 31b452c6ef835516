//! What an operator does with the skills of a generation. All of it makes another
//! generation; none of it is in force before that is activated.

use std::collections::BTreeSet;

use postern_domain::{Manifest, SkillId, Timestamp};

use super::{Canary, Generation, Installed, Registry, RegistryError, Seen, change::named};

impl Generation {
    /// Lists a skill, in place of another version of it. A trial of it ends.
    ///
    /// # Errors
    /// It is pinned, or another skill has one of its intents.
    pub fn put(&mut self, installed: Installed) -> Result<(), RegistryError> {
        let id = installed.manifest.skill.id.clone();
        self.may_be_replaced(&id, false)?;
        self.intents_are_free(&installed.manifest)?;
        self.canaries.remove(&id);
        self.skills.insert(id, installed);
        Ok(())
    }

    /// Puts a new version of a skill on trial.
    ///
    /// # Errors
    /// The skill is not installed or is pinned; a version is on trial, of this skill or
    /// another; another skill has one of its intents.
    pub fn try_out(&mut self, canary: Canary) -> Result<(), RegistryError> {
        let id = canary.installed.manifest.skill.id.clone();
        if !self.skills.contains_key(&id) {
            return Err(RegistryError::Unknown(id));
        }
        self.may_be_replaced(&id, true)?;
        self.intents_are_free(&canary.installed.manifest)?;
        self.canaries.insert(id, canary);
        Ok(())
    }

    /// Whether another version of a skill may come, for everybody or on trial.
    ///
    /// # Errors
    /// It is pinned; or it is for a trial, and there is one, of whichever skill.
    pub fn may_be_replaced(&self, id: &SkillId, on_trial: bool) -> Result<(), RegistryError> {
        if self.pinned.contains(id) {
            return Err(RegistryError::Pinned(id.clone()));
        }
        match self.canaries.keys().next() {
            Some(other) if on_trial => Err(RegistryError::OnTrial(other.clone())),
            Some(_) | None => Ok(()),
        }
    }

    /// Ends a trial: the new version takes the place of the old one.
    ///
    /// # Errors
    /// No version is on trial.
    pub fn promote(&mut self, id: &SkillId) -> Result<(), RegistryError> {
        let canary =
            self.canaries.remove(id).ok_or_else(|| RegistryError::NotOnTrial(id.clone()))?;
        self.skills.insert(id.clone(), canary.installed);
        Ok(())
    }

    /// Ends a trial: the old version stays.
    ///
    /// # Errors
    /// No version is on trial.
    pub fn abort(&mut self, id: &SkillId) -> Result<(), RegistryError> {
        let ended = self.canaries.remove(id);
        ended.map(drop).ok_or_else(|| RegistryError::NotOnTrial(id.clone()))
    }

    /// Takes a skill out, with everything that was said of it. Its component stays,
    /// for replay.
    ///
    /// # Errors
    /// It is not installed, or pinned.
    pub fn take_out(&mut self, id: &SkillId) -> Result<(), RegistryError> {
        if self.pinned.contains(id) {
            return Err(RegistryError::Pinned(id.clone()));
        }
        self.skills.remove(id).ok_or_else(|| RegistryError::Unknown(id.clone()))?;
        self.canaries.remove(id);
        self.disabled.remove(id);
        Ok(())
    }

    /// Lets a skill not run, or run again. What does not run is not tried out: a trial of
    /// it ends.
    ///
    /// # Errors
    /// It is not installed, or is so already.
    pub fn set_disabled(&mut self, id: &SkillId, disabled: bool) -> Result<(), RegistryError> {
        self.known(id)?;
        let state = if disabled { "disabled" } else { "enabled" };
        mark(&mut self.disabled, id, disabled, state)?;
        if disabled {
            self.canaries.remove(id);
        }
        Ok(())
    }

    /// Keeps a skill as it is, or lets it be replaced again.
    ///
    /// # Errors
    /// It is not installed, or is so already; or it is to stay as it is, and a version of
    /// it is on trial, which would be promoted.
    pub fn set_pinned(&mut self, id: &SkillId, pinned: bool) -> Result<(), RegistryError> {
        self.known(id)?;
        if pinned && self.canaries.contains_key(id) {
            return Err(RegistryError::OnTrial(id.clone()));
        }
        let state = if pinned { "pinned" } else { "not pinned" };
        mark(&mut self.pinned, id, pinned, state)
    }

    fn known(&self, id: &SkillId) -> Result<(), RegistryError> {
        let known = self.skills.contains_key(id);
        known.then_some(()).ok_or_else(|| RegistryError::Unknown(id.clone()))
    }

    /// Whether this may follow what was active: an old version can bring back an old
    /// weakness, and a version is one thing only.
    ///
    /// # Errors
    /// A higher version was active, or this one with other content.
    pub fn may_follow(&self, offered: &Seen, id: &SkillId) -> Result<(), RegistryError> {
        let Some(highest) = self.highest(id) else { return Ok(()) };
        let (skill, version) = (id.clone(), offered.version.clone());
        if version.cmp_precedence(&highest.version).is_lt() {
            let highest = highest.version;
            return Err(RegistryError::Older { skill, version, highest });
        }
        if version.cmp_precedence(&highest.version).is_eq() && offered.digest != highest.digest {
            let (seen, offered) = (Box::new(highest.digest), Box::new(offered.digest));
            return Err(RegistryError::SameVersion { skill, version, seen, offered });
        }
        Ok(())
    }

    /// The highest version of a skill that was active until now.
    fn highest(&self, id: &SkillId) -> Option<Seen> {
        let listed = named(self).filter(|(other, _)| *other == id).map(|(_, it)| it.seen());
        listed.chain(self.seen.get(id).cloned()).max_by(|a, b| {
            // The last of equals is what was active first.
            a.version.cmp_precedence(&b.version)
        })
    }

    /// Writes down which versions are active, so that it is known when they are not.
    pub(super) fn remember(&mut self) {
        let ids: Vec<SkillId> = named(self).map(|(id, _)| id.clone()).collect();
        for id in ids {
            if let Some(highest) = self.highest(&id) {
                self.seen.insert(id, highest);
            }
        }
    }

    /// Takes over what another generation knows to have been active.
    fn remember_of(&mut self, mut other: Self) {
        other.remember();
        for (id, seen) in other.seen {
            let known = self.seen.get(&id);
            if known.is_none_or(|it| it.version.cmp_precedence(&seen.version).is_lt()) {
                self.seen.insert(id, seen);
            }
        }
    }

    /// Whether no other skill has an intent of this one.
    ///
    /// # Errors
    /// One has; it is named.
    pub fn intents_are_free(&self, new: &Manifest) -> Result<(), RegistryError> {
        let id = &new.skill.id;
        for intent in &new.intents {
            let taken = named(self).find(|(other, installed)| {
                *other != id && installed.manifest.intents.iter().any(|it| it.name == intent.name)
            });
            if let Some((other, _)) = taken {
                return Err(RegistryError::IntentTaken {
                    skill: id.clone(),
                    intent: intent.name.clone(),
                    other: other.clone(),
                });
            }
        }
        Ok(())
    }
}

impl Installed {
    /// What of it must not be offered lower or otherwise.
    pub fn seen(&self) -> Seen {
        Seen { version: self.manifest.skill.version.clone(), digest: self.digest }
    }
}

fn mark(
    set: &mut BTreeSet<SkillId>,
    id: &SkillId,
    into: bool,
    state: &'static str,
) -> Result<(), RegistryError> {
    let changed = if into { set.insert(id.clone()) } else { set.remove(id) };
    changed.then_some(()).ok_or_else(|| RegistryError::Already { skill: id.clone(), state })
}

impl Registry {
    /// The skills of an earlier generation, to be active again as a new one: this one,
    /// or the one that was active before. What was rolled back is not come back to by
    /// doing it again. A trial is not taken up again. `revoked` says why something must
    /// not run.
    ///
    /// # Errors
    /// There is none, or something in it is revoked, missing or damaged.
    pub fn roll_back(
        &self,
        by: &str,
        now: Timestamp,
        to: Option<u64>,
        revoked: impl Fn(&Installed) -> Option<String>,
    ) -> Result<Generation, RegistryError> {
        let number = match to {
            Some(number) => number,
            None => self.before()?,
        };
        let old = self.generation(number)?;
        for (skill, installed) in &old.skills {
            if let Some(reason) = revoked(installed) {
                let version = installed.manifest.skill.version.clone();
                return Err(RegistryError::Revoked { skill: skill.clone(), version, reason });
            }
            // Read, so that its content is checked while the last one still serves.
            self.files.component(installed.digest)?;
            installed.assets.map(|assets| self.files.assets(assets)).transpose()?;
        }
        let current = match self.current() {
            // What is active may be what has to be got rid of.
            Err(RegistryError::Damaged { .. } | RegistryError::NoGeneration(_)) if to.is_some() => {
                let number = self.current_number()?;
                let mut left = Generation { number, ..Generation::default() };
                left.remember_of(old.clone());
                // What was active after the one that comes back is not forgotten either.
                let earlier = self.history()?.into_iter().filter(|(it, _)| *it < number);
                for earlier in earlier.filter_map(|(_, earlier)| earlier.ok()) {
                    left.remember_of(earlier);
                }
                left
            }
            current => current?,
        };
        let mut generation = self.change_of(current, by, now, |generation| {
            generation.skills = old.skills;
            generation.disabled = old.disabled;
            generation.pinned = old.pinned;
            generation.canaries.clear();
            Ok(format!("rollback to generation {number}"))
        })?;
        if let Some(made) = &mut generation.made {
            made.restores = Some(number);
        }
        Ok(generation)
    }

    /// The generation before the active one, or before the one that it restores.
    fn before(&self) -> Result<u64, RegistryError> {
        let mut generation = self.current()?;
        loop {
            let first = RegistryError::First(generation.number);
            let made = generation.made.ok_or(first)?;
            match made.restores {
                // A number before its own, so this comes to an end.
                Some(restored) if restored < generation.number => {
                    generation = self.generation(restored)?;
                }
                _ if generation.number == 0 => return Err(RegistryError::First(0)),
                _ => return Ok(made.before),
            }
        }
    }

    /// All generations that are kept, oldest first, with their numbers; or why one cannot
    /// be read, which does not hide the others.
    ///
    /// # Errors
    /// It cannot be seen which there are.
    #[expect(clippy::type_complexity, reason = "each number has its generation or its error")]
    pub fn history(&self) -> Result<Vec<(u64, Result<Generation, RegistryError>)>, RegistryError> {
        let numbers = self.files.generations()?;
        Ok(numbers.into_iter().map(|number| (number, self.generation(number))).collect())
    }
}
