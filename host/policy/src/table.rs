//! The decision table: what a set of rules gives to whom, for people to read.

mod probe;

use std::collections::BTreeSet;

use postern_domain::{
    Channel, Customer, Decision, IdentityLevel, Obligation, OperatorId, Role, SkillId, Timestamp,
};
use serde_json::Value;

use crate::{Act, ActRequest, Facts, PolicyRequest, PolicySet, RevealRequest, Verdict};
use probe::{CUSTOMER, Probe};

/// Under which circumstances calls are tried out: the head of a column, how well
/// the customer is known, and whether the chat is private.
const COLUMNS: [(&str, IdentityLevel, bool); 4] = [
    ("unknown", IdentityLevel::Unknown, true),
    ("identified", IdentityLevel::Identified, true),
    ("verified", IdentityLevel::Verified, true),
    ("verified, in a group", IdentityLevel::Verified, false),
];

/// A skill, a tool and an operator that no rule names.
const OTHER: &str = "any-other";

const NO: &str = "no";

const HEAD: &str = "# What the rules decide

Made by `postern policy table` from the rules in force; do not edit. Each line is a
call that was tried out: who may make it, and what has to happen first, while the
customer is unknown, identified, verified, or verified and writing in a group. The
customer has said yes to nothing, nobody has approved anything, and the conversation
looks untampered. Records are the customer's own unless the line says otherwise.
\"After\" names what has to come first; the call is then judged again. What is not
listed is denied.
";

/// What rules mention.
#[derive(Default)]
struct Mentioned {
    skills: BTreeSet<String>,
    tools: BTreeSet<String>,
    endpoints: BTreeSet<String>,
    data: BTreeSet<String>,
}

/// One line of the table.
#[derive(Clone, PartialEq, Eq)]
struct Row {
    what: String,
    cells: Vec<String>,
    rules: BTreeSet<String>,
}

impl PolicySet {
    /// The decision table as Markdown: calls of every kind, tried out for every skill
    /// and tool that rules name and for any other, and every act of operators.
    pub fn table(&self) -> String {
        let mentioned = self.mentioned();
        let collections = self.judge.words.collections.iter();
        let collections: Vec<(&str, bool)> =
            collections.map(|(name, rules)| (name.as_str(), rules.owned)).collect();
        let probes = probe::all(&collections, &mentioned.endpoints);
        let everybody: Vec<Row> =
            probes.iter().map(|probe| self.row(probe, OTHER, OTHER)).collect();
        let mut text = HEAD.to_owned();
        section(&mut text, "Every skill", everybody.iter().cloned());
        for skill in &mentioned.skills {
            let mut rows = Vec::new();
            for (probe, common) in probes.iter().zip(&everybody) {
                let any = self.row(probe, skill, OTHER);
                for tool in &mentioned.tools {
                    let row = self.row(probe, skill, tool);
                    if row != any {
                        rows.push(Row { what: format!("{}, by `{tool}`", row.what), ..row });
                    }
                }
                if any != *common {
                    rows.push(any);
                }
            }
            rows.extend(mentioned.data.iter().map(|datum| self.revealed(datum, skill)));
            section(&mut text, skill, rows.into_iter());
        }
        self.operators(&mut text);
        text
    }

    fn mentioned(&self) -> Mentioned {
        let mut found = Mentioned::default();
        for rule in self.judge.slices.rules().into_values() {
            if let Ok(json) = rule.to_json() {
                found.gather(&json);
            }
        }
        found
    }

    fn row(&self, probe: &Probe, skill: &str, tool: &str) -> Row {
        self.under_each(&probe.what, |level, private| {
            let facts = Facts { own_ticket: probe.own_ticket, ..facts(level, private) };
            let facts =
                Facts { records: probe.records.clone(), endpoint: probe.endpoint.clone(), ..facts };
            self.asked(skill, tool, &facts, |request| {
                self.judge(&PolicyRequest { call: &probe.call, ..request })
            })
        })
    }

    fn revealed(&self, datum: &str, skill: &str) -> Row {
        self.under_each(&format!("reveal {datum} to a server"), |level, private| {
            let facts = facts(level, private);
            self.asked(skill, OTHER, &facts, |caller| {
                self.judge_reveal(&RevealRequest { caller, datum, host: OTHER, field: OTHER })
            })
        })
    }

