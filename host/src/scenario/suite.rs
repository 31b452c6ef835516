//! What all scenarios of a skill share: the compiled component, the rules, the
//! configuration.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use postern_domain::{Digest, Manifest, Timestamp};
use postern_runtime::{Runtime, RuntimeConfig};
use postern_scenario::Scenario;

use super::{Outcome, RunError, folder::Words, run};
use crate::{
    config::Config,
    gate::Revocations,
    keys::{KeyError, MasterKey},
    policies::{self, Policies},
    redaction,
    registry::{Candidate, Compiler, Generation, Loaded, Registry},
};

/// Compiled components that stay in the cache.
const CACHED: usize = 64;
/// What was used within this time stays in the cache: another process may be about to
/// read it.
const IN_USE: Duration = Duration::from_secs(60 * 60);
/// The rules under which scenarios run.
#[derive(Clone, Debug)]
pub enum Rules {
    /// These files, by their names, and the rules that the skill's author proposes.
    Shipped {
        /// Names and texts.
        files: Vec<(String, String)>,
        /// `policy.cedar` of the skill's folder, if there is one.
        proposed: Option<String>,
    },
    /// Those of a folder, as they are.
    Folder(PathBuf),
}

/// What is said of the host of scenarios, in the words of `postern.toml`.
#[derive(Clone, Debug)]
pub enum Told {
    /// Nothing.
    Nothing,
    /// What stands in `dev/host.toml` of a skill's folder, if it is there.
    ByAuthor(PathBuf),
    /// What the configuration of a data folder says of collections, endpoints, secrets,
    /// settings and limits.
    ByOperator(PathBuf),
}

/// What scenarios are run on.
pub struct Setup<'a> {
    /// The skill.
    pub candidate: &'a Candidate,
    /// What is said of the host, beside the manifest.
    pub host: Told,
    /// The rules.
    pub rules: Rules,
    /// Where compiled code is kept.
    pub cache: &'a Path,
    /// What compiles.
    pub compiler: Compiler,
}

/// A skill, ready to run scenarios.
pub struct Suite {
    pub(super) manifest: Manifest,
    pub(super) key: MasterKey,
    pub(super) runtime: Arc<Runtime>,
    pub(super) policy: Arc<Policies>,
    words: Words,
    data: tempfile::TempDir,
    cache: PathBuf,
    cache_key: MasterKey,
    compiler: Compiler,
    generation: Generation,
    loaded: Mutex<BTreeMap<BTreeMap<String, String>, Arc<Loaded>>>,
}

impl Suite {
    /// Prepares to run these scenarios. Compiles the component, unless it was compiled
    /// before.
    ///
    /// # Errors
    /// The skill, its rules or what is said of its host cannot be used.
    pub fn prepare(setup: Setup<'_>, scenarios: &[(PathBuf, Scenario)]) -> Result<Self, RunError> {
        let Setup { candidate, host, rules, cache, compiler } = setup;
        let manifest = candidate.manifest.clone();
        let data = tempfile::Builder::new()
            .prefix("postern-scenarios-")
            .tempdir()
            .map_err(|source| RunError::Io { path: std::env::temp_dir(), source })?;
        let words = Words::new(data.path(), &host, &manifest, scenarios)?;
        let config = words.config(&manifest, &BTreeMap::new())?;
        let policy = Arc::new(in_force(&config, &manifest, rules, data.path())?);
        redaction::set(Arc::clone(policy.current().detector()));
        let cache_key = cache_key(cache)?;
        let registry = Registry::open(cache, cache_key.clone(), compiler.clone().counting_fuel())?;
        let mut generation = Generation { number: 1, ..Generation::default() };
        // Before it is looked for, so that nobody removes it once it was found.
        renew(cache, candidate.digest());
        let installed = registry.try_out(candidate, Timestamp::from_millis(0))?;
        generation.skills.insert(manifest.skill.id.clone(), installed);
        let runtime = Runtime::new(RuntimeConfig {
            concurrent_calls: config.concurrent_calls,
            max_memory_bytes: config.ceilings.memory_bytes,
            fuel: true,
        });
        let runtime = Arc::new(runtime.map_err(crate::app::StartError::Runtime)?);
        Ok(Self {
            key: MasterKey::of_scenarios(),
            manifest,
            runtime,
            policy,
            words,
            data,
            cache: cache.to_owned(),
            cache_key,
            compiler,
            generation,
            loaded: Mutex::default(),
        })
    }

    /// Runs one scenario.
    pub async fn run(&self, file: &Path, scenario: &Scenario) -> Outcome {
        let began = Instant::now();
        let mut outcome = run::scenario(self, file, scenario).await;
        outcome.took = began.elapsed();
        outcome
    }

    /// A folder of its own for the store of one scenario.
    pub(super) fn place(&self) -> Result<tempfile::TempDir, RunError> {
        tempfile::tempdir_in(self.data.path())
            .map_err(|source| RunError::Io { path: self.data.path().to_owned(), source })
    }

    /// The configuration with these settings.
    pub(super) fn config(&self, settings: &BTreeMap<String, String>) -> Result<Config, RunError> {
        self.words.config(&self.manifest, settings)
    }

    pub(super) fn registry(&self) -> Result<Registry, RunError> {
        let compiler = self.compiler.clone().counting_fuel();
        Ok(Registry::open(&self.cache, self.cache_key.clone(), compiler)?)
    }

