//! Every attack of the corpus is held, and the corpus is what the page says.

use std::{collections::BTreeSet, path::PathBuf};

use anyhow::{Context as _, Result, ensure};
use postern_test_support::{host, hostile, notice, paths};
use serde_json::Value;
use tokio::process::Command;

use crate::setup::json_lines;

/// Kinds of attacks that must be among those tried, by the name of one of them.
const KINDS: [&str; 44] = [
    "infinite-loop",
    "start-loop",
    "realloc-loop",
    "deep-recursion",
    "memory-in-steps",
    "memory-at-once",
    "many-memories",
    "many-tables",
    "huge-result",
    "huge-argument",
    "host-call-flood",
    "log-flood",
    "handle-forged",
    "handle-kept",
    "text-invalid",
    "text-surrogate",
    "text-wraps",
    "list-wraps",
    "realloc-outside",
    "trap-in-host-call",
    "silent-partner",
    "panic",
    "tcp",
    "dns-exfiltration",
    "file-paths",
    "environment",
    "time-side-channel",
    "secret-in-url",
    "asset-names",
    "redirect-inside",
    "dns-rebinding",
    "decimal-and-octal-addresses",
    "ipv6-forms",
    "request-smuggling",
    "slow-loris",
    "decompression-bomb",
    "records-of-others",
    "values-of-other-customers",
    "quota-exhaustion",
    "poisoned-instance",
    "ungranted-import",
    "manifest-lies",
    "nested-components",
    "custom-sections",
];

/// The program that attacks, beside the host's own.
fn program() -> Result<PathBuf> {
    let host = host::binary()?;
    let program = host.with_file_name("hostile");
    ensure!(program.is_file(), "{} is missing; run `cargo build` first", program.display());
    Ok(program)
}

#[tokio::test]
async fn every_attack_is_held_and_leaves_nothing_behind() -> Result<()> {
    // A process of its own: it counts its own files and memory.
    let output = Command::new(program()?).arg("--json").kill_on_drop(true).output().await?;
    let told = String::from_utf8_lossy(&output.stdout);
    let lines = json_lines(&told)?;
    let attacks: Vec<&Value> = lines.iter().filter_map(|line| line.get("attack")).collect();
    let failed: Vec<_> = attacks.iter().filter(|attack| !attack["failed"].is_null()).collect();
    let complaint = String::from_utf8_lossy(&output.stderr);
    let last = lines.last().with_context(|| format!("it told nothing: {complaint}"))?;
    ensure!(failed.is_empty(), "{failed:#?}");
    ensure!(output.status.success(), "{last:#} {complaint}");

    let names: BTreeSet<&str> = attacks.iter().filter_map(|a| a["name"].as_str()).collect();
    for kind in KINDS {
        ensure!(names.contains(kind), "no attack is called {kind:?}");
    }
    let skipped = last["summary"]["skipped"].as_array().context("no summary")?;
    if skipped.is_empty() {
        let languages: BTreeSet<&str> =
            attacks.iter().filter_map(|attack| attack["language"].as_str()).collect();
        for language in ["Rust", "WAT", "Python", "JavaScript"] {
            ensure!(languages.contains(language), "nothing attacks in {language}");
        }
    } else {
        notice::skip(&format!("attacks {skipped:?}"), "run `cargo xtask build-skills`");
    }
    Ok(())
}

#[test]
fn the_page_of_attacks_is_that_of_the_corpus() -> Result<()> {
    let path = paths::repository().join("host/docs/hostile-guests.md");
    let page = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    ensure!(
        page == hostile::page()?,
        "{} is not that of the attacks; run `cargo xtask hostile --list > {0}`",
        path.display()
    );
    Ok(())
}
