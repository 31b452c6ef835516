//! One evaluation by Cedar of one question, with given duties fulfilled.

use cedar_policy::{
    AuthorizationError, Authorizer, Context, Decision, Entities, Request,
    RestrictedExpression as Expr,
};

use crate::{
    duty::{Duties, DutyTable},
    slice::{Action, Slice},
    value::Question,
    vocabulary::{strings, uid},
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

/// A question put into Cedar's form, to be asked perhaps more than once.
pub(crate) struct Evaluation<'a> {
    question: &'a Question<'a>,
    duties: &'a DutyTable,
    action: &'a Action,
    slice: &'a Slice,
    /// Nothing, if Cedar cannot take them.
    known: Option<Entities>,
    context: Vec<(String, Expr)>,
}

impl<'a> Evaluation<'a> {
    pub(crate) fn new(
        question: &'a Question<'a>,
        duties: &'a DutyTable,
        action: &'a Action,
        slice: &'a Slice,
    ) -> Self {
        let read = &slice.read;
        let things = [question.principal.entity(read), question.resource.entity(read)];
        // Of a schedule that works on its own schedule there is one entity.
        let same = things[0].uid() == things[1].uid();
        let things = things.into_iter().skip(usize::from(same));
        let known = action.entities.clone().add_entities(things, None).ok();
        let context = question
            .context
            .iter()
            .filter(|(name, _)| read.have(name))
            .map(|(name, value)| ((*name).to_owned(), value.expression()))
            .collect();
        Self { question, duties, action, slice, known, context }
    }

    /// What the rules say when these duties are fulfilled.
    pub(crate) fn run(&self, satisfied: Duties) -> Answer {
        self.response(satisfied).unwrap_or(Answer::Unfit)
    }

    fn response(&self, satisfied: Duties) -> Option<Answer> {
        let Question { principal, resource, .. } = self.question;
        let mut context = self.context.clone();
        if self.slice.read.have("satisfied") {
            context.push(("satisfied".to_owned(), strings(self.duties.tokens(satisfied))));
        }
        let request = Request::new(
            uid(principal.kind, principal.id),
            self.action.uid.clone(),
            uid(resource.kind, resource.id),
            Context::from_pairs(context).ok()?,
            None,
        )
        .ok()?;
        let known = self.known.as_ref()?;
        let response = Authorizer::new().is_authorized(&request, &self.slice.rules, known);
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
}

fn sorted(ids: impl Iterator<Item = String>) -> Vec<String> {
    let mut ids: Vec<String> = ids.collect();
    ids.sort_unstable();
    ids
}
