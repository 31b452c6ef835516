//! From a generation to skills that can be called.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError},
};

use postern_domain::{Digest, Interface, Manifest, SkillId};
use postern_runtime::{Limits, LoadedSkill, Runtime};

use super::{CompileLimits, Generation, Registry, RegistryError, files::Code};
use crate::{
    brain::{Brain, BrainError},
    config::{Config, bounded},
};

/// A skill that can be called.
pub struct ActiveSkill {
    /// Its manifest.
    pub manifest: Manifest,
    /// Digest of its component.
    pub digest: Digest,
    /// What it was granted.
    pub grants: BTreeSet<Interface>,
    /// The component, ready to run.
    pub component: LoadedSkill,
    /// What it gets at most.
    pub limits: Limits,
    /// What the operator set, or the manifest's defaults.
    pub settings: Vec<(String, String)>,
    /// Checks of arguments, by tool.
    pub schemas: BTreeMap<String, jsonschema::Validator>,
}

/// The skills of one generation with what was learnt from their examples.
pub struct Skills {
    /// Number of the generation.
    pub number: u64,
    /// Digest of the generation.
    pub digest: Digest,
    /// The skills.
    pub active: BTreeMap<SkillId, Arc<ActiveSkill>>,
    /// What understands messages.
    pub brain: Brain,
}

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

/// The values of a skill's settings.
fn settings(config: &Config, manifest: &Manifest) -> Result<Vec<(String, String)>, RegistryError> {
    let skill = &manifest.skill.id;
    let wrong = |setting: &str, reason: String| RegistryError::Setting {
        skill: skill.clone(),
        setting: setting.to_owned(),
        reason,
    };
    let empty = BTreeMap::new();
    let given = config.skill_settings.get(skill).unwrap_or(&empty);
    if let Some(name) = given.keys().find(|name| manifest.settings.iter().all(|s| s.name != **name))
    {
        let known: Vec<_> = manifest.settings.iter().map(|s| s.name.as_str()).collect();
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

impl Registry {
    /// Makes a generation ready to serve. Compiled code that is missing, or that
    /// another engine made, is compiled anew.
    ///
    /// # Errors
    /// A component is damaged, or a skill cannot be used as configured.
    pub fn load(
        &self,
        runtime: &Runtime,
        config: &Config,
        generation: &Generation,
    ) -> Result<Skills, RegistryError> {
        let engine = runtime.engine_fingerprint();
        let mut active = BTreeMap::new();
        for (id, installed) in &generation.skills {
            let manifest = installed.manifest.clone();
            let code = self.code(&engine, &config.compile, id, installed.digest)?;
            let limits = Limits::for_manifest(&manifest.limits, &config.ceilings);
            let mut component = runtime
                .load_bytes(id, code.as_bytes(), &installed.grants, &limits)
                .map_err(RegistryError::Ungranted)?;
            if let Some(digest) = installed.assets {
                component = component.with_assets(Arc::new(self.files.assets(digest)?));
            }
            let skill = ActiveSkill {
                limits,
                settings: settings(config, &manifest)?,
                schemas: schemas(&manifest)?,
                digest: installed.digest,
                grants: installed.grants.clone(),
                component,
                manifest,
            };
            active.insert(id.clone(), Arc::new(skill));
        }
        let manifests: Vec<&Manifest> = active.values().map(|skill| &skill.manifest).collect();
        let brain = Brain::learn(&manifests).map_err(RegistryError::Unlearnable)?;
        Ok(Skills { number: generation.number, digest: generation.digest(), active, brain })
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
