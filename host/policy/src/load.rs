//! Loading: all or nothing, with everything that is wrong.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use cedar_policy::{Schema, ValidationMode, Validator};
use postern_domain::{Digest, digest_of};
use serde::Serialize;

use crate::{
    ActRequest, Amount, Collections, Concurrency, PolicyError, PolicyRequest, Rate, RevealRequest,
    Route, RuleSummary, Verdict,
    duty::DutyTable,
    judge::{Judge, RuleFacts},
    personal::{Detector, PrivacyRules},
    quantities::Quantities,
    restricted::Restricted,
    routes::Routes,
    rule::{self, Named, Rule, redacted},
    schema::{self, Schemas},
    slice::{Slices, Whole, is_for_operators},
    subject,
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

/// Everything of which a set of rules is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicySources {
    /// What rules can speak about.
    pub schema: PolicySource,
    /// The rules.
    pub rules: Vec<PolicySource>,
    /// `limits.toml`: what `@limit` and `@max_amount` name. Without it there is none.
    pub limits: Option<PolicySource>,
    /// `approvals.toml`: what `@approval` and `@notify` name. Without it there is
    /// none.
    pub approvals: Option<PolicySource>,
    /// `privacy.toml`: the operator's own types of personal data, lists and thresholds.
    /// Without it those that come with Postern hold.
    pub privacy: Option<PolicySource>,
}

/// Rules that were accepted together.
pub struct PolicySet {
    digest: Digest,
    summaries: Vec<RuleSummary>,
    quantities: Quantities,
    routes: Routes,
    detector: Arc<Detector>,
    restricted: Arc<Restricted>,
    pub(crate) judge: Judge,
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
    /// Reads schema, rules, limits and routes. The order of the files makes no
    /// difference.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the files: texts that do not
    /// parse, names that the schema or the other files do not have, warnings of the
    /// validator, rules without an id or with one that is taken, annotations that
    /// are unknown or out of place, duties that nothing lifts, and sizes beyond the
    /// bounds (256 KiB a file, 8 KiB a rule, 2,000 rules).
    pub fn load(
        sources: &PolicySources,
        collections: &Collections,
    ) -> Result<Self, Vec<PolicyError>> {
        let mut sources = sources.clone();
        sources.rules.sort_unstable_by(|a, b| a.file.cmp(&b.file));
        let digest = digest_of(&(&sources, collections));
        match schema::load(&sources.schema, collections) {
            Ok(schemas) => Self::under(&schemas, &sources, collections, digest),
            Err(mut errors) => {
                Read::all(&sources, &mut errors);
                Err(errors)
            }
        }
    }

    /// The same under a schema that has been read.
    pub(crate) fn under(
        schemas: &Schemas,
        sources: &PolicySources,
        collections: &Collections,
        digest: Digest,
    ) -> Result<Self, Vec<PolicyError>> {
        let mut errors = Vec::new();
        let Read { quantities, routes, privacy, rules, sources } = Read::all(sources, &mut errors);
        let (acts, calls): (Vec<&Rule>, Vec<&Rule>) =
            rules.iter().partition(|rule| is_for_operators(&rule.policy));
        errors.extend(validate(&schemas.calls, &calls, &sources));
        errors.extend(validate(&schemas.acts, &acts, &sources));
        let failed = |message: String| vec![PolicyError::of_file("policies", message)];
        let spoken_of = rules.iter().flat_map(|rule| &rule.duties);
        let Some(duties) = DutyTable::new(spoken_of, &quantities) else {
            let most = DutyTable::MOST;
            return Err(failed(format!("the rules ask for more than {most} different duties")));
        };
        if !errors.is_empty() {
            errors.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
            errors.dedup();
            return Err(errors);
        }
        let words = Vocabulary::new(collections).map_err(|e| failed(e.to_string()))?;
        let by_id = rule_facts(&rules, &duties);
        let whole = Whole { rules: rules.iter().map(|rule| &rule.policy).collect(), facts: &by_id };
        let slices = Slices::cut(&schemas.calls, &whole).map_err(|e| failed(e.to_string()))?;
        Ok(Self {
            digest,
            judge: Judge { words, slices, duties, rules: by_id },
            summaries: rules.into_iter().map(|rule| rule.summary).collect(),
            quantities,
            routes,
            detector: Arc::new(Detector::new(&privacy)),
            restricted: Arc::clone(privacy.restricted()),
        })
    }

