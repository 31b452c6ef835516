//! Measures an optimised host, and what people would use instead.

use std::path::Path;

use crate::{
    build,
    run::{Failure, Run, step},
    target,
};

/// Builds what is measured and measures it; `arguments` go to the benchmark.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    build::skills(root, 1, 3)?;
    step(2, 3, "building an optimised host, and what it is compared with");
    Run::cargo(root)
        .args(["build", "--profile", "bench", "--locked", "--package", "postern-peers"])
        .run()?;
    if arguments.iter().any(|argument| argument == "--peers") {
        extism(root)?;
    }
    let bench = || {
        let bench = ["bench", "--locked", "--package", "postern", "--bench", "speed"];
        Run::cargo(root).args(bench)
    };
    bench().args(["--no-run"]).run()?;

    step(3, 3, "measuring");
    bench().args(["--quiet", "--"]).args(arguments).run()
}

/// Extism with its own wasmtime, in a workspace of its own: minutes.
fn extism(root: &Path) -> Result<(), Failure> {
    let workspace = root.join("tests").join("peers").join("extism");
    let build = |package: &str| {
        Run::cargo(&workspace)
            .args(["build", "--release", "--locked", "--package", package, "--target-dir"])
            .args([workspace.join("target")])
    };
    target::ensure(root, target::PLAIN)?;
    build("peer-extism-plugin").args(["--target", target::PLAIN]).run()?;
    build("peer-extism").run()
}
