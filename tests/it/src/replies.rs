//! Answers through an independent fake of the Bot API, which enforces
//! Telegram's own limits, and what comes of each way in which a send can fail.

use anyhow::{Context as _, Result, ensure};
use postern_domain::{OutboxItem, OutboxState};
use postern_test_support::{
    fake_py::{FakeTelegram, TOKEN},
    host::Host,
};
use serde_json::{Value, json};

use crate::setup::{Customer, SECRET, Town, eventually};

/// A host that answers through the fake; nothing where that is missing.
struct Post {
    town: Town,
    host: Host,
    fake: FakeTelegram,
}

impl Post {
    async fn open(unknown_send: &str) -> Result<Option<Self>> {
        let Some(fake) = FakeTelegram::start().await? else { return Ok(None) };
        let town = Town::build(&["crm-lookup", "order-status"]).await?;
        town.data.use_telegram(TOKEN, SECRET, fake.url())?;
        town.data.edit_config(|config| config["pipeline"]["unknown_send"] = unknown_send.into())?;
        let host = town.open().await?;
        Ok(Some(Self { town, host, fake }))
    }

    fn customer(&self, id: i64) -> Customer<'_> {
        Customer::new(&self.town, &self.host, id)
    }

    /// The next sends meet this.
    async fn fault(&self, mut fault: Value) -> Result<()> {
        fault["match"] = json!("sendMessage");
        Ok(self.fake.control(&json!({ "faults": [fault] })).await?)
    }

    /// Lets a customer write, and waits until nothing more will be done about
    /// the last answer to them.
    async fn settled(&self, customer: &mut Customer<'_>, text: &str) -> Result<OutboxItem> {
        let update = customer.update(text);
        ensure!(customer.deliver(SECRET, &update).await? == 200);
        self.last_item(customer, customer.updates()).await
    }

    async fn last_item(&self, customer: &Customer<'_>, n: usize) -> Result<OutboxItem> {
        let id = customer.conversation();
        let operator = self.host.operator();
        eventually("the end of all sends", async || {
            let Some(detail) = operator.conversation(&id).await? else { return Ok(None) };
            let open = |item: &OutboxItem| match item.state {
                OutboxState::Pending | OutboxState::Sending => true,
                OutboxState::Sent | OutboxState::Uncertain | OutboxState::Dead => false,
            };
            let done = detail.outbox.len() == n && !detail.outbox.iter().any(open);
            Ok(done.then(|| detail.outbox.last().cloned()).flatten())
        })
        .await
    }

    /// When the fake got each request to send to a chat, in seconds, and with
    /// what status it answered (0: not at all).
    async fn tries(&self, chat: i64) -> Result<Vec<(f64, i64)>> {
        let requests = self.fake.received().await?;
        let to_chat =
            requests.iter().filter(|request| request["json"]["chat_id"].as_i64() == Some(chat));
        to_chat
            .map(|request| {
                let status = request["status"].as_i64().context("no status")?;
                Ok((request["t"].as_f64().context("no time")?, status))
            })
            .collect()
    }

    /// The texts that the fake took for a chat, in order.
    async fn taken(&self, chat: i64) -> Result<Vec<String>> {
        let requests = self.fake.received().await?;
        // Status 0 with arguments: it acted and then hung up.
        let acted = |request: &&Value| {
            let status = request["status"].as_i64();
            status == Some(200) || (status == Some(0) && request.get("args").is_some())
        };
        let to_chat =
            requests.iter().filter(|request| request["json"]["chat_id"].as_i64() == Some(chat));
        Ok(to_chat.filter(acted).map(|r| r["json"]["text"].to_string()).collect())
    }
}

fn must_be(item: &OutboxItem, state: OutboxState, attempts: u32, doubtful: bool) -> Result<()> {
    let is = (item.state, item.attempts, item.possible_duplicate);
    ensure!(is == (state, attempts, doubtful), "{item:?}");
    Ok(())
}

#[tokio::test]
async fn a_chat_that_got_too_much_waits_as_long_as_telegram_asks() -> Result<()> {
    let Some(post) = Post::open("resend").await? else { return Ok(()) };
    let mut customer = post.customer(71);
    let parameters = json!({ "retry_after": 2 });
    let body = json!({ "ok": false, "error_code": 429, "description": "Too Many Requests", "parameters": parameters });
    post.fault(json!({ "status": 429, "body": body })).await?;
    let item = post.settled(&mut customer, "hello").await?;
    // Obeying costs no attempt and leaves no doubt.
    must_be(&item, OutboxState::Sent, 1, false)?;
    let tries = post.tries(71).await?;
    let [(first, 429), (second, 200)] = tries[..] else { anyhow::bail!("{tries:?}") };
    ensure!(second - first >= 2.0, "asked for 2 s, waited {} s", second - first);
    Ok(())
}

