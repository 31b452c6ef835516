//! Starting a host, and what keeps it from starting.

use std::net::TcpListener;

use anyhow::{Result, ensure};
use postern_test_support::host::{DataFolder, Host};

use crate::setup::{Customer, Town, Untouched, outcome};

async fn refused(data: &DataFolder, arguments: &[&str], reasons: &[&str]) -> Result<()> {
    let (code, _, complaint) = outcome(data, arguments).await?;
    let all = reasons.iter().all(|reason| complaint.contains(reason));
    ensure!(code == Some(1) && all, "{arguments:?}: {code:?} {complaint}");
    Ok(())
}

#[tokio::test]
async fn init_never_overwrites() -> Result<()> {
    let data = DataFolder::temporary().await?;
    let before = Untouched::now(&data).await?;
    refused(&data, &["init"], &["postern.toml exists already"]).await?;
    before.must_hold(&data, "a second init").await
}

#[tokio::test]
async fn a_busy_port_is_named_with_its_field() -> Result<()> {
    let data = DataFolder::temporary().await?;
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    for field in ["public", "operator"] {
        data.edit_config(|config| config["server"][field] = address.as_str().into())?;
        let name = format!("server.{field}");
        refused(&data, &["serve"], &[&address, &name]).await?;
        data.edit_config(|config| config["server"][field] = "127.0.0.1:0".into())?;
    }
    // Nothing was left behind that would be in the way.
    Host::start(&data).await?.stop().await?;
    Ok(())
}

#[tokio::test]
async fn one_host_serves_a_folder() -> Result<()> {
    let town = Town::with_sample_shop().await?;
    let host = town.open().await?;
    refused(&town.data, &["serve"], &["in use by another postern process"]).await?;
    refused(&town.data, &["chat"], &["in use", "use its chat page instead"]).await?;
    // The first one does not notice.
    let mut customer = Customer::new(&town, &host, 111);
    customer.says("hello").await?.must_say("Hello!")?;
    host.stop().await?;

    let host = town.open().await?;
    customer.moves_to(&host);
    customer.says("thanks").await?.must_say("You are welcome")?;
    // A crash leaves no lock either.
    host.kill().await?;
    let host = town.open().await?;
    customer.moves_to(&host);
    customer.says("hello").await?.must_say("Hello!")?;
    Ok(())
}

#[tokio::test]
async fn folders_that_are_none_are_refused_with_the_next_step() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = DataFolder::at(folder.path().join("data")).await?;
    std::fs::remove_file(data.path().join("postern.toml"))?;
    for command in [&["serve"][..], &["chat"], &["audit", "tail"], &["skill", "list"]] {
        refused(&data, command, &["is not a data folder", "init"]).await?;
    }
    Ok(())
}

#[tokio::test]
async fn wrong_usage_is_exit_code_2() -> Result<()> {
    let data = DataFolder::temporary().await?;
    let cases: [&[&str]; 10] = [
        &["frobnicate"],
        &[],
        &["--nope"],
        &["serve", "now"],
        &["skill"],
        &["skill", "install"],
        &["skill", "inspect", "Not A Name"],
        &["ticket", "list", "--limit", "0"],
        &["audit", "tail", "-n", "many"],
        &["records", "get", "orders"],
    ];
    for arguments in cases {
        let (code, _, complaint) = outcome(&data, arguments).await?;
        ensure!(code == Some(2) && !complaint.is_empty(), "{arguments:?}: {code:?} {complaint}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_not_there_is_named() -> Result<()> {
    let data = DataFolder::temporary().await?;
    let ticket = "tkt_0123456789abcdef01234567";
    let cases: [(&[&str], &str); 5] = [
        (&["ticket", "show", ticket], "there is no ticket tkt_0123456789abcdef01234567"),
        (&["skill", "inspect", "nobody"], "skill nobody is not installed"),
        (&["skill", "remove", "nobody"], "skill nobody is not installed"),
        (&["records", "get", "orders", "#W1"], "there is no record \"#W1\" in orders"),
        (&["records", "get", "secrets", "x"], "collection \"secrets\" is not declared"),
    ];
    for (arguments, reason) in cases {
        refused(&data, arguments, &[reason]).await?;
        let json = [arguments, &["--json"]].concat();
        let (code, out, complaint) = outcome(&data, &json).await?;
        let error: serde_json::Value = serde_json::from_str(complaint.trim())?;
        let said = error["error"].as_str().is_some_and(|error| error.contains(reason));
        ensure!(code == Some(1) && out.is_empty() && said, "{arguments:?}: {complaint}");
    }
    Ok(())
}
