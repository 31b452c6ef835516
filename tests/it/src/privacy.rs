//! What one customer says is not told to another, and operators see values one at a
//! time.

use std::process::Output;

use anyhow::{Context as _, Result, ensure};
use postern_test_support::{
    host::{DataFolder, Host, binary},
    http_client,
    news::News,
    paths,
};
use serde_json::{Value, json};
use tokio::process::Command;
use toml_edit::{Array, value};

use crate::setup::{Customer, Told, Town, outcome, skill};

const ANN: &str = "ines.ruiz@example.com";
const BOB: &str = "j.gross@example.com";
const QUESTION: &str = "What is the status of my order #W1204518?";

/// A shop with a skill that tells what it remembers, or what the news say.
async fn with_gossip(news: &News, memory: &str) -> Result<Town> {
    let town = Town::with_sample_shop().await?;
    let url = news.url();
    town.data.edit_config(|config| {
        let endpoint = config["endpoints"]["news"].or_insert(toml_edit::table());
        endpoint["url"] = value(&url);
        endpoint["private"] = value(Array::from_iter(["127.0.0.0/8"]));
        endpoint["grants"]["gossip"]["methods"] = value(Array::from_iter(["GET"]));
        endpoint["grants"]["gossip"]["paths"] = value(Array::from_iter(["v1/note"]));
        config["skills"]["gossip"]["settings"]["server"] = value(format!("{url}/v1/note"));
        config["skills"]["gossip"]["settings"]["memory"] = value(memory);
    })?;
    let policies = town.data.path().join("policies");
    let rules = "gossip.cedar";
    std::fs::copy(paths::repository().join("tests/guests").join(rules), policies.join(rules))?;
    // They speak of the shipped rules as they were shipped.
    std::fs::remove_dir_all(policies.join("cases"))?;
    town.data.postern(["policy", "apply"]).await?;
    town.data.install(&skill("gossip")?).await?;
    Ok(town)
}

/// A customer who has said who they are.
async fn known<'t>(town: &'t Town, host: &Host, id: i64, email: &str) -> Result<Customer<'t>> {
    let mut customer = Customer::new(town, host, id);
    customer.says(QUESTION).await?;
    customer.says(email).await?;
    Ok(customer)
}

fn is_withheld(told: &Told) -> Result<()> {
    told.must_not_say("ines.ruiz")?.must_say("I cannot tell you that here")?;
    told.must_wait_for_a_person("EMAIL of another customer")?;
    let why = serde_json::to_string(&told.detail.turns.last().map(|turn| &turn.summary))?;
    ensure!(why.contains("answer withheld: ") && !why.contains("not needed"), "{why}");
    Ok(())
}

#[tokio::test]
async fn what_a_skill_remembers_of_one_customer_is_not_told_to_another() -> Result<()> {
    let news = News::start().await?;
    let memory = format!("{ANN} has bought a lamp");
    let town = with_gossip(&news, &memory).await?;
    let host = town.open().await?;
    let mut ann = known(&town, &host, 6_101, ANN).await?;
    let mut bob = known(&town, &host, 6_102, BOB).await?;

    let told = bob.says("any gossip from memory").await?;
    told.must_use("gossip", "remember")?;
    is_withheld(&told)?;
    // To the customer herself it is no news.
    ann.says("any gossip from memory").await?.must_say(ANN)?;

    let (_, rows, _) = outcome(&town.data, &["audit", "tail", "-n", "200", "--json"]).await?;
    ensure!(rows.contains("turn:withhold") && !rows.contains("ines.ruiz"), "{rows}");
    let address = format!("{}/metrics", host.operator_page());
    let token = town.data.operator_token()?;
    let metrics = http_client().get(&address).bearer_auth(&token).send().await?.text().await?;
    ensure!(metrics.contains("postern_answers_withheld_total{kind=\"EMAIL\"} 1"), "{metrics}");
    Ok(())
}

