//! Versions on trial, and skills that must not run any more.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use postern::{
    canary::{self, Ruling},
    clock::{Clock as _, SystemClock},
};
use postern_domain::{ConversationId, Outcome, SkillFailure, SkillId};
use postern_store::{Change, Commit, InvocationRow, TurnRow};
use postern_test_support::{host::SkillFiles, http_client};
use tempfile::TempDir;

use crate::{
    breaker::desk::{Desk, Told, copy, message, of_machine},
    setup::{Town, eventually, text_at},
    upgrades::versions::{BROKEN, SKILL, installed, permit, upgrade, version},
};

/// A folder with version 1 installed.
struct Trial {
    town: Town,
    files: TempDir,
}

impl Trial {
    async fn prepare() -> Result<Self> {
        let (town, files) = (Town::build(&[]).await?, tempfile::tempdir()?);
        permit(&town.data).await?;
        town.data.install(&version(files.path(), 1)?).await?;
        Ok(Self { town, files })
    }

    /// Puts a version on trial.
    async fn begin(&self, number: u32, options: &[&str]) -> Result<SkillFiles> {
        let files = version(self.files.path(), number)?;
        upgrade(&self.town.data, &files, options).await?;
        Ok(files)
    }

    /// The host, at the time that commands have.
    async fn open(&self) -> Result<Desk> {
        let desk = Desk::open(self.town.data.path()).await?;
        desk.clock.advance_ms(SystemClock.now().millis_since(desk.now()) + 1_000);
        Ok(desk)
    }
}

fn id(chat: &str) -> ConversationId {
    let at = postern_domain::Timestamp::from_millis(0);
    message(chat, 0, "", at).conversation_id()
}

/// Chats of whom the new version is, or is not.
fn chats(desk: &Desk, chosen: bool, number: usize) -> Result<Vec<String>> {
    let loaded = desk.app.loaded();
    let canary = &loaded.trial.as_ref().context("nothing is on trial")?.canary;
    let is = |chat: &String| canary::is_chosen(&desk.app.key, &id(chat), canary) == chosen;
    Ok((0..).map(|number| format!("c{number}")).filter(is).take(number).collect())
}

/// Writes in a chat and answers which version said what.
async fn visits(desk: &mut Desk, chat: &str, visit: usize) -> Result<(String, Told)> {
    let number: u32 = chat.trim_start_matches('c').parse()?;
    let text = format!("write down visit v{number}x{visit}");
    let told = desk.tells(chat, &text).await?;
    Ok((told.last_run()?.version.clone(), told))
}

async fn takes_up(desk: &Desk, generation: u64) -> Result<()> {
    eventually("the next generation", async || {
        Ok((desk.app.skills().number == generation).then_some(()))
    })
    .await
}

#[tokio::test]
async fn a_share_of_conversations_gets_the_new_version_and_stays_with_it() -> Result<()> {
    let trial = Trial::prepare().await?;
    trial.begin(2, &["--canary", "5%"]).await?;
    let mut desk = trial.open().await?;
    desk.start();
    for (chosen, wanted) in [(true, "2.0.0"), (false, "1.0.0")] {
        for chat in chats(&desk, chosen, 3)? {
            for visit in 1..3 {
                let (is, told) = visits(&mut desk, &chat, visit).await?;
                ensure!(is == wanted, "{chat} got {is}");
                let answer = told.last_answer()?;
                ensure!(answer.contains(&format!("by version {}", &wanted[..1])), "{answer}");
            }
        }
    }
    desk.app.metrics.generation(&desk.app.loaded());
    let figures = desk.app.metrics.render([]);
    for line in [
        r#"postern_skill_canary_permille{skill="versioned",version="2.0.0"} 50"#,
        r#"postern_skill_version_calls_total{skill="versioned",version="1.0.0",ended="held"} 6"#,
        r#"postern_skill_version_calls_total{skill="versioned",version="2.0.0",ended="held"} 6"#,
        r#"postern_skills_left_out{why="revoked"} 0"#,
    ] {
        ensure!(figures.contains(line), "{line} is not in {figures}");
    }
    desk.stop().await
}

