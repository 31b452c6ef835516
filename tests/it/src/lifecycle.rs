//! Skills come and go while the host serves.

use anyhow::{Context as _, Result, ensure};
use postern_domain::AuditKind;
use postern_test_support::host::Host;
use serde_json::{Value, json};

use crate::setup::{Customer, SHIPPED, Town, eventually, json_lines, outcome, skill, text_at};

async fn json_of(town: &Town, arguments: &[&str]) -> Result<Vec<Value>> {
    let (code, out, complaints) = outcome(&town.data, &[arguments, &["--json"]].concat()).await?;
    ensure!(code == Some(0), "postern {}: {code:?} {complaints}", arguments.join(" "));
    json_lines(&out)
}

async fn install(town: &Town, name: &str) -> Result<Value> {
    let files = skill(name)?;
    let (component, manifest) =
        (files.component.display().to_string(), files.manifest.display().to_string());
    let install = [
        "skill",
        "install",
        &component,
        "--manifest",
        &manifest,
        "--grant",
        "requested",
        "--allow-unsigned",
    ];
    let mut said = json_of(town, &install).await?;
    said.pop().context("it says nothing")
}

/// Waits until exactly these skills are active.
async fn active(host: &Host, want: &[&str]) -> Result<()> {
    let operator = host.operator();
    eventually(&format!("taking up {want:?}"), async || {
        let skills = operator.skills().await?;
        let ids = skills.as_array().into_iter().flatten().map(|s| text_at(s, "/id"));
        Ok(ids.eq(want.iter().copied()).then_some(()))
    })
    .await
}

#[tokio::test]
async fn skills_are_installed_listed_inspected_and_removed() -> Result<()> {
    let town = Town::build(&[]).await?;
    ensure!(json_of(&town, &["skill", "list"]).await?.is_empty());
    for (number, name) in (1..).zip(SHIPPED) {
        let said = install(&town, name).await?;
        ensure!(said["generation"] == number, "{said}");
        ensure!(said["skills"] == json!(SHIPPED[..number]), "{said}");
    }
    let list = json_of(&town, &["skill", "list"]).await?;
    let ids: Vec<_> = list.iter().map(|skill| text_at(skill, "/manifest/skill/id")).collect();
    ensure!(ids == SHIPPED, "{ids:?}");
    for name in SHIPPED {
        let shown = json_of(&town, &["skill", "inspect", name]).await?;
        let [shown] = &shown[..] else { anyhow::bail!("{shown:?}") };
        let listed = list.iter().find(|skill| text_at(skill, "/manifest/skill/id") == name);
        for part in ["manifest", "digest", "grants", "installed_at"] {
            ensure!(listed.is_some_and(|skill| skill[part] == shown[part]), "{name}: {part}");
        }
        ensure!(shown["refused"] == json!([]) && shown["use"]["runs"] == 0, "{shown}");
        let requested = shown.pointer("/manifest/capabilities").and_then(Value::as_array);
        let requested = requested.map_or(0, Vec::len);
        let granted = shown.pointer("/grants").and_then(Value::as_array).map_or(0, Vec::len);
        ensure!(requested == granted, "{name}: {granted} of {requested} are granted");
    }
    let said = json_of(&town, &["skill", "remove", "order-status"]).await?;
    let left = ["crm-lookup", "escalation", "refund-check", "shipment-tracking"];
    let want = json!({ "generation": 6, "skills": left, "what": "removed order-status" });
    ensure!(said == [want], "{said:?}");
    let (code, _, complaint) = outcome(&town.data, &["skill", "inspect", "order-status"]).await?;
    ensure!(code == Some(1) && complaint.contains("order-status is not installed"), "{complaint}");

    // Each act left a row of the audit log.
    let rows = json_of(&town, &["audit", "tail"]).await?;
    let acts: Vec<_> = rows.iter().map(|row| text_at(row, "/entry/action")).collect();
    let want = [&["policy:apply"][..], &["skill:install"; 5], &["skill:remove"]].concat();
    ensure!(acts == want, "{acts:?}");
    let kind = serde_json::to_value(AuditKind::Operator)?;
    ensure!(rows.iter().all(|row| row["entry"]["kind"] == kind), "{rows:?}");
    Ok(())
}

#[tokio::test]
async fn a_running_host_takes_skills_up_and_lets_them_go() -> Result<()> {
    let town = Town::build(&["crm-lookup", "escalation"]).await?;
    town.import(&crate::setup::sample_shop()?).await?;
    let host = town.open().await?;
    let question = "What's the status of order #W1205408?";
    let mut customer = Customer::new(&town, &host, 101);
    customer.says("Hi, my email is ravi.patel@example.com").await?;
    let told = customer.says(question).await?;
    ensure!(told.tools().iter().all(|run| run.skill.as_str() != "order-status"), "{told:?}");
    told.must_not_say("processed")?;

    install(&town, "order-status").await?;
    active(&host, &["crm-lookup", "escalation", "order-status"]).await?;
    let told = customer.says(question).await?;
    told.must_use("order-status", "order_status")?.must_say("#W1205408 is processed")?;

    json_of(&town, &["skill", "remove", "order-status"]).await?;
    active(&host, &["crm-lookup", "escalation"]).await?;
    let told = customer.says(question).await?;
    ensure!(told.tools().iter().all(|run| run.skill.as_str() != "order-status"), "{told:?}");
    told.must_not_say("processed")?;
    Ok(())
}

#[tokio::test]
async fn records_tickets_and_rules_are_shown_as_json() -> Result<()> {
    let town = Town::with_sample_shop().await?;
    let shown = json_of(&town, &["records", "get", "users", "ravi_patel_1007"]).await?;
    ensure!(shown[0]["version"] == 1 && shown[0]["key"] == "ravi_patel_1007", "{shown:?}");
    let hidden = shown[0]["body"].to_string();
    ensure!(!hidden.contains("ravi.patel") && !hidden.contains("LE1 3RD"), "{hidden}");
    let reveal = ["records", "get", "users", "ravi_patel_1007", "--reveal"];
    let shown = json_of(&town, &reveal).await?;
    ensure!(text_at(&shown[0], "/body/email") == "ravi.patel@example.com", "{shown:?}");
    let rows = json_of(&town, &["audit", "tail", "-n", "1"]).await?;
    ensure!(text_at(&rows[0], "/entry/action") == "records:reveal", "{rows:?}");

    let checked = json_of(&town, &["policy", "check"]).await?;
    ensure!(checked[0]["rules"].as_u64().is_some_and(|rules| rules > 10), "{checked:?}");

    let host = town.open().await?;
    let mut customer = Customer::new(&town, &host, 102);
    let told = customer.says("I want to talk to a person, please").await?;
    let ticket = serde_json::to_value(told.ticket()?)?;
    // While the host serves.
    let list = json_of(&town, &["ticket", "list"]).await?;
    ensure!(list == std::slice::from_ref(&ticket), "{list:?}");
    let id = text_at(&ticket, "/id");
    let shown = json_of(&town, &["ticket", "show", id]).await?;
    ensure!(shown[0]["ticket"] == ticket, "{shown:?}");
    let events = shown[0]["events"].as_array().map_or(0, Vec::len);
    ensure!(events >= 2, "{shown:?}");
    Ok(())
}
