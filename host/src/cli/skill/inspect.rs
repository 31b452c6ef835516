//! `postern skill inspect`: what a skill is, may do, gets and has used.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::Context as _;
use postern_domain::{Interface, SkillId};
use postern_runtime::{ComponentInfo, Runtime};
use postern_store::SqliteStore;
use serde::Serialize;

use super::{list::states, review::told};
use crate::{
    cli::{
        Context, output,
        output::{out, words},
    },
    config::Config,
    package,
    profile::{self, LAST_RUNS, LimitRow, Measured},
    redaction,
    registry::{Installed, MOST_COMPONENT_BYTES, Registry, read_file},
    trust::Trust,
};

/// What is to be inspected.
#[derive(Clone, Debug)]
pub(in crate::cli) enum What {
    /// An installed skill.
    Skill(SkillId),
    /// A component that need not be installed.
    File(PathBuf),
}

impl FromStr for What {
    type Err = <SkillId as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = Path::new(text);
        if path.extension().is_some_and(|extension| extension == "wasm") {
            return Ok(Self::File(path.to_owned()));
        }
        text.parse().map(Self::Skill)
    }
}

/// What a component imports.
#[derive(Serialize)]
struct Imports {
    /// Bytes of the component.
    size: usize,
    /// Capabilities in the version that it was built for.
    imports: BTreeMap<Interface, String>,
    /// Interfaces of WASI, which is inert.
    wasi: Vec<String>,
}

impl From<ComponentInfo> for Imports {
    fn from(info: ComponentInfo) -> Self {
        let imports = info.imports.into_iter();
        Self {
            size: info.size,
            imports: imports.map(|(interface, at)| (interface, at.to_string())).collect(),
            wasi: info.wasi,
        }
    }
}

/// An installed skill with everything that there is to know.
#[derive(Serialize)]
struct Inspected<'a> {
    #[serde(flatten)]
    installed: &'a Installed,
    #[serde(flatten)]
    component: Imports,
    /// Whether it runs, is pinned, is on trial or is revoked.
    state: Vec<String>,
    /// Capabilities that the manifest requests and the operator did not grant.
    refused: Vec<Interface>,
    limits: Vec<LimitRow>,
    #[serde(rename = "use")]
    used: Measured,
}

/// Inspects a component file.
pub(super) fn file(context: &Context, path: &Path, sbom: bool) -> anyhow::Result<()> {
    let shown = path.display().to_string();
    let bytes = read_file(path, MOST_COMPONENT_BYTES)?;
    if sbom {
        return built_from(&shown, package::sbom(&bytes)?);
    }
    let component = Imports::from(Runtime::inspect(&bytes).with_context(|| shown.clone())?);
    if context.json {
        return output::json(&component);
    }
    out!("{shown}: {} bytes, not installed", component.size);
    component.print()
}

/// Inspects one installed skill, or all.
pub(super) async fn installed(
    context: &Context,
    registry: &Registry,
    only: Option<SkillId>,
    sbom: bool,
) -> anyhow::Result<()> {
    let generation = registry.current()?;
    if let Some(id) = &only
        && !generation.skills.contains_key(id)
    {
        anyhow::bail!("skill {id} is not installed; `postern skill list` shows what is");
    }
    if sbom {
        let found = only.as_ref().and_then(|id| generation.skills.get_key_value(id));
        return found.map_or(Ok(()), |(id, installed)| {
            let found = registry.built_from(installed.digest)?;
            // The file of the skill is under its signature, what lies beside it is not.
            if found.is_some() && package::sbom(&registry.component(installed.digest)?)?.is_none() {
                redaction::tell(
                    "· this list comes from the registry, beside the skill: no signature covers it",
                );
            }
            built_from(id.as_str(), found)
        });
    }
    let config = Config::load(&context.data)?;
    let trust = Trust::load(&context.data)?;
    let store = context.store().await?;
    let wanted = |id: &SkillId| only.as_ref().is_none_or(|only| only == id);
    for (number, (id, installed)) in
        generation.skills.iter().filter(|(id, _)| wanted(id)).enumerate()
    {
        if number > 0 && !context.json {
            out!("");
        }
        let mut inspected = Inspected::read(registry, &config, &store, id, installed).await?;
        inspected.state = states(&generation, &trust, id, installed);
        if context.json {
            output::json(&inspected)?;
        } else {
            inspected.print()?;
        }
    }
    Ok(())
}

