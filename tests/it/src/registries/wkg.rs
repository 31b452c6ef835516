//! `wkg`, the Bytecode Alliance's command, and we read what the other wrote.

use std::{fs, process::Command};

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use postern_test_support::registry::Registry;

use super::workshop::Workshop;
use crate::setup::{Town, json_lines, text_at};

#[tokio::test]
#[ignore = "needs wkg: cargo xtask peers --wkg"]
async fn each_pulls_what_the_other_pushed() -> Result<()> {
    let wkg = std::env::var_os("POSTERN_WKG").context("POSTERN_WKG names the program wkg")?;
    let registry = Registry::start().await?.context("docker-registry is missing")?;
    let shop = Workshop::build()?;
    let packed = shop.packed("order-status").await?;
    shop.sign(&packed).await?;
    let bytes = fs::read(&packed)?;
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&wkg);
        command.args(arguments).args(["--insecure", registry.address()]);
        let ended =
            command.current_dir(shop.file("")).env("DOCKER_CONFIG", shop.docker()).output()?;
        let told = String::from_utf8_lossy(&ended.stderr).into_owned();
        ensure!(ended.status.success(), "wkg {arguments:?}: {told}");
        anyhow::Ok(String::from_utf8_lossy(&ended.stdout).into_owned())
    };

    let ours = format!("{}/acme/ours:1.0.0", registry.address());
    shop.succeeds(&["skill", "push", "order-status.wasm", &format!("oci://{ours}")]).await?;
    run(&["oci", "pull", &ours, "--output", "from-us.wasm"])?;
    ensure!(fs::read(shop.file("from-us.wasm"))? == bytes, "wkg pulled other bytes");

    // What it pushes, signature and all, is pulled and installed.
    let theirs = format!("{}/acme/theirs:1.0.0", registry.address());
    let signature = fs::read_to_string(shop.file("order-status.wasm.minisig"))?;
    let annotation = format!("dev.postern.signature={}", STANDARD.encode(&signature));
    let told = run(&["oci", "push", "--annotation", &annotation, &theirs, "order-status.wasm"])?;
    let digest = told.lines().find_map(|line| line.strip_prefix("digest: "));
    let digest = digest.context("wkg tells no digest")?.trim();
    let (theirs, exact) =
        (format!("oci://{theirs}"), format!("oci://{}/acme/theirs@{digest}", registry.address()));
    for (reference, file) in [(&theirs, "tag.wasm"), (&exact, "digest.wasm")] {
        shop.succeeds(&["skill", "pull", reference, "--out", file]).await?;
        ensure!(fs::read(shop.file(file))? == bytes, "{reference}: other bytes");
        let beside = fs::read_to_string(shop.file(&format!("{file}.minisig")))?;
        ensure!(beside == signature, "{reference}: another signature");
    }
    let town = Town::build(&[]).await?;
    let key = shop.file("author.pub").display().to_string();
    let publisher = shop.about("order-status", "publisher")?;
    town.data.postern(["trust", "add", &publisher, &key]).await?;
    town.data.postern(["skill", "install", &theirs, "--grant", "requested"]).await?;
    let listed = json_lines(&town.data.postern(["skill", "list", "--json"]).await?)?;
    let listed = listed.last().context("nothing is installed")?;
    ensure!(text_at(listed, "/source/manifest") == digest, "{listed}");
    Ok(())
}
