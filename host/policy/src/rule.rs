//! Rules: their files, their annotations, their duties.

use std::collections::{BTreeMap, HashMap};

use cedar_policy::{Effect, Policy, PolicyId};

use crate::{
    PolicyError, PolicySource,
    duty::Duty,
    error::did_you_mean,
    limits::{MAX_ANNOTATION_BYTES, MAX_FILES, MAX_RULES, check_text},
    quantities::{Quantities, is_name},
    routes::Routes,
    satisfied,
};

/// What a rule does when it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleEffect {
    /// It allows, unless something forbids.
    Permit,
    /// It denies.
    Forbid,
}

impl RuleEffect {
    /// The name in rules and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::Forbid => "forbid",
        }
    }
}

/// A loaded rule, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSummary {
    /// Its `@id`.
    pub id: String,
    /// The file in which it stands.
    pub file: String,
    /// The line on which it begins, from 1.
    pub line: u32,
    /// What it does.
    pub effect: RuleEffect,
    /// Its annotations by name.
    pub annotations: BTreeMap<String, String>,
    /// Its `@doc`, or else the comment right above it.
    pub doc: Option<String>,
}

/// A rule as it is loaded.
pub(crate) struct Rule {
    pub(crate) summary: RuleSummary,
    /// What lifts it, if it is a `forbid` with duties; none otherwise.
    pub(crate) duties: Vec<Duty>,
    /// The rule itself; its id is the `@id`.
    pub(crate) policy: Policy,
}

/// Annotations that rules can have.
const ANNOTATIONS: [&str; 10] = [
    "id",
    "doc",
    "reason",
    "identity",
    "confirm",
    "approval",
    "limit",
    "max_amount",
    "redact",
    "notify",
];

/// What annotations can name.
pub(crate) struct Named<'a> {
    pub(crate) quantities: &'a Quantities,
    pub(crate) routes: &'a Routes,
}

impl Named<'_> {
    /// Every duty that rules can ask for.
    pub(crate) fn duties(&self) -> Vec<Duty> {
        let mut all = vec![Duty::Identified, Duty::Verified, Duty::Confirm];
        all.extend(self.routes.route.keys().cloned().map(Duty::Approval));
        all.extend(self.quantities.limits().map(str::to_owned).map(Duty::Limit));
        all.extend(self.quantities.amount.keys().cloned().map(Duty::MaxAmount));
        all
    }
}

/// Ids that stand for no rule.
const RESERVED: [&str; 2] = [crate::DEFAULT_DENY, crate::INCOMPLETE_FACTS];

/// The rules of all files; what is wrong with the others goes to `errors`.
pub(crate) fn parse(
    sources: &[PolicySource],
    named: &Named<'_>,
    errors: &mut Vec<PolicyError>,
) -> Vec<Rule> {
    if sources.len() > MAX_FILES {
        let message = format!("{} policy files; at most {MAX_FILES}", sources.len());
        errors.push(PolicyError::of_file(&sources[MAX_FILES].file, message));
        return Vec::new();
    }
    let mut rules = Vec::new();
    let mut places = HashMap::new();
    for source in sources {
        if sources.iter().filter(|other| other.file == source.file).count() > 1 {
            errors.push(PolicyError::of_file(&source.file, "the file was given twice"));
            continue;
        }
        if let Err(error) = check_text(&source.file, &source.text) {
            errors.push(error);
            continue;
        }
        for Statement { offset, end, line, policy } in statements(source, errors) {
            if rules.len() == MAX_RULES {
                let message = format!("more than {MAX_RULES} rules");
                errors.push(PolicyError::at(&source.file, &source.text, offset, message));
                return rules;
            }
            let reader = Reader { source, offset, end, line, policy: &policy, named };
            match reader.read() {
                Ok(rule) => {
                    let (id, line) = (rule.summary.id.clone(), rule.summary.line);
                    let place = format!("{}:{line}", source.file);
                    match places.insert(id.clone(), place) {
                        None => rules.push(rule),
                        Some(first) => errors.push(
                            reader
                                .wrong("id", format!("the id stands at {first} already"))
                                .rule(&id)
                                .hint("choose another: ids name rules in audit".to_owned()),
                        ),
                    }
                }
                Err(found) => errors.extend(found),
            }
        }
    }
    rules
}

