//! The measure of all figures: the same component on wasmtime alone.
//!
//! Same pool, same code settings, a fresh instance for each call, pre-empted by
//! epochs and limited in memory; host functions that answer at once with what
//! they were given, and WASI that is not there. What Postern costs is what it
//! takes beyond this.

use std::time::Duration;

use wasmtime::{
    Config, Enabled, Engine, EngineWeak, InstanceAllocationStrategy, PoolingAllocationConfig,
    ResourceLimiter, Result, Store, StoreContextMut,
    component::{Component, ComponentExportIndex, ComponentType, InstancePre, Lift, Linker, Lower},
};

/// As much as Postern gives a call by default.
const MOST_MEMORY_BYTES: usize = 64 << 20;
const MOST_TABLE_ELEMENTS: usize = 100_000;

/// One call and what it meets.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    /// The tool.
    pub(crate) tool: String,
    /// Its arguments: a JSON object.
    pub(crate) arguments: String,
    /// What the operator set: names and values.
    pub(crate) settings: Vec<(String, String)>,
    /// The JSON of the record that the tool reads.
    pub(crate) record: String,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An engine with one component in it.
pub(crate) struct Raw {
    pre: InstancePre<State>,
    call: ComponentExportIndex,
    work: Work,
    context: Context,
}

struct State {
    record: String,
    memory_bytes: usize,
}

impl ResourceLimiter for State {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        self.memory_bytes += desired - current;
        Ok(self.memory_bytes <= MOST_MEMORY_BYTES)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        Ok(desired <= MOST_TABLE_ELEMENTS)
    }
}

impl Raw {
    /// Compiles `component` on an engine of its own, with room for so many calls
    /// at a time.
    pub(crate) fn new(
        component: &[u8],
        work: Work,
        concurrent_calls: u32,
    ) -> std::result::Result<Self, BoxError> {
        let engine = Engine::new(&config(concurrent_calls))?;
        tick(engine.weak())?;
        let component = Component::new(&engine, component)?;
        let mut linker = Linker::<State>::new(&engine);
        linker.instance("postern:log/logging@0.1.0")?.func_wrap("log", log)?;
        linker.instance("postern:records/store@0.1.0")?.func_wrap("get", get)?;
        linker.define_unknown_imports_as_traps(&component)?;
        let export = |of: Option<&_>, name: &str| {
            let found = component.get_export(of, name).map(|(_, index)| index);
            found.ok_or_else(|| wasmtime::Error::msg(format!("there is no {name}")))
        };
        let call = export(Some(&export(None, "postern:skill/tools@0.1.0")?), "call")?;
        let context = Context {
            invocation_id: "inv_0123456789abcdef01234567".to_owned(),
            now_ms: 1_700_000_000_123,
            language: "en".to_owned(),
            customer: Customer {
                key: Some("bench_0".to_owned()),
                level: IdentityLevel::Identified,
            },
            settings: work.settings.clone(),
        };
        Ok(Self { pre: linker.instantiate_pre(&component)?, call, work, context })
    }

    /// One call in a fresh instance; answers the text of the reply.
    pub(crate) async fn call(&self) -> std::result::Result<String, BoxError> {
        Ok(self.reply().await?)
    }

    async fn reply(&self) -> Result<String> {
        let state = State { record: self.work.record.clone(), memory_bytes: 0 };
        let mut store = Store::new(self.pre.engine(), state);
        store.limiter(|state| state);
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        let instance = self.pre.instantiate_async(&mut store).await?;
        let tool = instance
            .get_typed_func::<(&str, &str, &Context), (std::result::Result<Outcome, Refusal>,)>(
                &mut store, &self.call,
            )?;
        let arguments = (self.work.tool.as_str(), self.work.arguments.as_str(), &self.context);
        match tool.call_async(&mut store, arguments).await? {
            (Ok(Outcome::Reply(text)),) => Ok(text),
            (other,) => Err(wasmtime::Error::msg(format!("no reply but {other:?}"))),
        }
    }
}

type Line = (Level, String, Vec<(String, String)>);

fn log(_: StoreContextMut<'_, State>, _: Line) -> Result<()> {
    Ok(())
}

fn get(
    mut store: StoreContextMut<'_, State>,
    (_collection, key): (String, String),
) -> Result<(std::result::Result<Document, Failure>,)> {
    let body = std::mem::take(&mut store.data_mut().record);
    Ok((Ok(Document { key, version: 1, body }),))
}

