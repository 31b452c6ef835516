//! The engines with their pools of instances: one for each size of stack that is
//! asked for.
//!
//! How much stack a guest's code may use is a setting of the engine, but not one
//! that compiled code depends on. So there are a few sizes, each with an engine of
//! its own, made when a skill first needs it; any of them runs any compiled code.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use wasmtime::{
    Config, Enabled, Engine, EngineWeak, InstanceAllocationStrategy, PoolingAllocationConfig,
};

use crate::{RuntimeConfig, RuntimeError, engine::code_config};

/// How often a running guest can be pre-empted.
const TICK: Duration = Duration::from_millis(10);

/// Sizes of stack that a guest's code can be held to, in bytes, the smallest
/// first.
pub const STACK_CLASSES: [u64; 4] = [128 << 10, 256 << 10, 512 << 10, 1 << 20];

/// The size that is there from the start.
const USUAL: usize = 2;

/// Stack for the host functions that a guest calls, in bytes.
const HOST_STACK_BYTES: usize = 1 << 20;

/// Core instances that a component may consist of. Rust components have three or
/// four; those with an interpreter inside some more.
const CORE_INSTANCES: u32 = 16;

const MEMORIES: u32 = 4;

const TABLES: u32 = 8;

/// Elements that one table may have.
const TABLE_ELEMENTS: usize = 100_000;

/// What of the pools is in use now, over all engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct InUse {
    /// Component instances.
    pub instances: u64,
    /// Core instances that they consist of.
    pub core_instances: u64,
    /// Linear memories.
    pub memories: usize,
    /// Tables.
    pub tables: usize,
    /// Stacks of guests.
    pub stacks: usize,
    /// Calls that could begin at once.
    pub free_slots: usize,
}

/// The engines, by class of stack.
pub(crate) struct Pools {
    config: RuntimeConfig,
    usual: Engine,
    others: Mutex<[Option<Engine>; STACK_CLASSES.len()]>,
    ticker: Ticker,
}

impl Pools {
    pub(crate) fn new(config: RuntimeConfig) -> Result<Self, RuntimeError> {
        let usual = engine(&config, STACK_CLASSES[USUAL])?;
        let ticker = Ticker::start(&usual).map_err(|source| RuntimeError::Ticker { source })?;
        Ok(Self { config, usual, others: Mutex::default(), ticker })
    }

    /// The engine that compiles, whose code runs in all of them.
    pub(crate) fn usual(&self) -> &Engine {
        &self.usual
    }

    fn others(&self) -> MutexGuard<'_, [Option<Engine>; STACK_CLASSES.len()]> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The engine with the largest stack that is not above this size, and what
    /// that size is. Below the smallest class it is the smallest.
    pub(crate) fn with_stack(&self, bytes: u64) -> Result<(Engine, u64), RuntimeError> {
        let class = STACK_CLASSES.iter().rposition(|class| *class <= bytes).unwrap_or(0);
        let stack_bytes = STACK_CLASSES[class];
        if class == USUAL {
            return Ok((self.usual.clone(), stack_bytes));
        }
        let mut others = self.others();
        if let Some(engine) = &others[class] {
            return Ok((engine.clone(), stack_bytes));
        }
        let engine = engine(&self.config, stack_bytes)?;
        self.ticker.add(&engine);
        others[class] = Some(engine.clone());
        Ok((engine, stack_bytes))
    }

    /// What is in use, without the slots.
    pub(crate) fn in_use(&self) -> InUse {
        let others = self.others();
        let engines = std::iter::once(&self.usual).chain(others.iter().flatten());
        let mut sum = InUse::default();
        for pool in engines.filter_map(Engine::pooling_allocator_metrics) {
            sum.instances += pool.component_instances();
            sum.core_instances += pool.core_instances();
            sum.memories += pool.memories();
            sum.tables += pool.tables();
            sum.stacks += pool.stacks();
        }
        sum
    }
}

fn engine(config: &RuntimeConfig, stack_bytes: u64) -> Result<Engine, RuntimeError> {
    let concurrent_calls = config.concurrent_calls;
    Engine::new(&engine_config(config, stack_bytes))
        .map_err(|error| RuntimeError::Engine { concurrent_calls, source: error.into() })
}

fn engine_config(config: &RuntimeConfig, stack_bytes: u64) -> Config {
    let calls = config.concurrent_calls.max(1);
    let memories = calls.saturating_mul(MEMORIES);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_core_instances(calls.saturating_mul(CORE_INSTANCES))
        .max_core_instances_per_component(CORE_INSTANCES)
        .total_memories(memories)
        .max_memories_per_component(MEMORIES)
        .max_memory_size(usize::try_from(config.max_memory_bytes).unwrap_or(usize::MAX))
        .total_tables(calls.saturating_mul(TABLES))
        .max_tables_per_component(TABLES)
        .table_elements(TABLE_ELEMENTS)
        .total_stacks(calls)
        // With PAGEMAP_SCAN only dirty pages are reset, at any size, and no call
        // needs a system call that stops the other threads.
        .pagemap_scan(Enabled::Auto)
        .linear_memory_keep_resident(1 << 20)
        .table_keep_resident(64 << 10)
        // Slots are kept for one module each: fewer and skills evict each other.
        .max_unused_warm_slots(memories);
    let stack_bytes = usize::try_from(stack_bytes).unwrap_or(usize::MAX);
    let mut engine = code_config();
    engine
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .consume_fuel(config.fuel)
        .max_wasm_stack(stack_bytes)
        // A host function may enter the guest once more, to get memory for an
        // answer, and that code may use as much again.
        .async_stack_size(stack_bytes.saturating_mul(2).saturating_add(HOST_STACK_BYTES))
        // Clearing what a call left on its stack would take a `madvise` each time,
        // and nothing can read it: compiled code reads no place on the stack that it
        // has not written, and a guest has no address of it.
        .async_stack_zeroing(false);
    engine
}

/// The thread that lets running guests be pre-empted. It ends when the engines
/// and everything loaded by them are gone.
struct Ticker(Arc<Mutex<Vec<EngineWeak>>>);

impl Ticker {
    fn start(first: &Engine) -> std::io::Result<Self> {
        let engines = Arc::new(Mutex::new(vec![first.weak()]));
        let ticked = Arc::clone(&engines);
        let thread = std::thread::Builder::new().name("postern-ticker".to_owned());
        thread.spawn(move || {
            loop {
                std::thread::sleep(TICK);
                let mut engines = ticked.lock().unwrap_or_else(PoisonError::into_inner);
                engines.retain(|engine| {
                    engine.upgrade().is_some_and(|engine| {
                        engine.increment_epoch();
                        true
                    })
                });
                if engines.is_empty() {
                    return;
                }
            }
        })?;
        Ok(Self(engines))
    }

    fn add(&self, engine: &Engine) {
        let mut engines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        engines.push(engine.weak());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_rounded_down_to_a_class_and_code_suits_them_all() {
        let config = RuntimeConfig { concurrent_calls: 1, ..RuntimeConfig::default() };
        let pools = Pools::new(config).unwrap();
        for (asked_kib, given_kib) in
            [(0, 128), (128, 128), (255, 128), (256, 256), (512, 512), (1_023, 512), (4_096, 1_024)]
        {
            let (engine, bytes) = pools.with_stack(asked_kib << 10).unwrap();
            assert_eq!(bytes, given_kib << 10, "{asked_kib}");
            assert_eq!(hash(&engine), hash(pools.usual()), "{asked_kib}");
        }
    }

    fn hash(engine: &Engine) -> u64 {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        hasher.finish()
    }
}
