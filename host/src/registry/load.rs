//! From a generation to skills that can be called.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError},
};

use postern_domain::{Digest, Manifest, SkillId};
use postern_runtime::{Limits, Runtime};

use super::{
    ActiveSkill, CompileLimits, Generation, Installed, LeftOut, Loaded, Registry, RegistryError,
    Skills, Trial, Why, files::Code,
};
use crate::{
    brain::{Brain, BrainError},
    config::{Config, bounded},
    gate::Revocations,
};

/// The checks of arguments that a manifest's tools ask for.
fn schemas(manifest: &Manifest) -> Result<BTreeMap<String, jsonschema::Validator>, RegistryError> {
    let skill = &manifest.skill.id;
    manifest
        .tools
        .iter()
        .map(|tool| match jsonschema::validator_for(&tool.arguments) {
            Ok(validator) => Ok((tool.name.clone(), validator)),
            Err(error) => Err(RegistryError::Unusable {
                skill: skill.clone(),
                reason: bounded(&format!(
                    "tools.{}.arguments is not a JSON Schema: {error}",
                    tool.name
                )),
            }),
        })
        .collect()
}

/// Whether a manifest's schemas and expressions can be used.
///
/// # Errors
/// One of them cannot; the error names it.
pub fn check_usable(manifest: &Manifest) -> Result<(), RegistryError> {
    schemas(manifest)?;
    Brain::check(manifest).map_err(|error| unusable(manifest, &error))
}

fn unusable(manifest: &Manifest, error: &BrainError) -> RegistryError {
    RegistryError::Unusable {
        skill: manifest.skill.id.clone(),
        reason: bounded(&error.to_string()),
    }
}

/// The values of a skill's settings. What is set may also be for one of the `others`,
/// versions of the skill that are installed beside it.
fn settings<'m>(
    config: &Config,
    manifest: &'m Manifest,
    others: impl Iterator<Item = &'m Manifest>,
) -> Result<Vec<(String, String)>, RegistryError> {
    let skill = &manifest.skill.id;
    let wrong = |setting: &str, reason: String| RegistryError::Setting {
        skill: skill.clone(),
        setting: setting.to_owned(),
        reason,
    };
    let empty = BTreeMap::new();
    let given = config.skill_settings.get(skill).unwrap_or(&empty);
    let known = manifest.settings.iter().chain(others.flat_map(|other| &other.settings));
    let known: BTreeSet<_> = known.map(|setting| setting.name.as_str()).collect();
    if let Some(name) = given.keys().find(|name| !known.contains(name.as_str())) {
        let known: Vec<_> = known.into_iter().collect();
        let reason = format!("the skill has no such setting; it has: {}", known.join(", "));
        return Err(wrong(name, reason));
    }
    manifest
        .settings
        .iter()
        .map(|setting| match given.get(&setting.name).or(setting.default.as_ref()) {
            Some(value) => Ok((setting.name.clone(), value.clone())),
            None => Err(wrong(&setting.name, format!("must be set: {}", setting.description))),
        })
        .collect()
}

/// Whether the configuration has what a skill needs to be set. `beside` is the version
/// that stays beside it, if one does.
///
/// # Errors
/// A setting is missing, or is set and unknown; the error names it.
pub fn check_settings(
    config: &Config,
    manifest: &Manifest,
    beside: Option<&Manifest>,
) -> Result<(), RegistryError> {
    settings(config, manifest, beside.into_iter()).map(drop)
}

impl Registry {
    /// Makes a generation ready to serve. Compiled code that is missing, or that
    /// another engine made, is compiled anew. What is in `before` already is taken
    /// from there. A skill that is disabled, revoked or damaged is left out, so that
    /// the others serve, and so is a version on trial that cannot be used.
    ///
    /// # Errors
    /// A skill that is not on trial cannot be used as configured, or cannot be compiled now.
    pub fn load(
        &self,
        (runtime, config): (&Runtime, &Config),
        revoked: &Revocations,
        generation: &Generation,
        before: Option<&Loaded>,
    ) -> Result<Loaded, RegistryError> {
        let of = Loading { registry: self, runtime, config, revoked, generation, before };
        let mut stable = BTreeMap::new();
        for (id, installed) in &generation.skills {
            let is_disabled = generation.disabled.contains(id);
            stable.insert(id.clone(), of.skill(id, installed, is_disabled)?);
        }
        // There is at most one.
        let trial = generation.canaries.iter().next();
        let trial = trial.filter(|(id, _)| !generation.disabled.contains(*id));
        let trial = match trial {
            None => None,
            Some((id, canary)) => {
                let skills = of.on_trial(generation, (id, &canary.installed), &stable)?;
                Some(Trial { skill: id.clone(), canary: canary.clone(), skills })
            }
        };
        Ok(Loaded { stable: Arc::new(of.together(generation, stable)?), trial })
    }

