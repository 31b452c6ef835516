//! Holds duties and conditions together: a duty that the condition does not
//! ask for could never be fulfilled, a condition without its annotation would be a
//! duty that nobody is told of, and a condition the wrong way round would make the
//! rule apply once the duty is fulfilled.

use cedar_policy::Policy;
use serde_json::Value;

use crate::{duty::Duty, error::did_you_mean, rule::Named};

/// Something about `context.satisfied` that is wrong with a rule.
pub(crate) struct Fault {
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl Fault {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }
}

/// What a condition that holds does to the rule.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sense {
    /// It keeps the rule from applying.
    Lifts,
    /// It makes the rule apply.
    Applies,
    /// It can be either.
    Unclear,
}

impl Sense {
    const fn negated(self) -> Self {
        match self {
            Self::Lifts => Self::Applies,
            Self::Applies => Self::Lifts,
            Self::Unclear => Self::Unclear,
        }
    }
}

/// How a rule asks `context.satisfied`.
enum Use {
    /// Whether it contains this text.
    Contains(String, Sense),
    /// In some other way.
    Other,
}

/// What is wrong with how a rule with these duties asks for them.
pub(crate) fn faults(policy: &Policy, duties: &[Duty], named: &Named<'_>) -> Vec<Fault> {
    let Ok(json) = policy.to_json() else {
        return vec![Fault::new("the rule cannot be inspected", "write it in a simpler way")];
    };
    let mut uses = Vec::new();
    for condition in json.pointer("/conditions").and_then(Value::as_array).into_iter().flatten() {
        let is_unless = condition.get("kind").is_some_and(|kind| kind == "unless");
        let sense = if is_unless { Sense::Lifts } else { Sense::Applies };
        condition.get("body").into_iter().for_each(|body| gather(body, sense, &mut uses));
    }
    let mut faults: Vec<Fault> =
        uses.iter().filter_map(|used| fault_of(used, duties, named)).collect();
    let asked = |duty: &&Duty| {
        let token = duty.token();
        uses.iter().any(|used| matches!(used, Use::Contains(text, _) if *text == token))
    };
    faults.extend(duties.iter().filter(|duty| !asked(duty)).map(|duty| {
        let token = duty.token();
        Fault::new(
            format!("{} does not lift the rule", duty.annotation()),
            format!("end it with unless {{ context.satisfied.contains(\"{token}\") }}"),
        )
    }));
    faults
}

fn fault_of(used: &Use, duties: &[Duty], named: &Named<'_>) -> Option<Fault> {
    let Use::Contains(text, sense) = used else {
        return Some(Fault::new(
            "context.satisfied is asked in a way that is not supported",
            "ask context.satisfied.contains(\"confirm\") and the like",
        ));
    };
    if let Some(duty) = duties.iter().find(|duty| duty.token() == *text) {
        let message = match sense {
            Sense::Lifts => return None,
            Sense::Applies => format!("{} is the wrong way round", duty.annotation()),
            Sense::Unclear => {
                format!("{} is asked where it may not lift the rule", duty.annotation())
            }
        };
        return Some(Fault::new(
            message,
            format!("end the rule with unless {{ context.satisfied.contains(\"{text}\") }}"),
        ));
    }
    let known = named.duties();
    match known.iter().find(|duty| duty.token() == *text) {
        None => {
            let tokens: Vec<String> = known.iter().map(Duty::token).collect();
            let hint = did_you_mean(text, tokens.iter().map(String::as_str))
                .unwrap_or_else(|| format!("there are {}", tokens.join(", ")));
            Some(Fault::new(format!("context.satisfied never contains {text:?}"), hint))
        }
        Some(duty) => Some(Fault::new(
            format!("asks for {text:?} without saying so"),
            format!("put {} on a forbid rule", duty.annotation()),
        )),
    }
}

/// Every use of `context.satisfied` in the JSON form of an expression.
fn gather(node: &Value, sense: Sense, uses: &mut Vec<Use>) {
    match node {
        Value::Array(items) => items.iter().for_each(|item| gather(item, Sense::Unclear, uses)),
        Value::Object(members) => {
            let asked = node.get("contains").filter(|of| of.get("left").is_some_and(is_satisfied));
            if let Some(asked) = asked {
                let text = asked.pointer("/right/Value").and_then(Value::as_str);
                uses.push(text.map_or(Use::Other, |text| Use::Contains(text.to_owned(), sense)));
            } else if is_satisfied(node) {
                uses.push(Use::Other);
            } else {
                for (operator, of) in members {
                    operands(operator, of, sense, uses);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The same for what an operator is applied to.
fn operands(operator: &str, of: &Value, sense: Sense, uses: &mut Vec<Use>) {
    let passed = |name: &str| match (operator, name) {
        ("&&" | "||", "left" | "right") | ("if-then-else", "then" | "else") => sense,
        ("!", "arg") => sense.negated(),
        (_, _) => Sense::Unclear,
    };
    match of {
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| gather(member, passed(name), uses));
        }
        other => gather(other, Sense::Unclear, uses),
    }
}

fn is_satisfied(node: &Value) -> bool {
    node.pointer("/./attr").is_some_and(|attr| attr == "satisfied")
        && node.pointer("/./left/Var").is_some_and(|var| var == "context")
}
