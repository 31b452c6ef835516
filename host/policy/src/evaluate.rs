//! One evaluation by Cedar of one subject, with given duties fulfilled.

use cedar_policy::{
    AuthorizationError, Authorizer, Context, Decision, Entities, EntityUid, Request,
    RestrictedExpression as Expr,
};

use crate::{
    PolicyRequest,
    duty::{Duties, Duty},
    slice::Slices,
    subject::Subject,
    vocabulary::{Vocabulary, entity, record, reference, string, strings, uid},
};

/// What Cedar said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// These rules permit it and none forbids it.
    Permitted(Vec<String>),
    /// These rules forbid it; if there are none, no rule permits it.
    Refused(Vec<String>),
    /// These rules could not be evaluated. Cedar would skip them.
    Failed(Vec<String>),
    /// Cedar could not take the request.
    Unfit,
}

/// A subject prepared for evaluation, perhaps more than once.
pub(crate) struct Evaluation<'a> {
    words: &'a Vocabulary,
    slices: &'a Slices,
    request: &'a PolicyRequest<'a>,
    subject: &'a Subject,
    principal: EntityUid,
}

impl<'a> Evaluation<'a> {
    pub(crate) fn new(
        words: &'a Vocabulary,
        slices: &'a Slices,
        request: &'a PolicyRequest<'a>,
        subject: &'a Subject,
    ) -> Self {
        let principal = uid(&words.skill, request.skill.as_str());
        Self { words, slices, request, subject, principal }
    }

    /// What the rules say when these duties are fulfilled.
    pub(crate) fn run(&self, satisfied: Duties) -> Answer {
        self.response(satisfied).unwrap_or(Answer::Unfit)
    }

    fn response(&self, satisfied: Duties) -> Option<Answer> {
        let (action, rules) = self.slices.find(self.request.skill.as_str(), self.subject.action)?;
        let skill = entity(
            self.principal.clone(),
            [
                ("version", string(&self.request.version.to_string())),
                ("publisher", string(self.request.publisher)),
            ],
        );
        let resource = self.subject.resource.uid();
        let known: Entities = action
            .entities
            .clone()
            .add_entities([skill, self.subject.resource.clone()], None)
            .ok()?;
        let context = Context::from_pairs(self.context(satisfied)).ok()?;
        let request =
            Request::new(self.principal.clone(), action.uid.clone(), resource, context, None)
                .ok()?;
        let response = Authorizer::new().is_authorized(&request, rules, &known);
        let failed = response.diagnostics().errors().map(|error| match error {
            AuthorizationError::PolicyEvaluationError(error) => error.policy_id().to_string(),
        });
        let failed = sorted(failed);
        let reasons = sorted(response.diagnostics().reason().map(ToString::to_string));
        Some(match response.decision() {
            Decision::Allow | Decision::Deny if !failed.is_empty() => Answer::Failed(failed),
            Decision::Allow => Answer::Permitted(reasons),
            Decision::Deny => Answer::Refused(reasons),
        })
    }

    fn context(&self, satisfied: Duties) -> Vec<(String, Expr)> {
        let facts = self.request.facts;
        let level = reference(&self.words.identity_level, facts.customer.level.as_str());
        let key = facts.customer.key.as_deref().map(|key| ("key", string(key)));
        let customer =
            [("level", level), ("failed_attempts", Expr::new_long(facts.identify_failures.into()))];
        let conversation = [
            ("channel", reference(&self.words.channel, facts.channel.as_str())),
            ("private", Expr::new_bool(facts.private)),
        ];
        let tokens = Duty::ALL.into_iter().filter(|duty| satisfied.has(*duty)).map(Duty::token);
        let arguments = self.subject.arguments.clone().map(|value| ("arguments", value));
        [
            ("tool", string(self.request.tool)),
            ("customer", record(customer.into_iter().chain(key))),
            ("conversation", record(conversation)),
            ("satisfied", strings(tokens)),
            ("now_ms", Expr::new_long(facts.now.millis())),
        ]
        .into_iter()
        .chain(arguments)
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }
}

fn sorted(ids: impl Iterator<Item = String>) -> Vec<String> {
    let mut ids: Vec<String> = ids.collect();
    ids.sort_unstable();
    ids
}
