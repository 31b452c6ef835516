//! Versions of a skill that say in their answers and records which one they are.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use postern_domain::{CallRecord, Digest, HostCall, Outcome, RecordStep};
use postern_store::InvocationRow;
use postern_test_support::{
    host::{DataFolder, SkillFiles},
    paths,
};
use serde_json::Value;
use toml_edit::{Item, Table};

use crate::setup::{json_lines, skill, text_at};

/// What the component has in its data; the last character is its version.
const MARK: &str = "postern-test-version:";
/// The skill.
pub(crate) const SKILL: &str = "versioned";
/// A version that traps in every call.
pub(crate) const BROKEN: u32 = 9;

/// Component and manifest of a version, in a folder.
pub(crate) fn version(folder: &Path, number: u32) -> Result<SkillFiles> {
    let built = skill(SKILL)?;
    let mut bytes = fs::read(&built.component)?;
    let mark = format!("{MARK}1");
    let places: Vec<usize> = bytes
        .windows(mark.len())
        .enumerate()
        .filter(|(_, window)| *window == mark.as_bytes())
        .map(|(at, _)| at)
        .collect();
    let [at] = places[..] else { anyhow::bail!("the mark is in the component {places:?}") };
    let own = format!("{MARK}{number}");
    ensure!(own.len() == mark.len(), "{number} has more than one digit");
    bytes[at..at + own.len()].copy_from_slice(own.as_bytes());
    let manifest = fs::read_to_string(&built.manifest)?;
    let manifest = manifest.replace("version = \"1.0.0\"", &format!("version = \"{number}.0.0\""));
    let files = SkillFiles {
        component: folder.join(format!("v{number}.wasm")),
        manifest: folder.join(format!("v{number}.toml")),
    };
    fs::write(&files.component, bytes)?;
    fs::write(&files.manifest, manifest)?;
    Ok(files)
}

/// Lets the skill write down visits.
pub(crate) async fn permit(data: &DataFolder) -> Result<()> {
    data.edit_config(|config| {
        let collections = config["collections"].or_insert(Item::Table(Table::new()));
        collections["visits"] = Item::Table(Table::new());
    })?;
    let rules = paths::repository().join("tests/guests/versioned.cedar");
    fs::copy(rules, data.path().join("policies/versioned.cedar"))?;
    data.postern(["policy", "apply"]).await?;
    Ok(())
}

/// The digest of the version that most conversations get: of the packed component.
pub(crate) async fn installed(data: &DataFolder) -> Result<Digest> {
    let list = json_lines(&data.postern(["skill", "list", "--json"]).await?)?;
    let own = list.iter().find(|it| text_at(it, "/manifest/skill/id") == SKILL);
    Ok(text_at(own.context("it is not installed")?, "/digest").parse()?)
}

/// Upgrades to a version, with these options.
pub(crate) async fn upgrade(data: &DataFolder, files: &SkillFiles, options: &[&str]) -> Result<()> {
    let (component, manifest) =
        (files.component.display().to_string(), files.manifest.display().to_string());
    let fixed = ["skill", "upgrade", &component, "--manifest", &manifest, "--allow-unsigned"];
    data.postern([&fixed[..], &["--grant", "requested"], options].concat()).await?;
    Ok(())
}

/// The version of a call's component, if everything that it said and wrote is of this
/// version.
pub(crate) fn version_of<'c>(
    run: &InvocationRow,
    calls: impl Iterator<Item = &'c CallRecord>,
) -> Result<u32> {
    let major = run.version.split('.').next().unwrap_or_default();
    let version: u32 = major.parse().with_context(|| run.version.clone())?;
    let Some(Ok(Outcome::Reply { text })) = &run.result else {
        anyhow::bail!("it came to {:?}", run.result);
    };
    let said = format!("by version {version}, kept {version}, written {version}.");
    ensure!(text.ends_with(&said), "version {version} says {text:?}");
    let mut written = 0;
    for call in calls {
        match &call.call {
            HostCall::Log { line } => {
                ensure!(line.message == format!("version {version}"), "{line:?} of {version}");
            }
            HostCall::KvSet { .. } | HostCall::KvGet { .. } | HostCall::RecordsGet { .. } => {}
            HostCall::RecordsWrite { steps } => {
                for step in steps {
                    let RecordStep::Put { body, .. } = step else { anyhow::bail!("{step:?}") };
                    let wrong = |name: &str| {
                        let said = body.get(name).and_then(Value::as_str);
                        said.is_some_and(|said| said != version.to_string())
                    };
                    ensure!(!wrong("version") && !wrong("then"), "{body} by {version}");
                    written += 1;
                }
            }
            other => anyhow::bail!("{other:?} was not asked for"),
        }
    }
    ensure!(written == 2, "{written} records were written");
    Ok(version)
}
