//! Attacks a host with the whole corpus of hostile guests.

use std::path::Path;

use crate::{
    build,
    run::{Failure, Run, step},
};

/// Builds host, skills and guests, and tries every attack; `arguments` go to the
/// program that does.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    if !arguments.iter().any(|argument| argument == "--list") {
        build::host_and_skills(root, 4)?;
        build::guests(root, 3, 4)?;
        step(4, 4, "attacking");
        return hostile(root, arguments);
    }
    // The page of all attacks needs none of them.
    Run::cargo(root)
        .args(["build", "--locked", "--package", "postern-test-support", "--bin", "hostile"])
        .run()?;
    hostile(root, arguments)
}

fn hostile(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    let program = build::target_folder(root).join("debug").join("hostile");
    Run::new(program).args(arguments).run()
}
