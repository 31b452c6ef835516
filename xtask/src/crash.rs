//! Kills hosts at every boundary of a turn, and looks at what became of everything.

use std::path::Path;

use crate::{
    build,
    run::{Failure, Run, step},
};

/// Kills, where nothing else is said.
const POINTS: u64 = 500;
/// The test that kills, by its name among all.
const TEST: &str = "crash::a_host_that_dies_at_any_boundary_of_a_turn_does_everything_once";

/// What `crash` was told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    points: u64,
    seed: u64,
}

impl Options {
    /// The options that the arguments stand for, or what is wrong with them.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self { points: POINTS, seed: 1 };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let number = match argument.as_str() {
                "--points" => &mut options.points,
                "--seed" => &mut options.seed,
                other => return Err(format!("`crash` takes no argument {other:?}")),
            };
            let value = rest.next().and_then(|value| value.parse().ok());
            *number = value.ok_or_else(|| format!("`crash {argument}` needs a number"))?;
        }
        Ok(options)
    }
}

/// Builds everything, kills so many hosts, and tells at which places they died.
pub(crate) fn run(root: &Path, options: &Options) -> Result<(), Failure> {
    build::host_and_skills(root, 5)?;
    build::guests(root, 3, 5)?;
    step(4, 5, "building a host that can be told to die");
    host(root)?;
    step(5, 5, "killing");
    Run::cargo(root)
        .args(["test", "--locked", "--package", "postern-it", "--test", "it", "--"])
        .args(["--exact", "--nocapture", TEST])
        .env("POSTERN_KILL_POINTS", options.points.to_string())
        .env("POSTERN_KILL_SEED", options.seed.to_string())
        .run()
}

/// Builds the host of crash tests. It is a little optimised, because it is started
/// hundreds of times and learns its examples each time.
pub(crate) fn host(root: &Path) -> Result<(), Failure> {
    Run::cargo(root)
        .args(["build", "--locked", "--package", "postern", "--bin", "postern-faulty"])
        .args(["--features", "fault-injection"])
        .args(["--config", "profile.dev.package.postern.opt-level=1"])
        .run()
}
