//! When a host is killed.

use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use postern::fault::POINTS;
use postern_test_support::host::Faulty;

use super::scene::Scene;
use crate::setup::{PATIENCE, eventually};

/// The longest time between the event that a kill waits for and the kill.
const MOST_DELAY_US: u64 = 20_000;
/// The longest wait for an event or a place: too little may be left to do.
const MOST_WAIT: Duration = Duration::from_secs(3);
/// Places that a host passes before it dies, at most, where any will do.
const MOST_PASSES: u64 = 45;
/// Where a place is named, it is passed so often at most.
const MOST_OF_ONE: u64 = 3;

/// What a kill at a random moment waits for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Moment {
    /// So many more acknowledgements.
    Acknowledged(usize),
    /// So many more messages that Telegram took.
    Sent(usize),
    /// So many more questions to the carrier.
    Asked(usize),
    /// So many more payments.
    Paid(usize),
    /// Nothing: while the host takes up what it left behind.
    Started,
}

impl Moment {
    pub(super) fn draw(random: &mut fastrand::Rng) -> Self {
        match random.u8(..12) {
            0 => Self::Started,
            1 => Self::Asked(1),
            2 | 3 => Self::Paid(random.usize(1..=3)),
            4..=7 => Self::Acknowledged(random.usize(1..=8)),
            _ => Self::Sent(random.usize(1..=8)),
        }
    }

    /// Waits for it, and then a little; where too little is left to do, not for
    /// long.
    pub(super) async fn pass(self, scene: &Scene, random: &mut fastrand::Rng) -> Result<()> {
        let Scene { town, till, addresses, .. } = scene;
        let (acks, sends) = (addresses.acknowledged(), town.telegram.sent().len());
        let (questions, payments) = (town.carrier.received().len(), till.payments().len());
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
                Self::Paid(n) => {
                    eventually("a payment", async || {
                        Ok((till.payments().len() >= payments + n).then_some(()))
                    })
                    .await?;
                }
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(MOST_WAIT, wait).await.unwrap_or(Ok(()))?;
        let until = Instant::now() + Duration::from_micros(random.u64(..MOST_DELAY_US));
        while Instant::now() < until {
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

/// One way to kill a host.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kill {
    /// It dies at the so manieth place that it passes.
    Pass(u64),
    /// It dies the so manieth time that it passes this place.
    At(&'static str, u64),
    /// It is killed from outside.
    Moment(Moment),
}

impl Kill {
    /// The kill of a round: in ten rounds five at the next place after the one
    /// before, four at a named one, and one from outside.
    pub(super) fn draw(round: u64, random: &mut fastrand::Rng) -> Self {
        let turn = round / 10;
        match round % 10 {
            place @ 0..=4 => Self::Pass(1 + (turn * 5 + place) % MOST_PASSES),
            place @ 5..=8 => {
                // In an order in which few kills come to early and late ones alike.
                let number = usize::try_from((turn * 4 + place - 5) * 9).unwrap_or_default();
                Self::At(POINTS[number % POINTS.len()], random.u64(1..=MOST_OF_ONE))
            }
            _ => Self::Moment(Moment::draw(random)),
        }
    }

    /// What the host is told: nothing that it ever comes to for a kill from
    /// outside.
    fn fault(self) -> String {
        match self {
            Self::Pass(at) => at.to_string(),
            Self::At(point, at) => format!("{point}:{at}"),
            Self::Moment(_) => u64::MAX.to_string(),
        }
    }
}

/// Where hosts have died.
#[derive(Debug, Default)]
pub(super) struct Tally {
    points: BTreeMap<String, u64>,
    /// From outside, as it was meant.
    outside: u64,
    /// From outside, because a place was not come to in time.
    not_reached: u64,
}

impl Tally {
    /// How many hosts died at places.
    pub(super) fn at_places(&self) -> u64 {
        self.points.values().sum()
    }

    /// How often a host died at a place.
    pub(super) fn of(&self, point: &str) -> u64 {
        self.points.get(point).copied().unwrap_or_default()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} died at places:", self.at_places())?;
        for point in POINTS {
            writeln!(f, "  {point:<18}{:>5}", self.of(point))?;
        }
        writeln!(f, "{} were killed at random moments,", self.outside)?;
        write!(f, "{} because they did not come to their place in time", self.not_reached)
    }
}

/// Starts a host and kills it.
pub(super) async fn once(
    scene: &Scene,
    kill: Kill,
    random: &mut fastrand::Rng,
    tally: &mut Tally,
) -> Result<()> {
    let mut faulty = Faulty::start(&scene.town.data, &kill.fault()).await?;
    if let Some(host) = faulty.host() {
        scene.addresses.set(host.public());
        match kill {
            Kill::Pass(_) | Kill::At(..) => {
                // One that does not come to its place is killed below.
                if let Ok(ended) = tokio::time::timeout(MOST_WAIT, host.ended()).await {
                    ended?;
                }
            }
            Kill::Moment(moment) => {
                // People also decide while a host works.
                scene.approver.decide(&scene.town).await?;
                moment.pass(scene, random).await?;
            }
        }
        scene.addresses.unset();
    }
    match (faulty.died_at()?, kill) {
        (Some(point), _) => *tally.points.entry(point).or_default() += 1,
        (None, Kill::Moment(_)) => tally.outside += 1,
        (None, Kill::Pass(_) | Kill::At(..)) => tally.not_reached += 1,
    }
    faulty.kill().await.with_context(|| format!("after {kill:?}"))
}
