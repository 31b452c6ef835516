//! Messages with content that people look after, from Telegram to the operator's page.

use anyhow::{Context as _, Result, ensure};
use postern_domain::{Priority, Ticket};
use postern_store::ConversationDetail;
use postern_test_support::{host::Host, http_client};

use crate::setup::{Customer, Town, outcome};

const RULES: &str = r#"
[restricted.self_harm]
team = "crisis"
emergency = { en = "Call 000 now.", zh = "请立即拨打000。" }

[restricted.press]
phrases = ["newspaper"]
answer = { en = "Our press office answers." }
"#;

/// A shop under an operator's own sections about restricted content.
async fn town() -> Result<Town> {
    let town = Town::with_sample_shop().await?;
    let policies = town.data.path().join("policies");
    std::fs::write(policies.join("privacy.toml"), RULES)?;
    town.data.postern(["policy", "apply"]).await?;
    Ok(town)
}

fn ticket(detail: &ConversationDetail) -> Result<&Ticket> {
    detail.tickets.last().context("no ticket")
}

/// What the operator's page, metrics and audit say.
async fn told_to_operators(
    town: &Town,
    host: &Host,
    customer: &Customer<'_>,
) -> Result<[String; 3]> {
    let token = town.data.operator_token()?;
    let page = |path: String| {
        let address = format!("{}{path}", host.operator_page());
        let request = http_client().get(&address).bearer_auth(&token);
        async move { anyhow::Ok(request.send().await?.error_for_status()?.text().await?) }
    };
    let shown = page(format!("/conversations/{}", customer.conversation())).await?;
    let metrics = page("/metrics".to_owned()).await?;
    let (code, rows, _) = outcome(&town.data, &["audit", "tail", "-n", "500", "--json"]).await?;
    ensure!(code == Some(0), "{rows}");
    Ok([shown, metrics, rows])
}

#[tokio::test]
async fn a_cry_for_help_is_answered_with_care_and_a_person_sees_it_first() -> Result<()> {
    let town = town().await?;
    let host = town.open().await?;
    let mut customer = Customer::new(&town, &host, 7_001);
    let told = customer.says("订单#W1204518还没到，我真的不想活了").await?;
    let [answer] = &told.answers[..] else { anyhow::bail!("{:?}", told.answers) };
    ensure!(answer.contains("您并不孤单") && answer.contains("请立即拨打000。"), "{answer}");
    ensure!(!answer.contains("不想活") && !answer.contains("W1204518"), "repeated: {answer}");
    ensure!(told.detail.invocations.is_empty(), "a tool was called");
    let ticket = ticket(&told.detail)?;
    ensure!(ticket.priority == Priority::P1, "{ticket:?}");
    ensure!(ticket.queue.as_deref() == Some("crisis"), "{ticket:?}");
    ensure!(ticket.tags == ["self_harm"] && ticket.subject == "Self harm", "{ticket:?}");

    let [shown, metrics, audit] = told_to_operators(&town, &host, &customer).await?;
    ensure!(shown.contains("restricted content: self_harm ("), "{shown}");
    ensure!(shown.contains("no tool is called"), "{shown}");
    let counted = "postern_restricted_messages_total{category=\"self_harm\"} 1";
    ensure!(metrics.contains(counted), "{metrics}");
    ensure!(audit.contains("turn:restricted"), "{audit}");
    for (place, text) in [("metrics", &metrics), ("audit", &audit)] {
        ensure!(!text.contains("不想活"), "{place}: {text}");
    }
    host.stop().await?;
    let log = std::fs::read_to_string(town.data.path().join("host.log"))?;
    ensure!(!log.contains("不想活"), "{log}");
    Ok(())
}

#[tokio::test]
async fn a_card_is_warned_of_and_the_request_goes_on() -> Result<()> {
    let town = town().await?;
    let host = town.open().await?;
    let mut customer = Customer::new(&town, &host, 7_002);
    customer.says("What is the status of my order #W1204518?").await?;
    customer.says("ines.ruiz@example.com").await?;
    let wish = "What is the status of my order #W1204518? I paid with 4111 1111 1111 1111, CVV 482";
    let told = customer.says(wish).await?;
    let [warning, answer] = &told.answers[..] else { anyhow::bail!("{:?}", told.answers) };
    ensure!(warning.contains("never send card numbers"), "{warning}");
    ensure!(answer.contains("delivered"), "{answer}");
    let seen = serde_json::to_string(&told.detail)?;
    ensure!(!seen.contains("1111 1111") && seen.contains("<CARD_1."), "{seen}");
    ensure!(seen.contains("CVV [CARD_CODE]"), "{seen}");
    let ticket = ticket(&told.detail)?;
    ensure!(ticket.tags == ["payment_card"] && ticket.queue.is_some(), "{ticket:?}");
    ensure!(ticket.priority == Priority::P3, "{ticket:?}");
    Ok(())
}

#[tokio::test]
async fn a_threat_goes_to_people_and_the_machine_answers_what_comes_after() -> Result<()> {
    let town = town().await?;
    let host = town.open().await?;
    let mut customer = Customer::new(&town, &host, 7_003);
    let told = customer.says("Where is order #W1204518? My lawyer will contact you.").await?;
    let [answer] = &told.answers[..] else { anyhow::bail!("{:?}", told.answers) };
    ensure!(answer.contains("for a person to answer"), "{answer}");
    ensure!(!answer.to_lowercase().contains("lawyer"), "repeated: {answer}");
    ensure!(told.detail.invocations.is_empty(), "a tool was called");
    let ticket = ticket(&told.detail)?;
    ensure!(ticket.tags == ["legal_threat"] && ticket.priority == Priority::P2, "{ticket:?}");

    customer.says("What is the status of my order #W1204518?").await?.must_say("e-mail")?;
    let told = customer.says("ines.ruiz@example.com").await?;
    told.must_say("delivered")?;
    ensure!(self::ticket(&told.detail)?.queue.is_some(), "it was taken from people");
    Ok(())
}

#[tokio::test]
async fn an_operators_own_category_is_answered_in_their_words() -> Result<()> {
    let town = town().await?;
    let host = town.open().await?;
    let mut customer = Customer::new(&town, &host, 7_004);
    let told = customer.says("I write for a newspaper").await?;
    ensure!(told.answers == ["Our press office answers."], "{:?}", told.answers);
    ensure!(ticket(&told.detail)?.tags == ["press"], "{:?}", told.detail.tickets);
    let told = customer.says("hello").await?;
    ensure!(!told.answers.is_empty() && !told.says("press office"), "{:?}", told.answers);
    Ok(())
}
