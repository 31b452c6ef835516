//! Agents that call tools by the Model Context Protocol: who they are, and what each
//! may call.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
};

use postern_domain::{Customer, IdentityLevel, SkillId};

use super::{
    check::{Checked, Checker},
    raw::RawAgent,
};
use crate::keys::Secret;

/// Characters of a token.
const LEAST_TOKEN: usize = 16;
/// Grants that one agent can have.
const MOST_GRANTS: usize = 200;
/// Agents that a host can have.
const MOST_AGENTS: usize = 100;
/// Bytes of a customer's key.
const MOST_KEY: usize = 200;

/// An agent of somebody else.
#[derive(Debug, Clone)]
pub struct Agent {
    /// What it must show.
    pub token: Secret,
    /// What it may call.
    pub tools: BTreeSet<ToolGrant>,
    /// Calls that it may make in a minute.
    pub calls_per_minute: u32,
    /// For whom it speaks in every call. Nobody, if it is not bound to a customer.
    pub customer: Customer,
}

/// A tool, or all tools of a skill.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ToolGrant {
    /// The skill.
    pub skill: SkillId,
    /// The tool; none for every tool of the skill.
    pub tool: Option<String>,
}

impl FromStr for ToolGrant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (skill, tool) = match text.split_once('/') {
            Some((skill, tool)) => (skill, Some(tool)),
            None => (text, None),
        };
        let is_name = |tool: &str| {
            (1..=64).contains(&tool.len())
                && tool.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
        };
        if tool.is_some_and(|tool| !is_name(tool)) {
            let shown: String = text.chars().take(80).collect();
            return Err(format!(
                "{shown:?} is not a skill and a tool such as order-status/order_status"
            ));
        }
        let skill = skill.parse().map_err(|error| format!("{error}"))?;
        Ok(Self { skill, tool: tool.map(str::to_owned) })
    }
}

impl Agent {
    /// Whether it may call a tool.
    pub fn may_call(&self, skill: &SkillId, tool: &str) -> bool {
        let fits = |grant: &ToolGrant| {
            grant.skill == *skill && grant.tool.as_deref().is_none_or(|granted| granted == tool)
        };
        self.tools.iter().any(fits)
    }
}

impl Checker<'_> {
    /// All agents. Two with the same token could not be told apart.
    pub(super) fn agents(
        &self,
        raw: BTreeMap<String, RawAgent>,
    ) -> Checked<BTreeMap<String, Agent>> {
        if raw.len() > MOST_AGENTS {
            return self.wrong("agents", format!("at most {MOST_AGENTS} agents"));
        }
        let mut agents = BTreeMap::<String, Agent>::new();
        for (name, agent) in raw {
            let field = format!("agents.{name}");
            self.name(&field, &name)?;
            let agent = self.agent(&field, agent)?;
            let token = agent.token.expose().as_bytes();
            if agents.values().any(|other| other.token.matches(token)) {
                let reason = "another agent has the same token: give each its own";
                return self.wrong(format!("{field}.token"), reason);
            }
            agents.insert(name, agent);
        }
        Ok(agents)
    }

    fn agent(&self, field: &str, raw: RawAgent) -> Checked<Agent> {
        let token = self.secret(&format!("{field}.token"), raw.token)?;
        if token.expose().len() < LEAST_TOKEN {
            let reason = format!("must have at least {LEAST_TOKEN} characters");
            return self.wrong(format!("{field}.token"), reason);
        }
        if raw.tools.is_empty() || raw.tools.len() > MOST_GRANTS {
            let reason = format!("name 1 to {MOST_GRANTS} tools (skill/tool) or skills");
            return self.wrong(format!("{field}.tools"), reason);
        }
        let tools = raw.tools.iter().map(|text| text.parse()).collect::<Result<_, String>>();
        let tools = match tools {
            Ok(tools) => tools,
            Err(reason) => return self.wrong(format!("{field}.tools"), reason),
        };
        let calls_per_minute =
            self.number(&format!("{field}.calls_per_minute"), raw.calls_per_minute, 1, 10_000)?;
        let customer = match (raw.customer, raw.identity) {
            (None, None) => Customer::default(),
            (None, Some(_)) => {
                let reason = "belongs to `customer`: say for whom the agent speaks";
                return self.wrong(format!("{field}.identity"), reason);
            }
            (Some(key), level) => {
                if key.is_empty() || key.len() > MOST_KEY || key.chars().any(char::is_control) {
                    let reason = format!("a customer's key is 1 to {MOST_KEY} bytes of plain text");
                    return self.wrong(format!("{field}.customer"), reason);
                }
                let level = level.unwrap_or(IdentityLevel::Identified);
                if level == IdentityLevel::Unknown {
                    let reason = "must be \"identified\" or \"verified\"";
                    return self.wrong(format!("{field}.identity"), reason);
                }
                Customer { key: Some(key), level }
            }
        };
        Ok(Agent { token, tools, calls_per_minute, customer })
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, DEFAULT};

    fn load(agents: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, token) in [
            ("operator-token", "an operator's token"),
            ("helper", "a helper's own token"),
            ("other", "another one's token"),
            ("short", "short"),
        ] {
            let path = folder.path().join("secrets").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, token).unwrap();
        }
        Config::parse(folder.path(), "postern.toml", &format!("{DEFAULT}\n{agents}"))
            .map_err(|error| error.to_string())
    }

    fn agent(name: &str, rest: &str) -> String {
        format!("[agents.{name}]\ntoken = {{ file = \"secrets/{name}\" }}\n{rest}\n")
    }

    #[test]
    fn an_agent_may_call_what_it_was_granted_and_nothing_else() {
        let tools = "tools = [\"order-status/order_status\", \"crm-lookup\"]";
        let config = load(&agent("helper", tools)).unwrap();
        let helper = &config.agents["helper"];
        let may = |skill: &str, tool| helper.may_call(&skill.parse().unwrap(), tool);
        assert!(may("order-status", "order_status") && may("crm-lookup", "find_customer"));
        assert!(!may("order-status", "recent_orders") && !may("refund-check", "order_status"));
        assert_eq!(helper.customer, Default::default(), "it speaks for nobody");
        assert_eq!(helper.calls_per_minute, 60);
    }

    #[test]
    fn mistakes_are_named_and_secrets_are_not() {
        let check = |agents: &str, says: &str| {
            let error = load(agents).unwrap_err();
            assert!(error.contains(says), "{error}");
            assert!(!error.contains("own token") && !error.contains("short\""), "{error}");
        };
        let tools = "tools = [\"crm-lookup\"]";
        check(&agent("short", tools), "agents.short.token: must have at least 16");
        check(&agent("helper", "tools = []"), "agents.helper.tools: name 1 to");
        check(&agent("helper", "tools = [\"crm-lookup/*\"]"), "is not a skill and a tool");
        check(&agent("helper", "tools = [\"CRM\"]"), "a skill id");
        check(
            &agent("helper", &format!("{tools}\nidentity = \"verified\"")),
            "agents.helper.identity: belongs to `customer`",
        );
        check(
            &agent("helper", &format!("{tools}\ncustomer = \"c\"\nidentity = \"unknown\"")),
            "must be \"identified\" or \"verified\"",
        );
        check(
            &agent("helper", &format!("{tools}\ncalls_per_minute = 0")),
            "agents.helper.calls_per_minute: 0 is not between",
        );
        let twice = agent("helper", tools)
            + &agent("other", tools).replace("secrets/other", "secrets/helper");
        check(&twice, "agents.other.token: another agent has the same token");
        assert!(load(&(agent("helper", tools) + &agent("other", tools))).is_ok());
    }
}
