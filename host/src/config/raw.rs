//! The file as it is written. Unknown keys are refused everywhere.

use std::collections::BTreeMap;

use postern_domain::{HttpMethod, IdentityLevel, Interface, SkillId};
use postern_store::UnknownSend;
use serde::{Deserialize, de::Error as _};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) server: RawServer,
    #[serde(default)]
    pub(super) channels: RawChannels,
    #[serde(default)]
    pub(super) endpoints: BTreeMap<String, RawEndpoint>,
    #[serde(default)]
    pub(super) secrets: BTreeMap<String, RawEgressSecret>,
    #[serde(default)]
    pub(super) collections: BTreeMap<String, RawCollection>,
    #[serde(default)]
    pub(super) skills: BTreeMap<SkillId, RawSkill>,
    #[serde(default)]
    pub(super) agents: BTreeMap<String, RawAgent>,
    #[serde(default)]
    pub(super) identity: RawIdentity,
    #[serde(default)]
    pub(super) pipeline: RawPipeline,
    #[serde(default)]
    pub(super) limits: RawLimits,
    #[serde(default)]
    pub(super) breaker: RawBreaker,
    #[serde(default)]
    pub(super) audit: RawAudit,
    #[serde(default)]
    pub(super) policy: RawPolicy,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawServer {
    pub(super) public: String,
    pub(super) operator: String,
    pub(super) operator_token: SecretRef,
}

/// Where a secret stands; never the secret itself.
pub(super) enum SecretRef {
    /// In an environment variable.
    Env(String),
    /// In a file, relative to the data folder.
    File(String),
}

