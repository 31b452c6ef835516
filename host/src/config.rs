//! `postern.toml`: read, checked, and only then used.
//!
//! [`raw`](self) types mirror the file; [`Config`] is what the host runs on:
//! secrets resolved, addresses parsed, every reference known to lead somewhere.

mod agents;
mod check;
mod collections;
mod endpoints;
mod identity;
mod limits;
mod raw;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use postern_domain::SkillId;
use postern_runtime::Bounds;
use postern_store::UnknownSend;
use url::Url;

pub use agents::{Agent, ToolGrant};
pub use collections::{Collection, Collections, PersonalField};
pub use endpoints::{EgressSecret, Endpoint, HttpGrant};
pub use identity::{Contact, Delivery, IdentitySettings};

use crate::{breaker::BreakerSettings, keys::Secret, registry::CompileLimits};

/// Characters of a reason that may repeat what somebody wrote.
const REASON_CHARS: usize = 500;

/// The file's name in the data folder.
pub const FILE_NAME: &str = "postern.toml";

/// What `postern init` writes: every setting, explained.
pub const DEFAULT: &str = include_str!("config/default.toml");

/// The whole configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where everything is kept.
    pub data: PathBuf,
    /// Where the host listens.
    pub server: Server,
    /// Telegram bots by account.
    pub telegram: BTreeMap<String, TelegramAccount>,
    /// Web chat pages by site.
    pub web: BTreeMap<String, WebSite>,
    /// Servers that skills may be allowed to reach, by name.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// Secrets for requests of skills, by name.
    pub secrets: BTreeMap<String, EgressSecret>,
    /// Collections of records.
    pub collections: Collections,
    /// Agents that call tools by the Model Context Protocol, by name.
    pub agents: BTreeMap<String, Agent>,
    /// How the host makes sure who a customer is.
    pub identity: IdentitySettings,
    /// What the operator set for skills.
    pub skill_settings: BTreeMap<SkillId, BTreeMap<String, String>>,
    /// How messages are worked on.
    pub pipeline: Pipeline,
    /// The most that a skill can get.
    pub ceilings: postern_runtime::Limits,
    /// How many calls of skills run at once.
    pub concurrent_calls: u32,
    /// Bytes that a component may have.
    pub component_bytes: u64,
    /// What compiling one component may use.
    pub compile: CompileLimits,
    /// When a skill that keeps breaking is put to rest.
    pub breaker: BreakerSettings,
    /// How the audit log is kept.
    pub audit: AuditSettings,
    /// Folder of policies.
    pub policies: PathBuf,
}

/// How the audit log is kept.
#[derive(Debug, Clone, Copy)]
pub struct AuditSettings {
    /// Minutes between signed checkpoints.
    pub checkpoint_minutes: u32,
    /// Whether every judged call is told in the host's own log too.
    pub log_tool_calls: bool,
}

/// Where the host listens.
#[derive(Debug, Clone)]
pub struct Server {
    /// Webhooks and web chat.
    pub public: SocketAddr,
    /// The operator page and its JSON.
    pub operator: SocketAddr,
    /// What an operator must show.
    pub operator_token: Secret,
}

/// One Telegram bot.
#[derive(Debug, Clone)]
pub struct TelegramAccount {
    /// The token with which we call the Bot API.
    pub bot_token: Secret,
    /// What webhooks must carry.
    pub secret_token: Secret,
    /// What they carried before the last rotation.
    pub previous_secret_token: Option<Secret>,
    /// Root of the Bot API.
    pub api_base: Url,
}

/// One web chat page.
#[derive(Debug, Clone)]
pub struct WebSite {
    /// Heading of the page.
    pub title: String,
    /// Origins, besides the page's own, whose scripts may use the chat.
    pub origins: Vec<String>,
    /// Keys with which the operator's own site signs who its visitors are, the
    /// current one first.
    pub identity_keys: Vec<Secret>,
}

/// How messages are worked on.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Conversations worked on at once.
    pub workers: u32,
    /// How long a lease lasts without being renewed.
    pub lease: Duration,
    /// Failures after which an inbound message becomes a dead letter.
    pub turn_attempts: u32,
    /// Failures after which an outgoing message becomes a dead letter.
    pub send_attempts: u32,
    /// Time for one send.
    pub send_timeout: Duration,
    /// What to do with a send whose result is unknown.
    pub unknown_send: UnknownSend,
    /// Queue for conversations that need a person.
    pub queue: String,
    /// Idle time after which what was said before no longer counts.
    pub session: Duration,
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{file}: {source}; `postern init` writes a commented default")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML of the known shape.
    #[error("{file}: {message}")]
    Syntax {
        /// The file.
        file: String,
        /// Where and what.
        message: String,
    },
    /// A value makes no sense.
    #[error("{file}: {field}: {reason}")]
    Field {
        /// The file.
        file: String,
        /// The field, dotted.
        field: String,
        /// What is wrong, and what would be right.
        reason: String,
    },
}

impl Config {
    /// What a component may consist of.
    pub fn bounds(&self) -> Bounds {
        Bounds {
            component_bytes: self.component_bytes,
            memory_bytes: self.ceilings.memory_bytes,
            table_elements: self.ceilings.table_elements,
            ..Bounds::default()
        }
    }

    /// Reads `postern.toml` in a data folder.
    ///
    /// # Errors
    /// The file is missing, is not TOML of the known shape, or holds a value
    /// that makes no sense; the error names file, field and reason.
    pub fn load(data: &Path) -> Result<Self, ConfigError> {
        let path = data.join(FILE_NAME);
        let file = path.display().to_string();
        let text = std::fs::read_to_string(&path)
            .map_err(|source| ConfigError::Unreadable { file: file.clone(), source })?;
        Self::parse(data, &file, &text)
    }

    /// Checks a text as the configuration of a data folder.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(data: &Path, file: &str, text: &str) -> Result<Self, ConfigError> {
        let raw: raw::Raw = toml::from_str(text).map_err(|error| ConfigError::Syntax {
            file: file.to_owned(),
            message: located(text, &error),
        })?;
        check::Checker { data, file }.config(raw)
    }
}

/// Line, column and message of a TOML error, without the line's text, which may
/// hold what should not be shown.
pub fn located(text: &str, error: &toml::de::Error) -> String {
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else {
        return bounded(error.message());
    };
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
    format!("line {line}, column {column}: {}", bounded(error.message()))
}

/// A reason that may repeat what somebody wrote, fit for a terminal: not too long,
/// and nothing in it that moves the cursor or turns text around.
pub(crate) fn bounded(reason: &str) -> String {
    let plain = |c: char| matches!(c, '"' | '\'' | '\\' | '\n');
    let mut shown = String::new();
    for (n, c) in reason.chars().enumerate() {
        if n == REASON_CHARS {
            shown.push('…');
            break;
        }
        if plain(c) {
            shown.push(c);
        } else {
            shown.extend(c.escape_debug());
        }
    }
    shown
}

#[cfg(test)]
mod tests;
