//! `postern skill test` and `postern skill call`, with the skills that are shipped.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use postern_test_support::host;

use crate::setup::{SHIPPED, Town, Untouched, outcome, skill};

/// What a run of the program came to: exit code, output, complaints.
type Ran = (Option<i32>, String, String);

/// Runs the program with a cache of compiled code that all tests share, which is what
/// authors have.
async fn postern(arguments: &[&str]) -> Result<Ran> {
    let cache = std::env::temp_dir().join("postern-it-cache");
    let output = tokio::process::Command::new(host::binary()?)
        .args(arguments)
        .env("POSTERN_CACHE", cache)
        .stdin(std::process::Stdio::null())
        .output()
        .await?;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).context("not a text");
    Ok((output.status.code(), text(output.stdout)?, text(output.stderr)?))
}

/// A copy of a shipped skill's folder with these scenarios, and its component.
fn copy(name: &str, scenarios: &[(&str, &str)]) -> Result<(tempfile::TempDir, String)> {
    let files = skill(name)?;
    let folder = tempfile::tempdir()?;
    fs::copy(&files.manifest, folder.path().join("skill.toml"))?;
    fs::create_dir(folder.path().join("scenarios"))?;
    for (file, text) in scenarios {
        fs::write(folder.path().join("scenarios").join(file), text)?;
    }
    Ok((folder, files.component.display().to_string()))
}

async fn test(folder: &Path, component: &str, more: &[&str]) -> Result<Ran> {
    let folder = folder.display().to_string();
    let mut arguments = vec!["skill", "test", folder.as_str(), "--component", component];
    arguments.extend(more);
    postern(&arguments).await
}

const PENDING: &str = r##"
[scenario]
name = "A pending order" # kept

[given.customer]
key = "ines_ruiz_1001"
level = "identified"

[given.records.orders."#W1000001"]
order_id = "#W1000001"
user_id = "ines_ruiz_1001"
status = "pending"
items = [{ name = "Mug", price = 12.5 }]

[[step]]
call = "order_status"
arguments = { order_id = "#W1000001" }
"##;

#[tokio::test]
async fn shipped_skills_pass_their_scenarios_and_no_tool_is_left_out() -> Result<()> {
    for name in SHIPPED {
        let files = skill(name)?;
        let folder = files.manifest.parent().context("no folder")?;
        let component = files.component.display().to_string();
        let (code, out, complaints) = test(folder, &component, &["--json"]).await?;
        ensure!(code == Some(0), "{name}: {out}\n{complaints}");
        let report: Value = serde_json::from_str(&out)?;
        let coverage = report["coverage"].as_object().context("no coverage")?;
        for (tool, counts) in coverage {
            let calls: u64 =
                counts.as_object().context("no counts")?.values().filter_map(Value::as_u64).sum();
            ensure!(calls > 0, "{name}: {tool} is never called");
        }
    }
    Ok(())
}

