//! WASI 0.2, so that ordinary programs link, and so that it gives them nothing.
//!
//! No arguments, environment, input or sockets, and no files but the skill's own.
//! Output becomes log lines. Time and randomness belong to the invocation.
//!
//! A call pays for what it uses: what most calls do not need is made when a guest
//! first asks for it.

mod assets;
mod clock;
mod files;
mod output;
mod random;

use std::{collections::VecDeque, sync::Arc};

use postern_domain::{LogLine, Timestamp};
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::{
    WasiCtx, WasiCtxView, WasiView,
    p2::bindings::{
        clocks::{monotonic_clock, wall_clock},
        filesystem::{preopens, types},
        random as wasi_random,
    },
};

use crate::{Limits, state::State};
pub use assets::{AssetError, Assets, MAX_ASSET_BYTES, MAX_ASSETS, MAX_ASSETS_BYTES};
use clock::{Clock, ClockView, Clocks};
use files::{Files, FilesView};
use output::{Output, Printer, Stream};
use random::{Random, Randoms};

/// Things of WASI (streams, files, pollables, errors) that a guest may hold at a
/// time.
const MAX_RESOURCES: usize = 1_000;

/// The WASI side of one invocation.
pub(crate) struct Wasi {
    clock: Arc<Clock>,
    random: Random,
    assets: Option<Arc<Assets>>,
    table: ResourceTable,
    log_lines: u32,
    log_bytes: u64,
    rest: Option<Rest>,
}

/// What few calls need.
struct Rest {
    output: Arc<Output>,
    ctx: WasiCtx,
}

impl Wasi {
    /// A world in which it is `now`, randomness follows from `seed`, and these are
    /// the only files.
    pub(crate) fn new(
        now: Timestamp,
        seed: [u8; 32],
        limits: &Limits,
        assets: Option<Arc<Assets>>,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        Self {
            clock: Arc::new(Clock::new(now)),
            random: Random::new(seed),
            assets: assets.filter(|assets| !assets.is_empty()),
            table,
            log_lines: limits.log_lines,
            log_bytes: limits.log_bytes,
            rest: None,
        }
    }

    /// The finished lines that the guest printed, at the `end` also the unfinished
    /// ones, and how many were dropped since the last time.
    pub(crate) fn take_output(&self, end: bool) -> (VecDeque<LogLine>, u32) {
        self.rest.as_ref().map_or_else(Default::default, |rest| rest.output.take(end))
    }

    /// The guest's clocks show `at` from here on, unless they are ahead of it.
    pub(crate) fn move_clocks(&self, at: Timestamp) {
        self.clock.move_to(at);
    }
}

impl Rest {
    fn new(log_lines: u32, log_bytes: u64) -> Self {
        let output = Arc::new(Output::new(log_lines, log_bytes));
        let ctx = WasiCtx::builder()
            .stdout(Printer::new(&output, Stream::Out))
            .stderr(Printer::new(&output, Stream::Err))
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .build();
        Self { output, ctx }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let Wasi { rest, table, log_lines, log_bytes, .. } = &mut self.wasi;
        let rest = rest.get_or_insert_with(|| Rest::new(*log_lines, *log_bytes));
        WasiCtxView { ctx: &mut rest.ctx, table }
    }
}

/// Links all of it. Some of it is our own: the library's clocks sleep for real,
/// whatever clock they are given, and its files are those of the machine, with its
/// times and inodes.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    fn clocks(state: &mut State) -> ClockView<'_> {
        ClockView { clock: &state.wasi.clock, table: &mut state.wasi.table }
    }
    fn files(state: &mut State) -> FilesView<'_> {
        FilesView { assets: state.wasi.assets.as_ref(), table: &mut state.wasi.table }
    }
    fn randoms(state: &mut State) -> &mut Random {
        &mut state.wasi.random
    }
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    wall_clock::add_to_linker::<State, Clocks>(linker, clocks)?;
    monotonic_clock::add_to_linker::<State, Clocks>(linker, clocks)?;
    preopens::add_to_linker::<State, Files>(linker, files)?;
    types::add_to_linker::<State, Files>(linker, files)?;
    wasi_random::random::add_to_linker::<State, Randoms>(linker, randoms)?;
    wasi_random::insecure::add_to_linker::<State, Randoms>(linker, randoms)?;
    wasi_random::insecure_seed::add_to_linker::<State, Randoms>(linker, randoms)?;
    linker.allow_shadowing(false);
    Ok(())
}
