//! From a component to code of this machine.

use std::{
    error::Error,
    fmt,
    hash::{Hash, Hasher},
    io,
};

use sha2::{Digest as _, Sha256};
use wasmtime::{Config, Engine};

use crate::{RuntimeError, engine::code_config};

/// Compiles components, and can do nothing else with them: it has neither a pool of
/// instances nor a thread. For a process that exists only to compile and can be
/// ended, because a compilation cannot.
pub struct CodeCompiler(Engine);

impl fmt::Debug for CodeCompiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeCompiler").finish_non_exhaustive()
    }
}

impl CodeCompiler {
    /// Prepares to compile.
    ///
    /// # Errors
    /// The engine does not support this machine.
    pub fn new() -> Result<Self, RuntimeError> {
        Self::of(&code_config())
    }

    /// Prepares to compile for a runtime that [counts fuel](crate::RuntimeConfig::fuel).
    ///
    /// # Errors
    /// As [`CodeCompiler::new`].
    pub fn counting_fuel() -> Result<Self, RuntimeError> {
        let mut config = code_config();
        config.consume_fuel(true);
        Self::of(&config)
    }

    fn of(config: &Config) -> Result<Self, RuntimeError> {
        match Engine::new(config) {
            Ok(engine) => Ok(Self(engine)),
            Err(error) => Err(RuntimeError::Compiler { source: error.into() }),
        }
    }

    /// Compiles a component for a [`Runtime`](crate::Runtime) with the same
    /// fingerprint.
    ///
    /// # Errors
    /// The component is not valid, or there is no memory for it.
    pub fn compile(&self, bytes: &[u8]) -> Result<Vec<u8>, RuntimeError> {
        compile(&self.0, bytes)
    }

    /// Names everything that the code depends on, as
    /// [`Runtime::engine_fingerprint`](crate::Runtime::engine_fingerprint) does.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.0)
    }
}

pub(crate) fn compile(engine: &Engine, bytes: &[u8]) -> Result<Vec<u8>, RuntimeError> {
    engine.precompile_component(bytes).map_err(|error| {
        let no_memory = error.chain().any(is_out_of_memory);
        if no_memory {
            RuntimeError::Memory
        } else {
            RuntimeError::Compile { source: error.into() }
        }
    })
}

fn is_out_of_memory(cause: &(dyn Error + 'static)) -> bool {
    cause.is::<wasmtime::OutOfMemory>()
        || cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::OutOfMemory)
        || cause.downcast_ref::<rustix::io::Errno>() == Some(&rustix::io::Errno::NOMEM)
}

pub(crate) fn fingerprint(engine: &Engine) -> String {
    struct Sha(Sha256);
    impl Hasher for Sha {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut sha = Sha(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut sha);
    hex::encode(sha.0.finalize())
}
