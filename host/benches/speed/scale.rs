//! Many workers, many skills, many calls that wait: throughput and memory.

use std::{
    fs,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use async_trait::async_trait;
use postern_domain::HostCall;
use postern_runtime::{Answered, HostPort, Limits, LoadedSkill, PortError, Runtime};

use crate::{
    figures::{Bound, Table, Times, Unit},
    subject::{self, Subject},
};

const SKILLS: usize = 1_000;
const WAITING: usize = 1_000;
/// How long each throughput is measured, at a time.
const STRETCH: Duration = Duration::from_millis(700);
/// How often each is measured, in turns.
const ROUNDS: usize = 5;

/// Calls in a second by so many workers, each taking the next of `skills`.
async fn throughput(
    subject: &Arc<Subject>,
    skills: &Arc<Vec<LoadedSkill>>,
    workers: usize,
) -> anyhow::Result<f64> {
    let over = Arc::new(AtomicBool::new(false));
    let mut tasks = tokio::task::JoinSet::new();
    let began = Instant::now();
    for worker in 0..workers {
        let (subject, skills, over) = (Arc::clone(subject), Arc::clone(skills), Arc::clone(&over));
        tasks.spawn(async move {
            let (mut calls, mut at) = (0_u64, worker * 7_919);
            while !over.load(Relaxed) {
                // A stride that visits all of them in an order without a pattern
                // that a cache could follow.
                at = (at + 389) % skills.len().max(1);
                let port = subject.canned_port();
                let report = skills[at].invoke(subject::invocation(), port).await;
                report.result?;
                calls += 1;
            }
            Ok::<_, postern_runtime::InvokeError>(calls)
        });
    }
    tokio::time::sleep(STRETCH).await;
    over.store(true, Relaxed);
    let mut calls = 0;
    while let Some(done) = tasks.join_next().await {
        calls += done??;
    }
    Ok(calls as f64 / began.elapsed().as_secs_f64())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Two workers against one, 1,000 skills against one.
pub(crate) async fn workers_and_skills(
    subject: &Arc<Subject>,
    table: &mut Table,
) -> anyhow::Result<()> {
    let (runtime, code) = subject::compiled(64)?;
    let folder = tempfile::tempdir()?;
    let before = resident()?;
    let mut loads = Times::default();
    let mut skills = Vec::with_capacity(SKILLS);
    for number in 0..SKILLS {
        let path = folder.path().join(format!("{number}.cwasm"));
        fs::write(&path, &code)?;
        let began = Instant::now();
        skills.push(load(&runtime, &fs::read(&path)?, Limits::default())?);
        loads.push(began.elapsed());
    }
    let loaded = resident()?;
    let many = Arc::new(skills);
    let one = Arc::new(vec![many[0].clone()]);
    // Every skill once, so that its code is mapped and its slot is made.
    for skill in many.iter() {
        skill.invoke(subject::invocation(), subject.canned_port()).await.result?;
    }
    let called = resident()?;
    let (mut single, mut double, mut spread) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        single.push(throughput(subject, &one, 1).await?);
        double.push(throughput(subject, &one, 2).await?);
        spread.push(throughput(subject, &many, 2).await?);
    }
    let (single, double, spread) = (median(single), median(double), median(spread));
    table.add("calls per second, one worker", single, Unit::PerSecond, Bound::None);
    table.add("calls per second, two workers", double, Unit::PerSecond, Bound::None);
    table.add("two workers against one", double / single, Unit::Times, Bound::AtLeast(1.6, 1.8));
    table.add(
        "1,000 skills against one (two workers)",
        spread / double,
        Unit::Times,
        Bound::AtLeast(0.15, 0.2),
    );
    let each = |bytes: u64| bytes as f64 / SKILLS as f64 / 1e3;
    table.add(
        "memory per loaded skill",
        each(loaded.saturating_sub(before)),
        Unit::Kilobytes,
        Bound::AtMost(1_000.0, 600.0),
    );
    table.add(
        "memory per loaded skill, called once",
        each(called.saturating_sub(before)),
        Unit::Kilobytes,
        Bound::None,
    );
    table.add(
        "load a precompiled skill, p50",
        loads.p50() / 1e3,
        Unit::Millis,
        Bound::AtMost(1.0, 0.3),
    );
    Ok(())
}

fn load(runtime: &Runtime, code: &[u8], limits: Limits) -> anyhow::Result<LoadedSkill> {
    Ok(runtime.load_bytes(&subject::skill_id(), code, &subject::granted(), &limits)?)
}

/// Never answers, and tells that it was asked.
struct Silent(Arc<AtomicUsize>);

#[async_trait]
impl HostPort for Silent {
    async fn call(&mut self, _: HostCall) -> Result<Answered, PortError> {
        self.0.fetch_add(1, Relaxed);
        pending().await
    }
}

/// Memory of calls that wait for the host.
pub(crate) async fn waiting_calls(table: &mut Table) -> anyhow::Result<()> {
    let (runtime, code) = subject::compiled(WAITING as u32)?;
    let limits = Limits { skill_calls: WAITING as u32, ..Limits::default() };
    let skill = load(&runtime, &code, limits)?;
    let asked = Arc::new(AtomicUsize::new(0));
    let before = resident()?;
    let calls: Vec<_> = (0..WAITING)
        .map(|_| {
            let (skill, asked) = (skill.clone(), Arc::clone(&asked));
            let call =
                async move { skill.invoke(subject::invocation(), Box::new(Silent(asked))).await };
            tokio::spawn(call)
        })
        .collect();
    while asked.load(Relaxed) < WAITING {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let during = resident()?;
    for call in calls {
        call.abort();
    }
    table.add(
        "memory per call that waits for the host",
        during.saturating_sub(before) as f64 / WAITING as f64 / 1e3,
        Unit::Kilobytes,
        Bound::AtMost(128.0, 80.0),
    );
    Ok(())
}

/// How long compiling takes.
pub(crate) fn compiling(table: &mut Table) -> anyhow::Result<()> {
    let component = subject::component()?;
    let (runtime, _) = subject::compiled(1)?;
    let mut times = Times::default();
    for _ in 0..7 {
        let began = Instant::now();
        runtime.compile(&component)?;
        times.push(began.elapsed());
    }
    table.add(
        format!("compile a component of {} KB, p50", component.len() / 1_000),
        times.p50() / 1e3,
        Unit::Millis,
        Bound::AtMost(200.0, 80.0),
    );
    Ok(())
}

/// Components with an interpreter inside: where they were built, how long they
/// take. Nothing is asked of them.
pub(crate) fn interpreters(table: &mut Table) -> anyhow::Result<()> {
    let built = subject::repository().join("tests/guests/target/wasm32-wasip2/release");
    for (name, language) in [("snake", "Python"), ("squid", "JavaScript")] {
        let path = built.join(format!("{name}.wasm"));
        let Ok(component) = fs::read(&path) else {
            table.leave_out(format!("compiling a {language} component: there is no {name}.wasm"));
            continue;
        };
        let (runtime, _) = subject::compiled(1)?;
        let began = Instant::now();
        let code = runtime.compile(&component)?;
        let compiled = began.elapsed();
        let began = Instant::now();
        let interfaces = postern_domain::Interface::ALL.into();
        runtime.load_bytes(&subject::skill_id(), &code, &interfaces, &Limits::default())?;
        let loaded = began.elapsed();
        let size = component.len() as f64 / 1e6;
        let what = format!("compile a {language} component of {size:.1} MB");
        table.add(what, compiled.as_secs_f64() * 1e3, Unit::Millis, Bound::None);
        let what = format!("load it ({:.1} MB)", code.len() as f64 / 1e6);
        table.add(what, loaded.as_secs_f64() * 1e3, Unit::Millis, Bound::None);
    }
    Ok(())
}

/// Bytes of this process that are in memory, mapped files included.
fn resident() -> anyhow::Result<u64> {
    let statm = fs::read_to_string("/proc/self/statm")?;
    let pages: u64 =
        statm.split_whitespace().nth(1).context("/proc/self/statm is empty")?.parse()?;
    Ok(pages * 4096)
}
