//! What an operator does with skills: review, grant, upgrade, pin, disable, go back, tidy up;
//! and what is refused, with nothing left behind.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::setup::{Town, Untouched, json_lines, outcome, skill, text_at};

/// A version of a skill in a folder of its own.
struct Version {
    folder: tempfile::TempDir,
    component: String,
}

impl Version {
    /// The order-status skill with changes of its manifest.
    fn of(changes: &[(&str, &str)]) -> Result<Self> {
        let files = skill("order-status")?;
        let mut manifest = fs::read_to_string(&files.manifest)?;
        for (find, put) in changes {
            ensure!(manifest.contains(find), "{find:?} is not in the manifest");
            manifest = manifest.replacen(find, put, 1);
        }
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("skill.toml"), manifest)?;
        Ok(Self { folder, component: files.component.display().to_string() })
    }

    fn manifest(&self) -> String {
        self.folder.path().join("skill.toml").display().to_string()
    }

    /// How a command ends that takes it, with what it says to people.
    async fn take(&self, town: &Town, more: &[&str]) -> Result<(Option<i32>, String, String)> {
        let manifest = self.manifest();
        let first = [more[0], more[1], &self.component, "--manifest", &manifest];
        let rest = more[2..].iter().copied();
        let arguments: Vec<&str> = first.into_iter().chain(rest).collect();
        outcome(&town.data, &arguments).await
    }
}

const FIRST: &str = "version = \"0.1.0\"";

async fn done(town: &Town, arguments: &[&str]) -> Result<Vec<Value>> {
    let (code, out, complaint) = outcome(&town.data, &[arguments, &["--json"]].concat()).await?;
    ensure!(code == Some(0), "postern {}: {code:?} {complaint}", arguments.join(" "));
    json_lines(&out)
}

/// A command that must be refused with these words, and change nothing.
async fn refused(town: &Town, version: &Version, more: &[&str], words: &[&str]) -> Result<()> {
    let before = Untouched::now(&town.data).await?;
    let (code, _, complaint) = version.take(town, more).await?;
    ensure!(code == Some(1), "{more:?}: {code:?} {complaint}");
    for word in words {
        ensure!(complaint.contains(word), "{word:?} is not in {complaint:?}");
    }
    before.must_hold(&town.data, &more.join(" ")).await
}

#[tokio::test]
async fn a_review_says_what_a_skill_is_wants_and_may_and_nothing_is_installed_by_itself()
-> Result<()> {
    let town = Town::build(&["crm-lookup"]).await?;
    let version = Version::of(&[])?;
    let before = Untouched::now(&town.data).await?;
    let install = ["skill", "install", "--allow-unsigned"];
    let (code, out, complaint) = version.take(&town, &install).await?;
    ensure!(code == Some(1) && complaint.contains("nothing was installed"), "{complaint}");
    for words in [
        "order-status 0.1.0 by Postern",
        "signed by:  NOBODY whom you trust",
        "sha256:",
        "reads records of: orders",
        "read the customer's orders: permitted (",
        "write a log line: permitted (log-own)",
    ] {
        ensure!(out.contains(words), "{words:?} is not in {out}");
    }
    before.must_hold(&town.data, "a review").await?;
    refused(&town, &version, &["skill", "install"], &["is not signed", "--allow-unsigned"]).await?;
    let wrong = ["skill", "install", "--allow-unsigned", "--sha256", &"0".repeat(64)];
    refused(&town, &version, &wrong, &["not sha256:0000"]).await
}