/// What Postern's own engine is set to.
fn config(concurrent_calls: u32) -> Config {
    let memories = concurrent_calls * 4;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(concurrent_calls)
        .total_core_instances(concurrent_calls * 16)
        .max_core_instances_per_component(16)
        .total_memories(memories)
        .max_memories_per_component(4)
        .max_memory_size(MOST_MEMORY_BYTES)
        .total_tables(concurrent_calls * 8)
        .max_tables_per_component(8)
        .table_elements(MOST_TABLE_ELEMENTS)
        .total_stacks(concurrent_calls)
        .pagemap_scan(Enabled::Auto)
        .linear_memory_keep_resident(1 << 20)
        .table_keep_resident(64 << 10)
        .max_unused_warm_slots(memories);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .epoch_interruption(true)
        .max_wasm_stack(512 << 10)
        .async_stack_size(2 << 20)
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .concurrency_support(false)
        .wasm_memory64(false)
        .wasm_backtrace_max_frames(None)
        .generate_address_map(false);
    config
}

fn tick(engine: EngineWeak) -> Result<()> {
    std::thread::Builder::new().name("raw-ticker".to_owned()).spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(Duration::from_millis(10));
        }
    })?;
    Ok(())
}

// The types of `wit/`, as far as the one tool meets them.

#[expect(dead_code, reason = "only the component makes them")]
#[derive(Clone, Copy, Debug, ComponentType, Lift)]
#[component(enum)]
#[repr(u8)]
enum Level {
    #[component(name = "trace")]
    Trace,
    #[component(name = "debug")]
    Debug,
    #[component(name = "info")]
    Info,
    #[component(name = "warn")]
    Warn,
    #[component(name = "error")]
    Error,
}

#[derive(ComponentType, Lower)]
#[component(record)]
struct Document {
    key: String,
    version: u64,
    body: String,
}

#[derive(ComponentType, Lower)]
#[component(record)]
struct Failure {
    kind: FailureKind,
    message: String,
    retry: Retry,
}

/// Nothing fails here, but the type has to be the component's.
#[expect(dead_code, reason = "canned calls do not fail")]
#[derive(Clone, Copy, ComponentType, Lower)]
#[component(enum)]
#[repr(u8)]
enum FailureKind {
    #[component(name = "denied")]
    Denied,
    #[component(name = "invalid")]
    Invalid,
    #[component(name = "not-found")]
    NotFound,
    #[component(name = "conflict")]
    Conflict,
    #[component(name = "limited")]
    Limited,
    #[component(name = "unavailable")]
    Unavailable,
    #[component(name = "uncertain")]
    Uncertain,
}

#[expect(dead_code, reason = "canned calls do not fail")]
#[derive(ComponentType, Lower)]
#[component(variant)]
enum Retry {
    #[component(name = "never")]
    Never,
    #[component(name = "now")]
    Now,
    #[component(name = "after")]
    After(u32),
}

#[derive(Clone, Debug, ComponentType, Lower)]
#[component(record)]
struct Context {
    #[component(name = "invocation-id")]
    invocation_id: String,
    #[component(name = "now-ms")]
    now_ms: u64,
    language: String,
    customer: Customer,
    settings: Vec<(String, String)>,
}

#[derive(Clone, Debug, ComponentType, Lower)]
#[component(record)]
struct Customer {
    key: Option<String>,
    level: IdentityLevel,
}

#[expect(dead_code, reason = "one customer makes every call")]
#[derive(Clone, Copy, Debug, ComponentType, Lower)]
#[component(enum)]
#[repr(u8)]
enum IdentityLevel {
    #[component(name = "unknown")]
    Unknown,
    #[component(name = "identified")]
    Identified,
    #[component(name = "verified")]
    Verified,
}

#[expect(dead_code, reason = "read through Debug when it is not a reply")]
#[derive(Debug, ComponentType, Lift)]
#[component(variant)]
enum Outcome {
    #[component(name = "reply")]
    Reply(String),
    #[component(name = "ask")]
    Ask(Question),
    #[component(name = "hand-over")]
    HandOver(HandOver),
    #[component(name = "done")]
    Done,
}

#[expect(dead_code, reason = "read through Debug when it is not a reply")]
#[derive(Debug, ComponentType, Lift)]
#[component(record)]
struct Question {
    entity: String,
    text: String,
}

#[expect(dead_code, reason = "read through Debug when it is not a reply")]
#[derive(Debug, ComponentType, Lift)]
#[component(record)]
struct HandOver {
    reason: String,
    severity: Severity,
    text: String,
}

#[expect(dead_code, reason = "only the component makes them")]
#[derive(Clone, Copy, Debug, ComponentType, Lift)]
#[component(enum)]
#[repr(u8)]
enum Severity {
    #[component(name = "low")]
    Low,
    #[component(name = "normal")]
    Normal,
    #[component(name = "high")]
    High,
    #[component(name = "critical")]
    Critical,
}

#[expect(dead_code, reason = "read through Debug when it is not a reply")]
#[derive(Debug, ComponentType, Lift)]
#[component(variant)]
enum Refusal {
    #[component(name = "invalid-arguments")]
    InvalidArguments(String),
    #[component(name = "denied")]
    Denied(String),
    #[component(name = "unavailable")]
    Unavailable(String),
    #[component(name = "internal")]
    Internal(String),
}
