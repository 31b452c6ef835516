//! Which attributes rules read, so that no others are put together for them, and
//! how they read those that differ from customer to customer.

use std::collections::BTreeSet;

use cedar_policy::{Policy, ResourceConstraint};
use serde_json::Value;

/// What rules read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// Perhaps everything.
    any: bool,
    /// Names of attributes, whatever they are attributes of.
    read: BTreeSet<String>,
    /// Those that are read as a value, or asked for by `has`, and not only on the
    /// way to an attribute of theirs.
    ends: BTreeSet<String>,
    /// Whether the id of the resource can make a difference.
    resource_id: bool,
    /// Whether one of [`PERSONAL`] is read otherwise than to compare it with another
    /// of them, or to ask whether it is there.
    literally: bool,
}

/// Attributes that differ from customer to customer: the customer's key, and of the
/// resource its key and its owners.
const PERSONAL: [&str; 3] = ["key", "owner", "new_owner"];

impl Names {
    /// Every name that a rule could read. It does not matter of what: a rule that
    /// never says a name cannot read an attribute of that name.
    pub(crate) fn read_by(rule: &Policy) -> Self {
        let mut names = Self::default();
        match rule.resource_constraint() {
            ResourceConstraint::Any | ResourceConstraint::Is(_) => {}
            ResourceConstraint::In(_)
            | ResourceConstraint::Eq(_)
            | ResourceConstraint::IsIn(_, _) => names.resource_id = true,
        }
        match rule.to_json() {
            Ok(json) => names.gather(&json["conditions"]),
            Err(_) => names.any = true,
        }
        // The customer as a whole holds the key.
        names.literally |= names.ends.contains("customer");
        names
    }

