//! What a server says counts for nothing.

use std::fs;

use anyhow::{Result, ensure};
use postern_domain::Digest;
use postern_test_support::registry::{Lie, Lying};

use super::workshop::Workshop;
use crate::setup::{Town, Untouched, outcome};

/// How a lie is told to be one: over the web, and by a registry.
const LIES: [(Lie, Option<&str>, Option<&str>); 14] = [
    (Lie::Tampered, Some("is not what was expected"), Some("is not what was expected")),
    (Lie::DigestHeader, None, Some("is not what was expected")),
    (Lie::Manifest, None, Some("is not what was expected")),
    (Lie::DeclaredHuge, Some("is too big"), Some("is too big")),
    (Lie::DescribedHuge, None, Some("is too big")),
    (Lie::Endless, Some("is too big"), Some("is too big")),
    (Lie::Truncated, Some("is truncated"), Some("is truncated")),
    (Lie::Short, Some("is not what was expected"), Some("is truncated")),
    (
        Lie::Elsewhere,
        Some("sends us on to http://elsewhere.example"),
        Some("sends us on to http://elsewhere.example"),
    ),
    (Lie::Circle, Some("again and again"), Some("again and again")),
    (Lie::Page, Some("is not WebAssembly"), Some("is not WebAssembly")),
    (Lie::Realm, Some("is not for everybody"), Some("wants credentials sent to where")),
    (Lie::Broken, Some("the server answers 502 (UNKNOWN)"), Some("answers 502 (UNKNOWN)")),
    (Lie::Stalls, Some("did not come within 1 s"), Some("did not come within 1 s")),
];

#[tokio::test]
async fn lies_are_refused_by_name_and_leave_no_file() -> Result<()> {
    let shop = Workshop::build()?;
    let component = fs::read(shop.packed("order-status").await?)?;
    for (lie, web, registry) in LIES {
        let server = Lying::start(component.clone(), lie).await?;
        let (digest, url) = (server.digest().to_string(), server.url());
        if let Some(reason) = web {
            let pull =
                ["skill", "pull", &url, "--sha256", &digest, "-o", "x.wasm", "--timeout", "1"];
            shop.refuses(&pull[..if lie == Lie::Stalls { 9 } else { 7 }], reason).await?;
        }
        if let Some(reason) = registry {
            for reference in [server.reference(), server.exact()] {
                let pull = ["skill", "pull", &reference, "-o", "x.wasm", "--timeout", "1"];
                let pull = &pull[..if lie == Lie::Stalls { 7 } else { 5 }];
                shop.refuses(pull, reason).await?;
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn lies_change_nothing_in_a_data_folder() -> Result<()> {
    let shop = Workshop::build()?;
    let component = fs::read(shop.packed("order-status").await?)?;
    let town = Town::build(&[]).await?;
    let before = Untouched::now(&town.data).await?;
    for (lie, web, registry) in LIES.into_iter().filter(|(lie, ..)| *lie != Lie::Stalls) {
        let server = Lying::start(component.clone(), lie).await?;
        let digest = server.digest().to_string();
        let sources = [(server.url(), web), (server.reference(), registry)];
        for (source, reason) in sources {
            let Some(reason) = reason else { continue };
            let mut install = vec!["skill", "install", &source, "--allow-unsigned"];
            install.extend(["--grant", "requested"]);
            if source.starts_with("http") {
                install.extend(["--sha256", &digest]);
            }
            let (code, _, told) = outcome(&town.data, &install).await?;
            ensure!(code == Some(1) && told.contains(reason), "{lie:?} of {source}: {told}");
            before.must_hold(&town.data, &format!("{lie:?} of {source}")).await?;
        }
    }
    // The same server without a lie is believed, because the digest is right.
    let server = Lying::start(component, Lie::None).await?;
    let (url, digest) = (server.url(), server.digest().to_string());
    let install = ["skill", "install", &url, "--allow-unsigned", "--grant", "requested"];
    town.data.postern(install.into_iter().chain(["--sha256", &digest])).await?;
    Ok(())
}

#[tokio::test]
async fn a_web_address_needs_the_digest_and_tls() -> Result<()> {
    let shop = Workshop::build()?;
    let component = fs::read(shop.packed("order-status").await?)?;
    let server = Lying::start(component, Lie::None).await?;
    let (url, digest) = (server.url(), server.digest().to_string());
    shop.refuses(&["skill", "pull", &url, "-o", "x.wasm"], "with --sha256 DIGEST").await?;
    let other = Digest::ZERO.to_string();
    let pull = ["skill", "pull", &url, "-o", "x.wasm", "--sha256", &other];
    shop.refuses(&pull, "is not what was expected").await?;
    // Tools print digests without their prefix, too.
    let bare = digest.trim_start_matches("sha256:").to_owned();
    shop.succeeds(&["skill", "pull", &url, "--sha256", &bare]).await?;
    ensure!(shop.file("skill.wasm").is_file(), "it is not named as at its source");

    drop(server);
    let pull = ["skill", "pull", &url, "-o", "x.wasm", "--sha256", &digest];
    shop.refuses(&pull, "no connection to http://127.0.0.1").await?;
    Ok(())
}
