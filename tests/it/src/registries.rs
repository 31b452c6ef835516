//! Skills go into registries and come out of them, and servers that lie are refused.

mod lies;
mod wkg;
mod workshop;

use anyhow::{Context as _, Result, ensure};
use postern_domain::Digest;
use postern_test_support::registry::{PASSWORD, Registry};
use serde_json::{Value, json};
use std::fs;

use self::workshop::Workshop;
use crate::setup::{Town, json_lines, outcome, text_at};

#[tokio::test]
async fn what_is_pushed_is_pulled_and_installed_by_tag_and_by_digest() -> Result<()> {
    let Some(registry) = Registry::start().await? else { return Ok(()) };
    let shop = Workshop::build()?;
    let packed = shop.packed("order-status").await?;
    shop.sign(&packed).await?;
    let tagged = format!("oci://{}/acme/order-status:1.0.0", registry.address());

    let pushed = shop.succeeds(&["skill", "push", "order-status.wasm", &tagged]).await?;
    let exact = pushed.lines().last().context("nothing was told")?.to_owned();
    ensure!(exact.contains("/acme/order-status@sha256:"), "{pushed}");
    let again = shop.succeeds(&["skill", "push", "order-status.wasm", &tagged]).await?;
    ensure!(again == pushed, "the same component has another digest: {again}");

    let manifest = registry.manifest("acme/order-status", "1.0.0").await?;
    let told = |name: &str| text_at(&manifest["annotations"], &format!("/{name}")).to_owned();
    ensure!(
        told("org.opencontainers.image.version") == shop.about("order-status", "version")?,
        "{manifest}"
    );
    ensure!(told("org.opencontainers.image.title") == "order-status", "{manifest}");

    let signature = fs::read(shop.file("order-status.wasm.minisig"))?;
    for (reference, file) in [(&tagged, "by-tag.wasm"), (&exact, "by-digest.wasm")] {
        let told = shop.succeeds(&["skill", "pull", reference, "--out", file]).await?;
        ensure!(told.contains(&exact), "{told}");
        ensure!(fs::read(shop.file(file))? == fs::read(&packed)?, "{reference}: other bytes");
        let beside = fs::read(shop.file(&format!("{file}.minisig")))?;
        ensure!(beside == signature, "{reference}: another signature");
    }

    let town = Town::build(&[]).await?;
    let install = ["skill", "install", &tagged, "--grant", "requested"];
    let (code, _, told) = outcome(&town.data, &install).await?;
    ensure!(code == Some(1) && told.contains("trust add"), "a stranger's skill was taken: {told}");
    let key = shop.file("author.pub").display().to_string();
    let publisher = shop.about("order-status", "publisher")?;
    town.data.postern(["trust", "add", &publisher, &key]).await?;
    town.data.postern(install).await?;
    let listed = town.data.postern(["skill", "list", "--json"]).await?;
    let listed = json_lines(&listed)?.pop().context("nothing is installed")?;
    ensure!(text_at(&listed, "/source/reference") == tagged, "{listed}");
    ensure!(exact.ends_with(text_at(&listed, "/source/manifest")), "{listed}");
    ensure!(text_at(&listed, "/signed_by/publisher") == publisher, "{listed}");
    Ok(())
}