#[tokio::test]
async fn an_upgrade_shows_the_difference_and_only_wider_wishes_need_a_grant() -> Result<()> {
    let town = Town::build(&["crm-lookup"]).await?;
    let upgrade = ["skill", "upgrade", "--allow-unsigned"];
    let missing = ["is not installed"];
    refused(&town, &Version::of(&[])?, &upgrade, &missing).await?;
    town.data.install(&skill("order-status")?).await?;

    // The same wishes: granted to the new digest by the same act.
    let second = Version::of(&[(FIRST, "version = \"0.2.0\"")])?;
    let (code, out, complaint) = second.take(&town, &upgrade).await?;
    ensure!(code == Some(0), "{complaint}");
    for words in
        ["Installed is 0.1.0; this is 0.2.0", "asks for no more than it had", "0.1.0 → 0.2.0"]
    {
        ensure!(out.contains(words), "{words:?} is not in {out}");
    }
    let listed = done(&town, &["skill", "list"]).await?;
    let grants = &listed[1]["grants"];
    ensure!(*grants == json!(["log", "records"]), "{grants}");

    // Wider ones are not.
    let wider = Version::of(&[
        (FIRST, "version = \"0.3.0\""),
        (
            "[[capabilities]]",
            "[[capabilities]]\ninterface = \"kv\"\nreason = \"Remembers.\"\n\n[[capabilities]]",
        ),
    ])?;
    refused(&town, &wider, &upgrade, &["nothing was installed", "--grant"]).await?;
    let (_, out, _) = wider.take(&town, &upgrade).await?;
    ensure!(out.contains("WIDER    kv: keeps values"), "{out}");
    ensure!(out.contains("It needs your grant again."), "{out}");
    let granted = ["skill", "upgrade", "--allow-unsigned", "--grant", "log,records"];
    let (code, _, complaint) = wider.take(&town, &granted).await?;
    ensure!(code == Some(0), "{complaint}");

    // Old versions can bring back old weaknesses; a version is one thing only.
    let older = ["older than 0.3.0", "--allow-older", "rollback"];
    refused(&town, &second, &upgrade, &older).await?;
    let other = Version::of(&[
        (FIRST, "version = \"0.3.0\""),
        ("description = \"", "description = \"Now: "),
    ])?;
    refused(&town, &other, &upgrade, &["a version must not change what it is"]).await?;
    // Also when it was removed.
    done(&town, &["skill", "remove", "order-status"]).await?;
    let install = ["skill", "install", "--allow-unsigned", "--grant", "requested"];
    refused(&town, &second, &install, &older).await?;
    let asked = [&install[..], &["--allow-older"]].concat();
    let (code, _, complaint) = second.take(&town, &asked).await?;
    ensure!(code == Some(0), "{complaint}");
    Ok(())
}

#[tokio::test]
async fn pinned_skills_stay_and_disabled_ones_stay_installed() -> Result<()> {
    let town = Town::build(&["order-status"]).await?;
    let second = Version::of(&[(FIRST, "version = \"0.2.0\"")])?;
    done(&town, &["skill", "pin", "order-status"]).await?;
    let upgrade = ["skill", "upgrade", "--allow-unsigned"];
    refused(&town, &second, &upgrade, &["pinned", "skill unpin order-status"]).await?;
    let (code, _, complaint) = outcome(&town.data, &["skill", "remove", "order-status"]).await?;
    ensure!(code == Some(1) && complaint.contains("pinned"), "{complaint}");
    done(&town, &["skill", "disable", "order-status"]).await?;
    let listed = done(&town, &["skill", "list"]).await?;
    ensure!(listed[0]["state"] == json!(["disabled", "pinned"]), "{}", listed[0]);
    let again = outcome(&town.data, &["skill", "disable", "order-status"]).await?;
    ensure!(again.0 == Some(1) && again.2.contains("disabled already"), "{}", again.2);
    done(&town, &["skill", "enable", "order-status"]).await?;
    done(&town, &["skill", "unpin", "order-status"]).await?;
    let listed = done(&town, &["skill", "list"]).await?;
    ensure!(listed[0]["state"] == json!(["active"]), "{}", listed[0]);
    Ok(())
}

