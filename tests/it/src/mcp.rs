//! Agents of others, by the official client of the Model Context Protocol.

mod client;

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use postern_domain::ApprovalState;
use postern_store::{Page, Store as _};
use postern_test_support::{
    exempt,
    host::{self, DataFolder, Host},
    paths,
    till::Till,
};
use serde_json::{Value, json};
use toml_edit::{Array, Item, Table, value};

use self::client::Client;
use crate::setup::{SHIPPED, Town, eventually, outcome, sample_shop, skill};

const HELPER: &str = "the helper's own token";
const SPEAKER: &str = "the speaker's own token";
const PAYER: &str = "the payer's own token";
const ORDER: &str = "#W1204518";
const OTHERS_ORDER: &str = "#W1190027";

/// A host with agents, and the Python that has the client.
struct Place {
    town: Town,
    till: Till,
    python: PathBuf,
}

impl Place {
    /// None if there is no Python here.
    async fn build() -> Result<Option<Self>> {
        let Some(python) = client::python().await? else { return Ok(None) };
        let town = Town::build(&SHIPPED).await?;
        town.import(&sample_shop()?).await?;
        let till = Till::start().await?;
        for (name, token) in [("helper", HELPER), ("speaker", SPEAKER), ("payer", PAYER)] {
            town.data.write_secret(name, token)?;
        }
        town.data.edit_config(|config| {
            let root = config.as_table_mut();
            let endpoint = table(root, &["endpoints", "till"]);
            endpoint["url"] = value(till.url());
            endpoint["private"] = value(Array::from_iter(["127.0.0.0/8"]));
            let grant = table(endpoint, &["grants", "payer"]);
            grant["methods"] = value(Array::from_iter(["POST"]));
            grant["paths"] = value(Array::from_iter(["v1/payments"]));
            table(root, &["skills", "payer", "settings"])["till_url"] = value(till.url());
            table(root, &["collections", "bookings"]);
            agent(root, "helper", &["order-status/order_status", "crm-lookup"]);
            agent(root, "speaker", &["order-status", "refund-check"]);
            agent(root, "payer", &["payer"]);
            root["agents"]["speaker"]["customer"] = value("ines_ruiz_1001");
        })?;
        let policies = town.data.path().join("policies");
        let rules = paths::repository().join("tests/guests/payer.cedar");
        std::fs::copy(rules, policies.join("payer.cedar"))?;
        exempt::from_duties_of_requests(town.data.path(), "payer")?;
        let routes = policies.join("approvals.toml");
        let route = "\n[route.payments]\nquorum = 1\nexpires = \"24h\"\nrole = \"approver\"\n";
        std::fs::write(&routes, std::fs::read_to_string(&routes)? + route)?;
        town.data.postern(["policy", "apply"]).await?;
        Ok(Some(Self { town, till, python }))
    }

    async fn client(&self, host: &Host, token: &str) -> Result<Client> {
        Client::http(&self.python, &url(host), token).await
    }

    /// A person decides about an approval on the command line.
    async fn decide(&self, word: &str, id: &str) -> Result<()> {
        let data = &self.town.data;
        data.postern(["operator", "add", "ana", "--role", "approver"]).await?;
        let token = data.postern(["operator", "token", "ana", "--json"]).await?;
        let token: Value = serde_json::from_str(&token)?;
        let file = data.path().join("ana.token");
        std::fs::write(&file, token["secret"].as_str().context("no token")?)?;
        let file = file.display().to_string();
        let words = ["--token-file", &file, "approval", word, id, "--reason", "looked at it"];
        data.postern(words).await.map(drop)?;
        Ok(())
    }

    /// The audit rows of an agent.
    async fn audit(&self, agent: &str) -> Result<Vec<postern_domain::AuditRow>> {
        let store = self.town.store().await?;
        let rows = store.audit_tail(500, None).await?;
        Ok(rows.into_iter().filter(|row| row.entry.actor == agent).collect())
    }
}

fn url(host: &Host) -> String {
    format!("{}/mcp", host.operator_page())
}

fn agent(root: &mut Table, name: &str, tools: &[&str]) {
    let agent = table(root, &["agents", name]);
    let mut token = toml_edit::InlineTable::new();
    token.insert("file", format!("secrets/{name}").into());
    agent["token"] = value(token);
    agent["tools"] = value(Array::from_iter(tools.iter().copied()));
}

fn table<'a>(root: &'a mut Table, path: &[&str]) -> &'a mut Table {
    path.iter().fold(root, |parent, name| {
        let new = Table::new;
        let entry = parent.entry(name).or_insert_with(|| Item::Table(new()));
        entry.as_table_mut().expect("a table")
    })
}

