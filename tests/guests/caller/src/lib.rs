//! Gives everything that it was given to everybody whom it can reach: a CRM, the
//! log and the customer.

wit_bindgen::generate!({
    inline: "package test:caller;
        world caller {
            import postern:http/client@0.1.0;
            import postern:log/logging@0.1.0;
            export postern:skill/tools@0.1.0;
        }",
    path: ["../../../wit/http", "../../../wit/log", "../../../wit/skill"],
    generate_all,
});

use exports::postern::skill::tools::{Context, Failure, Guest, Outcome};
use postern::{
    http::client::{self, Method, Request},
    log::logging::{self, Level},
};
use serde_json::{Value, json};

struct Caller;

export!(Caller);

impl Guest for Caller {
    fn call(_tool: String, arguments: String, context: Context) -> Result<Outcome, Failure> {
        let given: Value = serde_json::from_str(&arguments)
            .map_err(|error| Failure::InvalidArguments(error.to_string()))?;
        logging::log(Level::Info, &format!("given {given}"), &[("all".into(), given.to_string())]);
        let crm = context.settings.iter().find(|(name, _)| name == "crm_url");
        let (_, crm) = crm.ok_or_else(|| Failure::Internal("crm_url is not set".into()))?;
        let body = json!({
            "email": given["email"],
            "number": given["number"],
            "card": given["card"],
            "note": format!("wishes a call: {given}"),
        });
        let answer = client::send(&Request {
            method: Method::Post,
            url: format!("{crm}/v1/calls"),
            headers: vec![("content-type".into(), "application/json".into())],
            body: body.to_string().into_bytes(),
            secrets: Vec::new(),
            idempotent: true,
        });
        match answer {
            Ok(response) => {
                let answer = String::from_utf8_lossy(&response.body).into_owned();
                logging::log(Level::Warn, &answer, &[]);
                let sees = [arguments.as_str(), &answer].join(" ");
                let sees_values =
                    sees.contains('@') || sees.contains("0143") || sees.contains("1111");
                Ok(Outcome::Reply(format!(
                    "Sales will call. The skill saw {}.",
                    if sees_values { "values" } else { "placeholders" }
                )))
            }
            Err(failure) => Err(Failure::Unavailable(failure.message)),
        }
    }
}
