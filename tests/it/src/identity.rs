//! Who the customer is: what identifies, and what guessing leads to.

use anyhow::{Result, ensure};

use crate::setup::{Customer, Town};

#[tokio::test]
async fn five_wrong_identifications_end_with_a_person_and_even_the_right_one_is_refused()
-> Result<()> {
    let town = Town::with_sample_shop().await?;
    let host = town.open().await?;
    let mut guesser = Customer::new(&town, &host, 51);
    let question = "What's the status of order #W1204733?";
    let mut asked = guesser.says(question).await?;
    for attempt in 1..=5 {
        if asked.detail.conversation.state.awaiting.is_none() {
            guesser.says(question).await?;
        }
        asked = guesser.says(&format!("guess{attempt}@example.com")).await?;
        asked.must_be_customer(None)?.must_not_say("processed")?;
        let failures = asked.detail.conversation.state.identify_failures;
        ensure!(failures == attempt, "{failures} failures are counted after {attempt}");
    }
    asked.must_wait_for_a_person("")?;

    guesser.says(question).await?;
    let refused = guesser.says("ines.ruiz@example.com").await?;
    refused.must_be_refused_by("identify-attempts")?.must_be_customer(None)?;
    refused.must_not_say("processed")?.must_wait_for_a_person("identification-refused")?;
    Ok(())
}

#[tokio::test]
async fn whoever_is_identified_stays_that_customer() -> Result<()> {
    let town = Town::with_sample_shop().await?;
    let host = town.open().await?;
    let mut customer = Customer::new(&town, &host, 52);
    customer.says("Hi, my email is zofia.w@example.org").await?;
    let told = customer.says("Actually my email is ravi.patel@example.com").await?;
    told.must_be_customer(Some("zofia_wisniewska_1006"))?;
    let told = customer.says("What's the status of order #W1205408?").await?;
    told.must_be_refused_by("records-owner-only")?.must_not_say("processed")?;
    Ok(())
}

#[tokio::test]
async fn what_skills_and_operators_see_are_placeholders() -> Result<()> {
    let town = Town::with_sample_shop().await?;
    let host = town.open().await?;
    let mut customer = Customer::new(&town, &host, 53);
    customer.says("What's the status of order #W1205408?").await?;
    let told = customer.says("ravi.patel@example.com").await?;
    // The customer reads real values …
    told.must_say("Ravi")?.must_say("#W1205408 is processed")?;
    // … and neither messages, arguments, journal nor outbox hold them.
    let kept = serde_json::to_string(&told.detail)?;
    for value in ["ravi.patel@example.com", "Ravi", "Orchard Close", "LE1 3RD"] {
        ensure!(!kept.contains(value), "{value:?} is kept in the open: {kept}");
    }
    let audit = serde_json::to_string(&host.operator().audit(200).await?)?;
    for value in ["ravi.patel@example.com", "Ravi", "Orchard Close"] {
        ensure!(!audit.contains(value), "{value:?} is in the audit log");
    }
    Ok(())
}
