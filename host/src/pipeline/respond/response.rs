//! The answers of a turn's tools, and what they still want.

use postern_domain::{Awaiting, Outcome, PendingTool, Severity, SkillFailure};

use super::super::{agent::Came, plan, texts};

/// What running the tools came to.
#[derive(Default)]
pub(in crate::pipeline) struct Response {
    /// What the customer is told, in order.
    pub(in crate::pipeline) answers: Vec<String>,
    /// What skills wrote of it.
    pub(in crate::pipeline) by_skills: Vec<String>,
    /// What is awaited now.
    pub(in crate::pipeline) awaiting: Option<Awaiting>,
    /// Whether a person is needed.
    pub(in crate::pipeline) escalate: Option<Escalation>,
    /// Tools that ran: `order-status@0.1.0 order_status → reply`.
    pub(in crate::pipeline) steps: Vec<String>,
    /// Whether the customer decided about a call that waits for them.
    pub(in crate::pipeline) decided: bool,
    /// What the last tool came to, if it may be told.
    pub(in crate::pipeline) result: Option<Result<Outcome, SkillFailure>>,
    /// What an agent gets.
    pub(in crate::pipeline) came: Option<Came>,
}

/// A wish for a person.
pub(in crate::pipeline) struct Escalation {
    /// A short reason, in the host's own words.
    pub(in crate::pipeline) reason: String,
    /// How soon.
    pub(in crate::pipeline) severity: Severity,
    /// The failure that led to it.
    pub(in crate::pipeline) failure: Option<String>,
}

impl Response {
    /// Puts a tool's question; a question that is put too often asks for a
    /// person instead.
    pub(super) fn ask(
        &mut self,
        mut stack: Vec<PendingTool>,
        entity: String,
        text: String,
        before: Option<&Awaiting>,
    ) {
        let again = before.is_some_and(|before| {
            let tools = (before.stack.last(), stack.last());
            before.entity == entity
                && matches!(tools, (Some(a), Some(b)) if a.skill == b.skill && a.tool == b.tool)
        });
        let asked = if again { before.map_or(0, |before| before.asked) + 1 } else { 1 };
        if asked > plan::MOST_ASKED {
            let civil = match entity.as_str() {
                "email" => texts::CANNOT_IDENTIFY,
                _ => texts::NOT_UNDERSTOOD_TWICE,
            };
            self.answers.push(civil.to_owned());
            let reason = format!("no answer to {entity}");
            self.escalate = Some(Escalation { reason, severity: Severity::Normal, failure: None });
            return;
        }
        if let Some(top) = stack.last_mut() {
            for name in plan::answers_to(&entity) {
                top.arguments.remove(*name);
            }
            top.arguments.remove(&entity);
        }
        self.said_by_skill(text.clone());
        self.awaiting = Some(Awaiting { stack, entity, question: text, asked, approval: None });
    }

    /// A text of a skill is one more answer.
    pub(super) fn said_by_skill(&mut self, text: String) {
        self.by_skills.push(text.clone());
        self.answers.push(text);
    }

    /// Asks for a person. The reason goes into audit, and the failure only to the
    /// person.
    pub(super) fn fail(&mut self, reason: String, failure: String, civil: &str) {
        self.answers.push(civil.to_owned());
        self.escalate =
            Some(Escalation { reason, severity: Severity::Normal, failure: Some(failure) });
    }

    /// This refusal as the end of what came `before`. What the skill made of it is not
    /// said: it cannot know who decided, and why.
    pub(super) fn after(self, before: Self) -> Self {
        let answers = before.answers.into_iter().chain(self.answers).collect();
        let by_skills = before.by_skills.into_iter().chain(self.by_skills).collect();
        Self { answers, by_skills, steps: before.steps, result: before.result, ..self }
    }
}
