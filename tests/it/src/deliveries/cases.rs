//! The recorded cases; the README beside them explains each field.

use std::{fmt, path::Path};

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use postern_domain::Digest;
use serde::Deserialize;

/// One request and what must come of it.
#[derive(Debug, Deserialize)]
pub(super) struct Case {
    id: String,
    title: String,
    pub(super) account: String,
    pub(super) config: Account,
    /// Seconds.
    pub(super) clock: i64,
    pub(super) request: Request,
    pub(super) expect: Expect,
}

/// The secrets of the account.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Account {
    pub(super) secret_token: String,
    pub(super) previous_secret_token: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: Vec<(String, String)>,
    body_base64: Option<String>,
    body_gen: Option<Generated>,
}

/// A large body: prefix + unit × times + suffix.
#[derive(Debug, Deserialize)]
struct Generated {
    prefix_base64: String,
    unit_base64: String,
    times: usize,
    suffix_base64: String,
    sha256: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Expect {
    pub(super) outcome: Outcome,
    pub(super) status_any: Vec<u16>,
    parsed: Option<Parsed>,
    #[serde(default)]
    pub(super) edited: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Accept,
    Reject,
    AckIgnore,
    AcceptOrIgnore,
    Duplicate,
    NotDelivered,
    #[serde(rename = "no_5xx")]
    No5xx,
}

/// What an accepted message becomes.
#[derive(Debug, Deserialize)]
pub(super) struct Parsed {
    pub(super) conversation_id: String,
    pub(super) sender_id: String,
    pub(super) message_id: String,
    pub(super) text: String,
    pub(super) event_id: String,
}

/// Reads a file of cases, one in a line.
pub(super) fn read(path: &Path) -> Result<Vec<Case>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let case = |(line, text)| {
        serde_json::from_str(text).with_context(|| format!("{}:{line}", path.display()))
    };
    (1..).zip(text.lines()).map(case).collect()
}

impl Case {
    /// The message that it must become.
    pub(super) fn wanted(&self) -> Result<&Parsed> {
        self.expect.parsed.as_ref().with_context(|| format!("{self}: no message is recorded"))
    }

    /// The bytes of the body.
    pub(super) fn body(&self) -> Result<Vec<u8>> {
        let bytes = |text: &str| STANDARD.decode(text).with_context(|| self.to_string());
        let Some(generated) = &self.request.body_gen else {
            return bytes(self.request.body_base64.as_deref().unwrap_or_default());
        };
        let Generated { prefix_base64, unit_base64, times, suffix_base64, sha256 } = generated;
        let middle = bytes(unit_base64)?.repeat(*times);
        let body = [bytes(prefix_base64)?, middle, bytes(suffix_base64)?].concat();
        ensure!(Digest::of_bytes(&body).hex() == *sha256, "{self}: the body is another one");
        Ok(body)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.id, self.title)
    }
}