#[tokio::test]
async fn more_answers_than_telegram_takes_at_once_all_arrive_in_order() -> Result<()> {
    let Some(post) = Post::open("resend").await? else { return Ok(()) };
    let mut customer = post.customer(72);
    let words = ["hello", "thanks", "hello", "thanks", "hello"];
    for word in words {
        let update = customer.update(word);
        ensure!(customer.deliver(SECRET, &update).await? == 200);
    }
    post.last_item(&customer, words.len()).await?;
    let limited = post.tries(72).await?.iter().filter(|(_, status)| *status == 429).count();
    ensure!(limited > 0, "the fake's limit of one a second was not met");
    let taken = post.taken(72).await?;
    let detail = post.host.operator().conversation(&customer.conversation()).await?;
    let outbox = detail.context("it has messages")?.outbox;
    let want: Vec<_> = outbox.iter().map(|item| Value::from(&item.text[..]).to_string()).collect();
    ensure!(taken == want, "{taken:?} instead of {want:?}");
    ensure!(taken[0] != taken[1], "answers that cannot be told apart prove no order");
    Ok(())
}

#[tokio::test]
async fn a_failing_telegram_is_asked_again() -> Result<()> {
    let Some(post) = Post::open("resend").await? else { return Ok(()) };
    let mut customer = post.customer(73);
    post.fault(json!({ "status": 502, "body": "bad gateway" })).await?;
    let item = post.settled(&mut customer, "hello").await?;
    must_be(&item, OutboxState::Sent, 2, false)?;
    ensure!(post.taken(73).await?.len() == 1);
    Ok(())
}

#[tokio::test]
async fn what_telegram_will_never_take_becomes_a_dead_letter_and_harms_no_other() -> Result<()> {
    let Some(post) = Post::open("resend").await? else { return Ok(()) };
    post.fake.control(&json!({ "unknown_chats": [74], "block": [75] })).await?;
    for (id, status) in [(74, "400"), (75, "403")] {
        let mut customer = post.customer(id);
        let item = post.settled(&mut customer, "hello").await?;
        must_be(&item, OutboxState::Dead, 1, false)?;
        let why = item.last_error.unwrap_or_default();
        ensure!(why.contains(status), "{why:?} does not say {status}");
        ensure!(post.tries(id).await?.len() == 1);
    }
    let mut other = post.customer(76);
    must_be(&post.settled(&mut other, "hello").await?, OutboxState::Sent, 1, false)
}

#[tokio::test]
async fn a_lost_acknowledgement_is_sent_again_once_and_marked() -> Result<()> {
    let Some(post) = Post::open("resend").await? else { return Ok(()) };
    // Telegram acts, and its answer is lost.
    let mut customer = post.customer(77);
    post.fault(json!({ "after": true })).await?;
    let item = post.settled(&mut customer, "hello").await?;
    must_be(&item, OutboxState::Sent, 2, true)?;
    let taken = post.taken(77).await?;
    ensure!(taken.len() == 2 && taken[0] == taken[1], "{taken:?}");

    // Telegram does not act: from here, that looks the same.
    let mut customer = post.customer(78);
    post.fault(json!({ "drop": true })).await?;
    let item = post.settled(&mut customer, "hello").await?;
    must_be(&item, OutboxState::Sent, 2, true)?;
    ensure!(post.taken(78).await?.len() == 1);

    // Lost twice: it stays uncertain, and is not sent a third time, also not
    // while later answers go out.
    let mut customer = post.customer(79);
    post.fault(json!({ "after": true, "times": 2 })).await?;
    let item = post.settled(&mut customer, "hello").await?;
    must_be(&item, OutboxState::Uncertain, 2, true)?;
    must_be(&post.settled(&mut customer, "thanks").await?, OutboxState::Sent, 1, false)?;
    let taken = post.taken(79).await?;
    ensure!(taken.len() == 3 && taken[0] == taken[1] && taken[1] != taken[2], "{taken:?}");
    Ok(())
}

#[tokio::test]
async fn a_lost_acknowledgement_can_be_held_for_a_person() -> Result<()> {
    let Some(post) = Post::open("hold").await? else { return Ok(()) };
    let mut customer = post.customer(80);
    post.fault(json!({ "after": true })).await?;
    let item = post.settled(&mut customer, "hello").await?;
    ensure!(item.state == OutboxState::Uncertain && item.attempts == 1, "{item:?}");
    must_be(&post.settled(&mut customer, "thanks").await?, OutboxState::Sent, 1, false)?;
    ensure!(post.taken(80).await?.len() == 2);
    Ok(())
}