/// A rule and where its text is.
struct Statement {
    offset: usize,
    end: usize,
    line: u32,
    policy: Policy,
}

/// The rules of a file in their order.
fn statements(source: &PolicySource, errors: &mut Vec<PolicyError>) -> Vec<Statement> {
    let set: cedar_policy::PolicySet = match source.text.parse() {
        Ok(set) => set,
        Err(found) => {
            let found: &cedar_policy::ParseErrors = &found;
            errors.extend(
                found.iter().map(|e| PolicyError::of_diagnostic(&source.file, &source.text, e)),
            );
            return Vec::new();
        }
    };
    for template in set.templates() {
        let offset = source.text.find(&template.to_cedar()).unwrap_or(0);
        let message = "templates (`?principal`, `?resource`) are not supported";
        errors.push(
            PolicyError::at(&source.file, &source.text, offset, message)
                .hint("write a rule for each principal or resource".to_owned()),
        );
    }
    // Cedar numbers the rules of a file as they stand in it.
    let mut policies: Vec<&Policy> = set.policies().collect();
    policies.sort_by_key(|policy| {
        let id: &str = policy.id().as_ref();
        id.trim_start_matches("policy").parse::<usize>().unwrap_or(usize::MAX)
    });
    let (mut from, mut line) = (0, 1);
    let mut found = Vec::with_capacity(policies.len());
    for policy in policies {
        let text = policy.to_cedar().unwrap_or_default();
        let offset = source.text[from..].find(&text).map_or(from, |at| from + at);
        line += lines(&source.text[from..offset]);
        let end = (offset + text.len()).min(source.text.len());
        found.push(Statement { offset, end, line, policy: policy.clone() });
        line += lines(&source.text[offset..end]);
        from = end;
    }
    found
}

fn lines(text: &str) -> u32 {
    u32::try_from(text.bytes().filter(|byte| *byte == b'\n').count()).unwrap_or(u32::MAX)
}

/// One rule being read.
struct Reader<'a> {
    source: &'a PolicySource,
    offset: usize,
    end: usize,
    line: u32,
    policy: &'a Policy,
    named: &'a Named<'a>,
}