impl<'de> Deserialize<'de> for SecretRef {
    /// Written by hand because serde's own errors repeat what they found, and
    /// somebody may have put the secret itself here.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = || {
            D::Error::custom(
                "a secret never stands in this file: write { env = \"NAME\" } or { file = \"PATH\" }",
            )
        };
        let toml::Value::Table(table) = toml::Value::deserialize(deserializer)? else {
            return Err(wrong());
        };
        let mut entries = table.into_iter();
        match (entries.next(), entries.next()) {
            (Some((key, toml::Value::String(text))), None) if key == "env" => Ok(Self::Env(text)),
            (Some((key, toml::Value::String(text))), None) if key == "file" => Ok(Self::File(text)),
            _ => Err(wrong()),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawChannels {
    #[serde(default)]
    pub(super) telegram: BTreeMap<String, RawTelegram>,
    #[serde(default)]
    pub(super) web: BTreeMap<String, RawWeb>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTelegram {
    pub(super) bot_token: SecretRef,
    pub(super) secret_token: SecretRef,
    pub(super) previous_secret_token: Option<SecretRef>,
    #[serde(default = "telegram_api")]
    pub(super) api_base: String,
}

fn telegram_api() -> String {
    "https://api.telegram.org/".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWeb {
    pub(super) title: String,
    #[serde(default)]
    pub(super) origins: Vec<String>,
    pub(super) identity: Option<RawWebIdentity>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWebIdentity {
    pub(super) keys: Vec<RawKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawKey {
    pub(super) secret: SecretRef,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEndpoint {
    pub(super) url: String,
    #[serde(default)]
    pub(super) private: Vec<String>,
    #[serde(default)]
    pub(super) grants: BTreeMap<SkillId, RawGrant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawGrant {
    pub(super) methods: Vec<HttpMethod>,
    pub(super) paths: Vec<String>,
    pub(super) headers: Vec<String>,
    pub(super) content_types: Vec<String>,
    pub(super) secrets: Vec<String>,
    pub(super) amount: Option<String>,
    pub(super) irreversible: bool,
    pub(super) timeout_ms: u32,
    pub(super) response_kib: u32,
}

impl Default for RawGrant {
    fn default() -> Self {
        let content_types = ["application/json", "application/*+json", "text/*", "application/xml"];
        Self {
            methods: vec![HttpMethod::Get, HttpMethod::Head],
            paths: vec!["*".to_owned()],
            headers: Vec::new(),
            content_types: content_types.map(str::to_owned).to_vec(),
            secrets: Vec::new(),
            amount: None,
            irreversible: false,
            timeout_ms: 8_000,
            response_kib: 1_024,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEgressSecret {
    pub(super) value: SecretRef,
    pub(super) endpoint: String,
    pub(super) header: String,
    #[serde(default)]
    pub(super) prefix: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCollection {
    pub(super) owner: Option<String>,
    #[serde(default)]
    pub(super) find_by: Vec<String>,
    #[serde(default)]
    pub(super) identify_by: Vec<Vec<String>>,
    #[serde(default)]
    pub(super) readable: BTreeMap<String, postern_policy::FieldType>,
    #[serde(default)]
    pub(super) personal: BTreeMap<String, String>,
    pub(super) amount: Option<String>,
    pub(super) currency: Option<String>,
    #[serde(default)]
    pub(super) access: Vec<String>,
    #[serde(default)]
    pub(super) irreversible: Vec<String>,
    pub(super) tier: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAgent {
    pub(super) token: SecretRef,
    pub(super) tools: Vec<String>,
    #[serde(default = "one_a_second")]
    pub(super) calls_per_minute: u32,
    pub(super) customer: Option<String>,
    pub(super) identity: Option<IdentityLevel>,
}

fn one_a_second() -> u32 {
    60
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawIdentity {
    pub(super) contacts: RawContacts,
    pub(super) delivery: Option<RawDelivery>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawContacts {
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDelivery {
    pub(super) url: String,
    pub(super) token: SecretRef,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSkill {
    #[serde(default)]
    pub(super) settings: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawPipeline {
    pub(super) workers: u32,
    pub(super) lease_s: u32,
    pub(super) turn_attempts: u32,
    pub(super) send_attempts: u32,
    pub(super) send_timeout_ms: u32,
    pub(super) unknown_send: UnknownSend,
    pub(super) queue: String,
    pub(super) session_minutes: u32,
}

impl Default for RawPipeline {
    fn default() -> Self {
        Self {
            workers: 8,
            lease_s: 60,
            turn_attempts: 5,
            send_attempts: 8,
            send_timeout_ms: 10_000,
            unknown_send: UnknownSend::Resend,
            queue: "support".to_owned(),
            session_minutes: 30,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLimits {
    pub(super) memory_mib: u32,
    pub(super) table_elements: u32,
    pub(super) stack_kib: u32,
    pub(super) cpu_ms: u32,
    pub(super) wall_ms: u32,
    pub(super) host_calls: u32,
    pub(super) interface_calls: BTreeMap<Interface, u32>,
    pub(super) sent_kib: u32,
    pub(super) received_kib: u32,
    pub(super) log_lines: u32,
    pub(super) log_kib: u32,
    pub(super) result_kib: u32,
    pub(super) skill_calls: u32,
    pub(super) concurrent_calls: u32,
    pub(super) component_mib: u32,
    pub(super) compile_seconds: u32,
    pub(super) compile_mib: u32,
}

impl Default for RawLimits {
    fn default() -> Self {
        Self {
            memory_mib: 64,
            table_elements: 100_000,
            stack_kib: 512,
            cpu_ms: 500,
            wall_ms: 10_000,
            host_calls: 200,
            interface_calls: BTreeMap::new(),
            sent_kib: 4_096,
            received_kib: 4_096,
            log_lines: 100,
            log_kib: 64,
            result_kib: 64,
            skill_calls: 16,
            concurrent_calls: 32,
            component_mib: 32,
            compile_seconds: 60,
            compile_mib: 2_048,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawBreaker {
    pub(super) failures: u32,
    pub(super) rest_s: u32,
    pub(super) longest_rest_s: u32,
}

impl Default for RawBreaker {
    fn default() -> Self {
        Self { failures: 5, rest_s: 30, longest_rest_s: 600 }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawAudit {
    pub(super) checkpoint_minutes: u32,
    pub(super) log_tool_calls: bool,
}

impl Default for RawAudit {
    fn default() -> Self {
        Self { checkpoint_minutes: 10, log_tool_calls: false }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawPolicy {
    pub(super) folder: String,
}

impl Default for RawPolicy {
    fn default() -> Self {
        Self { folder: "policies".to_owned() }
    }
}
