//! Runs a target: makes inputs, tries them, counts, and keeps what breaks it.

use std::{
    collections::BTreeMap,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use fastrand::Rng;

use crate::watch::Watch;

/// Inputs that are kept because they ended in a new way.
const MOST_KEPT: usize = 500;

/// Keeps seeds that lie side by side from trying the same inputs.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Something that reads what strangers wrote.
pub(crate) trait Target {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// A new input. `kept` are inputs that ended in ways of their own.
    fn input(&mut self, random: &mut Rng, kept: &[Vec<u8>]) -> anyhow::Result<Vec<u8>>;

    /// Tries an input. An error or a panic means that it did harm.
    fn attempt(&mut self, input: &[u8]) -> anyhow::Result<Ending>;
}

/// How the host took an input.
pub(crate) struct Ending {
    /// Whether it was taken for good.
    pub(crate) accepted: bool,
    /// In which way, in a few words: inputs with words of their own are kept.
    pub(crate) way: String,
}

impl Ending {
    pub(crate) fn accepted(way: impl Into<String>) -> Self {
        Self { accepted: true, way: way.into() }
    }

    /// Refused with these words. Numbers and quoted names differ from one refusal to
    /// the next and do not make another way.
    pub(crate) fn refused(words: &str) -> Self {
        let outside = words.split(['"', '`']).step_by(2).collect::<String>();
        let letters = outside.chars().filter(|c| !c.is_ascii_digit());
        Self { accepted: false, way: letters.take(80).collect() }
    }
}

/// How long, from where, and where to put what breaks something.
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) time: Duration,
    pub(crate) runs: Option<u64>,
    pub(crate) out: PathBuf,
}

/// Tries inputs until the plan is fulfilled.
///
/// # Errors
/// The first input that does harm, with the file that holds it.
pub(crate) fn run(target: &mut dyn Target, plan: &Plan) -> anyhow::Result<()> {
    fs::create_dir_all(&plan.out).with_context(|| plan.out.display().to_string())?;
    let name = target.name();
    let current = plan.out.join(format!("{name}-{:016x}.current", plan.seed));
    let watch = Watch::start(name, &current);
    println!(
        "{name}: seed {}; an input that ends this process stays in {}",
        plan.seed,
        current.display()
    );
    let started = Instant::now();
    let (mut runs, mut accepted) = (0_u64, 0_u64);
    let mut ways = BTreeMap::<String, u64>::new();
    let mut kept = Vec::new();
    let mut told = Instant::now();
    while plan.runs.map_or(started.elapsed() < plan.time, |most| runs < most) {
        let mut random = Rng::with_seed(plan.seed.wrapping_mul(SPREAD).wrapping_add(runs));
        let input = target.input(&mut random, &kept)?;
        fs::write(&current, &input).with_context(|| current.display().to_string())?;
        watch.begin();
        let ending = match attempt(target, &input) {
            Ok(ending) => ending,
            Err(error) => {
                let file = plan.out.join(format!("{name}-{:016x}-{runs}.bin", plan.seed));
                fs::rename(&current, &file).with_context(|| file.display().to_string())?;
                return Err(error.context(format!(
                    "{name}: run {runs} of seed {} did harm; try it again with \
                     `cargo xtask fuzz {name} --replay {}`",
                    plan.seed,
                    file.display()
                )));
            }
        };
        watch.end();
        runs += 1;
        accepted += u64::from(ending.accepted);
        if !ways.contains_key(&ending.way) && kept.len() < MOST_KEPT {
            kept.push(input);
        }
        *ways.entry(ending.way).or_default() += 1;
        if told.elapsed() > Duration::from_secs(60) {
            told = Instant::now();
            println!("{name}: {runs} runs so far, {accepted} accepted, {} ways", ways.len());
        }
    }
    fs::remove_file(&current).with_context(|| current.display().to_string())?;
    println!(
        "{name}: {runs} runs in {} s, {accepted} accepted, {} refused, {} ways to end, seed {}",
        started.elapsed().as_secs(),
        runs - accepted,
        ways.len(),
        plan.seed
    );
    let mut ways: Vec<_> = ways.into_iter().collect();
    ways.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    for (way, times) in ways.iter().take(12) {
        println!("  {times:>9} {}", way.escape_debug());
    }
    Ok(())
}

/// Tries the input of a file.
///
/// # Errors
/// It does harm, or cannot be read.
pub(crate) fn replay(target: &mut dyn Target, file: &Path) -> anyhow::Result<()> {
    let input = fs::read(file).with_context(|| file.display().to_string())?;
    let ending = attempt(target, &input)?;
    let taken = if ending.accepted { "accepted" } else { "refused" };
    println!("{}: {taken}: {}", target.name(), ending.way.escape_debug());
    Ok(())
}

fn attempt(target: &mut dyn Target, input: &[u8]) -> anyhow::Result<Ending> {
    match catch_unwind(AssertUnwindSafe(|| target.attempt(input))) {
        Ok(ending) => ending,
        // What it says was printed when it panicked.
        Err(_) => Err(anyhow::anyhow!("a panic")),
    }
}
