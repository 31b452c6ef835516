//! Whole messages, through `postern bench`: from webhook to answer.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use crate::{
    figures::{Bound, Table, Unit},
    subject::repository,
};

/// The skills that it calls.
const SKILLS: [&str; 2] = ["crm-lookup", "order-status"];

#[derive(Deserialize)]
struct Report {
    figures: Vec<Measured>,
}

#[derive(Deserialize)]
struct Measured {
    what: String,
    value: f64,
    unit: String,
}

/// Makes a data folder as an operator does, and measures a host on it.
pub(crate) fn measure(program: &Path, table: &mut Table) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let postern = |arguments: &[&str]| -> anyhow::Result<Vec<u8>> {
        let output = Command::new(program)
            .arg("--data")
            .arg(&data)
            .arg("--json")
            .args(arguments)
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| program.display().to_string())?;
        ensure!(output.status.success(), "postern {} failed", arguments.join(" "));
        Ok(output.stdout)
    };
    postern(&["init"])?;
    let skills = repository().join("skills");
    for skill in SKILLS {
        let manifest = skills.join(skill).join("skill.toml").display().to_string();
        let component = format!("{}.wasm", skill.replace('-', "_"));
        let built = skills.join("target/wasm32-wasip2/release").join(component);
        let built = built.display().to_string();
        postern(&[
            "skill",
            "install",
            "--allow-unsigned",
            "--grant",
            "requested",
            "--manifest",
            &manifest,
            &built,
        ])?;
    }
    let report: Report = serde_json::from_slice(&postern(&["bench"])?)?;
    for Measured { what, value, unit } in report.figures {
        let unit = match unit.as_str() {
            "per second" => Unit::PerSecond,
            "ms" => Unit::Millis,
            _ => Unit::Times,
        };
        table.add(what, value, unit, Bound::None);
    }
    Ok(())
}