#[tokio::test]
async fn a_version_that_holds_is_promoted_when_it_is_time() -> Result<()> {
    let trial = Trial::prepare().await?;
    let options = ["--canary", "5%", "--canary-calls", "4", "--canary-for", "600"];
    trial.begin(2, &options).await?;
    let mut desk = trial.open().await?;
    desk.start();
    let (old, new) = (chats(&desk, false, 1)?.remove(0), chats(&desk, true, 1)?.remove(0));
    for visit in 1..4 {
        visits(&mut desk, &new, visit).await?;
    }
    let waits = |ruling: Option<Ruling>| match ruling {
        Some(Ruling::Wait(why)) => Ok(why),
        other => Err(anyhow::anyhow!("{other:?}")),
    };
    ensure!(waits(canary::once(&desk.app).await?)? == "3 of 4 calls");
    visits(&mut desk, &new, 4).await?;
    let why = waits(canary::once(&desk.app).await?)?;
    ensure!(why.ends_with(" of 600 seconds"), "{why}");
    ensure!(visits(&mut desk, &old, 1).await?.0 == "1.0.0");

    desk.clock.advance_ms(600_000);
    // The host itself ends it.
    takes_up(&desk, 3).await?;
    ensure!(desk.app.loaded().trial.is_none());
    ensure!(visits(&mut desk, &old, 2).await?.0 == "2.0.0");
    let rows = desk.audit("skill:promote").await?;
    let [row] = &rows[..] else { anyhow::bail!("{rows:?}") };
    ensure!(row.entry.actor == "host", "{row:?}");
    ensure!(row.entry.resource.starts_with("versioned@2.0.0 sha256:"), "{row:?}");
    ensure!(row.entry.detail.starts_with("generation 3; 0 of 4 calls failed"), "{row:?}");
    desk.stop().await
}

#[tokio::test]
async fn a_version_that_fails_is_aborted_and_nobody_else_gets_it() -> Result<()> {
    let trial = Trial::prepare().await?;
    trial.begin(BROKEN, &["--canary", "5%"]).await?;
    let mut desk = trial.open().await?;
    desk.start();
    let unlucky = chats(&desk, true, 2)?;
    for chat in &unlucky {
        let (is, told) = visits(&mut desk, chat, 1).await?;
        ensure!(is == "9.0.0", "{is}");
        let trapped = matches!(told.last_run()?.result, Some(Err(SkillFailure::Trap { .. })));
        ensure!(trapped, "{:?}", told.last_run()?);
    }
    // The host itself ends it.
    takes_up(&desk, 3).await?;
    ensure!(desk.app.loaded().trial.is_none());
    ensure!(visits(&mut desk, &unlucky[0], 2).await?.0 == "1.0.0");
    let rows = desk.audit("skill:abort").await?;
    let [row] = &rows[..] else { anyhow::bail!("{rows:?}") };
    ensure!(row.entry.detail.starts_with("generation 3; 2 of 2 calls failed"), "{row:?}");
    let line = r#"postern_skill_trials_ended_total{skill="versioned",how="aborted"} 1"#;
    // It is counted after the generation is active.
    eventually("it is counted", async || {
        Ok(desk.app.metrics.render([]).contains(line).then_some(()))
    })
    .await?;
    desk.stop().await
}

/// A turn of which a host has begun no more than the first host call.
async fn begin_turn(trial: &Trial, chat: &str) -> Result<InvocationRow> {
    // What it comes to when nothing gets in its way, for its rows.
    let elsewhere = tempfile::tempdir()?;
    copy(trial.town.data.path(), elsewhere.path())?;
    let mut desk = Desk::open(elsewhere.path()).await?;
    desk.start();
    let (_, whole) = visits(&mut desk, chat, 1).await?;
    let run = whole.last_run()?.clone();
    let vault = desk.app.store.vault(&whole.detail.conversation.id).await?;
    desk.stop().await?;

    let desk = trial.open().await?;
    let store = &desk.app.store;
    let number = chat.trim_start_matches('c');
    let arrived = message(chat, 1, &format!("write down visit v{number}x1"), desk.now());
    let nonce = &whole.detail.conversation.nonce;
    store.accept(&[arrived], std::slice::from_ref(nonce)).await?;
    let lease = store.lease_next("dead", desk.now(), 1_000).await?.context("nothing waits")?;
    let turn = TurnRow { summary: None, completed_at: None, ..whole.detail.turns[0].clone() };
    let begun = InvocationRow { result: None, took_us: 0, ..run.clone() };
    let conversation = turn.conversation.clone();
    let mut changes = vec![
        Change::Turn(turn),
        Change::Vault { conversation, entries: vault },
        Change::Invocation(begun),
    ];
    let journal = whole.detail.journal.iter().find(|entry| entry.invocation == run.id);
    changes.push(Change::Journal(journal.context("it called nothing")?.clone()));
    store.commit(Commit { lease: Some(lease.clone()), changes, audit: vec![] }).await?;
    store.release(&lease).await?;
    Ok(run)
}