/// Prints what a component was built from.
fn built_from(name: &str, found: Option<serde_json::Value>) -> anyhow::Result<()> {
    let found = found.with_context(|| {
        format!(
            "{name} does not say what it was built from; for Rust, `postern skill build` \
             writes that down where cargo-auditable is installed"
        )
    })?;
    out!("{}", serde_json::to_string_pretty(&found)?);
    Ok(())
}

impl Imports {
    fn print(&self) -> anyhow::Result<()> {
        out!("\nImports");
        for (interface, version) in &self.imports {
            out!("  postern:{interface} {version}");
        }
        for name in &self.wasi {
            out!("  {} (inert)", words(name));
        }
        Ok(())
    }
}

impl<'a> Inspected<'a> {
    async fn read(
        registry: &Registry,
        config: &Config,
        store: &SqliteStore,
        id: &SkillId,
        installed: &'a Installed,
    ) -> anyhow::Result<Self> {
        let requested = installed.manifest.requested();
        Ok(Self {
            component: registry.inspect(installed.digest)?.into(),
            state: Vec::new(),
            refused: requested.difference(&installed.grants).copied().collect(),
            limits: profile::limits(&installed.manifest.limits, &config.ceilings),
            used: Measured::read(store, id, installed.digest).await?,
            installed,
        })
    }

    fn print(&self) -> anyhow::Result<()> {
        let manifest = &self.installed.manifest;
        let about = &manifest.skill;
        out!("{}@{} by {}", about.id, about.version, words(&about.publisher));
        out!("{}", words(&about.description));
        out!("component: {} ({} bytes)", self.installed.digest, self.component.size);
        if let Some(assets) = self.installed.assets {
            out!("assets: {assets}");
        }
        out!("installed: {} ({})", self.installed.installed_at, self.state.join(", "));
        if let Some(source) = &self.installed.source {
            out!("from: {}", words(&told(source)));
        }
        match &self.installed.signed_by {
            Some(by) => out!("signed by: key {} of {}", by.key, words(&by.publisher)),
            None => out!("signed by: nobody whom you trust"),
        }
        out!("\nTools");
        for tool in &manifest.tools {
            let kind = if tool.read_only { "reads" } else { "changes things" };
            out!(
                "  {:<18} {} ({kind}; customer: {})",
                tool.name,
                words(&tool.description),
                tool.identity.as_str()
            );
        }
        out!("\nCapabilities");
        for capability in &manifest.capabilities {
            let interface = capability.interface;
            let refused = self.refused.contains(&interface);
            let granted = if refused { "refused" } else { "granted" };
            out!("  {:<9} {granted}: {}", interface.as_str(), words(&capability.reason));
        }
        self.component.print()?;
        out!("\nIntents");
        for intent in &manifest.intents {
            out!("  {:<18} → {} ({} examples)", intent.name, intent.tool, intent.examples.len());
        }
        out!("\nLimits");
        let cell = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let rows: Vec<Vec<String>> = self
            .limits
            .iter()
            .map(|row| {
                vec![
                    format!("  {}", row.limit),
                    row.effective.clone(),
                    cell(&row.asked),
                    cell(&row.ceiling),
                    cell(&row.default),
                ]
            })
            .collect();
        output::table(&["  limit", "gets", "asks for", "you allow", "default"], &rows)?;
        self.print_use()
    }

    fn print_use(&self) -> anyhow::Result<()> {
        let used = &self.used;
        out!("\nUse (last {LAST_RUNS} runs of this component)");
        if used.runs == 0 {
            out!("  it has not run yet");
            return Ok(());
        }
        let ms = |us: u64| format!("{:.1} ms", us as f64 / 1_000.0);
        let mib = |bytes: u64| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20));
        out!("  {:<18} {}", "runs", used.runs);
        for (what, spread) in [("time", used.took_us), ("processor time", used.cpu_us)] {
            let (p50, p99, max) = (ms(spread.p50), ms(spread.p99), ms(spread.max));
            out!("  {what:<18} p50 {p50}, p99 {p99}, most {max}");
        }
        out!("  {:<18} most {}", "memory", mib(used.peak_memory_bytes));
        let calls = used.host_calls;
        out!("  {:<18} p50 {}, p99 {}, most {}", "host calls", calls.p50, calls.p99, calls.max);
        let failures: Vec<_> =
            used.failures.iter().map(|(kind, number)| format!("{number} {kind}")).collect();
        let failures = if failures.is_empty() { "none".to_owned() } else { failures.join(", ") };
        out!("  {:<18} {failures}", "failures");
        out!("  {:<18} {} (traps and limits)", "failed in a row", used.failures_in_a_row);
        Ok(())
    }
}
