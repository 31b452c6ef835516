//! A skill that keeps breaking rests, comes back by itself, and is counted.

pub(crate) mod desk;

use anyhow::{Context as _, Result, ensure};
use postern::breaker::Ended;
use postern_domain::{SkillFailure, SkillId};
use postern_store::{Change, Commit, InvocationRow, Store as _, TurnRow};
use postern_test_support::http_client;

use self::desk::{Desk, copy, message, of_machine};
use crate::setup::{Customer, Town, json_lines, outcome, skill, store_of, text_at};

const HOSTILE: &str = "please crash on purpose";
const INTRODUCTION: &str = "Hi, my email is ravi.patel@example.com";
const SORRY: &str = "I am sorry, I cannot find that out right now.";

async fn town_with(hostile: &str) -> Result<Town> {
    let town = Town::with_sample_shop().await?;
    town.data.install(&skill(hostile)?).await?;
    Ok(town)
}

fn ended(run: &InvocationRow) -> &str {
    match &run.result {
        Some(Ok(_)) => "held",
        Some(Err(SkillFailure::Trap { .. })) => "trapped",
        Some(Err(SkillFailure::Unavailable { .. })) => "refused",
        Some(Err(_)) | None => "otherwise",
    }
}

/// The wall-clock limit of the calls that are played here.
const WALL: std::time::Duration = std::time::Duration::from_secs(10);

/// Puts a skill to rest, as if it had been called and had broken.
fn put_to_rest(desk: &Desk, id: &SkillId) -> Result<()> {
    let digest = desk.digest(id)?;
    let now = desk.now();
    for _ in 0..5 {
        let pass = desk.app.breakers.allow(id, digest, WALL, now)?;
        desk.app.breakers.ended(id, digest, pass, now, Ended::Broke);
    }
    ensure!(desk.app.breakers.allow(id, digest, WALL, now).is_err());
    Ok(())
}

#[tokio::test]
async fn after_five_traps_in_a_row_a_skill_rests_and_the_others_do_not() -> Result<()> {
    let town = town_with("trapper").await?;
    let mut desk = Desk::open(town.data.path()).await?;
    desk.start();
    for _ in 0..5 {
        let told = desk.tells("mallory", HOSTILE).await?;
        ensure!(ended(told.last_run()?) == "trapped", "{told:?}");
    }
    let told = desk.tells("mallory", HOSTILE).await?;
    let refused = told.last_run()?;
    ensure!(ended(refused) == "refused", "{refused:?}");
    // The component did not run.
    ensure!((refused.took_us, refused.cpu_us, refused.memory_bytes) == (0, 0, 0), "{refused:?}");
    let answer = told.last_answer()?;
    ensure!(answer.starts_with(SORRY), "{answer}");
    let reason = told.ticket_reason();
    ensure!(reason.contains("trapper"), "{reason}");
    let Some(Err(failure)) = &refused.result else { anyhow::bail!("{refused:?}") };
    let (failure, until) = (failure.to_string(), desk.now().plus_millis(30_000).to_string());
    for part in ["5 calls in a row", &until] {
        ensure!(failure.contains(part), "{part} is not in {failure}");
    }

    let told = desk.tells("ravi", INTRODUCTION).await?;
    ensure!(ended(told.last_run()?) == "held", "{told:?}");

    // After the rest one call tries, and as it breaks too, the rest is longer.
    desk.clock.advance_ms(30_000);
    for how in ["trapped", "refused"] {
        let told = desk.tells("mallory", HOSTILE).await?;
        ensure!(ended(told.last_run()?) == how, "{told:?}");
    }
    desk.clock.advance_ms(59_999);
    let told = desk.tells("mallory", HOSTILE).await?;
    ensure!(ended(told.last_run()?) == "refused", "{told:?}");
    desk.clock.advance_ms(1);
    let told = desk.tells("mallory", HOSTILE).await?;
    ensure!(ended(told.last_run()?) == "trapped", "{told:?}");

    let rests: Vec<_> = desk.audit("skill:rest").await?;
    ensure!(rests.len() == 3, "{rests:?}");
    ensure!(rests[0].entry.resource.starts_with("trapper@0.1.0 sha256:"), "{rests:?}");
    let figures = desk.app.metrics.render([]);
    for line in [
        r#"postern_skill_traps_total{skill="trapper"} 7"#,
        r#"postern_skill_breaker_opened_total{skill="trapper"} 3"#,
        r#"postern_skill_calls_total{skill="trapper",tool="trap",outcome="resting"} 3"#,
    ] {
        ensure!(figures.contains(line), "{line} is not in {figures}");
    }

    let (code, shown, complaint) =
        outcome(&town.data, &["skill", "inspect", "trapper", "--json"]).await?;
    ensure!(code == Some(0), "{complaint}");
    let shown = json_lines(&shown)?.pop().context("it says nothing")?;
    ensure!(shown["use"]["runs"] == 7 && shown["use"]["failures_in_a_row"] == 7, "{shown}");
    ensure!(shown["use"]["failures"]["trap"] == 7, "{shown}");
    ensure!(text_at(&shown, "/imports/log") == "0.1.0", "{shown}");
    desk.stop().await
}