/// Every scenario of the page for authors holds for the skill that it is about.
#[tokio::test]
async fn the_page_on_testing_shows_scenarios_that_hold() -> Result<()> {
    let page = include_str!("../../../docs/testing-skills.md");
    let blocks = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let whole: Vec<&str> = blocks.filter(|text| text.starts_with("[scenario]")).collect();
    ensure!(whole.len() == 3, "{} scenarios", whole.len());
    let names: Vec<String> = (0..whole.len()).map(|n| format!("{n}.toml")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(whole).collect();
    let (folder, component) = copy("order-status", &files)?;
    let (code, out, complaints) = test(folder.path(), &component, &[]).await?;
    ensure!(code == Some(0), "{out}\n{complaints}");
    ensure!(out.matches("ok   ").count() == 3, "{out}");
    Ok(())
}

#[tokio::test]
async fn a_failure_says_what_was_expected_what_came_and_where() -> Result<()> {
    let wrong = format!(
        "{PENDING}[step.expect]\noutcome = \"ask\"\ncontains = [\"shipped\"]\n\
         calls = [{{ action = \"records:get\", resource = \"orders/#W9\" }}]\n\
         [[given.http]]\npath = \"/never\"\n[expect.limits]\nmost_host_calls = 0\n"
    );
    let (folder, component) = copy("order-status", &[("wrong.toml", &wrong)])?;
    let (code, out, complaints) = test(folder.path(), &component, &[]).await?;
    ensure!(code == Some(1), "{code:?} {out}");
    ensure!(complaints.contains("1 of 1 scenarios failed"), "{complaints}");
    for part in [
        "FAIL A pending order",
        "wrong.toml:15: outcome",
        "expected: ask",
        "got:      reply",
        "expected: … shipped …",
        "nearest call: the resource is orders/#W1000001",
        "unused answer",
        "limits.most_host_calls",
    ] {
        ensure!(out.contains(part), "{part:?} is missing in\n{out}");
    }
    Ok(())
}

#[tokio::test]
async fn a_refused_call_and_an_unanswered_request_are_unexpected() -> Result<()> {
    let refused = PENDING.replace("\"ines_ruiz_1001\"\nstatus", "\"somebody_else\"\nstatus");
    let (folder, component) = copy("order-status", &[("refused.toml", &refused)])?;
    let (code, out, _) = test(folder.path(), &component, &[]).await?;
    ensure!(code == Some(1), "{out}");
    ensure!(out.contains("unexpected refusal"), "{out}");
    ensure!(out.contains("by records-owner-only"), "{out}");

    let files = skill("shipment-tracking")?;
    let lost = r##"
[scenario]
name = "Nobody is there"
[given.customer]
key = "ines_ruiz_1001"
level = "identified"
[given.records.orders."#W1000001"]
order_id = "#W1000001"
user_id = "ines_ruiz_1001"
status = "processed"
fulfillments = [{ tracking_id = ["12345"], item_ids = [] }]
[[given.http]]
path = "/v1/shipments/99999"
[[step]]
call = "track_shipment"
arguments = { order_id = "#W1000001" }
"##;
    let (folder, component) = copy("shipment-tracking", &[("lost.toml", lost)])?;
    let host = files.manifest.with_file_name("dev");
    fs::create_dir(folder.path().join("dev"))?;
    fs::copy(host.join("host.toml"), folder.path().join("dev/host.toml"))?;
    let (code, out, _) = test(folder.path(), &component, &[]).await?;
    ensure!(code == Some(1), "{out}");
    ensure!(out.contains("unexpected request"), "{out}");
    ensure!(out.contains("the path is /v1/shipments/12345"), "{out}");
    Ok(())
}

#[tokio::test]
async fn fuel_and_memory_are_the_same_every_time() -> Result<()> {
    let (folder, component) = copy("order-status", &[("one.toml", PENDING)])?;
    let measure = async || -> Result<(u64, u64)> {
        let (code, out, complaints) = test(folder.path(), &component, &["--json"]).await?;
        ensure!(code == Some(0), "{out} {complaints}");
        let report: Value = serde_json::from_str(&out)?;
        let of = |name: &str| report["scenarios"][0][name].as_u64().context("not measured");
        Ok((of("fuel")?, of("memory_kib")?))
    };
    let first = measure().await?;
    ensure!(first.0 > 10_000 && first.1 >= 64, "{first:?}");
    for _ in 0..3 {
        ensure!(measure().await? == first);
    }
    let exact = format!("{PENDING}[expect.limits]\nfuel = {}\nmemory_kib = {}\n", first.0, first.1);
    fs::write(folder.path().join("scenarios/one.toml"), &exact)?;
    let (code, out, _) = test(folder.path(), &component, &[]).await?;
    ensure!(code == Some(0), "{out}");
    fs::write(folder.path().join("scenarios/one.toml"), exact.replace("fuel = ", "fuel = 1"))?;
    let (code, out, _) = test(folder.path(), &component, &[]).await?;
    ensure!(code == Some(1) && out.contains(&format!("got:      {}", first.0)), "{out}");
    Ok(())
}

#[tokio::test]
async fn recording_fills_expectations_and_keeps_the_rest() -> Result<()> {
    let (folder, component) = copy("order-status", &[("one.toml", PENDING)])?;
    let (code, _, complaints) = test(folder.path(), &component, &["--record"]).await?;
    ensure!(code == Some(0), "{complaints}");
    let recorded = fs::read_to_string(folder.path().join("scenarios/one.toml"))?;
    for part in
        ["# kept", "outcome = \"reply\"", "Total: $12.50", "resource = \"orders/#W1000001\""]
    {
        ensure!(recorded.contains(part), "{part:?} is missing in\n{recorded}");
    }
    let (code, out, _) = test(folder.path(), &component, &[]).await?;
    ensure!(code == Some(0), "{out}\n{recorded}");
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_no_scenario_is_named_with_its_place() -> Result<()> {
    let typo = PENDING.replace("arguments =", "argumnets =");
    let (folder, component) = copy("order-status", &[("typo.toml", &typo)])?;
    let (code, _, complaints) = test(folder.path(), &component, &[]).await?;
    ensure!(code == Some(1), "{code:?}");
    ensure!(complaints.contains("typo.toml:17:1: unknown field `argumnets`"), "{complaints}");
    let (code, _, complaints) =
        test(folder.path(), &component, &["--filter", "nothing like it"]).await?;
    ensure!(code == Some(1) && !complaints.is_empty());
    Ok(())
}

#[tokio::test]
async fn one_call_shows_what_was_asked_and_decided() -> Result<()> {
    let (folder, component) = copy("order-status", &[])?;
    let records = folder.path().join("records.json");
    fs::write(
        &records,
        r##"{"orders":{"#W1000001":{"order_id":"#W1000001","user_id":"ann","status":"pending"}}}"##,
    )?;
    let component_here = folder.path().join("order_status.wasm");
    fs::copy(&component, &component_here)?;
    let (component, records) =
        (component_here.display().to_string(), records.display().to_string());
    let call = |customer: &'static str, json: bool| {
        let (component, records) = (component.clone(), records.clone());
        async move {
            let mut arguments = vec![
                "skill",
                "call",
                "order_status",
                "--skill",
                &component,
                "--records",
                &records,
                "--args",
                r##"{"order_id":"#W1000001"}"##,
                "--customer",
                customer,
            ];
            if json {
                arguments.push("--json");
            }
            postern(&arguments).await
        }
    };
    let (code, out, complaints) = call("ann", false).await?;
    ensure!(code == Some(0), "{complaints}");
    ensure!(out.contains("records:get orders/#W1000001 → allow by "), "{out}");
    ensure!(out.contains("reply: Order #W1000001 is pending."), "{out}");
    ensure!(out.contains("µs)") && out.contains("fuel "), "{out}");
    let (code, out, complaints) = call("bob", true).await?;
    ensure!(code == Some(0), "{complaints}");
    let told: Value = serde_json::from_str(&out)?;
    ensure!(told["outcome"] == "reply" && told["calls"][0]["decision"] == "deny", "{told}");
    ensure!(told["calls"][0]["rules"][0] == "records-owner-only", "{told}");
    Ok(())
}

#[tokio::test]
async fn a_recorded_call_becomes_a_scenario_without_personal_data() -> Result<()> {
    let town = Town::build(&["crm-lookup", "order-status"]).await?;
    town.import(&serde_json::json!({"users": {"ines_ruiz_1001": {
        "user_id": "ines_ruiz_1001",
        "name": {"first_name": "Ines", "last_name": "Ruiz"},
        "email": "ines.ruiz@example.com",
        "address": {
            "address1": "1 Calle Mayor", "address2": "", "city": "Madrid",
            "country": "Spain", "state": "M", "zip": "28001"
        },
    }}}))
    .await?;
    let said = "my email is ines.ruiz@example.com\n\n";
    let told = town.data.postern_with_input(["chat"], said).await?;
    ensure!(told.contains("Thank you, Ines"), "{told}");
    let (_, rows, _) = outcome(&town.data, &["audit", "tail", "--json"]).await?;
    let at = rows.find("inv_").context("no invocation")?;
    let invocation = rows[at..].split('"').next().unwrap_or_default();

    let (folder, component) = copy("crm-lookup", &[])?;
    let into = folder.path().join("scenarios/recorded.toml").display().to_string();
    let arguments = ["skill", "test", "--from-invocation", invocation, "--into", &into];
    let (code, _, complaints) = outcome(&town.data, &arguments).await?;
    ensure!(code == Some(0), "{complaints}");
    let recorded = fs::read_to_string(&into)?;
    for personal in ["ines", "Ines", "Ruiz", "Calle", "Madrid", "28001"] {
        ensure!(!recorded.contains(personal), "{personal} stands in\n{recorded}");
    }
    let (code, out, complaints) = test(folder.path(), &component, &[]).await?;
    ensure!(code == Some(0), "{out}\n{complaints}\n{recorded}");
    // What is there is not written over.
    let (code, _, complaints) = outcome(&town.data, &arguments).await?;
    ensure!(code == Some(1) && complaints.contains("recorded.toml"), "{complaints}");
    Ok(())
}

#[tokio::test]
async fn an_installed_skill_is_called_beside_its_host_and_not_in_it() -> Result<()> {
    let town = Town::with_sample_shop().await?;
    let before = Untouched::now(&town.data).await?;
    let arguments = [
        "skill",
        "call",
        "list_orders",
        "--skill",
        "order-status",
        "--customer",
        "nobody_1",
        "--json",
    ];
    let (code, out, complaints) = outcome(&town.data, &arguments).await?;
    ensure!(code == Some(0), "{complaints}");
    let told: Value = serde_json::from_str(&out)?;
    ensure!(told["calls"][0]["action"] == "records:query", "{told}");
    before.must_hold(&town.data, "a call").await?;
    Ok(())
}
