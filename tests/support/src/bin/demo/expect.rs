//! What must come of a step, and what did.

use postern_domain::{CallRecord, CallState, Conversation, Decision, Ticket};

/// What must come of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// The answer contains this, in whatever case.
    Says(String),
    /// The answer does not contain this, in whatever case.
    DoesNotSay(String),
    /// The answer asks for this entity.
    Asks(&'static str),
    /// The customer is now identified as this one.
    Identified(String),
    /// This tool of this skill was run.
    Uses(&'static str, &'static str),
    /// No tool was run.
    UsesNothing,
    /// A host call with this action was allowed and performed.
    Performs(&'static str),
    /// A host call was refused by this rule.
    Refuses(&'static str),
    /// The message was not taken for anything.
    NotUnderstood,
    /// The ticket waits for a person.
    Escalates,
    /// No ticket waits for a person.
    StaysWithMachine,
    /// The chat has got so many answers since it began.
    AnswersInAll(usize),
    /// Each delivery was answered with this HTTP status.
    Status(u16),
    /// No conversation came of it.
    LeavesNothing,
}

/// What was understood.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Intent {
    pub(crate) name: String,
    pub(crate) probability: f64,
    pub(crate) in_scope: bool,
}

/// A tool that was run, with its calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToolRun {
    pub(crate) skill: String,
    pub(crate) version: String,
    pub(crate) tool: String,
    pub(crate) came_to: String,
    pub(crate) calls: Vec<CallRecord>,
}

/// What came of a step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed {
    pub(crate) statuses: Vec<u16>,
    pub(crate) intent: Option<Intent>,
    pub(crate) tools: Vec<ToolRun>,
    pub(crate) answers: Vec<String>,
    pub(crate) answers_in_all: usize,
    pub(crate) ticket: Option<Ticket>,
    /// The conversation afterwards, if there is one.
    pub(crate) conversation: Option<Conversation>,
}

impl Observed {
    fn says(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.answers.iter().any(|answer| answer.to_lowercase().contains(&text))
    }

    fn calls(&self) -> impl Iterator<Item = &CallRecord> {
        self.tools.iter().flat_map(|tool| &tool.calls)
    }

    fn awaits(&self) -> Option<&str> {
        Some(self.conversation.as_ref()?.state.awaiting.as_ref()?.entity.as_str())
    }
}

impl Expect {
    /// Whether it came so.
    pub(crate) fn holds(&self, seen: &Observed) -> bool {
        match self {
            Self::Says(text) => seen.says(text),
            Self::DoesNotSay(text) => !seen.answers.is_empty() && !seen.says(text),
            Self::Asks(entity) => !seen.answers.is_empty() && seen.awaits() == Some(entity),
            Self::Identified(key) => {
                seen.conversation.as_ref().is_some_and(|c| c.customer.key.as_ref() == Some(key))
            }
            Self::Uses(skill, tool) => {
                seen.tools.iter().any(|run| run.skill == *skill && run.tool == *tool)
            }
            Self::UsesNothing => seen.conversation.is_some() && seen.tools.is_empty(),
            Self::Performs(action) => seen.calls().any(|record| {
                record.call.action() == *action
                    && record.decision == Decision::Allow
                    && matches!(record.state, CallState::Done { .. })
            }),
            Self::Refuses(rule) => seen.calls().any(|record| {
                record.decision == Decision::Deny && record.rules.iter().any(|r| r == rule)
            }),
            Self::NotUnderstood => {
                !seen.answers.is_empty() && !seen.intent.as_ref().is_some_and(|i| i.in_scope)
            }
            Self::Escalates => seen.ticket.as_ref().is_some_and(|t| t.queue.is_some()),
            Self::StaysWithMachine => {
                seen.conversation.is_some()
                    && seen.ticket.as_ref().is_none_or(|t| t.queue.is_none())
            }
            Self::AnswersInAll(n) => seen.answers_in_all == *n,
            Self::Status(status) => {
                !seen.statuses.is_empty() && seen.statuses.iter().all(|s| s == status)
            }
            Self::LeavesNothing => seen.conversation.is_none(),
        }
    }

    /// It in words.
    pub(crate) fn claim(&self) -> String {
        match self {
            Self::Says(text) => format!("the answer says “{text}”"),
            Self::DoesNotSay(text) => format!("the answer does not say “{text}”"),
            Self::Asks(entity) => format!("the answer asks for {entity}"),
            Self::Identified(key) => format!("the customer is identified as {key}"),
            Self::Uses(skill, tool) => format!("{skill} runs {tool}"),
            Self::UsesNothing => "no skill runs".to_owned(),
            Self::Performs(action) => format!("{action} is allowed and performed"),
            Self::Refuses(rule) => format!("a call is refused by the rule {rule}"),
            Self::NotUnderstood => "the message is not taken for anything".to_owned(),
            Self::Escalates => "the ticket waits for a person".to_owned(),
            Self::StaysWithMachine => "no person is bothered".to_owned(),
            Self::AnswersInAll(1) => "there has been one answer in all".to_owned(),
            Self::AnswersInAll(n) => format!("there have been {n} answers in all"),
            Self::Status(status) => format!("every delivery is answered with {status}"),
            Self::LeavesNothing => "no conversation and no message is left behind".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_seen_fulfils_no_expectation_but_that_of_nothing() {
        let nothing = Observed::default();
        for expect in [
            Expect::Says("x".into()),
            Expect::DoesNotSay("x".into()),
            Expect::Asks("email"),
            Expect::Identified("u".into()),
            Expect::Uses("s", "t"),
            Expect::UsesNothing,
            Expect::Performs("http:send"),
            Expect::Refuses("r"),
            Expect::NotUnderstood,
            Expect::Escalates,
            Expect::StaysWithMachine,
            Expect::AnswersInAll(1),
            Expect::Status(200),
        ] {
            assert!(!expect.holds(&nothing), "{}", expect.claim());
        }
        assert!(Expect::LeavesNothing.holds(&nothing));
    }
}
