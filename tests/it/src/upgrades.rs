//! Upgrades and rollbacks while customers write: no turn fails, and none is of two
//! versions.

pub(crate) mod versions;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use postern::{
    app::KEY_FILE,
    keys::MasterKey,
    registry::{Compiler, Registry},
};
use postern_domain::{Author, InvocationId, JournalEntry};
use postern_store::{ConversationDetail, SqliteStore, Store as _};
use postern_test_support::{
    host::{ACCOUNT, Host, binary},
    http_client,
    webhook::{self, Sender},
};
use tokio::{task::JoinSet, time::MissedTickBehavior};

use self::versions::{SKILL, installed, permit, upgrade, version, version_of};
use crate::setup::{SECRET, Town, conversation, eventually};

/// Conversations that begin in a second.
const RATE: u32 = 50;
/// The number of the first customer's account.
const FIRST: i64 = 10_000;

/// Customers who come at a fixed rate, whether the host keeps up or not, until operators
/// are through: each of their steps has its own time limit.
struct Crowd {
    came: tokio::task::JoinHandle<Result<(i64, Duration)>>,
    enough: Arc<AtomicBool>,
}

impl Crowd {
    fn comes(host: &Host) -> Self {
        let (public, enough) = (host.public().to_owned(), Arc::new(AtomicBool::new(false)));
        let came = tokio::spawn(come(public, Arc::clone(&enough)));
        Self { came, enough }
    }

    /// Lets nobody else come, and answers how many came in which time.
    async fn stops(self) -> Result<(i64, Duration)> {
        self.enough.store(true, Relaxed);
        self.came.await?
    }
}

async fn come(public: String, enough: Arc<AtomicBool>) -> Result<(i64, Duration)> {
    let client = http_client();
    let mut tick = tokio::time::interval(Duration::from_secs(1) / RATE);
    // Whoever is late comes all the same.
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut sent, began) = (JoinSet::new(), Instant::now());
    let mut came = 0;
    while !enough.load(Relaxed) {
        tick.tick().await;
        // One of five writes again, a second later.
        let again = came - i64::from(RATE);
        let writes = [(came, 1), (again, 2)];
        for (customer, visit) in
            writes.into_iter().filter(|(who, nth)| *nth == 1 || (*who >= 0 && who % 5 == 0))
        {
            let (client, public) = (client.clone(), public.clone());
            sent.spawn(async move {
                let sender = Sender { id: FIRST + customer, first_name: "Kim".to_owned() };
                let text = format!("write down visit v{customer}x{visit}");
                let update = webhook::text_update(sender.id * 10 + visit, visit, &sender, &text);
                webhook::deliver(&client, &public, ACCOUNT, SECRET, &update).await
            });
        }
        came += 1;
    }
    let took = began.elapsed();
    while let Some(status) = sent.join_next().await {
        let status = status??;
        ensure!(status == 200, "a message was answered with {status}");
    }
    Ok((came, took))
}

/// The newest run of the skill that this version answered.
async fn answers(store: &SqliteStore, digest: postern_domain::Digest, since: usize) -> Result<()> {
    eventually("an answer of the version that is active", async || {
        let runs = store.skill_use(&SKILL.parse()?, digest, 10_000).await?;
        Ok((runs.len() > since).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_change_under_load_and_no_turn_fails_or_mixes_them() -> Result<()> {
    let town = Town::build(&[]).await?;
    permit(&town.data).await?;
    let folder = tempfile::tempdir()?;
    let (old, new) = (version(folder.path(), 1)?, version(folder.path(), 2)?);
    town.data.install(&old).await?;
    let host = town.open().await?;
    let store = town.store().await?;
    let crowd = Crowd::comes(&host);
    let skill = SKILL.parse()?;
    let mut operated = 0;
    for round in 0..4 {
        for rolls_back in [false, true] {
            if rolls_back {
                town.data.postern(["skill", "rollback"]).await?;
            } else {
                upgrade(&town.data, &new, &[]).await?;
            }
            operated += 1;
            let digest = installed(&town.data).await?;
            let before = store.skill_use(&skill, digest, 10_000).await?.len();
            answers(&store, digest, before).await.with_context(|| format!("round {round}"))?;
        }
    }
    let (came, took) = crowd.stops().await?;
    eventually("every message is answered", async || {
        Ok((store.backlog().await? == (0, 0)).then_some(()))
    })
    .await?;
    let told = Told::of(&town, &store, came).await?;
    eprintln!(
        "{came} conversations in {:.1} s ({:.0} a second), {operated} changes of the version, \
         turns by version: {:?}, generations: {:?}",
        took.as_secs_f64(),
        f64::from(u32::try_from(came)?) / took.as_secs_f64(),
        told.turns,
        told.generations,
    );
    ensure!(told.turns.keys().copied().eq([1, 2]), "{:?}", told.turns);
    ensure!(told.generations.len() > 2, "{:?}", told.generations);
    host.stop().await?;
    Ok(())
}

/// What came of all conversations.
#[derive(Default)]
struct Told {
    /// Turns by version.
    turns: BTreeMap<u32, usize>,
    generations: BTreeSet<u64>,
}

impl Told {
    async fn of(town: &Town, store: &SqliteStore, came: i64) -> Result<Self> {
        let data = town.data.path();
        let key = MasterKey::read(&data.join(KEY_FILE))?;
        let registry = Registry::open(data, key, Compiler::program(&binary()?))?;
        let mut told = Self::default();
        for customer in 0..came {
            let chat = (FIRST + customer).to_string();
            let id = conversation(&chat, &chat);
            let detail = store.conversation(&id).await?;
            let detail = detail.with_context(|| format!("customer {customer} was not heard"))?;
            told.add(&registry, &detail).with_context(|| format!("customer {customer}"))?;
        }
        Ok(told)
    }

    fn add(&mut self, registry: &Registry, detail: &ConversationDetail) -> Result<()> {
        let of_bot = |author| author == Author::Bot;
        let answers = detail.messages.iter().filter(|it| of_bot(it.message.author)).count();
        ensure!(detail.tickets.iter().all(|it| it.queue.is_none()), "{:?}", detail.tickets);
        ensure!(!detail.turns.is_empty() && answers == detail.turns.len(), "{detail:?}");
        for turn in &detail.turns {
            ensure!(turn.completed_at.is_some(), "{turn:?}");
            let of_turn = |id: &InvocationId| {
                detail.invocations.iter().any(|run| run.id == *id && run.turn == turn.id)
            };
            let mut runs = detail.invocations.iter().filter(|run| run.turn == turn.id);
            let run = runs.next().context("no tool was called")?;
            ensure!(runs.next().is_none(), "more than one tool was called");
            let journal = detail.journal.iter().filter(|it| of_turn(&it.invocation));
            let is = version_of(run, journal.map(|JournalEntry { record, .. }| record))?;
            // It is also the version of the generation under which the turn began.
            let number: u64 = turn.generation.parse()?;
            let generation = registry.generation(number)?;
            let installed = generation.skills.get(&run.skill).context("it is not installed")?;
            ensure!(installed.digest == run.digest, "generation {number} has not {run:?}");
            ensure!(installed.manifest.skill.version.to_string() == run.version, "{run:?}");
            *self.turns.entry(is).or_default() += 1;
            self.generations.insert(number);
        }
        Ok(())
    }
}
