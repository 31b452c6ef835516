//! Attacks on a host, each tried for real: what must happen is asserted, and that
//! nothing is left behind and the next honest call succeeds.
//!
//! The attacks stand beside their guests, in `tests/guests/*/attacks.toml`. They
//! go through the real registry, gate, rules and store of one host in this
//! process, which is therefore best a process of its own.

mod attack;
mod component;
mod names;
mod peers;
mod probe;
mod watch;
mod world;

use std::{fmt::Write as _, sync::Arc, time::Instant};

use anyhow::{Context as _, Result, ensure};
use attack::Attack;
use futures_util::future::try_join_all;
use peers::Peers;
use postern::app::App;
use postern_domain::{Customer, IdentityLevel, Outcome};
use postern_runtime::InUse;
use probe::{Call, Probed, Prober};
use serde::Serialize;
use serde_json::{Value, json};
use world::{Prepared, World};

/// Who asks an honest question after each attack, and what about.
const CUSTOMER: &str = "ravi_patel_1007";
const ORDER: &str = "#W1205408";
const ANSWER: &str = "Order #W1205408 is processed.";

/// By how much resident memory may grow from the end of one round of attacks to
/// the end of the next, in KiB.
pub const GROWTH_KIB: u64 = 16 << 10;

/// An attack that was tried.
#[derive(Clone, Debug, Serialize)]
pub struct Tried {
    /// Its name.
    pub name: String,
    /// In which language its guest is written.
    pub language: String,
    /// What it tried.
    pub tries: String,
    /// What the host had to do.
    pub must: String,
    /// What stopped it.
    pub stopped: String,
    /// What should have stopped it and did not, or what was left behind.
    pub failed: Option<String>,
    /// Milliseconds from its start to the end of the honest call after it.
    pub took_ms: u128,
    /// Resident memory after it, in KiB.
    pub resident_kib: u64,
}

impl Tried {
    /// Whether the host did what it had to.
    pub const fn held(&self) -> bool {
        self.failed.is_none()
    }
}

/// What came of all attacks.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// How many were tried.
    pub guests: usize,
    /// How many the host withstood.
    pub held: usize,
    /// Attacks whose guests could not be built here.
    pub skipped: Vec<String>,
    /// Resident memory in KiB after each round.
    pub resident_kib: Vec<u64>,
    /// What went wrong besides single attacks.
    pub problems: Vec<String>,
}

impl Summary {
    /// Whether the host withstood everything.
    pub fn all_held(&self) -> bool {
        self.guests == self.held && self.problems.is_empty()
    }
}

/// The host under attack.
struct Target {
    prober: Prober,
    app: Arc<App>,
    peers: Peers,
    /// How many files may be open after an attack. In the first round any number:
    /// some are opened once and kept.
    files: usize,
    /// What of the pools was in use before it.
    idle: InUse,
}

/// Which attacks are tried, and how often.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Only those whose names contain this.
    pub only: Option<String>,
    /// Rounds besides the two that are needed to see what grows.
    pub more_rounds: usize,
}

