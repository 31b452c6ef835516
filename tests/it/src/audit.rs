//! The audit log proves itself.

use anyhow::{Result, ensure};
use postern_test_support::host::DataFolder;
use tokio::process::Command;

use crate::setup::outcome;

/// Runs a statement on a folder's database, past the program.
async fn tamper(data: &DataFolder, statement: &str) -> Result<()> {
    let script = "import sqlite3, sys\n\
                  db = sqlite3.connect(sys.argv[1])\n\
                  db.executescript(sys.argv[2])\n\
                  db.commit()";
    let database = data.path().join("postern.db");
    let mut python = Command::new("python3");
    python.args(["-c", script]).arg(database).arg(statement);
    ensure!(python.status().await?.success(), "{statement}");
    Ok(())
}

/// What `postern audit verify` says.
async fn verified(data: &DataFolder, more: &[&str]) -> Result<(Option<i32>, String)> {
    let (code, told, complaint) = outcome(data, &[&["audit", "verify"], more].concat()).await?;
    Ok((code, told + &complaint))
}

#[tokio::test]
async fn verification_passes_until_somebody_writes_into_the_log() -> Result<()> {
    let data = DataFolder::temporary().await?;
    for _ in 0..3 {
        data.postern(["policy", "check"]).await?;
        let records = data.path().join("none.json");
        std::fs::write(&records, "{}")?;
        data.import(&records).await?;
    }
    let (code, told) = verified(&data, &[]).await?;
    ensure!(code == Some(0) && told.contains("rows are as they were written"), "{told}");

    let export = data.path().join("export.jsonl");
    let out = export.display().to_string();
    data.postern(["audit", "export", "--out", &out]).await?;
    let text = std::fs::read_to_string(&export)?;
    let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap_or_default())?;
    ensure!(last["checkpoint"]["signature"].as_str().is_some_and(|s| s.len() == 128), "{last}");
    let (code, told) = verified(&data, &["--kept", &out]).await?;
    ensure!(code == Some(0) && told.contains("checkpoints: 1"), "{told}");

    // An export is never written over.
    let again = ["audit", "export", "--out", &out];
    let (code, _, complaint) = outcome(&data, &again).await?;
    ensure!(code == Some(1) && complaint.contains(&out), "{complaint}");

    // Everything is thrown away, checkpoints too; the folder still remembers, and
    // signs nothing over it.
    let everything = "DELETE FROM audit; DELETE FROM audit_heads; DELETE FROM audit_checkpoints";
    tamper(&data, everything).await?;
    let (code, told) = verified(&data, &[]).await?;
    ensure!(code == Some(1) && told.contains("its end was cut off or replaced"), "{told}");
    let (code, _, complaint) = outcome(&data, &["audit", "export"]).await?;
    ensure!(code == Some(1) && complaint.contains("do not go on from checkpoint 1"), "{complaint}");
    // Without that memory only the export knows.
    std::fs::remove_file(data.path().join("keys/last-checkpoint.json"))?;
    let (code, _) = verified(&data, &[]).await?;
    ensure!(code == Some(0), "an empty log is a whole log");
    let (code, told) = verified(&data, &["--kept", &out]).await?;
    ensure!(code == Some(1) && told.contains("its end was cut off or replaced"), "{told}");
    Ok(())
}

#[tokio::test]
async fn a_changed_row_is_named_and_ends_with_1() -> Result<()> {
    let data = DataFolder::temporary().await?;
    let records = data.path().join("none.json");
    std::fs::write(&records, "{}")?;
    data.import(&records).await?;
    let change = "UPDATE audit SET entry = replace(entry, 'operator:cli', 'operator:eve')";
    tamper(&data, change).await?;
    let (code, told) = verified(&data, &[]).await?;
    ensure!(code == Some(1) && told.contains("row 1 of host-1 was changed"), "{told}");
    Ok(())
}

#[tokio::test]
async fn rows_are_searched_by_what_they_have() -> Result<()> {
    let data = DataFolder::temporary().await?;
    let records = data.path().join("none.json");
    std::fs::write(&records, "{}")?;
    data.import(&records).await?;
    let count = async |filter: &[&str]| -> Result<usize> {
        let arguments = [&["--json", "audit", "search"], filter].concat();
        let (code, told, complaint) = outcome(&data, &arguments).await?;
        ensure!(code == Some(0), "{complaint}");
        Ok(told.lines().count())
    };
    ensure!(count(&["--action", "records:"]).await? == 1);
    ensure!(count(&["--action", "records:", "--actor", "skill:"]).await? == 0);
    ensure!(count(&["--actor", "operator:", "--until", "2020-01-01T00:00:00Z"]).await? == 0);
    ensure!(count(&["--actor", "operator:", "--since", "2020-01-01T00:00:00Z"]).await? >= 1);
    ensure!(count(&["--decision", "deny"]).await? == 0);
    let (code, _, complaint) = outcome(&data, &["audit", "search", "--since", "yesterday"]).await?;
    ensure!(code == Some(2) && complaint.contains("--since"), "{complaint}");
    Ok(())
}