#[tokio::test]
async fn a_tag_that_moves_changes_nothing_for_who_names_the_digest() -> Result<()> {
    let Some(registry) = Registry::start().await? else { return Ok(()) };
    let shop = Workshop::build()?;
    let first = shop.packed("order-status").await?;
    let second = shop.packed("escalation").await?;
    let tagged = format!("oci://{}/acme/skill:latest", registry.address());
    let pushed = shop.succeeds(&["skill", "push", "order-status.wasm", &tagged]).await?;
    let exact = pushed.lines().last().context("nothing was told")?.to_owned();
    shop.succeeds(&["skill", "push", "escalation.wasm", &tagged]).await?;

    shop.succeeds(&["skill", "pull", &tagged, "--out", "tag.wasm"]).await?;
    ensure!(fs::read(shop.file("tag.wasm"))? == fs::read(&second)?, "the tag did not move");
    shop.succeeds(&["skill", "pull", &exact, "--out", "digest.wasm"]).await?;
    ensure!(fs::read(shop.file("digest.wasm"))? == fs::read(&first)?, "the digest moved");

    // Whoever knows which component it must be is not given the other one.
    let wanted = Digest::of_bytes(&fs::read(&first)?).to_string();
    let refused = ["skill", "pull", &tagged, "--sha256", &wanted, "--out", "wrong.wasm"];
    shop.refuses(&refused, "is not what was expected").await?;
    // What is there already is replaced only when that is said.
    shop.refuses(&["skill", "pull", &exact, "--out", "tag.wasm"], "is there already").await?;
    shop.succeeds(&["skill", "pull", &exact, "--out", "tag.wasm", "--force"]).await?;
    ensure!(fs::read(shop.file("tag.wasm"))? == fs::read(&first)?, "it was not replaced");
    Ok(())
}