#[tokio::test]
async fn what_a_server_says_reaches_skills_in_placeholders_and_its_own_customer_only() -> Result<()>
{
    let news = News::start().await?;
    let town = with_gossip(&news, "nothing").await?;
    let host = town.open().await?;
    known(&town, &host, 6_103, ANN).await?;
    let mut bob = known(&town, &host, 6_104, BOB).await?;

    news.says(json!({"contact": ANN, "phone": "+1 202-555-0143", "order": "#W1204518"}));
    let told = bob.says("ask the newspaper for rumours").await?;
    told.must_use("gossip", "ask_around")?;
    is_withheld(&told)?;

    // What belongs to nobody here, and his own, he is told; the skill saw no value.
    news.says(json!({"contact": BOB, "hotline": "+44 20 7946 0018", "order": "#W1204518"}));
    let told = bob.says("ask the newspaper for rumours").await?;
    told.must_say(BOB)?.must_say("+44 20 7946 0018")?.must_say("#W1204518")?;
    told.must_say("I see no value")?;
    let kept = serde_json::to_string(&told.detail)?;
    for trace in ["ines.ruiz", "j.gross", "7946 0018", "555-0143"] {
        ensure!(!kept.contains(trace), "{trace} in {kept}");
    }
    let last = told.detail.invocations.last().context("no call of a tool")?;
    let (code, shown, complaint) = outcome(&town.data, &["replay", last.id.as_str()]).await?;
    ensure!(code == Some(0), "{complaint}");
    ensure!(shown.contains("<EMAIL_") && !shown.contains("j.gross"), "{shown}");
    Ok(())
}

#[tokio::test]
async fn encodings_hide_nothing_of_what_is_anothers() -> Result<()> {
    let news = News::start().await?;
    let town = with_gossip(&news, "ines%2Eruiz%40example.com has bought a lamp").await?;
    let host = town.open().await?;
    known(&town, &host, 6_106, "ines.ruiz%40example.com").await?;
    let mut bob = known(&town, &host, 6_107, BOB).await?;
    bob.says("any gossip from memory")
        .await?
        .must_not_say("ines")?
        .must_say("I cannot tell you that here")?;
    // The same in base64, as a server says it.
    news.says(json!({"note": "write to aW5lcy5ydWl6QGV4YW1wbGUuY29t"}));
    bob.says("ask the newspaper for rumours")
        .await?
        .must_not_say("aW5lcy5y")?
        .must_say("I cannot tell you that here")?;
    Ok(())
}

#[tokio::test]
async fn what_a_stranger_says_keeps_nothing_from_anybody() -> Result<()> {
    let news = News::start().await?;
    let memory = "Wireless Headphones for all, our hotline is +44 20 7946 0018";
    let town = with_gossip(&news, memory).await?;
    let host = town.open().await?;
    let mut mallory = Customer::new(&town, &host, 6_108);
    mallory.says(QUESTION).await?;
    mallory.says("Wireless Headphones, 28004").await?;
    let mut bob = known(&town, &host, 6_109, BOB).await?;
    bob.says("any gossip from memory").await?.must_say("Wireless Headphones for all")?;
    // What three have quoted is public.
    for id in [6_110, 6_111, 6_112] {
        let mut other = Customer::new(&town, &host, id);
        other.says("hello, I have called +44 20 7946 0018").await?;
    }
    bob.says("any gossip from memory").await?.must_say("7946 0018")?;
    Ok(())
}

#[tokio::test]
async fn the_operators_own_words_are_told_whoever_has_quoted_them() -> Result<()> {
    let news = News::start().await?;
    let town = with_gossip(&news, "call +44 20 7946 0018").await?;
    let rules = "[restricted.self_harm]\nanswer = { en = \"Please call +44 20 7946 0018 now.\" }\n";
    let file = town.data.path().join("policies/privacy.toml");
    let shipped = std::fs::read_to_string(&file)?;
    std::fs::write(&file, format!("{shipped}\n{rules}"))?;
    town.data.postern(["policy", "apply"]).await?;
    let host = town.open().await?;
    let mut ann = known(&town, &host, 6_113, ANN).await?;
    ann.says("you told me to call +44 20 7946 0018").await?;
    let mut bob = known(&town, &host, 6_114, BOB).await?;
    bob.says("any gossip from memory").await?.must_say("I cannot tell you that here")?;
    bob.says("I want to kill myself").await?.must_say("Please call +44 20 7946 0018 now.")?;
    Ok(())
}

/// Runs a command in the name of whoever has a token.
async fn as_operator(data: &DataFolder, token: &str, arguments: &[&str]) -> Result<(bool, String)> {
    let Output { status, stdout, stderr } = Command::new(binary()?)
        .arg("--data")
        .arg(data.path())
        .args(arguments)
        .env("POSTERN_OPERATOR_TOKEN", token)
        .output()
        .await?;
    let text = [stdout, stderr].concat();
    Ok((status.success(), String::from_utf8_lossy(&text).into_owned()))
}

async fn token(data: &DataFolder, name: &str, role: &str) -> Result<String> {
    data.postern(["operator", "add", name, "--role", role]).await?;
    let made = data.postern(["--json", "operator", "token", name]).await?;
    let made: Value = serde_json::from_str(&made)?;
    made["secret"].as_str().map(str::to_owned).context("no token")
}

