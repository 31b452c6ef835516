//! `postern skill check`: what an author should know before anybody else sees a skill.

use std::path::{Path, PathBuf};

use clap::Args;
use postern_domain::Manifest;
use postern_runtime::{ComponentInfo, Limits, Runtime};
use serde::Serialize;

use super::pack::{bounds, has_folder};
use crate::{
    cli::{Context, output, output::out},
    config::Config,
    package::{
        self,
        check::{Beside, Finding, Severity, Subject},
    },
    registry::{MOST_COMPONENT_BYTES, RegistryError, read_file, read_manifest},
};

/// Files of scenarios that are counted.
const MOST_SCENARIOS: usize = 1_000;

/// Arguments of `postern skill check`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Check {
    /// A skill's folder, a component (.wasm) or a manifest (.toml).
    #[arg(default_value = ".")]
    skill: PathBuf,
    /// The manifest; by default skill.toml in the folder or beside the component, or the one
    /// that the component carries.
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Fail on warnings, too.
    #[arg(long)]
    deny_warnings: bool,
}

/// What was found, for machines.
#[derive(Serialize)]
struct Report<'a> {
    skill: &'a Path,
    errors: usize,
    warnings: usize,
    findings: &'a [Finding],
}

/// What there is to check.
#[derive(Default)]
struct Parts {
    manifest: Option<Manifest>,
    component: Option<ComponentInfo>,
    beside: Option<Beside>,
    findings: Vec<Finding>,
}

impl Check {
    pub(in crate::cli) fn run(self, context: &Context) -> anyhow::Result<()> {
        let Parts { manifest, component, beside, mut findings } = self.parts(context)?;
        let ceilings = match has_folder(context) {
            true => Config::load(&context.data)?.ceilings,
            false => Limits::default(),
        };
        if let Some(manifest) = &manifest {
            let component = component.as_ref();
            let subject = Subject { manifest, component, beside, ceilings: &ceilings };
            findings.extend(package::check::check(&subject));
        }
        findings.sort_by_key(|finding| finding.severity);
        let errors = findings.iter().filter(|one| one.severity == Severity::Error).count();
        let warnings = findings.len() - errors;
        let skill = &self.skill;
        if context.json {
            output::json(&Report { skill, errors, warnings, findings: &findings })?;
        } else {
            for finding in &findings {
                let severity = match finding.severity {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                };
                out!("{severity}: {}: {}\n  {}", finding.field, finding.reason, finding.next);
            }
            if findings.is_empty() {
                out!("{}: nothing to say", skill.display());
            }
        }
        let fails = errors > 0 || (self.deny_warnings && warnings > 0);
        anyhow::ensure!(!fails, "{}: {errors} errors, {warnings} warnings", skill.display());
        if warnings > 0 && !context.json {
            out!("{warnings} warnings, no errors");
        }
        Ok(())
    }

    fn parts(&self, context: &Context) -> anyhow::Result<Parts> {
        let mut parts = Parts::default();
        let skill = &self.skill;
        if skill.extension().is_some_and(|extension| extension == "toml") && !skill.is_dir() {
            parts.read_manifest(skill)?;
            return Ok(parts);
        }
        let is_folder = skill.is_dir();
        let folder = if is_folder { skill.as_path() } else { skill.parent().unwrap_or(skill) };
        let beside = folder.join("skill.toml");
        let mut component = Some(skill.clone());
        let named = self.manifest.as_deref();
        if is_folder && named.is_none() {
            super::test::is_skill(folder)?;
        }
        if is_folder {
            parts.read_manifest(named.unwrap_or(&beside))?;
            parts.beside = Some(look_beside(folder));
            let built = |about: &Manifest| {
                folder.join("target/skill").join(format!("{}.wasm", about.skill.id))
            };
            component = parts.manifest.as_ref().map(built);
            if let Some(path) = component.take_if(|path| !path.is_file()) {
                parts.findings.push(Finding::warning(
                    path.display().to_string(),
                    "the skill is not built, so nothing is known of what it imports",
                    "run `postern skill build` first",
                ));
            }
        }
        let Some(component) = component else { return Ok(parts) };
        let bytes = read_file(&component, MOST_COMPONENT_BYTES)?;
        let shown = component.display().to_string();
        match Runtime::inspect_within(&bytes, &bounds(context)?) {
            Ok(info) => parts.component = Some(info),
            Err(error) => parts.findings.push(Finding::error(
                &shown,
                error.to_string(),
                "build it for wasm32-wasip2 against the host's interfaces",
            )),
        }
        match package::unpack(&bytes) {
            Err(error) => {
                parts.findings.push(Finding::error(shown, error.to_string(), "pack it again"));
            }
            Ok(Some(package)) if is_folder => {
                if parts.manifest.as_ref().is_some_and(|own| *own != package.manifest) {
                    parts.findings.push(Finding::warning(
                        shown,
                        "it was built with another manifest than the one of the folder",
                        "run `postern skill build` again",
                    ));
                }
            }
            Ok(Some(package)) if named.is_none() => parts.manifest = Some(package.manifest),
            Ok(_) if !is_folder => parts.read_manifest(named.unwrap_or(&beside))?,
            Ok(_) => {}
        }
        Ok(parts)
    }
}

impl Parts {
    /// Reads a manifest; what is wrong in it is a finding like others.
    fn read_manifest(&mut self, path: &Path) -> anyhow::Result<()> {
        match read_manifest(path) {
            Ok(manifest) => self.manifest = Some(manifest),
            Err(RegistryError::ManifestSyntax { file, message }) => {
                let next = "write it as docs/tutorial.md shows; names must be known ones";
                self.findings.push(Finding::error(file, message, next));
            }
            Err(RegistryError::Manifest { source, .. }) => {
                let next = "correct it; more may be found then";
                self.findings.push(Finding::error(source.field, source.reason, next));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

fn look_beside(folder: &Path) -> Beside {
    let is_toml = |entry: &std::fs::DirEntry| {
        entry.path().extension().is_some_and(|extension| extension == "toml")
    };
    let scenarios = std::fs::read_dir(folder.join("scenarios"));
    let scenarios = scenarios
        .map_or(0, |entries| entries.take(MOST_SCENARIOS).flatten().filter(is_toml).count());
    Beside { scenarios, policy: folder.join("policy.cedar").is_file() }
}
