//! What a call came to, as agents read it.

use rmcp::model::{CallToolResult, ContentBlock, JsonObject, MetaObject};
use serde_json::{Value, json};

use crate::pipeline::{Came, Refusal};

/// The member of `_meta` that names the conversation in which a call runs.
pub(super) const CONVERSATION: &str = "postern/conversation";
/// The member of `_meta` under which the same call is done once.
pub(super) const IDEMPOTENCY_KEY: &str = "postern/idempotency-key";

/// A result that says what a call came to, and in which conversation.
pub(super) fn told(came: &Came, conversation: Option<&str>) -> CallToolResult {
    let (text, value) = match came {
        Came::Outcome { outcome, text, entity, reason, severity } => {
            let mut value = json!({ "outcome": outcome, "text": text });
            let severity = severity.map(|severity| severity.as_str().to_owned());
            let more = [("entity", entity), ("reason", reason), ("severity", &severity)];
            for (name, said) in more {
                if let Some(said) = said {
                    value[name] = Value::String(said.clone());
                }
            }
            (if text.is_empty() { outcome.clone() } else { text.clone() }, value)
        }
        Came::Refused { refusal } => refused(refusal),
    };
    let mut result = match came {
        Came::Outcome { .. } => CallToolResult::structured(value),
        Came::Refused { .. } => CallToolResult::structured_error(value),
    };
    result.content = vec![ContentBlock::text(text)];
    result.meta = conversation.map(|conversation| {
        let name = Value::String(conversation.to_owned());
        MetaObject(JsonObject::from_iter([(CONVERSATION.to_owned(), name)]))
    });
    result
}

fn refused(refusal: &Refusal) -> (String, Value) {
    let Refusal { kind, rules, reason, next, approval } = refusal;
    let mut value = json!({ "kind": kind.as_str(), "reason": reason, "next": next });
    if !rules.is_empty() {
        value["rule"] = Value::String(rules.join(", "));
    }
    if let Some(approval) = approval {
        value["approval"] = Value::String(approval.to_string());
    }
    (format!("{}: {reason}. Next: {next}.", kind.as_str()), value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::RefusalKind;

    #[test]
    fn a_refusal_is_an_error_that_says_why_and_what_next() {
        let refusal = Refusal {
            rules: vec!["records-owner-only".to_owned()],
            ..Refusal::new(RefusalKind::Denied, "the record does not belong to this customer")
        };
        let result = told(&Came::Refused { refusal }, Some("c1"));
        assert_eq!(result.is_error, Some(true));
        let value = serde_json::to_value(&result).unwrap();
        assert_eq!(value["structuredContent"]["kind"], "denied");
        assert_eq!(value["structuredContent"]["rule"], "records-owner-only");
        assert!(value["structuredContent"]["approval"].is_null());
        assert_eq!(value["_meta"][CONVERSATION], "c1");
    }

    #[test]
    fn an_outcome_is_text_and_structure() {
        let came = Came::Outcome {
            outcome: "ask".to_owned(),
            text: "Which order?".to_owned(),
            entity: Some("order_id".to_owned()),
            reason: None,
            severity: None,
        };
        let value = serde_json::to_value(told(&came, None)).unwrap();
        assert_eq!(value["isError"], false);
        assert_eq!(value["content"][0]["text"], "Which order?");
        assert_eq!(value["structuredContent"]["entity"], "order_id");
        assert!(value["_meta"].is_null());
    }
}
