//! What a turn sets out to do, decided once and committed before the first
//! effect, so that a turn that runs again does the same.

use postern_domain::{
    ApprovalId, Awaiting, Conversation, Customer, IdentityLevel, InboundKind, PendingTool, SkillId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{agent::Refusal, restricted::Concern, texts};
use crate::{
    brain::{Mention, Route, Understanding},
    identity,
    registry::Skills,
};

/// How often a question is put before a person is asked.
pub(super) const MOST_ASKED: u32 = 3;
/// Turns in a row that are not understood before a person is asked.
const MOST_MISSES: u32 = 2;

/// The stored form of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum PlanFile {
    /// The first form.
    #[serde(rename = "1")]
    V1 {
        /// The plan.
        plan: Plan,
    },
}

/// What was understood and what follows from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The customer's words, in placeholders.
    pub text: String,
    /// What they mean.
    pub understanding: Understanding,
    /// What to do.
    pub action: Action,
    /// What the ticket is about, if this turn needs one.
    pub subject: Option<String>,
    /// Who was writing when the turn began: a turn that runs again starts from
    /// the same, and not from what its first run found out.
    pub customer: Customer,
    /// The session in which it began. None in plans from before this was kept.
    #[serde(default)]
    pub session: Option<u32>,
    /// The language in which it is answered. None in plans from before this was
    /// kept.
    #[serde(default)]
    pub language: Option<String>,
    /// What its restricted content asks for, if it has any.
    #[serde(default)]
    pub restricted: Option<Concern>,
    /// For a call of an agent: what tells it from the agent's other calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Call tools, the last first.
    Call {
        /// The tools.
        stack: Vec<PendingTool>,
    },
    /// Say something.
    Say {
        /// The answer.
        text: String,
    },
    /// Put a question (again).
    Ask {
        /// What is awaited.
        awaiting: Awaiting,
        /// The question as it is put.
        text: String,
    },
    /// The customer answers the question about a call that waits for them.
    Decide {
        /// The call's approval.
        approval: ApprovalId,
        /// What they say.
        word: Word,
    },
    /// Refuse a call of an agent before any tool runs.
    Refuse {
        /// Why.
        refusal: Refusal,
    },
    /// Ask for a person.
    Escalate {
        /// A short machine-readable reason.
        reason: String,
        /// What the customer is told.
        text: String,
    },
}

/// What a customer says about a call that waits for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "word", rename_all = "snake_case")]
pub enum Word {
    /// It may happen.
    Yes,
    /// It must not.
    No,
    /// A code that is to prove who they are. It counts once, so it may be kept.
    Code {
        /// The digits.
        code: String,
    },
}

/// Decides what to do about a message.
pub(super) fn decide(
    skills: &Skills,
    conversation: &Conversation,
    kind: InboundKind,
    text: String,
    understanding: Understanding,
) -> Plan {
    let plan = |action, subject| Plan {
        text: text.clone(),
        understanding: understanding.clone(),
        action,
        subject,
        customer: conversation.customer.clone(),
        session: Some(conversation.state.session),
        language: Some(conversation.language.clone()),
        restricted: None,
        mark: None,
    };
    match kind {
        InboundKind::Text | InboundKind::Edit => {}
        // Who a visitor is has been taken up before a plan is made, and calls of agents
        // have plans of their own.
        InboundKind::Unsupported | InboundKind::Identity | InboundKind::Call => {
            return plan(beside_the_point(conversation, texts::TEXT_ONLY), None);
        }
    }
    if let Some(awaiting) = &conversation.state.awaiting {
        if let Some(approval) = &awaiting.approval {
            if let Some(word) = word_on(awaiting, &understanding, &text) {
                return plan(Action::Decide { approval: approval.clone(), word }, None);
            }
            if understanding.intent().is_none() {
                return plan(ask_again(awaiting), None);
            }
        } else if let Some(stack) = answered(awaiting, &understanding) {
            let subject = stack.first().map(|tool| label(&tool.intent));
            let action = with_identity(skills, conversation, &understanding, stack);
            return plan(action, subject);
        }
        let same = |intent: &str| awaiting.stack.iter().any(|tool| tool.intent == intent);
        let other = understanding.intent().is_some_and(|best| !same(&best.intent));
        if !other {
            let subject = awaiting.stack.first().map(|tool| label(&tool.intent));
            return plan(ask_again(awaiting), subject);
        }
    }
    let Some(best) = understanding.intent() else {
        let action = if conversation.state.misses + 1 >= MOST_MISSES {
            Action::Escalate {
                reason: "not-understood".to_owned(),
                text: texts::NOT_UNDERSTOOD_TWICE.to_owned(),
            }
        } else {
            Action::Say { text: texts::NOT_UNDERSTOOD.to_owned() }
        };
        return plan(action, Some("Not understood".to_owned()));
    };
    match skills.brain.route(&best.intent) {
        Some(Route::Talk { reply }) => plan(beside_the_point(conversation, reply), None),
        Some(Route::Tool { skill, tool, required, optional }) => {
            let mut arguments = Map::new();
            for name in required.iter().chain(optional) {
                let known = understanding.entity(name, skill).or_else(|| {
                    // What was said before fills in only for what is needed.
                    let before = remembered(conversation, name, skill);
                    before.filter(|_| required.contains(name))
                });
                if let Some(value) = known {
                    arguments.insert(name.clone(), argument(name, value));
                }
            }
            let call = PendingTool {
                skill: skill.clone(),
                tool: tool.clone(),
                intent: best.intent.clone(),
                arguments,
            };
            let action = with_identity(skills, conversation, &understanding, vec![call]);
            plan(action, Some(label(&best.intent)))
        }
        None => plan(Action::Say { text: texts::NOT_UNDERSTOOD.to_owned() }, None),
    }
}

