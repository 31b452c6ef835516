//! Hosts that are killed, again and again, while messages are in flight: what was
//! acknowledged is done once, and nothing is done twice in silence.
//!
//! One test kills at random moments. The other kills at every boundary of a turn:
//! a program with `fault-injection` dies at the place of which it is told.
//! `POSTERN_KILL_ROUNDS` and `POSTERN_KILL_POINTS` set how often, `POSTERN_KILL_SEED`
//! which moments are chosen.

mod approver;
mod kills;
mod scene;
mod senders;
mod shop;
mod verdict;

use anyhow::{Context as _, Result, ensure};
use kills::{Kill, Moment, Tally};
use postern::fault::POINTS;
use postern_test_support::host::{Faulty, binary, faulty_binary};
use scene::Scene;

const ROUNDS: u64 = 20;
const BOUNDARIES: u64 = 40;
const SEED: u64 = 0x6b69_6c6c;
/// From so many kills at places on, each place must have killed.
const ENOUGH: u64 = 400;

fn number(variable: &str, otherwise: u64) -> Result<u64> {
    match std::env::var(variable) {
        Ok(text) => text.parse().with_context(|| format!("{variable} is not a number: {text:?}")),
        Err(_) => Ok(otherwise),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_9_and_happens_once() -> Result<()> {
    let rounds = number("POSTERN_KILL_ROUNDS", ROUNDS)?;
    let seed = number("POSTERN_KILL_SEED", SEED)?;
    let mut random = fastrand::Rng::with_seed(seed);
    let mut scene = Scene::build(rounds, &mut random).await?;
    for round in 0..rounds {
        scene.before(round).await?;
        let host = scene.town.open().await?;
        scene.addresses.set(host.public());
        Moment::draw(&mut random).pass(&scene, &mut random).await?;
        scene.addresses.unset();
        host.kill().await?;
    }
    let found = scene
        .end()
        .await
        .with_context(|| format!("POSTERN_KILL_ROUNDS={rounds} POSTERN_KILL_SEED={seed}"))?;
    println!("killed {rounds} times (seed {seed}): {found}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_dies_at_any_boundary_of_a_turn_does_everything_once() -> Result<()> {
    let points = number("POSTERN_KILL_POINTS", BOUNDARIES)?;
    let seed = number("POSTERN_KILL_SEED", SEED)?;
    let mut random = fastrand::Rng::with_seed(seed);
    let mut scene = Scene::build(points, &mut random).await?;
    let (mut tally, mut round) = (Tally::default(), 0);
    while tally.at_places() < points {
        ensure!(round < 3 * points, "too few hosts come to their place; {tally}");
        scene.before(round).await?;
        kills::once(&scene, Kill::draw(round, &mut random), &mut random, &mut tally).await?;
        round += 1;
    }
    println!("{tally}");
    let found = scene
        .end()
        .await
        .with_context(|| format!("POSTERN_KILL_POINTS={points} POSTERN_KILL_SEED={seed}"))?;
    println!("killed {round} times (seed {seed}): {found}");
    let missed: Vec<_> = POINTS.iter().filter(|point| tally.of(point) == 0).collect();
    ensure!(points < ENOUGH || missed.is_empty(), "never killed at {missed:?}");
    Ok(())
}

#[tokio::test]
async fn the_program_that_people_run_cannot_be_told_to_die() -> Result<()> {
    let knows = |program: Vec<u8>| program.windows(16).any(|part| part == b"POSTERN_FAULT_AT");
    ensure!(knows(std::fs::read(faulty_binary()?)?), "the search does not find it");
    ensure!(!knows(std::fs::read(binary()?)?), "the variable is in the program");
    Ok(())
}

#[tokio::test]
async fn a_place_that_is_named_is_the_one_at_which_the_host_dies() -> Result<()> {
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut scene = Scene::build(4, &mut random).await?;
    for point in ["intake.before", "commit.after", "outbox.sent"] {
        scene.before(0).await?;
        let mut host = Faulty::start(&scene.town.data, &format!("{point}:1")).await?;
        if let Some(host) = host.host() {
            scene.addresses.set(host.public());
            tokio::time::timeout(crate::setup::PATIENCE, host.ended()).await??;
            scene.addresses.unset();
        }
        ensure!(host.died_at()?.as_deref() == Some(point), "{:?}", host.died_at()?);
    }
    Ok(())
}
