//! Recorded Telegram webhooks, replayed byte by byte against a real host.

mod cases;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use cases::{Case, Outcome, Parsed};
use postern::channels::telegram;
use postern_domain::{
    Author, Channel, ConversationId, InboundKind, InboundMessage, MessageId, Timestamp,
};
use postern_store::{ConversationDetail, Page, Store as _};
use postern_test_support::{
    host::{ACCOUNT, Host},
    paths,
};

use crate::setup::{PATIENCE, Town, conversation, eventually};

/// Every case, and the account's only configuration; nothing where the data set
/// is missing.
fn recorded() -> Result<Option<Vec<Case>>> {
    let Some(path) = paths::shared("data/channels/telegram.jsonl") else { return Ok(None) };
    let cases = cases::read(&path)?;
    ensure!(cases.len() >= 80, "only {} cases", cases.len());
    let same = |case: &Case| case.config == cases[0].config && case.account == ACCOUNT;
    ensure!(cases.iter().all(same), "cases have several configurations");
    Ok(Some(cases))
}

/// The id under which the host keeps a delivery.
fn message_id(parsed: &Parsed) -> MessageId {
    MessageId::derive(&[Channel::Telegram.as_str(), ACCOUNT, &parsed.event_id])
}

fn conversation_of(parsed: &Parsed) -> ConversationId {
    conversation(&parsed.conversation_id, &parsed.sender_id)
}

/// What a body becomes, if it becomes a message.
fn parsed(case: &Case) -> Result<Option<InboundMessage>> {
    let body = case.body()?;
    let now = Timestamp::from_millis(case.clock * 1_000);
    Ok(match telegram::parse(&case.account, &body, now) {
        Ok(telegram::Parsed::Message(message)) => Some(*message),
        Ok(
            telegram::Parsed::Bind { .. }
            | telegram::Parsed::Pressed(_)
            | telegram::Parsed::Ignored { .. },
        )
        | Err(_) => None,
    })
}

#[test]
fn every_recorded_update_is_read_as_recorded() -> Result<()> {
    let Some(cases) = recorded()? else { return Ok(()) };
    let mut read = 0;
    for case in &cases {
        if !matches!(case.expect.outcome, Outcome::Accept | Outcome::Duplicate) {
            continue;
        }
        let message = parsed(case)?.with_context(|| format!("{case}: is not read"))?;
        let want = case.wanted()?;
        let (text, kind) = match (&want.text[..], case.expect.edited) {
            ("", _) => ("", InboundKind::Unsupported),
            (text, true) => (text, InboundKind::Edit),
            (text, false) => (text, InboundKind::Text),
        };
        ensure!(message.chat == want.conversation_id, "{case}: chat {}", message.chat);
        ensure!(message.sender == want.sender_id, "{case}: sender {}", message.sender);
        ensure!(message.external_id == want.message_id, "{case}: id {}", message.external_id);
        ensure!(message.dedupe_key == want.event_id, "{case}: update {}", message.dedupe_key);
        ensure!(message.text == text, "{case}: text {:?}", message.text);
        ensure!(message.kind == kind, "{case}: {:?}", message.kind);
        ensure!(message.private != want.conversation_id.starts_with('-'), "{case}: private");
        read += 1;
    }
    println!("{read} of {} recorded updates carry a message", cases.len());
    Ok(())
}

