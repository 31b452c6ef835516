//! Host, skills and guests, each with locked dependencies.

use std::path::{Path, PathBuf};

use crate::{
    run::{Failure, Run, step},
    scripted, target,
};

/// The target folder of the main workspace.
pub(crate) fn target_folder(root: &Path) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root.join(folder),
        None => root.join("target"),
    }
}

/// Builds the host with the demo, and the skills, as steps 1 and 2 of `of`.
pub(crate) fn host_and_skills(root: &Path, of: usize) -> Result<(), Failure> {
    // Before the host, which takes minutes: nothing else here can be missing.
    target::ensure(root, target::NAME)?;
    step(1, of, "building host");
    Run::cargo(root).args(["build", "--locked"]).run()?;
    skills(root, 2, of)
}

/// Builds everything that becomes a component.
pub(crate) fn skills_and_guests(root: &Path) -> Result<(), Failure> {
    skills(root, 1, 2)?;
    guests(root, 2, 2)
}

/// Builds the skills as step `number` of `of`.
pub(crate) fn skills(root: &Path, number: usize, of: usize) -> Result<(), Failure> {
    target::ensure(root, target::NAME)?;
    step(number, of, "building skills");
    components(&root.join("skills"))
}

/// Builds the hostile components of the tests as step `number` of `of`.
pub(crate) fn guests(root: &Path, number: usize, of: usize) -> Result<(), Failure> {
    target::ensure(root, target::NAME)?;
    step(number, of, "building test guests");
    components(&root.join("tests").join("guests"))?;
    scripted::build(root)
}

/// Builds a workspace of components into a target folder of its own, where the
/// demo and the tests look for them whatever CARGO_TARGET_DIR says. The current
/// folder is the workspace, so that its `.cargo/config.toml` applies.
fn components(workspace: &Path) -> Result<(), Failure> {
    Run::cargo(workspace)
        .args(["build", "--release", "--locked", "--target", target::NAME, "--target-dir"])
        .args([workspace.join("target")])
        .run()
}
