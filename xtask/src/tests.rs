//! Every test there is, and at the end what could not be tested here.

use std::{collections::BTreeSet, fs, path::Path};

use crate::{
    build, crash, fuzz,
    run::{Failure, Run, step},
};

/// Things outside the repository that some tests need: where they are, and what
/// is not tested without them.
const WISHES: [(&str, &str); 2] = [
    ("../shared/data", "tests on public data sets"),
    ("../shared/fakes", "tests against the independent Telegram fake"),
];

/// Builds everything and runs every test.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    build::host_and_skills(root, 8)?;
    build::guests(root, 3, 8)?;
    step(4, 8, "building a host that can be told to die");
    crash::host(root)?;

    // Tests that skip themselves leave a line here, because runners hide what
    // a passing test prints.
    let notes = build::target_folder(root).join("skipped-tests.txt");
    fs::write(&notes, "")
        .map_err(|error| Failure::Told(format!("cannot write {}: {error}", notes.display())))?;

    step(5, 8, "testing");
    if Run::cargo(root).args(["nextest", "--version"]).succeeds() {
        Run::cargo(root)
            .args(["nextest", "run", "--workspace", "--locked"])
            .env("POSTERN_SKIPPED", &notes)
            .run()?;
    } else {
        Run::cargo(root)
            .args(["test", "--workspace", "--locked", "--lib", "--bins", "--tests"])
            .env("POSTERN_SKIPPED", &notes)
            .run()?;
    }
    step(6, 8, "testing the examples in the documentation");
    Run::cargo(root).args(["test", "--workspace", "--locked", "--doc"]).run()?;
    step(7, 8, "testing the skills natively");
    let skills = root.join("skills");
    Run::cargo(&skills)
        .args(["test", "--locked", "--target-dir"])
        .args([skills.join("target")])
        .run()?;
    step(8, 8, "feeding random and mutated input");
    fuzz::briefly(root)?;

    report(root, &notes);
    Ok(())
}

/// Tells what was skipped and how to get it.
fn report(root: &Path, notes: &Path) {
    let mut skipped: BTreeSet<String> =
        fs::read_to_string(notes).unwrap_or_default().lines().map(str::to_owned).collect();
    for (path, what) in WISHES {
        if !root.join(path).exists() {
            skipped.insert(format!("{what}: put the folder at {path} and run again"));
        }
    }
    if skipped.is_empty() {
        println!("\nAll tests passed; nothing was skipped.");
        return;
    }
    println!("\nAll tests passed. Skipped:");
    for line in skipped {
        println!("  - {line}");
    }
}