#[tokio::test]
async fn every_recorded_webhook_is_answered_and_delivered_as_recorded() -> Result<()> {
    let Some(cases) = recorded()? else { return Ok(()) };
    let town = Town::build(&["crm-lookup", "order-status"]).await?;
    configure(&town, &cases[0])?;
    let host = town.open().await?;

    // Messages in the order in which each conversation must have them.
    let mut wanted = BTreeMap::<ConversationId, Vec<(MessageId, String)>>::new();
    // Those of which the recording leaves open whether they are taken.
    let mut allowed = BTreeSet::<MessageId>::new();
    for case in &cases {
        let status = wire::send(host.public(), case).await.with_context(|| case.to_string())?;
        let fine = &case.expect.status_any;
        ensure!(fine.contains(&status), "{case}: answered with {status}, not one of {fine:?}");
        match case.expect.outcome {
            Outcome::Accept => {
                let want = case.wanted()?;
                let id = conversation_of(want);
                let messages = wanted.entry(id.clone()).or_default();
                messages.push((message_id(want), want.text.clone()));
                let n = messages.len() + allowed_in(&host, &id, &allowed).await?;
                let turns = host.operator().wait_for_turns(&id, n, PATIENCE).await;
                turns.with_context(|| case.to_string())?;
            }
            Outcome::AcceptOrIgnore | Outcome::No5xx => {
                allowed.extend(parsed(case)?.map(|message| message.id()));
            }
            Outcome::Duplicate | Outcome::Reject | Outcome::AckIgnore | Outcome::NotDelivered => {}
        }
    }
    let store = town.store().await?;
    eventually(
        "the end of all work",
        async || Ok((store.backlog().await? == (0, 0)).then_some(())),
    )
    .await?;

    let mut delivered = 0;
    let page = Page { limit: 1_000, offset: 0 };
    for summary in store.conversations(page).await? {
        let id = summary.conversation.id;
        let detail = store.conversation(&id).await?.context("it was listed")?;
        let want = wanted.remove(&id).unwrap_or_default();
        delivered += want.len();
        must_hold_exactly(&store.vault(&id).await?, &detail, &want, &allowed)?;
        let sent = town.telegram.sent_to(&detail.conversation.chat).len();
        ensure!(sent >= detail.turns.len(), "{id}: {sent} answers to {} turns", detail.turns.len());
    }
    ensure!(wanted.is_empty(), "conversations are missing: {wanted:?}");
    let turns = store.audit_tail(u32::MAX, None).await?;
    let turns = turns.iter().filter(|row| row.entry.action == "turn:complete").count();
    ensure!(turns == town.telegram.sent().len(), "{turns} turns and not as many answers");
    println!("{} recorded webhooks replayed, {delivered} messages delivered", cases.len());
    Ok(())
}

/// Gives the account the secrets of the recording.
fn configure(town: &Town, case: &Case) -> Result<()> {
    let config = &case.config;
    town.data.use_telegram(town.telegram.token(), &config.secret_token, &town.telegram.url())?;
    town.data.write_secret("telegram-previous-secret-token", &config.previous_secret_token)?;
    let path = town.data.path().join("postern.toml");
    let text = std::fs::read_to_string(&path)?;
    let heading = format!("[channels.telegram.{ACCOUNT}]\n");
    let (before, after) = text.split_once(&heading).context("the account is not configured")?;
    let previous = r#"previous_secret_token = { file = "secrets/telegram-previous-secret-token" }"#;
    std::fs::write(&path, format!("{before}{heading}{previous}\n{after}"))?;
    Ok(())
}

/// How many messages a conversation has that it need not have.
async fn allowed_in(
    host: &Host,
    id: &ConversationId,
    allowed: &BTreeSet<MessageId>,
) -> Result<usize> {
    let detail = host.operator().conversation(id).await?;
    let turns = detail.map(|detail| detail.turns).unwrap_or_default();
    Ok(turns.iter().filter(|turn| allowed.contains(&turn.message)).count())
}

/// Fails unless a conversation holds these messages in this order, with the
/// customer's own words, and no others but those that it may hold.
fn must_hold_exactly(
    vault: &[postern_domain::VaultEntry],
    detail: &ConversationDetail,
    want: &[(MessageId, String)],
    allowed: &BTreeSet<MessageId>,
) -> Result<()> {
    let id = &detail.conversation.id;
    let written = detail.messages.iter().map(|message| &message.message);
    let written: Vec<(MessageId, String)> = written
        .filter(|message| message.author == Author::Customer)
        .filter(|message| !allowed.contains(&message.id))
        .map(|message| {
            let text = vault.iter().fold(message.text.clone(), |text, entry| {
                text.replace(&entry.placeholder, &entry.value)
            });
            (message.id.clone(), if text == "(not a text)" { String::new() } else { text })
        })
        .collect();
    ensure!(written == want, "{id}: {written:#?} instead of {want:#?}");
    Ok(())
}
