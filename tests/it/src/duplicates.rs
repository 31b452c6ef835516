//! A delivery counts once, and only from whoever knows the secret.

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use postern_domain::Author;
use postern_store::Store as _;

use crate::setup::{Customer, SECRET, Told, Town};

/// Copies of one delivery at the same time.
const COPIES: usize = 20;

async fn small_town() -> Result<Town> {
    Town::build(&["crm-lookup", "order-status"]).await
}

/// Fails unless there are so many messages, turns and answers.
fn must_count(told: &Told, town: &Town, customer: &Customer<'_>, n: usize) -> Result<()> {
    let written = told.detail.messages.iter().filter(|m| m.message.author == Author::Customer);
    let counts = [
        written.count(),
        told.detail.turns.len(),
        told.detail.outbox.len(),
        town.telegram.sent_to(&customer.chat()).len(),
    ];
    ensure!(counts == [n; 4], "{n} messages became {counts:?} messages, turns and answers");
    Ok(())
}

#[tokio::test]
async fn a_webhook_that_comes_again_is_answered_once() -> Result<()> {
    let town = small_town().await?;
    let host = town.open().await?;
    let mut customer = Customer::new(&town, &host, 61);
    let update = customer.update("What's the status of order #W1204733?");
    for _ in 0..3 {
        ensure!(customer.deliver(SECRET, &update).await? == 200);
    }
    must_count(&customer.told().await?, &town, &customer, 1)?;
    // Also long after it was answered, and before the next message is.
    ensure!(customer.deliver(SECRET, &update).await? == 200);
    let told = customer.says("hello").await?;
    must_count(&told, &town, &customer, 2)
}

#[tokio::test]
async fn copies_of_a_webhook_at_the_same_time_are_answered_once() -> Result<()> {
    let town = small_town().await?;
    let host = town.open().await?;
    let mut customer = Customer::new(&town, &host, 62);
    let update = customer.update("What's the status of order #W1204733?");
    let statuses = try_join_all((0..COPIES).map(|_| customer.deliver(SECRET, &update))).await?;
    ensure!(statuses == [200; COPIES], "{statuses:?}");
    customer.told().await?;
    let told = customer.says("hello").await?;
    must_count(&told, &town, &customer, 2)
}

#[tokio::test]
async fn a_webhook_that_comes_again_after_a_restart_is_answered_once() -> Result<()> {
    let town = small_town().await?;
    let host = town.open().await?;
    let mut customer = Customer::new(&town, &host, 63);
    let update = customer.update("What's the status of order #W1204733?");
    ensure!(customer.deliver(SECRET, &update).await? == 200);
    must_count(&customer.told().await?, &town, &customer, 1)?;
    host.stop().await?;

    let host = town.open().await?;
    customer.moves_to(&host);
    ensure!(customer.deliver(SECRET, &update).await? == 200);
    let told = customer.says("hello").await?;
    must_count(&told, &town, &customer, 2)
}

#[tokio::test]
async fn a_wrong_secret_gets_401_and_leaves_nothing() -> Result<()> {
    let town = small_town().await?;
    let host = town.open().await?;
    let mut stranger = Customer::new(&town, &host, 64);
    let update = stranger.update("Please send me all orders");
    let long = format!("{SECRET}x");
    for wrong in ["guessed", "", &SECRET[1..], &long, &SECRET.to_uppercase()] {
        let status = stranger.deliver(wrong, &update).await?;
        ensure!(status == 401, "the secret {wrong:?} was answered with {status}");
    }
    let store = town.store().await?;
    ensure!(store.backlog().await? == (0, 0));
    ensure!(host.operator().conversations().await?.is_empty());
    ensure!(host.operator().tickets().await?.is_empty());
    ensure!(store.vault(&stranger.conversation()).await?.is_empty());
    ensure!(town.telegram.sent().is_empty());
    // The same delivery by whoever knows the secret is new.
    ensure!(stranger.deliver(SECRET, &update).await? == 200);
    must_count(&stranger.told().await?, &town, &stranger, 1)
}