    /// The verdict on a request of a skill; none for a name that no skill can have.
    fn asked(
        &self,
        skill: &str,
        tool: &str,
        facts: &Facts,
        judge: impl FnOnce(PolicyRequest<'_>) -> Verdict,
    ) -> Option<Verdict> {
        let skill: SkillId = skill.parse().ok()?;
        let (version, call) = (semver::Version::new(1, 0, 0), probe::nothing());
        Some(judge(PolicyRequest {
            skill: &skill,
            version: &version,
            publisher: OTHER,
            tool,
            call: &call,
            facts,
        }))
    }

    fn under_each(
        &self,
        what: &str,
        verdict: impl Fn(IdentityLevel, bool) -> Option<Verdict>,
    ) -> Row {
        let mut row = Row { what: what.to_owned(), cells: Vec::new(), rules: BTreeSet::new() };
        for (_, level, private) in COLUMNS {
            match verdict(level, private) {
                Some(verdict) => {
                    row.cells.push(cell(&verdict));
                    row.rules.extend(verdict.rules);
                }
                None => row.cells.push(NO.to_owned()),
            }
        }
        row
    }

    fn operators(&self, text: &mut String) {
        let acts = [
            ("look", Act::View),
            ("write to customers, work on tickets", Act::Reply),
            ("decide an approval that asks for an approver", approval(Role::Approver, false)),
            ("decide an approval of their own call", approval(Role::Approver, true)),
            ("write rules for review", Act::WriteRules),
            ("install and activate skills", Act::ChangeSkills),
            ("put rules in force", Act::ApplyPolicy),
            ("manage operators", Act::ManageOperators),
            ("read audit", Act::ReadAudit),
            ("stop everything", Act::Lockdown),
            ("see a customer's e-mail address", reveal("EMAIL")),
            ("see a customer's bank account", reveal("IBAN")),
            ("see a card number", reveal("CARD")),
        ];
        let Ok(operator) = OTHER.parse::<OperatorId>() else { return };
        let heads: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
        let rows = acts.into_iter().map(|(what, act)| {
            let judged = |role: &Role| {
                let (roles, act) = (std::slice::from_ref(role), act.clone());
                self.judge_act(&ActRequest { operator: &operator, roles, act })
            };
            let verdicts: Vec<Verdict> = Role::ALL.iter().map(judged).collect();
            Row {
                what: what.to_owned(),
                cells: verdicts.iter().map(cell).collect(),
                rules: verdicts.into_iter().flat_map(|verdict| verdict.rules).collect(),
            }
        });
        lines(text, "Operators", &heads, rows.collect());
    }
}

fn reveal(datum: &str) -> Act {
    Act::Reveal { datum: datum.to_owned() }
}

fn approval(role: Role, requester: bool) -> Act {
    Act::DecideApproval { route: OTHER.to_owned(), role, requester }
}

impl Mentioned {
    /// Adds what a rule in its JSON form mentions.
    fn gather(&mut self, node: &Value) {
        match node {
            Value::Array(items) => items.iter().for_each(|item| self.gather(item)),
            Value::Object(members) => {
                if let (Some(Value::String(kind)), Some(Value::String(id))) =
                    (members.get("type"), members.get("id"))
                {
                    match kind.as_str() {
                        "Skill" | "Schedule" => drop(self.skills.insert(id.clone())),
                        "Endpoint" => drop(self.endpoints.insert(id.clone())),
                        "Datum" => drop(self.data.insert(id.clone())),
                        _ => {}
                    }
                }
                if let Some(sides) = members.get("==") {
                    let sides = [&sides["left"], &sides["right"]];
                    let is_tool = |side: &&Value| {
                        side.pointer("/./attr").is_some_and(|attr| attr == "tool")
                            && side.pointer("/./left/Var").is_some_and(|var| var == "context")
                    };
                    if sides.iter().any(is_tool) {
                        let texts = sides.iter().filter_map(|side| side["Value"].as_str());
                        self.tools.extend(texts.map(str::to_owned));
                    }
                }
                members.values().for_each(|member| self.gather(member));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

/// The circumstances of a column.
fn facts(level: IdentityLevel, private: bool) -> Facts {
    Facts {
        channel: Channel::Web,
        private,
        agent: None,
        customer: Customer {
            key: (level != IdentityLevel::Unknown).then(|| CUSTOMER.to_owned()),
            level,
        },
        confirmed: false,
        approvals: BTreeSet::new(),
        taint: 0,
        tier: None,
        identify_failures: 0,
        now: Timestamp::default(),
        records: Vec::new(),
        endpoint: None,
        own_ticket: true,
        scheduled: false,
        used_up: BTreeSet::new(),
    }
}

/// A verdict in a few words.
fn cell(verdict: &Verdict) -> String {
    let (mut needed, mut done) = (Vec::new(), Vec::new());
    for obligation in &verdict.obligations {
        match obligation {
            Obligation::Confirm => needed.push("their yes".to_owned()),
            Obligation::Identity { level } => needed.push(format!("being {level}")),
            Obligation::Approval { route } => needed.push(format!("approval by {route}")),
            Obligation::Limit { name } => done.push(format!("counts toward {name}")),
            Obligation::MaxAmount { name } => done.push(format!("counts toward {name}")),
            Obligation::Redact { types } => done.push(format!("without {}", types.join(", "))),
            Obligation::Notify { route } => done.push(format!("{route} are told")),
        }
    }
    let mut words = match verdict.decision {
        Decision::Allow => "yes".to_owned(),
        Decision::Deny | Decision::RequireApproval if needed.is_empty() => NO.to_owned(),
        Decision::Deny | Decision::RequireApproval => format!("after {}", needed.join(" and ")),
    };
    if !done.is_empty() {
        words.push_str(&format!("; {}", done.join("; ")));
    }
    words
}

fn section(text: &mut String, title: &str, rows: impl Iterator<Item = Row>) {
    let rows = rows.filter(|row| row.cells.iter().any(|cell| cell != NO)).collect();
    lines(text, title, &COLUMNS.map(|(head, _, _)| head), rows);
}

/// A table with its title; nothing if it has no rows.
fn lines(text: &mut String, title: &str, heads: &[&str], rows: Vec<Row>) {
    if rows.is_empty() {
        return;
    }
    text.push_str(&format!("\n## {title}\n\n| | {} | rules |\n", heads.join(" | ")));
    text.push_str(&format!("|---{}|---|\n", "|---".repeat(heads.len())));
    for Row { what, cells, rules } in rows {
        let rules: Vec<String> = rules.iter().map(|rule| format!("`{rule}`")).collect();
        text.push_str(&format!("| {what} | {} | {} |\n", cells.join(" | "), rules.join(" ")));
    }
}
