//! Which crate may depend on which: heavy dependencies have one owner each,
//! and the pure crates stay pure.

use std::path::Path;

use crate::run::{Failure, Run};

/// A dependency and the one package of ours that may name it.
const OWNERS: [(&str, &str); 4] = [
    ("wasmtime", "postern-runtime"),
    ("wasmtime-wasi", "postern-runtime"),
    ("sqlx", "postern-store"),
    ("cedar-policy", "postern-policy"),
];

/// Packages without I/O, clock or async, and what would bring them in.
const PURE: [&str; 3] = ["postern-domain", "postern-policy", "postern-scenario"];
const IMPURE: [&str; 9] =
    ["async-std", "axum", "hyper", "mio", "reqwest", "rustix", "socket2", "sqlx", "tokio"];

/// The arrows between our own crates: who may depend on whom directly.
const ARROWS: [(&str, &[&str]); 6] = [
    ("postern-domain", &[]),
    ("postern-policy", &["postern-domain"]),
    ("postern-runtime", &["postern-domain"]),
    ("postern-store", &["postern-domain", "postern-policy"]),
    ("postern-scenario", &[]),
    ("postern-sdk", &["postern-scenario"]),
];

/// Checks every arrow and reports all that are wrong.
pub(crate) fn check(root: &Path) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    for (dependency, owner) in OWNERS {
        let users = tree(root, &["--workspace", "--invert", dependency])?;
        wrong.extend(foreign_users(dependency, owner, &users));
    }
    for package in PURE {
        let all = tree(root, &["--package", package])?;
        wrong.extend(impure(package, &all));
    }
    for (package, allowed) in ARROWS {
        let direct = tree(root, &["--package", package, "--depth", "1"])?;
        wrong.extend(forbidden_arrows(package, allowed, &direct));
    }
    if wrong.is_empty() {
        println!("layers: every arrow is as host/docs/architecture.md draws it");
        return Ok(());
    }
    Err(Failure::Told(format!(
        "the layers do not hold:\n  {}\nNext step: move the code to the crate that owns the \
         dependency and call it through that crate's interface.",
        wrong.join("\n  ")
    )))
}

/// Lines of `cargo tree`: one package each, without drawing.
fn tree(root: &Path, arguments: &[&str]) -> Result<String, Failure> {
    let inverted = arguments.contains(&"--invert");
    let run = Run::cargo(root)
        .args(["tree", "--locked", "--edges", "normal", "--prefix", "none"])
        .args(["--format", "{p}"])
        .args(arguments);
    // Inverted, the users stand directly below the dependency.
    if inverted { run.args(["--depth", "1"]).output() } else { run.output() }
}

/// The package's name in a line such as `sqlx v0.9.0 (…)`.
fn name(line: &str) -> &str {
    line.split_whitespace().next().unwrap_or_default()
}

/// Packages of ours that use `dependency` without owning it. Other packages may:
/// they came with it.
fn foreign_users(dependency: &str, owner: &str, users: &str) -> Vec<String> {
    users
        .lines()
        .map(name)
        .filter(|user| is_ours(user) && *user != owner)
        .map(|user| format!("{user} depends on {dependency}, which is for {owner} alone"))
        .collect()
}

fn impure(package: &str, all: &str) -> Vec<String> {
    let mut found: Vec<&str> = all.lines().map(name).filter(|n| IMPURE.contains(n)).collect();
    found.sort_unstable();
    found.dedup();
    found
        .into_iter()
        .map(|impurity| format!("{package} is pure, but {impurity} is among its dependencies"))
        .collect()
}

fn forbidden_arrows(package: &str, allowed: &[&str], direct: &str) -> Vec<String> {
    direct
        .lines()
        .map(name)
        .filter(|other| is_ours(other) && *other != package && !allowed.contains(other))
        .map(|other| format!("{package} must not depend on {other}"))
        .collect()
}

fn is_ours(package: &str) -> bool {
    package == "postern" || package.starts_with("postern-")
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn a_second_user_of_a_heavy_dependency_is_named() {
        let users = "sqlx v0.9.0\npostern-store v0.1.0 (a)\npostern v0.1.0 (b)\nother v1.0.0\n";
        let wrong = foreign_users("sqlx", "postern-store", users);
        assert_eq!(wrong, ["postern depends on sqlx, which is for postern-store alone"]);
    }

    #[test]
    fn an_impure_dependency_is_named_once() {
        let all = "postern-domain v0.1.0 (a)\nserde v1.0.0\ntokio v1.0.0\ntokio v1.0.0 (*)\n";
        let wrong = impure("postern-domain", all);
        assert_eq!(wrong, ["postern-domain is pure, but tokio is among its dependencies"]);
    }

    #[test]
    fn an_arrow_against_the_grain_is_named() {
        let direct = "postern-store v0.1.0 (a)\npostern-domain v0.1.0 (b)\npostern v0.1.0 (c)\n";
        let wrong = forbidden_arrows("postern-store", &["postern-domain"], direct);
        assert_eq!(wrong, ["postern-store must not depend on postern"]);
    }
}
