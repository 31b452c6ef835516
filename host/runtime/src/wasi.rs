//! WASI 0.2, so that ordinary programs link, and so that it gives them nothing.
//!
//! No arguments, environment, folders, input or sockets. Output becomes log lines.
//! Time and randomness belong to the invocation.

mod clock;
mod output;

use std::sync::Arc;

use chacha20::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use postern_domain::Timestamp;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::{
    WasiCtx, WasiCtxView, WasiView,
    p2::bindings::clocks::{monotonic_clock, wall_clock},
};

use crate::{Limits, state::State};
use clock::{Clock, ClockView, Clocks};
use output::{Output, Printer, Stream};

/// Things of WASI (streams, pollables, errors) that a guest may hold at a time.
const MAX_RESOURCES: usize = 1_000;

/// Random bytes that a guest gets at a time.
const MAX_RANDOM_BYTES: u64 = 64 << 10;

/// The WASI side of one invocation.
pub(crate) struct Wasi {
    pub(crate) output: Arc<Output>,
    ctx: WasiCtx,
    table: ResourceTable,
    clock: Arc<Clock>,
}

impl Wasi {
    /// A world in which it is `now` and randomness follows from `seed`.
    pub(crate) fn new(now: Timestamp, seed: [u8; 32], limits: &Limits) -> Self {
        let output = Arc::new(Output::new(limits));
        // One key, a stream for each use: what a guest sees of one tells nothing of
        // another.
        let stream = |number| {
            let mut random = ChaCha20Rng::from_seed(seed);
            random.set_stream(number);
            random
        };
        let mut seeds = stream(2);
        let insecure_seed = u128::from(seeds.next_u64()) << 64 | u128::from(seeds.next_u64());
        let ctx = WasiCtx::builder()
            .stdout(Printer::new(&output, Stream::Out))
            .stderr(Printer::new(&output, Stream::Err))
            .secure_random(stream(0))
            .insecure_random(stream(1))
            .insecure_random_seed(insecure_seed)
            .max_random_size(MAX_RANDOM_BYTES)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .build();
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        Self { output, ctx, table, clock: Arc::new(Clock::new(now)) }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi.ctx, table: &mut self.wasi.table }
    }
}

/// Links all of it, with clocks of our own: the library's sleep for real, whatever
/// clock they are given.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    fn clocks(state: &mut State) -> ClockView<'_> {
        ClockView { clock: &state.wasi.clock, table: &mut state.wasi.table }
    }
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    wall_clock::add_to_linker::<State, Clocks>(linker, clocks)?;
    monotonic_clock::add_to_linker::<State, Clocks>(linker, clocks)?;
    linker.allow_shadowing(false);
    Ok(())
}