    /// The skill with these settings, loaded once.
    pub(super) fn loaded(
        &self,
        registry: &Registry,
        config: &Config,
        settings: &BTreeMap<String, String>,
    ) -> Result<Arc<Loaded>, RunError> {
        let mut all = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = all.get(settings) {
            return Ok(Arc::clone(loaded));
        }
        let with = (&*self.runtime, config);
        let loaded = registry.load(with, &Revocations::default(), &self.generation, None)?;
        if let Some(left_out) = loaded.stable.left_out.get(&self.manifest.skill.id) {
            let (id, why) = (&self.manifest.skill.id, &left_out.why);
            return Err(RunError::Impossible(format!("{id} cannot be loaded: {why}")));
        }
        if all.is_empty() {
            self.tidy();
        }
        let loaded = Arc::new(loaded);
        all.insert(settings.clone(), Arc::clone(&loaded));
        Ok(loaded)
    }

    /// Lets the cache not grow without end.
    fn tidy(&self) {
        let skills = self.generation.skills.values();
        let own: Vec<String> = skills
            .flat_map(|skill| std::iter::once(skill.digest).chain(skill.assets))
            .map(|digest| digest.hex())
            .collect();
        tidy(&self.cache, &own, SystemTime::now());
    }
}

/// The files of a part of the cache, with the times at which they were used.
fn cached(cache: &Path, part: &str) -> Vec<(SystemTime, PathBuf)> {
    let Ok(entries) = fs::read_dir(cache.join("skills").join(part)) else { return Vec::new() };
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect()
}

/// Whether a file of the cache belongs to this digest.
fn is_of(file: &Path, digest: &str) -> bool {
    file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(digest))
}

/// Says that what is cached of a component is used now.
fn renew(cache: &Path, digest: Digest) {
    let digest = digest.hex();
    let files = ["blobs", "compiled"].into_iter().flat_map(|part| cached(cache, part));
    for (_, file) in files.filter(|(_, file)| is_of(file, &digest)) {
        // What cannot be renewed only goes sooner.
        let _old = fs::File::open(file).and_then(|file| file.set_modified(SystemTime::now()));
    }
}

/// Removes what was not used for longest, except for what is in use. What cannot be
/// removed stays.
fn tidy(cache: &Path, own: &[String], now: SystemTime) {
    for part in ["blobs", "compiled"] {
        let mut files = cached(cache, part);
        files.sort();
        let surplus = files.len().saturating_sub(CACHED);
        let old = |at: &SystemTime| now.duration_since(*at).is_ok_and(|age| age > IN_USE);
        let unused = files
            .into_iter()
            .take(surplus)
            .filter(|(at, file)| old(at) && !own.iter().any(|digest| is_of(file, digest)));
        for (_, file) in unused {
            let _gone = fs::remove_file(file);
        }
    }
}

/// Puts rules in force in the folder of the scenarios' host.
fn in_force(
    config: &Config,
    manifest: &Manifest,
    rules: Rules,
    data: &Path,
) -> Result<Policies, RunError> {
    let loaded = match rules {
        Rules::Folder(folder) => policies::Loaded::folder(config, &folder)?,
        Rules::Shipped { files, proposed } => {
            let folder = data.join("policies");
            let write = |name: &str, text: &str| {
                let path = folder.join(name);
                fs::write(&path, text).map_err(|source| RunError::Io { path, source })
            };
            fs::create_dir_all(&folder)
                .map_err(|source| RunError::Io { path: folder.clone(), source })?;
            for (name, text) in files.iter().filter(|(name, _)| !name.contains('/')) {
                write(name, text)?;
            }
            if let Some(text) = proposed {
                write(&format!("{}.cedar", manifest.skill.id), &text)?;
            }
            policies::Loaded::folder(config, &folder)?
        }
    };
    Ok(Policies::shared(1, loaded.shared()))
}

/// What seals compiled code in the cache: random, and only this user's.
fn cache_key(cache: &Path) -> Result<MasterKey, RunError> {
    let io = |source| RunError::Io { path: cache.to_owned(), source };
    fs::create_dir_all(cache).map_err(io)?;
    let file = cache.join("key");
    if !file.exists() {
        match MasterKey::generate()?.write_new(&file) {
            Ok(()) => {}
            // Another process made it meanwhile.
            Err(KeyError::Io { .. }) if file.exists() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(MasterKey::read(&file)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_use_stays_in_the_cache() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("skills/blobs");
        fs::create_dir_all(&folder).unwrap();
        let now = SystemTime::now();
        let (own, renewed) = (Digest::of_bytes(b"own"), Digest::of_bytes(b"renewed"));
        let keep = |name: String, seconds: u64| {
            let file = fs::File::create(folder.join(name)).unwrap();
            file.set_modified(now - Duration::from_secs(seconds)).unwrap();
        };
        keep(format!("{}.wasm", own.hex()), 9_000_000);
        keep(format!("{}.wasm", renewed.hex()), 8_000_000);
        (0..CACHED).for_each(|i| keep(format!("old-{i}"), 1_000_000 + i as u64));
        (0..CACHED).for_each(|i| keep(format!("new-{i}"), 60));
        renew(cache.path(), renewed);
        tidy(cache.path(), &[own.hex()], now);
        assert!(folder.join(format!("{}.wasm", own.hex())).exists());
        assert!(folder.join(format!("{}.wasm", renewed.hex())).exists());
        assert_eq!(cached(cache.path(), "blobs").len(), CACHED + 2);
    }
}