#[tokio::test]
async fn a_skill_that_holds_again_is_back_in_service() -> Result<()> {
    let town = Town::with_sample_shop().await?;
    let mut desk = Desk::open(town.data.path()).await?;
    let crm: SkillId = "crm-lookup".parse()?;
    put_to_rest(&desk, &crm)?;
    desk.start();
    let told = desk.tells("ravi", INTRODUCTION).await?;
    ensure!(ended(told.last_run()?) == "refused", "{told:?}");
    desk.clock.advance_ms(30_000);
    for _ in 0..2 {
        let told = desk.tells("ravi", INTRODUCTION).await?;
        ensure!(ended(told.last_run()?) == "held", "{told:?}");
    }
    ensure!(desk.audit("skill:return").await?.len() == 1);
    let standing = desk.app.breakers.standing(&crm, desk.digest(&crm)?, desk.now());
    ensure!(!standing.is_open(), "{standing:?}");
    desk.stop().await
}

#[tokio::test]
async fn what_has_had_effects_is_finished_though_its_skill_rests() -> Result<()> {
    let town = Town::with_sample_shop().await?;
    let elsewhere = tempfile::tempdir()?;
    copy(town.data.path(), elsewhere.path())?;

    // What the turn comes to when nothing gets in its way.
    let mut desk = Desk::open(town.data.path()).await?;
    desk.start();
    let whole = desk.tells("ravi", INTRODUCTION).await?;
    let run = whole.last_run()?.clone();
    let vault = desk.app.store.vault(&whole.detail.conversation.id).await?;
    desk.stop().await?;

    // What a host leaves that dies after the call's last effect.
    let mut desk = Desk::open(elsewhere.path()).await?;
    let store = &desk.app.store;
    let arrived = message("ravi", 1, INTRODUCTION, desk.now());
    let nonce = &whole.detail.conversation.nonce;
    store.accept(&[arrived], std::slice::from_ref(nonce)).await?;
    let lease = store.lease_next("dead", desk.now(), 1_000).await?.context("nothing waits")?;
    let turn = TurnRow { summary: None, completed_at: None, ..whole.detail.turns[0].clone() };
    let begun = InvocationRow { result: None, took_us: 0, ..run.clone() };
    let conversation = turn.conversation.clone();
    let mut changes = vec![
        Change::Turn(turn),
        Change::Vault { conversation: conversation.clone(), entries: vault },
        Change::Invocation(begun),
    ];
    let journal = whole.detail.journal.iter().filter(|entry| entry.invocation == run.id);
    changes.extend(journal.cloned().map(Change::Journal));
    ensure!(changes.len() > 3, "the call did nothing that could be cut in half: {whole:?}");
    store.commit(Commit { lease: Some(lease.clone()), changes, audit: vec![] }).await?;
    store.release(&lease).await?;

    let crm: SkillId = "crm-lookup".parse()?;
    put_to_rest(&desk, &crm)?;
    desk.start();
    let finished = desk.wait_for(&conversation, 1).await?;
    let again = finished.last_run()?;
    ensure!((&again.id, &again.result) == (&run.id, &run.result), "{again:?} is not {run:?}");
    ensure!(finished.last_answer()? == whole.last_answer()?, "{finished:?}");
    let other = desk.tells("lei", INTRODUCTION).await?;
    ensure!(ended(other.last_run()?) == "refused", "it still rests: {other:?}");
    desk.stop().await
}

#[tokio::test]
async fn a_hostile_call_is_counted_for_prometheus() -> Result<()> {
    let town = town_with("looper").await?;
    let host = town.open().await?;
    Customer::new(&town, &host, 131).says("please spin forever").await?;

    let address = format!("{}/metrics", host.operator_page());
    let outside = http_client().get(&address).send().await?;
    ensure!(outside.status() == 401, "{outside:?}");
    let token = town.data.operator_token()?;
    let inside = http_client().get(&address).bearer_auth(&token).send().await?;
    ensure!(inside.status() == 200, "{inside:?}");
    let format = inside.headers()["content-type"].to_str()?.to_owned();
    ensure!(format == "text/plain; version=0.0.4; charset=utf-8", "{format}");
    let figures = inside.text().await?;
    for line in [
        "# TYPE postern_skill_limits_total counter",
        r#"postern_skill_limits_total{skill="looper",limit="cpu_time"} 1"#,
        r#"postern_skill_calls_total{skill="looper",tool="loop_forever",outcome="limit"} 1"#,
        r#"postern_skill_call_seconds_count{skill="looper"} 1"#,
        r#"postern_skill_breaker_open{skill="looper"} 0"#,
        r#"postern_skill_traps_total{skill="order-status"} 0"#,
    ] {
        ensure!(figures.lines().any(|found| found == line), "{line} is not in {figures}");
    }
    let skills = host.operator().skills().await?;
    let looper = of_machine(&skills, "looper").context("looper is not listed")?;
    ensure!(
        looper["breaker"]["state"] == "closed" && looper["breaker"]["failures"] == 1,
        "{looper}"
    );
    ensure!(looper["use"]["failures"]["limit:cpu_time"] == 1, "{looper}");
    let runs = store_of(&town.data)
        .await?
        .skill_use(&"looper".parse()?, text_at(looper, "/digest").parse()?, 9)
        .await?;
    ensure!(runs.len() == 1 && runs[0].cpu_us > 0, "{runs:?}");
    Ok(())
}
