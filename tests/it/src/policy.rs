//! The tools for rules: check, test, explain, diff.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use postern_test_support::host::DataFolder;

use crate::setup::outcome;

/// A copy of a folder's rules in which one text stands for another.
fn changed(data: &DataFolder, file: &str, old: &str, new: &str) -> Result<PathBuf> {
    let copy = data.path().join("proposed");
    let rules = data.path().join("policies");
    for folder in ["", "cases"] {
        std::fs::create_dir_all(copy.join(folder))?;
        for entry in rules.join(folder).read_dir()? {
            let path = entry?.path();
            if path.is_file() {
                let name = path.file_name().unwrap_or_default();
                std::fs::copy(&path, copy.join(folder).join(name))?;
            }
        }
    }
    let path = copy.join(file);
    let text = std::fs::read_to_string(&path)?;
    ensure!(text.contains(old), "{file} has no {old:?}");
    std::fs::write(&path, text.replacen(old, new, 1))?;
    Ok(copy)
}

#[tokio::test]
async fn the_cases_of_a_new_folder_pass_and_fail_when_a_rule_is_weakened() -> Result<()> {
    let data = DataFolder::temporary().await?;
    let (code, told, complaint) = outcome(&data, &["policy", "test"]).await?;
    ensure!(code == Some(0) && told.contains("cases are as they expect"), "{told}{complaint}");

    let weaker = changed(
        &data,
        "base.cedar",
        "unless { context.conversation.private }",
        "unless { context.conversation.private || context.conversation.channel == Channel::\"web\" }",
    )?;
    let weaker = weaker.display().to_string();
    let (code, told, complaint) = outcome(&data, &["policy", "test", &weaker]).await?;
    ensure!(code == Some(1), "{told}");
    ensure!(told.contains("expected deny by private-chat-only"), "{told}");
    ensure!(complaint.contains("got something else"), "{complaint}");

    // Nothing of this is in force or was changed.
    let (code, ..) = outcome(&data, &["policy", "test"]).await?;
    ensure!(code == Some(0));
    Ok(())
}

#[tokio::test]
async fn a_case_is_explained_with_the_place_of_its_rules() -> Result<()> {
    let data = DataFolder::temporary().await?;
    let cases = data.path().join("policies/cases/refund-check.toml").display().to_string();
    let name = "a refund without a yes asks for it";
    let explain = ["policy", "explain", &cases, "--name", name];
    let (code, told, complaint) = outcome(&data, &explain).await?;
    ensure!(code == Some(0), "{complaint}");
    for part in [
        "deny by refund-confirmed; lifted by confirm",
        "forbid refund-confirmed (",
        "refund-check.cedar:",
    ] {
        ensure!(told.contains(part), "{part}: {told}");
    }
    let (code, _, complaint) =
        outcome(&data, &["policy", "explain", &cases, "--name", "?"]).await?;
    ensure!(code == Some(1) && complaint.contains("no case has such a name"), "{complaint}");
    Ok(())
}

#[tokio::test]
async fn two_folders_are_compared_case_by_case() -> Result<()> {
    let data = DataFolder::temporary().await?;
    let old = data.path().join("policies").display().to_string();
    let new =
        changed(&data, "base.cedar", "@id(\"kv-own\")\npermit", "@id(\"kv-nobody\")\nforbid")?;
    let new = new.display().to_string();
    let (code, told, complaint) = outcome(&data, &["policy", "diff", &old, &new]).await?;
    ensure!(code == Some(0), "{complaint}");
    for part in [
        "rule kv-own is gone",
        "rule kv-nobody is new",
        "old allow by kv-own",
        "new deny by kv-nobody",
    ] {
        ensure!(told.contains(part), "{part}: {told}");
    }
    let (_, told, _) = outcome(&data, &["policy", "diff", &old, &old]).await?;
    ensure!(told.contains("0 of"), "{told}");
    Ok(())
}
