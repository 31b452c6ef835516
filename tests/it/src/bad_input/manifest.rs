//! Components and their manifests.

use std::fs;

use anyhow::{Context as _, Result, ensure};

use super::refused;
use crate::setup::{Town, Untouched, outcome, skill};

/// A text of order-status's manifest, what stands there instead, and what must
/// be said.
struct Case(&'static str, &'static str, &'static [&'static str]);

const CASES: [Case; 16] = [
    Case("[skill]", "[skill", &["line 1"]),
    Case("[skill]\n", "[skill]\ncolour = \"red\"\n", &["line 2", "colour"]),
    Case("version = \"0.1.0\"\n", "", &["line", "version"]),
    Case("version = \"0.1.0\"", "version = \"one\"", &["line"]),
    Case("id = \"order-status\"", "id = \"Order Status\"", &["line", "Order Status"]),
    Case(
        "id = \"order-status\"",
        "id = \"other-status\"",
        &["intent", "order_status", "already served by skill order-status"],
    ),
    Case("interface = \"records\"", "interface = \"sockets\"", &["line", "sockets"]),
    Case("interface = \"log\"", "interface = \"records\"", &["capabilities[", "twice"]),
    Case("interface = \"records\"", "interface = \"log\"", &["capabilities[", "no sense for log"]),
    Case(
        "name = \"order_status\"\n",
        "name = \"Order Status\"\n",
        &["tools[0].name", "lower-case"],
    ),
    Case(
        "tool = \"order_status\"",
        "tool = \"no_such_tool\"",
        &["intents[0].tool", "no tool \"no_such_tool\""],
    ),
    Case(
        "required = [\"order_id\"]\nexamples",
        "required = [\"shoe_size\"]\nexamples",
        &["intents[0].required", "no entity \"shoe_size\""],
    ),
    Case("publisher = \"", "publisher = \"\" # \"", &["skill.publisher", "must not be empty"]),
    Case("type = \"object\"", "type = \"array\"", &["tools[0].arguments.type"]),
    Case("pattern = '", "pattern = '(", &["entit", "order_id"]),
    Case("read_only = true", "read_only = \"yes\"", &["line"]),
];

#[tokio::test]
async fn what_is_wrong_in_a_manifest_is_named_and_nothing_is_installed() -> Result<()> {
    let town = Town::build(&["crm-lookup", "order-status"]).await?;
    let files = skill("order-status")?;
    let fine = fs::read_to_string(&files.manifest)?;
    let component = files.component.display().to_string();
    let manifest = town.data.path().join("changed-skill.toml");
    let name = manifest.display().to_string();
    let install = ["skill", "install", &component, "--manifest", &name, "--allow-unsigned"];
    for Case(find, put, reasons) in CASES {
        ensure!(fine.contains(find), "{find:?} is not in the manifest");
        fs::write(&manifest, fine.replacen(find, put, 1))?;
        let before = Untouched::now(&town.data).await?;
        refused(&town.data, &before, &install, reasons)
            .await
            .with_context(|| format!("{put:?}"))?;
    }

    let few = fine.find("examples = [").context("no examples")?;
    let end = few + fine[few..].find(']').context("no end of examples")?;
    let few = format!("{}examples = [\"one\", \"two\"{}", &fine[..few], &fine[end..]);
    let huge = format!("{fine}\n# {}\n", "x".repeat(300 * 1024));
    for (text, reason) in
        [(few, "intents[0].examples: 2 examples"), (huge, "more than 262144 bytes")]
    {
        fs::write(&manifest, text)?;
        let before = Untouched::now(&town.data).await?;
        refused(&town.data, &before, &install, &["changed-skill.toml", reason]).await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_is_no_component_is_not_installed() -> Result<()> {
    let town = Town::build(&["crm-lookup"]).await?;
    let files = skill("order-status")?;
    let manifest = files.manifest.display().to_string();
    let whole = fs::read(&files.component)?;
    let cut = whole.get(..whole.len() / 2).context("an empty component")?.to_vec();
    let module = b"\0asm\x01\0\0\0".to_vec();
    for (bytes, reason) in [
        (b"not wasm at all".to_vec(), "not a WebAssembly component"),
        (module, "a core WebAssembly module"),
        (cut, "changed.wasm"),
        (Vec::new(), "not a WebAssembly component"),
    ] {
        let component = town.data.path().join("changed.wasm");
        fs::write(&component, bytes)?;
        let before = Untouched::now(&town.data).await?;
        let component = component.display().to_string();
        let install = ["skill", "install", &component, "--manifest", &manifest, "--allow-unsigned"];
        refused(&town.data, &before, &install, &["changed.wasm", reason]).await?;
    }

    let before = Untouched::now(&town.data).await?;
    let component = files.component.display().to_string();
    let missing = ["skill", "install", "no-such.wasm", "--manifest", &manifest];
    refused(&town.data, &before, &missing, &["no-such.wasm"]).await?;
    let missing = ["skill", "install", &component, "--manifest", "no-such.toml"];
    refused(&town.data, &before, &missing, &["no-such.toml"]).await?;
    // Nobody signed it, and then nobody granted anything.
    let unsigned = ["skill", "install", &component, "--manifest", &manifest];
    refused(&town.data, &before, &unsigned, &["is not signed", "--allow-unsigned"]).await?;
    let ungranted = ["skill", "install", &component, "--manifest", &manifest, "--allow-unsigned"];
    let (code, review, complaint) = outcome(&town.data, &ungranted).await?;
    let asks = ["nothing was installed", "--grant log,records"];
    ensure!(code == Some(1) && asks.iter().all(|part| complaint.contains(part)), "{complaint}");
    ensure!(review.contains("order-status"), "no review: {review}");
    before.must_hold(&town.data, "an install without a grant").await
}
