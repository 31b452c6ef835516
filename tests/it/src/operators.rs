//! Operators and their tokens on the command line, and what they may do there.

use std::process::Output;

use anyhow::{Context as _, Result, ensure};
use postern_test_support::host::{DataFolder, binary};
use serde_json::Value;
use tokio::process::Command;

use crate::setup::outcome;

/// Makes a token and answers it with the digits by which it is revoked.
async fn token(data: &DataFolder, arguments: &[&str]) -> Result<(String, String)> {
    let mut words = vec!["--json", "operator", "token"];
    words.extend(arguments);
    let made: Value = serde_json::from_str(&data.postern(words).await?)?;
    let text = |value: &Value| value.as_str().map(str::to_owned).context("no text");
    let digest = text(&made["token"]["digest"])?;
    let digits = digest.strip_prefix("sha256:").unwrap_or_default()[..12].to_owned();
    Ok((text(&made["secret"])?, digits))
}

/// Runs a command in the name of whoever has a token.
async fn as_operator(data: &DataFolder, token: &str, arguments: &[&str]) -> Result<(bool, String)> {
    let Output { status, stdout, stderr } = Command::new(binary()?)
        .arg("--data")
        .arg(data.path())
        .args(arguments)
        .env("POSTERN_OPERATOR_TOKEN", token)
        .output()
        .await?;
    let text = [stdout, stderr].concat();
    Ok((status.success(), String::from_utf8_lossy(&text).into_owned()))
}

#[tokio::test]
async fn operators_get_roles_and_tokens_and_lose_them() -> Result<()> {
    let data = DataFolder::temporary().await?;
    let (code, told, _) = outcome(&data, &["operator", "add", "ann", "--role", "author"]).await?;
    ensure!(code == Some(0) && told.contains("postern operator token ann"), "{told}");
    for (words, reason) in [
        (&["operator", "add", "ann", "--role", "viewer"][..], "ann is or was an operator"),
        (&["operator", "add", "root", "--role", "viewer"], "root is a name of the host's own"),
        (&["operator", "token", "bob"], "there is no operator bob"),
        (&["operator", "token", "ann", "--role", "admin"], "ann is no admin"),
        (&["operator", "token", "ann", "--days", "0"], "1 to 366 days"),
    ] {
        let (code, _, complaint) = outcome(&data, words).await?;
        ensure!(code == Some(1) && complaint.contains(reason), "{words:?}: {complaint}");
    }
    let (code, _, complaint) = outcome(&data, &["operator", "add", "bob"]).await?;
    ensure!(code == Some(2) && complaint.contains("--role"), "{complaint}");

    let (secret, digits) = token(&data, &["ann", "--label", "laptop"]).await?;
    ensure!(secret.starts_with("pop_"), "a token says what it is");
    let (_, told, _) = outcome(&data, &["operator", "tokens", "ann"]).await?;
    ensure!(told.contains(&digits) && told.contains("laptop") && !told.contains("pop_"), "{told}");
    // An author proposes rules, but does not say who operators are or which rules hold.
    for words in [&["operator", "add", "eve", "--role", "admin"][..], &["policy", "rollback"]] {
        let (done, told) = as_operator(&data, &secret, words).await?;
        ensure!(!done && told.contains("ann may not do this"), "{words:?}: {told}");
    }
    let (done, told) = as_operator(&data, "pop_wrong", &["operator", "list"]).await?;
    ensure!(!done && told.contains("no operator's token"), "{told}");

    data.postern(["operator", "revoke", "ann", &digits]).await?;
    let (done, told) = as_operator(&data, &secret, &["operator", "list"]).await?;
    ensure!(!done && told.contains("no operator's token"), "{told}");
    data.postern(["operator", "remove", "ann"]).await?;
    let (_, told, _) = outcome(&data, &["operator", "show", "ann"]).await?;
    ensure!(told.contains("removed: "), "{told}");

    let (_, told, _) = outcome(&data, &["audit", "search", "--action", "operator:"]).await?;
    for part in
        ["operator:cli", "operator:ann", "deny (default-deny)", "roles: author", "operator:remove"]
    {
        ensure!(told.contains(part), "{part}: {told}");
    }
    ensure!(!told.contains("pop_"), "{told}");
    Ok(())
}

#[tokio::test]
async fn a_decision_needs_a_person() -> Result<()> {
    let data = DataFolder::temporary().await?;
    let (code, told, _) = outcome(&data, &["--json", "approval", "list"]).await?;
    ensure!(code == Some(0) && told.is_empty(), "{told}");
    let id = "apr_0123456789abcdef01234567";
    for words in [&["approval", "show", id][..], &["approval", "approve", id, "--reason", "x"]] {
        let (code, _, complaint) = outcome(&data, words).await?;
        ensure!(code == Some(1) && complaint.contains("there is no approval"), "{complaint}");
    }
    let (code, _, complaint) = outcome(&data, &["approval", "reject", id]).await?;
    ensure!(code == Some(2) && complaint.contains("--reason"), "{complaint}");
    let (code, _, complaint) = outcome(&data, &["approval", "list", "--state", "lost"]).await?;
    ensure!(code == Some(2) && complaint.contains("uncertain, and all"), "{complaint}");
    Ok(())
}