#[tokio::test]
async fn an_agent_finds_its_tools_and_gets_answers() -> Result<()> {
    let Some(place) = Place::build().await? else { return Ok(()) };
    let host = place.town.open().await?;
    let mut helper = place.client(&host, HELPER).await?;
    ensure!(helper.began["instructions"].as_str().is_some(), "{}", helper.began);
    let listed = helper.ask(&json!({ "do": "list" })).await?;
    let tools = listed["tools"].as_array().context("no tools")?;
    let names: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    let wanted =
        ["crm-lookup.customer_profile", "crm-lookup.find_customer", "order-status.order_status"];
    ensure!(names == wanted, "{names:?}");
    let order_status = &tools[2];
    ensure!(order_status["annotations"]["readOnlyHint"] == true, "{order_status}");
    let pattern = &order_status["inputSchema"]["properties"]["order_id"]["pattern"];
    ensure!(pattern == "^#W[0-9]{7}$", "{order_status}");

    // Nobody is known yet.
    let order = json!({ "order_id": ORDER });
    let (error, said) = helper.call("order-status.order_status", order.clone()).await?;
    ensure!(error && said["kind"] == "identity_required", "{said}");
    // Then somebody is, whose values stay behind placeholders.
    let email = json!({ "email": "ines.ruiz@example.com" });
    let (error, said) = helper.call("crm-lookup.find_customer", email).await?;
    ensure!(!error && (said["outcome"] == "reply" || said["outcome"] == "done"), "{said}");
    let (error, said) = helper.call("crm-lookup.customer_profile", json!({})).await?;
    let profile = said["text"].as_str().unwrap_or_default();
    ensure!(!error && profile.contains("<EMAIL_"), "{said}");
    for value in ["ines.ruiz@", "Calle de la Luna", "28004"] {
        ensure!(!said.to_string().contains(value), "{said}");
    }
    let (error, said) = helper.call("order-status.order_status", order).await?;
    let text = said["text"].as_str().unwrap_or_default();
    ensure!(!error && said["outcome"] == "reply" && text.contains(ORDER), "{said}");
    // What belongs to others is refused as if it did not exist.
    let others = json!({ "order_id": OTHERS_ORDER });
    let (_, said) = helper.call("order-status.order_status", others).await?;
    for value in ["delivered", "Rain Jacket", "142.8", "810400260111", "2024-03", "Bergen"] {
        ensure!(!said.to_string().contains(value), "{said}");
    }

    // What does not fit, and what is not granted.
    let (error, said) = helper.call("order-status.order_status", json!({ "order_id": 7 })).await?;
    ensure!(error && said["kind"] == "invalid_arguments", "{said}");
    let refund = json!({ "order_id": ORDER });
    let (error, said) = helper.call("refund-check.refund_request", refund).await?;
    ensure!(error && said["kind"] == "denied", "{said}");
    let (error, said) = helper.call("no-skill.at_all", json!({})).await?;
    ensure!(error && said["kind"] == "denied", "{said}");

    // Audit names the agent, and replay shows the call.
    let rows = place.audit("agent:helper").await?;
    let of = |resource: &str| rows.iter().find(|row| row.entry.resource == resource);
    ensure!(of("no-skill.at_all").is_some() && of("refund-check.refund_request").is_some());
    let called = of("order-status/order_status").context("no row of the call")?;
    ensure!(called.entry.action == "tool:call", "{called:?}");
    let conversation = rows.iter().find_map(|row| row.entry.conversation.clone());
    let conversation = conversation.context("no conversation")?;
    let detail = host.operator().conversation(&conversation).await?.context("no conversation")?;
    // One that the host refused for its arguments never ran.
    let ran = detail.invocations.iter().rfind(|row| {
        row.tool == "order_status" && detail.journal.iter().any(|call| call.invocation == row.id)
    });
    let id = ran.context("no invocation")?.id.to_string();
    let (code, shown, complaint) =
        outcome(&place.town.data, &["replay", id.as_str(), "--run"]).await?;
    ensure!(code == Some(0) && shown.contains("order_status"), "{shown} {complaint}");
    let (code, said, complaint) = outcome(&place.town.data, &["audit", "verify"]).await?;
    ensure!(code == Some(0), "{said} {complaint}");
    Ok(())
}

