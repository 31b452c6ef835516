//! Which attributes rules read, so that no others are put together for them.

use std::collections::BTreeSet;

use cedar_policy::Policy;
use serde_json::Value;

/// Names of attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// These alone, whatever they are attributes of.
    Of(BTreeSet<String>),
    /// Perhaps any.
    Any,
}

impl Names {
    /// Every name that one of the rules could read. It does not matter of what: a
    /// rule that never says a name cannot read an attribute of that name.
    pub(crate) fn read_by<'p>(rules: impl IntoIterator<Item = &'p Policy>) -> Self {
        let mut names = Self::Of(BTreeSet::new());
        for rule in rules {
            match rule.to_json() {
                Ok(json) => names.gather(&json["conditions"]),
                Err(_) => names = Self::Any,
            }
        }
        names
    }

    /// Whether an attribute of this name could be read.
    pub(crate) fn have(&self, name: &str) -> bool {
        match self {
            Self::Of(names) => names.contains(name),
            Self::Any => true,
        }
    }

    /// Adds what an expression in its JSON form reads.
    fn gather(&mut self, node: &Value) {
        match node {
            Value::Array(items) => items.iter().for_each(|item| self.gather(item)),
            Value::Object(members) => {
                for (operator, operand) in members {
                    match operator.as_str() {
                        "." | "has" => self.gather_access(operand),
                        // The context as a whole, compared perhaps. Entities as a
                        // whole are compared by their ids.
                        "Var" if operand == "context" => *self = Self::Any,
                        _ => self.gather(operand),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Adds what `left.attr` or `left has attr` reads; `has` may name a path.
    fn gather_access(&mut self, access: &Value) {
        let attr = match &access["attr"] {
            Value::Array(path) => path.as_slice(),
            name => std::slice::from_ref(name),
        };
        let (Some(left), Some(found)) =
            (access.get("left"), attr.iter().map(Value::as_str).collect::<Option<Vec<_>>>())
        else {
            *self = Self::Any;
            return;
        };
        if let Self::Of(names) = self {
            names.extend(found.into_iter().map(str::to_owned));
        }
        if left.get("Var").is_none() {
            self.gather(left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(condition: &str, expected: &[&str]) {
        let rule = format!("permit (principal, action, resource) when {{ {condition} }};");
        let names = Names::read_by([&rule.parse::<Policy>().unwrap()]);
        let expected = expected.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(names, Names::Of(expected), "{condition}");
    }

    #[test]
    fn every_name_that_is_read_is_found() {
        check("true", &[]);
        check("resource.skill == principal", &["skill"]);
        check("context.customer.key == resource.owner", &["customer", "key", "owner"]);
        check(
            "context has customer && resource has fields.status",
            &["customer", "fields", "status"],
        );
        check(
            "if context.a then [principal.b].contains(1) else {c: resource.d}.c > 1",
            &["a", "b", "c", "d"],
        );
        check("context.e.contains(\"f\") || resource.g like \"h*\"", &["e", "g"]);
    }

    #[test]
    fn the_context_as_a_whole_may_be_read_in_any_part() {
        for condition in ["context == {a: 1}", "[context].contains({a: 1})", "{a: context}.a == 1"]
        {
            let rule = format!("permit (principal, action, resource) when {{ {condition} }};");
            let names = Names::read_by([&rule.parse::<Policy>().unwrap()]);
            assert_eq!(names, Names::Any, "{condition}");
        }
    }
}
