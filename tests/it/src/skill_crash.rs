//! Commands that change skills, killed at every place: the last generation serves, the
//! command can be run again, and what is left over goes with `skill gc`.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use postern::fault::SKILL_POINTS;
use postern_domain::Digest;
use postern_test_support::host::run_faulty;
use serde_json::Value;

use crate::setup::{Town, outcome, skill};

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Install,
    Upgrade,
    TryOut,
    Promote,
    Rollback,
    Collect,
}

/// The places of an act, each with how often it is passed.
fn places(act: Act) -> Vec<(&'static str, usize)> {
    let keeps = ["skills.component.before", "skills.component.after", "skills.compiled.after"];
    let activates = [
        "skills.recorded",
        "skills.generation.before",
        "skills.generation.after",
        "skills.current.after",
    ];
    let once = |names: &[&'static str]| names.iter().map(|name| (*name, 1)).collect::<Vec<_>>();
    match act {
        // Component, code, files, generation, the name of the active one.
        Act::Install | Act::Upgrade => {
            [once(&keeps), once(&["skills.assets.after"]), once(&activates), vec![(STAGED, 5)]]
                .concat()
        }
        // What is done already is refused the second time, so these die before it is done.
        Act::TryOut | Act::Promote => once(&activates[..3]),
        Act::Rollback => [once(&activates), vec![(STAGED, 2)]].concat(),
        Act::Collect => vec![
            ("skills.collect.before", 1),
            ("skills.collect.one", 3),
            ("skills.collect.after", 1),
        ],
    }
}

const STAGED: &str = "file.staged";

/// A version of the reader in a folder of its own: other files, so another digest.
struct Versions {
    folder: tempfile::TempDir,
    component: String,
    last: u32,
}

impl Versions {
    fn new() -> Result<Self> {
        let component = skill("reader")?.component.display().to_string();
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("assets"))?;
        Ok(Self { folder, component, last: 0 })
    }

    /// Makes the next version, and answers what installs it.
    fn next(&mut self, verb: &'static str) -> Result<Vec<String>> {
        self.last += 1;
        let manifest = fs::read_to_string(skill("reader")?.manifest)?;
        let version = format!("version = \"1.{}.0\"", self.last);
        let manifest = manifest.replacen("version = \"0.1.0\"", &version, 1);
        let file = self.folder.path().join("skill.toml");
        fs::write(&file, manifest)?;
        fs::write(self.folder.path().join("assets/greeting.txt"), &version)?;
        let arguments = ["skill", verb, &self.component, "--manifest"].map(str::to_owned);
        let rest = ["--grant", "requested", "--allow-unsigned"].map(str::to_owned);
        let file = file.display().to_string();
        Ok(arguments.into_iter().chain([file]).chain(rest).collect())
    }
}

async fn done(town: &Town, arguments: &[&str]) -> Result<String> {
    let (code, out, complaint) = outcome(&town.data, arguments).await?;
    ensure!(code == Some(0), "postern {}: {code:?} {complaint}", arguments.join(" "));
    Ok(out)
}

/// Every file that the generations name, each with the digest that it must have.
fn named(skills: &Path) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(skills.join("generations"))? {
        let path = entry?.path();
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        let file: Value = serde_json::from_slice(&fs::read(&path)?)
            .with_context(|| format!("half a generation: {}", path.display()))?;
        let listed = file["generation"]["skills"].as_object().context("no skills")?;
        let canaries = file["generation"]["canaries"].as_object();
        let canaries = canaries.into_iter().flat_map(|all| all.values());
        for installed in listed.values().chain(canaries.map(|canary| &canary["installed"])) {
            let digest =
                |part: &str| Some(installed[part].as_str()?.strip_prefix("sha256:")?.to_owned());
            found.insert(format!("{}.wasm", digest("digest").context("no digest")?));
            found.extend(digest("assets").map(|digest| format!("{digest}.assets")));
        }
    }
    Ok(found)
}