/// An answer that leaves an open question open.
fn beside_the_point(conversation: &Conversation, text: &str) -> Action {
    let text = text.to_owned();
    match conversation.state.awaiting.clone() {
        Some(awaiting) => Action::Ask { awaiting, text },
        None => Action::Say { text },
    }
}

/// A call of tools, preceded by the tool that finds out who the customer is if
/// the first of them needs to know.
fn with_identity(
    skills: &Skills,
    conversation: &Conversation,
    understanding: &Understanding,
    mut stack: Vec<PendingTool>,
) -> Action {
    let tool = |call: &PendingTool| {
        skills.active.get(&call.skill).and_then(|skill| skill.manifest.tool(&call.tool))
    };
    let needed = stack.last().and_then(&tool).map(|tool| tool.identity).unwrap_or_default();
    let personal =
        stack.iter().filter_map(tool).any(|t| t.identifies || t.identity > IdentityLevel::Unknown);
    if personal && !conversation.private {
        return Action::Say { text: texts::WRITE_PRIVATELY.to_owned() };
    }
    if needed <= conversation.customer.level {
        return Action::Call { stack };
    }
    let Some((skill, tool)) = skills.brain.identity_tool() else {
        return Action::Escalate {
            reason: "identity-needed".to_owned(),
            text: texts::CANNOT_IDENTIFY.to_owned(),
        };
    };
    let mut arguments = Map::new();
    for name in answers_to("email") {
        if let Some(value) = understanding.entity(name, skill) {
            arguments.insert((*name).to_owned(), argument(name, value));
        }
    }
    stack.push(PendingTool {
        skill: skill.clone(),
        tool: tool.clone(),
        intent: stack.last().map(|call| call.intent.clone()).unwrap_or_default(),
        arguments,
    });
    Action::Call { stack }
}

/// The entities with which a question can be answered: who somebody is can be
/// told in two ways.
pub(super) fn answers_to(entity: &str) -> &'static [&'static str] {
    match entity {
        "email" => &["email", "first_name", "last_name", "postcode"],
        "confirmed" => &["confirmed"],
        _ => &[],
    }
}

/// What a message says about the call that waits for it.
fn word_on(awaiting: &Awaiting, understanding: &Understanding, text: &str) -> Option<Word> {
    if awaiting.entity == identity::CODE {
        return identity::code_in(text).map(|code| Word::Code { code });
    }
    let said = understanding.entities.iter().find(|mention| mention.name == "confirmed")?;
    Some(if said.value == "true" { Word::Yes } else { Word::No })
}

/// The tools that wait, with what the message adds, if it answers the question.
fn answered(awaiting: &Awaiting, understanding: &Understanding) -> Option<Vec<PendingTool>> {
    let own = [awaiting.entity.as_str()];
    let names = match answers_to(&awaiting.entity) {
        [] => &own[..],
        names => names,
    };
    let mut stack = awaiting.stack.clone();
    let top = stack.last_mut()?;
    let skill = top.skill.clone();
    let mut any = false;
    for name in names {
        if let Some(value) = understanding.entity(name, &skill) {
            top.arguments.insert((*name).to_owned(), argument(name, value));
            any = true;
        }
    }
    any.then_some(stack)
}

/// Under what a mention is remembered: once for the host's own entities, once
/// for each skill that declares it.
pub(super) fn memory_names(mention: &Mention) -> Vec<String> {
    match &mention.declared_by[..] {
        [] => vec![mention.name.clone()],
        skills => skills.iter().map(|skill| format!("{skill}/{}", mention.name)).collect(),
    }
}

/// An entity that was mentioned before.
fn remembered<'c>(conversation: &'c Conversation, name: &str, skill: &SkillId) -> Option<&'c str> {
    let entities = &conversation.state.entities;
    let value = entities.get(&format!("{skill}/{name}")).or_else(|| entities.get(name));
    value.map(String::as_str)
}

/// An entity's value as an argument.
fn argument(name: &str, value: &str) -> Value {
    match (name, value) {
        ("confirmed", "true") => Value::Bool(true),
        ("confirmed", _) => Value::Bool(false),
        (_, value) => Value::String(value.to_owned()),
    }
}

fn ask_again(awaiting: &Awaiting) -> Action {
    if awaiting.asked >= MOST_ASKED {
        return Action::Escalate {
            reason: "question-not-answered".to_owned(),
            text: texts::NOT_UNDERSTOOD_TWICE.to_owned(),
        };
    }
    let awaiting = Awaiting { asked: awaiting.asked + 1, ..awaiting.clone() };
    let text = texts::again(&awaiting.question);
    Action::Ask { awaiting, text }
}

/// An intent's name for people: `order_status` → `Order status`.
pub(super) fn label(intent: &str) -> String {
    let words = intent.replace('_', " ");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => words,
    }
}
