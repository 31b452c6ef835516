//! `postern skill`

mod inspect;

use std::{
    collections::BTreeSet,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Subcommand;
use postern_domain::{Interface, Manifest, SkillId};
use postern_policy::Act;

use self::inspect::What;
use super::{Context, output, output::out};
use crate::{
    app,
    clock::{Clock as _, SystemClock},
    config::Config,
    keys::MasterKey,
    registry::{Candidate, Compiler, Generation, MOST_MANIFEST_BYTES, Registry, read_assets},
};

/// Bytes of a component file.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

#[derive(Debug, Subcommand)]
pub(super) enum Skill {
    /// Install a component with exactly the capabilities that you grant.
    ///
    /// A running host takes the skill up within a second. Installing a skill
    /// that is installed replaces it.
    Install {
        /// The component (.wasm).
        component: PathBuf,
        /// The manifest; by default skill.toml beside the component.
        #[arg(long)]
        manifest: Option<PathBuf>,
        /// Capabilities, separated by commas: log, records, http, kv, ticket,
        /// handover; or `requested` for all that the manifest asks for.
        #[arg(long)]
        grant: Option<String>,
    },
    /// Show the installed skills.
    List,
    /// Show what skills are, may do, get at most and have used.
    Inspect {
        /// An installed skill, or the component (.wasm) of any; by default all
        /// that are installed.
        what: Option<What>,
    },
    /// Take a skill out of service. Its component stays for replay.
    Remove {
        /// The skill.
        id: SkillId,
    },
}

impl Skill {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::Install { component, manifest, grant } => {
                let registry = registry(context)?;
                let manifest = manifest.unwrap_or_else(|| component.with_file_name("skill.toml"));
                install(context, &registry, &component, &manifest, grant.as_deref()).await
            }
            Self::List => list(context, &registry(context)?.current()?),
            Self::Inspect { what: Some(What::File(path)) } => inspect::file(context, &path),
            Self::Inspect { what: Some(What::Skill(id)) } => {
                inspect::installed(context, &registry(context)?, Some(id)).await
            }
            Self::Inspect { what: None } => {
                inspect::installed(context, &registry(context)?, None).await
            }
            Self::Remove { id } => {
                let registry = registry(context)?;
                let generation = registry.remove(&id)?;
                let store = context.store().await?;
                let detail = format!("generation {}", generation.number);
                // First, because what is not recorded must not be done.
                let act = Act::ChangeSkills;
                context.record(&store, act, "skill:remove", id.to_string(), detail).await?;
                registry.activate(&generation)?;
                done(context, &format!("Removed {id}"), &generation)
            }
        }
    }
}

/// The registry of the data folder, which must exist.
pub(super) fn registry(context: &Context) -> anyhow::Result<Registry> {
    context.require_folder()?;
    let key = MasterKey::read(&context.data.join(app::KEY_FILE))?;
    Ok(Registry::open(&context.data, key, Compiler::this_program())?)
}

async fn install(
    context: &Context,
    registry: &Registry,
    component: &Path,
    manifest: &Path,
    grant: Option<&str>,
) -> anyhow::Result<()> {
    let config = Config::load(&context.data)?;
    let (component_name, manifest_name) = (name(component), name(manifest));
    let bytes = read(component, MOST_BYTES)?;
    let text = read(manifest, MOST_MANIFEST_BYTES as u64)
        .context("the manifest is not read; name another with --manifest")?;
    let text = String::from_utf8(text).with_context(|| manifest_name.clone())?;
    let candidate =
        Candidate::check(&config.bounds(), &component_name, bytes, &manifest_name, &text)?;
    let beside = manifest.parent().unwrap_or_else(|| Path::new("."));
    let candidate = candidate.with_assets(read_assets(beside)?);
    let grants = grants(&candidate.manifest, grant)?;
    let runtime = app::runtime(&config)?;
    let now = SystemClock.now();
    let generation = registry.install(&runtime, &config, &candidate, grants.clone(), now)?;
    let skill = &candidate.manifest.skill;
    let granted = grants.iter().map(|interface| interface.as_str()).collect::<Vec<_>>().join(", ");
    let mut detail = format!("generation {}; granted: {granted}", generation.number);
    if let Some(assets) = generation.skills.get(&skill.id).and_then(|skill| skill.assets) {
        detail += &format!("; assets: {assets}");
    }
    let on = format!("{}@{} {}", skill.id, skill.version, candidate.digest());
    let store = context.store().await?;
    // First, because what is not recorded must not be done.
    context.record(&store, Act::ChangeSkills, "skill:install", on, detail).await?;
    registry.activate(&generation)?;
    let what = format!("Installed {}@{} with {granted}", skill.id, skill.version);
    done(context, &what, &generation)
}

