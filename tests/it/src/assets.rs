//! A skill's own files travel with it from its folder to its calls.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::fs;

use crate::setup::{Customer, Town, json_lines, outcome, skill, text_at};

/// Installs the reader from a folder of its own and answers what was said.
async fn install(town: &Town, folder: &std::path::Path) -> Result<(Option<i32>, String)> {
    let component = skill("reader")?.component.display().to_string();
    let manifest = folder.join("skill.toml").display().to_string();
    // The version stays the same, whatever the files are.
    let arguments = [
        "skill",
        "install",
        &component,
        "--manifest",
        &manifest,
        "--grant",
        "",
        "--allow-unsigned",
        "--allow-older",
    ];
    let (code, _, complaints) = outcome(&town.data, &arguments).await?;
    Ok((code, complaints))
}

async fn assets(town: &Town) -> Result<Value> {
    let (_, out, _) = outcome(&town.data, &["skill", "list", "--json"]).await?;
    let listed = json_lines(&out)?.pop().context("nothing is installed")?;
    Ok(listed["assets"].clone())
}

#[tokio::test]
async fn assets_are_taken_at_install_and_stay_as_they_were() -> Result<()> {
    let town = Town::build(&[]).await?;
    let folder = tempfile::tempdir()?;
    let files = folder.path().join("assets");
    fs::create_dir(&files)?;
    fs::copy(skill("reader")?.manifest, folder.path().join("skill.toml"))?;
    fs::write(files.join("greeting.txt"), "Welcome to the first edition.")?;

    // What would lead out of the folder is not taken along.
    std::os::unix::fs::symlink("/etc/passwd", files.join("extra.txt"))?;
    let (code, complaints) = install(&town, folder.path()).await?;
    ensure!(code != Some(0), "a link was taken along");
    ensure!(complaints.contains("assets/extra.txt must be a regular file"), "{complaints}");
    fs::remove_file(files.join("extra.txt"))?;

    let (code, complaints) = install(&town, folder.path()).await?;
    ensure!(code == Some(0), "{complaints}");
    let first = assets(&town).await?;
    ensure!(first.as_str().is_some_and(|digest| digest.starts_with("sha256:")), "{first}");

    // What happens to the folder afterwards is none of the skill's business.
    fs::write(files.join("greeting.txt"), "Welcome to the second edition.")?;
    let host = town.open().await?;
    let mut customer = Customer::new(&town, &host, 41);
    let told = customer.says("read me your greeting").await?;
    told.must_use("reader", "greet")?.must_say("Welcome to the first edition.")?;
    host.stop().await?;

    let (code, complaints) = install(&town, folder.path()).await?;
    ensure!(code == Some(0), "{complaints}");
    let second = assets(&town).await?;
    ensure!(second != first, "other files have another digest");
    let host = town.open().await?;
    customer.moves_to(&host);
    let told = customer.says("read me your greeting").await?;
    told.must_say("Welcome to the second edition.")?;

    let rows = host.operator().audit(100).await?;
    let rows = serde_json::to_value(rows)?;
    let names = |digest: &Value| rows.to_string().contains(text_at(digest, ""));
    ensure!(names(&first) && names(&second), "the log does not say which files: {rows}");
    Ok(())
}