#[tokio::test]
async fn agents_see_what_is_theirs_and_speak_for_whom_they_may() -> Result<()> {
    let Some(place) = Place::build().await? else { return Ok(()) };
    let host = place.town.open().await?;
    let mut helper = place.client(&host, HELPER).await?;
    let mut speaker = Client::modern(&place.python, &url(&host), SPEAKER).await?;
    let (theirs, ours) = (helper.tools().await?, speaker.tools().await?);
    ensure!(ours.contains(&"refund-check.refund_request".to_owned()), "{ours:?}");
    ensure!(!theirs.contains(&"refund-check.refund_request".to_owned()), "{theirs:?}");

    // It is bound to a customer, so nobody has to be identified.
    let order = json!({ "order_id": ORDER });
    let (error, said) = speaker.call("order-status.order_status", order.clone()).await?;
    ensure!(!error && said["text"].as_str().is_some_and(|text| text.contains(ORDER)), "{said}");
    // An agent cannot say yes for a customer.
    let (error, said) = speaker.call("refund-check.refund_request", order.clone()).await?;
    ensure!(error && said["kind"] == "confirmation_required", "{said}");
    ensure!(said["rule"].as_str().is_some_and(|rule| rule.contains("refund-confirmed")), "{said}");
    ensure!(place.town.store().await?.record("refunds", ORDER).await?.is_none());
    // The other agent learnt nothing of it.
    let (error, said) = helper.call("order-status.order_status", order).await?;
    ensure!(error && said["kind"] == "identity_required", "{said}");
    Ok(())
}

#[tokio::test]
async fn a_call_that_people_approve_is_done_once() -> Result<()> {
    let Some(place) = Place::build().await? else { return Ok(()) };
    place.town.data.install(&skill("payer")?).await?;
    let host = place.town.open().await?;
    let mut payer = place.client(&host, PAYER).await?;
    let voucher = json!({ "voucher": "V2378156" });
    let (error, said) = payer.call("payer.pay_held", voucher.clone()).await?;
    ensure!(error && said["kind"] == "approval_required", "{said}");
    let id = said["approval"].as_str().context("no approval")?.to_owned();
    let (_, again) = payer.call("payer.pay_held", voucher.clone()).await?;
    ensure!(again["approval"] == id, "{again}");
    ensure!(place.till.payments().is_empty(), "it was paid before anybody approved");

    place.decide("approve", &id).await?;
    let store = place.town.store().await?;
    eventually("the payment", || async {
        let page = Page { limit: 10, offset: 0 };
        Ok(store.approvals(Some(ApprovalState::Executed), page).await?.pop())
    })
    .await?;
    // Another session of the agent gets the result as well.
    drop(payer);
    let mut payer = place.client(&host, PAYER).await?;
    let (error, said) = payer.call("payer.pay_held", voucher.clone()).await?;
    ensure!(!error && said["text"].as_str().is_some_and(|it| it.contains("V2378156")), "{said}");
    let (_, again) = payer.call("payer.pay_held", voucher).await?;
    ensure!(again == said, "{again}");
    ensure!(place.till.payments().len() == 1, "{:?}", place.till.payments());

    // A key of the agent's own makes one call of several.
    let key = json!({ "postern/idempotency-key": "flowers-1" });
    let voucher = json!({ "voucher": "V4817420" });
    let first = payer.call_with("payer.pay_once", voucher.clone(), key.clone()).await?;
    let second = payer.call_with("payer.pay_once", voucher, key.clone()).await?;
    ensure!(first == second && !first.0, "{first:?} {second:?}");
    ensure!(place.till.payments().len() == 2, "{:?}", place.till.payments());
    let other = json!({ "voucher": "V9583042" });
    let (error, said) = payer.call_with("payer.pay_once", other, key).await?;
    ensure!(error && said["kind"] == "invalid_arguments", "{said}");
    Ok(())
}

#[tokio::test]
async fn a_call_that_people_reject_is_denied() -> Result<()> {
    let Some(place) = Place::build().await? else { return Ok(()) };
    place.town.data.install(&skill("payer")?).await?;
    let host = place.town.open().await?;
    let mut payer = place.client(&host, PAYER).await?;
    let voucher = json!({ "voucher": "V2378156" });
    let (_, said) = payer.call("payer.pay_held", voucher.clone()).await?;
    let id = said["approval"].as_str().context("no approval")?.to_owned();
    place.decide("reject", &id).await?;
    let denied = eventually("the refusal", || async {
        let mut payer = place.client(&host, PAYER).await?;
        let (_, said) = payer.call("payer.pay_held", voucher.clone()).await?;
        Ok((said["kind"] == "denied").then_some(said))
    })
    .await?;
    ensure!(denied["approval"] == id, "{denied}");
    ensure!(place.till.payments().is_empty(), "{:?}", place.till.payments());
    Ok(())
}

