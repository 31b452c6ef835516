//! `kill -9` at random moments, again and again, while messages are in flight:
//! what was acknowledged is done once, and nothing is done twice in silence.
//!
//! `POSTERN_KILL_ROUNDS` sets how often the host is killed, `POSTERN_KILL_SEED`
//! which moments are chosen.

mod senders;
mod shop;
mod verdict;

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use postern_store::Store as _;
use postern_test_support::{host::Host, telegram::TelegramApi};
use senders::{Addresses, Conversation};
use tokio::task::JoinSet;

use crate::setup::{PATIENCE, SHIPPED, Town, eventually};

const ROUNDS: u64 = 30;
const SEED: u64 = 0x6b69_6c6c;
/// Conversations that begin in each round.
const NEW_EACH_ROUND: u64 = 2;
/// The longest time between the event that a kill waits for and the kill.
const MOST_DELAY_US: u64 = 20_000;

fn number(variable: &str, otherwise: u64) -> Result<u64> {
    match std::env::var(variable) {
        Ok(text) => text.parse().with_context(|| format!("{variable} is not a number: {text:?}")),
        Err(_) => Ok(otherwise),
    }
}

/// What a kill waits for.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// So many more acknowledgements.
    Acknowledged(usize),
    /// So many more messages that Telegram took.
    Sent(usize),
    /// So many more questions to the carrier.
    Asked(usize),
    /// Nothing: while the host takes up what it left behind.
    Started,
}

impl Moment {
    fn draw(random: &mut fastrand::Rng) -> Self {
        match random.u8(..10) {
            0 => Self::Started,
            1 => Self::Asked(1),
            2..=5 => Self::Acknowledged(random.usize(1..=8)),
            _ => Self::Sent(random.usize(1..=8)),
        }
    }

    /// Waits for it; where too little is left to do, not for long.
    async fn wait(self, town: &Town, addresses: &Addresses) -> Result<()> {
        let (acks, sends) = (addresses.acknowledged(), town.telegram.sent().len());
        let questions = town.carrier.received().len();
        let limit = std::time::Duration::from_secs(3);
        let wait = async {
            match self {
                Self::Started => {}
                Self::Acknowledged(n) => addresses.wait_for(acks + n).await,
                Self::Sent(n) => drop(town.telegram.wait_for(sends + n, PATIENCE).await?),
                Self::Asked(n) => {
                    eventually("a question to the carrier", async || {
                        Ok((town.carrier.received().len() >= questions + n).then_some(()))
                    })
                    .await?;
                }
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(limit, wait).await.unwrap_or(Ok(()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_9_and_happens_once() -> Result<()> {
    let rounds = number("POSTERN_KILL_ROUNDS", ROUNDS)?;
    let seed = number("POSTERN_KILL_SEED", SEED)?;
    let mut random = fastrand::Rng::with_seed(seed);
    let town = Town::build(&SHIPPED).await?;
    town.import(&shop::records(rounds * NEW_EACH_ROUND)).await?;

    let addresses = Addresses::default();
    let mut running = JoinSet::new();
    for round in 0..rounds {
        let host = town.open().await?;
        for n in 0..NEW_EACH_ROUND {
            let talk = Conversation::begin(round * NEW_EACH_ROUND + n, random.fork());
            running.spawn(talk.run(addresses.clone()));
        }
        addresses.set(host.public());
        let moment = Moment::draw(&mut random);
        moment.wait(&town, &addresses).await?;
        let until = Instant::now() + std::time::Duration::from_micros(random.u64(..MOST_DELAY_US));
        while Instant::now() < until {
            tokio::task::yield_now().await;
        }
        addresses.unset();
        host.kill().await?;
    }

    let host = town.open().await?;
    addresses.set(host.public());
    let mut talks = Vec::new();
    while let Some(ended) = tokio::time::timeout(PATIENCE, running.join_next()).await? {
        talks.push(ended??);
    }
    finish(&town, host).await?;
    let found = verdict::judge(&town, &talks)
        .await
        .with_context(|| format!("POSTERN_KILL_ROUNDS={rounds} POSTERN_KILL_SEED={seed}"))?;
    println!("killed {rounds} times (seed {seed}): {found}");
    Ok(())
}

/// Lets the host do what is left, and stops it.
async fn finish(town: &Town, host: Host) -> Result<()> {
    let store = town.store().await?;
    eventually(
        "the end of all work",
        async || Ok((store.backlog().await? == (0, 0)).then_some(())),
    )
    .await?;
    host.stop().await?;
    Ok(())
}

/// Fails unless everything that was sent to a chat is known.
fn sent_in_all(telegram: &TelegramApi, known: usize) -> Result<()> {
    let sent = telegram.sent().len();
    ensure!(sent == known, "Telegram got {sent} messages, of which {known} are accounted for");
    Ok(())
}