/// The last generation serves, and nothing that any generation names is missing or half.
async fn must_work(town: &Town) -> Result<()> {
    let skills = town.data.path().join("skills");
    for name in named(&skills)? {
        let bytes = fs::read(skills.join("blobs").join(&name)).with_context(|| name.clone())?;
        let digest = Digest::of_bytes(&bytes).hex();
        ensure!(name.starts_with(&digest), "{name} has other content");
    }
    let host = town.open().await?;
    let active = host.operator().skills().await?;
    let listed = done(town, &["skill", "list", "--json"]).await?;
    let active = active.as_array().context("no skills")?.len();
    ensure!(active == listed.lines().count(), "{active} of {listed}");
    host.stop().await?;
    Ok(())
}

/// Kills an act at a place, and looks; then runs it again.
async fn kill(town: &Town, arguments: &[&str], at: (&str, usize)) -> Result<()> {
    let fault = format!("{}:{}", at.0, at.1);
    let (died, ended) = run_faulty(&town.data, &fault, arguments).await?;
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    ensure!(died.as_deref() == Some(at.0), "it did not die at {fault}: {said}");
    must_work(town).await.with_context(|| format!("after it died at {fault}"))?;
    done(town, arguments).await.with_context(|| format!("again, after it died at {fault}"))?;
    Ok(())
}

#[tokio::test]
async fn a_command_that_dies_anywhere_leaves_a_generation_that_serves() -> Result<()> {
    let town = Town::build(&["escalation"]).await?;
    let mut versions = Versions::new()?;
    let mut seen = BTreeSet::new();
    let trial = ["--canary", "5%"].map(str::to_owned);
    let promote = ["skill", "upgrade", "reader", "--promote"];
    for act in [Act::Install, Act::Upgrade, Act::TryOut, Act::Promote, Act::Rollback, Act::Collect]
    {
        for (place, times) in places(act) {
            for time in 1..=times {
                let arguments = match act {
                    Act::Install => {
                        if versions.last > 0 {
                            done(&town, &["skill", "remove", "reader"]).await?;
                        }
                        versions.next("install")?
                    }
                    Act::Upgrade => versions.next("upgrade")?,
                    Act::TryOut => [&versions.next("upgrade")?[..], &trial].concat(),
                    Act::Promote => {
                        let next = [&versions.next("upgrade")?[..], &trial].concat();
                        done(&town, &next.iter().map(String::as_str).collect::<Vec<_>>()).await?;
                        promote.map(str::to_owned).to_vec()
                    }
                    Act::Rollback => ["skill", "rollback"].map(str::to_owned).to_vec(),
                    Act::Collect => {
                        // Something to take away: each upgrade leaves three files.
                        for _ in 0..2 {
                            let next = versions.next("upgrade")?;
                            done(&town, &next.iter().map(String::as_str).collect::<Vec<_>>())
                                .await?;
                        }
                        ["skill", "gc", "--keep", "1"].map(str::to_owned).to_vec()
                    }
                };
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                let context = || format!("{act:?}");
                kill(&town, &arguments, (place, time)).await.with_context(context)?;
                if act == Act::TryOut {
                    done(&town, &promote).await?;
                }
                seen.insert(place);
            }
        }
    }
    let missed: Vec<_> = SKILL_POINTS.iter().filter(|point| !seen.contains(*point)).collect();
    ensure!(missed.is_empty(), "never killed at {missed:?}");

    // What dead commands left goes, and everything that is named stays.
    done(&town, &["skill", "gc", "--keep", "1"]).await?;
    let skills = town.data.path().join("skills");
    let named = named(&skills)?;
    for folder in ["blobs", "generations", "compiled", "."] {
        for entry in fs::read_dir(skills.join(folder))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            ensure!(!name.ends_with(".new"), "{folder}/{name} is left");
            ensure!(folder != "blobs" || named.contains(&name), "{name} is named by nobody");
        }
    }
    must_work(&town).await
}
