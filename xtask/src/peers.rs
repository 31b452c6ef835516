//! Compares the detector of personal data with Presidio, which people use for that, and
//! exchanges components with `wkg`.

mod wkg;

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    build,
    run::{Failure, Run, step},
};

/// Rounds, each of both: what else the machine does meets both.
const ROUNDS: usize = 5;
/// How often Postern must be as fast, and how often it should be.
const MUST: f64 = 50.0;
const AIM: f64 = 150.0;
/// Labelled sets beside the repository.
const SETS: [&str; 3] = ["support", "synth", "conformance"];

/// Measures both; with `--figures`, says also how good what each finds is. With `--wkg`,
/// exchanges components instead.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    if arguments.iter().any(|argument| argument == "--wkg") {
        return wkg::run(root);
    }
    let figures = arguments.iter().any(|argument| argument == "--figures");
    let of = if figures { 4 } else { 3 };
    step(1, of, "installing Presidio from PyPI");
    let python = install(root)?;
    step(2, of, "building an optimised detector");
    postern(root).args(["--no-run"]).run()?;
    step(3, of, "measuring, one core each, in turns");
    speed(root, &python)?;
    if figures {
        step(4, of, "comparing what both find with labels");
        compare(root, &python)?;
    }
    Ok(())
}

/// The arguments of `peers`, checked before anything is built.
pub(crate) fn arguments(arguments: &[String]) -> Result<Vec<String>, String> {
    match arguments.iter().find(|argument| !["--figures", "--wkg"].contains(&argument.as_str())) {
        Some(other) => Err(format!("`peers` takes no argument {other:?}")),
        None => Ok(arguments.to_vec()),
    }
}

fn folder(root: &Path) -> PathBuf {
    root.join("tests").join("peers").join("presidio")
}

/// A Python with what is pinned, in the target folder.
fn install(root: &Path) -> Result<PathBuf, Failure> {
    let tools = build::target_folder(root).join("presidio");
    let python = tools.join("bin").join("python");
    if !python.exists() {
        Run::new("python3").args(["-m", "venv"]).args([&tools]).run()?;
    }
    Run::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"])
        .args(["--only-binary", ":all:", "--requirement"])
        .args([folder(root).join("requirements.txt")])
        .run()?;
    Ok(python)
}

fn presidio(root: &Path, python: &Path, what: &str, file: &Path) -> Result<String, Failure> {
    Run::new(python)
        .env("OMP_NUM_THREADS", "1")
        .args([folder(root).join("measure.py")])
        .args([what])
        .args([file])
        .output()
}

fn postern(root: &Path) -> Run {
    let bench = ["bench", "--quiet", "--locked", "--package", "postern-policy"];
    Run::cargo(root).args(bench).args(["--bench", "messages"])
}

fn shared(root: &Path, set: &str) -> PathBuf {
    root.join("../shared/data/pii").join(format!("{set}.jsonl"))
}

fn speed(root: &Path, python: &Path) -> Result<(), Failure> {
    let support = shared(root, "support");
    let file = if support.exists() { support } else { folder(root).join("messages.jsonl") };
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let theirs = number(&presidio(root, python, "speed", &file)?)?;
        let ours = number(&postern(root).args(["--"]).args([&file]).output()?)?;
        println!("   Presidio {theirs:.0}, Postern {ours:.0} messages a second");
        rounds.push((theirs, ours));
    }
    let theirs = median(rounds.iter().map(|(theirs, _)| *theirs));
    let ours = median(rounds.iter().map(|(_, ours)| *ours));
    let ratio = median(rounds.iter().map(|(theirs, ours)| ours / theirs));
    println!("\nmedian of {ROUNDS} rounds on {}:", file.display());
    println!("   Presidio's pattern recognizers  {theirs:.0} messages a second");
    println!("   Postern, all types              {ours:.0} messages a second");
    println!("   ratio                           {ratio:.0}× (must {MUST:.0}×, aim {AIM:.0}×)");
    if ratio < MUST {
        return Err(Failure::Told(format!("{ratio:.0}× is less than {MUST:.0}×")));
    }
    Ok(())
}

/// The first number of what was printed.
fn number(printed: &str) -> Result<f64, Failure> {
    let found = printed.split_whitespace().find_map(|word| word.parse().ok());
    found.ok_or_else(|| Failure::Told(format!("no number in {printed:?}")))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Both on the labelled sets, by the same scorer.
fn compare(root: &Path, python: &Path) -> Result<(), Failure> {
    Run::cargo(root)
        .args(["build", "--locked", "--package", "postern", "--bin", "postern"])
        .run()?;
    let target = build::target_folder(root);
    let eval = |set: &Path| {
        let none = target.join("presidio").join("no-data-folder");
        Run::new(target.join("debug").join("postern"))
            .args(["--data"])
            .args([none])
            .args(["eval", "pii"])
            .args([set])
    };
    for set in SETS {
        let file = shared(root, set);
        if !file.exists() {
            println!("skipped: {} is missing", file.display());
            continue;
        }
        let predictions = target.join("presidio").join(format!("{set}.jsonl"));
        fs::write(&predictions, presidio(root, python, "predict", &file)?).map_err(|error| {
            Failure::Told(format!("cannot write {}: {error}", predictions.display()))
        })?;
        println!("\n--- {set}: Presidio");
        eval(&file).args(["--given"]).args([&predictions]).run()?;
        println!("\n--- {set}: Postern");
        eval(&file).run()?;
    }
    Ok(())
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn a_number_is_found_and_the_middle_one_counts() {
        assert_eq!(number("1234.5 messages a second\n").ok(), Some(1234.5));
        assert!(number("nothing").is_err());
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([].into_iter()), 0.0);
    }
}