    fn code(
        &self,
        engine: &str,
        limits: &CompileLimits,
        skill: &SkillId,
        digest: Digest,
    ) -> Result<Code, RegistryError> {
        if let Some(code) = self.files.compiled(&self.key, digest, engine)? {
            return Ok(code);
        }
        let _turn = self.compiling.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever had the turn before may have made it.
        if let Some(code) = self.files.compiled(&self.key, digest, engine)? {
            return Ok(code);
        }
        let component = self.files.component(digest)?;
        let code = self
            .compiler
            .compile(engine, &component, limits)
            .map_err(|source| RegistryError::Compile { skill: skill.clone(), source })?;
        self.files.keep_compiled(&self.key, digest, engine, code)
    }
}

/// What loading works with.
struct Loading<'a> {
    registry: &'a Registry,
    runtime: &'a Runtime,
    config: &'a Config,
    revoked: &'a Revocations,
    generation: &'a Generation,
    before: Option<&'a Loaded>,
}

impl Loading<'_> {
    /// One skill; the inner error is what leaves it out.
    fn skill(
        &self,
        id: &SkillId,
        installed: &Installed,
        is_disabled: bool,
    ) -> Result<Result<Arc<ActiveSkill>, LeftOut>, RegistryError> {
        let left_out = |why| Ok(Err(LeftOut { installed: installed.clone(), why }));
        if is_disabled {
            return left_out(Why::Disabled);
        }
        if let Some(why) = self.revoked.why(id, installed.digest, installed.signed_by.as_ref()) {
            return left_out(Why::Revoked(why));
        }
        if let Some(same) = self.loaded_before(id, installed) {
            return Ok(Ok(same));
        }
        match self.read_files(id, installed) {
            Ok(skill) => Ok(Ok(Arc::new(skill))),
            Err(error @ RegistryError::Damaged { .. }) => left_out(Why::Damaged(error.to_string())),
            Err(error) => Err(error),
        }
    }

    /// All skills with a new version on trial; the inner error is why that does not run.
    /// Whatever is wrong with it alone does not keep the others from serving.
    fn on_trial(
        &self,
        generation: &Generation,
        (id, installed): (&SkillId, &Installed),
        stable: &BTreeMap<SkillId, Result<Arc<ActiveSkill>, LeftOut>>,
    ) -> Result<Result<Arc<Skills>, Why>, RegistryError> {
        let together = || {
            let new = match self.skill(id, installed, false)? {
                Err(left_out) => return Ok(Err(left_out.why)),
                Ok(new) => new,
            };
            let mut all = stable.clone();
            all.insert(id.clone(), Ok(new));
            Ok(Ok(Arc::new(self.together(generation, all)?)))
        };
        match together() {
            Err(
                error @ (RegistryError::Setting { .. }
                | RegistryError::Compile { .. }
                | RegistryError::Ungranted(_)
                | RegistryError::Unusable { .. }
                | RegistryError::Unlearnable(_)),
            ) => Ok(Err(Why::Damaged(error.to_string()))),
            done => done,
        }
    }

    /// The same skill, if it was loaded before: calls of it share their limits.
    fn loaded_before(&self, id: &SkillId, installed: &Installed) -> Option<Arc<ActiveSkill>> {
        let mut running = self.before?.running();
        let (_, skill) = running.find(|(of, skill)| {
            *of == id
                && skill.digest == installed.digest
                && skill.assets == installed.assets
                && skill.grants == installed.grants
                && skill.signed_by == installed.signed_by
                && skill.manifest == installed.manifest
        })?;
        Some(Arc::clone(skill))
    }

    fn read_files(
        &self,
        id: &SkillId,
        installed: &Installed,
    ) -> Result<ActiveSkill, RegistryError> {
        let Self { registry, runtime, config, .. } = self;
        let manifest = installed.manifest.clone();
        let engine = runtime.engine_fingerprint();
        let code = registry.code(&engine, &config.compile, id, installed.digest)?;
        let limits = Limits::for_manifest(&manifest.limits, &config.ceilings);
        let mut component = runtime
            .load_bytes(id, code.as_bytes(), &installed.grants, &limits)
            .map_err(RegistryError::Ungranted)?;
        if let Some(digest) = installed.assets {
            component = component.with_assets(Arc::new(registry.files.assets(digest)?));
        }
        Ok(ActiveSkill {
            limits,
            settings: settings(config, &manifest, self.versions(id))?,
            schemas: schemas(&manifest)?,
            digest: installed.digest,
            assets: installed.assets,
            signed_by: installed.signed_by.clone(),
            grants: installed.grants.clone(),
            component,
            manifest,
        })
    }

    /// Every version of a skill that the generation has.
    fn versions(&self, id: &SkillId) -> impl Iterator<Item = &Manifest> {
        let Generation { skills, canaries, .. } = self.generation;
        let canary = canaries.get(id).map(|canary| &canary.installed);
        skills.get(id).into_iter().chain(canary).map(|installed| &installed.manifest)
    }

    /// Skills that serve together, with what is learnt from all that run.
    fn together(
        &self,
        generation: &Generation,
        skills: BTreeMap<SkillId, Result<Arc<ActiveSkill>, LeftOut>>,
    ) -> Result<Skills, RegistryError> {
        let (mut active, mut left_out) = (BTreeMap::new(), BTreeMap::new());
        for (id, skill) in skills {
            match skill {
                Ok(skill) => drop(active.insert(id, skill)),
                Err(why) => drop(left_out.insert(id, why)),
            }
        }
        let brain = match self.learnt_before(&active) {
            Some(brain) => brain,
            None => {
                let manifests: Vec<_> = active.values().map(|skill| &skill.manifest).collect();
                Arc::new(Brain::learn(&manifests).map_err(RegistryError::Unlearnable)?)
            }
        };
        let digest = generation.digest();
        Ok(Skills { number: generation.number, digest, active, left_out, brain })
    }

    /// What was learnt from the same manifests before.
    fn learnt_before(&self, active: &BTreeMap<SkillId, Arc<ActiveSkill>>) -> Option<Arc<Brain>> {
        let before = self.before?;
        let trial = before.trial.iter().filter_map(|trial| trial.skills.as_ref().ok());
        let same = |skills: &&Arc<Skills>| {
            skills.active.len() == active.len()
                && skills
                    .active
                    .iter()
                    .zip(active)
                    .all(|((old, a), (new, b))| old == new && a.manifest == b.manifest)
        };
        let learnt = std::iter::once(&before.stable).chain(trial).find(same)?;
        Some(Arc::clone(&learnt.brain))
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, process::Command, sync::Barrier, thread};

    use super::*;
    use crate::{keys::MasterKey, registry::Compiler};

    #[test]
    fn code_that_several_miss_at_once_is_compiled_once() {
        let folder = tempfile::tempdir().unwrap();
        let (script, program) = (folder.path().join("script"), folder.path().join("program"));
        let runs = folder.path().join("runs");
        // Answers as the compiler does: 68 bytes, of which 64 name the engine.
        let engine = "f".repeat(64);
        let head = r"pstrn-c1\000\000\000\000\000\000\000\000\104";
        let text =
            format!("#!/bin/sh\necho run >>'{}'\nprintf '{head}{engine}code'\n", runs.display());
        fs::write(&script, text).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        // A process that is started by another test could inherit our open file, and
        // a program that is open for writing does not start; so another one writes it.
        assert!(Command::new("cp").arg("-p").args([&script, &program]).status().unwrap().success());

        let compiler = Compiler::program(&program);
        let registry =
            Registry::open(folder.path(), MasterKey::generate().unwrap(), compiler).unwrap();
        let digest = Digest::of_bytes(b"component");
        registry.files.keep_component(digest, b"component").unwrap();
        let skill: SkillId = "greeter".parse().unwrap();
        let together = Barrier::new(4);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    together.wait();
                    let code = registry.code(&engine, &CompileLimits::default(), &skill, digest);
                    assert_eq!(code.unwrap().as_bytes(), b"code");
                });
            }
        });
        assert_eq!(fs::read_to_string(runs).unwrap(), "run\n");
    }
}