#[tokio::test]
async fn nobody_without_a_token_and_no_foreign_page_is_let_in() -> Result<()> {
    let Some(place) = Place::build().await? else { return Ok(()) };
    let host = place.town.open().await?;
    let wrong = place.client(&host, "somebody else's token").await?;
    ensure!(wrong.began["error"].as_str().is_some(), "{}", wrong.began);
    let ask = |token: &str| {
        let begin = json!({
            "jsonrpc": "2.0", "id": 1, "method": "initialize",
            "params": {
                "protocolVersion": "2025-06-18", "capabilities": {},
                "clientInfo": { "name": "t", "version": "0" },
            },
        });
        postern_test_support::http_client()
            .post(url(&host))
            .header("accept", "application/json, text/event-stream")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(begin.to_string())
    };
    let refused = ask("wrong").send().await?;
    ensure!(refused.status() == 401, "{}", refused.status());
    let challenge = refused.headers().get("www-authenticate").context("no challenge")?;
    ensure!(challenge.to_str()?.starts_with("Bearer"), "{challenge:?}");
    // The operator's own token is no agent's.
    let operator = place.town.data.operator_token()?;
    ensure!(ask(&operator).send().await?.status() == 401);
    let foreign = ask(HELPER).header("origin", "http://evil.example").send().await?;
    ensure!(foreign.status() == 403, "{}", foreign.status());
    let rebound = ask(HELPER).header("host", "evil.example").send().await?;
    ensure!(rebound.status() == 403, "{}", rebound.status());
    let large = ask(HELPER).body("x".repeat(100_000)).send().await?;
    ensure!(large.status() == 413, "{}", large.status());
    // A session is its agent's alone.
    let begun = ask(HELPER).send().await?;
    ensure!(begun.status() == 200, "{}", begun.status());
    let session = begun.headers().get("mcp-session-id").context("no session")?.to_str()?;
    let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" }).to_string();
    let stolen = ask(PAYER).header("mcp-session-id", session).body(list).send().await?;
    ensure!(stolen.status() == 404, "{}", stolen.status());
    let page =
        postern_test_support::http_client().get(format!("{}/mcp", host.public())).send().await?;
    ensure!(page.status() == 404, "the public listener serves agents: {}", page.status());
    Ok(())
}

#[tokio::test]
async fn an_agent_hears_of_new_tools() -> Result<()> {
    let Some(place) = Place::build().await? else { return Ok(()) };
    let host = place.town.open().await?;
    let mut payer = place.client(&host, PAYER).await?;
    ensure!(payer.tools().await?.is_empty());
    place.town.data.install(&skill("payer")?).await?;
    let heard = payer.ask(&json!({ "do": "changed" })).await?;
    ensure!(heard["changed"] == true, "{heard}");
    ensure!(payer.tools().await?.contains(&"payer.pay_held".to_owned()));
    Ok(())
}

/// The command with which an agent starts its server.
fn command(data: &DataFolder, more: &[&str]) -> Result<Vec<String>> {
    let program = host::binary()?.display().to_string();
    let data = data.path().display().to_string();
    let mut command = vec![program, "--data".to_owned(), data, "mcp".to_owned()];
    command.extend(["--agent", "speaker"].map(str::to_owned));
    command.extend(more.iter().map(|word| (*word).to_owned()));
    Ok(command)
}

#[tokio::test]
async fn an_agent_starts_the_host_or_is_carried_to_the_one_that_runs() -> Result<()> {
    let Some(place) = Place::build().await? else { return Ok(()) };
    let order = json!({ "order_id": ORDER });
    let shows = |said: &Value| said["text"].as_str().is_some_and(|text| text.contains(ORDER));
    let talk = async |more: &[&str]| -> Result<()> {
        let command = command(&place.town.data, more)?;
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let mut agent = Client::stdio(&place.python, &words, SPEAKER).await?;
        ensure!(agent.tools().await?.contains(&"order-status.order_status".to_owned()));
        let (error, said) = agent.call("order-status.order_status", order.clone()).await?;
        ensure!(!error && shows(&said), "{said}");
        Ok(())
    };
    talk(&[]).await?;
    let host =
        eventually("a host after the agent's", || async { Ok(place.town.open().await.ok()) })
            .await?;
    let url = url(&host);
    talk(&["--url", &url]).await?;
    // Without its token, nobody is an agent.
    let (code, _, complaint) = outcome(&place.town.data, &["mcp", "--agent", "speaker"]).await?;
    ensure!(code == Some(1) && complaint.contains("POSTERN_AGENT_TOKEN"), "{complaint}");
    Ok(())
}