    /// The digest of schema, rules, limits, routes and declared collections: what
    /// audit names as the policy in force.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The rules, by file and place.
    pub fn rules(&self) -> impl Iterator<Item = &RuleSummary> {
        self.summaries.iter()
    }

    /// The rate of this name: what an obligation `Limit` speaks of, if it is not a
    /// [`concurrency`](Self::concurrency).
    pub fn rate(&self, name: &str) -> Option<&Rate> {
        self.quantities.rate.get(name)
    }

    /// The bound on money of this name: what an obligation `MaxAmount` speaks of.
    pub fn amount(&self, name: &str) -> Option<&Amount> {
        self.quantities.amount.get(name)
    }

    /// The bound on calls at the same time of this name.
    pub fn concurrency(&self, name: &str) -> Option<&Concurrency> {
        self.quantities.concurrency.get(name)
    }

    /// The route of this name: what obligations `Approval` and `Notify` speak of.
    pub fn route(&self, name: &str) -> Option<&Route> {
        self.routes.route.get(name)
    }

    /// All routes by name.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &Route)> {
        self.routes.route.iter().map(|(name, route)| (name.as_str(), route))
    }

    /// What finds personal data and secrets, by `privacy.toml`.
    pub fn detector(&self) -> &Arc<Detector> {
        &self.detector
    }

    /// What finds content that people look after, by `privacy.toml`.
    pub fn restricted(&self) -> &Arc<Restricted> {
        &self.restricted
    }

    /// Decides about a call. The same request always gets the same verdict.
    pub fn judge(&self, request: &PolicyRequest<'_>) -> Verdict {
        self.judge.judge(request)
    }

    /// Decides whether a personal value may be put into a request.
    pub fn judge_reveal(&self, request: &RevealRequest<'_>) -> Verdict {
        let question = subject::reveal(&self.judge.words, &self.judge.duties, request);
        self.judge.answer(&[question])
    }

    /// Decides about something that an operator wants to do.
    pub fn judge_act(&self, request: &ActRequest<'_>) -> Verdict {
        self.judge.judge_act(request)
    }
}

/// Files that were read, before they are checked against the schema.
pub(crate) struct Read {
    quantities: Quantities,
    routes: Routes,
    privacy: PrivacyRules,
    pub(crate) rules: Vec<Rule>,
    /// The rules with those that shorthands stand for.
    sources: Vec<PolicySource>,
}

impl Read {
    pub(crate) fn all(sources: &PolicySources, errors: &mut Vec<PolicyError>) -> Self {
        let quantities = sources.limits.as_ref().map(|source| Quantities::read(source, errors));
        let quantities = quantities.unwrap_or_default();
        let mut all = sources.rules.clone();
        let mut routes = Routes::default();
        if let Some(source) = &sources.approvals {
            let (found, shorthands) = Routes::read(source, errors);
            routes = found;
            all.push(shorthands);
        }
        let named = Named { quantities: &quantities, routes: &routes };
        let rules = rule::parse(&all, &named, errors);
        let privacy = match sources.privacy.as_ref().map(PrivacyRules::read) {
            Some(Ok(privacy)) => privacy,
            Some(Err(found)) => {
                errors.extend(found);
                PrivacyRules::default()
            }
            None => PrivacyRules::default(),
        };
        Self { quantities, routes, privacy, rules, sources: all }
    }
}

/// What verdicts need to know of rules, by their ids.
fn rule_facts(rules: &[Rule], duties: &DutyTable) -> BTreeMap<String, RuleFacts> {
    let facts = |rule: &Rule| {
        let annotation = |name: &str| rule.summary.annotations.get(name);
        let redact = annotation("redact").map(|types| redacted(types)).unwrap_or_default();
        let facts = RuleFacts {
            duties: duties.set(&rule.duties),
            reason: annotation("reason").cloned(),
            redact: redact.into_iter().map(str::to_owned).collect(),
            notify: annotation("notify").cloned(),
        };
        (rule.summary.id.clone(), facts)
    };
    rules.iter().map(facts).collect()
}

/// What the validator says against the rules. Its warnings count: a misspelt
/// attribute behind `has` is only a warning.
fn validate(schema: &Schema, rules: &[&Rule], sources: &[PolicySource]) -> Vec<PolicyError> {
    let texts: BTreeMap<&str, &str> =
        sources.iter().map(|source| (source.file.as_str(), source.text.as_str())).collect();
    let by_id: BTreeMap<&str, &Rule> =
        rules.iter().map(|rule| (rule.summary.id.as_str(), *rule)).collect();
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
