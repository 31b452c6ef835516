//! `approvals.toml`: who decides what waits for a person, and what needs one
//! without a rule of its own.

use std::collections::BTreeMap;

use postern_domain::Role;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::{
    PolicyError, PolicySource,
    error::did_you_mean,
    quantities::{Check, parse},
    units::milliseconds,
};

/// Who decides approvals of one kind, and how long that may take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Route {
    /// How many different people must approve.
    pub quorum: u32,
    /// After this time it counts as rejected.
    pub expires_ms: i64,
    /// After this time those who have not decided are reminded.
    pub remind_ms: Option<i64>,
    /// Where it goes if nobody decides.
    pub escalate: Option<Escalation>,
    /// The role that its people have.
    pub role: Role,
}

/// A second route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Escalation {
    /// Its name.
    pub to: String,
    /// After this time.
    pub after_ms: i64,
}

/// Everything in `approvals.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Routes {
    pub(crate) route: BTreeMap<String, Route>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    route: BTreeMap<String, Spanned<RawRoute>>,
    #[serde(default)]
    require_approval_for: Shorthands,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRoute {
    quorum: u32,
    expires: String,
    remind: Option<String>,
    escalate_to: Option<String>,
    escalate_after: Option<String>,
    role: Role,
}

/// What needs the approval of a route without a rule of its own.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shorthands {
    mass_send: Option<Spanned<String>>,
    bulk_delete: Option<Spanned<String>>,
    permission_change: Option<Spanned<String>>,
}

impl Routes {
    /// Reads the file. What is wrong goes to `errors`. The second part is the rules
    /// that its shorthands stand for, each on the line of its shorthand, so that
    /// whoever looks for the rule finds it.
    pub(crate) fn read(
        source: &PolicySource,
        errors: &mut Vec<PolicyError>,
    ) -> (Self, PolicySource) {
        let nothing = PolicySource { file: source.file.clone(), text: String::new() };
        let file: File = match parse(source) {
            Ok(file) => file,
            Err(error) => {
                errors.push(error);
                return (Self::default(), nothing);
            }
        };
        let names: Vec<&str> = file.route.keys().map(String::as_str).collect();
        let mut check = Check { source, errors };
        let mut route = BTreeMap::new();
        for (name, raw) in &file.route {
            if let Some(found) = check.entry("route", name, raw, |raw| raw.checked(name, &names)) {
                route.insert(name.clone(), found);
            }
        }
        let text = file.require_approval_for.rules(&source.text);
        (Self { route }, PolicySource { text, ..nothing })
    }
}

impl RawRoute {
    fn checked(&self, name: &str, known: &[&str]) -> Result<Route, String> {
        if self.quorum == 0 {
            return Err("`quorum` is at least 1".to_owned());
        }
        let expires_ms = milliseconds(&self.expires)?;
        let within = |what: &str, text: &str| match milliseconds(text)? {
            after if after < expires_ms => Ok(after),
            _ => Err(format!("`{what}` must be shorter than `expires`")),
        };
        let remind_ms = self.remind.as_deref().map(|text| within("remind", text)).transpose()?;
        let escalate = match (&self.escalate_to, &self.escalate_after) {
            (None, None) => None,
            (Some(to), _) if to == name => {
                return Err("`escalate_to` must be another route".to_owned());
            }
            (Some(to), Some(after)) if known.contains(&to.as_str()) => {
                Some(Escalation { to: to.clone(), after_ms: within("escalate_after", after)? })
            }
            (Some(to), Some(_)) => {
                let hint = did_you_mean(to, known.iter().copied()).unwrap_or_default();
                return Err(format!("there is no route {to:?} to escalate to {hint}"));
            }
            (Some(_), None) | (None, Some(_)) => {
                return Err("`escalate_to` and `escalate_after` belong together".to_owned());
            }
        };
        Ok(Route { quorum: self.quorum, expires_ms, remind_ms, escalate, role: self.role })
    }
}

impl Shorthands {
    /// The rules for which they stand.
    fn rules(&self, text: &str) -> String {
        let all = [
            (
                &self.mass_send,
                "mass-send",
                "action == Action::\"message:send\"",
                "context.arguments.recipients > 1",
                "A message to more than one recipient needs a person's approval.",
                "a message to several recipients needs approval: wait for it, or write to the customer alone",
            ),
            (
                &self.bulk_delete,
                "bulk-delete",
                "action == Action::\"records:delete\"",
                "context.arguments.deletes > 1",
                "Deleting more than one record at once needs a person's approval.",
                "deleting several records needs approval: wait for it, or delete one",
            ),
            (
                &self.permission_change,
                "permission-change",
                "action == Action::\"records:put\"",
                "context.arguments.changes_access",
                "A change of who can get at an account needs a person's approval.",
                "a change of access to an account needs approval: wait for it, or hand over to a person",
            ),
        ];
        let mut rules: Vec<(usize, String)> = all
            .into_iter()
            .filter_map(|(route, name, action, when, doc, reason)| {
                let route = route.as_ref()?;
                let start = route.span().start.min(text.len());
                let line = text.as_bytes()[..start].iter().filter(|b| **b == b'\n').count();
                let name_of = route.get_ref().escape_default();
                let rule = format!(
                    "@id(\"shorthand-{name}\") @doc(\"{doc}\") @approval(\"{name_of}\") @reason(\"{reason}\") \
                     forbid (principal, {action}, resource) when {{ {when} }} \
                     unless {{ context.satisfied.contains(\"approval:{name_of}\") }};"
                );
                Some((line, rule))
            })
            .collect();
        rules.sort_unstable();
        let mut lines = String::new();
        let mut at = 0;
        for (line, rule) in rules {
            lines.push_str(&"\n".repeat(line - at));
            lines.push_str(&rule);
            at = line;
        }
        lines
    }
}
