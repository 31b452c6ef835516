//! Rules.

use std::fs;

use anyhow::{Context as _, Result};
use postern_test_support::host::DataFolder;

use super::refused;
use crate::setup::Untouched;

/// A rule that is appended to order-status's file, and what must be said.
struct Case(&'static str, &'static [&'static str]);

const CASES: [Case; 9] = [
    Case("permit (principal, action, resource)", &["order-status.cedar:"]),
    Case("permit (principal, action, resource);", &["order-status.cedar:", "@id"]),
    Case(
        "@id(\"handover-any\") permit (principal, action == Action::\"log:write\", resource);",
        &["handover-any"],
    ),
    Case(
        "@id(\"x\") @colour(\"red\") permit (principal, action == Action::\"log:write\", resource);",
        &["order-status.cedar:", "rule x", "colour"],
    ),
    Case(
        "@id(\"x\") permit (principal, action == Action::\"fly\", resource);",
        &["order-status.cedar:", "rule x", "fly"],
    ),
    Case(
        "@id(\"x\") permit (principal, action == Action::\"http:send\", resource) when { resource.hots == \"a\" };",
        &["order-status.cedar:", "rule x", "hots"],
    ),
    Case(
        "@id(\"x\") permit (principal, action == Action::\"http:send\", resource) when { resource.host == 7 };",
        &["order-status.cedar:", "rule x"],
    ),
    Case(
        "@id(\"x\") permit (principal, action in Action::\"records:read\", resource is Record::shoes);",
        &["order-status.cedar:", "rule x", "shoes"],
    ),
    Case(
        "@id(\"x\") @confirm permit (principal, action == Action::\"log:write\", resource);",
        &["order-status.cedar:", "rule x", "confirm"],
    ),
];

#[tokio::test]
async fn what_is_wrong_in_a_rule_is_named_by_check_and_by_apply() -> Result<()> {
    let data = DataFolder::temporary().await?;
    let path = data.path().join("policies").join("order-status.cedar");
    let fine = fs::read_to_string(&path)?;
    for Case(rule, reasons) in CASES {
        fs::write(&path, format!("{fine}\n{rule}\n"))?;
        let before = Untouched::now(&data).await?;
        for command in [&["policy", "check"][..], &["policy", "apply"]] {
            refused(&data, &before, command, reasons).await.with_context(|| rule.to_owned())?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_mistake_of_several_is_named() -> Result<()> {
    let data = DataFolder::temporary().await?;
    for (file, rule) in [("base", "first"), ("escalation", "second")] {
        let path = data.path().join("policies").join(format!("{file}.cedar"));
        let fine = fs::read_to_string(&path)?;
        let wrong =
            format!("@id(\"{rule}\") permit (principal, action == Action::\"fly\", resource);");
        fs::write(&path, format!("{fine}\n{wrong}\n"))?;
    }
    let before = Untouched::now(&data).await?;
    let reasons = ["base.cedar:", "rule first", "escalation.cedar:", "rule second"];
    refused(&data, &before, &["policy", "check"], &reasons).await
}

#[tokio::test]
async fn a_missing_schema_is_named() -> Result<()> {
    let data = DataFolder::temporary().await?;
    fs::remove_file(data.path().join("policies").join("postern.cedarschema"))?;
    let before = Untouched::now(&data).await?;
    for command in [&["policy", "check"][..], &["policy", "apply"]] {
        refused(&data, &before, command, &["postern.cedarschema", "postern init"]).await?;
    }
    Ok(())
}
