//! One evaluation by Cedar of one subject, with given duties fulfilled.

use cedar_policy::{
    AuthorizationError, Authorizer, Context, Decision, Entities, Entity, EntityUid, Request,
    RestrictedExpression as Expr,
};

use crate::{
    PolicyRequest,
    duty::{Duties, Duty},
    names::Names,
    slice::Slices,
    subject::Subject,
    vocabulary::{Thing, Vocabulary, record, reference, string, strings, uid},
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
        let (action, slice) = self.slices.find(self.request.skill.as_str(), self.subject.action)?;
        let read = &slice.read;
        let resource = self.subject.resource.with(read);
        let about = resource.uid();
        let known: Entities =
            action.entities.clone().add_entities([self.skill(read), resource], None).ok()?;
        let context = Context::from_pairs(self.context(satisfied, read)).ok()?;
        let request =
            Request::new(self.principal.clone(), action.uid.clone(), about, context, None).ok()?;
        let response = Authorizer::new().is_authorized(&request, &slice.rules, &known);
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

    fn skill(&self, read: &Names) -> Entity {
        let mut attributes = Vec::new();
        if read.have("version") {
            attributes.push(("version", string(&self.request.version.to_string())));
        }
        if read.have("publisher") {
            attributes.push(("publisher", string(self.request.publisher)));
        }
        Thing { uid: self.principal.clone(), attributes }.with(read)
    }

    /// What of the context could be read.
    fn context(&self, satisfied: Duties, read: &Names) -> Vec<(String, Expr)> {
        let facts = self.request.facts;
        let mut context = Vec::new();
        let mut add = |name: &str, value: &dyn Fn() -> Expr| {
            if read.have(name) {
                context.push((name.to_owned(), value()));
            }
        };
        add("tool", &|| string(self.request.tool));
        add("customer", &|| {
            let level = reference(&self.words.identity_level, facts.customer.level.as_str());
            let failed_attempts = Expr::new_long(facts.identify_failures.into());
            let key = facts.customer.key.as_deref().map(|key| ("key", string(key)));
            record([("level", level), ("failed_attempts", failed_attempts)].into_iter().chain(key))
        });
        add("conversation", &|| {
            let channel = reference(&self.words.channel, facts.channel.as_str());
            record([("channel", channel), ("private", Expr::new_bool(facts.private))])
        });
        add("satisfied", &|| {
            strings(Duty::ALL.into_iter().filter(|duty| satisfied.has(*duty)).map(Duty::token))
        });
        add("now_ms", &|| Expr::new_long(facts.now.millis()));
        if let Some(arguments) = &self.subject.arguments {
            add("arguments", &|| arguments.clone());
        }
        context
    }
}

fn sorted(ids: impl Iterator<Item = String>) -> Vec<String> {
    let mut ids: Vec<String> = ids.collect();
    ids.sort_unstable();
    ids
}