#[tokio::test]
async fn rollback_goes_back_further_each_time_and_history_tells_who_did_what() -> Result<()> {
    let town = Town::build(&["order-status"]).await?;
    let upgrade = ["skill", "upgrade", "--allow-unsigned"];
    for version in ["0.2.0", "0.3.0"] {
        let version = Version::of(&[(FIRST, &format!("version = \"{version}\""))])?;
        let (code, _, complaint) = version.take(&town, &upgrade).await?;
        ensure!(code == Some(0), "{complaint}");
    }
    let version = async || -> Result<String> {
        let listed = done(&town, &["skill", "list"]).await?;
        Ok(text_at(listed.first().context("nothing")?, "/manifest/skill/version").to_owned())
    };
    ensure!(version().await? == "0.3.0");
    done(&town, &["skill", "rollback"]).await?;
    ensure!(version().await? == "0.2.0");
    done(&town, &["skill", "rollback"]).await?;
    ensure!(version().await? == "0.1.0");
    done(&town, &["skill", "rollback", "3"]).await?;
    ensure!(version().await? == "0.3.0");
    let history = done(&town, &["skill", "history"]).await?;
    let told: Vec<_> = history.iter().map(|line| text_at(line, "/made/what")).collect();
    let want = [
        "installed order-status@0.1.0 with log, records",
        "upgraded order-status 0.1.0 → 0.2.0 with log, records",
        "upgraded order-status 0.2.0 → 0.3.0 with log, records",
        "rollback to generation 2",
        "rollback to generation 1",
        "rollback to generation 3",
    ];
    ensure!(told == want, "{told:?}");
    ensure!(history.iter().all(|line| text_at(line, "/made/by") == "operator:cli"), "{history:?}");
    ensure!(history.iter().filter(|line| line["active"] == true).count() == 1, "{history:?}");
    let none = outcome(&town.data, &["skill", "rollback", "99"]).await?;
    ensure!(none.0 == Some(1) && none.2.contains("generation 99 is not kept"), "{}", none.2);

    // Each is in the audit log.
    let rows = done(&town, &["audit", "tail"]).await?;
    let acts = rows.iter().filter(|row| text_at(row, "/entry/action") == "skill:rollback");
    ensure!(acts.count() == 3, "{rows:?}");

    // What is damaged is not gone back to, and the last one stays.
    let damaged = text_at(&history[0], "/skills/0").to_owned();
    ensure!(damaged == "order-status@0.1.0", "{damaged}");
    let first = generation(&town, 1)?;
    let digest = text_at(&first, "/generation/skills/order-status/digest").replace("sha256:", "");
    fs::write(town.data.path().join(format!("skills/blobs/{digest}.wasm")), "changed")?;
    let (code, _, complaint) = outcome(&town.data, &["skill", "rollback", "1"]).await?;
    ensure!(code == Some(1) && complaint.contains("is damaged"), "{complaint}");
    ensure!(version().await? == "0.3.0");
    Ok(())
}

