//! A host with skills and a shop, the world around it, and customers.

mod customer;
mod files;

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result, bail};
pub(crate) use customer::{Customer, Told};
pub(crate) use files::{Untouched, outcome};
use jiff::civil::Date;
use postern_domain::{Channel, ConversationId};
use postern_store::SqliteStore;
use postern_test_support::{
    carrier::Carrier,
    host::{self, ACCOUNT, DataFolder, Host, SkillFiles},
    paths, shop,
    telegram::TelegramApi,
};
use serde_json::Value;

/// What Telegram's webhooks carry.
pub(crate) const SECRET: &str = "it-webhook-secret";
/// What the Bot API takes.
pub(crate) const BOT_TOKEN: &str = "1234567890:it-bot-token-of-the-stand-in";
const CARRIER_TOKEN: &str = "it-carrier-token";
/// Things take milliseconds; a machine that is busy with all tests takes longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// How often is asked for what tells nobody that it has happened.
const POLL: Duration = Duration::from_millis(20);

/// The skills that come with Postern.
pub(crate) const SHIPPED: [&str; 5] =
    ["crm-lookup", "escalation", "order-status", "refund-check", "shipment-tracking"];

/// A prepared data folder, and Telegram and a carrier beside it.
#[derive(Debug)]
pub(crate) struct Town {
    pub(crate) data: DataFolder,
    pub(crate) telegram: TelegramApi,
    pub(crate) carrier: Carrier,
}

impl Town {
    /// A town whose host has these skills, a Telegram account and no records.
    pub(crate) async fn build(skills: &[&str]) -> Result<Self> {
        let data = DataFolder::temporary().await?;
        for name in skills {
            data.install(&skill(name)?).await?;
        }
        let telegram = TelegramApi::start(BOT_TOKEN).await?;
        let carrier = Carrier::start(CARRIER_TOKEN, today()).await?;
        data.use_telegram(BOT_TOKEN, SECRET, &telegram.url())?;
        // A setting of a skill that is not installed would be ignored.
        data.use_carrier(&carrier.url(), CARRIER_TOKEN)?;
        Ok(Self { data, telegram, carrier })
    }

    /// A town with all skills and the sample shop.
    pub(crate) async fn with_sample_shop() -> Result<Self> {
        let town = Self::build(&SHIPPED).await?;
        town.import(&sample_shop()?).await?;
        Ok(town)
    }

    /// Brings records in.
    pub(crate) async fn import(&self, records: &Value) -> Result<()> {
        let file = self.data.path().join("shop-to-import.json");
        std::fs::write(&file, serde_json::to_vec(records)?)?;
        Ok(self.data.import(&file).await?)
    }

    /// Starts the host.
    pub(crate) async fn open(&self) -> Result<Host> {
        Ok(Host::start(&self.data).await?)
    }

    /// The store, also while the host serves.
    pub(crate) async fn store(&self) -> Result<SqliteStore> {
        store_of(&self.data).await
    }
}

/// The store of a data folder.
pub(crate) async fn store_of(data: &DataFolder) -> Result<SqliteStore> {
    // Nothing is written here, so the name of the chain does not matter.
    Ok(SqliteStore::open(data.path(), "reader").await?)
}

/// The day in UTC.
pub(crate) fn today() -> Date {
    jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC).date()
}

/// The sample shop as of today.
pub(crate) fn sample_shop() -> Result<Value> {
    let mut records = shop::read(&paths::repository().join("skills").join("sample-shop.json"))?;
    shop::settle_dates(&mut records, today());
    Ok(records)
}

/// A skill that comes with Postern, or a hostile one, by its name.
pub(crate) fn skill(name: &str) -> Result<SkillFiles> {
    let folder = |skill: &SkillFiles| {
        skill.manifest.parent().and_then(Path::file_name).is_some_and(|folder| folder == name)
    };
    let all = host::shipped_skills()?.into_iter().chain(host::guests()?);
    all.into_iter().find(folder).with_context(|| format!("there is no skill {name}"))
}

/// The conversation of a person in a chat with the Telegram bot.
pub(crate) fn conversation(chat: &str, sender: &str) -> ConversationId {
    ConversationId::derive(&[Channel::Telegram.as_str(), ACCOUNT, chat, sender])
}

/// Waits until `look` finds what it looks for.
pub(crate) async fn eventually<T, F>(what: &str, mut look: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    let found = tokio::time::timeout(PATIENCE, async {
        loop {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            tokio::time::sleep(POLL).await;
        }
    });
    match found.await {
        Ok(found) => found,
        Err(_) => bail!("{what} did not happen within {} s", PATIENCE.as_secs()),
    }
}

/// One JSON value from each line.
pub(crate) fn json_lines(text: &str) -> Result<Vec<Value>> {
    text.lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("not JSON: {line}")))
        .collect()
}

/// A value of JSON under a pointer, as text.
pub(crate) fn text_at<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
