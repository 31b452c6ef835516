//! A rule that wants proof of who the customer is.

use anyhow::{Context as _, Result, ensure};
use postern_test_support::gateway::Gateway;

use crate::setup::{Customer, PATIENCE, Town, outcome};

const TOKEN: &str = "it-gateway-token-of-the-stand-in";
const RULE: &str = r#"
@id("orders-verified")
@identity("verified")
@reason("orders are shown once it is sure who the customer is")
forbid (principal == Skill::"order-status", action in Action::"records:read", resource is Record::orders)
unless { context.satisfied.contains("identity:verified") };
"#;
const QUESTION: &str = "What is the status of my order #W1204518?";

/// A shop whose orders are shown to verified customers only.
async fn strict() -> Result<(Town, Gateway)> {
    let town = Town::with_sample_shop().await?;
    let gateway = Gateway::start(TOKEN).await?;
    town.data.use_gateway(&gateway.url(), TOKEN)?;
    std::fs::write(town.data.path().join("policies/strict.cedar"), RULE)?;
    // They expect that orders are shown to whoever is identified.
    std::fs::remove_dir_all(town.data.path().join("policies/cases"))?;
    town.data.postern(["policy", "apply"]).await?;
    Ok((town, gateway))
}

#[tokio::test]
async fn a_turn_asks_for_the_code_on_file_and_goes_on_with_it() -> Result<()> {
    let (town, gateway) = strict().await?;
    let mut host = town.open().await?;
    let mut customer = Customer::new(&town, &host, 5_101);
    customer.says(QUESTION).await?;
    let before = customer.heard();
    customer.sends("ines.ruiz@example.com").await?;
    let asked = customer.hears(before + 1).await?;
    ensure!(asked.contains("a code of six digits") && !asked.contains("ines.ruiz"), "{asked}");

    let sent = gateway.wait_for(1, PATIENCE).await?;
    ensure!(sent[0].to == "ines.ruiz@example.com" && sent[0].kind == "email", "{sent:?}");
    let code = sent[0].code().context("no code")?.to_owned();
    let wrong = if code == "000000" { "111111" } else { "000000" };
    customer.sends(wrong).await?;
    let told = customer.hears(before + 2).await?;
    ensure!(told.contains("not the code"), "{told}");

    // The next host knows that the turn waits.
    host.kill().await?;
    host = town.open().await?;
    customer.moves_to(&host);
    customer.sends(&format!("it is {code}")).await?;
    customer.hears_of("#W1204518 is delivered").await?;

    // Verified is verified: no other code, until the session ends.
    customer.sends("What is the status of my order #W1204733?").await?;
    customer.hears_of("#W1204733 is processed").await?;
    ensure!(gateway.wait_for(1, PATIENCE).await?.len() == 1, "a second code was sent");

    let (_, rows, _) = outcome(&town.data, &["audit", "tail", "-n", "300", "--json"]).await?;
    ensure!(rows.contains("identity:answer") && !rows.contains(&code), "{rows}");
    ensure!(!rows.contains("ines.ruiz@example.com"), "audit has the contact");
    Ok(())
}

#[tokio::test]
async fn without_the_code_nothing_is_told_and_a_person_takes_over() -> Result<()> {
    let (town, gateway) = strict().await?;
    let host = town.open().await?;
    let mut customer = Customer::new(&town, &host, 5_102);
    customer.says(QUESTION).await?;
    let before = customer.heard();
    customer.sends("ines.ruiz@example.com").await?;
    customer.hears(before + 1).await?;
    let sent = gateway.wait_for(1, PATIENCE).await?;
    let code: u32 = sent[0].code().context("no code")?.parse()?;
    for guess in 1..=5 {
        customer.sends(&format!("{:06}", (code + guess) % 1_000_000)).await?;
        customer.hears(before + 1 + usize::try_from(guess)?).await?;
    }
    let told = customer.hears(before + 6).await?;
    ensure!(told.contains("I have told a colleague"), "{told}");
    // The right one comes too late.
    customer.sends(&format!("{code:06}")).await?;
    let told = customer.hears(before + 7).await?;
    ensure!(!told.contains("delivered"), "{told}");
    Ok(())
}