#[tokio::test]
async fn credentials_come_from_the_docker_configuration_and_are_not_told() -> Result<()> {
    let Some(registry) = Registry::start_with_password().await? else { return Ok(()) };
    let shop = Workshop::build()?;
    shop.packed("order-status").await?;
    let tagged = format!("oci://{}/acme/order-status:1.0.0", registry.address());
    let push = ["skill", "push", "order-status.wasm", &tagged];
    shop.refuses(&push, "without credentials").await?;

    let wrong = "not-the-password";
    registry.docker_config(shop.docker(), wrong)?;
    let told = shop.refuses(&push, "with the credentials").await?;
    ensure!(!told.contains(wrong), "{told}");

    registry.docker_config(shop.docker(), PASSWORD)?;
    shop.succeeds(&push).await?;
    shop.succeeds(&["skill", "pull", &tagged, "--out", "pulled.wasm"]).await?;

    // The same from a program that keeps them.
    shop.helper(r#"{"ServerURL":"","Username":"author","Secret":"registry-password"}"#)?;
    shop.succeeds(&["skill", "pull", &tagged, "--out", "helped.wasm"]).await?;
    shop.helper("no JSON, but registry-password")?;
    let pull = ["skill", "pull", &tagged, "--out", "not.wasm"];
    let told = shop.refuses(&pull, "does not answer as a credential helper").await?;
    ensure!(!told.contains(PASSWORD), "{told}");
    fs::write(shop.docker().join("config.json"), "{\"auths\": registry-password")?;
    let told = shop.refuses(&pull, "config.json: line 1 makes no sense").await?;
    ensure!(!told.contains(PASSWORD), "{told}");
    Ok(())
}

#[tokio::test]
async fn what_is_no_component_is_refused_by_name() -> Result<()> {
    let Some(registry) = Registry::start().await? else { return Ok(()) };
    let shop = Workshop::build()?;
    let packed = fs::read(shop.packed("order-status").await?)?;
    let repository = "acme/odd";
    let layer = registry.put_blob(repository, "application/wasm", &packed).await?;
    let text = registry.put_blob(repository, "application/wasm", b"hello").await?;
    let config =
        registry.put_blob(repository, "application/vnd.wasm.config.v0+json", b"{}").await?;
    let manifest = |config: &Value, layers: &[&Value]| {
        json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": config, "layers": layers })
    };
    let mut image = config.clone();
    image["mediaType"] = json!("application/vnd.oci.image.config.v1+json");
    let mut gzip = layer.clone();
    gzip["mediaType"] = json!("application/vnd.oci.image.layer.v1.tar+gzip");
    let mut longer = layer.clone();
    longer["size"] = json!(packed.len() + 1);
    let cases = [
        ("image", manifest(&image, &[&layer]), "its configuration is"),
        ("two", manifest(&config, &[&layer, &layer]), "it has 2 layers"),
        ("gzip", manifest(&config, &[&gzip]), "its layer is"),
        ("text", manifest(&config, &[&text]), "is not WebAssembly"),
        ("longer", manifest(&config, &[&longer]), "is truncated"),
    ];
    for (tag, manifest, reason) in cases {
        registry.put_manifest(repository, tag, &manifest).await?;
        let reference = format!("oci://{}/{repository}:{tag}", registry.address());
        shop.refuses(&["skill", "pull", &reference, "--out", "odd.wasm"], reason).await?;
    }
    let whole = manifest(&config, &[&layer]);
    registry.put_manifest(repository, "whole", &whole).await?;
    let mut listed = layer.clone();
    listed["mediaType"] = whole["mediaType"].clone();
    listed["digest"] = json!(Digest::of_bytes(whole.to_string().as_bytes()));
    listed["size"] = json!(whole.to_string().len());
    let index = json!({ "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [listed] });
    registry.put_manifest(repository, "index", &index).await?;
    let at = |name: &str| format!("oci://{}/{name}", registry.address());
    let shop = &shop;
    let pull = |reference: String| async move {
        let reason = if reference.contains("index") { "it is an index" } else { "is not there" };
        shop.refuses(&["skill", "pull", &reference, "--out", "odd.wasm"], reason).await
    };
    pull(at("acme/odd:index")).await?;
    pull(at("acme/odd:no-such-tag")).await?;
    pull(at("acme/no-such-skill:1")).await?;
    pull(at(&format!("acme/odd@{}", Digest::ZERO))).await?;
    shop.succeeds(&["skill", "pull", &at("acme/odd:whole"), "--out", "whole.wasm"]).await?;
    Ok(())
}

#[tokio::test]
async fn what_a_component_was_built_from_travels_with_it() -> Result<()> {
    let Some(registry) = Registry::start().await? else { return Ok(()) };
    let shop = Workshop::build()?;
    let packed = shop.packed("order-status").await?;
    let mut built = fs::read(&packed)?;
    built.extend(workshop::built_from(
        r#"{"packages":[{"name":"serde","version":"1.0.0","source":"crates.io"}]}"#,
    ));
    fs::write(&packed, built)?;
    let tagged = format!("oci://{}/acme/order-status:1.0.0", registry.address());
    let push = ["skill", "push", "order-status.wasm", &tagged];
    shop.succeeds(&push).await?;
    // A second push lists it no second time.
    let pushed = shop.succeeds(&push).await?;
    let exact = pushed.lines().last().context("nothing was told")?;
    let tag = exact.rsplit_once('@').context("no digest")?.1.replace(':', "-");
    let listed = registry.manifest("acme/order-status", &tag).await?;
    ensure!(listed["manifests"].as_array().is_some_and(|all| all.len() == 1), "{listed}");

    shop.succeeds(&["skill", "pull", &tagged, "--out", "pulled.wasm", "--sbom"]).await?;
    let bill: Value = serde_json::from_slice(&fs::read(shop.file("pulled.cdx.json"))?)?;
    ensure!(bill["bomFormat"] == "CycloneDX", "{bill}");
    ensure!(bill.to_string().contains("serde"), "{bill}");

    // Whoever may push can add rubbish: it hides nothing and stops nobody.
    let subject = json!({ "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": Digest::ZERO, "size": 1, "artifactType": "application/vnd.cyclonedx+json" });
    let mut rubbish = listed;
    rubbish["manifests"].as_array_mut().context("no list")?.insert(0, subject);
    // This registry refuses lists of what it does not have.
    if registry.put_manifest("acme/order-status", &tag, &rubbish).await.is_ok() {
        shop.succeeds(&["skill", "pull", &tagged, "--out", "still.wasm", "--sbom"]).await?;
        ensure!(shop.file("still.cdx.json").exists(), "rubbish hid it");
    }
    Ok(())
}