/// Tries every attack, the calls among them in several rounds, and tells of each
/// as it ends in the last one.
///
/// # Errors
/// The host could not be set up, or a file of attacks is wrong.
pub async fn run(plan: &Plan, mut tell: impl FnMut(&Tried)) -> Result<Summary> {
    let peers = Peers::start().await?;
    let world = World::build(&peers).await?;
    let mut attacks = attack::all()?;
    attacks.retain(|attack| plan.only.as_ref().is_none_or(|only| attack.entry.name.contains(only)));
    ensure!(!attacks.is_empty(), "no attack is called like that");

    let mut summary = Summary {
        guests: 0,
        held: 0,
        skipped: Vec::new(),
        resident_kib: Vec::new(),
        problems: Vec::new(),
    };
    // Guests with several attacks are installed once.
    let mut installed = std::collections::BTreeSet::new();
    let mut calls = Vec::new();
    for attack in attacks.iter().filter(|attack| !attack.is_refused_at_install()) {
        let prepared = match installed.contains(&attack.skill()) {
            true => Prepared::Ready,
            false => world.install(attack).await.with_context(|| attack.entry.name.clone())?,
        };
        match prepared {
            Prepared::Ready => {
                installed.insert(attack.skill());
                calls.push((attack, None));
            }
            Prepared::Refused(reason) => calls.push((attack, Some(reason))),
            Prepared::Missing => summary.skipped.push(attack.entry.name.clone()),
        }
    }

    let app = App::open(world.data.path()).await?;
    let prober = Prober::new(Arc::clone(&app), names::rebinding(&app)?);
    let idle = app.in_use();
    let mut target = Target { prober, app, peers, files: usize::MAX, idle };
    target.honest_call().await.map_err(|problem| anyhow::anyhow!("before: {problem}"))?;
    let mut early = vec![None; calls.len()];
    let last = plan.more_rounds + 1;
    for round in 0..=last {
        if round == 1 {
            target.open_connections().await?;
            target.files = watch::files_at_most(0).await?;
        }
        for (place, (attack, refused)) in calls.iter().enumerate() {
            let mut tried = target.try_call(attack, refused.as_deref()).await?;
            tried.failed = early[place].take().or(tried.failed);
            if round < last {
                early[place] = tried.failed;
                continue;
            }
            summary.count(&tried);
            tell(&tried);
        }
        summary.resident_kib.push(watch::resident_kib()?);
    }
    for attack in attacks.iter().filter(|attack| attack.is_refused_at_install()) {
        let tried = target.try_install(&world, attack).await?;
        summary.count(&tried);
        tell(&tried);
    }
    summary.check_memory();
    let leaks = world.leaks()?;
    if !leaks.is_empty() {
        summary.problems.push(format!("a secret stands in {leaks:?}"));
    }
    Ok(summary)
}

/// All attacks as a page for people: what each tries and what the host does.
///
/// # Errors
/// A file of attacks is wrong.
pub fn page() -> Result<String> {
    let attacks = attack::all()?;
    let mut page = format!(
        "# Hostile guests\n\n\
         {} attacks, each tried by `cargo xtask hostile` and in CI. They stand beside their\n\
         guests, in `tests/guests/*/attacks.toml`. After each one an honest call on the same\n\
         host succeeds, no instance, memory, table or stack is in use, no more files are open\n\
         than before, nobody has reached the server inside the network, and no secret has been\n\
         seen. Resident memory does not grow by more than {} MiB from one round of all attacks\n\
         to the next.\n\n\
         This page is written by `cargo xtask hostile --list`.\n\n\
         | attack | language | it tries | the host must |\n|---|---|---|---|\n",
        attacks.len(),
        GROWTH_KIB >> 10
    );
    for Attack { entry, language, .. } in &attacks {
        let row = [entry.name.as_str(), language, &entry.tries, &entry.must];
        writeln!(page, "| {} |", row.map(|cell| cell.replace('|', "\\|")).join(" | "))?;
    }
    Ok(page)
}

impl Summary {
    fn count(&mut self, tried: &Tried) {
        self.guests += 1;
        self.held += usize::from(tried.held());
    }

    fn check_memory(&mut self) {
        let rounds = &self.resident_kib;
        if rounds.windows(2).last().is_some_and(|two| two[1] > two[0] + GROWTH_KIB) {
            self.problems.push(format!("resident memory grew: {rounds:?} KiB"));
        }
    }
}

impl Target {
    async fn try_call(&self, attack: &Attack, refused: Option<&str>) -> Result<Tried> {
        let began = Instant::now();
        let ended = match refused {
            Some(reason) => Err(format!("it could not be installed: {reason}")),
            None => self.attack(attack).await?,
        };
        self.settle(attack, began, ended).await
    }

    async fn attack(&self, attack: &Attack) -> Result<Result<String, String>> {
        let entry = &attack.entry;
        let arguments = Value::Object(entry.arguments.clone());
        let arguments = world::fill(&arguments, &self.peers);
        let skill = attack.skill();
        let mut ended = Err("it was not tried".to_owned());
        for _ in 0..entry.times {
            let call = Call {
                skill: &skill,
                tool: &entry.tool,
                arguments: &arguments,
                customer: identified(entry.customer.as_deref()),
                sent_kib: entry.sent_kib,
            };
            let probed = self.prober.call(call).await.with_context(|| entry.name.clone())?;
            ended = entry.judge(&probed).and_then(|stopped| leaked(&probed).map(|()| stopped));
            if ended.is_err() {
                break;
            }
        }
        Ok(ended)
    }