/// A file of at most so many bytes. What its metadata say of its size does not
/// count: a pipe has none, and a device has no end.
fn read(path: &Path, most: u64) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .with_context(|| name(path))?;
    anyhow::ensure!(bytes.len() as u64 <= most, "{}: more than {most} bytes", name(path));
    Ok(bytes)
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

/// The capabilities that the operator grants, which the manifest must request.
fn grants(manifest: &Manifest, given: Option<&str>) -> anyhow::Result<BTreeSet<Interface>> {
    let requested = manifest.requested();
    let Some(given) = given else {
        let mut lines = format!("{} asks for:\n", manifest.skill.id);
        for capability in &manifest.capabilities {
            lines += &format!("  {:<9} {}\n", capability.interface.as_str(), capability.reason);
        }
        let all: Vec<_> = requested.iter().map(|interface| interface.as_str()).collect();
        anyhow::bail!(
            "{lines}Grant what you agree with: --grant {} (or --grant requested)",
            all.join(",")
        );
    };
    if given == "requested" {
        return Ok(requested);
    }
    let mut grants = BTreeSet::new();
    for name in given.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let interface: Interface =
            name.parse().map_err(|error| anyhow::anyhow!("--grant: {error}"))?;
        anyhow::ensure!(
            requested.contains(&interface),
            "--grant: the manifest of {} does not request {interface}",
            manifest.skill.id
        );
        grants.insert(interface);
    }
    Ok(grants)
}

fn done(context: &Context, what: &str, generation: &Generation) -> anyhow::Result<()> {
    if context.json {
        let skills: Vec<_> = generation.skills.keys().collect();
        let shown = serde_json::json!({ "generation": generation.number, "skills": skills });
        return output::json(&shown);
    }
    out!("{what} (generation {})", generation.number);
    Ok(())
}

fn list(context: &Context, generation: &Generation) -> anyhow::Result<()> {
    if context.json {
        return generation.skills.values().try_for_each(output::json);
    }
    let rows: Vec<Vec<String>> = generation
        .skills
        .values()
        .map(|installed| {
            let about = &installed.manifest.skill;
            vec![
                about.id.to_string(),
                about.version.to_string(),
                installed.digest.short(),
                installed
                    .grants
                    .iter()
                    .map(|interface| interface.as_str())
                    .collect::<Vec<_>>()
                    .join(","),
                about.description.clone(),
            ]
        })
        .collect();
    output::table(&["skill", "version", "digest", "granted", "what it does"], &rows)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, os::fd::AsRawFd as _};

    use super::*;

    #[test]
    fn files_are_read_within_their_bound_whatever_they_say_of_themselves() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "12345").unwrap();
        assert_eq!(read(&file, 5).unwrap(), b"12345");
        let refused = |path: &Path, most| format!("{:#}", read(path, most).unwrap_err());
        assert!(refused(&file, 4).ends_with("/file: more than 4 bytes"), "{}", refused(&file, 4));
        assert_eq!(refused(Path::new("/dev/zero"), 9), "/dev/zero: more than 9 bytes");
        assert!(refused(Path::new("/no/file"), 9).starts_with("/no/file: "));

        for (text, most) in [("12345", 5), ("123456", 5)] {
            let (reader, mut writer) = std::io::pipe().unwrap();
            writer.write_all(text.as_bytes()).unwrap();
            drop(writer);
            let path = PathBuf::from(format!("/dev/fd/{}", reader.as_raw_fd()));
            assert_eq!(read(&path, most).is_ok(), text.len() as u64 <= most, "{text}");
        }
    }
}
