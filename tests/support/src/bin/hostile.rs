//! Tries every attack of the corpus on a host and tells what stopped each.

use std::{
    io,
    os::unix::process::CommandExt as _,
    process::{Command, ExitCode},
};

use anyhow::Result;
use clap::Parser;
use postern_test_support::hostile::{self, Plan, Tried};

/// Tries every attack of `tests/guests` on a host.
#[derive(Debug, Parser)]
#[command(name = "hostile")]
struct Arguments {
    /// Try only the attacks whose names contain this.
    only: Option<String>,
    /// One JSON object a line instead of text for people.
    #[arg(long)]
    json: bool,
    /// Rounds besides the two that are needed to see whether memory grows.
    #[arg(long, default_value_t = 0)]
    more_rounds: usize,
    /// Print the page of all attacks and try none.
    #[arg(long, conflicts_with_all = ["only", "json"])]
    list: bool,
}

/// How many arenas the system's allocator may have.
const ARENAS: &str = "MALLOC_ARENA_MAX";

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if std::env::var_os(ARENAS).is_none() {
        eprintln!("hostile: cannot start again: {}", with_one_arena());
        return ExitCode::FAILURE;
    }
    attack(&arguments)
}

/// Starts this program again with one arena. With one for each thread, memory that
/// is free but kept depends on which thread ran what, and hides what is lost.
fn with_one_arena() -> io::Error {
    match std::env::current_exe() {
        Ok(program) => {
            Command::new(program).args(std::env::args_os().skip(1)).env(ARENAS, "1").exec()
        }
        Err(error) => error,
    }
}

#[tokio::main]
async fn attack(arguments: &Arguments) -> ExitCode {
    match run(arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("hostile: {problem:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<bool> {
    if arguments.list {
        print!("{}", hostile::page()?);
        return Ok(true);
    }
    let json = arguments.json;
    let plan = Plan { only: arguments.only.clone(), more_rounds: arguments.more_rounds };
    let summary = hostile::run(&plan, |tried| match json {
        true => println!("{}", serde_json::json!({ "attack": tried })),
        false => show(tried),
    })
    .await?;
    if json {
        println!("{}", serde_json::json!({ "summary": summary }));
        return Ok(summary.all_held());
    }
    for name in &summary.skipped {
        println!("skipped  {name}");
    }
    for problem in &summary.problems {
        println!("FAILED   {problem}");
    }
    let resident: Vec<_> = summary.resident_kib.iter().map(|kib| (kib >> 10).to_string()).collect();
    println!("resident memory after each round, in MiB: {}", resident.join(", "));
    println!("hostile: {} guests, {} held", summary.guests, summary.held);
    Ok(summary.all_held())
}

fn show(tried: &Tried) {
    let Tried { name, language, tries, stopped, .. } = tried;
    match &tried.failed {
        None => println!("held     {name} ({language}): {tries}\n         stopped by: {stopped}"),
        Some(problem) => {
            println!("FAILED   {name} ({language}): {tries}\n         {problem}");
        }
    }
}
