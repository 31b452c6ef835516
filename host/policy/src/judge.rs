//! From Cedar's answers to a verdict: duties, several steps, reasons.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use postern_domain::{Decision, Obligation};

use crate::{
    PolicyRequest, Verdict,
    duty::{Duties, DutyTable},
    evaluate::{Answer, Evaluation},
    slice::{Kind, Slices},
    subject::questions,
    value::Question,
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
    pub(crate) duties: Duties,
    /// The sentence for whoever is refused by it, if it has one of its own.
    pub(crate) reason: Option<String>,
    /// Types of personal data that are taken out of what is answered.
    pub(crate) redact: Vec<String>,
    /// The route whose people are told.
    pub(crate) notify: Option<String>,
}

impl RuleFacts {
    /// Whether it says what else is to be done.
    pub(crate) fn has_marks(&self) -> bool {
        !self.redact.is_empty() || self.notify.is_some()
    }
}

/// Everything against which a call is judged.
pub(crate) struct Judge {
    pub(crate) words: Vocabulary,
    pub(crate) slices: Slices,
    pub(crate) duties: DutyTable,
    pub(crate) rules: BTreeMap<String, RuleFacts>,
}

/// What came of one question. It holds nothing of the question itself.
#[derive(Debug)]
pub(crate) enum Finding {
    /// These rules permit it, the duties among `taken` are the gate's, and
    /// `lifted` would forbid it if nothing were fulfilled.
    Allowed { permits: Vec<String>, taken: Duties, lifted: Vec<String> },
    /// These rules forbid it until the duties are fulfilled.
    Duties { rules: BTreeSet<String>, duties: Duties },
    /// It stays forbidden, whatever is fulfilled.
    Refused { rules: BTreeSet<String>, why: Why },
}

/// Why something stays forbidden.
#[derive(Debug)]
pub(crate) enum Why {
    /// These rules say so.
    Rules(Vec<String>),
    /// No rule permits it.
    Unpermitted,
    /// It cannot be judged.
    Said(&'static str),
}

impl Judge {
    pub(crate) fn judge(&self, request: &PolicyRequest<'_>) -> Verdict {
        match questions(&self.words, &self.duties, request) {
            Ok(questions) => self.answer(&questions),
            Err(error) => refusal([INCOMPLETE_FACTS.to_owned()].into(), vec![error.to_string()]),
        }
    }

