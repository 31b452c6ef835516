//! From the file's shape to a configuration that makes sense.

use std::{net::SocketAddr, path::Path, time::Duration};

use url::Url;

use super::{
    AuditSettings, Collection, Collections, Config, ConfigError, PersonalField, Pipeline, Server,
    TelegramAccount, WebSite, raw,
};
use crate::{breaker::BreakerSettings, keys::Secret, registry::CompileLimits};

pub(super) struct Checker<'a> {
    pub(super) data: &'a Path,
    pub(super) file: &'a str,
}

pub(super) type Checked<T> = Result<T, ConfigError>;

/// Secrets are short; a larger file is a mistake.
const SECRET_BYTES: usize = 8 * 1024;

impl Checker<'_> {
    pub(super) fn wrong<T>(
        &self,
        field: impl Into<String>,
        reason: impl Into<String>,
    ) -> Checked<T> {
        Err(ConfigError::Field {
            file: self.file.to_owned(),
            field: field.into(),
            reason: reason.into(),
        })
    }

    pub(super) fn config(&self, raw: raw::Raw) -> Checked<Config> {
        let mut config = Config {
            data: self.data.to_owned(),
            server: self.server(raw.server)?,
            telegram: Default::default(),
            web: Default::default(),
            endpoints: Default::default(),
            secrets: Default::default(),
            collections: Collections::default(),
            agents: Default::default(),
            identity: Default::default(),
            skill_settings: raw.skills.into_iter().map(|(id, s)| (id, s.settings)).collect(),
            pipeline: self.pipeline(raw.pipeline)?,
            ceilings: self.ceilings(&raw.limits)?,
            concurrent_calls: self.number(
                "limits.concurrent_calls",
                raw.limits.concurrent_calls,
                1,
                1_000,
            )?,
            component_bytes: u64::from(self.number(
                "limits.component_mib",
                raw.limits.component_mib,
                1,
                256,
            )?) << 20,
            compile: self.compile(&raw.limits)?,
            breaker: self.breaker(&raw.breaker)?,
            audit: AuditSettings {
                checkpoint_minutes: self.number(
                    "audit.checkpoint_minutes",
                    raw.audit.checkpoint_minutes,
                    1,
                    1_440,
                )?,
                log_tool_calls: raw.audit.log_tool_calls,
            },
            policies: self.data.join(raw.policy.folder),
        };
        for (account, telegram) in raw.channels.telegram {
            let field = format!("channels.telegram.{account}");
            self.name(&field, &account)?;
            config.telegram.insert(account, self.telegram(&field, telegram)?);
        }
        for (site, web) in raw.channels.web {
            let field = format!("channels.web.{site}");
            self.name(&field, &site)?;
            config.web.insert(site, self.web(&field, web)?);
        }
        config.endpoints = self.endpoints(raw.endpoints)?;
        config.secrets = self.egress_secrets(raw.secrets, &config.endpoints)?;
        for (name, collection) in raw.collections {
            let field = format!("collections.{name}");
            self.name(&field, &name)?;
            config.collections.0.insert(name, self.collection(&field, collection)?);
        }
        let customers: Vec<_> = config
            .collections
            .iter()
            .filter(|(_, collection)| !collection.identify_by.is_empty())
            .map(|(name, _)| name)
            .collect();
        if let [first, second, ..] = customers[..] {
            // Customers of both could have the same key, and so each other's data.
            let reason = format!("only one collection tells who customers are, and {first} does");
            return self.wrong(format!("collections.{second}.identify_by"), reason);
        }
        config.agents = self.agents(raw.agents)?;
        config.identity = self.identity(raw.identity, &config.collections)?;
        Ok(config)
    }

    pub(super) fn name(&self, field: &str, name: &str) -> Checked<()> {
        let fits = (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if fits {
            Ok(())
        } else {
            self.wrong(field, "a name is 1 to 64 letters, digits, `-` and `_`")
        }
    }

    pub(super) fn number(&self, field: &str, value: u32, least: u32, most: u32) -> Checked<u32> {
        if (least..=most).contains(&value) {
            Ok(value)
        } else {
            self.wrong(field, format!("{value} is not between {least} and {most}"))
        }
    }

    fn address(&self, field: &str, text: &str) -> Checked<SocketAddr> {
        text.parse().or_else(|_| {
            self.wrong(field, format!("{text:?} is not an address and port such as 127.0.0.1:8080"))
        })
    }

    pub(super) fn url(&self, field: &str, text: &str) -> Checked<Url> {
        let url = match Url::parse(text) {
            Ok(url) => url,
            Err(error) => return self.wrong(field, format!("{text:?} is not a URL: {error}")),
        };
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || !plain {
            let reason = "must be http(s) with a host and without user, query or fragment";
            return self.wrong(field, reason);
        }
        Ok(url)
    }

    pub(super) fn secret(&self, field: &str, reference: raw::SecretRef) -> Checked<Secret> {
        let text = match reference {
            raw::SecretRef::Env(name) => match std::env::var(&name) {
                Ok(text) => text,
                Err(_) => {
                    return self.wrong(field, format!("environment variable {name} is not set"));
                }
            },
            raw::SecretRef::File(path) => match std::fs::read_to_string(self.data.join(&path)) {
                Ok(text) => text,
                Err(error) => return self.wrong(field, format!("file {path}: {error}")),
            },
        };
        let text = text.trim();
        if text.is_empty() || text.len() > SECRET_BYTES {
            return self.wrong(field, "the secret is empty or longer than 8 KiB");
        }
        if text.chars().any(char::is_control) {
            return self.wrong(field, "the secret has line breaks or control characters inside");
        }
        Ok(Secret::new(text))
    }

    fn server(&self, raw: raw::RawServer) -> Checked<Server> {
        let public = self.address("server.public", &raw.public)?;
        let operator = self.address("server.operator", &raw.operator)?;
        if public == operator && public.port() != 0 {
            return self.wrong("server.operator", "must not be the public address");
        }
        let operator_token = self.secret("server.operator_token", raw.operator_token)?;
        if operator_token.expose().len() < 16 {
            return self.wrong("server.operator_token", "must have at least 16 characters");
        }
        Ok(Server { public, operator, operator_token })
    }

    fn telegram(&self, field: &str, raw: raw::RawTelegram) -> Checked<TelegramAccount> {
        let secret_token = |name: &str, reference| {
            let name = format!("{field}.{name}");
            let secret = self.secret(&name, reference)?;
            // core.telegram.org/bots/api#setwebhook: 1-256 of A-Z a-z 0-9 _ -
            let fits = secret.expose().len() <= 256
                && secret
                    .expose()
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
            if fits {
                Ok(secret)
            } else {
                self.wrong(name, "Telegram takes 1 to 256 of A-Z a-z 0-9 _ -")
            }
        };
        Ok(TelegramAccount {
            bot_token: self.secret(&format!("{field}.bot_token"), raw.bot_token)?,
            secret_token: secret_token("secret_token", raw.secret_token)?,
            previous_secret_token: raw
                .previous_secret_token
                .map(|reference| secret_token("previous_secret_token", reference))
                .transpose()?,
            api_base: self.url(&format!("{field}.api_base"), &raw.api_base)?,
        })
    }

    fn web(&self, field: &str, raw: raw::RawWeb) -> Checked<WebSite> {
        for origin in &raw.origins {
            let url = self.url(&format!("{field}.origins"), origin)?;
            if url.origin().ascii_serialization() != *origin {
                let reason =
                    format!("{origin:?} is not an origin: scheme, host and port, nothing more");
                return self.wrong(format!("{field}.origins"), reason);
            }
        }
        let identity_keys =
            raw.identity.map(|raw| self.web_keys(field, raw)).transpose()?.unwrap_or_default();
        Ok(WebSite { title: raw.title, origins: raw.origins, identity_keys })
    }

    fn collection(&self, field: &str, raw: raw::RawCollection) -> Checked<Collection> {
        let mut personal = Vec::new();
        for (path, kind) in raw.personal {
            let fits = (1..=24).contains(&kind.len())
                && kind.starts_with(|c: char| c.is_ascii_uppercase())
                && kind.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
            if !fits {
                let reason = format!(
                    "{kind:?}: a kind is a capital letter and up to 23 more or `_`, such as EMAIL"
                );
                return self.wrong(format!("{field}.personal.{path}"), reason);
            }
            personal.push(PersonalField { path, kind });
        }
        if raw.identify_by.iter().any(Vec::is_empty) {
            return self.wrong(format!("{field}.identify_by"), "a set of fields must not be empty");
        }
        if !raw.identify_by.is_empty() && raw.owner.is_none() {
            return self.wrong(format!("{field}.owner"), "is needed where `identify_by` is set");
        }
        let collection = Collection {
            owner: raw.owner,
            find_by: raw.find_by,
            identify_by: raw.identify_by,
            readable: raw.readable,
            personal,
            amount: raw.amount,
            currency: raw.currency,
            access: raw.access,
            irreversible: raw.irreversible,
            tier: raw.tier,
        };
        if collection.tier.is_some() && collection.identify_by.is_empty() {
            let reason = "belongs to the collection of customers, which has `identify_by`";
            return self.wrong(format!("{field}.tier"), reason);
        }
        let single = [&collection.amount, &collection.currency, &collection.tier];
        let listed = collection.access.iter().chain(&collection.irreversible);
        if let Some(path) = single.into_iter().flatten().chain(listed).find(|path| path.is_empty())
        {
            return self.wrong(field.to_owned(), format!("{path:?} is not the name of a field"));
        }
        // Keys of customers stand in rules, tickets and audit as they are.
        if collection.owner.as_deref().is_some_and(|path| collection.personal_kind(path).is_some())
        {
            return self.wrong(
                format!("{field}.owner"),
                "must not be a personal field: use a number or code",
            );
        }
        Ok(collection)
    }

    fn pipeline(&self, raw: raw::RawPipeline) -> Checked<Pipeline> {
        self.name("pipeline.queue", &raw.queue)?;
        let ms = |name: &str, value, least, most| {
            let value = self.number(&format!("pipeline.{name}"), value, least, most)?;
            Ok(Duration::from_millis(u64::from(value)))
        };
        let seconds = |name: &str, value, least, most| {
            let value = self.number(&format!("pipeline.{name}"), value, least, most)?;
            Ok(Duration::from_secs(u64::from(value)))
        };
        Ok(Pipeline {
            workers: self.number("pipeline.workers", raw.workers, 1, 256)?,
            lease: seconds("lease_s", raw.lease_s, 5, 3_600)?,
            turn_attempts: self.number("pipeline.turn_attempts", raw.turn_attempts, 1, 100)?,
            send_attempts: self.number("pipeline.send_attempts", raw.send_attempts, 1, 100)?,
            send_timeout: ms("send_timeout_ms", raw.send_timeout_ms, 100, 60_000)?,
            unknown_send: raw.unknown_send,
            queue: raw.queue,
            session: 60 * seconds("session_minutes", raw.session_minutes, 1, 1_440)?,
        })
    }

    fn breaker(&self, raw: &raw::RawBreaker) -> Checked<BreakerSettings> {
        let seconds = |name: &str, value, least| {
            let value = self.number(&format!("breaker.{name}"), value, least, 86_400)?;
            Ok(Duration::from_secs(u64::from(value)))
        };
        Ok(BreakerSettings {
            failures: self.number("breaker.failures", raw.failures, 1, 1_000)?,
            rest: seconds("rest_s", raw.rest_s, 1)?,
            longest_rest: seconds("longest_rest_s", raw.longest_rest_s, raw.rest_s)?,
        })
    }

    fn compile(&self, raw: &raw::RawLimits) -> Checked<CompileLimits> {
        let seconds = self.number("limits.compile_seconds", raw.compile_seconds, 1, 3_600)?;
        let mib = self.number("limits.compile_mib", raw.compile_mib, 64, 65_536)?;
        Ok(CompileLimits {
            time: Duration::from_secs(seconds.into()),
            memory_bytes: u64::from(mib) << 20,
        })
    }
}