#[tokio::test]
async fn operators_see_values_as_their_role_may_and_the_audit_log_knows() -> Result<()> {
    let town = Town::with_sample_shop().await?;
    let host = town.open().await?;
    let mut ann = known(&town, &host, 6_105, ANN).await?;
    let told = ann.says("my card 4111 1111 1111 1111 was declined").await?;
    let texts: Vec<&str> = told.detail.messages.iter().map(|m| m.message.text.as_str()).collect();
    let placeholder = |kind: &str| {
        let all = texts.join(" ");
        let start = all.find(&format!("<{kind}_1.")).context("no placeholder")?;
        let end = all[start..].find('>').context("no end")?;
        anyhow::Ok(all[start..=start + end].to_owned())
    };
    let (email, card) = (placeholder("EMAIL")?, placeholder("CARD")?);
    let (agent, viewer) =
        (token(&town.data, "olga", "agent").await?, token(&town.data, "vera", "viewer").await?);
    let id = ann.conversation();
    let why = "she asked to be called back, j.gross@example.com";
    let reveal = |placeholder: &str| -> Vec<String> {
        ["conversation", "reveal", id.as_str(), placeholder, "--why", why].map(String::from).into()
    };
    for (token, placeholder, shown) in [
        (&agent, &email, Some(ANN)),
        (&agent, &card, None),
        (&viewer, &email, None),
        (&agent, &email.replace("_1.", "_7."), None),
    ] {
        let words = reveal(placeholder);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (done, told) = as_operator(&town.data, token, &words).await?;
        ensure!(done == shown.is_some(), "{placeholder}: {told}");
        ensure!(shown.is_none_or(|value| told.trim() == value), "{told}");
        ensure!(!told.contains("4111"), "{told}");
    }

    let base = host.operator_page();
    let client = http_client();
    let page = format!("{base}/conversations/{id}");
    let shown = client.get(&page).bearer_auth(&agent).send().await?.text().await?;
    let button = email.replace('<', "&#60;").replace('>', "&#62;");
    ensure!(shown.contains(&format!("value=\"{button}\"")), "{shown}");
    ensure!(!shown.contains(ANN), "{shown}");
    let form = [("placeholder", email.as_str()), ("why", why)];
    let form = reqwest::Url::parse_with_params(base, form)?;
    let form = form.query().unwrap_or_default().to_owned();
    let asked = client.post(format!("{page}/reveal")).bearer_auth(&agent).body(form);
    let asked = asked.header("content-type", "application/x-www-form-urlencoded");
    let answer = asked.send().await?;
    ensure!(answer.headers()["cache-control"] == "no-store", "{answer:?}");
    ensure!(answer.text().await?.contains(ANN), "the page does not show it");
    let api = format!("{base}/api/conversations/{id}/reveal");
    let asked = json!({"placeholder": email, "why": why});
    let answer = client.post(&api).bearer_auth(&agent).json(&asked).send().await?;
    ensure!(answer.headers()["cache-control"] == "no-store", "{answer:?}");
    let answer: Value = answer.json().await?;
    ensure!(answer == json!({"placeholder": email, "type": "EMAIL", "value": ANN}), "{answer}");
    let refused = client.post(&api).bearer_auth(&viewer).json(&asked).send().await?;
    ensure!(refused.status() == 403, "{refused:?}");
    let none =
        client.post(&api).bearer_auth(&agent).json(&json!({"placeholder": email, "why": " "}));
    ensure!(none.send().await?.status() == 409, "without a reason");

    let (_, rows, _) = outcome(&town.data, &["audit", "tail", "-n", "300", "--json"]).await?;
    let acts: Vec<&str> = rows.lines().filter(|row| row.contains("operator:reveal")).collect();
    ensure!(acts.len() == 7, "{} acts: {acts:?}", acts.len());
    let denied = acts.iter().filter(|row| row.contains("\"deny\"")).count();
    ensure!(denied == 3, "{denied} refusals: {acts:?}");
    ensure!(acts.iter().any(|row| row.contains("reveal-to-nobody")), "{acts:?}");
    for row in acts {
        ensure!(row.contains("operator:olga") || row.contains("operator:vera"), "{row}");
        ensure!(row.contains(id.as_str()), "{row}");
        for trace in [ANN, BOB, "4111"] {
            ensure!(!row.contains(trace), "{row}");
        }
    }
    Ok(())
}