    /// The verdict on questions that are answered together.
    pub(crate) fn answer(&self, questions: &[Question<'_>]) -> Verdict {
        let findings: Vec<Arc<Finding>> = questions.iter().map(|asked| self.find(asked)).collect();
        let (mut permits, mut lifted) = (Vec::new(), Vec::new());
        let (mut asking, mut refusing) = (BTreeSet::new(), BTreeSet::new());
        let (mut wanted, mut taken) = (Duties::default(), Duties::default());
        let mut reasons = Vec::new();
        for (finding, question) in findings.iter().zip(questions) {
            match &**finding {
                Finding::Allowed { permits: more, taken: some, lifted: unbound } => {
                    permits.extend(more.iter().cloned());
                    lifted.extend(unbound.iter().map(String::as_str));
                    taken = taken.union(*some);
                }
                Finding::Duties { rules, duties } => {
                    asking.extend(rules.iter().cloned());
                    wanted = wanted.union(*duties);
                }
                Finding::Refused { rules, why } => {
                    refusing.extend(rules.iter().cloned());
                    match why {
                        Why::Rules(blamed) => {
                            reasons.extend(blamed.iter().map(|rule| {
                                self.reason(rule).unwrap_or_else(|| FORBIDDEN.to_owned())
                            }))
                        }
                        Why::Unpermitted => reasons.push(unpermitted(question)),
                        Why::Said(reason) => reasons.push((*reason).to_owned()),
                    }
                }
            }
        }
        if !refusing.is_empty() {
            // Duties of other steps would not help: the write is all or nothing.
            let obligations = self.notices(refusing.iter().map(String::as_str));
            return Verdict { obligations, ..refusal(refusing, reasons) };
        }
        if !asking.is_empty() {
            return self.demand(asking, wanted);
        }
        permits.sort_unstable();
        permits.dedup();
        let marking = permits.iter().map(String::as_str).chain(lifted);
        let mut obligations = self.duties.obligations(taken);
        obligations.extend(self.marks(marking));
        let reason = format!("permitted by {}", permits.join(", "));
        Verdict { decision: Decision::Allow, rules: permits, obligations, reason }
    }

    /// The verdict that asks for duties.
    fn demand(&self, asking: BTreeSet<String>, wanted: Duties) -> Verdict {
        let mut reasons: Vec<String> = asking.iter().filter_map(|rule| self.reason(rule)).collect();
        if reasons.len() < asking.len() {
            reasons.extend(self.duties.sentences(wanted));
        }
        let mut obligations = self.duties.obligations(wanted);
        obligations.extend(self.marks(asking.iter().map(String::as_str)));
        let decision = match self.duties.needs_approval(wanted) {
            true => Decision::RequireApproval,
            false => Decision::Deny,
        };
        Verdict { decision, obligations, ..refusal(asking, reasons) }
    }

    /// What was found for a question before, or is found now.
    fn find(&self, question: &Question<'_>) -> Arc<Finding> {
        let kind = question.principal.kind(&self.words);
        let Some((action, slice)) = self.slices.find(kind, question.principal.id, question.action)
        else {
            return Arc::new(unfit(BTreeSet::new()));
        };
        let now = question.now.both(slice.duties);
        let find = || {
            let evaluation = Evaluation::new(question, &self.duties, action, slice);
            self.decide(&evaluation, now, slice.duties, slice.has_marks)
        };
        match &slice.remembered {
            Some(remembered) => remembered.or_find(question.key(now, &slice.read), find),
            None => Arc::new(find()),
        }
    }

    /// Decides with what is fulfilled now. If only rules with duties forbid, it
    /// decides again as if those were fulfilled: they are worth asking for only
    /// if the call would then be allowed. Whether a forbid applies does not
    /// depend on permits, so adding a permit never removes a duty.
    fn decide(
        &self,
        evaluation: &Evaluation<'_>,
        now: Duties,
        spoken_of: Duties,
        has_marks: bool,
    ) -> Finding {
        let mut supposed = now;
        let mut rules = BTreeSet::new();
        // Each round supposes more duties than the one before, and there are few.
        loop {
            let forbidding = match evaluation.run(supposed) {
                Answer::Permitted(permits) if rules.is_empty() => {
                    return self.allow(evaluation, permits, now, spoken_of, has_marks);
                }
                Answer::Permitted(_) => {
                    return Finding::Duties { rules, duties: supposed.without(now) };
                }
                Answer::Refused(forbidding) => forbidding,
                Answer::Failed(failed) => {
                    rules.extend(failed);
                    return Finding::Refused { rules, why: Why::Said(FAILED) };
                }
                Answer::Unfit => return unfit(rules),
            };
            if forbidding.is_empty() {
                rules.insert(DEFAULT_DENY.to_owned());
                return Finding::Refused { rules, why: Why::Unpermitted };
            }
            let (asking, firm): (Vec<String>, Vec<String>) =
                forbidding.into_iter().partition(|rule| !self.askable(rule).is_empty());
            let more = asking.iter().map(|rule| self.askable(rule)).fold(supposed, Duties::union);
            // Without progress the rules are not lifted by their own duties.
            let stuck = more == supposed;
            rules.extend(asking.iter().chain(&firm).cloned());
            if !firm.is_empty() || stuck {
                let blamed = if firm.is_empty() { asking } else { firm };
                return Finding::Refused { rules, why: Why::Rules(blamed) };
            }
            supposed = more;
        }
    }

    /// A permitted call: from which limits it takes, and which rules it would break
    /// if nothing were fulfilled. The rules are asked again for that where they have
    /// limits or marks.
    fn allow(
        &self,
        evaluation: &Evaluation<'_>,
        permits: Vec<String>,
        now: Duties,
        spoken_of: Duties,
        has_marks: bool,
    ) -> Finding {
        let failed = |failed: Vec<String>| Finding::Refused {
            rules: failed.into_iter().collect(),
            why: Why::Said(FAILED),
        };
        let takeable = self.duties.taken.both(now).both(spoken_of);
        let mut taken = Duties::default();
        if !takeable.is_empty() {
            match evaluation.run(now.without(takeable)) {
                Answer::Permitted(_) => {}
                Answer::Refused(without) => {
                    let of = |rule: &String| self.rule_duties(rule).both(takeable);
                    taken = without.iter().map(of).fold(taken, Duties::union);
                }
                Answer::Failed(rules) => return failed(rules),
                Answer::Unfit => return unfit(BTreeSet::new()),
            }
        }
        let mut lifted = Vec::new();
        if has_marks {
            match evaluation.run(Duties::default()) {
                Answer::Permitted(_) => {}
                Answer::Refused(rules) => lifted = rules,
                Answer::Failed(rules) => return failed(rules),
                Answer::Unfit => return unfit(BTreeSet::new()),
            }
        }
        Finding::Allowed { permits, taken, lifted }
    }

    fn rule_duties(&self, rule: &str) -> Duties {
        self.rules.get(rule).map(|facts| facts.duties).unwrap_or_default()
    }

    /// What of a rule's duties can be asked for.
    fn askable(&self, rule: &str) -> Duties {
        self.rule_duties(rule).both(self.duties.askable)
    }

    fn reason(&self, rule: &str) -> Option<String> {
        self.rules.get(rule).and_then(|facts| facts.reason.clone())
    }

    /// What else these rules say is to be done.
    fn marks<'r>(&self, rules: impl Iterator<Item = &'r str> + Clone) -> Vec<Obligation> {
        let types: BTreeSet<&String> = rules
            .clone()
            .filter_map(|rule| self.rules.get(rule))
            .flat_map(|facts| &facts.redact)
            .collect();
        let redact = (!types.is_empty())
            .then(|| Obligation::Redact { types: types.into_iter().cloned().collect() });
        redact.into_iter().chain(self.notices(rules)).collect()
    }

