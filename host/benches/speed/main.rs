//! The table of `cargo xtask bench`: one skill on wasmtime alone, with canned
//! answers and through the gate, and what people would use instead, all in one
//! run, so that the ratios mean something whatever else the machine does.
#![expect(clippy::print_stderr, reason = "tells how far it is")]

mod figures;
mod memory;
mod peers;
#[path = "../../runtime/benches/raw.rs"]
mod raw;
mod scale;
mod subject;
mod whole;

use std::{path::Path, process::ExitCode, sync::Arc};

use anyhow::Context as _;
use figures::{Bound, Table, Unit};
use subject::{Subject, Ways};

/// Calls of each way.
const CALLS: u32 = 20_000;

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let given = |name: &str| arguments.iter().any(|argument| argument == name);
    // `cargo test --benches` runs it without this, to see that it starts.
    if !given("--bench") {
        return Ok(ExitCode::SUCCESS);
    }
    let program = std::env::current_exe()?;
    // The benchmark lies in `deps`, everything else one folder above.
    let programs = program.parent().and_then(Path::parent).context("no folder of programs")?;
    let mut table = Table::default();
    let latency = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let subject = latency.block_on(async {
        let subject = Subject::new(64).await?;
        eprintln!("one call at a time …");
        let ways = subject.measure(CALLS).await?;
        calls(&ways, &mut table);
        if !given("--quick") {
            eprintln!("what people use instead …");
            peers::measure(&subject, programs, given("--peers"), &mut table).await?;
        }
        anyhow::Ok(Arc::new(subject))
    })?;
    drop(latency);
    if !given("--quick") {
        let workers =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        eprintln!("many skills, many calls …");
        workers.block_on(async {
            // Before everything that makes the process larger.
            scale::waiting_calls(&mut table).await?;
            scale::workers_and_skills(&subject, &mut table).await
        })?;
        eprintln!("compiling …");
        scale::compiling(&mut table)?;
        scale::interpreters(&mut table)?;
        eprintln!("whole messages …");
        whole::measure(&programs.join("postern"), &mut table)?;
    }
    if given("--json") {
        println!("{}", serde_json::to_string_pretty(&table)?);
    } else {
        table.show();
    }
    Ok(if table.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn calls(ways: &Ways, table: &mut Table) {
    let Ways { raw, canned, judged } = ways;
    for (what, times, must, aim) in [
        ("wasmtime alone", raw, 0.0, 0.0),
        ("with all limits", canned, 1.3, 1.1),
        ("through the gate", judged, 3.0, 2.0),
    ] {
        table.add(format!("{what}, p50"), times.p50(), Unit::Micros, Bound::None);
        table.add(format!("{what}, p99"), times.p99(), Unit::Micros, Bound::None);
        if must > 0.0 {
            let ratio = times.p50() / raw.p50();
            let what = format!("{what} against wasmtime alone");
            table.add(what, ratio, Unit::Times, Bound::AtMost(must, aim));
        }
        let bound = if must > 0.0 { Bound::AtMost(2.5, 1.5) } else { Bound::None };
        table.add(
            format!("{what}, p99 against p50"),
            times.p99() / times.p50(),
            Unit::Times,
            bound,
        );
    }
}
