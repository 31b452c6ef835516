//! Loading: all or nothing, with everything that is wrong.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Schema, ValidationMode, Validator};
use postern_domain::{Digest, digest_of};
use serde::Serialize;

use crate::{
    Collections, PolicyError, PolicyRequest, RuleSummary, Verdict,
    judge::{Judge, RuleFacts},
    rule::{self, Rule},
    schema,
    slice::Slices,
    vocabulary::Vocabulary,
};

/// A file with its text. The text is passed in: this crate reads no files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicySource {
    /// The name under which errors speak of it.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// Rules that were accepted together.
pub struct PolicySet {
    digest: Digest,
    summaries: Vec<RuleSummary>,
    judge: Judge,
}

impl std::fmt::Debug for PolicySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PolicySet")
            .field("digest", &self.digest)
            .field("rules", &self.summaries.len())
            .finish_non_exhaustive()
    }
}

impl PolicySet {
    /// Reads a schema and rules. The order of the files makes no difference.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the files: texts that do not
    /// parse, names that the schema does not have, warnings of the validator,
    /// rules without an id or with one that is taken, annotations that are
    /// unknown or out of place, duties that nothing lifts, and sizes beyond the
    /// bounds (256 KiB a file, 8 KiB a rule, 2,000 rules).
    pub fn load(
        schema: &PolicySource,
        policies: &[PolicySource],
        collections: &Collections,
    ) -> Result<Self, Vec<PolicyError>> {
        let mut sources = policies.to_vec();
        sources.sort_unstable_by(|a, b| a.file.cmp(&b.file));
        match schema::load(schema, collections) {
            Ok(checked) => {
                let digest = digest_of(&(schema, &sources, collections));
                Self::under(&checked, &sources, collections, digest)
            }
            Err(mut errors) => {
                rule::parse(&sources, &mut errors);
                Err(errors)
            }
        }
    }

    /// The same under a schema that has been read.
    pub(crate) fn under(
        schema: &Schema,
        sources: &[PolicySource],
        collections: &Collections,
        digest: Digest,
    ) -> Result<Self, Vec<PolicyError>> {
        let mut errors = Vec::new();
        let rules = rule::parse(sources, &mut errors);
        errors.extend(validate(schema, &rules, sources));
        if !errors.is_empty() {
            errors.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
            errors.dedup();
            return Err(errors);
        }
        let failed = |message: String| vec![PolicyError::of_file("policies", message)];
        let words = Vocabulary::new(collections).map_err(|e| failed(e.to_string()))?;
        let slices = Slices::cut(schema, &rules).map_err(|e| failed(e.to_string()))?;
        Ok(Self {
            digest,
            judge: Judge { words, slices, rules: rules.iter().map(rule_facts).collect() },
            summaries: rules.into_iter().map(|rule| rule.summary).collect(),
        })
    }

    /// The digest of schema, rules and declared collections: what audit names
    /// as the policy in force.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The rules, by file and place.
    pub fn rules(&self) -> impl Iterator<Item = &RuleSummary> {
        self.summaries.iter()
    }

    /// Decides about a call. The same request always gets the same verdict.
    pub fn judge(&self, request: &PolicyRequest<'_>) -> Verdict {
        self.judge.judge(request)
    }
}

pub(crate) fn rule_facts(rule: &Rule) -> (String, RuleFacts) {
    let facts = RuleFacts { duties: rule.duties, reason: rule.reason.clone() };
    (rule.summary.id.clone(), facts)
}

/// What the validator says against the rules. Its warnings count: a misspelt
/// attribute behind `has` is only a warning.
fn validate(schema: &Schema, rules: &[Rule], sources: &[PolicySource]) -> Vec<PolicyError> {
    let texts: BTreeMap<&str, &str> =
        sources.iter().map(|source| (source.file.as_str(), source.text.as_str())).collect();
    let by_id: BTreeMap<&str, &Rule> =
        rules.iter().map(|rule| (rule.summary.id.as_str(), rule)).collect();
    let set = match cedar_policy::PolicySet::from_policies(rules.iter().map(|r| r.policy.clone())) {
        Ok(set) => set,
        Err(found) => return vec![PolicyError::of_diagnostic("policies", "", &found)],
    };
    let result = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
    let error = |id: &cedar_policy::PolicyId, found: &dyn miette::Diagnostic| {
        let id: &str = id.as_ref();
        let file = by_id.get(id).map_or("policies", |rule| rule.summary.file.as_str());
        let text = texts.get(file).copied().unwrap_or_default();
        let error = PolicyError::of_diagnostic(file, text, found).rule(id);
        // The rule is named already.
        let prefix = format!("for policy `{id}`");
        let message = match error.message.strip_prefix(&prefix) {
            Some(rest) => rest.trim_start_matches([',', ':', ' ']).to_owned(),
            None => error.message,
        };
        PolicyError { message, ..error }
    };
    let mut errors: Vec<PolicyError> =
        result.validation_errors().map(|found| error(found.policy_id(), found)).collect();
    // A rule with an error also draws the warning that it can never apply.
    let faulty: BTreeSet<String> = errors.iter().filter_map(|error| error.rule.clone()).collect();
    errors.extend(
        result
            .validation_warnings()
            .map(|found| error(found.policy_id(), found))
            .filter(|warning| warning.rule.as_ref().is_none_or(|rule| !faulty.contains(rule))),
    );
    errors
}