    /// Who is told of what these rules decided.
    fn notices<'r>(&self, rules: impl Iterator<Item = &'r str>) -> Vec<Obligation> {
        let routes: BTreeSet<&String> =
            rules.filter_map(|rule| self.rules.get(rule)?.notify.as_ref()).collect();
        routes.into_iter().map(|route| Obligation::Notify { route: route.clone() }).collect()
    }
}

impl crate::value::Thing<'_> {
    /// The type of a principal.
    fn kind(&self, words: &Vocabulary) -> Kind {
        if *self.kind == words.operator {
            Kind::Operator
        } else if *self.kind == words.schedule {
            Kind::Schedule
        } else {
            Kind::Skill
        }
    }
}

const FORBIDDEN: &str = "a rule forbids this: the operator can explain or change it";
const FAILED: &str =
    "a rule could not be evaluated, which denies: the operator should see why and mend it";
const UNFIT: &str = "the call could not be put to the rules: please report this to the operator";

fn unfit(mut rules: BTreeSet<String>) -> Finding {
    rules.insert(INCOMPLETE_FACTS.to_owned());
    Finding::Refused { rules, why: Why::Said(UNFIT) }
}

fn unpermitted(question: &Question<'_>) -> String {
    format!(
        "no rule permits {} to {} on {}: the operator can add one",
        question.principal.id, question.action, question.words
    )
}

fn refusal(rules: BTreeSet<String>, mut reasons: Vec<String>) -> Verdict {
    reasons.sort_unstable();
    reasons.dedup();
    let rules: Vec<String> = rules.into_iter().collect();
    let reason = format!("{} ({})", reasons.join("; "), rules.join(", "));
    Verdict { decision: Decision::Deny, rules, obligations: Vec::new(), reason }
}
