//! Installed skills: components by digest, and generations that say which of
//! them are active with which grants.
//!
//! Nothing is changed in place. A component is staged, synced and renamed to its
//! digest; a generation is a new file; one rename of `current` activates it.

mod assets;
mod candidate;
mod change;
mod collect;
mod compile;
mod error;
mod files;
mod generation;
mod load;
mod loaded;
mod operate;
pub mod review;
mod tried;

use std::{collections::BTreeSet, path::Path, sync::Mutex};

use postern_domain::{Digest, Interface, Timestamp};
use postern_runtime::{Bounds, ComponentInfo, Limits, Runtime};
use serde::{Deserialize, Serialize};

pub use assets::read_assets;
pub(crate) use assets::{decode as decode_assets, encode as encode_assets};
pub use candidate::{Candidate, parse_manifest, read_folder_or_file, read_manifest};
pub(crate) use candidate::{MOST_COMPONENT_BYTES, MOST_MANIFEST_BYTES, read as read_file};
pub use collect::Collected;
pub use compile::{CompileError, CompileLimits, Compiler, answer_if_asked};
pub use error::RegistryError;
pub use generation::{Canary, CanaryRules, Generation, Installed, Made, Seen, SignedBy, Source};
pub use load::{check_settings, check_usable};
pub use loaded::{ActiveSkill, LeftOut, Loaded, Skills, Trial, Why};

use crate::{config::Config, fault, keys::MasterKey, package};

/// The stored form of a generation.
#[derive(Serialize, Deserialize)]
#[serde(tag = "version")]
enum GenerationFile {
    #[serde(rename = "1")]
    V1 { generation: Generation },
}

/// The registry of a data folder.
#[derive(Debug)]
pub struct Registry {
    files: files::Files,
    key: MasterKey,
    compiler: Compiler,
    /// Held while missing code is made, so that it is made once.
    compiling: Mutex<()>,
}

impl Registry {
    /// Opens the registry in a data folder, making its folders if needed.
    ///
    /// # Errors
    /// The folders cannot be made.
    pub fn open(data: &Path, key: MasterKey, compiler: Compiler) -> Result<Self, RegistryError> {
        let files = files::Files::open(data)?;
        Ok(Self { files, key, compiler, compiling: Mutex::default() })
    }

    /// The active generation.
    ///
    /// # Errors
    /// Its file cannot be read or is damaged.
    pub fn current(&self) -> Result<Generation, RegistryError> {
        match self.files.current()? {
            None => Ok(Generation::default()),
            Some(number) => self.generation(number),
        }
    }

    /// The number of the active generation, which is cheap to ask for.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn current_number(&self) -> Result<u64, RegistryError> {
        Ok(self.files.current()?.unwrap_or_default())
    }

    /// A generation by its number.
    ///
    /// # Errors
    /// There is none, or its file is damaged.
    pub fn generation(&self, number: u64) -> Result<Generation, RegistryError> {
        if number == 0 {
            return Ok(Generation::default());
        }
        let (path, bytes) =
            self.files.read_generation(number)?.ok_or(RegistryError::NoGeneration(number))?;
        let GenerationFile::V1 { generation } = serde_json::from_slice(&bytes)
            .map_err(|error| RegistryError::Damaged { path, reason: error.to_string() })?;
        Ok(generation)
    }

    /// What a component of this registry imports and exports.
    ///
    /// # Errors
    /// Its file is missing or damaged, or this host cannot run it any more.
    pub fn inspect(&self, component: Digest) -> Result<ComponentInfo, RegistryError> {
        let bytes = self.files.component(component)?;
        // Whether it is too large was decided when it was installed.
        let bounds = Bounds {
            component_bytes: u64::MAX,
            memory_bytes: u64::MAX,
            table_elements: u64::MAX,
            ..Bounds::default()
        };
        Runtime::inspect_within(&bytes, &bounds)
            .map_err(|source| RegistryError::Component { file: component.to_string(), source })
    }

    /// The packed component of this digest, checked.
    ///
    /// # Errors
    /// Its file is missing or damaged.
    pub fn component(&self, component: Digest) -> Result<Vec<u8>, RegistryError> {
        self.files.component(component)
    }

    /// What a component was built from (CycloneDX), as it says itself, or as the registry
    /// said from which it came.
    ///
    /// # Errors
    /// It, or what is said of it, cannot be read.
    pub fn built_from(
        &self,
        component: Digest,
    ) -> Result<Option<serde_json::Value>, RegistryError> {
        let own = package::sbom(&self.files.component(component)?)
            .map_err(|source| RegistryError::Package { file: component.to_string(), source })?;
        match own {
            Some(own) => Ok(Some(own)),
            None => self.files.built_from(component),
        }
    }

    /// Puts a candidate with these grants into the store of components, compiled, so
    /// that serving never has to, and answers how a generation lists it. No
    /// generation does yet.
    ///
    /// # Errors
    /// An import was not granted, or the skill cannot be compiled or used.
    pub fn keep(
        &self,
        runtime: &Runtime,
        config: &Config,
        candidate: &Candidate,
        grants: BTreeSet<Interface>,
        origin: Origin,
        now: Timestamp,
    ) -> Result<Installed, RegistryError> {
        let id = &candidate.manifest.skill.id;
        load::check_usable(&candidate.manifest)?;
        let digest = candidate.digest();
        let engine = runtime.engine_fingerprint();
        let compiled = self
            .compiler
            .compile(&engine, &candidate.bytes, &config.compile)
            .map_err(|source| RegistryError::Compile { skill: id.clone(), source })?;
        let limits = Limits::for_manifest(&candidate.manifest.limits, &config.ceilings);
        // Linking proves that every import is granted, before anything is kept.
        runtime.load_bytes(id, &compiled, &grants, &limits).map_err(RegistryError::Ungranted)?;
        fault::point("skills.component.before");
        self.files.keep_component(digest, &candidate.bytes)?;
        fault::point("skills.component.after");
        self.files.keep_compiled(&self.key, digest, &engine, compiled)?;
        fault::point("skills.compiled.after");
        let assets = self.files.keep_assets(&candidate.assets)?;
        fault::point("skills.assets.after");
        let manifest = candidate.manifest.clone();
        let Origin { source, signed_by, built_from } = origin;
        if let Some(built_from) = built_from {
            self.files.keep_built_from(digest, &built_from)?;
        }
        Ok(Installed { manifest, digest, assets, grants, installed_at: now, source, signed_by })
    }
}

/// Where a component came from, and who signed it.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// Where it came from.
    pub source: Option<Source>,
    /// Who signed it; nothing if the operator took it unsigned.
    pub signed_by: Option<SignedBy>,
    /// What it was built from (CycloneDX), if the registry said so.
    pub built_from: Option<serde_json::Value>,
}

#[cfg(test)]
mod tests;
