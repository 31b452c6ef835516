//! Feeds random and mutated input to everything of the host that reads what
//! strangers wrote, and stops at the first input that does harm.
//!
//! A run is named by the seed and its number, so the same arguments try the same
//! inputs again. There is no feedback from coverage, which stable Rust does not
//! offer; instead, inputs that end in a way not seen before are kept and mutated
//! further.

mod boundary;
mod component;
mod http;
mod manifest;
mod mutate;
mod runner;
mod seeds;
mod values;
mod watch;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::{Parser, ValueEnum};

use crate::runner::{Plan, Target};

/// Tries random and mutated input until the time is over or something breaks.
#[derive(Debug, Parser)]
struct Arguments {
    /// What to feed; by default everything, one after the other.
    target: Option<Name>,
    /// Time for each target.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Ends each target after so many runs instead.
    #[arg(long, conflicts_with = "seconds")]
    runs: Option<u64>,
    /// Where random numbers begin; by default somewhere new.
    #[arg(long)]
    seed: Option<u64>,
    /// Tries the input in this file, once.
    #[arg(long, requires = "target", conflicts_with_all = ["runs", "seconds"])]
    replay: Option<PathBuf>,
    /// Where an input goes that breaks something.
    #[arg(long, default_value = "target/fuzz")]
    out: PathBuf,
}

/// What is fed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Name {
    /// The reader of `skill.toml`.
    Manifest,
    /// Everything from a component's bytes to its first call.
    Component,
    /// The values that cross the border between guest and host, and their journal.
    Boundary,
    /// What decides which requests leave the host.
    Http,
}

impl Name {
    fn target(self) -> anyhow::Result<Box<dyn Target>> {
        Ok(match self {
            Self::Manifest => Box::new(manifest::Manifests::new()?),
            Self::Component => Box::new(component::Components::new()?),
            Self::Boundary => Box::new(boundary::Boundary::new()?),
            Self::Http => Box::new(http::Requests::new()?),
        })
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fuzz: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let names = arguments.target.map_or(Name::value_variants().to_vec(), |name| vec![name]);
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    for name in names {
        let mut target = name.target()?;
        if let Some(file) = &arguments.replay {
            return runner::replay(target.as_mut(), file);
        }
        let plan = Plan {
            seed,
            time: Duration::from_secs(arguments.seconds),
            runs: arguments.runs,
            out: arguments.out.clone(),
        };
        runner::run(target.as_mut(), &plan)?;
    }
    Ok(())
}
