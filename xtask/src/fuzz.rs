//! Feeds the host random and mutated input.

use std::path::Path;

use crate::{
    build,
    run::{Failure, Run, step},
};

/// Builds what inputs are made from and tries inputs; `arguments` go to the program
/// that does.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    build::skills(root, 1, 4)?;
    build::guests(root, 2, 4)?;
    step(3, 4, "building what feeds");
    Run::cargo(root).args(["build", "--locked", "--package", "postern-fuzz"]).run()?;
    step(4, 4, "feeding");
    program(root).args(arguments).run()
}

/// Tries the first inputs of one seed on each target: the same ones every time, so
/// that a change is to blame when one does harm.
pub(crate) fn briefly(root: &Path) -> Result<(), Failure> {
    program(root).args(["--seconds", "10", "--seed", "1"]).run()
}

fn program(root: &Path) -> Run {
    let target = build::target_folder(root);
    Run::new(target.join("debug").join("fuzz")).args(["--out"]).args([target.join("fuzz")])
}