impl Reader<'_> {
    /// An error at one of the rule's annotations, or at the rule without it.
    fn wrong(&self, annotation: &str, message: impl Into<String>) -> PolicyError {
        let text = &self.source.text[self.offset..self.end];
        let at = text.find(&format!("@{annotation}")).map_or(self.offset, |at| self.offset + at);
        let error = PolicyError::at(&self.source.file, &self.source.text, at, message);
        match self.policy.annotation("id") {
            Some(id) if is_name(id) => error.rule(id),
            Some(_) | None => error,
        }
    }

    fn read(&self) -> Result<Rule, Vec<PolicyError>> {
        let mut errors = Vec::new();
        let effect = match self.policy.effect() {
            Effect::Permit => RuleEffect::Permit,
            Effect::Forbid => RuleEffect::Forbid,
        };
        for (name, value) in self.policy.annotations() {
            errors.extend(self.check_annotation(name, value, effect));
        }
        if self.policy.annotation("id").is_none() {
            let hint = "put @id(\"a-name\") above it; it names the rule in audit".to_owned();
            errors.push(self.wrong("id", "the rule has no @id").hint(hint));
        }
        let duties = self.duties();
        errors.extend(
            satisfied::faults(self.policy, &duties, self.named)
                .into_iter()
                .map(|fault| self.wrong("id", fault.message).hint(fault.hint)),
        );
        if !errors.is_empty() {
            return Err(errors);
        }
        let annotations: BTreeMap<String, String> =
            self.policy.annotations().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        let id = annotations.get("id").cloned().unwrap_or_default();
        let doc = annotations.get("doc").cloned().or_else(|| self.comment_above());
        let policy = self.policy.new_id(PolicyId::new(&id));
        let line = self.line;
        let file = self.source.file.clone();
        Ok(Rule {
            summary: RuleSummary { id, file, line, effect, annotations, doc },
            duties,
            policy,
        })
    }

    fn check_annotation(&self, name: &str, value: &str, effect: RuleEffect) -> Option<PolicyError> {
        let forbid_only = |fine: bool, message: &str, hint: &str| match effect {
            RuleEffect::Permit => {
                let message = format!("@{name} stands on forbid rules only");
                let hint = "write a forbid rule beside this permit".to_owned();
                Some(self.wrong(name, message).hint(hint))
            }
            RuleEffect::Forbid if fine => None,
            RuleEffect::Forbid => Some(self.wrong(name, message).hint(hint.to_owned())),
        };
        let is_text = !value.trim().is_empty() && value.len() <= MAX_ANNOTATION_BYTES;
        let wants_text = format!("@{name} needs a text of 1 to {MAX_ANNOTATION_BYTES} bytes");
        match name {
            "id" if RESERVED.contains(&value) => {
                Some(self.wrong(name, format!("the id {value} is reserved")))
            }
            "id" if !is_name(value) => Some(self.wrong(name, "the id is not a name").hint(
                "use 1 to 64 lower-case letters, digits and hyphens, a letter first".to_owned(),
            )),
            "id" => None,
            "doc" => (!is_text).then(|| self.wrong(name, wants_text)),
            "reason" => forbid_only(is_text, &wants_text, "say what the caller can do next"),
            "identity" => forbid_only(
                matches!(value, "identified" | "verified"),
                "the level of identity is not known",
                "write @identity(\"identified\") or @identity(\"verified\")",
            ),
            "confirm" => forbid_only(value.is_empty(), "@confirm takes no value", "write @confirm"),
            "approval" => forbid_only(true, "", "").or_else(|| {
                self.check_name(
                    name,
                    value,
                    "route",
                    self.named.routes.route.keys().map(String::as_str),
                )
            }),
            "limit" => forbid_only(true, "", "")
                .or_else(|| self.check_name(name, value, "limit", self.named.quantities.limits())),
            "max_amount" => forbid_only(true, "", "").or_else(|| {
                self.check_name(
                    name,
                    value,
                    "amount",
                    self.named.quantities.amount.keys().map(String::as_str),
                )
            }),
            "notify" => self.check_name(
                name,
                value,
                "route",
                self.named.routes.route.keys().map(String::as_str),
            ),
            "redact" => (!redacted(value).iter().all(|kind| is_datum(kind))).then(|| {
                let hint = "write @redact(\"EMAIL,PHONE\")".to_owned();
                self.wrong(name, "@redact names types of personal data").hint(hint)
            }),
            unknown => {
                let known = format!("there are @{}", ANNOTATIONS.join(", @"));
                let hint = did_you_mean(unknown, ANNOTATIONS).unwrap_or(known);
                Some(self.wrong(name, format!("unknown annotation @{unknown}")).hint(hint))
            }
        }
    }

    /// The duties that the annotations declare.
    fn duties(&self) -> Vec<Duty> {
        self.policy.annotations().filter_map(|(name, value)| Duty::of(name, value)).collect()
    }

    /// An annotation that names something in another file.
    fn check_name<'n>(
        &self,
        annotation: &str,
        value: &str,
        kind: &str,
        known: impl Iterator<Item = &'n str>,
    ) -> Option<PolicyError> {
        let known: Vec<&str> = known.collect();
        if known.contains(&value) {
            return None;
        }
        let all = match known.is_empty() {
            true => "none is configured".to_owned(),
            false => format!("there are {}", known.join(", ")),
        };
        let hint = did_you_mean(value, known).unwrap_or(all);
        Some(self.wrong(annotation, format!("there is no {kind} {value:?}")).hint(hint))
    }

    /// The lines of comment that end right above the rule.
    fn comment_above(&self) -> Option<String> {
        let mut lines: Vec<&str> = self.source.text[..self.offset]
            .trim_end_matches([' ', '\t'])
            .strip_suffix('\n')?
            .rsplit('\n')
            .map_while(|line| line.trim().strip_prefix("//"))
            .map(str::trim)
            .collect();
        lines.reverse();
        (!lines.is_empty()).then(|| lines.join(" "))
    }
}

/// The types that `@redact` names.
pub(crate) fn redacted(value: &str) -> Vec<&str> {
    value.split(',').map(str::trim).collect()
}

/// Whether a type of personal data can have this name: `EMAIL`.
fn is_datum(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'0'..=b'9' | b'_'))
}