    async fn try_install(&self, world: &World, attack: &Attack) -> Result<Tried> {
        let began = Instant::now();
        let attack::Expect::Install(words) = &attack.entry.expect else {
            anyhow::bail!("{} is not refused at install", attack.entry.name)
        };
        let before = world.generation()?;
        let prepared = world.install(attack).await.with_context(|| attack.entry.name.clone())?;
        let ended = match prepared {
            Prepared::Refused(reason) if world.generation()? != before => {
                Err(format!("refused, but something changed: {reason}"))
            }
            Prepared::Refused(reason) if reason.contains(words) => {
                Ok(reason.lines().next().unwrap_or_default().chars().take(240).collect())
            }
            Prepared::Refused(reason) => Err(format!("expected {words:?}, but: {reason}")),
            Prepared::Ready => Err("it was installed".to_owned()),
            Prepared::Missing => Err("it is not built".to_owned()),
        };
        self.settle(attack, began, ended).await
    }

    /// What is to be said of an attack, once nothing of it is left.
    async fn settle(
        &self,
        attack: &Attack,
        began: Instant,
        ended: Result<String, String>,
    ) -> Result<Tried> {
        let after = self.honest_call().await;
        let left = self.nothing_left().await?;
        let (stopped, failed) = match ended.and_then(|stopped| {
            after.and(left)?;
            Ok(stopped)
        }) {
            Ok(stopped) => (stopped, None),
            Err(problem) => ("nothing".to_owned(), Some(problem)),
        };
        Ok(Tried {
            name: attack.entry.name.clone(),
            language: attack.language.clone(),
            tries: attack.entry.tries.clone(),
            must: attack.entry.must.clone(),
            stopped,
            failed,
            took_ms: began.elapsed().as_millis(),
            resident_kib: watch::resident_kib()?,
        })
    }

    async fn honest_call(&self) -> Result<(), String> {
        let call = Call {
            skill: "order-status",
            tool: "order_status",
            arguments: &json!({ "order_id": ORDER }),
            customer: identified(Some(CUSTOMER)),
            sent_kib: None,
        };
        match self.prober.call(call).await.map(|probed| probed.result) {
            Ok(Ok(Outcome::Reply { text })) if text.starts_with(ANSWER) => Ok(()),
            other => Err(format!("the honest call after it came to {other:?}")),
        }
    }

    /// Lets the store open all the connections that it may: when it opens one is
    /// a matter of chance.
    async fn open_connections(&self) -> Result<()> {
        try_join_all((0..64).map(|_| self.app.store.collections())).await?;
        Ok(())
    }

    async fn nothing_left(&self) -> Result<Result<(), String>> {
        let in_use = self.app.in_use();
        if in_use != self.idle {
            return Ok(Err(format!("it left something in use: {in_use:?}")));
        }
        let open = watch::files_at_most(self.files).await?;
        if open > self.files {
            return Ok(Err(format!("{open} files are open, {} were", self.files)));
        }
        if self.peers.touched() > 0 {
            return Ok(Err("somebody reached the server inside the network".to_owned()));
        }
        if self.peers.smuggled() > 0 {
            return Ok(Err("a request arrived that nobody may send".to_owned()));
        }
        Ok(Ok(()))
    }
}

fn identified(customer: Option<&str>) -> Customer {
    match customer {
        Some(key) => Customer { key: Some(key.to_owned()), level: IdentityLevel::Identified },
        None => Customer::default(),
    }
}

/// Whether a guest saw a secret, or one was written down.
fn leaked(probed: &Probed) -> Result<(), String> {
    match world::holds_secret(format!("{probed:?}").as_bytes()) {
        true => Err("a secret reached the guest or the journal".to_owned()),
        false => Ok(()),
    }
}
