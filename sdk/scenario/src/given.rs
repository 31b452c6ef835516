//! What is given before a scenario begins.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess},
};
use serde_json::Value;

/// What is given.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Given {
    /// Records, by collection and key.
    pub records: BTreeMap<String, BTreeMap<String, Value>>,
    /// A JSON file with more records; those above come before them.
    pub records_file: Option<PathBuf>,
    /// Who writes.
    pub customer: Customer,
    /// What the operator set for the skill.
    pub settings: BTreeMap<String, String>,
    /// What the skill kept for this customer.
    pub kv: BTreeMap<String, String>,
    /// Articles of the knowledge base.
    pub knowledge: Vec<Passage>,
    /// Earlier tickets of the customer, the oldest first.
    pub tickets: Vec<Ticket>,
    /// What servers answer.
    pub http: Vec<HttpAnswer>,
    /// Whether answers may be left over.
    pub allow_unused: bool,
}

/// Who writes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Customer {
    /// Key of the customer's own record.
    pub key: Option<String>,
    /// How well they are known.
    pub level: Level,
}

/// How well a customer is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nobody in particular.
    #[default]
    Unknown,
    /// Who they claim to be.
    Identified,
    /// Proven.
    Verified,
}

/// A passage of the knowledge base.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passage {
    /// The collection of articles.
    pub collection: String,
    /// The article's name.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The passage.
    pub text: String,
    /// How well it fits, from 0 to 1000.
    #[serde(default = "relevant")]
    pub relevance: u32,
}

const fn relevant() -> u32 {
    1_000
}

/// A ticket.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticket {
    /// What it is about.
    pub subject: String,
    /// Where it stands.
    #[serde(default)]
    pub status: TicketStatus,
    /// `P1` to `P4`.
    #[serde(default = "in_turn")]
    pub priority: String,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<String>,
}

fn in_turn() -> String {
    "P3".to_owned()
}

/// Where a ticket stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketStatus {
    /// Nobody has done anything.
    New,
    /// Somebody works on it.
    Open,
    /// The customer was asked something.
    WaitingCustomer,
    /// Somebody else was asked something.
    WaitingThirdParty,
    /// Answered.
    Resolved,
    /// Over.
    #[default]
    Closed,
}

impl TicketStatus {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Open => "open",
            Self::WaitingCustomer => "waiting_customer",
            Self::WaitingThirdParty => "waiting_third_party",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
        }
    }
}

/// What a server answers to requests that fit.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpAnswer {
    /// The method, or any.
    #[serde(default, deserialize_with = "method")]
    pub method: Option<String>,
    /// The host, or any.
    pub host: Option<String>,
    /// The path or its pattern.
    pub path: String,
    /// Parameters that must be there.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Headers that must be there.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What the JSON body must have.
    pub body: Option<Value>,
    /// How often it answers; without it, always.
    pub times: Option<u32>,
    /// The answer.
    #[serde(default)]
    pub answer: Answer,
}

/// A method by its name, in capital letters.
pub(crate) fn method<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    const KNOWN: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
    let text = String::deserialize(deserializer)?;
    let upper = text.to_ascii_uppercase();
    match KNOWN.contains(&upper.as_str()) {
        true => Ok(Some(upper)),
        false => Err(de::Error::custom(format!(
            "{text:?} is no method that skills can use: {}",
            KNOWN.join(", ")
        ))),
    }
}

/// An answer of a server, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The request gets lost: nobody answers.
    Lost,
    /// An answer.
    Response {
        /// The status.
        status: u16,
        /// Headers, with lower-case names.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
}

impl Default for Answer {
    /// 200 without a body.
    fn default() -> Self {
        Self::Response { status: 200, headers: Vec::new(), body: Vec::new() }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAnswer {
    #[serde(default)]
    lost: bool,
    status: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    json: Option<Value>,
    text: Option<String>,
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Answer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an answer such as { status = 200, json = {} } or { lost = true }")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Answer, A::Error> {
                let raw = RawAnswer::deserialize(de::value::MapAccessDeserializer::new(map))?;
                answer(raw).map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

fn answer(raw: RawAnswer) -> Result<Answer, &'static str> {
    let RawAnswer { lost, status, headers, json, text } = raw;
    if lost {
        let more = status.is_some() || !headers.is_empty() || json.is_some() || text.is_some();
        return if more { Err("what is lost has no answer") } else { Ok(Answer::Lost) };
    }
    let mut headers: Vec<(String, String)> =
        headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    let (body, default_type) = match (json, text) {
        (Some(_), Some(_)) => return Err("an answer has either `json` or `text`"),
        (Some(json), None) => (json.to_string().into_bytes(), Some("application/json")),
        (None, Some(text)) => (text.into_bytes(), Some("text/plain")),
        (None, None) => (Vec::new(), None),
    };
    if let Some(default_type) = default_type
        && headers.iter().all(|(name, _)| name != "content-type")
    {
        headers.push(("content-type".to_owned(), default_type.to_owned()));
    }
    let status = status.unwrap_or(200);
    match (100..=599).contains(&status) {
        true => Ok(Answer::Response { status, headers, body }),
        false => Err("a status is a number from 100 to 599"),
    }
}
