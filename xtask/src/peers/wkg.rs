//! `wkg`, the Bytecode Alliance's command for components in registries, and Postern: each
//! reads what the other wrote.

use std::path::Path;

use crate::{
    build,
    run::{Failure, Run, step},
};

/// Its command line changes between versions.
const VERSION: &str = "0.16.1";

/// Installs it into the target folder, unless it is there, and runs the test that needs it.
pub(super) fn run(root: &Path) -> Result<(), Failure> {
    let tools = build::target_folder(root).join("peers");
    let wkg = tools.join("bin").join("wkg");
    build::host_and_skills(root, 4)?;
    step(3, 4, "installing wkg");
    let there = Run::new(&wkg).args(["--version"]).output();
    if !there.is_ok_and(|told| told.contains(VERSION)) {
        Run::cargo(root)
            .args(["install", "wkg", "--locked", "--version", VERSION, "--root"])
            .args([&tools])
            .run()?;
    }
    step(4, 4, "pushing with one and pulling with the other");
    Run::cargo(root)
        .args(["test", "--locked", "--package", "postern-it", "--test", "it", "--"])
        .args(["registries::wkg", "--ignored"])
        .env("POSTERN_WKG", &wkg)
        .run()
}
