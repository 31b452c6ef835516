//! Skills as one file: packed, checked and signed by their author, and taken by an operator
//! who trusts the author's key and nobody else.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context as _, Result, ensure};
use postern_test_support::{host::DataFolder, notice};
use serde_json::Value;

use crate::setup::{Untouched, json_lines, outcome, skill, text_at};

/// An author with a key, and an operator's data folder.
struct Trade {
    data: DataFolder,
    desk: tempfile::TempDir,
}

impl Trade {
    async fn start() -> Result<Self> {
        let data = DataFolder::temporary().await?;
        let trade = Self { data, desk: tempfile::tempdir()? };
        trade.done(&["trust", "keygen", &trade.file("author"), "--no-password"]).await?;
        Ok(trade)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.desk.path().join(name)
    }

    fn file(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// A command that must be done; what it says to machines.
    async fn done(&self, arguments: &[&str]) -> Result<Value> {
        let (code, out, complaint) =
            outcome(&self.data, &[arguments, &["--json"]].concat()).await?;
        ensure!(code == Some(0), "postern {}: {code:?} {complaint}", arguments.join(" "));
        json_lines(&out)?.into_iter().next().context("nothing was said")
    }

    /// A command that must be refused with these words and change nothing.
    async fn refused(&self, arguments: &[&str], words: &[&str]) -> Result<()> {
        let before = Untouched::now(&self.data).await?;
        let (code, _, complaint) = outcome(&self.data, arguments).await?;
        ensure!(code == Some(1), "postern {}: {code:?} {complaint}", arguments.join(" "));
        for word in words {
            ensure!(complaint.contains(word), "{word:?} is not in {complaint:?}");
        }
        before.must_hold(&self.data, &arguments.join(" ")).await
    }

    /// The order-status skill, packed into `orders.wasm`; answers its digest.
    async fn pack(&self) -> Result<String> {
        let files = skill("order-status")?;
        let component = files.component.display().to_string();
        let manifest = files.manifest.display().to_string();
        let out = self.file("orders.wasm");
        let packed =
            self.done(&["skill", "pack", &component, "--manifest", &manifest, "-o", &out]).await?;
        Ok(text_at(&packed, "/digest").to_owned())
    }

    async fn sign(&self) -> Result<Value> {
        self.done(&["skill", "sign", &self.file("orders.wasm"), "--key", &self.file("author.key")])
            .await
    }

    /// A change of the packed file, of whatever its manifest says, without its digest.
    fn tamper(&self, find: &str, put: &str) -> Result<()> {
        ensure!(find.len() == put.len());
        let mut bytes = fs::read(self.path("orders.wasm"))?;
        let at = bytes.windows(find.len()).position(|part| part == find.as_bytes());
        let at = at.with_context(|| format!("{find:?} is not in the file"))?;
        bytes[at..at + put.len()].copy_from_slice(put.as_bytes());
        Ok(fs::write(self.path("orders.wasm"), bytes)?)
    }
}

#[tokio::test]
async fn a_signed_skill_is_taken_from_whom_the_operator_trusts() -> Result<()> {
    let trade = Trade::start().await?;
    let orders = trade.file("orders.wasm");
    let digest = trade.pack().await?;
    let packed = fs::read(trade.path("orders.wasm"))?;
    ensure!(trade.pack().await? == digest, "the same parts made another file");
    // Packed again, it is what it was.
    trade.done(&["skill", "pack", &orders, "-o", &trade.file("again.wasm")]).await?;
    ensure!(fs::read(trade.path("again.wasm"))? == packed);
    ensure!(text_at(&trade.sign().await?, "/digest") == digest);

    let install = ["skill", "install", &orders, "--grant", "requested"];
    let public = trade.file("author.pub");
    trade.refused(&["skill", "verify", &orders], &["which you do not trust", "trust add"]).await?;
    trade.refused(&install, &["which you do not trust", "postern trust add 'Postern'"]).await?;
    trade.done(&["skill", "verify", &orders, "--key", &public]).await?;

    let added = trade.done(&["trust", "add", "Postern", &public]).await?;
    let key = text_at(&added, "/on").to_owned();
    let verified = trade.done(&["skill", "verify", &orders]).await?;
    ensure!(text_at(&verified, "/signed_by/key") == key);
    trade.done(&install).await?;
    let listed = trade.done(&["skill", "list"]).await?;
    ensure!(text_at(&listed, "/digest") == digest, "{listed}");
    ensure!(text_at(&listed, "/signed_by/key") == key, "{listed}");

    let trust = trade.done(&["trust", "list"]).await?;
    ensure!(text_at(&trust, "/keys/0/publisher") == "Postern", "{trust}");
    let audit = trade.data.postern(["audit", "tail", "--json"]).await?;
    ensure!(audit.contains("trust:add") && audit.contains(&key), "{audit}");
    Ok(())
}

#[tokio::test]
async fn what_was_changed_moved_or_revoked_is_refused_by_name() -> Result<()> {
    let trade = Trade::start().await?;
    let orders = trade.file("orders.wasm");
    let digest = trade.pack().await?;
    trade.sign().await?;
    let public = trade.file("author.pub");
    let added = trade.done(&["trust", "add", "Postern", &public]).await?;
    let key = text_at(&added, "/on").to_owned();
    let install = ["skill", "install", &orders, "--grant", "requested"];

    trade.tamper("\"publisher\":\"Postern\"", "\"publisher\":\"Pastern\"")?;
    trade.refused(&install, &["was changed, or the signature is another one's"]).await?;
    trade.tamper("\"publisher\":\"Pastern\"", "\"publisher\":\"Postern\"")?;
    trade.tamper("\"version\":\"0.1.0\"", "\"version\":\"0.2.0\"")?;
    trade
        .refused(&install, &["order-status@0.2.0", "says \"postern skill order-status 0.1.0\""])
        .await?;
    trade.tamper("\"version\":\"0.2.0\"", "\"version\":\"0.1.0\"")?;

    // A key of somebody else is no key of this publisher.
    trade.done(&["trust", "remove", &key]).await?;
    trade.done(&["trust", "add", "Bank", &public]).await?;
    trade.refused(&install, &["publisher is 'Postern'", "signed with key", "of 'Bank'"]).await?;
    trade.done(&["trust", "remove", &key]).await?;
    trade.done(&["trust", "add", "Postern", &public]).await?;

    trade.done(&["trust", "revoke", &digest, "--reason", "asks twice"]).await?;
    trade.refused(&install, &["must not run", "asks twice"]).await?;
    let unsigned = [&install[..], &["--allow-unsigned"]].concat();
    trade.refused(&unsigned, &["must not run", "asks twice"]).await?;
    trade.done(&["trust", "unrevoke", &digest, "--reason", "wrong one"]).await?;
    trade.done(&["skill", "verify", &orders]).await?;
    trade.done(&["trust", "revoke", &key]).await?;
    trade.refused(&install, &["signed with a revoked key"]).await?;
    trade.refused(&["trust", "add", "Postern", &public], &["was revoked", "unrevoke"]).await?;

    let path = trade.data.path().join("trust.toml");
    let whole = fs::read_to_string(&path)?;
    fs::write(&path, &whole[..whole.len() / 2])?;
    trade.refused(&install, &["trust.toml", "nobody is trusted until it is mended"]).await
}

#[tokio::test]
async fn minisign_and_postern_take_each_others_signatures() -> Result<()> {
    if Command::new("minisign").arg("-v").output().is_err() {
        notice::skip("the comparison with minisign", "install Debian's package minisign");
        return Ok(());
    }
    let trade = Trade::start().await?;
    let minisign = |arguments: &[&str]| -> Result<bool> {
        let mut minisign = Command::new("minisign");
        minisign.args(arguments).current_dir(trade.desk.path());
        Ok(minisign.output()?.status.success())
    };
    trade.pack().await?;
    let (orders, text) = (trade.file("orders.wasm"), trade.file("text"));
    let sign = ["skill", "sign", &orders, "--statement-out", &text];
    let key = trade.file("author.key");
    let with_key = ["--key", &key];
    let ours = [&sign[..], &with_key].concat();
    trade.done(&ours).await?;
    let check = ["-V", "-m", "text", "-x", "orders.wasm.minisig", "-p", "author.pub"];
    ensure!(minisign(&check)?, "minisign refuses what postern signed");

    // It signs with our key, and we with its.
    ensure!(minisign(&["-S", "-m", "text", "-s", "author.key", "-x", "orders.wasm.minisig"])?);
    let verify = ["skill", "verify", &orders, "--key"];
    trade.done(&[&verify[..], &[&trade.file("author.pub")]].concat()).await?;
    ensure!(minisign(&["-G", "-W", "-p", "its.pub", "-s", "its.key"])?);
    trade.done(&[&sign[..], &["--key", &trade.file("its.key")]].concat()).await?;
    trade.done(&[&verify[..], &[&trade.file("its.pub")]].concat()).await?;
    ensure!(minisign(&["-V", "-m", "text", "-x", "orders.wasm.minisig", "-p", "its.pub"])?);

    fs::write(trade.path("text"), fs::read_to_string(trade.path("text"))? + "\n")?;
    ensure!(!minisign(&["-V", "-m", "text", "-x", "orders.wasm.minisig", "-p", "its.pub"])?);
    Ok(())
}

#[tokio::test]
async fn a_check_tells_what_operators_and_customers_would_stumble_over() -> Result<()> {
    let trade = Trade::start().await?;
    let files = skill("order-status")?;
    let component = files.component.display().to_string();
    let manifest = trade.file("skill.toml");
    let good = fs::read_to_string(&files.manifest)?;
    let check = ["skill", "check", &component, "--manifest", &manifest, "--json"];
    let findings = async |text: &str| -> Result<(Option<i32>, String)> {
        fs::write(&manifest, text)?;
        let (code, out, _) = outcome(&trade.data, &check).await?;
        Ok((code, out))
    };

    let (code, said) = findings(&good).await?;
    ensure!(code == Some(0), "{said}");
    // Its lists fit records alone.
    let lines = good.lines().filter(|it| !it.starts_with("reads") && !it.starts_with("writes"));
    let unbounded = lines.collect::<Vec<_>>().join("\n");
    let (code, said) =
        findings(&unbounded.replace("interface = \"records\"", "interface = \"kv\"")).await?;
    ensure!(code == Some(1), "{said}");
    ensure!(said.contains("the component imports postern:records"), "{said}");
    ensure!(said.contains("kv is requested, but the component does not import it"), "{said}");
    let (code, said) = findings(&good.replace("publisher = ", "colour = ")).await?;
    ensure!(code == Some(1) && said.contains("unknown field"), "{said}");

    // Warnings alone are no failure, unless somebody wants that.
    let (code, said) = findings(&format!("{good}\n[limits]\nmemory_mib = 4096\n")).await?;
    let report: Value = serde_json::from_str(&said)?;
    ensure!(code == Some(0) && report["errors"] == 0, "{said}");
    ensure!(said.contains("limits.memory_mib"), "{said}");
    let strict = [&check[..], &["--deny-warnings"]].concat();
    let (code, ..) = outcome(&trade.data, &strict).await?;
    ensure!(code == Some(1));
    Ok(())
}
