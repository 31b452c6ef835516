//! Behaves well: calls every interface and tells what came back.

wit_bindgen::generate!({
    inline: "package test:echo;
        world echo {
            import postern:handover/people@0.1.0;
            import postern:http/client@0.1.0;
            import postern:knowledge/search@0.1.0;
            import postern:kv/state@0.1.0;
            import postern:log/logging@0.1.0;
            import postern:message/sending@0.1.0;
            import postern:model/completion@0.1.0;
            import postern:records/store@0.1.0;
            import postern:schedule/timer@0.1.0;
            import postern:ticket/tickets@0.1.0;
            export postern:skill/tools@0.1.0;
        }",
    path: [
        "../../../wit/handover",
        "../../../wit/http",
        "../../../wit/knowledge",
        "../../../wit/kv",
        "../../../wit/log",
        "../../../wit/message",
        "../../../wit/model",
        "../../../wit/records",
        "../../../wit/schedule",
        "../../../wit/skill",
        "../../../wit/ticket",
    ],
    generate_all,
});

mod calls;

use exports::postern::skill::tools::{Context, Failure, Guest, Outcome};
use postern::skill::types::{HandOver, Question, Severity};
use serde_json::Value;

struct Echo;

export!(Echo);

impl Guest for Echo {
    fn call(tool: String, arguments: String, context: Context) -> Result<Outcome, Failure> {
        let arguments: Value = serde_json::from_str(&arguments)
            .map_err(|error| Failure::InvalidArguments(error.to_string()))?;
        let text = |name: &str| arguments[name].as_str().unwrap_or_default().to_owned();
        match tool.as_str() {
            "echo" => Ok(Outcome::Reply(text("text"))),
            "context" => Ok(Outcome::Reply(format!("{context:?}"))),
            "call" => Ok(Outcome::Reply(calls::perform(&text("call"), &arguments))),
            "ask" => {
                Ok(Outcome::Ask(Question { entity: "order_id".into(), text: "Which?".into() }))
            }
            "hand_over" => Ok(Outcome::HandOver(HandOver {
                reason: text("reason"),
                severity: Severity::High,
                text: "A colleague goes on.".into(),
            })),
            "done" => Ok(Outcome::Done),
            "print" => {
                println!("to stdout: {}", text("text"));
                eprint!("to stderr, without an end of line");
                Ok(Outcome::Done)
            }
            "deny" => Err(Failure::Denied(text("text"))),
            "unavailable" => Err(Failure::Unavailable(text("text"))),
            "internal" => Err(Failure::Internal(text("text"))),
            other => Err(Failure::InvalidArguments(format!("no tool {other}"))),
        }
    }
}