#[tokio::test]
async fn an_interrupted_turn_ends_with_the_version_with_which_it_began() -> Result<()> {
    let trial = Trial::prepare().await?;
    trial.begin(2, &["--canary", "5%"]).await?;
    let chat = chats(&trial.open().await?, true, 1)?.remove(0);
    let run = begin_turn(&trial, &chat).await?;
    ensure!(run.version == "2.0.0", "{run:?}");
    trial.town.data.postern(["skill", "upgrade", SKILL, "--abort"]).await?;

    let mut desk = trial.open().await?;
    ensure!(desk.app.loaded().trial.is_none());
    desk.start();
    let told = desk.wait_for(&id(&chat), 1).await?;
    let again = told.last_run()?;
    ensure!((&again.id, again.digest) == (&run.id, run.digest), "{again:?}");
    let Some(Ok(Outcome::Reply { text })) = &again.result else { anyhow::bail!("{again:?}") };
    ensure!(text.ends_with("by version 2, kept 2, written 2."), "{text}");
    // Messages of this host count from one, and the first of the chat is taken.
    visits(&mut desk, "c99999", 1).await?;
    ensure!(visits(&mut desk, &chat, 2).await?.0 == "1.0.0");
    desk.stop().await
}

#[tokio::test]
async fn an_interrupted_turn_of_a_revoked_version_ends_with_a_person() -> Result<()> {
    let trial = Trial::prepare().await?;
    let run = begin_turn(&trial, "c1").await?;
    let digest = run.digest.to_string();
    trial.town.data.postern(["trust", "revoke", &digest, "--reason", "it leaks"]).await?;

    // What is revoked does not keep the host from starting.
    let mut desk = trial.open().await?;
    ensure!(desk.app.skills().active.is_empty());
    desk.start();
    let told = desk.wait_for(&id("c1"), 1).await?;
    let reason = told.ticket_reason();
    ensure!(reason.contains("skill versioned is revoked: sha256:"), "{reason}");
    ensure!(reason.contains("it leaks"), "{reason}");
    ensure!(told.last_answer()?.starts_with("I am sorry"), "{told:?}");
    desk.stop().await
}

#[tokio::test]
async fn an_interrupted_turn_of_a_revoked_trial_does_not_go_on_with_the_old_version() -> Result<()>
{
    let trial = Trial::prepare().await?;
    trial.begin(2, &["--canary", "5%"]).await?;
    let chat = chats(&trial.open().await?, true, 1)?.remove(0);
    let run = begin_turn(&trial, &chat).await?;
    ensure!(run.version == "2.0.0", "{run:?}");
    let digest = run.digest.to_string();
    trial.town.data.postern(["trust", "revoke", &digest, "--reason", "it leaks"]).await?;

    let mut desk = trial.open().await?;
    desk.start();
    let told = desk.wait_for(&id(&chat), 1).await?;
    let reason = told.ticket_reason();
    ensure!(reason.contains("skill versioned is revoked: sha256:"), "{reason}");
    ensure!(told.detail.invocations.iter().all(|it| it.digest == run.digest), "{told:?}");
    ensure!(told.last_answer()?.starts_with("I am sorry"), "{told:?}");
    // New turns get the old version. Messages of this host count from one, and the first of
    // the chat is taken.
    visits(&mut desk, "c99999", 1).await?;
    ensure!(visits(&mut desk, &chat, 2).await?.0 == "1.0.0");
    desk.stop().await
}

#[tokio::test]
async fn a_trial_without_its_settings_is_refused_and_does_not_keep_the_host_down() -> Result<()> {
    let trial = Trial::prepare().await?;
    let data = &trial.town.data;
    let files = version(trial.files.path(), 2)?;
    let manifest = fs::read_to_string(&files.manifest)?;
    let setting = "[[settings]]\nname = \"tone\"\ndescription = \"How it speaks.\"\n";
    fs::write(&files.manifest, format!("{manifest}\n{setting}"))?;
    let before = installed(data).await?;
    for options in [&["--canary", "5%"][..], &[]] {
        let Err(error) = upgrade(data, &files, options).await else {
            anyhow::bail!("it was taken")
        };
        let error = format!("{error:#}");
        ensure!(error.contains("skills.versioned.settings.tone: must be set"), "{error}");
    }
    ensure!(installed(data).await? == before, "something was changed");

    let path = data.path().join("postern.toml");
    let without = fs::read_to_string(&path)?;
    // The old version does not know it, and runs all the same.
    fs::write(&path, format!("{without}\n[skills.versioned.settings]\ntone = \"soft\"\n"))?;
    upgrade(data, &files, &["--canary", "5%"]).await?;
    let desk = trial.open().await?;
    let loaded = desk.app.loaded();
    ensure!(loaded.trial.as_ref().is_some_and(|trial| trial.skills.is_ok()));
    drop((loaded, desk));

    fs::write(&path, without)?;
    let mut desk = trial.open().await?;
    ensure!(desk.app.loaded().trial.as_ref().is_some_and(|trial| trial.skills.is_err()));
    desk.start();
    takes_up(&desk, 3).await?;
    let rows = desk.audit("skill:abort").await?;
    let [row] = &rows[..] else { anyhow::bail!("{rows:?}") };
    ensure!(row.entry.detail.contains("tone: must be set"), "{row:?}");
    desk.stop().await
}

