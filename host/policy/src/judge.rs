//! From Cedar's answers to a verdict: duties, several steps, reasons.

use std::collections::{BTreeMap, BTreeSet};

use postern_domain::{Decision, IdentityLevel};

use crate::{
    Facts, PolicyRequest, Verdict,
    duty::{Duties, Duty},
    evaluate::{Answer, Evaluation},
    slice::Slices,
    subject::{Subject, subjects},
    vocabulary::Vocabulary,
};

/// Stands among the rules of a verdict for "no rule permits it".
pub const DEFAULT_DENY: &str = "default-deny";

/// Stands among the rules of a verdict for "it cannot be judged": the facts do
/// not fit the call, or it is about a collection that nobody declared.
pub const INCOMPLETE_FACTS: &str = "incomplete-facts";

/// What the verdict needs to know of a rule.
pub(crate) struct RuleFacts {
    /// What lifts it, if it is a `forbid` with duties.
    pub(crate) duties: Option<Duties>,
    /// The sentence for whoever is refused by it, if it has one of its own.
    pub(crate) reason: Option<String>,
}

/// Everything against which a call is judged.
pub(crate) struct Judge {
    pub(crate) words: Vocabulary,
    pub(crate) slices: Slices,
    pub(crate) rules: BTreeMap<String, RuleFacts>,
}

/// What came of one subject.
enum Finding {
    /// These rules permit it.
    Allowed(Vec<String>),
    /// These rules forbid it until the duties are fulfilled.
    Duties { rules: BTreeSet<String>, duties: Duties },
    /// It stays forbidden, whatever is fulfilled.
    Refused { rules: BTreeSet<String>, reasons: Vec<String> },
}

impl Judge {
    pub(crate) fn judge(&self, request: &PolicyRequest<'_>) -> Verdict {
        let subjects = match subjects(&self.words, request) {
            Ok(subjects) => subjects,
            Err(error) => {
                return refusal([INCOMPLETE_FACTS.to_owned()].into(), vec![error.to_string()]);
            }
        };
        let (mut permits, mut asking) = (BTreeSet::new(), BTreeSet::new());
        let (mut refusing, mut reasons) = (BTreeSet::new(), Vec::new());
        let mut wanted = Duties::default();
        for subject in &subjects {
            match self.find(request, subject) {
                Finding::Allowed(rules) => permits.extend(rules),
                Finding::Duties { rules, duties } => {
                    asking.extend(rules);
                    wanted = wanted.union(duties);
                }
                Finding::Refused { rules, reasons: more } => {
                    refusing.extend(rules);
                    reasons.extend(more);
                }
            }
        }
        if !refusing.is_empty() {
            // Duties of other steps would not help: the write is all or nothing.
            return refusal(refusing, reasons);
        }
        if !asking.is_empty() {
            let mut reasons: Vec<String> =
                asking.iter().filter_map(|rule| self.reason(rule)).collect();
            if reasons.len() < asking.len() {
                reasons.extend(wanted.sentences());
            }
            return Verdict { obligations: wanted.obligations(), ..refusal(asking, reasons) };
        }
        let rules: Vec<String> = permits.into_iter().collect();
        let reason = format!("permitted by {}", rules.join(", "));
        Verdict { decision: Decision::Allow, rules, obligations: Vec::new(), reason }
    }

    /// Decides with what is fulfilled now. If only rules with duties forbid, it
    /// decides again as if those were fulfilled: they are worth asking for only
    /// if the call would then be allowed. Whether a forbid applies does not
    /// depend on permits, so adding a permit never removes a duty.
    fn find(&self, request: &PolicyRequest<'_>, subject: &Subject) -> Finding {
        let evaluation = Evaluation::new(&self.words, &self.slices, request, subject);
        let now = fulfilled(request.facts);
        let mut supposed = now;
        let mut rules = BTreeSet::new();
        // Each round supposes more duties than the one before, and there are few.
        loop {
            let forbidding = match evaluation.run(supposed) {
                Answer::Permitted(permits) if rules.is_empty() => return Finding::Allowed(permits),
                Answer::Permitted(_) => {
                    return Finding::Duties { rules, duties: supposed.without(now) };
                }
                Answer::Refused(forbidding) => forbidding,
                Answer::Failed(failed) => {
                    rules.extend(failed);
                    return Finding::Refused { rules, reasons: vec![FAILED.to_owned()] };
                }
                Answer::Unfit => {
                    rules.insert(INCOMPLETE_FACTS.to_owned());
                    return Finding::Refused { rules, reasons: vec![UNFIT.to_owned()] };
                }
            };
            if forbidding.is_empty() {
                rules.insert(DEFAULT_DENY.to_owned());
                let reasons = vec![unpermitted(request, subject)];
                return Finding::Refused { rules, reasons };
            }
            let (asking, firm): (Vec<&String>, Vec<&String>) =
                forbidding.iter().partition(|rule| self.duties(rule).is_some());
            let more =
                asking.iter().filter_map(|rule| self.duties(rule)).fold(supposed, Duties::union);
            // Without progress the rules are not lifted by their own duties.
            if !firm.is_empty() || more == supposed {
                let to_blame = if firm.is_empty() { asking } else { firm };
                let reason =
                    |rule: &&String| self.reason(rule).unwrap_or_else(|| FORBIDDEN.to_owned());
                let reasons = to_blame.iter().map(reason).collect();
                rules.extend(forbidding);
                return Finding::Refused { rules, reasons };
            }
            supposed = more;
            rules.extend(forbidding);
        }
    }

    fn duties(&self, rule: &str) -> Option<Duties> {
        self.rules.get(rule).and_then(|facts| facts.duties)
    }

    fn reason(&self, rule: &str) -> Option<String> {
        self.rules.get(rule).and_then(|facts| facts.reason.clone())
    }
}

const FORBIDDEN: &str = "a rule forbids this: the operator can explain or change it";
const FAILED: &str =
    "a rule could not be evaluated, which denies: the operator should see why and mend it";
const UNFIT: &str = "the call could not be put to the rules: please report this to the operator";

/// What is fulfilled now. A level without a customer fulfils nothing.
fn fulfilled(facts: &Facts) -> Duties {
    let identity = match facts.customer.level {
        IdentityLevel::Identified if facts.customer.key.is_some() => Some(Duty::Identified),
        IdentityLevel::Verified if facts.customer.key.is_some() => Some(Duty::Verified),
        IdentityLevel::Unknown | IdentityLevel::Identified | IdentityLevel::Verified => None,
    };
    let confirm = facts.confirmed.then_some(Duty::Confirm);
    identity.into_iter().chain(confirm).fold(Duties::default(), Duties::with)
}

fn unpermitted(request: &PolicyRequest<'_>, subject: &Subject) -> String {
    format!(
        "no rule permits {} to {} on {}: the operator can add one",
        request.skill, subject.action, subject.words
    )
}

fn refusal(rules: BTreeSet<String>, mut reasons: Vec<String>) -> Verdict {
    reasons.sort_unstable();
    reasons.dedup();
    let rules: Vec<String> = rules.into_iter().collect();
    let reason = format!("{} ({})", reasons.join("; "), rules.join(", "));
    Verdict { decision: Decision::Deny, rules, obligations: Vec::new(), reason }
}
