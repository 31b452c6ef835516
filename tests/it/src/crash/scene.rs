//! Everything around the hosts that are killed.

use anyhow::{Context as _, Result};
use postern_store::Store as _;
use postern_test_support::{exempt, paths, till::Till};
use tokio::task::JoinSet;
use toml_edit::{Array, Item, Table, value};

use super::{
    approver::Approver,
    senders::{Addresses, Conversation},
    shop,
    verdict::{self, Found},
};
use crate::setup::{PATIENCE, SHIPPED, Town, eventually, skill};

/// Conversations that begin with the first host.
const AT_FIRST: u64 = 4;
/// In every so manieth round approvals are decided and conversations begin.
const PAUSE: u64 = 3;
/// Messages that wait, at least, after such a round: there is always something to
/// do for the next hosts.
const WAITING: u64 = 24;
/// Messages that a conversation brings.
const MESSAGES: u64 = 10;
/// Hosts that the end takes at most.
const LAST_HOSTS: u32 = 20;

/// The route of what `payer` has to wait for.
const ROUTE: &str = "\n[route.payments]\nquorum = 1\nexpires = \"24h\"\nrole = \"approver\"\n";

/// A town with a till, and the conversations with its host.
pub(super) struct Scene {
    pub(super) town: Town,
    pub(super) till: Till,
    pub(super) addresses: Addresses,
    pub(super) approver: Approver,
    running: JoinSet<Result<Conversation>>,
    begun: u64,
    most: u64,
    random: fastrand::Rng,
}

impl Scene {
    /// A scene for so many rounds.
    pub(super) async fn build(rounds: u64, random: &mut fastrand::Rng) -> Result<Self> {
        let town = Town::build(&SHIPPED).await?;
        let till = Till::start().await?;
        configure(&town, &till)?;
        town.data.postern(["policy", "apply"]).await?;
        town.data.install(&skill("payer")?).await?;
        let most = AT_FIRST + rounds;
        town.import(&shop::records(most)).await?;
        let approver = Approver::hire(&town).await?;
        Ok(Self {
            town,
            till,
            addresses: Addresses::default(),
            approver,
            running: JoinSet::new(),
            begun: 0,
            most,
            random: random.fork(),
        })
    }

    /// What happens while no host is there: from time to time approvals are
    /// decided, and conversations begin where there is too little to do.
    pub(super) async fn before(&mut self, round: u64) -> Result<()> {
        if !round.is_multiple_of(PAUSE) {
            return Ok(());
        }
        self.approver.decide(&self.town).await?;
        let waiting = self.town.store().await?.backlog().await?.0;
        let want = match self.begun {
            0 => AT_FIRST,
            _ => WAITING.saturating_sub(waiting).div_ceil(MESSAGES),
        };
        for _ in 0..want.min(self.most - self.begun) {
            let talk = Conversation::begin(self.begun, self.random.fork());
            self.running.spawn(talk.run(self.addresses.clone(), self.town.telegram.watch()));
            self.begun += 1;
        }
        Ok(())
    }

    /// Lets hosts do what is left, and judges what has become of everything.
    pub(super) async fn end(mut self) -> Result<Found> {
        let mut host = self.town.open().await?;
        self.addresses.set(host.public());
        let mut talks = Vec::new();
        while let Some(ended) = tokio::time::timeout(PATIENCE, self.running.join_next()).await? {
            talks.push(ended??);
        }
        for _ in 0..LAST_HOSTS {
            self.settle().await?;
            host.stop().await?;
            if self.approver.decide(&self.town).await? == 0 {
                return verdict::judge(&self.town, &self.till, &talks).await;
            }
            host = self.town.open().await?;
        }
        host.stop().await?;
        anyhow::bail!("new approvals come without end")
    }

    /// Waits until there is nothing to do.
    async fn settle(&self) -> Result<()> {
        let store = self.town.store().await?;
        eventually("the end of all work", async || {
            Ok((store.backlog().await? == (0, 0)).then_some(()))
        })
        .await
    }
}

/// Lets `payer` reach the till, and gives it rules and a collection.
fn configure(town: &Town, till: &Till) -> Result<()> {
    let url = till.url();
    town.data.edit_config(|config| {
        let root = config.as_table_mut();
        let endpoint = table(root, &["endpoints", "till"]);
        endpoint["url"] = value(&url);
        endpoint["private"] = value(Array::from_iter(["127.0.0.0/8"]));
        let grant = table(endpoint, &["grants", "payer"]);
        grant["methods"] = value(Array::from_iter(["POST"]));
        grant["paths"] = value(Array::from_iter(["v1/payments"]));
        table(root, &["skills", "payer", "settings"])["till_url"] = value(&url);
        table(root, &["collections", "bookings"]);
    })?;
    let policies = town.data.path().join("policies");
    let rules = "payer.cedar";
    std::fs::copy(paths::repository().join("tests/guests").join(rules), policies.join(rules))?;
    exempt::from_duties_of_requests(town.data.path(), "payer")?;
    let routes = policies.join("approvals.toml");
    let text = std::fs::read_to_string(&routes).context("the routes that come with a host")?;
    Ok(std::fs::write(&routes, text + ROUTE)?)
}

/// The table at `path`, made where it is missing.
fn table<'a>(root: &'a mut Table, path: &[&str]) -> &'a mut Table {
    path.iter().fold(root, |parent, name| {
        let entry = parent.entry(name).or_insert_with(|| Item::Table(Table::new()));
        entry.as_table_mut().unwrap()
    })
}
