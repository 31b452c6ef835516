//! The tools for rules: check, test, explain, diff, apply, rollback, simulate.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use postern_test_support::{
    chat::WebChat,
    host::{ACCOUNT, DataFolder, Host},
};
use serde_json::Value;

use crate::setup::{PATIENCE, Town, eventually, outcome};

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

#[tokio::test]
async fn the_table_of_a_new_folder_is_the_one_in_the_documentation() -> Result<()> {
    let data = DataFolder::temporary().await?;
    let (code, told, complaint) = outcome(&data, &["policy", "table"]).await?;
    ensure!(code == Some(0), "{complaint}");
    let documented = include_str!("../../../host/docs/decisions-table.md");
    ensure!(told.trim_end() == documented.trim_end(), "{told}");
    Ok(())
}

/// Whether a host serves by the rule that is put in force here.
async fn has_extra(host: &Host) -> Result<bool> {
    Ok(host.operator().rules().await?.iter().any(|rule| rule["id"] == "extra"))
}

const EXTRA: &str = "@id(\"extra\")
permit (principal == Skill::\"of-nobody\", action == Action::\"kv:get\", resource);
";

#[tokio::test]
async fn rules_are_in_force_only_once_they_are_applied_and_until_they_are_taken_back() -> Result<()>
{
    let town = Town::build(&[]).await?;
    let host = town.open().await?;
    std::fs::write(town.data.path().join("policies/extra.cedar"), EXTRA)?;
    let (code, told, _) = outcome(&town.data, &["policy", "status"]).await?;
    ensure!(code == Some(0) && told.contains("extra.cedar is not as it is in force"), "{told}");
    ensure!(told.contains("Generation 1 is in force"), "{told}");
    let (code, told, _) = outcome(&town.data, &["policy", "apply", "--dry-run"]).await?;
    ensure!(code == Some(0) && told.contains("rule extra is new"), "{told}");
    ensure!(told.contains("Nothing was changed."), "{told}");
    ensure!(!has_extra(&host).await?);

    let (code, told, complaint) = outcome(&town.data, &["policy", "apply"]).await?;
    ensure!(code == Some(0), "{complaint}");
    ensure!(told.contains("Generation 2 of rules is in force."), "{told}");
    let serves = async |wanted: bool| {
        eventually("the host takes the rules up", async || {
            Ok((has_extra(&host).await? == wanted).then_some(()))
        })
        .await
    };
    serves(true).await?;
    let (_, told, _) = outcome(&town.data, &["policy", "apply"]).await?;
    ensure!(told.contains("has the same rules"), "{told}");

    let (code, told, complaint) = outcome(&town.data, &["policy", "rollback"]).await?;
    ensure!(code == Some(0) && told.contains("rule extra is gone"), "{told}{complaint}");
    serves(false).await?;
    let (_, told, _) = outcome(&town.data, &["policy", "generations", "--json"]).await?;
    let lines: Vec<Value> = told.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let active = |line: &Value| (line["generation"].clone(), line["in_force"].clone());
    ensure!(
        lines.iter().map(active).collect::<Vec<_>>()
            == [(1.into(), true.into()), (2.into(), false.into())],
        "{told}"
    );
    let (_, told, _) = outcome(&town.data, &["audit", "search", "--action", "policy:"]).await?;
    for part in
        ["policy:apply", "by operator:cli: the first", "rules added: extra", "policy:rollback"]
    {
        ensure!(told.contains(part), "{part}: {told}");
    }
    Ok(())
}

#[tokio::test]
async fn rules_whose_cases_fail_are_not_applied() -> Result<()> {
    let data = DataFolder::temporary().await?;
    let weaker = changed(
        &data,
        "base.cedar",
        "unless { context.conversation.private }",
        "unless { context.conversation.private || context.conversation.channel == Channel::\"web\" }",
    )?;
    let weaker = weaker.display().to_string();
    let (code, told, complaint) = outcome(&data, &["policy", "apply", &weaker]).await?;
    ensure!(code == Some(1), "{told}");
    for part in ["nothing was changed", "expected deny by private-chat-only"] {
        ensure!(complaint.contains(part), "{part}: {complaint}");
    }
    let (_, told, _) = outcome(&data, &["policy", "status"]).await?;
    ensure!(told.contains("Generation 1 is in force"), "{told}");
    let (code, _, complaint) = outcome(&data, &["policy", "rollback"]).await?;
    ensure!(code == Some(1) && complaint.contains("generation 1 is the first"), "{complaint}");
    Ok(())
}

#[tokio::test]
async fn recorded_calls_are_judged_again_under_proposed_rules() -> Result<()> {
    let town = Town::with_sample_shop().await?;
    {
        let host = town.open().await?;
        let mut chat = WebChat::open(host.public(), ACCOUNT).await?;
        for words in ["What is the status of my order #W1204518?", "ines.ruiz@example.com"] {
            chat.send(words).await?;
            chat.next_answer(PATIENCE).await?;
        }
    }
    let (code, told, complaint) = outcome(&town.data, &["policy", "simulate"]).await?;
    ensure!(code == Some(0), "{complaint}");
    ensure!(told.starts_with("0 of ") && !told.starts_with("0 of 0 "), "{told}");
    let proposed = changed(&town.data, "order-status.cedar", "permit", "forbid")?;
    let proposed = proposed.display().to_string();
    let simulate = ["policy", "simulate", &proposed, "--since", "1h", "--json"];
    let (code, told, complaint) = outcome(&town.data, &simulate).await?;
    ensure!(code == Some(0), "{complaint}");
    let told: Value = serde_json::from_str(&told)?;
    ensure!(told["different"].as_u64() > Some(0), "{told}");
    let change = &told["changes"][0];
    ensure!(change["skill"] == "order-status" && change["customers"] == 1, "{told}");
    Ok(())
}
