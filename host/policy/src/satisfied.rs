//! Holds duties and conditions together: a duty that the condition does not
//! ask for could never be fulfilled, and a condition without its annotation
//! would be a duty that nobody is told of.

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

/// How a rule asks `context.satisfied`.
enum Use {
    /// Whether it contains this text.
    Contains(String),
    /// In some other way.
    Other,
}

/// What is wrong with how a rule with these duties asks for them.
pub(crate) fn faults(policy: &Policy, duties: &[Duty], named: &Named<'_>) -> Vec<Fault> {
    let Ok(json) = policy.to_json() else {
        return vec![Fault::new("the rule cannot be inspected", "write it in a simpler way")];
    };
    let mut uses = Vec::new();
    gather(&json, &mut uses);
    let mut faults: Vec<Fault> =
        uses.iter().filter_map(|used| fault_of(used, duties, named)).collect();
    let asked = |duty: &&Duty| {
        let token = duty.token();
        uses.iter().any(|used| matches!(used, Use::Contains(text) if *text == token))
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
    let Use::Contains(text) = used else {
        return Some(Fault::new(
            "context.satisfied is asked in a way that is not supported",
            "ask context.satisfied.contains(\"confirm\") and the like",
        ));
    };
    if duties.iter().any(|duty| duty.token() == *text) {
        return None;
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

/// Every use of `context.satisfied` in the JSON form of a rule.
fn gather(node: &Value, uses: &mut Vec<Use>) {
    match node {
        Value::Array(items) => items.iter().for_each(|item| gather(item, uses)),
        Value::Object(members) => {
            let asked = node.get("contains").filter(|of| of.get("left").is_some_and(is_satisfied));
            if let Some(asked) = asked {
                let text = asked.pointer("/right/Value").and_then(Value::as_str);
                uses.push(text.map_or(Use::Other, |text| Use::Contains(text.to_owned())));
            } else if is_satisfied(node) {
                uses.push(Use::Other);
            } else {
                members.values().for_each(|member| gather(member, uses));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_satisfied(node: &Value) -> bool {
    node.pointer("/./attr").is_some_and(|attr| attr == "satisfied")
        && node.pointer("/./left/Var").is_some_and(|var| var == "context")
}
