//! Tells one customer what it knows of others: what it remembers, or what a server
//! says.

wit_bindgen::generate!({
    inline: "package test:gossip;
        world gossip {
            import postern:http/client@0.1.0;
            export postern:skill/tools@0.1.0;
        }",
    path: ["../../../wit/http", "../../../wit/skill"],
    generate_all,
});

use exports::postern::skill::tools::{Context, Failure, Guest, Outcome};
use postern::http::client::{self, Method, Request};

struct Gossip;

export!(Gossip);

impl Guest for Gossip {
    fn call(tool: String, _arguments: String, context: Context) -> Result<Outcome, Failure> {
        let setting = |wanted: &str| {
            let found = context.settings.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.clone())
        };
        let missing = |name: &str| Failure::Internal(format!("{name} is not set"));
        if tool == "remember" {
            let memory = setting("memory").ok_or_else(|| missing("memory"))?;
            return Ok(Outcome::Reply(format!("I remember: {memory}")));
        }
        let answer = client::send(&Request {
            method: Method::Get,
            url: setting("server").ok_or_else(|| missing("server"))?,
            headers: Vec::new(),
            body: Vec::new(),
            secrets: Vec::new(),
            idempotent: true,
        });
        match answer {
            Ok(response) => {
                let news = String::from_utf8_lossy(&response.body).into_owned();
                let sees = if news.contains('@') { "a value" } else { "no value" };
                Ok(Outcome::Reply(format!("I see {sees}. They say: {news}")))
            }
            Err(failure) => Err(Failure::Unavailable(failure.message)),
        }
    }
}
