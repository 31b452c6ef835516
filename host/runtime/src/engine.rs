//! The engine that all skills share.

use std::{
    collections::BTreeSet,
    hash::{Hash, Hasher},
    path::Path,
    sync::Arc,
    time::Duration,
};

use postern_domain::{Interface, SkillId};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use wasmtime::{
    Config, Enabled, Engine, EngineWeak, InstanceAllocationStrategy, PoolingAllocationConfig,
};

use crate::{
    ComponentInfo, InspectError, LoadError, LoadedSkill, RuntimeError, inspect,
    load::{self, Code},
};

/// How often a running guest can be pre-empted.
const TICK: Duration = Duration::from_millis(10);

/// Stack of a guest's own code, in bytes; the engine's default.
const GUEST_STACK_BYTES: usize = 512 << 10;

/// Stack of a guest's code and of the host functions that it calls, in bytes.
const FIBER_STACK_BYTES: usize = 2 << 20;

/// Core instances that a component may consist of. Rust components have three or
/// four; those with an interpreter inside some more.
const CORE_INSTANCES: u32 = 16;

const MEMORIES: u32 = 4;

const TABLES: u32 = 8;

/// Elements that one table may have.
const TABLE_ELEMENTS: usize = 100_000;

/// How much the runtime holds ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeConfig {
    /// Calls that run at the same time; further ones wait.
    pub concurrent_calls: u32,
    /// Bytes of memory that any call may be given, whatever its limits say.
    pub max_memory_bytes: u64,
}

impl Default for RuntimeConfig {
    fn default() -> Self {
        Self { concurrent_calls: 64, max_memory_bytes: 64 << 20 }
    }
}

/// The engine, its pool of instances and the thread that pre-empts guests, which
/// ends when the runtime and everything loaded by it are gone.
pub struct Runtime {
    engine: Engine,
    slots: Arc<Semaphore>,
    max_memory_bytes: u64,
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("free_slots", &self.slots.available_permits()).finish()
    }
}

impl Runtime {
    /// Starts the engine.
    ///
    /// # Errors
    /// The pool's address space cannot be reserved, or no thread can be started.
    pub fn new(config: RuntimeConfig) -> Result<Self, RuntimeError> {
        let concurrent_calls = config.concurrent_calls.max(1);
        let engine = Engine::new(&engine_config(concurrent_calls, config.max_memory_bytes))
            .map_err(|error| RuntimeError::Engine { concurrent_calls, source: error.into() })?;
        tick(engine.weak()).map_err(|source| RuntimeError::Ticker { source })?;
        Ok(Self {
            engine,
            slots: Arc::new(Semaphore::new(concurrent_calls as usize)),
            max_memory_bytes: config.max_memory_bytes,
        })
    }

    /// Looks over a component: what it imports, and that it is a skill. Neither
    /// compiles nor runs anything.
    ///
    /// # Errors
    /// It is no component, too large, exports no tools, or imports what this host
    /// does not have.
    pub fn inspect(bytes: &[u8]) -> Result<ComponentInfo, InspectError> {
        inspect::inspect(bytes)
    }

    /// Compiles a component for this engine. Blocks for as long as that takes:
    /// tens of milliseconds for Rust, seconds for large interpreters.
    ///
    /// # Errors
    /// The component is not valid, or needs more than the pool's slots have.
    pub fn compile(&self, bytes: &[u8]) -> Result<Vec<u8>, RuntimeError> {
        self.engine
            .precompile_component(bytes)
            .map_err(|error| RuntimeError::Compile { source: error.into() })
    }

    /// Names everything that compiled code depends on: version, target and
    /// settings. Code compiled under another fingerprint is refused.
    pub fn engine_fingerprint(&self) -> String {
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
        self.engine.precompile_compatibility_hash().hash(&mut sha);
        hex::encode(sha.0.finalize())
    }

    /// Makes compiled code ready to run, with these interfaces and no others.
    ///
    /// The file is mapped and trusted: it must be one that [`Runtime::compile`]
    /// made, as the caller proves by its digest, and must not change while the
    /// skill is loaded. Give it only files that nobody else can write.
    ///
    /// # Errors
    /// An interface is imported and not granted, or the code does not fit.
    pub fn load(
        &self,
        skill: &SkillId,
        precompiled: &Path,
        granted: &BTreeSet<Interface>,
    ) -> Result<LoadedSkill, LoadError> {
        self.load_code(skill, Code::File(precompiled), granted)
    }

    /// Like [`Runtime::load`], from memory, under the same trust.
    ///
    /// # Errors
    /// An interface is imported and not granted, or the code does not fit.
    pub fn load_bytes(
        &self,
        skill: &SkillId,
        precompiled: &[u8],
        granted: &BTreeSet<Interface>,
    ) -> Result<LoadedSkill, LoadError> {
        self.load_code(skill, Code::Bytes(precompiled), granted)
    }

    fn load_code(
        &self,
        skill: &SkillId,
        code: Code<'_>,
        granted: &BTreeSet<Interface>,
    ) -> Result<LoadedSkill, LoadError> {
        let pre = load::prepare(&self.engine, skill, code, granted)?;
        let log = granted.contains(&Interface::Log);
        Ok(LoadedSkill::new(pre, Arc::clone(&self.slots), self.max_memory_bytes, log))
    }
}

fn engine_config(concurrent_calls: u32, max_memory_bytes: u64) -> Config {
    let memories = concurrent_calls.saturating_mul(MEMORIES);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(concurrent_calls)
        .total_core_instances(concurrent_calls.saturating_mul(CORE_INSTANCES))
        .max_core_instances_per_component(CORE_INSTANCES)
        .total_memories(memories)
        .max_memories_per_component(MEMORIES)
        .max_memory_size(usize::try_from(max_memory_bytes).unwrap_or(usize::MAX))
        .total_tables(concurrent_calls.saturating_mul(TABLES))
        .max_tables_per_component(TABLES)
        .table_elements(TABLE_ELEMENTS)
        .total_stacks(concurrent_calls)
        // With PAGEMAP_SCAN only dirty pages are reset, at any size, and no call
        // needs a system call that stops the other threads.
        .pagemap_scan(Enabled::Auto)
        .linear_memory_keep_resident(1 << 20)
        .table_keep_resident(64 << 10)
        .async_stack_keep_resident(64 << 10)
        // Slots are kept for one module each: fewer and skills evict each other.
        .max_unused_warm_slots(memories);
    let mut config = code_config();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .max_wasm_stack(GUEST_STACK_BYTES)
        .async_stack_size(FIBER_STACK_BYTES)
        .async_stack_zeroing(true);
    config
}

/// The settings that compiled code depends on: the same in the engine that runs
/// it and in the process that compiles it.
pub(crate) fn code_config() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        // A run must be the same again on any machine.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .concurrency_support(false)
        .wasm_memory64(false)
        // A skill's failure is told by its kind; traces would cost every trap.
        .wasm_backtrace_max_frames(None)
        .generate_address_map(false);
    config
}

/// Starts the thread that lets running guests be pre-empted.
fn tick(engine: EngineWeak) -> std::io::Result<()> {
    let ticker = std::thread::Builder::new().name("postern-ticker".to_owned());
    ticker.spawn(move || {
        loop {
            std::thread::sleep(TICK);
            match engine.upgrade() {
                Some(engine) => engine.increment_epoch(),
                None => return,
            }
        }
    })?;
    Ok(())
}