    /// What several rules read.
    pub(crate) fn together<'n>(all: impl IntoIterator<Item = &'n Self>) -> Self {
        let mut names = Self::default();
        for more in all {
            names.any |= more.any;
            names.resource_id |= more.resource_id;
            names.literally |= more.literally;
            names.read.extend(more.read.iter().cloned());
            names.ends.extend(more.ends.iter().cloned());
        }
        names
    }

    /// Perhaps everything.
    #[cfg(test)]
    pub(crate) fn any() -> Self {
        Self { any: true, ..Self::default() }
    }

    /// Whether an attribute of this name could be read.
    pub(crate) fn have(&self, name: &str) -> bool {
        self.any || self.read.contains(name)
    }

    /// Whether the value of an attribute of this name could be read, and not only
    /// attributes of that value.
    pub(crate) fn have_value(&self, name: &str) -> bool {
        self.any || self.ends.contains(name)
    }

    /// Whether the id of the resource can make a difference.
    pub(crate) fn have_resource_id(&self) -> bool {
        self.any || self.resource_id
    }

    /// Whether values that differ from customer to customer make a difference only
    /// by being there and by being equal to each other.
    pub(crate) fn by_pattern(&self) -> bool {
        !self.any && !self.literally
    }

    /// Adds what an expression in its JSON form reads.
    fn gather(&mut self, node: &Value) {
        match node {
            Value::Array(items) => items.iter().for_each(|item| self.gather(item)),
            Value::Object(members) => {
                for (operator, operand) in members {
                    match operator.as_str() {
                        "." => self.gather_access(operand, true),
                        "has" => self.gather_has(operand),
                        "==" | "!=" if are_personal(operand) => {
                            self.gather_path(&operand["left"]);
                            self.gather_path(&operand["right"]);
                        }
                        // A type says nothing of the id.
                        "is" if operand.get("in").is_none() && is_variable(&operand["left"]) => {}
                        // The context as a whole, compared perhaps. Entities as a
                        // whole are compared by their ids.
                        "Var" if operand == "context" => self.any = true,
                        "Var" if operand == "resource" => self.resource_id = true,
                        _ => self.gather(operand),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Adds what `left.attr` reads; `ends` if its value is used.
    fn gather_access(&mut self, access: &Value, ends: bool) {
        let Some(attr) = access["attr"].as_str() else {
            self.any = true;
            return;
        };
        self.read.insert(attr.to_owned());
        if ends {
            self.ends.insert(attr.to_owned());
        }
        self.literally |= PERSONAL.contains(&attr);
        self.gather_left(access);
    }

    /// Adds what `left has attr` reads; it may name a path.
    fn gather_has(&mut self, access: &Value) {
        let path = match &access["attr"] {
            Value::Array(path) => path.as_slice(),
            name => std::slice::from_ref(name),
        };
        for attr in path {
            match attr.as_str() {
                Some(attr) => {
                    self.read.insert(attr.to_owned());
                    self.ends.insert(attr.to_owned());
                }
                None => self.any = true,
            }
        }
        self.gather_left(access);
    }

    fn gather_left(&mut self, access: &Value) {
        match access.get("left") {
            None => self.any = true,
            Some(left) if is_variable(left) => {}
            Some(left) => match left.get(".") {
                Some(inner) => self.gather_access(inner, false),
                None => self.gather(left),
            },
        }
    }

    /// Adds the names of a plain path.
    fn gather_path(&mut self, path: &Value) {
        let mut rest = path.get(".");
        let mut ends = true;
        while let Some(access) = rest {
            let attr = access["attr"].as_str().unwrap_or_default();
            self.read.insert(attr.to_owned());
            if ends {
                self.ends.insert(attr.to_owned());
            }
            ends = false;
            rest = access["left"].get(".");
        }
    }
}

/// Whether both sides of a comparison differ from customer to customer.
fn are_personal(operands: &Value) -> bool {
    let is_personal = |node: &Value| {
        let Some(access) = node.get(".") else { return false };
        let attr = access["attr"].as_str().unwrap_or_default();
        let left = &access["left"];
        let customer = left.pointer("/./attr").is_some_and(|name| name == "customer")
            && left.pointer("/./left/Var").is_some_and(|name| name == "context");
        let resource = left.get("Var").is_some_and(|name| name == "resource");
        (customer && attr == "key") || (resource && PERSONAL.contains(&attr))
    };
    is_personal(&operands["left"]) && is_personal(&operands["right"])
}

fn is_variable(node: &Value) -> bool {
    node.get("Var").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(condition: &str, expected: &[&str]) {
        let rule = format!("permit (principal, action, resource) when {{ {condition} }};");
        let names = Names::read_by(&rule.parse::<Policy>().unwrap());
        let expected = expected.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!((names.read, names.any), (expected, false), "{condition}");
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
            let names = Names::read_by(&rule.parse::<Policy>().unwrap());
            assert!(names.any, "{condition}");
        }
    }

    fn pattern(condition: &str, by_pattern: bool, resource_id: bool) {
        let rule = format!("permit (principal, action, resource) when {{ {condition} }};");
        let names = Names::read_by(&rule.parse::<Policy>().unwrap());
        assert_eq!(
            (names.by_pattern(), names.have_resource_id()),
            (by_pattern, resource_id),
            "{condition}"
        );
    }

    #[test]
    fn values_of_customers_count_by_their_pattern_where_they_are_only_compared() {
        pattern("resource has owner && resource.owner == context.customer.key", true, false);
        pattern("resource.owner != resource.new_owner || context.customer has key", true, false);
        pattern("resource.key == context.customer.key && resource is Skill", true, false);
        pattern("resource.owner == \"ana\"", false, false);
        pattern("context.customer.key like \"a*\"", false, false);
        pattern("[resource.owner].contains(context.customer.key)", false, false);
        pattern("(if true then resource else resource).owner == resource.key", false, true);
        pattern("context.customer == {key: \"ana\"}", false, false);
        pattern("[context.customer].contains({key: \"ana\"})", false, false);
        pattern("context.customer.level == IdentityLevel::\"verified\"", true, false);
        pattern("resource == Endpoint::\"carrier\"", true, true);
        pattern("resource is Skill in Skill::\"one\"", true, true);
        pattern("context.tool == resource.owner", false, false);
    }

    #[test]
    fn the_resource_of_a_scope_counts_by_its_id_unless_only_its_type_is_named() {
        for (scope, counts) in [
            ("resource", false),
            ("resource is Log", false),
            ("resource == Log::\"a\"", true),
            ("resource in Log::\"a\"", true),
            ("resource is Log in Log::\"a\"", true),
        ] {
            let rule: Policy = format!("permit (principal, action, {scope});").parse().unwrap();
            assert_eq!(Names::read_by(&rule).have_resource_id(), counts, "{scope}");
        }
    }
}
