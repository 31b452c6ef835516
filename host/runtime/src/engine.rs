//! What runs skills: engines, pools of instances, and room for calls.

use std::collections::BTreeSet;

use postern_domain::{Interface, SkillId};
use wasmtime::Config;

use crate::{
    Bounds, ComponentInfo, InUse, InspectError, Limits, LoadError, LoadedSkill, RuntimeError,
    compile, inspect, load, pools::Pools, skill::Loaded, slots::Slots,
};

/// How much the runtime holds ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeConfig {
    /// Calls that run at the same time; further ones wait.
    pub concurrent_calls: u32,
    /// Bytes of memory that any call may be given, whatever its limits say.
    pub max_memory_bytes: u64,
    /// Whether guests' instructions are counted, so that [`Limits::fuel`] holds and
    /// the same call uses the same fuel on every machine. It slows guests and needs
    /// code that [`Runtime::compile`] of such a runtime made, so it is meant for
    /// tests of what a skill costs.
    pub fuel: bool,
}

impl Default for RuntimeConfig {
    fn default() -> Self {
        Self { concurrent_calls: 64, max_memory_bytes: 64 << 20, fuel: false }
    }
}

/// The engines, their pools of instances and the thread that pre-empts guests,
/// which ends when the runtime and everything loaded by it are gone.
pub struct Runtime {
    config: RuntimeConfig,
    pools: Pools,
    slots: Slots,
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("in_use", &self.in_use()).finish()
    }
}

impl Runtime {
    /// Starts the engine.
    ///
    /// # Errors
    /// The pool's address space cannot be reserved, or no thread can be started.
    pub fn new(config: RuntimeConfig) -> Result<Self, RuntimeError> {
        let config = RuntimeConfig { concurrent_calls: config.concurrent_calls.max(1), ..config };
        let pools = Pools::new(config.clone())?;
        let slots = Slots::new(config.concurrent_calls);
        Ok(Self { config, pools, slots })
    }

    /// What calls use at this moment. After the last has ended, however it did,
    /// this is what it was before the first.
    pub fn in_use(&self) -> InUse {
        InUse { free_slots: self.slots.free(), ..self.pools.in_use() }
    }

    /// Looks over a component: what it imports, that it is a skill, and that it is
    /// within the default bounds. Neither compiles nor runs anything.
    ///
    /// # Errors
    /// It is no component, too large, exports no tools, or imports what this host
    /// does not have.
    pub fn inspect(bytes: &[u8]) -> Result<ComponentInfo, InspectError> {
        Self::inspect_within(bytes, &Bounds::default())
    }

    /// Like [`Runtime::inspect`], within other bounds.
    ///
    /// # Errors
    /// As [`Runtime::inspect`].
    pub fn inspect_within(bytes: &[u8], bounds: &Bounds) -> Result<ComponentInfo, InspectError> {
        inspect::inspect(bytes, bounds)
    }

    /// Compiles a component for this engine. Blocks for as long as that takes:
    /// tens of milliseconds for Rust, seconds for large interpreters. Nothing bounds
    /// it and nothing ends it: a component of a stranger belongs into a process of
    /// its own, with [`CodeCompiler`](crate::CodeCompiler).
    ///
    /// # Errors
    /// The component is not valid, or there is no memory for it.
    pub fn compile(&self, bytes: &[u8]) -> Result<Vec<u8>, RuntimeError> {
        compile::compile(self.pools.usual(), bytes)
    }

    /// Names everything that compiled code depends on: version, target and
    /// settings. Code compiled under another fingerprint is refused.
    pub fn engine_fingerprint(&self) -> String {
        compile::fingerprint(self.pools.usual())
    }

    /// Makes compiled code ready to run, with these interfaces and no others, and
    /// with the stack and the number of calls at a time of these limits; all other
    /// limits belong to a call.
    ///
    /// The code is trusted: it must be what [`Runtime::compile`] or
    /// [`CodeCompiler::compile`](crate::CodeCompiler::compile) made, which the caller
    /// proves before by a seal over these very bytes. They are copied, so that nobody
    /// can change code that has been checked.
    ///
    /// # Errors
    /// An interface is imported and not granted, or the code does not fit.
    pub fn load_bytes(
        &self,
        skill: &SkillId,
        precompiled: &[u8],
        granted: &BTreeSet<Interface>,
        limits: &Limits,
    ) -> Result<LoadedSkill, LoadError> {
        let (engine, stack_bytes) = self
            .pools
            .with_stack(limits.stack_bytes)
            .map_err(|source| LoadError::Engine { skill: skill.clone(), source })?;
        let pre = load::prepare(&engine, skill, precompiled, granted)?;
        let slots = self.slots.of_skill(skill, limits.skill_calls);
        Ok(LoadedSkill::new(Loaded {
            skill: skill.clone(),
            pre,
            slots,
            skill_calls: limits.skill_calls,
            stack_bytes,
            max_memory_bytes: self.config.max_memory_bytes,
            fuel: self.config.fuel,
            log: granted.contains(&Interface::Log),
        }))
    }
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