fn generation(town: &Town, number: u64) -> Result<Value> {
    let path = town.data.path().join(format!("skills/generations/{number}.json"));
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

#[tokio::test]
async fn gc_keeps_what_can_still_be_needed() -> Result<()> {
    let town = Town::build(&["order-status"]).await?;
    for number in 2..=6 {
        let version = format!("version = \"0.{number}.0\"");
        let version = Version::of(&[(FIRST, &version)])?;
        let (code, _, complaint) =
            version.take(&town, &["skill", "upgrade", "--allow-unsigned"]).await?;
        ensure!(code == Some(0), "{complaint}");
    }
    let files = |part: &str| count(&town.data.path().join("skills").join(part));
    ensure!((files("generations")?, files("blobs")?, files("compiled")?) == (6, 6, 6));
    let before = Untouched::now(&town.data).await?;
    let would = done(&town, &["skill", "gc", "--keep", "1", "--dry-run"]).await?;
    before.must_hold(&town.data, "a dry run").await?;
    let did = done(&town, &["skill", "gc", "--keep", "1"]).await?;
    ensure!(would[0]["collected"] == did[0]["collected"], "{would:?} {did:?}");
    // The active one and the one before it, so that there is a way back.
    ensure!(did[0]["collected"]["kept"] == json!([5, 6]), "{did:?}");
    ensure!((files("generations")?, files("blobs")?, files("compiled")?) == (2, 2, 2));
    done(&town, &["skill", "rollback"]).await?;
    // A number that was taken is never given again.
    let history = done(&town, &["skill", "history"]).await?;
    let numbers: Vec<_> = history.iter().map(|line| line["generation"].clone()).collect();
    ensure!(numbers == [5, 6, 7], "{numbers:?}");
    Ok(())
}

fn count(folder: &Path) -> Result<usize> {
    Ok(fs::read_dir(folder)?.count())
}

#[tokio::test]
async fn who_signed_it_decides_and_what_was_revoked_does_not_come_back() -> Result<()> {
    let town = Town::build(&["crm-lookup"]).await?;
    let keys = tempfile::tempdir()?;
    let path = |name: &str| keys.path().join(name).display().to_string();
    for name in ["ours", "theirs"] {
        done(&town, &["trust", "keygen", &path(name), "--no-password"]).await?;
    }
    // Packs and signs a version, and answers what installs it.
    let signed = async |version: &str, key: &str| -> Result<String> {
        let source = Version::of(&[(FIRST, &format!("version = \"{version}\""))])?;
        let file = path(&format!("{version}-{key}.wasm"));
        let manifest = source.manifest();
        let pack = ["skill", "pack", &source.component, "--manifest", &manifest, "--out", &file];
        done(&town, &pack).await?;
        done(&town, &["skill", "sign", &file, "--key", &path(&format!("{key}.key"))]).await?;
        Ok(file)
    };
    let first = signed("0.1.0", "ours").await?;
    let install =
        |file: &str| ["skill", "install", file, "--grant", "requested"].map(str::to_owned).to_vec();
    let refused = async |arguments: Vec<String>, words: &str| -> Result<()> {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let before = Untouched::now(&town.data).await?;
        let (code, _, complaint) = outcome(&town.data, &arguments).await?;
        ensure!(code == Some(1) && complaint.contains(words), "{code:?} {complaint}");
        before.must_hold(&town.data, words).await
    };
    refused(install(&first), "postern trust add").await?;
    done(&town, &["trust", "add", "Postern", &path("ours.pub")]).await?;
    let (code, out, complaint) = outcome(&town.data, &["skill", "install", &first]).await?;
    ensure!(code == Some(1) && out.contains("of Postern, which you trust"), "{out} {complaint}");
    done(&town, &["skill", "install", &first, "--grant", "requested"]).await?;
    let listed = done(&town, &["skill", "list"]).await?;
    ensure!(text_at(&listed[1], "/signed_by/publisher") == "Postern", "{}", listed[1]);

    // One byte less, and another file's signature.
    let second = signed("0.2.0", "ours").await?;
    let bytes = fs::read(&second)?;
    let tampered = path("tampered.wasm");
    fs::write(&tampered, &bytes[..bytes.len() - 1])?;
    fs::copy(format!("{second}.minisig"), format!("{tampered}.minisig"))?;
    refused(install(&tampered), "tampered.wasm").await?;
    fs::copy(format!("{first}.minisig"), format!("{tampered}.minisig"))?;
    fs::write(&tampered, &bytes)?;
    refused(install(&tampered), "the signature is not one of order-status@0.2.0").await?;

    // Another key of the same publisher needs a grant again; the same key does not.
    let (code, _, complaint) = outcome(&town.data, &["skill", "upgrade", &second]).await?;
    ensure!(code == Some(0), "{complaint}");
    done(&town, &["trust", "add", "Postern", &path("theirs.pub")]).await?;
    let third = signed("0.3.0", "theirs").await?;
    let (code, out, _) = outcome(&town.data, &["skill", "upgrade", &third]).await?;
    ensure!(code == Some(1) && out.contains("SIGNER"), "{code:?} {out}");
    done(&town, &["skill", "upgrade", &third, "--grant", "requested"]).await?;

    // What is revoked is not gone back to, and not installed, whatever is allowed.
    let listed = generation(&town, 3)?;
    let digest = text_at(&listed, "/generation/skills/order-status/digest").to_owned();
    done(&town, &["trust", "revoke", &digest, "--reason", "leaks"]).await?;
    let back = ["skill", "rollback"].map(str::to_owned).to_vec();
    refused(back, "order-status 0.2.0 must not run").await?;
    let more = ["--allow-unsigned", "--allow-older"].map(str::to_owned);
    let again = install(&second).into_iter().chain(more).collect();
    refused(again, "leaks").await?;
    // Further back is what nobody revoked.
    done(&town, &["skill", "rollback", "2"]).await?;
    Ok(())
}
