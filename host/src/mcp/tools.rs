//! Tools of skills as agents see them.

use std::{borrow::Cow, sync::Arc};

use postern_domain::{SkillId, manifest::Tool as SkillTool};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

use crate::{config::Agent, registry::Skills};

/// The tools that an agent may call, in the order of their names.
pub(super) fn of_agent(skills: &Skills, agent: &Agent) -> Vec<Tool> {
    let all = skills.active.values().flat_map(|active| {
        let skill = &active.manifest.skill.id;
        active.manifest.tools.iter().map(move |tool| (skill, tool))
    });
    let mut tools: Vec<Tool> = all
        .filter(|(skill, tool)| agent.may_call(skill, &tool.name))
        .map(|(skill, tool)| described(skill, tool))
        .collect();
    tools.sort_by(|a, b| a.name.cmp(&b.name));
    tools
}

/// The skill and the tool of a name such as `order-status.order_status`.
pub(super) fn named(name: &str) -> Option<(SkillId, &str)> {
    let (skill, tool) = name.split_once('.')?;
    Some((skill.parse().ok()?, tool))
}

fn described(skill: &SkillId, tool: &SkillTool) -> Tool {
    let schema = match &tool.arguments {
        Value::Object(schema) => schema.clone(),
        // A manifest whose schema is none is not installed.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            JsonObject::new()
        }
    };
    let description: Cow<'static, str> = Cow::Owned(tool.description.clone());
    let mut described = Tool::new(format!("{skill}.{}", tool.name), description, schema);
    described.output_schema = Some(Arc::new(outcome()));
    described.annotations = Some(
        ToolAnnotations::new()
            .read_only(tool.read_only)
            .destructive(!tool.read_only && !tool.reversible)
            .idempotent(tool.idempotent)
            .open_world(false),
    );
    described
}

/// What a call that was done answers.
fn outcome() -> JsonObject {
    let schema = json!({
        "type": "object",
        "required": ["outcome", "text"],
        "properties": {
            "outcome": {
                "type": "string",
                "enum": ["reply", "ask", "hand_over", "done"],
                "description": "`ask`: an argument is missing; `hand_over`: a person goes on.",
            },
            "text": {
                "type": "string",
                "description": "For the customer. What looks like <EMAIL_1.k3f9> stands for a \
                                personal value and can be given back as it is.",
            },
            "entity": { "type": "string", "description": "What is asked for." },
            "reason": { "type": "string", "description": "Why a person goes on." },
            "severity": { "type": "string", "description": "How soon a person looks." },
        },
    });
    match schema {
        Value::Object(schema) => schema,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            JsonObject::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::parse_manifest;

    #[test]
    fn a_tool_is_described_by_its_manifest() {
        let manifest = include_str!("../../../skills/refund-check/skill.toml");
        let manifest = parse_manifest("skill.toml", manifest).unwrap();
        let tool = manifest.tool("refund_request").unwrap();
        let shown = serde_json::to_value(described(&manifest.skill.id, tool)).unwrap();
        assert_eq!(shown["name"], "refund-check.refund_request");
        assert_eq!(shown["inputSchema"], tool.arguments);
        let hints = &shown["annotations"];
        assert_eq!(hints["readOnlyHint"], false);
        assert_eq!(hints["destructiveHint"], true, "{hints}");
        assert_eq!(hints["idempotentHint"], true);
    }

    #[test]
    fn names_are_skill_and_tool() {
        let (skill, tool) = named("order-status.order_status").unwrap();
        assert_eq!((skill.as_str(), tool), ("order-status", "order_status"));
        for bad in ["order_status", "Order.x", "", "."] {
            assert!(named(bad).is_none(), "{bad}");
        }
    }
}
