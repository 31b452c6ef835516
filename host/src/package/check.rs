//! What an author should know before anybody else sees the skill: where manifest and
//! component do not fit, and where customers or operators would stumble.

mod manifest;
mod wishes;

use postern_domain::Manifest;
use postern_runtime::{ComponentInfo, Limits};
use serde::Serialize;

use crate::config::bounded;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The skill cannot be installed, or a call of it cannot succeed.
    Error,
    /// It can be installed, but somebody will stumble.
    Warning,
}

/// Something that is not right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Where: `intents[2].examples`, or a file of the skill's folder.
    pub field: String,
    /// What is wrong.
    pub reason: String,
    /// What would be right.
    pub next: String,
}

impl Finding {
    /// Something that has to be changed.
    pub fn error(field: impl Into<String>, reason: impl AsRef<str>, next: impl AsRef<str>) -> Self {
        Self::new(Severity::Error, field.into(), reason.as_ref(), next.as_ref())
    }

    /// Something that should be changed.
    pub fn warning(
        field: impl Into<String>,
        reason: impl AsRef<str>,
        next: impl AsRef<str>,
    ) -> Self {
        Self::new(Severity::Warning, field.into(), reason.as_ref(), next.as_ref())
    }

    fn new(severity: Severity, field: String, reason: &str, next: &str) -> Self {
        Self { severity, field: bounded(&field), reason: bounded(reason), next: bounded(next) }
    }
}

/// What lies beside a manifest in a skill's folder.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside {
    /// Files of scenarios.
    pub scenarios: usize,
    /// Whether there are rules that the author proposes.
    pub policy: bool,
}

/// What is to be checked, as far as there is something.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The manifest, of which [`Manifest::check`] holds.
    pub manifest: &'a Manifest,
    /// What the component imports and exports.
    pub component: Option<&'a ComponentInfo>,
    /// The skill's folder.
    pub beside: Option<Beside>,
    /// What the host gives at most.
    pub ceilings: &'a Limits,
}

/// All that is not right: errors first, then in the order of the manifest.
pub fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    manifest::tools(subject.manifest, &mut findings);
    manifest::intents(subject.manifest, &mut findings);
    manifest::entities(subject.manifest, &mut findings);
    wishes::capabilities(subject.manifest, &mut findings);
    wishes::limits(&subject.manifest.limits, subject.ceilings, &mut findings);
    if let Some(component) = subject.component {
        wishes::imports(subject.manifest, component, &mut findings);
    }
    if let Some(beside) = subject.beside {
        folder(subject.manifest, beside, &mut findings);
    }
    findings.sort_by_key(|finding| finding.severity);
    findings
}

fn folder(manifest: &Manifest, beside: Beside, findings: &mut Vec<Finding>) {
    if beside.scenarios == 0 {
        findings.push(Finding::warning(
            "scenarios",
            "there is no scenario, so nothing shows that the skill works",
            "write one in scenarios/NAME.toml, or record one with `postern skill test --record`",
        ));
    }
    if !beside.policy && !manifest.capabilities.is_empty() {
        findings.push(Finding::warning(
            "policy.cedar",
            "no rules are proposed, so operators have to write them before anything is permitted",
            "write policy.cedar beside skill.toml with the rules that the skill needs",
        ));
    }
}

#[cfg(test)]
mod tests;