#[tokio::test]
async fn a_revocation_counts_while_the_host_serves() -> Result<()> {
    let trial = Trial::prepare().await?;
    let mut desk = trial.open().await?;
    desk.start();
    ensure!(visits(&mut desk, "c1", 1).await?.0 == "1.0.0");
    let id: SkillId = SKILL.parse()?;
    let digest = desk.digest(&id)?.to_string();
    trial.town.data.postern(["trust", "revoke", &digest]).await?;
    eventually("the skill is left out", async || {
        Ok(desk.app.skills().left_out.contains_key(&id).then_some(()))
    })
    .await?;
    // Nobody knows its intents any more.
    let told = desk.tells("c1", "write down visit v1x2").await?;
    ensure!(told.detail.invocations.len() == 1, "{told:?}");
    desk.app.metrics.generation(&desk.app.loaded());
    let figures = desk.app.metrics.render([]);
    ensure!(figures.contains(r#"postern_skills_left_out{why="revoked"} 1"#), "{figures}");

    let why = ["--reason", "it was another one"];
    let back = [&["trust", "unrevoke", &digest][..], &why].concat();
    trial.town.data.postern(back).await?;
    eventually("it is back", async || Ok(desk.app.skills().active.contains_key(&id).then_some(())))
        .await?;
    ensure!(visits(&mut desk, "c1", 3).await?.0 == "1.0.0");
    desk.stop().await
}

#[tokio::test]
async fn a_damaged_or_disabled_skill_is_left_out_and_shown() -> Result<()> {
    let trial = Trial::prepare().await?;
    let data = &trial.town.data;
    data.install(&crate::setup::skill("escalation")?).await?;
    data.postern(["skill", "disable", "escalation"]).await?;
    let component = installed(data).await?;
    let blob = data.path().join(format!("skills/blobs/{}.wasm", component.hex()));
    fs::write(&blob, b"something else")?;
    fs::remove_dir_all(data.path().join("skills/compiled"))?;
    let host = trial.town.open().await?;
    let skills = host.operator().skills().await?;
    for (skill, state, why) in [
        (SKILL, "damaged", "its content has another digest"),
        ("escalation", "disabled", "disabled by the operator"),
    ] {
        let shown = of_machine(&skills, skill).context("it is not listed")?;
        ensure!(text_at(shown, "/state") == state, "{shown}");
        ensure!(text_at(shown, "/why").contains(why), "{shown}");
    }
    let log = fs::read_to_string(data.path().join("host.log"))?;
    ensure!(log.contains("left out") && log.contains(SKILL), "{log}");
    host.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_trial_is_shown_to_operators() -> Result<()> {
    let trial = Trial::prepare().await?;
    trial.begin(2, &["--canary", "12.5%", "--canary-calls", "7"]).await?;
    let host = trial.town.open().await?;
    let skills = host.operator().skills().await?;
    let shown = of_machine(&skills, SKILL).context("it is not listed")?;
    ensure!(text_at(shown, "/state") == "active" && text_at(shown, "/version") == "1.0.0");
    let canary = &shown["canary"];
    ensure!(text_at(canary, "/version") == "2.0.0" && canary["permille"] == 125, "{canary}");
    ensure!(text_at(canary, "/ruling") == "wait", "{canary}");
    ensure!(text_at(canary, "/why") == "0 of 7 calls", "{canary}");
    let page = format!("{}/skills", host.operator_page());
    let token = trial.town.data.operator_token()?;
    let page = http_client().get(&page).bearer_auth(&token).send().await?.text().await?;
    ensure!(page.contains("2.0.0 for 12.5 % of conversations, since "), "{page}");
    host.stop().await?;
    Ok(())
}
